//! Partial matches of conditions of several events, by alarm and key, with two bounds: keys of an alarm, and partial matches
//! of all alarms.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::core::base::limits::PARTIAL_MATCHES;
use crate::core::base::time::Time;

use super::hash_tree::HashTree;
use super::key::{Key, first_of_young_half};
use super::record::PartialMatch;

/// All partial matches. Every key has one, every alarm has a key, and those of a key are sorted by time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PartialMatches {
    alarms: HashTree<String, OfAlarm>,
    count: usize,
    bytes: usize,
    /// Maximum number of partial matches. Tests set a lower one.
    most: usize,
}

/// The partial matches of one alarm.
#[derive(Clone, Debug, Default, PartialEq)]
struct OfAlarm {
    keys: HashTree<Key, Vec<PartialMatch>>,
    count: usize,
    /// Their estimated memory, keys included.
    bytes: usize,
}

/// Estimated bytes of a key in addition to its values and partial matches.
const KEY_OVERHEAD: usize = 64;

fn weight_of(key: &Key, notes: &[PartialMatch]) -> usize {
    KEY_OVERHEAD + key.len() + notes.iter().map(PartialMatch::weight).sum::<usize>()
}

/// Partial matches were dropped because there were too many: those of the half of the keys with the least trusted senders,
/// and among equals with the oldest last event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Forgot {
    /// Those of the alarm that had one key too many.
    Own,
    /// Those of the alarm that has most, because all together have too many.
    Of(String),
}

impl Default for PartialMatches {
    fn default() -> PartialMatches {
        PartialMatches { alarms: HashTree::default(), count: 0, bytes: 0, most: PARTIAL_MATCHES }
    }
}

impl PartialMatches {
    /// The partial matches of a key.
    pub(super) fn of(&self, alarm: &str, key: &Key) -> &[PartialMatch] {
        self.alarms.get(alarm).and_then(|of| of.keys.get(key)).map_or(&[], Vec::as_slice)
    }

    /// The keys with partial matches, with their alarms.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&str, &Key)> {
        self.alarms.iter().flat_map(|(alarm, of)| of.keys.iter().map(move |(key, _)| (alarm.as_str(), key)))
    }

    /// Stores a partial match. `alone`: it replaces all of its part with its value. Those before `since` no longer count.
    /// `keys` is the maximum number of keys of an alarm.
    pub(super) fn add(
        &mut self,
        alarm: &String,
        key: &Key,
        note: &PartialMatch,
        alone: bool,
        since: Option<Time>,
        keys: usize,
    ) -> Option<Forgot> {
        let of = self.alarms.or_default(alarm);
        let (before, bytes) = (of.count, of.bytes);
        of.add(key, note, alone, since);
        self.count = self.count - before + of.count;
        self.bytes = self.bytes - bytes + of.bytes;
        if of.keys.len() > keys {
            let alarm = alarm.clone();
            self.forget_half(&alarm);
            return Some(Forgot::Own);
        }
        if self.count > self.most {
            // Of equals the last by name.
            let most = self.alarms.iter().max_by(|(a, x), (b, y)| (x.count, a).cmp(&(y.count, b)));
            let alarm = most.map(|(alarm, _)| alarm.clone())?;
            self.forget_half(&alarm);
            return Some(Forgot::Of(alarm));
        }
        None
    }

    /// The estimated memory of all partial matches, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The alarm whose partial matches take most memory; of equals the last by name.
    pub(super) fn heaviest(&self) -> Option<&String> {
        let most = self.alarms.iter().max_by(|(a, x), (b, y)| (x.bytes, a).cmp(&(y.bytes, b)));
        most.map(|(alarm, _)| alarm)
    }

    /// Drops the half of an alarm's keys whose last event is oldest.
    pub(super) fn forget_half(&mut self, alarm: &String) {
        let Some(of) = self.alarms.get_mut(alarm) else { return };
        let (count, bytes) = (of.count, of.bytes);
        of.forget_old();
        self.count -= count - of.count;
        self.bytes -= bytes - of.bytes;
        if of.keys.is_empty() {
            self.alarms.remove(alarm);
        }
    }

    /// Drops the partial matches of a key.
    pub(super) fn forget(&mut self, alarm: &str, key: &Key) {
        let Some(of) = self.alarms.get_mut(alarm) else { return };
        let Some(notes) = of.keys.remove(key) else { return };
        let bytes = weight_of(key, &notes);
        (of.count, of.bytes) = (of.count - notes.len(), of.bytes - bytes);
        (self.count, self.bytes) = (self.count - notes.len(), self.bytes - bytes);
        if of.keys.is_empty() {
            self.alarms.remove(alarm);
        }
    }
}

impl OfAlarm {
    fn add(&mut self, key: &Key, note: &PartialMatch, alone: bool, since: Option<Time>) {
        let notes = self.keys.or_default(key);
        let before = notes.len();
        let stood_for = |n: &PartialMatch| alone && n.part() == note.part() && n.value() == note.value();
        let key_bytes = if before == 0 { weight_of(key, &[]) } else { 0 };
        let mut gone = 0;
        notes.retain(|n| {
            let stays = since.is_none_or(|since| n.at >= since) && !stood_for(n);
            gone += if stays { 0 } else { n.weight() };
            stays
        });
        self.bytes = self.bytes + key_bytes + note.weight() - gone;
        if notes.len() == notes.capacity() {
            // Most keys have one or two: grow as one, two, four, and do not start with four.
            notes.reserve_exact(notes.len().max(1));
        }
        let place = notes.partition_point(|n| n.at <= note.at);
        notes.insert(place, note.clone());
        self.count = self.count + notes.len() - before;
    }

    /// Drops the half of the keys with the least trusted senders; of equals those whose last event is oldest.
    fn forget_old(&mut self) {
        let age = |notes: &Vec<PartialMatch>| (notes.iter().map(|n| n.trust).max(), notes.last().map(|n| n.at));
        match first_of_young_half(self.keys.iter().map(|(key, notes)| (age(notes), key))) {
            Some(first) => self.keys.retain(|key, notes| (&age(notes), key) >= (&first.0, &first.1)),
            None => self.keys = HashTree::default(),
        }
        self.count = self.keys.iter().map(|(_, notes)| notes.len()).sum();
        self.bytes = self.keys.iter().map(|(key, notes)| weight_of(key, notes)).sum();
    }
}

/// In a journal, the keys of each alarm are a sorted list.
impl Serialize for PartialMatches {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.alarms.sorted().into_iter().map(|(alarm, of)| (alarm, of.keys.sorted())))
    }
}

impl<'de> Deserialize<'de> for PartialMatches {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<PartialMatches, D::Error> {
        let all = BTreeMap::<String, Vec<(Key, Vec<PartialMatch>)>>::deserialize(from)?;
        let mut partial_matches = PartialMatches::default();
        for (alarm, keys) in all {
            let of = partial_matches.alarms.or_default(&alarm);
            for (key, notes) in keys {
                of.count += notes.len();
                of.bytes += weight_of(&key, &notes);
                *of.keys.or_default(&key) = notes;
            }
            partial_matches.count += of.count;
            partial_matches.bytes += of.bytes;
        }
        Ok(partial_matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::base::limits::COUNTED_KEYS;
    use crate::core::event::Trust;

    /// Three alarms invent keys, with little room for all of them together.
    #[test]
    fn notes_of_all_alarms_are_bounded() {
        let mut partial_matches = PartialMatches { most: 100, ..PartialMatches::default() };
        let mut forgot = Vec::new();
        for n in 0..1_000_i64 {
            // Alarm `a` gets four of six events, and alarm `c` only one of each key.
            let (alarm, key) = [("a", n), ("a", n - 1), ("b", n), ("a", n), ("c", n), ("a", n)][usize::try_from(n % 6).unwrap()];
            let note = PartialMatch::new(0, Time::from_millis(n), Trust::Local);
            let key = Key::of([key.to_string()]);
            forgot.extend(partial_matches.add(&alarm.to_owned(), &key, &note, false, None, COUNTED_KEYS));
            assert!(partial_matches.count <= 100);
            assert_eq!(partial_matches.of(alarm, &key).last(), Some(&note), "what has just come is not what is oldest");
            assert_eq!(
                partial_matches.count,
                partial_matches.alarms.iter().flat_map(|(_, of)| of.keys.iter()).map(|(_, notes)| notes.len()).sum::<usize>()
            );
        }
        let bytes = partial_matches
            .alarms
            .iter()
            .flat_map(|(_, of)| of.keys.iter())
            .map(|(key, notes)| weight_of(key, notes))
            .sum::<usize>();
        assert_eq!(partial_matches.bytes(), bytes);
        let mut half = partial_matches.clone();
        half.forget_half(&half.heaviest().unwrap().clone());
        assert!(half.bytes() < bytes);
        // The alarm with most repeatedly loses its older half; in time the others have as many.
        assert_eq!(forgot.first(), Some(&Forgot::Of("a".to_owned())));
        assert!(forgot.iter().all(|f| *f != Forgot::Own) && forgot.len() > 10);
        // Reading it back gives the same partial matches and counts.
        let again: PartialMatches = serde_json::from_str(&serde_json::to_string(&partial_matches).unwrap()).unwrap();
        assert_eq!(PartialMatches { most: 100, ..again }, partial_matches);
        for (alarm, key) in partial_matches.clone().keys() {
            partial_matches.forget(alarm, key);
        }
        assert_eq!(partial_matches, PartialMatches { most: 100, ..PartialMatches::default() });
    }

    /// A single key can have too many as well.
    #[test]
    fn a_single_key_is_bounded() {
        let mut partial_matches = PartialMatches { most: 2, ..PartialMatches::default() };
        let key = Key::of(["k".to_owned()]);
        let mut say = |n| {
            partial_matches.add(
                &"a".to_owned(),
                &key,
                &PartialMatch::new(0, Time::from_millis(n), Trust::Local),
                false,
                None,
                COUNTED_KEYS,
            )
        };
        assert_eq!([say(1), say(2), say(3)], [None, None, Some(Forgot::Of("a".to_owned()))]);
        assert_eq!(partial_matches.keys().count(), 0);
    }
}
