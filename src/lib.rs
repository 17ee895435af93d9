//! revisor watches feeds and the article pages behind them, keeps every version, and reports what was changed after
//! publication.
//!
#![doc = include_str!("ARCHITECTURE.md")]

pub use revisor_core::{domain, names, time};
pub use revisor_read::{extract, feed};
/// What revisor keeps: the package `revisor-store`.
pub use revisor_store as store;

pub mod document;

pub mod report;

pub mod config;

pub mod metrics;

pub mod queries;

pub mod web;

pub mod fetch;

pub mod notify;

pub mod check;

pub mod demo;

pub mod daemon;

pub mod error;

pub mod logging;

pub mod memory;

pub mod cli;
