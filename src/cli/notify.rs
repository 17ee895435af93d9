//! `revisor notify`: the targets, a trial of them, and what becomes of their queues.

use super::CommandContext;
use super::args::{NotifyCommand, NotifyShowArgs};
use crate::config::{Config, Secrets};
use crate::error::{Error, Exit};
use crate::report::notify::{
    self, DigestMember, LastAttempt, RefusedEvent, ShownAttempt, ShownDelivery, TargetState,
    TargetSummary,
};
use crate::store::{DeliveryRow, TargetHealth};

mod queue;
mod trial;

pub(super) fn run(context: &mut CommandContext, what: &NotifyCommand) -> Result<Exit, Error> {
    match what {
        NotifyCommand::List => list(context),
        NotifyCommand::Show(args) => show(context, args),
        NotifyCommand::Test(args) => trial::run(context, args),
        NotifyCommand::Release(args) => queue::release(context, args),
        NotifyCommand::Retry(args) => queue::retry(context, args),
        NotifyCommand::Skip(args) => queue::skip(context, args),
        NotifyCommand::Replay(args) => queue::replay(context, args),
        NotifyCommand::Pause { targets } => queue::pause(context, targets),
        NotifyCommand::Resume { targets } => queue::resume(context, targets),
    }
}

fn list(context: &mut CommandContext) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let config = context.config(Secrets::WhereReadable)?;
    let (health, set_aside) = match context.reader_if_any(&config)? {
        Some(reader) => (reader.target_health()?, reader.set_aside(LISTED)?),
        None => (Vec::new(), Vec::new()),
    };
    let mut rows = rows(&config, health);
    for delivery in set_aside {
        let of = rows.iter_mut().find(|row| row.name == delivery.target);
        if let Some(row) = of {
            row.refused.push(refused(delivery));
        }
    }
    if as_json {
        context.output.json(&rows)?;
    } else if rows.is_empty() {
        context.output.note("no targets in the configuration");
        context
            .output
            .hint("a [[target]] table in the configuration adds one");
    } else {
        let view = context.view(&config);
        context.output.print(&notify::text(&rows, &view))?;
    }
    Ok(Exit::DONE)
}

/// Events that receivers keep refusing which are listed; the others are counted.
const LISTED: usize = 50;

fn refused(delivery: DeliveryRow) -> RefusedEvent {
    RefusedEvent {
        event: delivery.uid,
        kind: delivery.kind,
        change: delivery.change,
        attempts: delivery.attempts,
        next_attempt: delivery.next_attempt,
        status: delivery.last_status,
        error: delivery.last_error,
    }
}

/// The targets of the configuration in its order, then those that have left it with something still to send.
fn rows(config: &Config, mut health: Vec<TargetHealth>) -> Vec<TargetSummary> {
    let mut rows = Vec::with_capacity(config.targets.len());
    for target in &config.targets {
        let at = health
            .iter()
            .position(|known| known.target.name == target.name);
        let known = at.map(|at| health.remove(at));
        let kind = Some(target.kind.as_str().to_owned());
        rows.push(row(&target.name, kind, known));
    }
    let left = health
        .into_iter()
        .filter(|known| known.open + known.dead + known.held + known.gathered > 0);
    rows.extend(left.map(|known| {
        let name = known.target.name.clone();
        row(&name, None, Some(known))
    }));
    rows
}

fn row(name: &str, kind: Option<String>, known: Option<TargetHealth>) -> TargetSummary {
    let mut row = TargetSummary {
        name: name.to_owned(),
        state: match kind {
            Some(_) => TargetState::Active,
            None => TargetState::Removed,
        },
        kind,
        reason: None,
        pending: 0,
        oldest: None,
        set_aside: 0,
        held: 0,
        gathered: 0,
        digest: None,
        refused: Vec::new(),
        dead: 0,
        overflowed: 0,
        last_delivered: None,
        last_attempt: None,
        next_attempt: None,
        attempts: 0,
    };
    let Some(known) = known else { return row };
    if row.kind.is_some() {
        if let Some((_, why)) = known.target.disabled {
            row.state = TargetState::Disabled;
            row.reason = Some(why);
        } else if known.target.paused.is_some() {
            row.state = TargetState::Paused;
        }
    }
    if let Some((_, attempts, next)) = known.next {
        row.attempts = attempts;
        row.next_attempt = next;
    }
    TargetSummary {
        pending: known.open,
        oldest: known.oldest_open,
        set_aside: known.set_aside,
        held: known.held,
        gathered: known.gathered,
        digest: known.digest,
        dead: known.dead,
        overflowed: known.overflowed,
        last_delivered: known.last_delivered,
        last_attempt: known.last_attempt.map(|(at, status, error)| LastAttempt {
            at,
            status,
            error,
        }),
        ..row
    }
}

/// The deliveries of an event, with their attempts.
fn show(context: &mut CommandContext, args: &NotifyShowArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let (config, reader) = context.reader()?;
    let event = queue::event(&reader, &args.event)?;
    let mut shown = Vec::new();
    for row in reader.deliveries_of(event)? {
        let attempts = reader.attempts(row.id)?;
        let attempts = attempts.into_iter().map(|attempt| ShownAttempt {
            at: attempt.record.at,
            outcome: attempt.outcome.as_str(),
            status: attempt.record.status,
            duration_ms: attempt.record.duration_ms,
            error: attempt.record.error,
        });
        let members = reader.members_of(row.id, MEMBERS)?.into_iter();
        let (digest, refused) = reader.digest_of(row.id)?.unzip();
        shown.push(ShownDelivery {
            digest,
            digest_refused: refused.unwrap_or_default(),
            members: members.map(member).collect(),
            target: row.target,
            state: row.state.as_str(),
            event: row.uid,
            kind: row.kind,
            change: row.change,
            next_attempt: row.next_attempt,
            attempts: attempts.collect(),
        });
    }
    if as_json {
        context.output.json(&shown)?;
    } else if shown.is_empty() {
        context.output.note("this event was not for any target");
    } else {
        let view = context.view(&config);
        context.output.print(&notify::deliveries(&shown, &view))?;
    }
    Ok(Exit::DONE)
}

/// Events of a digest that are listed.
const MEMBERS: usize = 1000;

fn member(row: DeliveryRow) -> DigestMember {
    DigestMember {
        event: row.uid,
        kind: row.kind,
        change: row.change,
    }
}

fn known(name: &str, config: &Config) -> Result<(), Error> {
    if config.targets.iter().any(|target| target.name == name) {
        return Ok(());
    }
    Err(
        Error::usage(format!("no target `{name}` in the configuration"))
            .hint("`revisor notify list` lists them"),
    )
}
