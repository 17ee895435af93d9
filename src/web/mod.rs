//! The read-only HTTP edge: the web pages and feeds of changes, and `/healthz`, `/readyz` and `/metrics` for
//! monitoring.
//!
//! It accepts GET and HEAD, reads no body, sets no cookie, and is limited in clients, bytes and time: whatever a
//! client does, the service continues. What it reports about the service comes from a [`WebSource`]; the pages are
//! read from the database on separate threads ([`PageThreads`]) and made by [`crate::report::pages`].

mod access;
mod answer;
mod door;
mod pages;
mod readers;
mod route;
mod serve;

use std::future::Future;
use std::sync::Arc;

use crate::config::{Config, FeedConfig};
use crate::time::Timestamp;

pub(crate) use door::Door;
pub(crate) use readers::PageThreads;
pub(crate) use serve::{ClientLimits, serve};

/// The configuration in force.
pub(crate) trait WebSetup: Send + Sync + 'static {
    /// The configuration without its feeds.
    fn config(&self) -> &Config;

    /// The feeds, by their names.
    fn feeds(&self) -> Vec<Arc<FeedConfig>>;

    /// The feed with an address.
    fn feed(&self, url: &str) -> Option<Arc<FeedConfig>>;

    /// The user agent of requests to publishers.
    fn user_agent(&self) -> String;
}

/// Where responses come from.
pub(crate) trait WebSource: Send + Sync + 'static {
    /// Whether the process makes progress; if not, why. For a monitor that would restart it.
    fn health(&self) -> Result<(), String>;

    /// Whether the service does everything that it should; if not, why.
    fn readiness(&self) -> impl Future<Output = Result<(), String>> + Send;

    /// All metrics, in the text format of Prometheus.
    fn metrics(&self) -> impl Future<Output = Result<String, String>> + Send;

    /// The current configuration; a reload changes it.
    fn setup(&self) -> Arc<dyn WebSetup>;

    /// The time.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests;
