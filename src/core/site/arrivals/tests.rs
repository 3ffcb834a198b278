//! Tests of the judgement about lateness.

use super::*;

/// A source, its time, and one sender of it.
struct TestSender {
    arrivals: Arrivals,
    now_ms: i64,
    trust: Trust,
}

impl TestSender {
    fn of(stamps: Stamps) -> TestSender {
        TestSender { arrivals: Arrivals::of(stamps), now_ms: 1_000_000_000_000, trust: Trust::Address }
    }

    /// Takes a record with this age, `after_ms` after the one before. Returns whether it is late, and how old its stamp is
    /// after the move to its zone.
    fn hear(&mut self, after_ms: i64, age_ms: i64) -> (bool, i64) {
        self.now_ms += after_ms;
        let now = Time::from_millis(self.now_ms);
        let at = Some(Time::from_millis(self.now_ms - age_ms));
        let mut event = Event { at, host: "h".into(), trust: self.trust, ..Event::default() };
        let late = self.arrivals.judge(&mut event, now, false, true);
        (late.is_some(), now.offset_from(event.at.unwrap()) / 1_000)
    }

    fn is_late(&mut self, after_ms: i64, age_ms: i64) -> bool {
        self.hear(after_ms, age_ms).0
    }
}

#[test]
fn a_slow_clock_is_not_lateness_and_a_steady_one_is_learned() {
    for slow in [0, 2_500, 3_000, 59_000] {
        let mut sender = TestSender::of(Stamps::Stated);
        assert!(!sender.is_late(0, slow), "the first record of a sender");
        for _ in 0..6 {
            assert!(!sender.is_late(3_000, slow));
        }
        assert!(sender.is_late(3_000, slow + 2_100), "beyond what is usual");
        assert!(!sender.is_late(3_000, slow - 50_000));
        let learned = sender.arrivals.learned();
        let host = "h".to_owned();
        assert_eq!(learned, [Learned { host, trust: Trust::Address, usual: slow * 1_000, zone: 0 }]);
        // After a restart the age is known, for the same trust.
        let mut again = TestSender::of(Stamps::Stated);
        again.arrivals.recall(learned.into_iter().map(|l| (l.trust, l.host, l.usual)));
        assert!(again.is_late(0, slow + 2_100) && !again.is_late(10, slow + 1_900));
        again.trust = Trust::Local;
        assert!(!again.is_late(3_000, slow.min(0) + 50_000));
    }
    let mut sender = TestSender::of(Stamps::Stated);
    assert!(sender.is_late(0, 61_000), "a minute is the most that counts as new before anything is known");
}

#[test]
fn a_burst_of_one_delay_proves_nothing_and_a_steady_hour_does() {
    let mut sender = TestSender::of(Stamps::Stated);
    assert!((0..50).all(|_| sender.is_late(100, 3_600_000)));
    assert!(sender.is_late(10_000, 3_600_000));
    for _ in 0..3 {
        sender.hear(10_000, 3_600_000);
    }
    assert!(!sender.is_late(10_000, 3_600_000) && sender.is_late(10_000, 3_603_000));
}

/// An hour, a second summer time, or what NTP corrects after a pause of the machine.
#[test]
fn a_clock_of_this_machine_that_is_set_makes_no_new_record_late() {
    for by_ms in [3_600_000, -3_600_000, 5_000, -5_000, -1_000_000_000_000] {
        // The sender has a clock of its own, or this machine's.
        for age_after in [100 + by_ms, 100] {
            for known in [true, false] {
                let mut heard = TestSender::of(Stamps::Stated);
                for _ in 0..if known { 6 } else { 1 } {
                    assert!(!heard.is_late(3_000, 100));
                }
                heard.arrivals.clock_changed(by_ms * 1_000);
                heard.now_ms += by_ms;
                assert!(!heard.is_late(3_000, age_after), "{by_ms} {age_after}");
                assert!(heard.is_late(3_000, age_after + if known { 2_500 } else { 61_000 }), "{by_ms} {age_after}");
            }
        }
    }
}

#[test]
fn ages_that_scatter_are_allowed_a_minute() {
    let mut sender = TestSender::of(Stamps::Stated);
    for i in 0..20 {
        assert!(!sender.is_late(10_000, if i % 2 == 0 { 20_000 } else { 0 }), "{i}");
    }
    assert!(sender.is_late(10_000, 61_000));
}

#[test]
fn the_zone_of_a_sender_is_the_one_that_brings_it_nearest_to_its_arrival() {
    for zone_minutes in [-300, 0, 345, 600, -210] {
        let west = -zone_minutes * 60_000;
        let mut sender = TestSender::of(Stamps::Nearest);
        assert_eq!(sender.hear(0, west + 700), (false, 700), "{zone_minutes}");
        for _ in 0..6 {
            assert_eq!(sender.hear(3_000, west - 300), (false, -300));
        }
        // The record is an hour old, and not in the next zone.
        assert_eq!(sender.hear(3_000, west + 3_600_000), (true, 3_600_000));
        let zone = sender.arrivals.learned().pop().unwrap().zone;
        assert_eq!(zone, west * 1_000);
    }
    // The stamp of a file stays as it was read.
    assert_eq!(TestSender::of(Stamps::Assumed).hear(0, 18_000_500), (false, 18_000_500));
    assert!(TestSender::of(Stamps::Assumed).is_late(0, 18_000_000 + 120_000));
    assert!(TestSender::of(Stamps::Stated).is_late(0, 18_000_000));
}

#[test]
fn the_first_record_of_a_sender_is_new_only_if_it_fits_a_zone() {
    let hour = 3_600_000;
    let is_new = |stamps, age_ms| !TestSender::of(stamps).is_late(0, age_ms);
    for stamps in [Stamps::Nearest, Stamps::Assumed] {
        // A claim out of a queue, hours old, is rarely a minute from a zone.
        for minutes in [5, 10, 122, 130, 178, 190, 307, 365, 552] {
            assert!(!is_new(stamps, minutes * 60_000), "{stamps:?} {minutes}");
        }
        for minutes in [0, -60, 300, -330, 60, -840] {
            for clock in [-59_000, 0, 59_000] {
                assert!(is_new(stamps, minutes * 60_000 + clock), "{stamps:?} {minutes} {clock}");
            }
        }
        assert!(is_new(stamps, -300_000), "a clock that is ahead is no other zone");
    }
    assert!(
        !is_new(Stamps::Nearest, 5 * hour / 4) && !is_new(Stamps::Nearest, 13 * hour) && is_new(Stamps::Assumed, 5 * hour / 4)
    );
    let new = (0..26 * 60).filter(|minute| is_new(Stamps::Nearest, (minute - 2) * 60_000)).count();
    assert!(new < 100, "{new} minutes of a day");
}

#[test]
fn a_zone_that_was_taken_from_an_old_record_is_given_up_for_a_nearer_one() {
    let mut sender = TestSender::of(Stamps::Nearest);
    assert_eq!(sender.hear(0, 3_600_000), (false, 0), "nobody can know");
    assert_eq!(sender.hear(5_000, 200), (false, 200));
    assert_eq!(sender.hear(5_000, 3_600_000), (true, 3_600_000));
}

#[test]
fn a_queue_that_is_emptied_is_late_whatever_the_clocks_say() {
    for (stamps, ahead) in [(Stamps::Stated, 0), (Stamps::Stated, 7_200_000), (Stamps::Nearest, 18_000_000), (Stamps::Nearest, 0)]
    {
        let mut sender = TestSender::of(stamps);
        // 50 s of records arrive within half a second.
        let late: Vec<bool> = (0..50).map(|n| sender.is_late(10, 50_000 - n * 1_000 - ahead)).collect();
        assert!(late[4..].iter().all(|late| *late), "{late:?}");
        // After that, records are new.
        assert!(!sender.is_late(1_500, -ahead), "{stamps:?} {ahead}");
        assert!(!sender.is_late(10, -ahead));
    }
    // The first record that is ever sender of a sender looks new; the second shows that it is a queue.
    let mut sender = TestSender::of(Stamps::Stated);
    assert_eq!([50_000, 40_000, 20_000, 0].map(|age| sender.is_late(10, age)), [false, true, true, true]);
    // A burst of a slow clock is no queue, and a sender that paused may well be out of order.
    let mut sender = TestSender::of(Stamps::Stated);
    assert_eq!([50_000, 49_500, 50_300, 48_900].map(|age| sender.is_late(10, age)), [false; 4]);
    assert_eq!([(1_500, 50_000), (10, 46_000), (10, 50_000)].map(|(after, age)| sender.is_late(after, age)), [false; 3]);
    // The same with hours of records.
    let mut sender = TestSender::of(Stamps::Nearest);
    let late = (0..1_000).filter(|n| sender.is_late(1, 36_000_000 - n * 36_000)).count();
    assert!(late >= 996, "{late}");
}

#[test]
fn what_a_sender_wrote_while_it_was_cut_off_is_late_from_its_first_record_on() {
    for (stamps, slow) in
        [(Stamps::Stated, 0), (Stamps::Stated, 3_000), (Stamps::Nearest, 18_000_000), (Stamps::Assumed, -7_200_000)]
    {
        let mut sender = TestSender::of(stamps);
        assert!((0..3).all(|_| !sender.is_late(2_000, slow)));
        let mut gap = 31_000;
        assert!((0..30).all(|n| sender.is_late(std::mem::replace(&mut gap, 10), slow + 30_000 - n * 1_000)), "{stamps:?} {slow}");
        assert!(!sender.is_late(1_500, slow) && !sender.is_late(10, slow));
        // A clock that is set back by some seconds is no queue.
        assert!(!sender.is_late(60_000, slow + 9_000));
    }
}

#[test]
fn a_busy_sender_with_some_delay_is_no_queue() {
    let mut sender = TestSender::of(Stamps::Stated);
    for n in 0..10_000_i64 {
        let age = [0, 3, 120, 1_500, 40, 4][usize::try_from(n % 6).unwrap()];
        assert!(!sender.is_late(7, age), "{n}");
    }
    // The queue is recognised by its ages, and its end at once.
    assert!(sender.is_late(10, 30_000) && sender.is_late(10, 20_000) && !sender.is_late(10, 100));
}

#[test]
fn names_that_records_invent_are_bounded_and_push_nobody_out_who_is_trusted_more() {
    let arrivals = Arrivals::of(Stamps::Stated);
    arrivals.recall([(Trust::Address, "h".to_owned(), 5_000_000)]);
    for n in 0..3 * OFFSETS {
        let now = Time::from_millis(1_000_000 + i64::try_from(n).unwrap());
        let mut event = Event { at: Some(now), host: format!("h{n}").into(), ..Event::default() };
        arrivals.judge(&mut event, now, true, false);
    }
    let senders = arrivals.senders();
    assert!(senders.count <= OFFSETS && senders.known.len() == senders.count);
    assert!(senders.known["h"][Trust::Address as usize].is_some() && senders.learned.is_empty());
}
