//! The daemon: starts, polls what is due, delivers events, handles requests from the command line, and stops.
//!
//! One loop ([`poll`]) decides what is checked; everything it starts ends by itself. The watchdog is notified by
//! the progress of that loop and of the writer, not by a timer of its own, so that a stuck daemon is restarted.

mod archive;
mod assembly;
mod counts;
mod due;
mod file_state;
mod health;
pub(crate) mod heartbeat;
mod maintenance;
mod metered;
mod page_queue;
mod poll;
mod reload_result;
mod repair_log;
mod run;
mod signals;
mod startup_wait;
mod systemd;
mod watchdog;

pub use assembly::Assembly;
pub(crate) use assembly::Synced;
pub(crate) use health::LATE;
pub(crate) use reload_result::{ReloadResult, hash_of};
pub(crate) use run::{Daemon, DaemonError, Reload};
