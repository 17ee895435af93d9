//! Attempts to deliver, counted.

use std::time::Duration;

use crate::metrics::Metrics;
use crate::notify::{Attempt, Deliver, DeliveryResult, Target};

/// Delivers by another one, and counts what becomes of it.
pub struct Counted<D> {
    by: D,
    metrics: Metrics,
}

impl<D> Counted<D> {
    /// Counts into `metrics`.
    pub fn new(by: D, metrics: Metrics) -> Self {
        Self { by, metrics }
    }
}

impl<D: Deliver> Deliver for Counted<D> {
    async fn deliver(&self, target: &Target, uid: &str, body: Vec<u8>) -> Attempt {
        let attempt = self.by.deliver(target, uid, body).await;
        let result = match attempt.result {
            DeliveryResult::Delivered => "delivered",
            DeliveryResult::Retry { .. } => "failed",
            DeliveryResult::Disabled => "disabled",
            DeliveryResult::Dead => "impossible",
        };
        let took = Duration::from_millis(attempt.duration_ms);
        self.metrics.attempted(&target.name, result, took);
        attempt
    }
}
