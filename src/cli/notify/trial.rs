//! `notify test`: sends a test event, or prints what would be sent.

use super::known;
use crate::cli::CommandContext;
use crate::cli::args::NotifyTestArgs;
use crate::cli::ask::{self, Asked};
use crate::cli::setup::{clock, now, runtime};
use crate::config::kinds::{Key, KeyForm, KeyNeed};
use crate::config::{Config, ConfigError, Environment, Secrets, TargetKind, from_text};
use crate::daemon::DaemonError;
use crate::error::{Error, Exit};
use crate::fetch::user_agent;
use crate::notify::{Deliverer, Target, preview, targets, trial};
use crate::report::clean;
use crate::report::notify::{self, TestResult};
use crate::store::{InstanceLock, RequestedWork, TestRequest};

pub(super) fn run(context: &mut CommandContext, args: &NotifyTestArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let mut config = configuration(context, args)?;
    if args.target.is_none() && !args.print && leave_out_public(context, &mut config) {
        return Ok(Exit::DONE);
    }
    if let Some(name) = args.target.as_ref().filter(|_| args.settings.is_empty()) {
        known(name, &config).map_err(|error| match TargetKind::parse(name) {
            Some(kind) => error.hint(format!(
                "to try a kind without a configuration, give its keys: `revisor notify test {}`",
                with_keys(kind)
            )),
            None => error,
        })?;
    }
    let by_daemon = args.settings.is_empty() && !args.print && !config.targets.is_empty();
    if by_daemon && InstanceLock::holder(&config.database).is_some() {
        return test_by_daemon(context, &config, args, as_json);
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
        return print(context, &targets, args, as_json);
    }
    let agent = user_agent(&config.fetch.user_agent_contact);
    let deliverer = Deliverer::new(agent, clock()).map_err(DaemonError::Client)?;
    let runtime = runtime(1)?;
    let view = context.view(&config);
    let mut results = Vec::with_capacity(targets.len());
    for target in &targets {
        let result = runtime.block_on(trial::try_target(&deliverer, target, args.event, now()));
        if !as_json {
            context.output.print(&notify::test_text(&result, &view))?;
            context.output.flush()?;
        }
        results.push(result);
    }
    if as_json {
        context.output.json(&results)?;
    }
    Ok(exit_of(&results))
}

/// Leaves public accounts out of a test of all targets; returns whether no target is left.
fn leave_out_public(context: &CommandContext, config: &mut Config) -> bool {
    let public = config
        .targets
        .iter()
        .filter(|target| target.kind.is_public());
    for name in public.map(|target| &target.name) {
        context.output.note(&format!(
            "{name} was left out, as everybody could read it: `revisor notify test {name}` posts a test"
        ));
    }
    let all = config.targets.len();
    config.targets.retain(|target| !target.kind.is_public());
    all > 0 && config.targets.is_empty()
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
    as_json: bool,
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
    if as_json {
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
    let kind = args.target.as_deref().and_then(TargetKind::parse);
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
    );
    Ok(loaded.map_err(on_command_line)?.config)
}

/// Mistakes on the command line have no place in a file.
fn on_command_line(error: ConfigError) -> ConfigError {
    let ConfigError::Invalid(mut problems) = error else {
        return error;
    };
    for problem in &mut problems {
        "command line".clone_into(&mut problem.place);
    }
    ConfigError::Invalid(problems)
}

/// `telegram token_file=FILE chat=-1001234567890`: a kind with the keys that it needs.
fn with_keys(kind: TargetKind) -> String {
    let needed = kind
        .keys()
        .iter()
        .filter(|key| key.need == KeyNeed::Required);
    let words = needed.map(|key| match key.is_secret() {
        true => format!("{}_file=FILE", key.name),
        false if key.example.contains([' ', '<', '!']) => format!("'{}={}'", key.name, key.example),
        false => format!("{}={}", key.name, key.example),
    });
    let words: Vec<String> = std::iter::once(kind.as_str().to_owned())
        .chain(words)
        .collect();
    words.join(" ")
}

/// Prints what would be sent to each target.
fn print(
    context: &mut CommandContext,
    targets: &[Target],
    args: &NotifyTestArgs,
    as_json: bool,
) -> Result<Exit, Error> {
    let now = now();
    let mut all = Vec::with_capacity(targets.len());
    for target in targets {
        let would = preview(target, &trial::trial(args.event, now), now);
        let would =
            would.map_err(|error| Error::new(Exit::TARGET, format!("{}: {error}", target.name)))?;
        if as_json {
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
    if as_json {
        context.output.json(&all)?;
    }
    Ok(Exit::DONE)
}
