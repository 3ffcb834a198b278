//! The time zone of this machine: `TZ`, or else `/etc/localtime` (or `/etc/timezone` if the former is a copy and not a link).

use std::fs;

use crate::core::base::zone::Zone;

/// The machine's time zone.
///
/// # Errors
/// Returns an error text if the zone is not understood. Use UTC in that case.
pub fn machine_zone() -> Result<Zone, String> {
    if let Some(text) = std::env::var("TZ").ok().filter(|text| !text.is_empty()) {
        return Zone::parse_posix(&text).ok_or_else(|| {
            format!(
                "the time zone TZ={text} is not valid, so UTC is used for stamps without a zone; write a name such as Europe/Berlin"
            )
        });
    }
    let linked = fs::canonicalize("/etc/localtime").ok();
    let of_link = linked.as_deref().and_then(|path| path.to_str()?.split_once("zoneinfo/").map(|(_, name)| name.to_owned()));
    let of_link = of_link.and_then(|name| Zone::parse(name.trim_start_matches("posix/").trim_start_matches("right/")));
    let named = || Zone::parse(fs::read_to_string("/etc/timezone").ok()?.trim());
    match (of_link.or_else(named), linked) {
        (Some(zone), _) => Ok(zone),
        // A machine without a configured zone uses UTC.
        (None, None) => Ok(Zone::UTC),
        (None, Some(path)) => Err(format!(
            "the time zone of {} has no name, so UTC is used for stamps without a zone; make /etc/localtime a link into /usr/share/zoneinfo, or write `timezone:` for hosts and files",
            path.display()
        )),
    }
}
