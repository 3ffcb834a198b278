//! The words that every other module uses: time, names, limits, text safe to show.
//!
//! Knows nothing of events, rules or resources. Pure: no clock is read here; a [`time::Time`] always comes from the caller.

pub mod limits;
pub mod pairs;
pub mod text;
pub mod time;
