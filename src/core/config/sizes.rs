//! How much memory and disk the controller may use: `limits:` and `journal:` of the configuration.

use std::time::Duration;

use crate::core::base::limits::{JOURNAL_BYTES_LEAST, MEMORY_LEAST, UNWANTED_BYTES_LEAST};
use crate::core::diag::Code;
use crate::core::inventory::Memory;
use crate::core::yaml::{Section, YamlReader};

use super::JournalLimits;
use super::keys;

/// The shortest and the longest time for which records can be kept.
const KEEP: std::ops::RangeInclusive<Duration> = Duration::from_secs(3_600)..=Duration::from_secs(20 * 366 * 24 * 3_600);

/// `limits: { memory: 512MiB }`
pub(super) fn memory(reader: &mut YamlReader<'_>, top: &Section<'_>) -> Memory {
    let Some(node) = top.get("limits") else { return Memory::default() };
    let Some(section) = reader.section(node, "limits", &node.place.clone(), &keys::LIMITS) else { return Memory::default() };
    let Some(node) = section.get("memory") else { return Memory::default() };
    let text = reader.text(node).unwrap_or_default().to_owned();
    match bytes_of(&text).and_then(|bytes| usize::try_from(bytes).ok()) {
        Some(bytes) if bytes >= MEMORY_LEAST => return Memory(bytes),
        Some(_) => {
            let message = format!("`{text}` is not enough memory for a controller; it needs at least {} MiB", MEMORY_LEAST >> 20);
            reader.report(Code::BadValue, &node.place, message);
        }
        None => {
            reader.report(Code::BadValue, &node.place, format!("`{text}` is not an amount of memory")).help =
                Some("memory: 512 MiB".to_owned());
        }
    }
    Memory::default()
}

/// `journal: { keep: 400d, size: 4GiB }`
pub(super) fn journal(reader: &mut YamlReader<'_>, top: &Section<'_>) -> JournalLimits {
    let mut limits = JournalLimits::default();
    let Some(node) = top.get("journal") else { return limits };
    let Some(section) = reader.section(node, "journal", &node.place.clone(), &keys::JOURNAL) else { return limits };
    if let Some(keep) = section.get("keep").and_then(|n| reader.span(n, KEEP)) {
        limits.keep = keep;
    }
    if let Some(size) = size(reader, &section, "size", JOURNAL_BYTES_LEAST, "journal: { size: 4GiB }") {
        limits.size = size;
    }
    if let Some(size) = size(reader, &section, "unwanted", UNWANTED_BYTES_LEAST, "journal: { unwanted: 256MiB }") {
        limits.unwanted = size;
    }
    limits
}

/// The value of a key that is a size; one that is not, or is below the least, is reported.
fn size(reader: &mut YamlReader<'_>, section: &Section<'_>, key: &str, least: u64, help: &str) -> Option<u64> {
    let node = section.get(key)?;
    let text = reader.text(node)?;
    let size = bytes_of(text).filter(|size| *size >= least);
    if size.is_none() {
        let message = format!("`{text}` is not a size of at least {} MiB", least >> 20);
        reader.report(Code::BadValue, &node.place, message).help = Some(help.to_owned());
    }
    size
}

/// `512 MiB`, `4GiB`, `500MB`: a number with its unit, in bytes.
fn bytes_of(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let unit: u64 = match unit.trim() {
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}
