//! The daemon: starts, polls what is due, delivers, answers wishes, and stops.
//!
//! One loop ([`poll`]) decides what is looked at; everything it starts ends by itself. The watchdog is fed by that
//! loop and by the writer's progress, not by a timer of its own: a daemon that is stuck is restarted.

mod archive;
mod assembly;
mod counts;
mod due;
mod file_state;
mod health;
pub mod heartbeat;
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

pub use assembly::{Assembly, Synced};
pub use health::LATE;
pub use metered::Counted;
pub use reload_result::{Outcome, hash_of};
pub use run::{Daemon, DaemonError, Reload};
