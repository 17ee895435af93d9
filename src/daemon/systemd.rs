//! Notifications to the service manager, with `sd_notify(3)`.
//!
//! Outside of systemd every call does nothing. A socket without a listener is not an error for the service: it is
//! logged at debug level, and work continues. The crate `sd-notify` reads the environment but never changes it, so
//! these functions may be called from any thread.

use std::time::Duration;

use sd_notify::NotifyState;

/// The longest status line; `systemctl status` shows one line.
const MAX_STATUS: usize = 200;

/// Start-up is over: the configuration is read, the database is open, the schedule runs.
pub(super) fn ready(status_text: &str) {
    let status_text = one_line(status_text);
    send(&[NotifyState::Ready, NotifyState::Status(&status_text)]);
}

/// What the service is doing, in one line.
pub(super) fn status(text: &str) {
    send(&[NotifyState::Status(&one_line(text))]);
}

/// The start takes longer than planned: the service manager should wait this much longer, from now on.
pub(super) fn extend(time: Duration) {
    let microseconds = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
    send(&[NotifyState::ExtendTimeoutUsec(microseconds)]);
}

/// A new configuration is being loaded. `ready` must follow, whatever the result. From systemd 253 on, the time
/// must be in the same message, or a `Type=notify-reload` service fails.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(moment) => send(&[NotifyState::Reloading, moment]),
        Err(error) => tracing::warn!(%error, "cannot read the monotonic clock"),
    }
}

/// The service is stopping.
pub(super) fn stopping() {
    send(&[NotifyState::Stopping]);
}

/// The watchdog of the unit, if it has one for this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Watchdog {
    timeout: Duration,
}

impl Watchdog {
    /// Reads `WATCHDOG_USEC` and `WATCHDOG_PID`.
    #[must_use]
    pub(super) fn from_environment() -> Option<Self> {
        sd_notify::watchdog_enabled().map(|timeout| Self { timeout })
    }

    /// The longest interval between calls of [`Self::ping`]: a third of the timeout, so that one may be missed.
    #[must_use]
    pub(super) fn interval(self) -> Duration {
        self.timeout / 3
    }

    /// Reports that the service has made progress. Call it only if it has: a ping from an independent timer would
    /// hide that the schedule or the writer hangs.
    #[expect(
        clippy::unused_self,
        reason = "only who knows that there is a watchdog can feed it"
    )]
    pub(super) fn ping(self) {
        send(&[NotifyState::Watchdog]);
    }
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "cannot notify the service manager");
    }
}

/// A line break would start another message to the service manager.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_STATUS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_cannot_say_anything_else() {
        assert_eq!(one_line("ok\nSTOPPING=1\0"), "ok STOPPING=1 ");
        assert_eq!(one_line(&"x".repeat(1000)).len(), MAX_STATUS);
    }

    #[test]
    fn nothing_happens_without_a_service_manager() {
        #[expect(
            clippy::disallowed_methods,
            reason = "the test runner is told by its environment"
        )]
        let set = |name: &str| std::env::var_os(name).is_some();
        // The tests must not notify a service manager that runs them.
        if set("NOTIFY_SOCKET") || set("WATCHDOG_USEC") {
            return;
        }
        ready("started");
        status("idle");
        extend(Duration::from_secs(30));
        reloading();
        stopping();
        assert_eq!(Watchdog::from_environment(), None);
    }
}
