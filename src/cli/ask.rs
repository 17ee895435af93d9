//! Work that is handed to the running daemon, and its result.

use std::time::Duration;

use super::CommandContext;
use super::setup::{now, runtime, store_to_write};
use crate::config::Config;
use crate::error::{Error, Exit};
use crate::store::{InstanceLock, RequestState, RequestedWork};
use crate::time::Stopwatch;

/// How often to check whether the daemon is done.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A request that is not picked up within this time is given up: the daemon is stuck or has ended.
const PATIENCE: Duration = Duration::from_mins(5);

/// Words for the messages.
pub(super) struct Asked {
    /// `run the check`
    pub to: &'static str,
    /// `checking`
    pub doing: &'static str,
    /// `revisor check`
    pub command: &'static str,
}

/// Requests work from the daemon, and waits for its result: JSON.
pub(super) fn ask_daemon(
    context: &mut CommandContext,
    config: &Config,
    work: RequestedWork,
    asked: &Asked,
) -> Result<String, Error> {
    let store = store_to_write(config)?;
    let reader = store.reader()?;
    let request = store.writer().request_work(now(), work).blocking()?;
    let mut progress = context.output.progress();
    let watch = Stopwatch::start();
    let runtime = runtime(1)?;
    let answer = loop {
        match reader.request_result(request)? {
            Some(RequestState::Done(answer)) => break answer,
            None => {
                return Err(Error::new(
                    Exit::PARTIAL,
                    format!("the daemon no longer knows the request to {}", asked.to),
                ));
            }
            Some(_) if InstanceLock::holder(&config.database).is_none() => {
                return Err(Error::new(
                    Exit::PARTIAL,
                    format!("the daemon stopped before it could {}", asked.to),
                )
                .hint(format!("run `{}` again", asked.command)));
            }
            Some(RequestState::Waiting) if watch.elapsed() > PATIENCE => {
                return Err(Error::new(
                    Exit::PARTIAL,
                    format!("the daemon has not picked up the request to {}", asked.to),
                )
                .hint("check its log: journalctl -u revisor"));
            }
            Some(RequestState::Waiting | RequestState::Taken) => {
                progress.show(&format!("the daemon is {}", asked.doing));
                runtime.block_on(async { tokio::time::sleep(LOOK_AGAIN).await });
            }
        }
    };
    progress.clear();
    Ok(answer)
}

/// The error for a request that the daemon could not complete, with its reason.
pub(super) fn refused(answer: &str, asked: &Asked) -> Error {
    let value: Option<serde_json::Value> = serde_json::from_str(answer).ok();
    let why = value
        .as_ref()
        .and_then(|value| value["error"].as_str())
        .unwrap_or("no response");
    Error::new(
        Exit::DATABASE,
        format!("the daemon could not {}: {why}", asked.to),
    )
}
