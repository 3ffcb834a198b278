//! Tests of the lanes.

use crate::core::base::limits::UNVERIFIED_A_SECOND;

use super::rate::{BURST, EVERY};
use super::*;

const MOST: usize = 64 * 1024 * 1024;

fn event(trust: Trust, sender: &str, bytes: usize) -> LanePlace {
    LanePlace::Events { trust, sender: sender.to_owned(), bytes, source: "s".to_owned() }
}

/// An unverified flood fills its part. Events with more trust have room and come first.
#[test]
fn a_flood_leaves_room_and_waits_its_turn() {
    let lanes: Lanes<String> = Lanes::new(MOST);
    let now = Time::from_millis(0);
    let mut dropped = 0u64;
    for n in 0..200_000_usize {
        if lanes.offer(event(Trust::Unverified, &format!("forged{}", n % 7), 100), "forged".to_owned()) != Pushed::Yes {
            dropped += 1;
        }
    }
    let dropped_by_source = lanes.take_dropped();
    assert_eq!(dropped_by_source["s"].count, dropped);
    assert!(dropped_by_source["s"].worst().is_some_and(|(sender, n)| sender.starts_with("forged") && n >= dropped / 7));
    assert!(dropped > 150_000 && lanes.take_dropped().is_empty());
    for n in 0..100 {
        assert_eq!(lanes.offer(event(Trust::Address, "sip1", 100), format!("sip1 {n}")), Pushed::Yes);
    }
    assert!(
        lanes.push(LanePlace::Claims { source: "s".to_owned(), bytes: 100 }, "claim".to_owned())
            && lanes.push(LanePlace::Reports { bytes: 100 }, "report".to_owned())
    );
    assert!(lanes.push(LanePlace::Control, "result".to_owned()));
    lanes.begin_batch();
    let first: Vec<String> = (0..3).filter_map(|_| lanes.next(Duration::ZERO, now)).collect();
    assert_eq!(first, ["result", "report", "claim"]);
    let next: Vec<String> = (0..125).filter_map(|_| lanes.next(Duration::ZERO, now)).collect();
    assert_eq!(next.iter().filter(|m| m.starts_with("sip1")).count(), 100, "four of the better for one of the other");
    let own: Vec<&String> = next.iter().filter(|m| m.starts_with("sip1")).collect();
    assert!(own.iter().enumerate().all(|(n, m)| **m == format!("sip1 {n}")), "in their order");
}

/// A task that is ended while it waits for room does not count as waiting any more.
#[tokio::test]
async fn a_sender_that_gives_up_does_not_wait() {
    let lanes: Lanes<u32> = Lanes::new(MOST);
    while lanes.offer(event(Trust::Local, "sip1", 100_000), 1) == Pushed::Yes {}
    let delivery = lanes.deliver(event(Trust::Local, "sip1", 100_000), 2);
    tokio::select! {
        biased;
        _ = delivery => panic!("there is no room"),
        () = async { assert_eq!(lanes.lock().waiting, 1) } => {}
    }
    assert_eq!(lanes.lock().waiting, 0);
}

/// Unverified events are taken at a steady rate, and never many at once. This does not delay events with more trust.
#[test]
fn unverified_events_are_taken_at_a_steady_rate() {
    let lanes: Lanes<u32> = Lanes::new(MOST);
    for n in 0..10_000 {
        lanes.offer(event(Trust::Unverified, "flood", 100), n);
    }
    let take = |now| (0..10_000).map_while(|_| lanes.next(Duration::ZERO, now)).count();
    let burst = usize::try_from(BURST / EVERY).unwrap() + 1;
    assert_eq!(take(Time::from_millis(0)), burst);
    let second: usize = (1..=1_000).map(|ms| take(Time::from_millis(ms))).sum();
    assert!(second.abs_diff(UNVERIFIED_A_SECOND) <= burst, "{second}");
    lanes.offer(event(Trust::Address, "sip1", 100), 7);
    lanes.push(LanePlace::Reports { bytes: 100 }, 8);
    lanes.begin_batch();
    let after: Vec<u32> = (0..9).map_while(|_| lanes.next(Duration::ZERO, Time::from_millis(1_000))).collect();
    assert_eq!(after, [8, 7]);
    // A clock that was set back does not block events.
    assert!(take(Time::from_millis(-3_600_000)) > 0);
}

/// Flooding unverified senders fill the room, and events of a quiet sender still arrive soon.
#[test]
fn events_of_a_quiet_unverified_sender_arrive_beside_floods() {
    for floods in [1, 3, 20, 200] {
        let lanes: Lanes<Option<usize>> = Lanes::new(MOST);
        for n in 0..100_000 {
            lanes.offer(event(Trust::Unverified, &format!("flood{}", n % floods), 1_000), Some(n));
        }
        assert_eq!(lanes.offer(event(Trust::Unverified, "quiet", 1_000), None), Pushed::Yes, "{floods} floods");
        let mut before = 0;
        for ms in 0.. {
            let taken: Vec<_> = (0..100).map_while(|_| lanes.next(Duration::ZERO, Time::from_millis(ms))).collect();
            before += taken.len();
            if taken.contains(&None) {
                break;
            }
        }
        assert!(before <= floods + 1 + usize::try_from(BURST / EVERY).unwrap(), "{floods} floods: after {before} others");
    }
}

/// A loud and a quiet sender of one trust level are served in turn, and the quiet one always has room.
#[test]
fn a_quiet_sender_has_room_beside_a_loud_one() {
    let lanes: Lanes<u32> = Lanes::new(MOST);
    let now = Time::from_millis(0);
    let mut sent = 0;
    while lanes.offer(event(Trust::Address, &format!("loud{}", sent % 40), 64 * 1024), 0) == Pushed::Yes {
        sent += 1;
    }
    assert!(sent > 100 && sent * 64 * 1024 <= MOST + 40 * ALWAYS * 64 * 1024, "{sent}");
    assert_eq!(lanes.offer(event(Trust::Address, "quiet", 64 * 1024), 1), Pushed::Yes);
    let taken: Vec<u32> = (0..=41).filter_map(|_| lanes.next(Duration::ZERO, now)).collect();
    assert!(taken.contains(&1), "after one of each at most");
}

/// Claims and reports count bytes, so that large ones do not fill the memory, and one always has room.
#[test]
fn large_claims_and_reports_are_bounded() {
    let lanes: Lanes<u32> = Lanes::new(MOST);
    let claim = |bytes| LanePlace::Claims { source: "s".to_owned(), bytes };
    let sent = (0..10_000).take_while(|n| lanes.offer(claim(64 * 1024), *n) == Pushed::Yes).count();
    assert_eq!(sent, MOST / LANE_SHARE / (64 * 1024));
    assert_eq!(lanes.take_dropped()["s"].count, 1);
    assert_eq!(lanes.offer(LanePlace::Reports { bytes: 2 * MOST }, 7), Pushed::Yes, "claims take no room of reports");
    assert_eq!(lanes.offer(LanePlace::Reports { bytes: 1 }, 8), Pushed::Dropped);
    assert_eq!(lanes.next(Duration::ZERO, Time::from_millis(0)), Some(7));
    assert_eq!(lanes.offer(LanePlace::Reports { bytes: 1 }, 8), Pushed::Yes);
}

/// An event that would be dropped is refused before it is decoded, and counted. A sender that has room is not refused.
#[test]
fn a_sender_without_room_is_refused() {
    let lanes: Lanes<u32> = Lanes::new(MOST);
    assert!(!lanes.refuses("s", "flood".to_owned(), 100));
    let sent = (0..100_000).take_while(|n| lanes.offer(event(Trust::Unverified, "flood", 100), *n) == Pushed::Yes).count();
    assert!(sent > 1_000);
    assert!(lanes.refuses("s", "flood".to_owned(), 100) && !lanes.refuses("s", "quiet".to_owned(), 100));
    assert_eq!(lanes.take_dropped()["s"].count, 2);
    lanes.end();
    assert!(!lanes.refuses("s", "flood".to_owned(), 100), "the sender learns of the end when it sends");
}

/// Few events are taken as they arrived, whatever their trust.
#[test]
fn few_events_are_taken_in_the_order_of_their_arrival() {
    let lanes: Lanes<usize> = Lanes::new(MOST);
    let by_turns = Trust::ALL;
    for n in 0..CALM {
        lanes.offer(event(by_turns[n % 4], "sip1", 100), n);
    }
    let taken: Vec<usize> = (0..CALM).map_while(|_| lanes.next(Duration::ZERO, Time::from_millis(0))).collect();
    assert_eq!(taken, (0..CALM).collect::<Vec<usize>>());
    for n in 0..=CALM {
        lanes.offer(event(by_turns[usize::from(n == CALM)], "sip1", 100), n);
    }
    assert_eq!(lanes.next(Duration::ZERO, Time::from_millis(1_000)), Some(CALM), "more trust comes first if many wait");
}

/// A sender that waits for room continues when there is room or when the reader ends.
#[test]
fn senders_wait_for_room_and_for_the_end() {
    let lanes: std::sync::Arc<Lanes<usize>> = std::sync::Arc::new(Lanes::new(MOST));
    let sender = lanes.clone();
    let thread = std::thread::spawn(move || {
        let place = || event(Trust::Local, "file", 64 * 1024);
        (0..).take_while(|n| sender.push(place(), *n)).count()
    });
    // The messages are read one by one and in order until the end.
    for n in 0..5_000 {
        let mut next = None;
        while next.is_none() {
            lanes.begin_batch();
            next = lanes.next(Duration::from_secs(10), Time::from_millis(0));
        }
        assert_eq!(next, Some(n));
    }
    lanes.end();
    assert!(thread.join().unwrap() >= 5_000);
    assert_eq!(lanes.offer(LanePlace::Control, 0), Pushed::Ended);
}
