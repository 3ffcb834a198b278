//! What monitoring systems see of a controller and of an agent: counters, gauges and durations.
//!
//! ```text
//!   Output, Record --> ControllerCounts (counted by the deciding thread) --+
//!   Controller, Inventory ----> controller_state ---------------------------+--> Samples --> text for Prometheus, JSON for `top`
//!   agent::Output, AgentState --> AgentCounts ------------------------------+
//! ```
//!
//! Pure: the shell adds what it knows (sources, queues, the process). This module does not know HTTP. Tests: below and
//! `tests/it/metrics.rs`.

mod agent;
mod counts;
mod declared;
mod histogram;
mod latency;
mod samples;
mod state;

pub use agent::AgentCounts;
pub use counts::ControllerCounts;
pub use declared::{MetricId, MetricKind, MetricOf, reference};
pub use histogram::Histogram;
pub use samples::Samples;
pub use state::controller_state;
