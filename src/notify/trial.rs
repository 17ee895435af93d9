//! `notify test`: a test event is sent as a real one would be, past the outbox: the answer is wanted now, and once.

use super::deliver::{Deliver, Outgoing};
use super::kinds::DeliveryResult;
use super::payload::test_event;
use super::target::Target;
use crate::domain::event::EventKind;
use crate::report::notify::TestResult;
use crate::time::Timestamp;

/// Sends a test event to a target.
pub(crate) async fn try_target(
    deliverer: &impl Deliver,
    target: &Target,
    event: EventKind,
    now: Timestamp,
) -> TestResult {
    let attempt = deliverer.deliver(target, trial(event, now)).await;
    TestResult {
        target: target.name.clone(),
        ok: attempt.result == DeliveryResult::Delivered,
        status: attempt.status,
        duration_ms: attempt.duration_ms,
        error: attempt.error,
    }
}

/// The result for a target that the running service does not have.
#[must_use]
pub(crate) fn unknown(target: &str) -> TestResult {
    TestResult {
        target: target.to_owned(),
        ok: false,
        status: None,
        duration_ms: 0,
        error: Some("the running service does not have this target yet".to_owned()),
    }
}

/// A test event, as it is sent.
#[must_use]
pub(crate) fn trial(event: EventKind, now: Timestamp) -> Outgoing {
    Outgoing {
        uid: format!("msg_test_{}", now.as_millis()),
        // Serialising an event cannot fail.
        body: serde_json::to_vec(&test_event(event, now)).unwrap_or_default(),
        created: now,
        thread: None,
    }
}
