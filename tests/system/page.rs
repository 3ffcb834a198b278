//! The page of `dry-run --html` in a browser: headless Chromium shows it, searches, zooms and hovers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pointsman");
const RULES: &str = "\
pattern link_down { match /link (?<port>.+) is down/ }
pattern link_up   { match /link (?<port>.+) is up/ }
alarm link { detect link_down by port  cancel when link_up }
";
/// What a page would run if a text of the log became part of it.
const HOSTILE: &str = "</script><img src=x onerror=\"document.title='taken over'\"><script>document.title='taken over'</script>";

/// Makes a page of a log with so many failures of links, and one hostile name.
fn page(name: &str, failures: usize) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("pointsman-page-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("links.alarm"), RULES).unwrap();
    let mut log = format!("2026-03-14T08:00:00Z sip1 net: link {HOSTILE} is down\n");
    for n in 0..failures {
        let (hour, minute, second) = (9 + n / 3_600, n / 60 % 60, n % 60);
        log.push_str(&format!("2026-03-14T{hour:02}:{minute:02}:{second:02}Z sip1 net: link eth{} is down\n", n % 7));
        log.push_str(&format!("2026-03-14T{hour:02}:{minute:02}:{second:02}.5Z sip1 net: link eth{} is up\n", n % 7));
    }
    fs::write(folder.join("app.log"), log).unwrap();
    let out = Command::new(PROGRAM)
        .args(["dry-run", "--rules", "links.alarm", "--html", "page.html", "app.log"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    folder
}

/// The page as it is after its scripts have run.
fn shown(file: &Path, hash: &str) -> String {
    let profile = file.with_file_name("profile");
    let out = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=1400,1000",
            "--virtual-time-budget=10000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}{hash}", file.display()))
        .output()
        .expect("Chromium is installed (Debian: chromium)");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// The page with a script of this test, which its policy would refuse.
fn with_script(file: &Path, script: &str) -> PathBuf {
    let text = fs::read_to_string(file).unwrap();
    let (before, rest) = text.split_once("script-src '").unwrap();
    let (_, after) = rest.split_once('\'').unwrap();
    let changed =
        format!("{before}script-src 'unsafe-inline'{after}").replace("</body>", &format!("<script>{script}</script></body>"));
    let driven = file.with_file_name("driven.html");
    fs::write(&driven, changed).unwrap();
    driven
}

#[test]
fn the_texts_of_a_log_stay_texts() {
    let folder = page("hostile", 3);
    let dom = shown(&folder.join("page.html"), "");
    assert!(dom.contains("<title>Dry run of app.log</title>"), "{dom}");
    assert!(!dom.contains("<img"), "{dom}");
    assert!(dom.contains("link [&lt;/script&gt;&lt;img src=x onerror="), "{dom}");
    assert!(dom.contains("8 of 8 entries") && dom.contains("Timeline: 4 alarms, 0 runs"), "{dom}");
    // The script of another author does not run.
    let refused = fs::read_to_string(folder.join("page.html")).unwrap();
    fs::write(folder.join("changed.html"), refused.replace("</body>", "<script>document.title = 'changed'</script></body>"))
        .unwrap();
    assert!(shown(&folder.join("changed.html"), "").contains("<title>Dry run of app.log</title>"));
    let found = shown(&folder.join("page.html"), "#search=eth1&theme=dark");
    assert!(found.contains("2 of 8 entries") && found.contains("data-theme=\"dark\""), "{found}");
    let _ = fs::remove_dir_all(folder);
}

/// Ten thousand entries: zoomed, hovered and searched; drawing them takes less than a tenth of a second.
#[test]
fn ten_thousand_entries_are_usable() {
    let folder = page("many", 5_000);
    let script = "
        const say = (name, text) => { document.body.dataset[name] = text; };
        const shown = () => document.getElementById('shown').textContent;
        const began = performance.now();
        for (let n = 0; n < 10; n += 1) draw();
        say('drawing', String(Math.round((performance.now() - began) / 10)));
        say('first', `${shown()}; ${shapes.length} shapes`);
        const box = canvas.getBoundingClientRect();
        const event = (kind, type, more) => canvas.dispatchEvent(new kind(type, { clientX: box.left + 900, clientY: box.top + 70, bubbles: true, cancelable: true, ...more }));
        for (let n = 0; n < 30; n += 1) event(WheelEvent, 'wheel', { deltaY: -300 });
        draw();
        table();
        say('zoomed', shown());
        const eth = shapes.find((s) => s.bar && s.bar.text.startsWith('eth'));
        event(PointerEvent, 'pointermove', { clientX: box.left + eth.left + 1, clientY: box.top + eth.top + 1 });
        say('hover', document.getElementById('tip').hidden ? 'hidden' : document.getElementById('tip').textContent);
        document.dispatchEvent(new KeyboardEvent('keydown', { key: '0' }));
        table();
        say('fit', shown());
        const search = document.getElementById('search');
        search.value = 'ETH3';
        search.dispatchEvent(new Event('input'));
        table();
        say('search', shown());
    ";
    let dom = shown(&with_script(&folder.join("page.html"), script), "");
    let said = |name: &str| {
        let (_, rest) = dom.split_once(&format!("data-{name}=\"")).unwrap_or_else(|| panic!("no {name}: {dom}"));
        rest.split('"').next().unwrap().to_owned()
    };
    assert!(said("first").starts_with("10002 of 10002 entries, part 1 of 51"), "{}", said("first"));
    assert!(said("drawing").parse::<u32>().unwrap() < 100, "{} ms", said("drawing"));
    let zoomed: u32 = said("zoomed").split(' ').next().unwrap().parse().unwrap();
    assert!(zoomed < 100, "{}", said("zoomed"));
    assert!(said("hover").contains("alarm link [eth") && said("hover").contains("cleared link [eth"), "{}", said("hover"));
    assert!(said("fit").starts_with("10002 of 10002"), "{}", said("fit"));
    assert!(said("search").starts_with("1428 of 10002") || said("search").starts_with("1430 of 10002"), "{}", said("search"));
    eprintln!("10,002 entries are drawn in {} ms; {}", said("drawing"), said("hover"));
    let _ = fs::remove_dir_all(folder);
}
