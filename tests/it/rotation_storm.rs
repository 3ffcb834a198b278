//! Logs that are rotated and compressed again and again while they are followed: every record is read exactly once, in order.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::thread;

use crate::sources::{again, append, claim, followed, numbers};
use crate::support::{Folder, gzip as compressed};

/// Compresses a file in place, as `gzip` does: the compressed file exists beside the other one until it is complete.
fn gzip(path: &Path, keeps_time: bool) {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    let packed = PathBuf::from(format!("{}.gz", path.display()));
    let mut file = File::create(packed).unwrap();
    file.write_all(&compressed(fs::read(path).unwrap())).unwrap();
    if keeps_time {
        file.set_modified(modified).unwrap();
    }
    fs::remove_file(path).unwrap();
}

fn numbered(path: &Path, n: u32, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}.{n}{ending}", path.display()))
}

/// Renames the compressed files and the log, as logrotate does, and compresses what was the log.
fn rotate_and_pack(path: &Path, rotations: u32, keeps_time: bool) {
    for n in (1..=rotations).rev() {
        let _ = fs::rename(numbered(path, n, ".gz"), numbered(path, n + 1, ".gz"));
    }
    fs::rename(path, numbered(path, 1, "")).unwrap();
    gzip(&numbered(path, 1, ""), keeps_time);
}

/// The records of a storm: each file has from none to three of them.
fn write(path: &Path, rotation: u32, last: &mut u32) {
    append(path, "");
    for _ in 0..rotation % 4 {
        *last += 1;
        append(path, &claim(*last));
    }
}

#[test]
fn a_storm_of_rotations_with_compression_in_place_loses_nothing() {
    for keeps_time in [true, false] {
        let folder = Folder::new();
        let (path, follower) = followed(&folder, 0);
        let storm = thread::spawn({
            let path = path.clone();
            move || {
                let mut last = 0;
                for rotation in 0..120 {
                    write(&path, rotation, &mut last);
                    rotate_and_pack(&path, rotation, keeps_time);
                }
                last += 1;
                append(&path, &claim(last));
                last
            }
        });
        let last = storm.join().unwrap();
        follower.ended_with(1, last);
    }
}

/// The same with names that do not change, where another program compresses later and in any sequence.
#[test]
fn a_storm_of_dated_files_that_are_compressed_later_loses_nothing() {
    let folder = Folder::new();
    let (path, follower) = followed(&folder, 0);
    let (mut last, mut packers) = (0, Vec::new());
    for rotation in 0..200_u32 {
        write(&path, rotation, &mut last);
        let dated = folder.join(&format!("sip.log-20261129-{:06}", 100_000 + rotation));
        fs::rename(&path, &dated).unwrap();
        packers.push(thread::spawn(move || gzip(&dated, rotation % 2 == 0)));
    }
    last += 1;
    append(&path, &claim(last));
    packers.into_iter().for_each(|packer| packer.join().unwrap());
    follower.ended_with(1, last);
}

/// A program that opened a file before it was rotated writes to it later, although the follower never saw that file as the log.
#[test]
fn what_is_written_late_to_a_file_that_was_rotated_unseen_is_read() {
    let folder = Folder::new();
    let (path, follower) = followed(&folder, 0);
    let places = follower.stop();
    fs::rename(&path, numbered(&path, 2, "")).unwrap();
    append(&path, &claim(1));
    let mut late = File::options().append(true).open(&path).unwrap();
    fs::rename(&path, numbered(&path, 1, "")).unwrap();
    append(&path, &claim(2));
    let mut follower = again(&path, places);
    assert_eq!(follower.texts(2), numbers(1, 2));
    late.write_all(claim(3).as_bytes()).unwrap();
    follower.ended_with(3, 3);
}

/// More files than are opened together, renamed while they are read.
#[test]
fn many_rotations_while_stopped_and_more_while_they_are_read() {
    let folder = Folder::new();
    let (path, follower) = followed(&folder, 0);
    let places = follower.stop();
    let mut last = 0;
    let mut rotate = |rotations: u32| {
        for rotation in 0..rotations {
            write(&path, 1 + rotation % 3, &mut last);
            for n in (1..=rotations + 200).rev() {
                let _ = fs::rename(numbered(&path, n, ""), numbered(&path, n + 1, ""));
            }
            fs::rename(&path, numbered(&path, 1, "")).unwrap();
        }
        last += 1;
        append(&path, &claim(last));
        last
    };
    rotate(150);
    let follower = again(&path, places);
    let last = rotate(50);
    follower.ended_with(1, last);
}

#[test]
fn a_compressed_file_that_is_still_being_written_is_waited_for() {
    let folder = Folder::new();
    let (path, follower) = followed(&folder, 0);
    let places = follower.stop();
    append(&path, &claim(1));
    fs::rename(&path, numbered(&path, 2, "")).unwrap();
    let packed = compressed((2..=200).map(claim).collect::<String>());
    let (first, second) = packed.split_at(packed.len() / 2);
    let file = numbered(&path, 1, ".gz");
    fs::write(&file, first).unwrap();
    append(&path, &claim(201));
    let mut follower = again(&path, places);
    assert_eq!(follower.texts(1), numbers(1, 1));
    File::options().append(true).open(&file).unwrap().write_all(second).unwrap();
    follower.ended_with(2, 201);
}

/// More files that cannot be read than are opened together: each is reported once, and the log is read on.
#[test]
fn many_files_that_cannot_be_read_do_not_hold_up_the_log() {
    let folder = Folder::new();
    let (path, follower) = followed(&folder, 0);
    let places = follower.stop();
    fs::rename(&path, numbered(&path, 71, "")).unwrap();
    // There is no reader for this kind of compression.
    (1..=70).for_each(|n| fs::write(numbered(&path, n, ".bz2"), format!("BZh9 {n}")).unwrap());
    append(&path, &claim(1));
    let mut follower = again(&path, places);
    assert_eq!(follower.texts(1), numbers(1, 1));
    assert_eq!(follower.gaps.len(), 70, "{:?}", follower.gaps);
    follower.stop();
}

/// If what was read is gone and newer rotated files are there, it is unknown what was between them.
#[test]
fn a_file_that_was_rotated_out_of_sight_is_reported() {
    let folder = Folder::new();
    let (path, mut follower) = followed(&folder, 0);
    append(&path, &claim(1));
    assert_eq!(follower.texts(1), numbers(1, 1));
    // The new files are complete before the path refers to one of them.
    let (rotated, new) = (folder.join("next.1"), folder.join("next"));
    append(&rotated, &claim(3));
    append(&new, &claim(4));
    fs::rename(&rotated, numbered(&path, 1, "")).unwrap();
    fs::rename(&new, &path).unwrap();
    assert_eq!(follower.texts(2), numbers(3, 4));
    let [told] = &follower.gaps[..] else { panic!("{:?}", follower.gaps) };
    assert!(told.contains("may be lost"), "{told}");
    follower.stop();
}
