//! Configurations: their errors, all reported at once, and the results of valid ones.

use std::collections::BTreeSet;

use pointsman::core::base::limits::SOURCE_BYTES;
use pointsman::core::config::{load, load_agent};
use pointsman::core::diag::{Code, render};
use pointsman::core::inventory::{Inventory, Takeover};
use pointsman::core::sim::Rng;

use crate::support::{expect, files, read, source};

#[test]
fn mistakes_are_reported_as_the_files_beside_them_say() {
    let mut codes = BTreeSet::new();
    for (name, text) in files("tests/config/err", "yaml") {
        let (config, found) = load(&source(&name, &text));
        assert!(config.is_none(), "{name}");
        codes.extend(found.iter().map(|d| d.code));
        expect(format!("tests/config/err/{}", name.replace(".yaml", ".expected")), &render::human(&found, false));
    }
    // Tested by files, or by a text that is too large for a case.
    let elsewhere = [
        Code::FileUnreadable,
        Code::ConfigTooLarge,
        Code::NoFileMatches,
        Code::FormatUnread,
        Code::NoOlddir,
        Code::FollowedTwice,
        Code::NotOnThisMachine,
        Code::NoLog,
        Code::PerhapsNotHere,
        Code::RouteName,
        Code::TemplateName,
    ];
    let missing: Vec<&str> = Code::ALL
        .iter()
        .filter(|c| c.text().starts_with('C') && !codes.contains(c) && !elsewhere.contains(c))
        .map(|c| c.text())
        .collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

/// The configurations in the documentation are valid.
#[test]
fn configurations_of_the_documents_are_read() {
    for document in ["docs/reference/files.md", "docs/explanation/time.md"] {
        let text = read(document);
        let blocks: Vec<&str> = text.split("```yaml\n").skip(1).filter_map(|b| b.split("```").next()).collect();
        assert!(!blocks.is_empty(), "{document}");
        for block in blocks {
            let (config, found) = load(&source(document, block));
            assert!(config.is_some() && found.is_empty(), "{}", render::human(&found, false));
        }
    }
}

/// A file is assigned to a host, by itself or because it is on this machine.
#[test]
fn files_are_of_hosts() {
    let text = "hosts:\n  here: { address: 10.0.0.1, via: local }\n  there: { address: 10.0.0.2, timezone: Asia/Kolkata }\nfiles: [a.log, { path: b.log, host: there, app: x, timezone: UTC }]\n";
    let config = load(&source("c.yaml", text)).0.unwrap();
    let all: Vec<String> =
        config.files.iter().map(|f| format!("{} {} {} {:?}", f.path.display(), f.host, f.app, f.zone)).collect();
    assert_eq!(all, ["a.log here  None", "b.log there x Some(Fixed(0))"]);
    assert_eq!(config.inventory.hosts["there"].zone.map(|z| z.to_string()).as_deref(), Some("Asia/Kolkata"));
}

#[test]
fn an_agent_has_its_own_list() {
    let (agent, found) = load_agent(&source("good.yaml", &read("tests/config/agent/good.yaml")));
    assert_eq!(found, []);
    expect("tests/config/agent/good.expected", &format!("{:#?}\n", agent.unwrap()));
    for (name, text) in files("tests/config/agent", "yaml").into_iter().filter(|(name, _)| !name.ends_with("good.yaml")) {
        let (agent, found) = load_agent(&source(&name, &text));
        assert!(agent.is_none(), "{name}");
        expect(format!("tests/config/agent/{}", name.replace(".yaml", ".expected")), &render::human(&found, false));
    }
}

#[test]
fn a_text_that_says_nothing_is_refused() {
    for text in ["", "# only a comment\n"] {
        for (refused, found) in [
            (load(&source("empty.yaml", text)).0.is_none(), load(&source("empty.yaml", text)).1),
            (load_agent(&source("empty.yaml", text)).0.is_none(), load_agent(&source("empty.yaml", text)).1),
        ] {
            assert!(refused && !found.is_empty(), "{text:?}");
        }
    }
}

#[test]
fn a_text_too_large_is_refused() {
    let (config, found) = load(&source("large.yaml", &format!("#{}", "x".repeat(SOURCE_BYTES))));
    assert!(config.is_none());
    assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::ConfigTooLarge]);
}

#[test]
fn the_examples_are_clean() {
    for name in ["pointsman", "general"] {
        let (config, found) = load(&source(name, &read(&format!("examples/sip-pair/{name}.yaml"))));
        assert_eq!(found, [], "{name}");
        let inventory = config.unwrap().inventory;
        let vip = &inventory.resources["sip_vip"];
        assert_eq!((vip.what.to_string().as_str(), vip.takeover), ("10.10.11.103/24", Takeover::Quorum));
        assert_eq!(
            vip.placements.iter().map(|s| (s.host.as_str(), s.interface.as_str())).collect::<Vec<_>>(),
            [("sip1", "eth0"), ("sip2", "eth0")]
        );
        assert_eq!(
            inventory.pairs["sip"].says_primary.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["00-04563", "00-04562"]
        );
        assert_eq!(inventory.host("sip1.example.com").map(|(n, _)| n.as_str()), Some("sip1"));
        assert_eq!(inventory.host("10.10.11.102").map(|(n, _)| n.as_str()), Some("sip2"));
    }
}

/// The default takeover is `probe` if there are witnesses, or else `confirmed`. An empty configuration is an empty inventory.
#[test]
fn what_is_not_said_is_as_documented() {
    let text = "hosts: {a: , b: }\nresources:\n  v: {address: 10.0.0.9/24, hosts: {a: eth0, b: eth0}}\n  w: {address: fd00::9/64, hosts: {a: eth0, b: eth0}, witnesses: fd00::1}\n";
    let (config, found) = load(&source("x", text));
    assert_eq!(found, []);
    let config = config.unwrap();
    assert_eq!(config.inventory.resources["v"].takeover, Takeover::Confirmed);
    assert_eq!(config.inventory.resources["w"].takeover, Takeover::Probe);
    assert_eq!((config.rules.len(), config.scripts), (1, None));
    let (config, found) = load(&source("empty", "{}"));
    assert_eq!((config.map(|c| c.inventory).unwrap_or_default(), found.len()), (Inventory::default(), 0));
}

/// No text makes the reader panic, and every location is within the text.
#[test]
fn no_text_makes_the_reader_panic() {
    let whole = read("examples/sip-pair/pointsman.yaml");
    let mut rng = Rng::new(3);
    for _ in 0..3_000 {
        let mut bytes = whole.clone().into_bytes();
        for _ in 0..=rng.below(6) {
            let at = rng.index(bytes.len());
            bytes[at] = b"\"':-{}[]#&*!|>\t\n \xff?,0a"[rng.index(22)];
        }
        bytes.truncate(rng.index(bytes.len()) + 1);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for diagnostic in load(&source("broken", &text)).1 {
            if let Some(place) = diagnostic.place {
                assert!(place.bytes.start <= place.bytes.end && place.bytes.end <= text.len(), "{text}");
            }
        }
    }
}
