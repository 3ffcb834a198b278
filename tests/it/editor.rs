//! What editors ask: completion from the grammar, names across files, hover, renaming; and texts that are half typed.

use std::time::{Duration, Instant};

use pointsman::core::editor::{Documents, Language, code_action};
use pointsman::core::lang::grammar::{Expected, ExpectedTerminal, expected, is_sentence};
use pointsman::core::lang::names::is_plain_name;
use pointsman::core::lang::{Declarations, compile};
use pointsman::core::sim::Rng;

use crate::support::{read, root, source};

/// The files below a folder that have an extension, by path from the root.
pub(crate) fn below(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(below(&name, extension));
        } else if name.ends_with(extension) {
            found.push(name);
        }
    }
    found.sort();
    found
}

/// The shipped rule files.
fn rule_files() -> Vec<String> {
    ["rules", "examples", "tests/rules"].iter().flat_map(|folder| below(folder, ".alarm")).collect()
}

/// Documents with one of them at a cursor, which `^` marks.
fn site(of: &[(&str, &str)]) -> (Documents, String, usize) {
    let mut documents = Documents::default();
    let mut cursor = None;
    for (name, text) in of {
        let at = text.find('^').filter(|_| cursor.is_none());
        let text = if at.is_some() { text.replacen('^', "", 1) } else { (*text).to_owned() };
        cursor = cursor.or(at.map(|at| ((*name).to_owned(), at)));
        documents.set(name, Language::of(name).expect("a file of a site"), &text);
    }
    let (name, at) = cursor.expect("a cursor");
    (documents, name, at)
}

/// A text that was typed into has the names that it has when it is read as a whole.
#[test]
fn typed_letters_leave_the_names_of_the_whole_text() {
    let mut rng = Rng::new(17);
    let mut compared = 0;
    for file in rule_files() {
        let text = read(&file);
        let items: Vec<&str> = text.split_inclusive("\n}\n").collect();
        let mut documents = Documents::default();
        documents.set(&file, Language::Rules, &text);
        for _ in 0..8 {
            // Something is typed, letter after letter, and taken away again; or an item is left out and comes back.
            let mut at = rng.index(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let whole = names_of(&file, &text);
            for typed in ["a", "al", "alarm zz { detect ", "\"", "}", "# "] {
                let changed = format!("{}{typed}{}", &text[..at], &text[at..]);
                documents.set(&file, Language::Rules, &changed);
            }
            documents.set(&file, Language::Rules, &text);
            assert_eq!(shown_names(&documents, &file), whole, "{file} at {at}");
            let out = rng.index(items.len());
            let without: String = items.iter().enumerate().filter(|(n, _)| *n != out).map(|(_, item)| *item).collect();
            documents.set(&file, Language::Rules, &without);
            if compile(&[source(&file, &without)], &Declarations::default()).1.iter().all(|d| d.code.text() != "R001") {
                assert_eq!(shown_names(&documents, &file), names_of(&file, &without), "{file} without item {out}");
                compared += 1;
            }
            documents.set(&file, Language::Rules, &text);
            assert_eq!(shown_names(&documents, &file), whole, "{file} with item {out} again");
        }
    }
    assert!(compared > 50, "{compared}");
}

/// The items of a rule file, each with its place and what is found for its name.
fn shown_names(documents: &Documents, file: &str) -> Vec<String> {
    let items = documents.outline(file).iter();
    items.map(|item| format!("{item:?} {:?}", documents.references(file, item.name_span.start + 1, true))).collect()
}

/// The same, read as a whole.
fn names_of(file: &str, text: &str) -> Vec<String> {
    let mut documents = Documents::default();
    documents.set(file, Language::Rules, text);
    shown_names(&documents, file)
}

const INVENTORY: &str = "hosts:\n  sip1: { address: 10.0.0.1, aliases: [one], site: north }\n  sip2: { address: 10.0.0.2 }\napplications:\n  SIP_A: { type: SIP Server, host: sip1 }\n  SIP_B: { host: sip2 }\npairs:\n  sip: { primary: SIP_A, backup: SIP_B, resource: sip_vip }\nresources:\n  sip_vip: { kind: address, address: 10.0.0.9/24, hosts: { sip1: eth0, sip2: eth0 } }\ngroups:\n  front: [sip1, sip2]\nchannels:\n  noc: log\n";
const SCRIPT: &str = "const PARAMS = #{ vip: \"resource\", host: \"host\" };\nfn react(alarm, event, params) {\n    vip(params.vip).up(params.host);\n}\n";
const RULES: &str = "pattern failed { match /failed (?<user>\\S+) from (?<peer:ip>)/ }\nalarm other { detect failed by host  cancel after 1h }\ncalendar night { every day from 22:00 to 06:00 }\nreaction up { script \"vip_up.rhai\" }\nlist homes [10.0.0.0/8]\npiece tail /to (?<to>\\S+)/\n";

fn labels(text: &str) -> Vec<String> {
    let (documents, name, at) =
        site(&[("here.alarm", text), ("pointsman.yaml", INVENTORY), ("vip_up.rhai", SCRIPT), ("rules.alarm", RULES)]);
    documents.completions(&name, at).into_iter().map(|c| c.label).collect()
}

#[test]
fn completion_knows_what_the_grammar_wants() {
    for (text, wanted, unwanted) in [
        ("^", "alarm pattern ignore reaction calendar defaults piece list", "detect noc"),
        ("al^", "alarm calendar", "pattern"),
        ("alarm x { ^", "category detect cancel react only hold", "match alarm sip1"),
        ("alarm x { category ^ }", "critical major minor none", "detect live"),
        ("alarm x { detect fa^", "failed", "sip1 night"),
        ("alarm x { detect ^", "failed event alarm host app no count claim", "detect sip1"),
        ("alarm x { detect failed ^", "by within where then cancel summary", "failed"),
        ("alarm x { detect failed by ^", "user peer host app", "failed night"),
        ("alarm x { detect 5 of failed within 5^", "5s 5m 5h", "within"),
        ("alarm x { detect event from app ^", "SIP_A SIP_B", "sip1 failed"),
        ("alarm x { detect event from host ^", "sip1 one", "SIP_A"),
        ("alarm x { detect event from app SIP_A on host ^", "sip1 sip2", "SIP_A"),
        ("alarm x { detect event from group ^", "front", "sip1"),
        ("alarm x { detect event from site ^", "north", "sip1"),
        ("alarm x { detect event from type ^", "SIP Server", "sip1"),
        ("alarm x { detect host ^ lost", "sip1 lost in", "SIP_A"),
        ("alarm x { detect host in ^", "front", "sip1"),
        ("alarm x { detect app ^", "SIP_A stopped", "sip1"),
        ("alarm x { detect metric ^", "cpu disk_used", "sip1"),
        ("alarm x { detect alarm ^", "other x", "failed"),
        ("alarm x { detect alarm other ^", "raised cleared active unacked", "by"),
        ("alarm x { detect failed inhibited by ^", "other", "failed"),
        ("alarm x { detect failed inhibited by other, ^", "other", "failed"),
        ("alarm x { detect failed only during ^", "night", "other"),
        ("alarm x { detect calendar ^", "night", "other"),
        ("alarm x { react ^", "up vip_up notify", "failed"),
        ("alarm x { react up(^", "vip host", "failed"),
        ("alarm x { react up(vip = \"^\"", "sip_vip", "sip1"),
        ("alarm x { react up(vip = \"sip_vip\", host = \"^", "sip1 sip2", "sip_vip"),
        ("alarm x { react vip_up(\"sip_vip\", \"s^\")", "sip1", "sip_vip"),
        ("alarm x { react notify(\"^\")", "noc", "sip1"),
        ("alarm x { react up then ^", "up notify", "failed"),
        ("alarm x { detect failed summary \"{^}\"", "user peer host", "other"),
        ("alarm x { mode ^", "live dry confirm off", "detect"),
        ("alarm x { detect failed where level >= ^", "error warning", "user"),
        ("alarm x { detect failed where host == ^", "sip1", "failed"),
        ("alarm x { detect failed where peer in ^", "homes front", "failed"),
        ("alarm x { detect failed where ^", "user peer not text", "failed"),
        ("reaction r { ^", "script with timeout retry trust", "detect"),
        ("reaction r { script \"^\" }", "vip_up.rhai", "sip1"),
        ("reaction vip_up { with ^", "vip host", "timeout"),
        ("reaction vip_up { with vip = \"^", "sip_vip", "sip1"),
        ("reaction r { trust ^", "address authenticated", "sip1"),
        ("pattern p { ^", "match from where set sample detect", "cancel"),
        ("pattern p { match /x ${^", "tail", "failed"),
        ("pattern p { match /x (?<peer:^", "ip int", "failed"),
        ("pattern p { match /x ^", "", "failed where"),
        ("calendar c { every ^", "mon day", "night"),
        ("calendar c { every mon .. ^", "fri", "night"),
        ("calendar c { ^", "zone every on cron except", "detect"),
        ("calendar c { except ^", "night", "every"),
        ("# ^", "", "alarm"),
        ("alarm x { detect failed cancel ^", "after when at by", "failed"),
        // A clause before it cannot be read.
        ("alarm x { detect ) ) zzz cancel after 1h\n sum^", "summary", "sum"),
        ("alarm x { detect failed within\n  cancel after 1h  react ^ }", "up", "failed"),
        // What a row fills in.
        ("alarm \"x ${n}\" with n = 5 { detect ${n} of ^ }", "failed event", "sip1"),
    ] {
        let found = labels(text);
        for word in wanted.split(' ').filter(|w| !w.is_empty() && *w != "Server") {
            let there = found.iter().any(|label| label == word || label.starts_with(&format!("{word} ")));
            assert!(there, "{text}: no `{word}` in {found:?}");
        }
        for word in unwanted.split(' ').filter(|w| !w.is_empty()) {
            assert!(!found.iter().any(|label| label == word), "{text}: `{word}` in {found:?}");
        }
    }
}

#[test]
fn yaml_and_scripts_are_completed_by_what_is_declared() {
    let all = |name: &str, text: &str| -> Vec<String> {
        let others = [("inventory.yaml", INVENTORY), ("vip_up.rhai", SCRIPT), ("rules.alarm", RULES)];
        let mut of = vec![(name, text)];
        of.extend(others);
        let (documents, name, at) = site(&of);
        documents.completions(&name, at).into_iter().map(|c| c.label).collect()
    };
    for (name, text, wanted, unwanted) in [
        ("pointsman.yaml", "^", "hosts pairs channels", "address"),
        ("pointsman.yaml", "hosts:\n  sip1: { ^ }", "address platform via", "hosts"),
        ("pointsman.yaml", "hosts:\n  sip1:\n    pl^", "platform", "hosts"),
        ("pointsman.yaml", "hosts:\n  sip1: { address: 1.2.3.4, platform: ^ }", "linux aix", "address"),
        ("pointsman.yaml", "applications:\n  x: { host: ^", "sip1 sip2", "SIP_A"),
        ("pointsman.yaml", "pairs:\n  p:\n    primary: ^", "SIP_A", "sip1"),
        ("pointsman.yaml", "pairs:\n  p:\n    primary: x\n    ^", "backup resource", "hosts"),
        ("pointsman.yaml", "resources:\n  v:\n    hosts: { ^", "sip1", "kind"),
        ("pointsman.yaml", "resources:\n  v:\n    repair: ^", "true false", "sip1"),
        ("pointsman.yaml", "groups:\n  g: [sip1, ^", "sip2", "front"),
        ("pointsman.yaml", "files:\n  - path: x\n    ^", "host app format", "hosts"),
        ("pointsman.yaml", "# ^", "", "hosts"),
        ("a.test.yaml", "tests:\n  - name: x\n    ^", "steps must ends", "hosts"),
        ("a.test.yaml", "tests:\n  - name: x\n    steps:\n      - lose: ^", "sip1", "SIP_A"),
        ("a.test.yaml", "tests:\n  - steps:\n      - ^", "log lose after", "steps"),
        ("a.test.yaml", "tests:\n  - must:\n      - { kind: ^", "alarm_raised run_started", "sip1"),
        ("a.test.yaml", "tests:\n  - must:\n      - { kind: alarm_raised, alarm: ^", "other", "sip1"),
        ("a.test.yaml", "tests:\n  - ends:\n      owners: { sip_vip: ^", "sip1", "SIP_A"),
        ("agent.yaml", "^", "controller host watch", "hosts"),
        ("a.rhai", "fn react(alarm, event, params) { ^", "vip pair wait notify", "up"),
        ("a.rhai", "fn react(alarm, event, params) { vip(\"x\").^", "up down settle name", "primary wait"),
        ("a.rhai", "fn react(alarm, event, params) { vip(\"^", "sip_vip", "sip1"),
        ("a.rhai", "fn react(alarm, event, params) { vip(\"x\").up(\"^\")", "sip1", "sip_vip"),
        ("a.rhai", "fn react(alarm, event, params) { alarm.^", "key summary clear", "up"),
        ("a.rhai", "fn react(alarm, event, params) { event.^", "host user text", "up"),
        ("a.rhai", "fn react(alarm, event, params) { log.^", "info warn error", "up"),
        ("a.rhai", "const PARAMS = #{ who: \"text\" };\nfn react(alarm, event, params) { params.^", "who", "up"),
        ("a.rhai", "// ^", "", "vip"),
    ] {
        let found = all(name, text);
        for word in wanted.split(' ').filter(|w| !w.is_empty()) {
            assert!(found.iter().any(|label| label == word), "{text}: no `{word}` in {found:?}");
        }
        for word in unwanted.split(' ').filter(|w| !w.is_empty()) {
            assert!(!found.iter().any(|label| label == word), "{text}: `{word}` in {found:?}");
        }
    }
}

/// The words at which definitions and references of a cursor stand: `document:text`.
fn told(documents: &Documents, places: Vec<pointsman::core::editor::DocumentPlace>) -> Vec<String> {
    let text = |name: &str| documents.text(name).expect("a document").text.clone();
    places.into_iter().map(|p| format!("{}:{}", p.document, &text(&p.document)[p.bytes.clone()])).collect()
}

#[test]
fn names_are_followed_through_rules_scripts_and_yaml() {
    let test = "tests:\n  - name: x\n    steps: [{ lose: sip1 }]\n    must: [{ kind: alarm_raised, alarm: lost }]\n    ends: { holders: { sip_vip: [sip2] } }\n";
    let rules = "alarm lost { detect host sip1 lost  react up(vip = \"sip_vip\", host = \"sip1\")  inhibited by lost }\n";
    let all = [("pointsman.yaml", INVENTORY), ("vip_up.rhai", SCRIPT), ("rules.alarm", RULES), ("a.test.yaml", test)];
    let at = |text: &str| -> (Documents, String, usize) {
        let mut of = vec![("here.alarm", text)];
        of.extend(all);
        site(&of)
    };
    for (text, definition, references) in [
        (
            "alarm lost { detect host s^ip1 lost  react up(vip = \"sip_vip\", host = \"sip1\")  inhibited by lost }\n",
            "pointsman.yaml:sip1",
            6,
        ),
        (
            "alarm lost { detect host sip1 lost  react up(vip = \"sip^_vip\", host = \"sip1\")  inhibited by lost }\n",
            "pointsman.yaml:sip_vip",
            3,
        ),
        (
            "alarm lost { detect host sip1 lost  react u^p(vip = \"sip_vip\", host = \"sip1\")  inhibited by lost }\n",
            "rules.alarm:up",
            1,
        ),
        (
            "alarm lost { detect host sip1 lost  react up(v^ip = \"sip_vip\", host = \"sip1\")  inhibited by lost }\n",
            "vip_up.rhai:vip",
            2,
        ),
        (
            "alarm lost { detect host sip1 lost  react up(vip = \"sip_vip\", host = \"sip1\")  inhibited by lo^st }\n",
            "here.alarm:lost",
            2,
        ),
    ] {
        assert_eq!(text.replacen('^', "", 1), rules);
        let (documents, name, cursor) = at(text);
        assert_eq!(told(&documents, documents.definitions(&name, cursor)), [definition], "{text}");
        let found = told(&documents, documents.references(&name, cursor, false));
        assert_eq!(found.len(), references, "{text}: {found:?}");
    }
    // A script has its file; a field its capture.
    let (documents, name, cursor) = at("reaction r { script \"vip^_up.rhai\" }");
    assert_eq!(documents.definitions(&name, cursor)[0].document, "vip_up.rhai");
    let (documents, name, cursor) = at("alarm a { detect failed by u^ser }");
    assert_eq!(told(&documents, documents.definitions(&name, cursor)), ["rules.alarm:user"]);
}

/// The texts after a renaming.
fn renamed(of: &[(&str, &str)], new: &str) -> Result<Vec<String>, String> {
    let (documents, name, at) = site(of);
    let mut edits = documents.rename(&name, at, new)?;
    edits.sort_by_key(|(place, _)| std::cmp::Reverse(place.bytes.start));
    let mut texts: Vec<(String, String)> =
        of.iter().map(|(name, _)| ((*name).to_owned(), documents.text(name).unwrap().text.clone())).collect();
    for (place, text) in edits {
        let (_, there) = texts.iter_mut().find(|(name, _)| *name == place.document).unwrap();
        there.replace_range(place.bytes, &text);
    }
    Ok(texts.into_iter().map(|(_, text)| text).collect())
}

#[test]
fn a_name_is_changed_everywhere_or_not_at_all() {
    let rules =
        "pattern p^ { match /x/ }\nalarm a { detect p or \"p\" by host }\nalarm b { inhibited by a detect no p for 1m }\n";
    let done = renamed(&[("a.alarm", rules)], "seen").unwrap();
    assert_eq!(
        done[0],
        "pattern seen { match /x/ }\nalarm a { detect seen or \"seen\" by host }\nalarm b { inhibited by a detect no seen for 1m }\n"
    );
    let done = renamed(&[("a.alarm", rules)], "is here").unwrap();
    assert!(done[0].starts_with("pattern \"is here\" {") && done[0].contains("no \"is here\" for"), "{}", done[0]);
    // A word of the language stands in quotes.
    assert!(renamed(&[("a.alarm", rules)], "event").unwrap()[0].contains("pattern \"event\""));
    for (new, why) in [("", "not a name"), ("a\"b", "not a name"), ("x\ny", "not a name"), ("{p}", "not a name")] {
        assert!(renamed(&[("a.alarm", rules)], new).unwrap_err().contains(why), "{new}");
    }
    let taken = "pattern p^ { match /x/ } pattern q { match /y/ }";
    assert!(renamed(&[("a.alarm", taken)], "q").unwrap_err().contains("already"));
    // Across languages, within quotes or not.
    let config = "hosts: { \"sip1\": { address: 1.2.3.4 }, sip2: {} }\nresources: { v: { hosts: [sip1, 'sip2'] } }\n";
    let script = "fn react(alarm, event, params) { vip(\"v\").up(\"sip1\"); host(\"sip1\").run(\"sip1\", []); }";
    let done =
        renamed(&[("a.alarm", "alarm x { detect host s^ip1 lost }"), ("pointsman.yaml", config), ("b.rhai", script)], "front1")
            .unwrap();
    assert_eq!(done[0], "alarm x { detect host front1 lost }");
    assert_eq!(done[1], config.replace("sip1", "front1"));
    assert_eq!(done[2], "fn react(alarm, event, params) { vip(\"v\").up(\"front1\"); host(\"front1\").run(\"sip1\", []); }");
    // What cannot be renamed says why.
    for (text, why) in [
        ("alarm x { detect event by ho^st }", "field"),
        ("alarm x { detect host gone^ lost }", "not defined"),
        ("alarm \"x ${n}\" with n = 1 with n = 2 { detect alarm \"x^ 1\" active }", "fills in"),
        ("alarm x { de^tect event }", "no name"),
    ] {
        assert!(renamed(&[("a.alarm", text)], "y").unwrap_err().contains(why), "{text}");
    }
}

#[test]
fn hover_says_what_the_reference_says() {
    for (name, text, wanted) in [
        ("a.alarm", "alarm x { ca^tegory critical }", "`critical`, `major` or `minor`"),
        ("a.alarm", "alarm x { detect event cancel aft^er 5m }", "five minutes"),
        ("a.alarm", "al^arm x { }", "a condition that raises an alarm"),
        ("a.alarm", "pattern p { mat^ch /x/ }", "one is enough"),
        ("a.alarm", "pattern p { match /a/ sample | a record\n }\nalarm x { detect p^ }", "sample: `a record`"),
        (
            "a.alarm",
            "alarm x { summary \"gone `now`\" help \"look\" detect event by host }\nalarm y { inhibited by x^ }",
            "key: `host`",
        ),
        ("a.alarm", "alarm x { detect event by ho^st }", "the host that the inventory knows it by"),
        ("pointsman.yaml", "hosts:\n  a: { addr^ess: 1.2.3.4 }", "never one that moves"),
        ("pointsman.yaml", "ho^sts:\n  a: { address: 1.2.3.4 }", "the machines"),
        ("a.rhai", "fn react(alarm, event, params) { vip(\"x\").mo^ve_to(\"h\"); }", "The same as `up`"),
        ("a.rhai", "fn react(alarm, event, params) { pa^ir(\"x\"); }", "A pair of the inventory"),
    ] {
        let (documents, of, at) = site(&[(name, text)]);
        let hover = documents.hover(&of, at).unwrap_or_else(|| panic!("{text}: nothing"));
        assert!(hover.text.contains(wanted), "{text}: {}", hover.text);
    }
}

/// A capture in scope is one of this item or of a pattern that it names; another one is not offered.
#[test]
fn fields_of_other_patterns_are_not_offered() {
    let found = labels("pattern mine { match /(?<own>x)/ }\nalarm x { detect mine by ^ }");
    assert!(found.contains(&"own".to_owned()) && !found.contains(&"user".to_owned()), "{found:?}");
}

#[test]
fn a_suggestion_becomes_an_edit() {
    let text = "pattern failed { match /x/ }\nalarm a { detect faled by host  cancel after 1h }\nalarm b { detect \"failde\" cancl after 1s }\n";
    let (_, found) = compile(&[source("a.alarm", text)], &Declarations::default());
    let mut actions: Vec<_> = found.iter().filter_map(code_action).collect();
    actions.sort_by_key(|action| std::cmp::Reverse(action.bytes.start));
    let mut corrected = text.to_owned();
    for action in &actions {
        corrected.replace_range(action.bytes.clone(), &action.new_text);
    }
    assert!(corrected.contains("detect failed by") && corrected.contains("cancel after 1s"), "{corrected}: {found:?}");
    assert!(!corrected.contains("faled"), "{corrected}");
}

/// At each word of the shipped rules, the grammar expects that word there, or a terminal that it is.
#[test]
fn each_word_of_the_shipped_rules_is_expected_where_it_stands() {
    let word =
        regex::Regex::new(r#"(?m)#[^\n]*|"(?:[^"\\\n]|\\.)*"|r"[^"\n]+"|\|[^\n]*|[0-9][A-Za-z0-9_.-]*|[A-Za-z_][A-Za-z0-9_.-]*"#)
            .unwrap();
    let mut tried = 0;
    for file in rule_files() {
        let text = read(&file);
        // The parser is the judge of what is a sentence.
        let (_, found) = compile(&[source(&file, &text)], &Declarations::default());
        if found.iter().any(|d| d.code.text() < "R100") || text.contains("${") {
            continue;
        }
        assert!(is_sentence(&text, "file"), "{file}");
        let words: Vec<_> = word.find_iter(&text).collect();
        // Not within expressions; each third word is enough.
        for found in words.iter().step_by(3) {
            let line_start = text[..found.start()].rfind('\n').map_or(0, |at| at + 1);
            let in_regex = text[line_start..].split('\n').next().is_some_and(|line| line.contains('/'));
            if in_regex || !found.as_str().starts_with(|c: char| c.is_ascii_alphabetic()) {
                continue;
            }
            let all = expected(&text[..found.start()]);
            let fits = |e: &Expected| match e.terminal {
                ExpectedTerminal::Word(word) => word == found.as_str(),
                ExpectedTerminal::Class("DAY" | "WORD") => true,
                ExpectedTerminal::Class("FIELD_OF") => found.as_str().contains('.'),
                ExpectedTerminal::Class("NAME") => is_plain_name(found.as_str()),
                ExpectedTerminal::Class("ID") => found.as_str().starts_with("GCTI"),
                ExpectedTerminal::Class(_) => false,
            };
            assert!(all.iter().any(fits), "{file}: `{}` at {} is not among {all:?}", found.as_str(), found.start());
            tried += 1;
        }
    }
    assert!(tried > 1_000, "{tried}");
}

/// Half-typed texts: no panic, and an answer in bounded time.
#[test]
fn each_prefix_is_answered() {
    let mut shipped = rule_files();
    shipped.extend(below("scripts", ".rhai"));
    shipped.extend(below("examples", ".yaml"));
    shipped.extend(below("rules", ".yaml"));
    let mut longest = Duration::ZERO;
    // `examples/bench_lsp.rs` tries each byte of them.
    for (n, file) in shipped.iter().enumerate() {
        let text = read(file);
        let small = text.len() < 300;
        let Some(language) = Language::of(file) else { continue };
        let boundary = |at: &usize| {
            let bytes = text.as_bytes();
            small || !bytes[*at].is_ascii_alphanumeric() || !bytes[at.saturating_sub(1)].is_ascii_alphanumeric()
        };
        // Long files at some of their places: which ones differs from file to file.
        let step = (text.len() / 25).max(1);
        let places: Vec<usize> = (0..text.len()).filter(|at| text.is_char_boundary(*at)).filter(boundary).collect();
        for at in places.into_iter().skip(n % step).step_by(step) {
            let began = Instant::now();
            let mut documents = Documents::default();
            documents.set(file, language, &text[..at]);
            documents.completions(file, at);
            documents.hover(file, at);
            documents.hover(file, at / 2);
            documents.definitions(file, at);
            documents.references(file, at, true);
            let _ = documents.rename(file, at, "x");
            documents.outline(file);
            let _ = documents.formatted(file);
            longest = longest.max(began.elapsed());
        }
    }
    assert!(longest < Duration::from_secs(10), "{longest:?}");
}

/// Long and hostile texts are answered as soon as others.
#[test]
fn hostile_texts_are_answered() {
    for (name, text) in [
        ("a.alarm", format!("alarm x {{ detect {}", "(".repeat(20_000))),
        ("a.alarm", format!("alarm x {{ detect {}", "a or ".repeat(5_000))),
        ("a.alarm", format!("alarm x {{ {}", "detect ) ".repeat(3_000))),
        ("a.alarm", "\"".repeat(30_000)),
        ("a.alarm", "alarm ${a} { detect ${b} of ${c} ".repeat(500)),
        ("a.alarm", "#\n".repeat(40_000)),
        ("a.alarm", "\u{FEFF}alarm é { détect ".repeat(1_000)),
        ("a.yaml", "{ ".repeat(20_000)),
        ("a.yaml", "a:\n  - ".repeat(5_000)),
        ("a.yaml", "- - - - ".repeat(5_000)),
        ("a.rhai", "vip(\"".repeat(10_000)),
        ("a.rhai", "`${".repeat(10_000)),
        ("a.rhai", "/*".repeat(10_000)),
    ] {
        let began = Instant::now();
        let mut documents = Documents::default();
        documents.set(name, Language::of(name).unwrap(), &text);
        for at in [text.len(), text.len() / 2, 0] {
            documents.completions(name, at);
            documents.hover(name, at);
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}: {}", began.elapsed(), &text[..20]);
    }
}
