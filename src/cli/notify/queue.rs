//! The queues of the targets: retry, replay, skip, pause and resume.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::known;
use crate::cli::CommandContext;
use crate::cli::args::{NotifyReleaseArgs, NotifyReplayArgs, NotifyRetryArgs, NotifySkipArgs};
use crate::cli::select::moment;
use crate::cli::setup::{clock, now, reader_if_any, runtime, store_to_write};
use crate::config::{Config, Secrets};
use crate::daemon::{Assembly, DaemonError};
use crate::domain::ids::{ChangeNumber, DeliveryId, EventId};
use crate::error::{Error, Exit};
use crate::notify::DrainSummary;
use crate::report::{clean, notify};
use crate::store::{DeliveryRow, InstanceLock, Reader, ReplaySpan, Retry, Writer};

/// Makes deliveries due, and returns how many.
type MakeDue = Box<dyn FnOnce(&Reader, &Writer) -> Result<u64, Error> + Send>;

pub(super) fn retry(context: &mut CommandContext, args: &NotifyRetryArgs) -> Result<Exit, Error> {
    let config = context.config_to_work()?;
    let names = chosen(args.target.as_slice(), &config)?;
    let events = args.events.clone();
    send(
        context,
        config,
        "retried",
        notify::retried,
        Box::new(move |reader, writer| match names.as_slice() {
            [target] if !events.is_empty() => {
                let deliveries = named(reader, target, &events)?;
                let mut count = 0;
                for delivery in deliveries {
                    count += writer.retry(Retry::Delivery(delivery)).blocking()? as u64;
                }
                Ok(count)
            }
            _ => retry_all(reader, writer, &names),
        }),
    )
}

pub(super) fn skip(context: &mut CommandContext, args: &NotifySkipArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let config = context.config(Secrets::WhereReadable)?;
    let names = chosen(std::slice::from_ref(&args.target), &config)?;
    let daemon = InstanceLock::holder(&config.database);
    take_up(&config, &names, daemon.is_some())?;
    let store = store_to_write(&config)?;
    let reader = store.reader()?;
    let deliveries = if args.events.is_empty() {
        let first = reader.first_in_order(&args.target)?;
        first.into_iter().map(|delivery| delivery.id).collect()
    } else {
        named(&reader, &args.target, &args.events)?
    };
    let skipped = store.writer().skip(deliveries, now()).blocking()? as u64;
    store.close()?;
    let exit = told(
        context,
        as_json,
        "skipped",
        &notify::skipped(skipped),
        skipped,
    )?;
    if skipped > 0 && !as_json {
        context.output.hint(&format!(
            "to send a skipped event after all, run `revisor notify retry {} EVENT`",
            args.target
        ));
    }
    Ok(exit)
}

/// The deliveries of events to a target, by webhook-ids (`msg_…`) and numbers of changes (`#412`).
fn named(reader: &Reader, target: &str, events: &[String]) -> Result<Vec<DeliveryId>, Error> {
    let mut deliveries = Vec::with_capacity(events.len());
    for name in events {
        let event = find(reader, name)?;
        let of_event = match event {
            Some(event) => reader.deliveries_of(event)?,
            None => Vec::new(),
        };
        let found = of_event.into_iter().find(|row| row.target == target);
        let Some(found) = found else {
            return Err(
                Error::usage(format!("no delivery of event {name} to {target}")).hint(
                    "give its webhook-id (msg_…) or the number of its change; \
                     `revisor notify list` lists the refused ones",
                ),
            );
        };
        deliveries.push(found.id);
    }
    Ok(deliveries)
}

/// The event of a change number (`412`, `#412`) or webhook-id.
fn find(reader: &Reader, name: &str) -> Result<Option<EventId>, Error> {
    Ok(match name.trim_start_matches('#').parse::<i64>() {
        Ok(number) => reader.event_of_change(ChangeNumber(number))?,
        Err(_) => reader.event_by_uid(name)?.map(|stored| stored.id),
    })
}

/// Like [`find`], but the event must exist.
pub(super) fn event(reader: &Reader, name: &str) -> Result<EventId, Error> {
    find(reader, name)?.ok_or_else(|| {
        Error::usage(format!("no event {name}"))
            .hint("give the number of a change, or a webhook-id (msg_…)")
    })
}

/// The maximum number of posts that are listed or released in one go.
const MOST_HELD: usize = 1000;

pub(super) fn release(
    context: &mut CommandContext,
    args: &NotifyReleaseArgs,
) -> Result<Exit, Error> {
    let config = context.config_to_work()?;
    if let Some(target) = &args.target {
        known(target, &config)?;
    }
    let held = match reader_if_any(&config)? {
        Some(reader) => reader.held(args.target.as_deref(), MOST_HELD)?,
        None => Vec::new(),
    };
    if !args.all && args.events.is_empty() {
        return list_held(context, &held);
    }
    let mut chosen = Vec::new();
    for name in &args.events {
        let number = name.trim_start_matches('#').parse().ok().map(ChangeNumber);
        let found = held
            .iter()
            .filter(|row| row.uid == *name || (number.is_some() && row.change == number));
        let before = chosen.len();
        chosen.extend(found.map(|row| row.id));
        if chosen.len() == before {
            return Err(
                Error::usage(format!("no post of event {name} waits for confirmation"))
                    .hint("`revisor notify release` lists those that do"),
            );
        }
    }
    if args.all {
        chosen = held.iter().map(|row| row.id).collect();
    }
    send(
        context,
        config,
        "released",
        notify::released,
        Box::new(move |_, writer| Ok(writer.release_held(chosen).blocking()? as u64)),
    )
}

fn list_held(context: &mut CommandContext, held: &[DeliveryRow]) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    if as_json {
        let rows: Vec<_> = held
            .iter()
            .map(|row| json!({"target": row.target, "event": row.uid, "change": row.change, "created": row.created}))
            .collect();
        context.output.json(&rows)?;
    } else if held.is_empty() {
        context.output.note("no posts wait for confirmation");
    } else {
        for row in held {
            let change = row
                .change
                .map(|number| format!("#{number}"))
                .unwrap_or_default();
            context.output.line(&format!(
                "{}  {change}  {}",
                clean::line(&row.target),
                row.uid
            ))?;
        }
        context.output.hint(
            "`revisor notify release NUMBER` sends one; `revisor show NUMBER` shows the change",
        );
    }
    Ok(Exit::DONE)
}

pub(super) fn replay(context: &mut CommandContext, args: &NotifyReplayArgs) -> Result<Exit, Error> {
    let config = context.config_to_work()?;
    let names = chosen(&args.targets, &config)?;
    let span = ReplaySpan {
        since: moment("--since", Some(&args.since), &config)?.unwrap_or_default(),
        until: moment("--until", args.until.as_deref(), &config)?,
    };
    if span.until.is_some_and(|until| until <= span.since) {
        return Err(Error::usage("--until is not after --since"));
    }
    let reader = reader_if_any(&config)?;
    if args.dry_run || reader.is_none() {
        let as_json = context.wants_json()?;
        let mut count = 0;
        if let Some(reader) = reader {
            for name in &names {
                count += reader.replayable(name, span)?;
            }
        }
        return told(
            context,
            as_json,
            "replayed",
            &notify::would_replay(count),
            count,
        );
    }
    if let Some(reader) = reader {
        for target in reader.targets()? {
            let waits = target.disabled.is_some() || target.paused.is_some();
            if waits && names.contains(&target.name) {
                context.output.warning(&format!(
                    "{} is paused or disabled; replayed events stay queued until `revisor notify resume`",
                    target.name
                ));
            }
        }
    }
    send(
        context,
        config,
        "replayed",
        notify::replayed,
        Box::new(move |_, writer| {
            let mut count = 0;
            for name in &names {
                count += writer.replay(name, span).blocking()? as u64;
            }
            Ok(count)
        }),
    )
}

pub(super) fn pause(context: &mut CommandContext, targets: &[String]) -> Result<Exit, Error> {
    hold(context, targets, true)
}

pub(super) fn resume(context: &mut CommandContext, targets: &[String]) -> Result<Exit, Error> {
    hold(context, targets, false)
}

fn hold(context: &mut CommandContext, targets: &[String], pause: bool) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let config = context.config(Secrets::WhereReadable)?;
    // All or none: a misspelt name changes nothing.
    let names = chosen(targets, &config)?;
    let daemon = InstanceLock::holder(&config.database);
    take_up(&config, &names, daemon.is_some())?;
    let store = store_to_write(&config)?;
    let before = store.reader()?.target_health()?;
    for name in &names {
        if pause {
            store.writer().pause_target(name, now()).blocking()?;
        } else {
            store.writer().resume_target(name).blocking()?;
        }
    }
    store.close()?;
    if as_json {
        let key = if pause { "paused" } else { "resumed" };
        context.output.json(&json!({ key: names }))?;
        return Ok(Exit::DONE);
    }
    for name in &names {
        let known = before.iter().find(|health| health.target.name == *name);
        let disabled = known.is_some_and(|health| health.target.disabled.is_some());
        if pause {
            context.output.line(&format!(
                "Paused {name}; its alerts are queued until it is resumed"
            ))?;
        } else {
            let open = known.map_or(0, |health| health.open);
            context.output.line(&notify::resumed(name, open))?;
            if disabled {
                context.output.hint(&format!(
                    "to send what it missed while it was disabled, run `revisor notify retry {name}`"
                ));
            }
        }
    }
    if !pause {
        match daemon {
            Some(pid) => context
                .output
                .note(&format!("the daemon (pid {pid}) sends within a minute")),
            None => context
                .output
                .hint("`revisor notify retry` or the next `revisor check` sends them"),
        }
    }
    Ok(Exit::DONE)
}

/// The named targets, without duplicates; all targets if none is named.
fn chosen(names: &[String], config: &Config) -> Result<Vec<String>, Error> {
    let mut chosen: Vec<String> = Vec::new();
    for name in names {
        known(name, config)?;
        if !chosen.contains(name) {
            chosen.push(name.clone());
        }
    }
    if names.is_empty() {
        chosen.extend(config.targets.iter().map(|target| target.name.clone()));
    }
    Ok(chosen)
}

/// Adds targets that are new in the configuration to the database, as every start does.
fn take_up(config: &Config, names: &[String], daemon: bool) -> Result<(), Error> {
    let stored = match reader_if_any(config)? {
        Some(reader) => reader.targets()?,
        None => Vec::new(),
    };
    let new = names
        .iter()
        .find(|name| !stored.iter().any(|target| target.name == **name));
    match new {
        None => Ok(()),
        Some(name) if daemon => Err(Error::usage(format!(
            "{name} is new, and the daemon has not picked it up yet"
        ))
        .hint("try again in a minute")),
        Some(_) => {
            let config = config.clone();
            runtime(1)?.block_on(async {
                Assembly::open(config, clock()).await?.close().await?;
                Ok::<_, DaemonError>(())
            })?;
            Ok(())
        }
    }
}

/// Makes deliveries due, and sends them from this process unless a daemon is running.
fn send(
    context: &mut CommandContext,
    config: Config,
    key: &str,
    say: fn(u64) -> String,
    make_due: MakeDue,
) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    if let Some(pid) = InstanceLock::holder(&config.database) {
        let store = store_to_write(&config)?;
        let count = make_due(&store.reader()?, store.writer())?;
        store.close()?;
        let exit = told(context, as_json, key, &say(count), count)?;
        if count > 0 {
            context.output.note(&format!(
                "the daemon (pid {pid}) sends them within a minute"
            ));
        }
        return Ok(exit);
    }
    let (count, summary) = send_now(config, make_due)?;
    let failed = summary.retried + summary.dead + summary.unrecorded;
    if as_json {
        context.output.json(&json!({
            key: count,
            "delivered": summary.delivered,
            "failed": failed,
        }))?;
    } else {
        context.output.line(&say(count))?;
        if summary.delivered + failed > 0 {
            context
                .output
                .line(&format!("{} delivered, {failed} failed", summary.delivered))?;
        }
    }
    if summary.has_failures() {
        context
            .output
            .hint("run `revisor notify list` to see what went wrong");
        return Ok(Exit::TARGET);
    }
    Ok(Exit::DONE)
}

fn told(
    context: &mut CommandContext,
    as_json: bool,
    key: &str,
    line: &str,
    count: u64,
) -> Result<Exit, Error> {
    if as_json {
        context.output.json(&json!({ key: count }))?;
    } else {
        context.output.line(line)?;
    }
    Ok(Exit::DONE)
}

fn send_now(config: Config, make_due: MakeDue) -> Result<(u64, DrainSummary), Error> {
    let runtime = runtime(2)?;
    let done = runtime.block_on(async {
        let assembly = Assembly::open(config, clock()).await?;
        let (reader, writer) = (assembly.store.reader()?, assembly.store.writer().clone());
        let due = tokio::task::spawn_blocking(move || make_due(&reader, &writer));
        let count = due.await.map_err(|error| {
            Error::new(Exit::DATABASE, "cannot use the database").because(error)
        })??;
        let summary = Arc::clone(&assembly.drain).drain_once().await;
        assembly.close().await?;
        Ok::<_, Error>((count, summary))
    })?;
    runtime.shutdown_timeout(Duration::from_millis(500));
    Ok(done)
}

/// Makes pending and dead deliveries due; a disabled target is enabled again, but a paused one stays paused.
fn retry_all(reader: &Reader, writer: &Writer, names: &[String]) -> Result<u64, Error> {
    let mut count = 0;
    let known = reader.targets()?;
    for name in names {
        let disabled = known
            .iter()
            .any(|target| target.name == *name && target.disabled.is_some());
        if disabled {
            writer.enable_target(name).blocking()?;
        }
        count += writer.retry(Retry::Target(name.clone())).blocking()? as u64;
    }
    Ok(count)
}
