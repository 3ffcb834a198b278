//! Tests of which channel is notified of what, in virtual time.

use std::time::Duration;

use crate::core::config;
use crate::core::diag::{Source, has_errors, render};
use crate::core::engine::{self, Cause, Fields, Key};
use crate::core::event::Value;
use crate::core::lang::{Declarations, compile};

use super::*;

const RULES: &str = "
calendar night { every day from 22:00 to 06:00 }
alarm sip_down { category critical detect event 1 by host cancel when event 2 help \"call ann\" }
alarm disk_full { category minor detect event 3 by host cancel when event 4 }
alarm moved { detect event 5 cancel at once }
alarm by_night { detect event 6 only during night cancel by hand }
";

fn at(seconds: u64) -> Time {
    // A day at noon.
    Time::parse_rfc3339("2026-11-29T12:00:00Z").unwrap() + Duration::from_secs(seconds)
}

struct Bench {
    notifier: Notifier,
    out: Vec<Output>,
    records: Vec<Record>,
    /// The deliveries so far, each with its time.
    sent: Vec<(Time, Delivery)>,
    notices: Vec<Kind>,
    /// The text of the last notice.
    notice: String,
    /// Whether channels accept notifications.
    works: bool,
    refuses: bool,
    /// The alarms that are silenced.
    silenced: Vec<&'static str>,
    /// The recipients who are reported as reached by a failed attempt.
    reaches: Vec<String>,
}

fn site(config: &str) -> (Arc<Program>, Arc<Inventory>) {
    let source = |name: &str, text: &str| Arc::new(Source { name: name.to_owned(), text: text.to_owned() });
    let (config, found) = config::load(&source("c", config));
    assert!(!has_errors(&found), "{}", render::human(&found, false));
    let inventory = Arc::new(config.unwrap().inventory);
    let (program, found) = compile(&[source("r", RULES)], &Declarations { inventory: Some(&inventory), scripts: None });
    assert!(!has_errors(&found), "{}", render::human(&found, false));
    (Arc::new(program), inventory)
}

impl Bench {
    fn new(config: &str) -> Bench {
        let (program, inventory) = site(config);
        let notifier = Notifier::start(0xabc, program, inventory, State::default());
        let (out, records, sent, notices) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Bench {
            notifier,
            out,
            records,
            sent,
            notices,
            notice: String::new(),
            works: true,
            refuses: false,
            silenced: Vec::new(),
            reaches: Vec::new(),
        }
    }

    /// Carries out what the notifier wants, and what is due up to a time.
    fn run(&mut self, until: Time) {
        loop {
            let due = self.notifier.next_deadline().filter(|due| *due <= until);
            self.carry_out(due.unwrap_or(until));
            let Some(due) = self.notifier.next_deadline().filter(|due| *due <= until) else { return };
            self.fall_due(due);
            self.carry_out(due);
        }
    }

    fn fall_due(&mut self, now: Time) {
        let silenced = &self.silenced;
        self.notifier.fall_due(now, &|facts| silenced.contains(&facts.alarm.as_str()), &mut self.out);
    }

    fn carry_out(&mut self, now: Time) {
        while !self.out.is_empty() {
            for output in std::mem::take(&mut self.out) {
                match output {
                    Output::Record(record) => self.records.push(record),
                    Output::Notice { kind, text } => {
                        self.notices.push(kind);
                        self.notice = text;
                    }
                    Output::Deliver(delivery) => {
                        let (channel, id) = (delivery.notification.channel.clone(), delivery.notification.id);
                        let attempt = (id, delivery.attempt);
                        self.sent.push((now, *delivery));
                        let failed = Undelivered { why: "away".to_owned(), refused: self.refuses, reached: self.reaches.clone() };
                        let result = if self.works { Ok(()) } else { Err(failed) };
                        self.notifier.delivered(now, &channel, attempt, result, &mut self.out);
                    }
                }
            }
        }
        let mut folded = State::default();
        self.records.iter().for_each(|record| folded.apply(record));
        assert_eq!(&folded, self.notifier.state(), "the state is the fold of the records");
    }

    fn raise(&mut self, now: Time, alarm: &str, host: &str) {
        self.run(now);
        let event: Fields = [("host", host), ("text", "it said \"x\"\r\ny"), ("trust", "local")]
            .map(|(name, value)| (name.to_owned(), Value::from(value).into_owned()))
            .into();
        let record = engine::Record::Raised {
            alarm: alarm.to_owned(),
            key: Key::of([host]),
            category: None,
            sequence: 1,
            at: now,
            due: None,
            event: Arc::new(event),
            summary: format!("{alarm} on {host}"),
            line: None,
            idle: None,
            before: Vec::new(),
        };
        self.notifier.observed(now, &record, &mut self.out);
        self.fall_due(now);
        self.carry_out(now);
    }

    /// Raises an alarm for many keys, 100 µs apart.
    fn raise_many(&mut self, from: Time, count: u64) {
        let event: Arc<Fields> = Arc::new([("host".to_owned(), Value::from("h"))].into());
        for n in 0..count {
            let now = from + Duration::from_micros(n * 100);
            let record = engine::Record::Raised {
                alarm: "sip_down".to_owned(),
                key: Key::of([n.to_string()]),
                category: None,
                sequence: n,
                at: now,
                due: None,
                event: event.clone(),
                summary: "x".to_owned(),
                line: None,
                idle: None,
                before: Vec::new(),
            };
            self.notifier.observed(now, &record, &mut self.out);
        }
    }

    fn clear(&mut self, now: Time, alarm: &str, host: &str) {
        self.run(now);
        let (alarm, key) = (alarm.to_owned(), Key::of([host]));
        let record = engine::Record::Cleared { alarm, key, at: now, cause: Cause::When, summary: None };
        self.notifier.observed(now, &record, &mut self.out);
        self.fall_due(now);
        self.carry_out(now);
    }

    fn ack(&mut self, now: Time, alarm: &str, host: &str) {
        self.run(now);
        let record = engine::Record::Acked {
            alarm: alarm.to_owned(),
            key: Key::of([host]),
            at: now,
            by: "ann".to_owned(),
            comment: None,
            until: None,
        };
        self.notifier.observed(now, &record, &mut self.out);
        self.carry_out(now);
    }

    /// The deliveries: seconds, channel, occasion, and the title.
    fn sent(&mut self) -> Vec<String> {
        let begin = at(0);
        let line = |(at, d): (Time, Delivery)| {
            let n = d.notification;
            format!("{} {} {}: {}", at.since(begin).as_secs(), n.channel, n.occasion.name(), n.title)
        };
        std::mem::take(&mut self.sent).into_iter().map(line).collect()
    }
}

const ROUTE: &str = "
channels: { noc: log, boss: syslog }
routes:
  grave: { to: noc, category: [critical, major], wait: 10s, interval: 5m, repeat: 30m, escalate: { after: 15m, to: boss } }
  disks: { to: boss, alarm: 'disk*', where: { host: 'a*' }, by: [alarm, host], wait: 0s, interval: 0s, cleared: false }
";

#[test]
fn alarms_that_come_together_are_one_notification_repeated_until_somebody_acknowledges() {
    let mut b = Bench::new(ROUTE);
    b.raise(at(0), "sip_down", "s1");
    b.raise(at(3), "sip_down", "s2");
    b.raise(at(4), "disk_full", "a1");
    b.raise(at(5), "disk_full", "b1");
    b.raise(at(60), "sip_down", "s3");
    b.run(at(400));
    assert_eq!(
        b.sent(),
        [
            "4 boss raised: [MINOR] disk_full [a1]: disk_full on a1",
            "10 noc raised: 2 alarms: [CRITICAL] sip_down [s1]: sip_down on s1",
            "310 noc raised: [CRITICAL] sip_down [s3]: sip_down on s3",
        ]
    );
    b.ack(at(500), "sip_down", "s1");
    b.ack(at(500), "sip_down", "s3");
    b.clear(at(510), "disk_full", "a1");
    // 15 minutes after s2 was raised nobody has acknowledged it. 30 minutes after the last notification there is a reminder.
    b.run(at(2_200));
    assert_eq!(
        b.sent(),
        [
            "903 boss escalated: not acknowledged: [CRITICAL] sip_down [s2]: sip_down on s2",
            "2110 noc reminder: still active: [CRITICAL] sip_down [s2]: sip_down on s2",
        ]
    );
    b.clear(at(2_300), "sip_down", "s2");
    b.clear(at(2_301), "sip_down", "s1");
    b.clear(at(2_302), "sip_down", "s3");
    b.run(at(9_000));
    // The channel of an escalation is also notified of the end.
    assert_eq!(
        b.sent(),
        [
            "2410 noc cleared: 3 alarms cleared: [CLEARED] sip_down [s1]: sip_down on s1",
            "2410 boss cleared: 3 alarms cleared: [CLEARED] sip_down [s1]: sip_down on s1",
        ]
    );
    assert!(b.notifier.state.open.is_empty() && b.notifier.state.groups.is_empty(), "{:?}", b.notifier.state);
}

#[test]
fn an_alarm_that_ends_before_its_notification_is_one_notification() {
    let mut b = Bench::new("channels: { noc: log }\nroutes: { all: { to: noc, wait: 10s } }\n");
    b.raise(at(0), "sip_down", "s1");
    b.clear(at(5), "sip_down", "s1");
    b.raise(at(6), "moved", "s1");
    b.run(at(60));
    assert_eq!(
        b.sent(),
        ["10 noc cleared: [CLEARED] sip_down [s1]: sip_down on s1", "16 noc raised: [MAJOR] moved [s1]: moved on s1"]
    );
    assert!(b.notifier.state.open.is_empty());
}

#[test]
fn calendars_choose_routes() {
    let mut b = Bench::new(
        "channels: { noc: log }\nroutes: { n: { to: noc, during: night, wait: 0s }, d: { to: noc, not_during: night, wait: 0s, alarm: moved } }\n",
    );
    b.raise(at(0), "sip_down", "s1");
    b.raise(at(1), "moved", "s1");
    b.raise(at(11 * 3_600), "sip_down", "s2");
    b.raise(at(11 * 3_600 + 1), "moved", "s2");
    let sent = b.sent();
    let first: Vec<&str> = sent.iter().map(|t| t.split(':').next().unwrap()).collect();
    assert_eq!(first, ["1 noc raised", "39600 noc raised", "39601 noc raised"], "{sent:?}");
    let (program, inventory) = site("channels: { noc: log }\nroutes: { n: { to: noc, during: nihgt, alarm: nobody } }\n");
    let unknown = unknown_names(&inventory, &program);
    assert!(unknown[0].contains("did you mean night?") && unknown[1].contains("`nobody`"), "{unknown:?}");
}

/// Ten thousand alarms in a second, of many kinds of keys, make a handful of notifications, and the counts include all of them.
#[test]
fn a_storm_is_a_handful_of_notifications() {
    let mut b = Bench::new("channels: { noc: log }\nroutes: { all: { to: noc, wait: 10s, interval: 5m } }\n");
    b.raise_many(at(0), 10_500);
    b.run(at(3_600));
    let all: u64 = b.sent.iter().map(|(_, d)| d.notification.alarms.len() as u64 + d.notification.more).sum();
    assert_eq!((all, b.sent.len()), (10_500, 1));
    assert!(b.sent()[0].starts_with("10 noc raised: 10500 alarms"));
}

#[test]
fn a_limit_ends_in_one_notification_with_the_count() {
    let limited = "channels: { noc: { command: [/bin/true], limit: 3 per 10m } }\nroutes: { all: { to: noc, by: [alarm, key], wait: 0s, interval: 0s } }\n";
    let mut b = Bench::new(limited);
    for n in 0..415 {
        b.raise(at(n), if n % 2 == 0 { "sip_down" } else { "disk_full" }, &format!("s{n}"));
    }
    b.run(at(3_600));
    let sent = b.sent();
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert_eq!(sent[2], "600 noc more: and 413 more notifications were withheld by the limit of the channel noc");
    assert_eq!(b.notices, [Kind::NotificationsHeld]);
    b.raise(at(4_000), "sip_down", "again");
    assert_eq!(b.sent().len(), 1);
}

/// A full outbox counts what it does not accept, and reports the count when there is room again.
#[test]
fn a_full_outbox_counts() {
    let mut b = Bench::new(
        "channels: { noc: { command: [/bin/true], limit: none } }\nroutes: { all: { to: noc, by: [key], wait: 0s, interval: 0s } }\n",
    );
    b.works = false;
    for n in 0..700 {
        b.fall_due(at(0));
        b.raise(at(0), "sip_down", &format!("s{n}"));
    }
    let full = b.notifier.channels()[0].clone();
    assert!(full.waiting < 500 && full.waiting as u64 + full.held == 700, "{full:?}");
    b.works = true;
    b.run(at(3_600));
    let sent = b.sent();
    assert_eq!(
        sent.last().unwrap().split(": ").nth(1),
        Some(format!("and {} more notifications were withheld by the limit of the channel noc", full.held).as_str())
    );
    assert_eq!(b.notifier.channels()[0].delivered, full.waiting as u64 + 1);
}

#[test]
fn what_is_not_delivered_is_tried_again_in_order_and_with_the_same_key() {
    let mut b = Bench::new(
        "channels: { noc: { command: [/bin/true], give_up: 1h } }\nroutes: { all: { to: noc, by: [key], wait: 0s, interval: 0s } }\n",
    );
    b.works = false;
    b.raise(at(0), "sip_down", "s1");
    b.raise(at(1), "sip_down", "s2");
    b.run(at(600));
    let sent: Vec<Delivery> = std::mem::take(&mut b.sent).into_iter().map(|(_, d)| d).collect();
    assert!(sent.len() > 5 && sent.iter().all(|d| d.notification.key == "0000000000000abc-1"), "{sent:?}");
    assert_eq!(sent.iter().map(|d| d.attempt).collect::<Vec<_>>(), (1..=u32::try_from(sent.len()).unwrap()).collect::<Vec<_>>());
    assert_eq!(b.notices, [Kind::NotificationRetried]);
    // The controller dies and starts again: waiting notifications are sent again, the oldest first.
    let (program, inventory) = (b.notifier.program.clone(), b.notifier.inventory.clone());
    b.notifier = Notifier::start(0xabc, program, inventory, b.notifier.state.clone());
    b.notifier.begin(at(601), &mut b.out);
    b.works = true;
    b.run(at(1_200));
    let keys: Vec<String> = b.sent.iter().map(|(_, d)| d.notification.key.clone()).collect();
    assert_eq!(keys, ["0000000000000abc-1", "0000000000000abc-2"]);
    b.works = false;
    b.raise(at(2_000), "sip_down", "s3");
    b.run(at(6_000));
    assert_eq!(b.notices, [Kind::NotificationRetried, Kind::NotificationRetried, Kind::NotificationFailed]);
    assert!(b.notifier.state.outbox.is_empty());
    // A notification that the receiver refuses is not tried again.
    b.refuses = true;
    b.raise(at(7_000), "sip_down", "s4");
    assert_eq!(b.notices.last(), Some(&Kind::NotificationFailed));
    assert!(b.notice.contains("did not deliver notification"), "{}", b.notice);
    assert_eq!(b.notifier.channels()[0].failed, 2);
}

/// A wrong address among several is no reason to call people by other means: the others got it.
#[test]
fn a_refused_recipient_is_reported_as_that() {
    let mut b = Bench::new("channels: { noc: log }\nroutes: { all: { to: noc, wait: 0s, interval: 0s } }\n");
    (b.works, b.refuses, b.reaches) = (false, true, vec!["a@x".to_owned()]);
    b.raise(at(0), "sip_down", "s1");
    b.run(at(1));
    assert_eq!(b.notices, [Kind::NotificationFailed]);
    assert!(b.notice.contains("only to some of its recipients"), "{}", b.notice);
}

/// An alarm without a summary is notified with the text of its event.
#[test]
fn the_text_of_the_event_stands_for_a_summary() {
    let facts = |summary: &str| {
        let fields = [("text".to_owned(), "No space left on device".to_owned())].into();
        AlarmFacts { summary: summary.to_owned(), fields, ..AlarmFacts::default() }.summarized().summary
    };
    assert_eq!((facts(""), facts("full")), ("No space left on device".to_owned(), "full".to_owned()));
}

#[test]
fn a_reaction_without_a_script_tells_the_end_too_and_a_script_says_what_it_likes() {
    let mut b = Bench::new("channels: { noc: log }\n");
    let facts = AlarmFacts {
        alarm: "sip_down".to_owned(),
        key: "s1".to_owned(),
        category: "critical".to_owned(),
        ..AlarmFacts::default()
    };
    let noc = "noc".to_owned();
    b.notifier.announce(at(0), &noc, facts.clone(), true, &mut b.out).unwrap();
    b.fall_due(at(0));
    b.notifier.say(at(1), &noc, "a\r\nb\u{1b}[m", facts.clone(), (7, 0), &mut b.out).unwrap();
    b.carry_out(at(1));
    b.clear(at(9), "sip_down", "s1");
    b.run(at(10));
    assert_eq!(b.sent(), ["1 noc raised: [CRITICAL] sip_down [s1]", "1 noc said: a", "9 noc cleared: [CLEARED] sip_down [s1]"]);
    assert!(b.notifier.say(at(11), &"nobody".to_owned(), "x", facts.clone(), (8, 0), &mut b.out).is_err());
    // A step whose end was not journaled is done again, and does not send its notification twice.
    b.works = false;
    b.notifier.say(at(12), &noc, "x", facts.clone(), (9, 0), &mut b.out).unwrap();
    b.carry_out(at(12));
    b.notifier.say(at(12), &noc, "x", facts, (9, 0), &mut b.out).unwrap();
    assert!(b.out.is_empty());
}

#[test]
fn what_is_gone_from_the_configuration_is_given_up() {
    let mut b = Bench::new(ROUTE);
    b.works = false;
    b.raise(at(0), "sip_down", "s1");
    b.run(at(20));
    let (program, inventory) = site("channels: { boss: syslog }\n");
    b.notifier.reload(at(21), program, inventory, &mut b.out);
    b.carry_out(at(21));
    assert!(b.notifier.state.outbox.is_empty() && b.notifier.state.groups.is_empty() && b.notifier.state.open.is_empty());
    assert_eq!(b.notices.last(), Some(&Kind::NotificationFailed));
}

/// Alertmanager forgets alarms that are not sent to it again.
#[test]
fn a_channel_that_forgets_gets_active_alarms_each_minute() {
    let mut b = Bench::new(
        "channels: { am: { alertmanager: { url: 'http://localhost:9093' } } }\nroutes: { all: { to: am, wait: 0s } }\n",
    );
    b.raise(at(0), "sip_down", "s1");
    b.run(at(190));
    let refreshed: Vec<u64> = b.sent.iter().filter(|(_, d)| d.attempt == 0).map(|(t, _)| t.since(at(0)).as_secs()).collect();
    assert_eq!(refreshed, [60, 120, 180]);
    b.clear(at(200), "sip_down", "s1");
    b.run(at(1_000));
    assert_eq!(b.sent.iter().filter(|(t, d)| d.attempt == 0 && *t > at(200)).count(), 0);
    assert_eq!(b.sent.last().unwrap().1.notification.occasion, Occasion::Cleared);
}

/// A receiver that forgets gets all active alarms in one delivery, however many there are, and also those that an escalation sent.
#[test]
fn a_refresh_has_all_alarms_and_those_of_escalations() {
    let mut b = Bench::new(
        "channels: { am: { alertmanager: { url: 'http://localhost:9093' } }, boss: { alertmanager: { url: 'http://localhost:9094' } } }\n\
         routes: { all: { to: am, wait: 0s, interval: 0s, escalate: { after: 5m, to: boss } } }\n",
    );
    b.raise_many(at(0), 1_700);
    b.ack(at(10), "sip_down", "0");
    b.run(at(61));
    let refreshed = |b: &Bench, channel: &str, from: Time| -> Vec<usize> {
        let of = |(t, d): &&(Time, Delivery)| *t >= from && d.attempt == 0 && d.notification.channel == channel;
        b.sent.iter().filter(of).map(|(_, d)| d.notification.alarms.len()).collect()
    };
    assert_eq!(refreshed(&b, "am", at(0)), [1_700]);
    assert_eq!(refreshed(&b, "boss", at(0)), [] as [usize; 0]);
    b.run(at(361));
    assert_eq!(refreshed(&b, "boss", at(300)), [1_699]);
    // Alarms that were raised together are escalated together: one at its time, and the others with the next escalation.
    let escalated = b.sent.iter().filter(|(_, d)| d.notification.occasion == Occasion::Escalated);
    let counts = escalated.map(|(_, d)| d.notification.alarms.len() as u64 + d.notification.more);
    assert_eq!(counts.collect::<Vec<_>>(), [1, 1_698]);
    assert_eq!(refreshed(&b, "am", at(350)), [1_700]);
}

/// A silence that begins when an alarm is open already ends its reminders and escalations. Its end is still reported, because a
/// receiver would show it as active for ever.
#[test]
fn a_silence_holds_for_alarms_that_are_open_already() {
    let mut b = Bench::new(ROUTE);
    b.raise(at(0), "sip_down", "s1");
    b.run(at(20));
    assert_eq!(b.sent().len(), 1);
    b.silenced = vec!["sip_down"];
    b.run(at(4_000));
    assert_eq!(b.sent(), [] as [String; 0]);
    // When the silence has ended, the next reminder and the next escalation come at their times.
    b.silenced.clear();
    b.run(at(6_000));
    let sent = b.sent();
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(sent[0].starts_with("4500 boss escalated") && sent[1].starts_with("5410 noc reminder"), "{sent:?}");
    b.silenced = vec!["sip_down"];
    b.clear(at(6_100), "sip_down", "s1");
    b.run(at(7_000));
    assert_eq!(b.sent().len(), 2, "the end, for both channels");
    assert!(b.notifier.state.open.is_empty() && b.notifier.state.groups.is_empty(), "{:?}", b.notifier.state);
}

/// An alarm that nobody was notified of yet when its silence began is as one that was raised in it.
#[test]
fn a_silence_takes_news_back_that_was_not_sent_yet() {
    let mut b = Bench::new("channels: { noc: log }\nroutes: { all: { to: noc, wait: 10s, repeat: 30m } }\n");
    b.raise(at(0), "sip_down", "s1");
    b.raise(at(1), "disk_full", "a1");
    b.raise(at(2), "moved", "s1");
    b.silenced = vec!["sip_down", "moved"];
    b.run(at(20));
    assert_eq!(b.sent(), ["11 noc raised: [MINOR] disk_full [a1]: disk_full on a1"]);
    b.silenced.clear();
    b.run(at(1_900));
    assert_eq!(b.sent(), ["1811 noc reminder: still active: [MINOR] disk_full [a1]: disk_full on a1"]);
    b.clear(at(2_000), "sip_down", "s1");
    b.clear(at(2_000), "disk_full", "a1");
    b.run(at(3_000));
    assert_eq!(b.sent().len(), 1);
    assert!(b.notifier.state.open.is_empty() && b.notifier.state.groups.is_empty(), "{:?}", b.notifier.state);
}

/// Recipients who got a mail are in the next attempts, so that they do not get it again, also after a restart.
#[test]
fn who_got_it_does_not_get_it_again() {
    let mut b = Bench::new("channels: { noc: { command: [/bin/true] } }\nroutes: { all: { to: noc, wait: 0s } }\n");
    (b.works, b.reaches) = (false, vec!["a@x".to_owned()]);
    b.raise(at(0), "sip_down", "s1");
    b.reaches = Vec::new();
    b.run(at(60));
    let (program, inventory) = (b.notifier.program.clone(), b.notifier.inventory.clone());
    b.notifier = Notifier::start(0xabc, program, inventory, b.notifier.state.clone());
    b.notifier.begin(at(61), &mut b.out);
    b.works = true;
    b.run(at(600));
    let reached: Vec<usize> = b.sent.iter().map(|(_, d)| d.reached.len()).collect();
    assert!(reached.len() > 2 && reached[0] == 0 && reached[1..].iter().all(|n| *n == 1), "{reached:?}");
}
