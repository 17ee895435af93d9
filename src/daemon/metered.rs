//! Counts delivery attempts.

use std::time::Duration;

use crate::metrics::Metrics;
use crate::notify::{Attempt, Deliver, DeliveryResult, Outgoing, Target};

/// Delivers through another deliverer and counts the results.
pub struct Counted<D> {
    by: D,
    metrics: Metrics,
}

impl<D> Counted<D> {
    /// Counts in `metrics`.
    pub fn new(by: D, metrics: Metrics) -> Self {
        Self { by, metrics }
    }
}

impl<D: Deliver> Deliver for Counted<D> {
    async fn deliver(&self, target: &Target, outgoing: Outgoing) -> Attempt {
        let attempt = self.by.deliver(target, outgoing).await;
        let result = match attempt.result {
            DeliveryResult::Delivered => "delivered",
            DeliveryResult::Retry { .. } => "failed",
            DeliveryResult::Disabled(_) => "disabled",
            DeliveryResult::Dead => "impossible",
        };
        let took = Duration::from_millis(attempt.duration_ms);
        self.metrics.attempted(&target.name, result, took);
        attempt
    }
}
