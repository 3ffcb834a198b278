//! What conditions of several events have noted, by alarm and key, and its two bounds: keys of an alarm, events of all alarms.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::limits::NOTED_EVENTS;
use crate::base::time::Time;

use super::record::{Key, Note};
use super::state::forget_old_half;

/// What was noted and not forgotten. No key is without a note, no alarm without a key, and the notes of a key are in order of time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Noted {
    /// By the sum of the name; of several with one sum, by name.
    alarms: BTreeMap<u64, Vec<(String, OfAlarm)>>,
    /// All notes.
    count: usize,
    /// So many notes at most. Tests set less.
    most: usize,
}

/// A key behind a sum of it. In a map of many the sums lie side by side, so a look-up goes to the memory of one key and not of
/// dozens; keys of equal sums are told apart as ever. The order is nobody's affair: nothing is put out in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Summed(u64, Key);

impl Summed {
    /// By FNV-1a, with a byte between values that no text has.
    fn of(key: &Key) -> Summed {
        Summed(sum(key.0.iter().flat_map(|value| value.bytes().chain([0xff]))), key.clone())
    }
}

fn sum(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |sum: u64, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What was noted for one alarm.
#[derive(Clone, Debug, Default, PartialEq)]
struct OfAlarm {
    keys: BTreeMap<Summed, Vec<Note>>,
    /// Its notes.
    count: usize,
}

/// Notes were forgotten because there were too many: by the half of the keys whose last note is oldest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Forgot {
    /// Of the alarm that had one key too many.
    Own,
    /// Of the alarm that has most notes, because all have too many.
    Of(String),
}

impl Default for Noted {
    fn default() -> Noted {
        Noted { alarms: BTreeMap::new(), count: 0, most: NOTED_EVENTS }
    }
}

impl Noted {
    /// What was noted of a key.
    pub(super) fn of(&self, alarm: &str, key: &Key) -> &[Note] {
        let of = self.alarms.get(&sum(alarm.bytes())).into_iter().flatten().find(|(name, _)| name == alarm);
        of.and_then(|(_, of)| of.keys.get(&Summed::of(key))).map_or(&[], Vec::as_slice)
    }

    fn alarms(&self) -> impl Iterator<Item = (&String, &OfAlarm)> {
        self.alarms.values().flatten().map(|(alarm, of)| (alarm, of))
    }

    /// An alarm without keys is not kept.
    fn drop_if_empty(&mut self, alarm: &str) {
        let sum = sum(alarm.bytes());
        if let Some(all) = self.alarms.get_mut(&sum) {
            all.retain(|(_, of)| !of.keys.is_empty());
            if all.is_empty() {
                self.alarms.remove(&sum);
            }
        }
    }

    /// The keys for which something was noted, with their alarms.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&str, &Key)> {
        self.alarms().flat_map(|(alarm, of)| of.keys.keys().map(move |Summed(_, key)| (alarm.as_str(), key)))
    }

    /// Notes an event. `alone`: it stands for all of its part with its value. What lies before `since` counts no more; an
    /// alarm has so many keys at most.
    pub(super) fn note(
        &mut self,
        alarm: &str,
        key: &Key,
        note: &Note,
        alone: bool,
        since: Option<Time>,
        keys: usize,
    ) -> Option<Forgot> {
        let named = self.alarms.entry(sum(alarm.bytes())).or_default();
        let place = named.iter().position(|(name, _)| name == alarm).unwrap_or_else(|| {
            named.push((alarm.to_owned(), OfAlarm::default()));
            named.len() - 1
        });
        let (_, of) = named.get_mut(place)?;
        let before = of.count;
        of.note(key, note, alone, since);
        self.count = self.count - before + of.count;
        if of.keys.len() > keys {
            self.count -= of.forget_old();
            return Some(Forgot::Own);
        }
        if self.count > self.most {
            // Of equals the last by name.
            let all = self.alarms.values_mut().flatten();
            let (alarm, of) = all.max_by(|(a, x), (b, y)| (x.count, a).cmp(&(y.count, b)))?;
            self.count -= of.forget_old();
            let alarm = alarm.clone();
            self.drop_if_empty(&alarm);
            return Some(Forgot::Of(alarm));
        }
        None
    }

    /// Forgets what was noted of a key.
    pub(super) fn forget(&mut self, alarm: &str, key: &Key) {
        let named = self.alarms.get_mut(&sum(alarm.bytes())).into_iter().flatten();
        let Some((_, of)) = named.into_iter().find(|(name, _)| name == alarm) else { return };
        let notes = of.keys.remove(&Summed::of(key)).map_or(0, |notes| notes.len());
        of.count -= notes;
        self.count -= notes;
        if of.keys.is_empty() {
            self.drop_if_empty(alarm);
        }
    }
}

impl OfAlarm {
    fn note(&mut self, key: &Key, note: &Note, alone: bool, since: Option<Time>) {
        let key = Summed::of(key);
        let Some(notes) = self.keys.get_mut(&key) else {
            // Most keys are seen once: room for one note, not for the four that a growing list begins with.
            self.keys.insert(key, Vec::from([note.clone()]));
            self.count += 1;
            return;
        };
        let before = notes.len();
        let stood_for = |n: &Note| alone && n.part == note.part && n.value == note.value;
        notes.retain(|n| since.is_none_or(|since| n.at >= since) && !stood_for(n));
        let place = notes.partition_point(|n| n.at <= note.at);
        notes.insert(place, note.clone());
        self.count = self.count + notes.len() - before;
    }

    /// Forgets the half of the keys whose last note is oldest; returns how many notes that were.
    fn forget_old(&mut self) -> usize {
        forget_old_half(&mut self.keys, |notes| notes.last().map(|n| n.at));
        let before = self.count;
        self.count = self.keys.values().map(Vec::len).sum();
        before - self.count
    }
}

/// As a journal has it: the keys of each alarm as a sorted list.
impl Serialize for Noted {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut alarms: Vec<_> = self.alarms().collect();
        alarms.sort_by_key(|(alarm, _)| *alarm);
        to.collect_map(alarms.into_iter().map(|(alarm, of)| {
            let mut keys: Vec<(&Key, &Vec<Note>)> = of.keys.iter().map(|(Summed(_, key), notes)| (key, notes)).collect();
            keys.sort_by_key(|(key, _)| *key);
            (alarm, keys)
        }))
    }
}

impl<'de> Deserialize<'de> for Noted {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Noted, D::Error> {
        let all = BTreeMap::<String, Vec<(Key, Vec<Note>)>>::deserialize(from)?;
        let of = |keys: Vec<(Key, Vec<Note>)>| OfAlarm {
            count: keys.iter().map(|(_, notes)| notes.len()).sum(),
            keys: keys.into_iter().map(|(key, notes)| (Summed::of(&key), notes)).collect(),
        };
        let mut noted = Noted::default();
        for (alarm, keys) in all {
            let of = of(keys);
            noted.count += of.count;
            noted.alarms.entry(sum(alarm.bytes())).or_default().push((alarm, of));
        }
        Ok(noted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::COUNTED_KEYS;
    use crate::event::Provenance;

    /// Three alarms that invent keys, with little room for all of them together.
    #[test]
    fn notes_of_all_alarms_are_bounded() {
        let mut noted = Noted { most: 100, ..Noted::default() };
        let mut forgot = Vec::new();
        for n in 0..1_000_i64 {
            // Alarm a gets four of six events, and alarm c but one of each key.
            let (alarm, key) = [("a", n), ("a", n - 1), ("b", n), ("a", n), ("c", n), ("a", n)][usize::try_from(n % 6).unwrap()];
            let note = Note { part: 0, at: Time::from_millis(n), value: None, seen: None, known: Provenance::Local };
            let key = Key([key.to_string()].into());
            forgot.extend(noted.note(alarm, &key, &note, false, None, COUNTED_KEYS));
            assert!(noted.count <= 100);
            assert_eq!(noted.of(alarm, &key).last(), Some(&note), "what has just come is not what is oldest");
            assert_eq!(noted.count, noted.alarms().flat_map(|(_, of)| of.keys.values()).map(Vec::len).sum::<usize>());
        }
        // The alarm that has most goes on losing its older half; the others come to as much in time.
        assert_eq!(forgot.first(), Some(&Forgot::Of("a".to_owned())));
        assert!(forgot.iter().all(|f| *f != Forgot::Own) && forgot.len() > 10);
        // Read back it is the same, with its counts.
        let again: Noted = serde_json::from_str(&serde_json::to_string(&noted).unwrap()).unwrap();
        assert_eq!(Noted { most: 100, ..again }, noted);
        for (alarm, key) in noted.clone().keys() {
            noted.forget(alarm, key);
        }
        assert_eq!(noted, Noted { most: 100, ..Noted::default() });
    }

    /// One key alone may be too much, too.
    #[test]
    fn a_single_key_is_bounded() {
        let mut noted = Noted { most: 2, ..Noted::default() };
        let key = Key(["k".to_owned()].into());
        let mut say = |n| {
            noted.note(
                "a",
                &key,
                &Note { part: 0, at: Time::from_millis(n), value: None, seen: None, known: Provenance::Local },
                false,
                None,
                COUNTED_KEYS,
            )
        };
        assert_eq!([say(1), say(2), say(3)], [None, None, Some(Forgot::Of("a".to_owned()))]);
        assert_eq!(noted.keys().count(), 0);
    }
}
