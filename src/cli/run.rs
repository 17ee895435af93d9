//! `revisor run`: the daemon, in the foreground.

use std::path::PathBuf;

use super::CommandContext;
use super::logs::LogOptions;
use super::setup::{clock, runtime};
use crate::config::{Config, Environment, Flags, Secrets, load};
use crate::daemon::{Daemon, Reload};
use crate::error::{Error, Exit};

/// Polls of unchanged feeds are cheap; two threads serve thousands of them.
const THREADS: usize = 2;

pub(super) fn run(context: &CommandContext, logs: LogOptions) -> Result<Exit, Error> {
    let config = context.config(Secrets::Required)?;
    let follow = move |config: &Config| {
        if let Err(error) = logs.follow(config.log) {
            tracing::warn!(%error, "keeping the old log settings");
        }
    };
    follow(&config);
    let (file, database): (Option<PathBuf>, Option<PathBuf>) =
        (context.global.config.clone(), context.global.db.clone());
    let read = Box::new(move || {
        let flags = Flags {
            config: file.as_deref(),
            database: database.as_deref(),
        };
        load(flags, &Environment::of_process(), Secrets::Required).map(|loaded| loaded.config)
    });
    let reload = Reload {
        read,
        in_force: Box::new(follow),
    };
    let runtime = runtime(THREADS)?;
    let ended = runtime.block_on(async {
        match Daemon::start(config, reload, clock()).await? {
            Some(daemon) => daemon.run().await,
            None => Ok(()),
        }
    });
    // Stuck parsing must not delay the shutdown: it is repeated after the next start. Nor must a database that is
    // still being opened; uncommitted work is rolled back.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    ended?;
    Ok(Exit::DONE)
}
