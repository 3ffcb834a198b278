//! The controller's own log.

use crate::core::base::limits::NOTIFICATION_LINE;
use crate::core::notifications::{Notification, Undelivered};

pub(super) fn send(notification: &Notification) -> Result<(), Undelivered> {
    tracing::info!(channel = notification.channel, "{}", notification.line(NOTIFICATION_LINE));
    Ok(())
}
