//! `revisor config`: whether the configuration is valid, its effective values, and its location.

mod reload;

use std::path::Path;

use serde_json::json;

use super::CommandContext;
use super::args::ConfigCommand;
use super::setup::now;
use crate::config::{
    Environment, Flags, Loaded, ScheduleLine, Secrets, load, locate, schedules, show,
};
use crate::domain::durations::rough_duration;
use crate::error::{Error, Exit};
use crate::report::names::count;

pub(super) fn run(context: &mut CommandContext, what: &ConfigCommand) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    match what {
        ConfigCommand::Check { file } => check(context, file.as_deref(), as_json),
        ConfigCommand::Reload => reload::run(context, as_json),
        ConfigCommand::Show => show_in_force(context, as_json),
        ConfigCommand::Path => path(context, as_json),
    }
}

fn check(context: &mut CommandContext, file: Option<&Path>, as_json: bool) -> Result<Exit, Error> {
    let flags = Flags {
        config: file.or(context.global.config.as_deref()),
        ..context.flags()
    };
    let Loaded {
        config, warnings, ..
    } = load(flags, &Environment::of_process(), Secrets::WhereThere)?;
    let now = now();
    let lines = schedules(&config, now);
    if as_json {
        let schedules = lines.iter().map(|line| {
            json!({
                "description": line.description, "expression": line.expression, "feeds": line.feeds,
                "next": line.next, "without_validators": line.whole.map(|whole| whole.as_secs()),
            })
        });
        context.output.json(&json!({
            "file": config.file,
            "conf_d": config.drop_ins,
            "feeds_files": config.lists,
            "feeds": config.feeds.len(),
            "targets": config.targets.len(),
            "schedules": schedules.collect::<Vec<_>>(),
            "warnings": warnings,
        }))?;
        return Ok(Exit::DONE);
    }
    for warning in &warnings {
        context.output.warning(warning);
    }
    let files: Vec<String> = config
        .files()
        .map(|file| file.display().to_string())
        .collect();
    let file = match files.as_slice() {
        [] => "no configuration file, using the defaults".to_owned(),
        files => files.join(", "),
    };
    context.output.line(&format!(
        "{file} is valid: {}, {}",
        count(config.feeds.len() as u64, "feed"),
        count(config.targets.len() as u64, "target"),
    ))?;
    let view = context.view(&config);
    for line in &lines {
        let next: Vec<String> = line.next.iter().map(|at| view.moment(*at)).collect();
        context
            .output
            .line(&format!("{}; next {}", schedule(line), next.join(", ")))?;
    }
    if config.file.is_none() {
        context
            .output
            .hint("`revisor init` writes a starter configuration");
    }
    Ok(Exit::DONE)
}

fn schedule(line: &ScheduleLine) -> String {
    let feeds = count(line.feeds as u64, "feed");
    let plan = match &line.expression {
        Some(expression) => format!("{feeds} by `{expression}`: {}", line.description),
        None => format!("{feeds} {}", line.description),
    };
    match line.whole {
        Some(whole) => format!(
            "{plan} (every {} if the server sends no ETag or Last-Modified)",
            rough_duration(whole)
        ),
        None => plan,
    }
}

fn show_in_force(context: &mut CommandContext, as_json: bool) -> Result<Exit, Error> {
    let config = context.config(Secrets::WhereReadable)?;
    let text = show(&config);
    if as_json {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            Error::usage("cannot print the configuration as JSON").because(error)
        })?;
        context.output.json(&table)?;
    } else {
        context.output.page();
        context.output.print(&text)?;
    }
    Ok(Exit::DONE)
}

/// With `-q` prints only the path of the configuration, for `$EDITOR "$(revisor config path -q)"`.
fn path(context: &mut CommandContext, as_json: bool) -> Result<Exit, Error> {
    let file = locate(context.global.config.as_deref(), &Environment::of_process());
    // An invalid configuration also has a path, but may not reveal the path of the database.
    let loaded = context.load(Secrets::WhereReadable).ok();
    let database = loaded.as_ref().map(|loaded| &loaded.config.database);
    if as_json {
        context.output.json(&json!({
            "config": file.path, "exists": file.exists, "origin": file.origin.describe(),
            "database": database,
        }))?;
    } else if context.global.quiet {
        context.output.line(&file.path.display().to_string())?;
    } else {
        let missing = if file.exists { "" } else { ", not created yet" };
        let further = loaded.as_ref().map(|loaded| loaded.config.files().skip(1));
        context.output.line(&format!(
            "configuration  {} ({}{missing})",
            file.path.display(),
            file.origin.describe()
        ))?;
        for file in further.into_iter().flatten() {
            let line = format!("               {}", file.display());
            context.output.line(&line)?;
        }
        if let Some(database) = database {
            context
                .output
                .line(&format!("database       {}", database.display()))?;
        }
    }
    Ok(Exit::DONE)
}
