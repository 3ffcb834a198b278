//! `groups: { NAME: [HOST or APPLICATION, ...] }`: groups that rules can name.

use crate::core::diag::Code;
use crate::core::inventory::{EACH, Group, Inventory};
use crate::core::yaml::{Section, YamlReader};

/// Reads the groups after hosts and applications, and reports what is wrong.
pub(super) fn read(reader: &mut YamlReader<'_>, top: &Section<'_>, inventory: &mut Inventory) {
    for (key, node) in reader.named(top.get("groups")) {
        if EACH.contains(&key.text.as_str()) {
            let message = format!("in rules `{}` means each {0}, so no group can have that name", key.text);
            reader.report(Code::NameTaken, &key.place, message);
            continue;
        }
        let mut group = Group::default();
        for (name, place) in reader.texts(Some(node)) {
            let (host, app) = (inventory.hosts.contains_key(&name), inventory.applications.contains_key(&name));
            let all = inventory.hosts.keys().chain(inventory.applications.keys());
            let members = match (host, app) {
                (true, true) => {
                    let message = format!(
                        "`{name}` is both a host and an application, so it is not clear which of them belongs to the group"
                    );
                    reader.report(Code::BadValue, &place, message).help = Some("give one of them another name".to_owned());
                    continue;
                }
                (true, false) => &mut group.hosts,
                (false, true) => &mut group.applications,
                (false, false) => {
                    reader.is_known(&name, &place, "host or application", all);
                    continue;
                }
            };
            if members.contains(&name) {
                reader.report(Code::BadValue, &place, format!("`{name}` is listed twice in this group"));
            } else {
                members.push(name);
            }
        }
        if group == Group::default() {
            reader.report(Code::BadValue, &key.place, format!("the group {} has no members", key.text));
        }
        inventory.groups.insert(key.text.clone(), group);
    }
}
