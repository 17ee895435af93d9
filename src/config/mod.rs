//! The configuration: from the file to values that the program uses.
//!
//! Two stages: `raw` mirrors the file, with the place of every value; [`resolved`] holds durations, limits and the
//! settings of each feed, ready for use. [`load`] merges the layers (`config/default.toml` < file < environment <
//! flags). `environment` is the only place that reads the environment. [`edit`] changes `[[feed]]` tables in
//! place.
//!
//! It guarantees that all mistakes are reported in one go, each with file, line, column and what was expected, and
//! that no text it produces contains a secret.

mod access;
mod archive;
pub(crate) mod edit;
mod environment;
mod file;
mod holding;
pub(crate) mod kinds;
mod layers;
mod listed;
mod listen;
pub(crate) mod load;
pub mod names;
mod patterns;
mod places;
mod problem;
mod raw;
mod reader;
mod resolve;
pub(crate) mod resolved;
pub(crate) mod secret;
pub mod show;
mod sources;
mod targets;
mod texts;
mod values;
mod web;
mod web_address;

pub(crate) use archive::ArchiveConfig;
pub(crate) use edit::{EditError, feed_tables, feeds_in, listed_tables, move_feed};
pub use edit::{ImportedFeed, NewFeed, add_feeds, import_feeds, remove_feeds};
pub use environment::Environment;
pub(crate) use file::{FileEdit, edit_file, read};
pub(crate) use kinds::KindSettings;
pub use kinds::TargetKind;
pub(crate) use listed::{move_listed, remove_listed};
pub(crate) use listen::Listen;
pub use load::{Flags, from_text};
pub(crate) use load::{Loaded, from_texts, load};
pub(crate) use places::{ConfigFile, locate};
pub(crate) use problem::{ConfigError, did_you_mean};
pub(crate) use resolved::{
    Config, FeedConfig, FeedKind, FetchConfig, LogConfig, LogFormat, LogLevel, Login, PageConfig,
    PageMode, Proxy, Retention,
};
pub use secret::Secrets;
pub(crate) use secret::{Secret, SecretSource};
pub use show::show;
pub(crate) use show::{ScheduleLine, schedules};
pub(crate) use texts::{ConfigTexts, drop_ins};
pub(crate) use web::{Auth, WebConfig};

/// The embedded `config/default.toml`: defaults, template and reference in one.
pub const DEFAULT_TOML: &str = include_str!("../../config/default.toml");

/// A short configuration to start from, with every line commented out: `init` and the first `add` write it.
pub const STARTER_TOML: &str = include_str!("../../config/starter.toml");
