//! `files:`, and the time zones of what is read: the zone of a host, of a listener and of a file.
//!
//! ```yaml
//! files:
//!   - /var/log/app.log
//!   - { path: "/var/log/sip/*.log", host: sip1, app: SIP_SERVER_PRIMARY, timezone: Europe/Berlin }
//!   - { path: /var/log/shop.log, format: "%d.%m.%Y %H:%M:%S", olddir: old }
//! ```

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::core::base::zone::Zone;
use crate::core::decode::LineFormat;
use crate::core::diag::suggest::{did_you_mean, nearest};
use crate::core::diag::{Code, Place};
use crate::core::inventory::{Inventory, Name, Via};
use crate::core::yaml::{Section, YamlKind, YamlNode, YamlReader};

use super::keys;

/// A log file that is followed, or a pattern of such files.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    /// The file, relative to the folder of the configuration. A name with `*`, `?` or `[` is a pattern.
    pub path: PathBuf,
    /// The host of records that name none. Default: the host that is this machine (`via: local`); empty if there is none.
    pub host: Name,
    /// The application of records that name none; empty if the configuration has none.
    pub app: Name,
    /// The time zone of stamps that contain none.
    pub zone: Option<Zone>,
    /// How its lines begin, if the configuration declares it.
    pub format: Option<DeclaredFormat>,
    /// The folder to which its rotated files are moved, relative to the file's own folder (logrotate's `olddir`).
    pub olddir: Option<PathBuf>,
    /// Its place in the configuration; `None` for an entry that stands in none.
    pub place: Option<Place>,
}

/// Two entries are equal if they say the same, wherever they stand: an entry does not change because a line above it does.
impl PartialEq for Followed {
    fn eq(&self, other: &Followed) -> bool {
        let Followed { path, host, app, zone, format, olddir, place: _ } = self;
        let form = |format: &Option<DeclaredFormat>| format.as_ref().map(|declared| declared.form.clone());
        (path, host, app, zone, olddir) == (&other.path, &other.host, &other.app, &other.zone, &other.olddir)
            && form(format) == form(&other.format)
    }
}

impl Eq for Followed {}

/// The format of a file's stamps, and where the configuration declares it.
#[derive(Clone, Debug)]
pub struct DeclaredFormat {
    /// The format, which reads a line's stamp.
    pub form: LineFormat,
    /// Its place in the configuration.
    pub place: Place,
}

impl Followed {
    /// A file with defaults for everything else.
    pub fn new(path: impl Into<PathBuf>) -> Followed {
        Followed { path: path.into(), ..Followed::default() }
    }

    /// True if the path is a pattern that any number of files may match.
    pub fn is_pattern(&self) -> bool {
        self.path.to_string_lossy().contains(['*', '?', '['])
    }
}

/// Reads `files:`. Each entry is a path or a map.
pub(super) fn files(reader: &mut YamlReader<'_>, top: &Section<'_>, inventory: &Inventory) -> Vec<Followed> {
    let here = inventory.hosts.iter().find(|(_, host)| host.via == Via::Local).map(|(name, _)| name.clone()).unwrap_or_default();
    let mut files = Vec::new();
    for node in entries(reader, top.get("files")) {
        if matches!(node.kind, YamlKind::Map(_)) {
            let Some(section) = reader.section(node, "a file", &node.place.clone(), &keys::FILE) else { continue };
            let path = section.want(reader, "path").and_then(|n| Some((reader.text(n)?.to_owned(), n.place.clone())));
            let (path, place) = path.unzip();
            let host = section.get("host").and_then(|n| reader.known(n, "host", inventory.hosts.keys()));
            let app = section.get("app").and_then(|n| reader.text(n)).unwrap_or_default().to_owned();
            let zone = section.get("timezone").and_then(|n| zone(reader, n));
            let format = section.get("format").and_then(|n| format(reader, n));
            let olddir = section.get("olddir").and_then(|n| reader.text(n)).map(PathBuf::from);
            let (path, host) = (path.unwrap_or_default().into(), host.unwrap_or_else(|| here.clone()));
            files.push(Followed { path, host, app, zone, format, olddir, place });
        } else {
            let texts = reader.texts(Some(node));
            let entry =
                |(path, place): (String, Place)| Followed { host: here.clone(), place: Some(place), ..Followed::new(path) };
            files.extend(texts.into_iter().map(entry));
        }
    }
    files
}

/// Entries of `listen: { syslog: [...] }`: the text of each with its node, and its zone if it has one.
pub(super) fn listeners<'n>(
    reader: &mut YamlReader<'_>,
    node: Option<&'n YamlNode>,
) -> Vec<(String, &'n YamlNode, Option<Zone>)> {
    let mut found = Vec::new();
    for node in entries(reader, node) {
        if matches!(node.kind, YamlKind::Map(_)) {
            let Some(section) = reader.section(node, "a listener", &node.place.clone(), &keys::LISTENER) else { continue };
            let Some(address) = section.want(reader, "address") else { continue };
            let text = reader.text(address).unwrap_or_default().to_owned();
            let zone = section.get("timezone").and_then(|n| zone(reader, n));
            found.push((text, address, zone));
        } else if let Some(text) = reader.text(node) {
            found.push((text.to_owned(), node, None));
        }
    }
    found
}

pub(super) fn zone(reader: &mut YamlReader<'_>, node: &YamlNode) -> Option<Zone> {
    let text = reader.text(node)?.to_owned();
    let zone = Zone::parse(&text);
    if zone.is_none() {
        let city = text.replace(' ', "_");
        let of_city = |name: &&str| name.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&city));
        let near = Zone::names().find(of_city).or_else(|| nearest(&text, Zone::names()));
        let help = match near {
            Some(near) => did_you_mean(near),
            None => "write a name such as Europe/Berlin, or a distance from UTC such as \"+02:00\"".to_owned(),
        };
        reader.report(Code::BadValue, &node.place, format!("`{text}` is not a time zone")).help = Some(help);
    }
    zone
}

fn format(reader: &mut YamlReader<'_>, node: &YamlNode) -> Option<DeclaredFormat> {
    let text = reader.text(node)?.to_owned();
    match LineFormat::parse(&text) {
        Ok(form) => Some(DeclaredFormat { form, place: node.place.clone() }),
        Err(e) => {
            let help = "write how a line begins, for example \"%d.%m.%Y %H:%M:%S\"; docs/reference/files.md lists the directives";
            reader.report(Code::BadValue, &node.place, format!("this is not a valid stamp format: {e}")).help =
                Some(help.to_owned());
            None
        }
    }
}

/// A list of texts and maps. A single text or map counts as a list of one.
fn entries<'n>(reader: &mut YamlReader<'_>, node: Option<&'n YamlNode>) -> Vec<&'n YamlNode> {
    match node {
        Some(node) if matches!(node.kind, YamlKind::Map(_)) => vec![node],
        node => reader.list(node),
    }
}

/// The zones of listeners, by protocol and address.
pub type ListenerZones = std::collections::BTreeMap<(Transport, SocketAddr), Zone>;

/// The protocol of a listener for syslog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    Udp,
    Tcp,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::core::diag::Source;

    #[test]
    fn an_entry_is_the_same_on_another_line() {
        let files = |text: &str| {
            let source = Arc::new(Source { name: "a.yaml".to_owned(), text: text.to_owned() });
            crate::core::config::load(&source).0.map(|config| config.files).unwrap_or_default()
        };
        let text = "files: [{ path: a.log, format: \"%d.%m.%Y %H:%M:%S\" }, b.log]\n";
        assert_eq!(files(text).len(), 2);
        assert_eq!(files(text), files(&format!("# a comment\n{text}")));
        assert_ne!(files(text), files(&text.replace("%S", "%S.%f")));
    }
}
