//! What a site needs of the machine that it runs on: users, a data folder, logs that can be followed. `check`, a start and a reload
//! ask for it. A dry run or a rule test does not, because it may run anywhere.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::core::config::{Agent, Config, Followed};
use crate::core::diag::{Code, Diagnostic, Place, Source};
use crate::core::inventory::ChannelKind;
use crate::core::site::Texts;
use crate::shell::linux::accounts::{FolderRefusal, current_user, has_group, has_user, is_root, refused_by};
use crate::shell::linux::file::kind_of;

use super::followed::{entry, in_real_folder};

/// What a controller's site needs and this machine does not have. `base` is the folder to which its paths are relative.
pub(super) fn check(config: &Config, base: &Path, texts: &Texts) -> Vec<Diagnostic> {
    let data = base.join(&config.data);
    let mut found: Vec<Diagnostic> = user(config.user.as_deref(), config.places.user.as_ref()).into_iter().collect();
    found.extend(data_folder(&data, config.places.data.as_ref()));
    let (users, groups) = (config.access.users(), config.access.groups());
    let unknown = users.filter(|name| !has_user(name)).map(|name| ("user", name));
    let unknown = unknown.chain(groups.filter(|name| !has_group(name)).map(|name| ("group", name)));
    found.extend(unknown.map(|(what, name)| {
        let message = format!("`access` names the {what} `{name}`, and this machine has none");
        Diagnostic::whole(Code::PerhapsNotHere, message).help("nobody gets access by this entry; is the name right?")
    }));
    found.extend(config.inventory.channels.iter().filter_map(|(name, channel)| no_program(name, &channel.kind)));
    let sources = texts.config.iter().chain(&texts.rules).chain(texts.scripts.iter().flat_map(|scripts| scripts.values()));
    let own = sources.filter_map(|source: &std::sync::Arc<Source>| Path::new(&source.name).canonicalize().ok()).collect();
    let data = data.canonicalize().unwrap_or(data);
    found.extend(config.files.iter().filter_map(|file| no_log(file, base, &data, &own)));
    found
}

/// What an agent's configuration needs and this machine does not have.
pub fn check_agent(agent: &Agent, base: &Path) -> Vec<Diagnostic> {
    let user = user(agent.user.as_deref(), agent.places.user.as_ref());
    user.into_iter().chain(data_folder(&base.join(&agent.data), agent.places.data.as_ref())).collect()
}

/// The user that root's program becomes. Whoever else starts it keeps the own user, so that a missing one is a warning then.
fn user(name: Option<&str>, place: Option<&Place>) -> Option<Diagnostic> {
    let name = name.filter(|name| !has_user(name))?;
    let code = if is_root() { Code::NotOnThisMachine } else { Code::PerhapsNotHere };
    let help = format!("create the user with `useradd --system {name}`, or name another one");
    Some(at(code, place, format!("this machine has no user `{name}`")).help(help))
}

/// Checks that the data folder is a folder, or can be made.
fn data_folder(data: &Path, place: Option<&Place>) -> Option<Diagnostic> {
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    // What does not exist yet is made within this.
    let existing = data.ancestors().find(|path| path.symlink_metadata().is_ok())?;
    let shown = existing.display();
    let what = match fs::metadata(existing) {
        Ok(meta) if meta.is_dir() => None,
        Ok(meta) => Some(kind_of(meta.file_type())),
        Err(_) => Some("a link whose target does not exist"),
    };
    if let Some(what) = what {
        let message = match existing == data {
            true => format!("the data folder {shown} is {what}"),
            false => format!("the data folder {} can't be made: {shown} is {what}", data.display()),
        };
        return Some(
            at(Code::NotOnThisMachine, place, message)
                .help("name a folder, or a path where one can be created: data: /var/lib/pointsman"),
        );
    }
    match refused_by(existing)? {
        FolderRefusal::ReadOnly => {
            let message = format!("the data folder {} can't be written: the file system of {shown} is read-only", data.display());
            Some(
                at(Code::NotOnThisMachine, place, message).help("name a folder of another file system: data: /var/lib/pointsman"),
            )
        }
        FolderRefusal::Permission => {
            let user = current_user();
            let message = format!("the user {user} may not write to {shown}, where the data folder {} is", data.display());
            let help = format!("a start by {user} fails; run `check` as the user who starts the program, or change `data`");
            Some(at(Code::PerhapsNotHere, place, message).help(help))
        }
    }
}

/// Checks that the program of a channel is there and can be run.
fn no_program(channel: &str, kind: &ChannelKind) -> Option<Diagnostic> {
    let ChannelKind::Command(words) = kind else { return None };
    let program = Path::new(words.first()?);
    let what = match fs::metadata(program) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => "is not there".to_owned(),
        Err(e) => format!("cannot be examined ({e})"),
        Ok(meta) if !meta.is_file() => format!("is {}", kind_of(meta.file_type())),
        Ok(meta) if meta.permissions().mode() & 0o111 == 0 => "is not executable".to_owned(),
        Ok(_) => return None,
    };
    let message = format!("the program {} of channel {channel} {what}", program.display());
    Some(Diagnostic::whole(Code::PerhapsNotHere, message).help("without it the channel delivers nothing; is the path right?"))
}

/// Checks that what an entry follows now is a log: no folder or device, and nothing that Pointsman writes or reads itself.
fn no_log(file: &Followed, base: &Path, data: &Path, own: &BTreeSet<PathBuf>) -> Option<Diagnostic> {
    let entry = entry(file, base);
    let place = file.place.as_ref();
    let fault = |message: String, help: &str| Some(at(Code::NoLog, place, message).help(help));
    let logs = if entry.is_pattern() { entry.matches() } else { vec![entry.path.clone()] };
    for log in logs {
        let shown = log.display();
        if let Ok(meta) = fs::metadata(&log)
            && !meta.is_file()
        {
            let kind = kind_of(meta.file_type());
            let help = match meta.is_dir() {
                true => format!("for the files in it, write a pattern: {}/*.log", file.path.display()),
                false => "only regular files are followed; a program that writes to a pipe can send syslog instead: listen: { syslog: [tcp://127.0.0.1:601] }"
                    .to_owned(),
            };
            return fault(format!("{shown} is {kind}, so it cannot be followed"), &help);
        }
        let real = log.canonicalize().unwrap_or_else(|_| in_real_folder(&log));
        if real.starts_with(data) {
            let message = format!("{shown} is in the data folder, where Pointsman itself writes");
            return fault(
                message,
                "each of its records would cause further ones; follow logs in another folder, or change `data`",
            );
        }
        if own.contains(&real) {
            let message = format!("{shown} is a file of this site, not a log");
            return fault(message, "name the log of an application");
        }
    }
    None
}

fn at(code: Code, place: Option<&Place>, message: String) -> Diagnostic {
    Diagnostic { place: place.cloned(), ..Diagnostic::whole(code, message) }
}
