//! `revisor pause` and `revisor resume`: pause the polling of feeds for a while.

use serde_json::json;

use super::CommandContext;
use super::setup::{clock, now, runtime, store_to_write};
use crate::config::{Config, Secrets};
use crate::daemon::{Assembly, DaemonError};
use crate::domain::ids::FeedId;
use crate::error::{Error, Exit};
use crate::store::{InstanceLock, Store};

#[derive(Clone, Copy, PartialEq, Eq)]
enum PauseAction {
    Pause,
    Resume,
}

pub(super) fn pause(context: &mut CommandContext, feeds: &[String]) -> Result<Exit, Error> {
    run(context, feeds, PauseAction::Pause)
}

pub(super) fn resume(context: &mut CommandContext, feeds: &[String]) -> Result<Exit, Error> {
    run(context, feeds, PauseAction::Resume)
}

fn run(context: &mut CommandContext, feeds: &[String], wish: PauseAction) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let config = context.config(Secrets::WhereReadable)?;
    let mut named: Vec<(String, String)> = Vec::new();
    // All or none: a misspelt name changes nothing.
    for name in feeds {
        let feed = config.feed(name).ok_or_else(|| {
            Error::usage(format!("no feed `{name}` in the configuration"))
                .hint("`revisor feeds` lists them; nothing has changed")
        })?;
        if !named.iter().any(|(url, _)| *url == feed.url) {
            named.push((feed.url.clone(), feed.name.clone()));
        }
    }
    let daemon = InstanceLock::holder(&config.database);
    if daemon.is_none() {
        take_up(&config, &named)?;
    }
    let store = store_to_write(&config)?;
    let done = apply(&store, &named, wish);
    store.close()?;
    done?;
    let names: Vec<&str> = named.iter().map(|(_, name)| name.as_str()).collect();
    let (key, done) = match wish {
        PauseAction::Pause => ("paused", "Paused"),
        PauseAction::Resume => ("resumed", "Resumed"),
    };
    if as_json {
        context.output.json(&json!({ key: names }))?;
    } else {
        for name in names {
            context.output.line(&format!("{done} {name}."))?;
        }
    }
    if wish == PauseAction::Resume {
        match daemon {
            Some(pid) => context
                .output
                .note(&format!("the daemon (pid {pid}) checks within a minute")),
            None => context.output.hint("`revisor check` checks now"),
        }
    }
    Ok(Exit::DONE)
}

/// Adds feeds that are new in the configuration to the database, as every start does, if one of the named feeds is
/// among them.
fn take_up(config: &Config, named: &[(String, String)]) -> Result<(), Error> {
    if let Some(reader) = super::setup::reader_if_any(config)? {
        let mut all = true;
        for (url, _) in named {
            all &= reader.feed_by_url(url)?.is_some_and(|feed| feed.active);
        }
        if all {
            return Ok(());
        }
    }
    let config = config.clone();
    let runtime = runtime(1)?;
    runtime.block_on(async {
        Assembly::open(config, clock()).await?.close().await?;
        Ok::<_, DaemonError>(())
    })?;
    Ok(())
}

fn apply(store: &Store, named: &[(String, String)], wish: PauseAction) -> Result<(), Error> {
    let reader = store.reader()?;
    let mut ids: Vec<FeedId> = Vec::with_capacity(named.len());
    for (url, name) in named {
        let row = reader.feed_by_url(url)?.ok_or_else(|| {
            Error::usage(format!(
                "{name} is new, and the daemon has not picked it up yet"
            ))
            .hint("try again in a minute")
        })?;
        ids.push(row.id);
    }
    let (writer, now) = (store.writer(), now());
    for id in ids {
        match wish {
            PauseAction::Pause => writer.pause_feed(id, now).blocking()?,
            PauseAction::Resume => writer.resume_feed(id, now).blocking()?,
        };
    }
    Ok(())
}
