//! revisor watches feeds and the article pages behind them, keeps every version, and reports what was changed after
//! publication.
//!
#![doc = include_str!("ARCHITECTURE.md")]

pub use revisor_core::{domain, names, time};
pub use revisor_read::{extract, feed};
/// What revisor keeps: the package `revisor-store`.
pub use revisor_store as store;

mod document;

mod report;

mod config;

mod metrics;

mod queries;

mod picture;

mod web;

mod fetch;

mod notify;

mod check;

mod demo;

mod daemon;

mod error;

mod logging;

mod memory;

mod cli;

pub use cli::main;

// For the tests, benchmarks and fuzz targets of this repository.
pub use check::{Reextracted, Reextraction, RoundRequest, Settings, WaitLimit};
pub use config::{
    DEFAULT_TOML, Environment, Flags, ImportedFeed, NewFeed, STARTER_TOML, Secrets, TargetKind,
    add_feeds, from_text, import_feeds, names as feed_names, remove_feeds, show as show_config,
};
pub use daemon::Assembly;
pub use memory::bound_arenas;
pub use notify::{
    Deliverer, Drain, SigningSecret, StoredOutbox, Target, sign, targets, test_event, verify,
};
pub use report::check::CheckReport;
pub use report::guide::TOPICS;
pub use report::{event_text, inspect};
