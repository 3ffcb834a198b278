//! Watches the disk of a journal while it is written: how much room is free, and whether the database is still in its place.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::core::base::time::Time;
use crate::core::notice::{Kind, Notice};
use crate::shell::linux::{boot_time, disk_bytes};

use super::copied;
use super::reserve::DiskReserve;
use super::retention::Retention;

/// How often the disk is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// It is also looked at whenever the journal has grown by this part of what it leaves free.
const LOOKS: u64 = 64;

/// The disk of a journal, as last seen.
#[derive(Debug)]
pub(super) struct DiskWatch {
    folder: PathBuf,
    /// The path of the database.
    path: PathBuf,
    retention: Retention,
    reserve: DiskReserve,
    /// When the disk is looked at next; `None` until the retention is known.
    look_at: Option<Time>,
    /// The bytes that were written since it was looked at.
    unlooked: u64,
    room: DiskRoom,
    /// Whether the database was deleted, moved or replaced.
    moved: bool,
}

/// The room on the journal's disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DiskRoom {
    Enough,
    /// Less is free than the journal should leave.
    Short,
}

impl DiskRoom {
    /// Looks at the disk again. Room that was short is enough when a quarter more is free, so that it does not change all the
    /// time. There is enough room if the system does not say.
    fn look(self, folder: &Path, retention: Retention) -> DiskRoom {
        let least = match self {
            DiskRoom::Enough => retention.free,
            DiskRoom::Short => retention.free.saturating_add(retention.free / 4),
        };
        if disk_bytes(folder).is_some_and(|(free, _)| free < least) { DiskRoom::Short } else { DiskRoom::Enough }
    }

    /// What is reported when the room becomes this.
    fn notice(self, folder: &Path, retention: Retention) -> Notice {
        let (folder, free) = (folder.display(), retention.free >> 20);
        match self {
            DiskRoom::Short => Notice::new(
                Kind::JournalDisk,
                format!(
                    "the disk of {folder} has less than {free} MiB free: the oldest records of the journal are removed. When the disk is \
                     full and the journal has used its reserve, the controller ends. Make room there, or set a smaller \
                     `journal: {{ size: ... }}`"
                ),
            ),
            DiskRoom::Enough => Notice::new(Kind::JournalDiskGood, format!("the disk of {folder} has {free} MiB free again")),
        }
    }
}

impl DiskWatch {
    /// The watch of a journal that is about to be opened. It takes the reserve if the disk has too little room for a start.
    pub(super) fn start(folder: &Path, path: &Path) -> DiskWatch {
        let retention = Retention::default();
        let reserve = DiskReserve::of(folder, retention.free);
        reserve.give_back_for_start();
        DiskWatch {
            folder: folder.to_owned(),
            path: path.to_owned(),
            retention,
            reserve,
            look_at: None,
            unlooked: 0,
            room: DiskRoom::Enough,
            moved: false,
        }
    }

    /// How long records are kept.
    pub(super) fn retention(&self) -> Retention {
        self.retention
    }

    /// Sets how long records are kept from now on, and takes the reserve of the disk.
    pub(super) fn keep(&mut self, retention: Retention) {
        self.retention = retention;
        self.reserve = DiskReserve::of(&self.folder, retention.free);
        self.reserve.take();
        self.look_at.get_or_insert(Time::MIN);
    }

    /// Takes note of a record with this many bytes.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.unlooked += bytes as u64;
    }

    /// Gives the reserve back to the disk, which is full. Returns false if there is none.
    pub(super) fn give_reserve_back(&mut self) -> bool {
        let given = self.reserve.give_back();
        if given {
            // Records are removed as soon as possible.
            self.look_at = Some(Time::MIN);
        }
        given
    }

    /// True if the journal has grown much since the disk was looked at. A flood fills a small disk between two looks.
    pub(super) fn has_grown(&self) -> bool {
        self.unlooked >= self.retention.free / LOOKS
    }

    /// Looks at the disk and at the database's file now and then, and reports when the room begins or ceases to be short. True if
    /// records must be removed now: it has just become short, or it is short and `can_remove`, because a new snapshot would let older
    /// records go. A small disk fills long before the next snapshot would be due.
    pub(super) fn needs_room(&mut self, can_remove: bool, findings: &mut Vec<Notice>) -> bool {
        let now = boot_time();
        if self.look_at.is_none_or(|at| now < at && !self.has_grown()) {
            return false;
        }
        (self.look_at, self.unlooked) = (Some(now + LOOK_EVERY), 0);
        findings.extend(self.look_at_place());
        let room = self.room.look(&self.folder, self.retention);
        let changed = std::mem::replace(&mut self.room, room) != room;
        if changed {
            findings.push(room.notice(&self.folder, self.retention));
        }
        match room {
            // The reserve may have been used although the room was never seen to be short.
            DiskRoom::Enough => {
                self.reserve.take();
                false
            }
            DiskRoom::Short => changed || can_remove,
        }
    }

    /// True if less is free than the journal should leave.
    pub(super) fn is_short(&self) -> bool {
        self.room == DiskRoom::Short
    }

    /// Reports when the database is not in its place any more, and when it is there again.
    fn look_at_place(&mut self) -> Option<Notice> {
        let moved = copied::is_moved(&self.path);
        if std::mem::replace(&mut self.moved, moved) == moved {
            return None;
        }
        let path = self.path.display();
        Some(match moved {
            true => Notice::new(
                Kind::JournalMoved,
                format!(
                    "{path} was deleted, moved or replaced while it is written. The controller goes on, but a restart would not find \
                     what it writes now. Put the file back if it was moved. Otherwise restart the controller at a quiet time, and \
                     continue with `pointsman journal accept-loss`"
                ),
            ),
            false => Notice::new(Kind::JournalInPlace, format!("{path} is in its place again")),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A controller whose database is taken away notices that, and that it is back.
    #[test]
    fn a_database_that_was_moved_is_reported() {
        let folder = std::env::temp_dir().join(format!("pointsman-disk-watch-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let (here, there) = (folder.join("journal.db"), folder.join("elsewhere"));
        fs::write(&here, "a database").unwrap();
        copied::remember(&here).unwrap();
        let mut watch = DiskWatch::start(&folder, &here);
        let mut reported = || watch.look_at_place().map(|notice| notice.kind);
        assert_eq!(reported(), None);
        fs::rename(&here, &there).unwrap();
        assert_eq!((reported(), reported()), (Some(Kind::JournalMoved), None));
        fs::copy(&there, &here).unwrap();
        assert_eq!(reported(), None, "a copy is another file");
        fs::rename(&there, &here).unwrap();
        assert_eq!(reported(), Some(Kind::JournalInPlace));
        fs::remove_dir_all(&folder).unwrap();
    }
}
