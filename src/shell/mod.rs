//! Everything that touches the outside: files, sockets, clocks, threads and the kernel, around the pure [`crate::core`].
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the shell is the one place that reads clocks, files and sockets; the core gets values"
)]

pub mod budget;
pub mod channels;
pub mod command;
pub mod handshakes;
pub mod linux;
pub mod live;
pub mod monitoring;
pub mod site_files;
pub mod sources;
pub mod store;
pub mod tls;
