//! The words that every other module uses: time, names, limits, text safe to show.
//!
//! Knows nothing of events, rules or resources. Pure: no clock is read here; a [`time::Time`] always comes from the caller.

pub mod limits;
pub mod network;
pub mod pairs;
pub mod shift;
pub mod text;
pub mod time;
pub mod zone;

/// The engine makes and drops many small things: a library's allocator does that in half the time of the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
