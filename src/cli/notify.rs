//! `revisor notify`: the targets, a trial of them, and what becomes of their queues.

use super::CommandContext;
use super::args::{NotifyCommand, NotifyShowArgs, NotifyTestArgs, OutputFormat};
use super::ask::{self, Asked};
use super::setup::{clock, now, runtime};
use crate::config::kinds::{Key, KeyForm};
use crate::config::{Config, Environment, Secrets, TargetKind, from_text};
use crate::daemon::DaemonError;
use crate::error::{Error, Exit};
use crate::fetch::user_agent;
use crate::notify::{Deliverer, Target, preview, targets, trial};
use crate::report::clean;
use crate::report::notify::{
    self, DigestMember, LastAttempt, RefusedEvent, ShownAttempt, ShownDelivery, TargetState,
    TargetSummary, TestResult,
};
use crate::store::{DeliveryRow, InstanceLock, RequestedWork, TargetHealth, TestRequest};

mod queue;

pub(super) fn run(context: &mut CommandContext, what: &NotifyCommand) -> Result<Exit, Error> {
    match what {
        NotifyCommand::List => list(context),
        NotifyCommand::Show(args) => show(context, args),
        NotifyCommand::Test(args) => test(context, args),
        NotifyCommand::Release(args) => queue::release(context, args),
        NotifyCommand::Retry(args) => queue::retry(context, args),
        NotifyCommand::Skip(args) => queue::skip(context, args),
        NotifyCommand::Replay(args) => queue::replay(context, args),
        NotifyCommand::Pause { targets } => queue::pause(context, targets),
        NotifyCommand::Resume { targets } => queue::resume(context, targets),
    }
}

fn list(context: &mut CommandContext) -> Result<Exit, Error> {
    let format = context.format(&[OutputFormat::Short, OutputFormat::Json])?;
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
    if format == OutputFormat::Json {
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

fn test(context: &mut CommandContext, args: &NotifyTestArgs) -> Result<Exit, Error> {
    let format = context.format(&[OutputFormat::Short, OutputFormat::Json])?;
    let config = configuration(context, args)?;
    if let Some(name) = args.target.as_ref().filter(|_| args.settings.is_empty()) {
        known(name, &config)?;
    }
    let by_daemon = args.settings.is_empty() && !args.print && !config.targets.is_empty();
    if by_daemon && InstanceLock::holder(&config.database).is_some() {
        return test_by_daemon(context, &config, args, format);
    }
    let mut targets = targets(&config).map_err(DaemonError::Secret)?;
    if let Some(name) = args.target.as_ref().filter(|_| args.settings.is_empty()) {
        targets.retain(|target| target.name == *name);
    }
    if targets.is_empty() {
        return Err(Error::usage("no targets in the configuration")
            .hint("a [[target]] table in the configuration adds one"));
    }
    if args.print {
        return print(context, &targets, args, format);
    }
    let agent = user_agent(&config.fetch.user_agent_contact);
    let deliverer = Deliverer::new(agent, clock()).map_err(DaemonError::Client)?;
    let runtime = runtime(1)?;
    let view = context.view(&config);
    let mut results = Vec::with_capacity(targets.len());
    for target in &targets {
        let result = runtime.block_on(trial::try_target(&deliverer, target, args.event, now()));
        if format != OutputFormat::Json {
            context.output.print(&notify::test_text(&result, &view))?;
            context.output.flush()?;
        }
        results.push(result);
    }
    if format == OutputFormat::Json {
        context.output.json(&results)?;
    }
    Ok(exit_of(&results))
}

const ASKED: Asked = Asked {
    to: "send the test",
    doing: "sending",
    command: "revisor notify test",
};

/// Has the running daemon send the test: only it may be able to read the secrets.
fn test_by_daemon(
    context: &mut CommandContext,
    config: &Config,
    args: &NotifyTestArgs,
    format: OutputFormat,
) -> Result<Exit, Error> {
    let all = config.targets.iter().map(|target| target.name.clone());
    let work = RequestedWork::Test(TestRequest {
        targets: args
            .target
            .clone()
            .map_or_else(|| all.collect(), |name| vec![name]),
        event: args.event,
    });
    let answer = ask::ask_daemon(context, config, work, &ASKED)?;
    let results: Vec<TestResult> =
        serde_json::from_str(&answer).map_err(|_| ask::refused(&answer, &ASKED))?;
    if format == OutputFormat::Json {
        context.output.json(&results)?;
    } else {
        let view = context.view(config);
        for result in &results {
            context.output.print(&notify::test_text(result, &view))?;
        }
    }
    Ok(exit_of(&results))
}

fn exit_of(results: &[TestResult]) -> Exit {
    if results.iter().all(|result| result.ok) {
        Exit::DONE
    } else {
        Exit::TARGET
    }
}

/// The configuration; one of a single target, when a kind is tried with keys of the command line.
fn configuration(context: &CommandContext, args: &NotifyTestArgs) -> Result<Config, Error> {
    let kind = TargetKind::ALL
        .iter()
        .find(|kind| Some(kind.as_str()) == args.target.as_deref());
    let (Some(kind), false) = (kind, args.settings.is_empty()) else {
        if let Some(setting) = args.settings.first() {
            return Err(
                Error::usage(format!("{setting:?} needs a kind of target before it"))
                    .hint("such as `revisor notify test slack url_file=slack.url`"),
            );
        }
        // What is printed has the form that the secrets give it.
        return match args.print {
            true => context.config(Secrets::Required),
            false => context.config_to_work(),
        };
    };
    let mut table = toml::Table::new();
    table.insert("name".into(), kind.as_str().into());
    table.insert("kind".into(), kind.as_str().into());
    for setting in &args.settings {
        let Some((name, value)) = setting.split_once('=') else {
            return Err(Error::usage(format!("{setting:?} is not KEY=VALUE")));
        };
        let key = kind.keys().iter().find(|key| key.name == name);
        if key.is_some_and(Key::is_secret) {
            return Err(Error::usage(format!(
                "{name} is a secret, which everybody can see on a command line"
            ))
            .hint(format!("use {name}_file=FILE or {name}_env=VARIABLE")));
        }
        let value = match key.map(|key| key.form) {
            Some(KeyForm::List) => {
                toml::Value::Array(value.split(',').map(|item| item.trim().into()).collect())
            }
            Some(KeyForm::Number(..)) => value
                .parse::<i64>()
                .map_or_else(|_| value.into(), toml::Value::Integer),
            _ => value.into(),
        };
        table.insert(name.to_owned(), value);
    }
    let mut whole = toml::Table::new();
    whole.insert("target".into(), toml::Value::Array(vec![table.into()]));
    let here = std::env::current_dir()
        .ok()
        .map(|folder| folder.join("command-line.toml"));
    let loaded = from_text(
        &whole.to_string(),
        here.as_deref(),
        context.flags(),
        &Environment::of_process(),
        Secrets::Required,
    )?;
    Ok(loaded.config)
}

/// Prints what would be sent to each target.
fn print(
    context: &mut CommandContext,
    targets: &[Target],
    args: &NotifyTestArgs,
    format: OutputFormat,
) -> Result<Exit, Error> {
    let now = now();
    let mut all = Vec::with_capacity(targets.len());
    for target in targets {
        let would = preview(target, &trial::trial(args.event, now), now);
        let would =
            would.map_err(|error| Error::new(Exit::TARGET, format!("{}: {error}", target.name)))?;
        if format == OutputFormat::Json {
            all.push(serde_json::json!({"target": target.name, "kind": target.kind.as_str(), "body": would}));
        } else {
            context
                .output
                .line(&format!("{} ({}):", target.name, target.kind.as_str()))?;
            context
                .output
                .print(&format!("{}\n", clean::lines(would.trim_end())))?;
        }
    }
    if format == OutputFormat::Json {
        context.output.json(&all)?;
    }
    Ok(Exit::DONE)
}

/// The deliveries of an event, with their attempts.
fn show(context: &mut CommandContext, args: &NotifyShowArgs) -> Result<Exit, Error> {
    let format = context.format(&[OutputFormat::Short, OutputFormat::Json])?;
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
    if format == OutputFormat::Json {
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
