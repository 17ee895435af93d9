//! The daemon: starts, polls what is due, delivers, answers wishes, and stops.
//!
//! One loop ([`poll`]) decides what is looked at; everything it starts ends by itself. The watchdog is fed by that
//! loop and by the writer's progress, not by a timer of its own: a daemon that is stuck is restarted.

mod assembly;
mod care;
mod counted;
mod counts;
mod due;
mod file_state;
pub mod heartbeat;
mod needs;
mod outcome;
mod page_queue;
mod patience;
mod poll;
mod progress;
mod run;
mod signals;
mod systemd;
mod watched;

pub use assembly::{Assembly, Synced};
pub use counted::Counted;
pub use outcome::{Outcome, hash_of};
pub use run::{Daemon, DaemonError, Reload};
pub use watched::LATE;
