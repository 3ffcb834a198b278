//! Serializes nested maps whose inner keys are not texts as JSON: lists of pairs.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes each inner map as a list of pairs.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(
    map: &BTreeMap<String, BTreeMap<K, V>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_map(map.iter().map(|(name, inner)| (name, inner.iter().collect::<Vec<_>>())))
}

/// Reads each inner map from a list of pairs.
///
/// # Errors
/// Those of the deserializer.
pub fn deserialize<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, BTreeMap<K, V>>, D::Error> {
    let all = BTreeMap::<String, Vec<(K, V)>>::deserialize(from)?;
    Ok(all.into_iter().map(|(name, inner)| (name, inner.into_iter().collect())).collect())
}
