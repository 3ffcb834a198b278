//! Heads of vendors and loggers within a message, as parts of its envelope. Both syslog formats have them.

use std::borrow::Cow;

use crate::core::event::Value;

use super::envelope::{Envelope, is_host};
use super::heads::{self, HeadFound, HeadPlace};

/// A head of the table as an envelope; missing parts are as in `base`.
pub(super) fn envelope_of<'a>(found: HeadFound<'a>, base: Envelope<'a>) -> Envelope<'a> {
    let or = |found: &'a str, base: &'a str| if found.is_empty() { base } else { found };
    let mut fields = base.fields;
    fields.extend(found.fields().map(|(name, value)| (Cow::Borrowed(name), Value::Text(Cow::Borrowed(value)))));
    // A clock that was never set is less reliable than the relay's.
    let stamp = if found.unsynchronised { base.stamp.or(found.stamp) } else { found.stamp.or(base.stamp) };
    Envelope {
        stamp,
        host: or(found.host, base.host),
        app: or(found.app, base.app),
        pid: or(found.pid, base.pid),
        id: found.id.or(base.id),
        level: found.level.or(base.level),
        text: found.text,
        fields,
        ..base
    }
}

/// The envelope of a record without any head, with its id: of a security product (CEF, LEEF), and of a device (`%ASA-5-111008:`)
/// if `device` allows it.
pub(super) fn without_head(record: &str, device: bool) -> Option<Envelope<'_>> {
    if !(record.starts_with("CEF:") || record.starts_with("LEEF:") || device && record.starts_with('%')) {
        return None;
    }
    heads::read(HeadPlace::Text, record).map(|found| envelope_of(found, Envelope::default()))
}

/// Takes an id at the beginning of a message's text, in both syslog formats.
pub(super) fn take_id<'a>(e: &mut Envelope<'a>) {
    if e.id.is_some() {
        return;
    }
    let Some(found) = heads::read(HeadPlace::Text, e.text) else { return };
    // `asa1: %ASA-6-302013: ...`: the name before a device's id is the device.
    let device = e.text.starts_with('%') && e.host.is_empty() && e.pid.is_empty() && is_host(e.app);
    let base = std::mem::take(e);
    *e = envelope_of(found, base);
    if device {
        e.host = std::mem::take(&mut e.app);
    }
}
