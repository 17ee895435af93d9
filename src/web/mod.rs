//! The read-only HTTP edge: `/healthz`, `/readyz` and `/metrics` for those who watch the service.
//!
//! It is reached from this machine only, answers GET and HEAD, reads no body, and is bounded in clients, bytes and
//! time: whatever a client does, the service goes on. What it answers comes from a [`Source`].

mod answer;
mod door;
mod serve;

use std::future::Future;

pub use door::Door;
pub use serve::{Limits, serve};

/// What is answered.
pub trait Source: Send + Sync + 'static {
    /// Whether the process gets on with its work; if not, why. Asked by who would restart it.
    fn health(&self) -> Result<(), String>;

    /// Whether the service does all that it should; if not, why.
    fn readiness(&self) -> impl Future<Output = Result<(), String>> + Send;

    /// All metrics, in the text format of Prometheus.
    fn metrics(&self) -> impl Future<Output = Result<String, String>> + Send;
}

#[cfg(test)]
mod tests;
