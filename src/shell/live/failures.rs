//! What fails on a host, for its log: the same failure of a task in a row is logged once.

use std::collections::BTreeMap;

use crate::core::agent::Operation;
use crate::core::inventory::Name;

/// A task on a host that may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HostTask {
    Observe,
    Add,
    Remove,
    /// To remove an address that is not listed any more.
    Leave,
    /// To announce an address to the neighbours.
    Announce,
    /// To ask whether a neighbour has the address.
    Probe,
    /// To send an echo request to each witness.
    Ping,
}

impl From<Operation> for HostTask {
    fn from(operation: Operation) -> HostTask {
        match operation {
            Operation::Observe => HostTask::Observe,
            Operation::Add { .. } => HostTask::Add,
            Operation::Remove => HostTask::Remove,
        }
    }
}

/// The last result of each task that failed, for each resource.
#[derive(Debug, Default)]
pub(super) struct Failures(BTreeMap<(Name, HostTask), String>);

impl Failures {
    /// Returns true if the task failed, and not in the same way as the last time. After a success, each failure is a new one.
    pub(super) fn is_new(&mut self, resource: &Name, task: HostTask, failed: Option<&str>) -> bool {
        let key = (resource.clone(), task);
        match failed {
            Some(why) => self.0.insert(key, why.to_owned()).is_none_or(|before| before != why),
            None => {
                self.0.remove(&key);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_new_again_after_the_task_succeeded() {
        let (mut failures, vip) = (Failures::default(), "vip".to_owned());
        let add = HostTask::Add;
        let mut is_new = |task, failed| failures.is_new(&vip, task, failed);
        assert!(is_new(add, Some("no such device")));
        assert!(!is_new(add, Some("no such device")));
        assert!(is_new(add, Some("not permitted")));
        assert!(!is_new(HostTask::Observe, None), "another task succeeded");
        assert!(!is_new(add, Some("not permitted")));
        assert!(!is_new(add, None));
        assert!(is_new(add, Some("not permitted")));
    }
}
