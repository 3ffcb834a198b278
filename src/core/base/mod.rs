//! The basic types of all other modules: time, names, limits, text that is safe to show.
//!
//! This module does not know events, rules or resources. It has no side effects and reads no clock; the caller passes each
//! [`time::Time`].

pub mod limits;
pub mod network;
pub mod pairs;
pub mod shift;
pub mod text;
pub mod time;
pub mod zone;

/// The engine allocates and frees many small objects: this allocator needs half the time of the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
