//! `revisor config reload`: makes the running service reload the configuration and prints the result. Some errors
//! can only be found by the service, for example in its credentials, or another database.

use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::cli::CommandContext;
use crate::config::Secrets;
use crate::daemon::{ReloadResult, hash_of};
use crate::error::{Error, Exit};
use crate::store::{InstanceLock, Reach};
use crate::time::Stopwatch;

/// The service may wait up to ten seconds for another program that has locked the database.
const PATIENCE: Duration = Duration::from_secs(45);

/// The pause between two checks for the result.
const PAUSE: Duration = Duration::from_millis(20);

pub(super) fn run(context: &mut CommandContext, as_json: bool) -> Result<Exit, Error> {
    let config = context.config(Secrets::WhereThere)?;
    let database = config.database.as_path();
    let service = match InstanceLock::service(database) {
        None => {
            let message = format!(
                "no service is running on the database {}",
                database.display()
            );
            return Err(
                Error::usage(message).hint("the service reads the configuration when it starts")
            );
        }
        Some(Reach::Process(pid)) => i32::try_from(pid).ok().and_then(Pid::from_raw),
        Some(Reach::Elsewhere) => None,
    };
    let Some(service) = service else {
        let message = format!(
            "cannot reach the service on the database {}: no process visible from here holds its lock",
            database.display()
        );
        let hint = "reload where it runs, for instance in its container; it also picks up a changed file by itself within a minute";
        return Err(Error::usage(message).hint(hint));
    };
    let hash = hash_of(config.file.as_deref());
    let before = ReloadResult::last(database);
    kill_process(service, Signal::HUP).map_err(|error| {
        Error::usage("cannot signal the service").because(std::io::Error::from(error))
    })?;
    let Some(outcome) = wait(database, &hash, before.as_ref()) else {
        let message = "the service has not yet reported whether it loaded the configuration";
        return Err(Error::new(Exit::PARTIAL, message).hint("check its log: journalctl -u revisor"));
    };
    if let Some(error) = outcome.error() {
        let message = format!("still using the old configuration: {error}");
        return Err(Error::usage(message));
    }
    if as_json {
        context
            .output
            .json(&json!({ "file": config.file, "in_force": true }))?;
    } else {
        context.output.line("configuration loaded")?;
    }
    Ok(Exit::DONE)
}

/// The result of reloading exactly this file, if it differs from the previous result.
fn wait(database: &Path, hash: &str, before: Option<&ReloadResult>) -> Option<ReloadResult> {
    let since = Stopwatch::start();
    while since.elapsed() < PATIENCE {
        let last = ReloadResult::last(database).filter(|last| last.is_of(hash));
        if last.is_some() && last.as_ref() != before {
            return last;
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a command that only waits, and has no runtime"
        )]
        std::thread::sleep(PAUSE);
    }
    None
}
