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
pub mod edit;
mod environment;
mod file;
mod holding;
pub mod kinds;
mod listed;
mod listen;
pub mod load;
pub mod names;
mod patterns;
mod places;
mod problem;
mod raw;
mod reader;
mod resolve;
pub mod resolved;
pub mod secret;
pub mod show;
mod sources;
mod targets;
mod texts;
mod values;
mod web;
mod web_address;

pub use archive::ArchiveConfig;
pub use edit::{
    EditError, ImportedFeed, NewFeed, add_feeds, feed_tables, feeds_in, import_feeds,
    listed_tables, move_feed, remove_feeds,
};
pub use environment::Environment;
pub use file::{FileEdit, edit_file, read};
pub use kinds::{KindSettings, Setting, TargetKind};
pub use listed::{move_listed, remove_listed};
pub use listen::Listen;
pub use load::{Flags, Loaded, from_text, from_texts, load};
pub use places::{ConfigFile, ConfigOrigin, locate};
pub use problem::{ConfigError, Problem, did_you_mean};
pub use resolved::{
    Access, Config, DetectConfig, FeedConfig, FeedKind, FetchConfig, HeaderConfig, Keep, LogConfig,
    LogFormat, LogLevel, Login, PageConfig, PageMode, Proxy, Retention, TargetConfig,
};
pub use secret::{Secret, SecretSource, Secrets};
pub use show::{ScheduleLine, schedules, show};
pub use texts::{ConfigTexts, drop_in_folder, drop_ins};
pub use web::{Auth, WebConfig};

/// The embedded `config/default.toml`: defaults, template and reference in one.
pub const DEFAULT_TOML: &str = include_str!("../../config/default.toml");

/// A short configuration to start from, with every line commented out: `init` and the first `add` write it.
pub const STARTER_TOML: &str = include_str!("../../config/starter.toml");
