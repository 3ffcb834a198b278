//! The system log of this machine.

use crate::core::base::limits::NOTIFICATION_LINE;
use crate::core::notifications::{Notification, Undelivered};

use super::attempt::later;

pub(super) fn send(notification: &Notification) -> Result<(), Undelivered> {
    let formatter = syslog::Formatter3164 {
        facility: syslog::Facility::LOG_DAEMON,
        hostname: None,
        process: "pointsman".to_owned(),
        pid: std::process::id(),
    };
    let mut logger = syslog::unix(formatter).map_err(|e| later(format!("the system log can't be reached: {e}")))?;
    let line = notification.line(NOTIFICATION_LINE);
    logger.notice(line).map_err(|e| later(format!("the system log refused it: {e}")))
}
