//! The fields that are read from single records: cases as data, and the page of the documentation.
//!
//! Goal: each kind of record is read as a person reads it. Method: every line of `tests/decode/{cases,variants,products}.jsonl`
//! is decoded alone, as a line of a file that was written on 2026-11-29. Each part that the case names must be the result, and
//! `null` must be absent; a case with `format` belongs to a file with that form. The page `docs/reference/formats.md` is generated from the decoder's tables (`UPDATE_EXPECTED=1` writes
//! it).

use std::fmt::Write as _;
use std::path::Path;

use pointsman::core::base::time::Time;
use pointsman::core::decode::{Decoder, LineFormat, formats_page};
use pointsman::core::event::EventId;
use serde_json::Value as Json;

const WRITTEN: &str = "2026-11-29T12:00:00Z";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn records_are_read_as_a_person_reads_them() {
    let written = Time::parse_rfc3339(WRITTEN).unwrap();
    let mut wrong = String::new();
    let mut count = 0;
    for file in ["cases", "variants", "products"] {
        let cases = std::fs::read_to_string(root().join(format!("tests/decode/{file}.jsonl"))).unwrap();
        for line in cases.lines() {
            count += 1;
            let case: Json = serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
            let input = case["input"].as_str().unwrap();
            let mut decoder = Decoder::new();
            if let Some(form) = case["format"].as_str() {
                decoder = decoder.with_format(LineFormat::parse(form).unwrap_or_else(|e| panic!("{line}: {e}")));
            }
            decoder.not_after(Some(written));
            let event = decoder.decode(input.as_bytes(), written);
            for (part, want) in case["want"].as_object().unwrap() {
                let (found, same) = if part == "at" {
                    let at = want.as_str().map(|at| Time::parse_rfc3339(at).unwrap());
                    (event.at.map(|at| at.to_string()), event.at == at)
                } else {
                    let found = event.field(part).map(|value| value.to_string()).filter(|value| !value.is_empty());
                    let want = want.as_str().map(|text| match part.as_str() {
                        "id" => EventId::parse(text).unwrap().to_string(),
                        _ => text.to_owned(),
                    });
                    let same = found == want;
                    (found, same)
                };
                if !same {
                    let _ = writeln!(wrong, "{}: {input}\n    {part}: {} is wanted, found {found:?}", case["kind"], want);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count > 200, "{count}");
}

#[test]
fn the_page_lists_what_is_read() {
    let path = root().join("docs/reference/formats.md");
    let page = formats_page();
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/reference/formats.md is not what the tables say: UPDATE_EXPECTED=1 cargo test --test it formats"
    );
}
