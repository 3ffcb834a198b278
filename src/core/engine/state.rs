//! The state that the engine must not lose: the fold of its records.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::core::base::limits::{ALARM_COMMENTS, COUNTED_KEYS, OFFSETS};
use crate::core::base::pairs;
use crate::core::base::time::Time;
use crate::core::event::Trust;
use crate::core::inventory::Name;

use super::hash_tree::HashTree;
use super::key::{Key, first_of_young_half};
use super::partial_matches::{Forgot, PartialMatches};
use super::record::{Acknowledgement, Claim, ClaimStatus, Instance, PartialMatch, PendingFire, Record, Suppressed, Throttled};
use super::window::Measured;

/// What a limit remembers of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Starts {
    pub(super) at: Vec<Time>,
    /// The trust of the senders whose events started them.
    #[serde(default, rename = "known")]
    pub(super) trust: Vec<Trust>,
    #[serde(rename = "put_off")]
    pub(super) throttled: Option<Box<Throttled>>,
}

impl Starts {
    /// The time of each start, and the trust of the sender.
    pub(super) fn all(&self) -> impl Iterator<Item = (Time, Trust)> {
        let trust = self.trust.iter().copied().chain(std::iter::repeat(Trust::default()));
        self.at.iter().copied().zip(trust)
    }
}

/// How far a source's records of one host are usually behind their arrival.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Offsets {
    pub(super) usual: i64,
    /// The part of it that is a time zone which the time stamps do not state.
    #[serde(default)]
    pub(super) zone: i64,
    /// When this was learned.
    #[serde(default)]
    pub(super) at: Time,
}

/// The state that the engine must not lose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    #[serde(with = "of_alarms")]
    /// Active instances, by alarm and key.
    pub(super) alarms: HashTree<String, BTreeMap<Key, Box<Instance>>>,
    #[serde(rename = "noted", default)]
    pub(super) partial_matches: PartialMatches,
    #[serde(rename = "awaited", with = "pairs", default)]
    pub(super) pending: BTreeMap<String, BTreeMap<Key, PendingFire>>,
    #[serde(rename = "inhibited", with = "pairs", default)]
    pub(super) suppressed: BTreeMap<String, BTreeMap<Key, Suppressed>>,
    #[serde(with = "pairs", default)]
    pub(super) measured: BTreeMap<String, BTreeMap<Key, Box<Measured>>>,
    #[serde(with = "pairs", default)]
    pub(super) starts: BTreeMap<String, BTreeMap<Key, Starts>>,
    /// The newest claim of each application.
    pub(super) claims: BTreeMap<Name, Claim>,
    /// Usual ages of records, by source and host.
    pub(super) offsets: BTreeMap<String, BTreeMap<String, Offsets>>,
    pub(super) lost: BTreeSet<Name>,
    /// Applications with a late claim that was not evaluated yet.
    #[serde(rename = "unweighed")]
    pub(super) unevaluated: BTreeSet<Name>,
    /// Claims that are not carried out yet: the application, by sequence.
    #[serde(rename = "owed", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) open_claims: BTreeMap<u64, Name>,
    /// Pairs for which nothing shows which member is primary.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) unclear: BTreeSet<Name>,
    /// What people were notified of already, each once.
    #[serde(rename = "told")]
    pub(super) notified: BTreeSet<String>,
    /// Bytes of the lines that all instances keep.
    #[serde(default)]
    pub(super) line_bytes: usize,
    /// Estimated bytes of the stored events of all keys.
    #[serde(default)]
    pub(super) kept_bytes: usize,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) stopped: BTreeSet<Name>,
    /// Sources that are unreadable.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) away: BTreeSet<String>,
    /// Acknowledgements of active alarms.
    #[serde(with = "pairs", default)]
    pub(super) acked: BTreeMap<String, BTreeMap<Key, Acknowledgement>>,
}

impl State {
    /// Active instances, sorted by alarm and key.
    pub fn active(&self) -> impl Iterator<Item = (&str, &Key, &Instance)> {
        let all = self.alarms.sorted().into_iter();
        all.flat_map(|(alarm, keys)| keys.iter().map(move |(key, i)| (alarm.as_str(), key, i.as_ref())))
    }

    /// The key of an active or suppressed instance, by its text for people.
    pub fn key_shown(&self, alarm: &str, shown: &str) -> Option<&Key> {
        self.clearable(alarm).find(|key| key.to_string() == shown)
    }

    /// Active instances of one alarm, sorted by key.
    pub fn active_of(&self, alarm: &str) -> impl Iterator<Item = (&Key, &Instance)> {
        self.alarms.get(alarm).into_iter().flatten().map(|(key, i)| (key, i.as_ref()))
    }

    /// For each alarm, in no order, how many instances are active, and how many of these are acknowledged.
    pub fn numbers(&self) -> impl Iterator<Item = (&str, usize, usize)> {
        let acked = |alarm: &String| self.acked.get(alarm).map_or(0, BTreeMap::len);
        self.alarms.iter().map(move |(alarm, keys)| (alarm.as_str(), keys.len(), acked(alarm)))
    }

    /// Estimated bytes of what active alarms keep, and of partial matches.
    pub fn memory(&self) -> (usize, usize) {
        (self.kept_bytes + self.line_bytes, self.partial_matches.bytes())
    }

    /// The newest claim of an application.
    pub fn claim(&self, app: &str) -> Option<&Claim> {
        self.claims.get(app)
    }

    /// The application whose claim with this sequence is not carried out yet; `None` if there is none.
    pub fn open_claim(&self, sequence: u64) -> Option<&Name> {
        self.open_claims.get(&sequence)
    }

    /// The sequences of all claims that are not carried out yet.
    pub fn open_claims(&self) -> impl Iterator<Item = u64> {
        self.open_claims.keys().copied()
    }

    /// True when a host is lost.
    pub fn is_lost(&self, host: &str) -> bool {
        self.lost.contains(host)
    }

    /// The hosts that are lost now.
    pub fn lost(&self) -> impl Iterator<Item = &Name> {
        self.lost.iter()
    }

    /// The sources that are unreadable now.
    pub fn away(&self) -> impl Iterator<Item = &String> {
        self.away.iter()
    }

    /// True when a source is unreadable.
    pub fn is_away(&self, source: &str) -> bool {
        self.away.contains(source)
    }

    /// The applications that have stopped.
    pub fn stopped(&self) -> impl Iterator<Item = &Name> {
        self.stopped.iter()
    }

    /// Who acknowledged an active alarm.
    pub fn acked(&self, alarm: &str, key: &Key) -> Option<&str> {
        self.acknowledgement(alarm, key).map(|ack| ack.by.as_str())
    }

    /// The acknowledgement of an active alarm.
    pub fn acknowledgement(&self, alarm: &str, key: &Key) -> Option<&Acknowledgement> {
        self.acked.get(alarm)?.get(key)
    }

    /// Acknowledgements that expire, with their times.
    pub(super) fn acks_that_end(&self) -> impl Iterator<Item = (Time, &str, &Key)> {
        let all = self.acked.iter().flat_map(|(alarm, keys)| keys.iter().map(move |(key, ack)| (alarm.as_str(), key, ack)));
        all.filter_map(|(alarm, key, ack)| Some((ack.until?, alarm, key)))
    }

    /// True when an application has stopped.
    pub fn is_stopped(&self, app: &str) -> bool {
        self.stopped.contains(app)
    }

    /// The partial matches of a key.
    pub fn partial_matches(&self, alarm: &str, key: &Key) -> &[PartialMatch] {
        self.partial_matches.of(alarm, key)
    }

    /// What a limit remembers of a group.
    pub(super) fn starts(&self, alarm: &str, group: &Key) -> Option<&Starts> {
        self.starts.get(alarm)?.get(group)
    }

    /// Throttled reactions, sorted by alarm and group.
    pub(super) fn all_throttled(&self) -> impl Iterator<Item = (&str, &Key, &Throttled)> {
        let groups =
            self.starts.iter().flat_map(|(alarm, groups)| groups.iter().map(move |(group, s)| (alarm.as_str(), group, s)));
        groups.filter_map(|(alarm, group, s)| Some((alarm, group, s.throttled.as_deref()?)))
    }

    /// The number of groups of which a limit remembers something.
    pub(super) fn groups_of(&self, alarm: &str) -> usize {
        self.starts.get(alarm).map_or(0, BTreeMap::len)
    }

    /// The alarms with measures, and the number of their keys.
    pub(super) fn measured_keys(&self) -> impl Iterator<Item = (&str, usize)> {
        self.measured.iter().map(|(alarm, keys)| (alarm.as_str(), keys.len()))
    }

    /// The number of keys for which an alarm is active, pending, suppressed or measured.
    pub(super) fn keys_of(&self, alarm: &str) -> usize {
        let measured = self.measured.get(alarm).map_or(0, BTreeMap::len);
        let suppressed = self.suppressed.get(alarm).map_or(0, BTreeMap::len);
        self.alarms.get(alarm).map_or(0, BTreeMap::len) + self.pending.get(alarm).map_or(0, BTreeMap::len) + suppressed + measured
    }

    /// The measure of a key.
    pub(super) fn measured(&self, alarm: &str, key: &Key) -> Option<&Measured> {
        self.measured.get(alarm)?.get(key).map(Box::as_ref)
    }

    /// All measures, sorted by alarm and key.
    pub(super) fn all_measured(&self) -> impl Iterator<Item = (&str, &Key, &Measured)> {
        self.measured.iter().flat_map(|(alarm, keys)| keys.iter().map(move |(key, m)| (alarm.as_str(), key, m.as_ref())))
    }

    /// The pending fires of an alarm, sorted by key.
    pub(super) fn pending_of(&self, alarm: &str) -> impl Iterator<Item = (&Key, &PendingFire)> {
        self.pending.get(alarm).into_iter().flatten()
    }

    /// All pending fires, sorted by alarm and key.
    pub(super) fn all_pending(&self) -> impl Iterator<Item = (&str, &Key, &PendingFire)> {
        self.pending.iter().flat_map(|(alarm, keys)| keys.iter().map(move |(key, w)| (alarm.as_str(), key, w)))
    }

    /// The suppressed raise of a key, if there is one.
    pub fn suppressed(&self, alarm: &str, key: &Key) -> Option<&Suppressed> {
        self.suppressed.get(alarm)?.get(key)
    }

    /// The suppressed raises of an alarm, sorted by key.
    pub fn suppressed_of(&self, alarm: &str) -> impl Iterator<Item = (&Key, &Suppressed)> {
        self.suppressed.get(alarm).into_iter().flatten()
    }

    /// All suppressed raises, sorted by alarm and key.
    pub(super) fn all_suppressed(&self) -> impl Iterator<Item = (&str, &Key, &Suppressed)> {
        let all = self.suppressed.iter();
        all.flat_map(|(alarm, keys)| keys.iter().map(move |(key, suppressed)| (alarm.as_str(), key, suppressed)))
    }

    /// The keys of an alarm that an operator can clear: it is active or suppressed for them.
    pub fn clearable(&self, alarm: &str) -> impl Iterator<Item = &Key> {
        let waits = self.suppressed_of(alarm).map(|(key, _)| key).filter(move |key| self.instance(alarm, key).is_none());
        self.active_of(alarm).map(|(key, _)| key).chain(waits)
    }

    /// The keys with partial matches, pending fires or measures, by alarm.
    pub(super) fn begun(&self) -> BTreeSet<(&str, &Key)> {
        let pending = self.all_pending().map(|(alarm, key, _)| (alarm, key));
        self.partial_matches.keys().chain(pending).chain(self.all_measured().map(|(alarm, key, _)| (alarm, key))).collect()
    }

    /// The pending fire of a key.
    pub fn pending(&self, alarm: &str, key: &Key) -> Option<&PendingFire> {
        self.pending.get(alarm)?.get(key)
    }

    /// The active instance of a key, if there is one.
    pub fn instance(&self, alarm: &str, key: &Key) -> Option<&Instance> {
        self.alarms.get(alarm)?.get(key).map(Box::as_ref)
    }

    /// How far a source's records of one host are usually behind their arrival.
    pub(super) fn offsets(&self, source: &str, host: &str) -> Option<&Offsets> {
        self.offsets.get(source)?.get(host)
    }

    /// Stores the usual offset of a source's host. If there are too many, the half that was learned longest ago is dropped,
    /// by time and then by name, so that every fold has the same result.
    fn learn(&mut self, source: &str, host: &str, at: Time, offset: i64, zone: i64) {
        let offsets = Offsets { usual: offset, zone, at };
        self.offsets.entry(source.to_owned()).or_default().insert(host.to_owned(), offsets);
        if self.offsets.values().map(BTreeMap::len).sum::<usize>() > OFFSETS {
            let hosts = self.offsets.iter().flat_map(|(source, hosts)| hosts.iter().map(move |(host, o)| (source, host, o)));
            let mut order: Vec<(Time, String, String)> =
                hosts.map(|(source, host, o)| (o.at, source.clone(), host.clone())).collect();
            order.sort();
            for (_, source, host) in order.into_iter().take(OFFSETS / 2) {
                remove(&mut self.offsets, &source, host.as_str());
            }
        }
    }

    /// Applies one record. This is the only way in which the state changes.
    pub fn apply(&mut self, record: &Record) {
        self.applied(record);
    }

    /// As [`State::apply`]; returns whose partial matches were dropped because there were too many.
    pub(super) fn applied(&mut self, record: &Record) -> Option<Forgot> {
        let before = record.keeps().map_or(0, |(alarm, key)| self.kept_for(alarm, key));
        let forgot = self.changed(record);
        let after = record.keeps().map_or(0, |(alarm, key)| self.kept_for(alarm, key));
        self.kept_bytes = (self.kept_bytes + after).saturating_sub(before);
        forgot
    }

    fn changed(&mut self, record: &Record) -> Option<Forgot> {
        match record {
            Record::Raised { alarm, key, category: _, sequence, at, due, event, summary, line, idle, before } => {
                let instance = Instance {
                    raised_at: *at,
                    last_at: *at,
                    count: 1,
                    sequence: *sequence,
                    due: *due,
                    event: event.clone(),
                    summary: summary.clone(),
                    lines: before.iter().chain(line).cloned().collect(),
                    idle: idle.clone(),
                    comments: Vec::new(),
                };
                self.line_bytes += instance.line_bytes();
                self.alarms.or_default(alarm).insert(key.clone(), Box::new(instance));
            }
            Record::Repeated { alarm, key, sequence, at, due, better, line, before } => {
                if let Some(instance) = self.alarms.get_mut(alarm).and_then(|keys| keys.get_mut(key)) {
                    instance.last_at = *at;
                    instance.count += 1;
                    instance.sequence = *sequence;
                    instance.due = *due;
                    if let Some(better) = better {
                        (instance.event, instance.summary) = better.as_ref().clone();
                    }
                    self.line_bytes += before.iter().chain(line).map(String::len).sum::<usize>();
                    instance.lines.extend(before.iter().chain(line).cloned());
                }
            }
            Record::Cleared { alarm, key, .. } => {
                let lines = self.instance(alarm, key).map_or(0, Instance::line_bytes);
                self.line_bytes = self.line_bytes.saturating_sub(lines);
                if let Some(keys) = self.alarms.get_mut(alarm) {
                    keys.remove(key);
                    if keys.is_empty() {
                        self.alarms.remove(alarm);
                    }
                }
                remove(&mut self.acked, alarm, key);
            }
            Record::Acked { alarm, key, by, comment, until, .. } => {
                let ack = Acknowledgement { by: by.clone(), comment: comment.clone(), until: *until };
                self.acked.entry(alarm.clone()).or_default().insert(key.clone(), ack);
            }
            Record::AckEnded { alarm, key, .. } => remove(&mut self.acked, alarm, key),
            Record::Commented { alarm, key, comment } => {
                if let Some(instance) = self.alarms.get_mut(alarm).and_then(|keys| keys.get_mut(key)) {
                    instance.comments.push(comment.clone());
                    let excess = instance.comments.len().saturating_sub(ALARM_COMMENTS);
                    instance.comments.drain(..excess);
                }
            }
            Record::PartialMatches { alarm, key, note, alone, since, most } => {
                return self.partial_matches.add(alarm, key, note, *alone, *since, most.unwrap_or(COUNTED_KEYS));
            }
            Record::Measured { alarm, key, slot, at, value, times, trust, over } => {
                let keys = self.measured.entry(alarm.clone()).or_default();
                keys.entry(key.clone()).or_default().add(*slot, *at, (*value, *times), *trust, *over);
            }
            Record::Judged { alarm, key, since, trust, due } => {
                if let Some(measured) = self.measured.get_mut(alarm).and_then(|keys| keys.get_mut(key)) {
                    measured.judged(*since, *trust, *due);
                }
                if *since == [None, None] && due.is_none() {
                    remove(&mut self.measured, alarm, key);
                }
            }
            Record::Pending { alarm, key, waiting } => {
                self.pending.entry(alarm.clone()).or_default().insert(key.clone(), waiting.clone());
            }
            Record::Suppressed { alarm, key, what: Some(suppressed) } => {
                self.suppressed.entry(alarm.clone()).or_default().insert(key.clone(), suppressed.as_ref().clone());
            }
            Record::Suppressed { alarm, key, what: None } => remove(&mut self.suppressed, alarm, key),
            Record::Started { alarm, group, at, trust, since } => {
                let groups = self.starts.entry(alarm.clone()).or_default();
                let starts = groups.entry(group.clone()).or_default();
                starts.throttled = None;
                let old = starts.at.partition_point(|t| t <= since);
                starts.trust.resize(starts.at.len(), Trust::default());
                starts.at.drain(..old);
                starts.trust.drain(..old);
                starts.at.push(*at);
                starts.trust.push(*trust);
                if groups.len() > COUNTED_KEYS {
                    // Groups with throttled reactions are dropped last, and before them those that the most trusted senders
                    // started.
                    forget_old_half(groups, |s| (s.throttled.is_some(), s.trust.iter().copied().max(), s.at.last().copied()));
                    self.kept_bytes = self.count_kept();
                }
            }
            Record::Throttled { alarm, group, what } => {
                self.starts.entry(alarm.clone()).or_default().entry(group.clone()).or_default().throttled = what.clone();
            }
            Record::ForgottenHalf { alarm } => self.partial_matches.forget_half(alarm),
            Record::Forgotten { alarm, key, measures_on } => {
                self.partial_matches.forget(alarm, key);
                if !measures_on {
                    remove(&mut self.measured, alarm, key);
                }
                remove(&mut self.pending, alarm, key);
            }
            Record::Claimed { app, claim } => {
                if let Some(earlier) = self.claims.insert(app.clone(), claim.clone()) {
                    self.open_claims.remove(&earlier.sequence);
                }
                if claim.late || claim.backlog {
                    self.unevaluated.insert(app.clone());
                } else {
                    self.unevaluated.remove(app);
                }
            }
            Record::ClaimStatus { app, status } => {
                let claim = self.claims.get_mut(app)?;
                claim.status = *status;
                let sequence = claim.sequence;
                match status {
                    ClaimStatus::Open | ClaimStatus::Failed => {
                        self.open_claims.insert(sequence, app.clone());
                    }
                    ClaimStatus::Late | ClaimStatus::Ask => {
                        self.unevaluated.insert(app.clone());
                    }
                    ClaimStatus::Done | ClaimStatus::Withheld => {
                        self.open_claims.remove(&sequence);
                    }
                }
            }
            Record::RoleUnclear { pair, unclear: true } => {
                self.unclear.insert(pair.clone());
            }
            Record::RoleUnclear { pair, unclear: false } => {
                self.unclear.remove(pair);
            }
            Record::Offset { source, host, at, offset, zone } => self.learn(source, host, *at, *offset, *zone),
            Record::Away { source, away: true } => {
                self.away.insert(source.clone());
            }
            Record::Away { source, away: false } => {
                self.away.remove(source);
            }
            Record::Lost { host, lost: true } => {
                self.lost.insert(host.clone());
            }
            Record::Lost { host, lost: false } => {
                self.lost.remove(host);
            }
            Record::App { app, stopped: true } => {
                self.stopped.insert(app.clone());
            }
            Record::App { app, stopped: false } => {
                self.stopped.remove(app);
            }
            Record::ClaimsEvaluated { app } => {
                self.unevaluated.remove(app);
            }
            Record::Notified { about } => {
                self.notified.insert(about.clone());
            }
        }
        None
    }
}

/// Active instances as a journal stores them: for each alarm a sorted list of pairs.
mod of_alarms {
    use super::*;

    type Alarms = HashTree<String, BTreeMap<Key, Box<Instance>>>;

    pub(super) fn serialize<S: Serializer>(alarms: &Alarms, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(alarms.sorted().into_iter().map(|(alarm, keys)| (alarm, keys.iter().collect::<Vec<_>>())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Alarms, D::Error> {
        let mut alarms = HashTree::default();
        for (alarm, keys) in BTreeMap::<String, Vec<(Key, Box<Instance>)>>::deserialize(from)? {
            *alarms.or_default(&alarm) = keys.into_iter().collect();
        }
        Ok(alarms)
    }
}

/// Removes a key. An alarm without keys, or a source without hosts, is removed as well.
fn remove<K: Ord + Borrow<Q>, Q: Ord + ?Sized, T>(all: &mut BTreeMap<String, BTreeMap<K, T>>, name: &str, key: &Q) {
    if let Some(keys) = all.get_mut(name) {
        keys.remove(key);
        if keys.is_empty() {
            all.remove(name);
        }
    }
}

/// Drops the older half of the keys, by age and then by key, so that every fold has the same result.
fn forget_old_half<T, A: Ord + Clone>(keys: &mut BTreeMap<Key, T>, age: impl Fn(&T) -> A) {
    match first_of_young_half(keys.iter().map(|(key, kept)| (age(kept), key))) {
        Some(first) => keys.retain(|key, kept| (&age(kept), key) >= (&first.0, &first.1)),
        None => keys.clear(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::core::engine::Fields;
    use crate::core::event::Value;

    /// The summary of an instance comes from the same sender as its event.
    #[test]
    fn a_more_trusted_event_replaces_event_and_summary() {
        let (alarm, key, at) = ("a".to_owned(), Key::of(["k"]), Time::default());
        let said = |who: &str| (Arc::new(Fields::from([("who".to_owned(), Value::from(who).into_owned())])), format!("by {who}"));
        let mut state = State::default();
        let (event, summary) = said("anybody");
        let (a, k) = (alarm.clone(), key.clone());
        state.apply(&Record::Raised {
            alarm: a,
            key: k,
            category: None,
            sequence: 1,
            at,
            due: None,
            event,
            summary,
            line: None,
            idle: None,
            before: Vec::new(),
        });
        for better in [Some(Box::new(said("ann"))), None] {
            let (a, k) = (alarm.clone(), key.clone());
            state.apply(&Record::Repeated {
                alarm: a,
                key: k,
                sequence: 2,
                at,
                due: None,
                better,
                line: None,
                before: Vec::new(),
            });
        }
        let instance = state.instance(&alarm, &key).unwrap();
        assert_eq!((&instance.event, instance.summary.as_str(), instance.count), (&said("ann").0, "by ann", 3));
    }
}
