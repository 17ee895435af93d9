//! The command-line edge: arguments in, output on standard output, messages on standard error, an exit code.
//!
//! One file per command. Commands read the store and render with [`crate::report`]; they never write revisions.

mod add;
pub(crate) mod args;
mod ask;
mod check;
mod config;
mod db;
mod demo;
mod diff;
mod discover;
mod doctor;
mod entries;
pub(crate) mod env;
mod export;
mod feeds;
mod help;
mod history;
mod ignored;
mod import;
mod import_past;
mod init;
mod input;
mod inspect;
mod late;
mod log;
mod logs;
mod mv;
mod notify;
pub(crate) mod output;
mod pause;
mod reextract;
mod report;
mod rm;
mod rules;
mod run;
mod schema;
mod search;
mod select;
mod setup;
mod show;
mod split;
mod status;
mod tokens;

use std::ffi::OsString;

use clap::Parser;

use crate::document;
use crate::error::{Error, Exit};
use crate::report::clean;
use args::{Cli, Command, Global, ImportArgs, ImportPast, OutputFormat};
use env::Terminal;
use logs::LogOptions;
use output::Output;

/// Passed to every command.
#[derive(Debug)]
pub(crate) struct CommandContext {
    /// Options that may come before or after any command.
    pub global: Global,
    /// Standard output and standard error.
    pub output: Output,
}

impl CommandContext {
    /// The requested format, if the command supports it; the first one is the default.
    pub(crate) fn format(&self, known: &[OutputFormat]) -> Result<OutputFormat, Error> {
        let asked = if self.global.json {
            Some(OutputFormat::Json)
        } else {
            self.global.format
        };
        match asked {
            None => Ok(known.first().copied().unwrap_or(OutputFormat::Short)),
            Some(format) if known.contains(&format) => Ok(format),
            Some(format) => {
                let names: Vec<&str> = known.iter().map(|format| format.as_str()).collect();
                Err(Error::usage(format!(
                    "this command does not support the format `{}`",
                    format.as_str()
                ))
                .hint(format!("use one of: {}", names.join(", "))))
            }
        }
    }

    /// Whether JSON is requested from a command that prints either text or JSON.
    pub(crate) fn wants_json(&self) -> Result<bool, Error> {
        let format = self.format(&[OutputFormat::Short, OutputFormat::Json])?;
        Ok(format == OutputFormat::Json)
    }
}

/// Runs the program with the arguments of the process; returns the exit code.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    crate::memory::bound_arenas();
    crate::memory::raise_descriptors();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments
        .get(1)
        .is_some_and(|first| first == document::ARGUMENT)
    {
        return read_pdf();
    }
    let terminal = Terminal::detect();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output; a closed pipe does not matter to either. Arguments may come
            // from an untrusted source: characters that would control the terminal are removed from error
            // messages.
            let text = error.render().to_string();
            let clean = clean::lines(&text);
            if error.use_stderr() && clean != text {
                output::stderr(&clean);
            } else {
                let _ = error.print();
            }
            return if error.use_stderr() {
                Exit::USAGE
            } else {
                Exit::DONE
            };
        }
    };
    let mut context = CommandContext {
        output: Output::new(
            terminal,
            cli.global.color,
            cli.global.quiet,
            cli.global.no_pager,
        ),
        global: cli.global,
    };
    let logs = LogOptions::new(&context, &cli.command);
    let result = logs
        .start()
        .and_then(|()| dispatch(&mut context, cli.command, logs));
    let finished = context.output.finish();
    match result.and_then(|exit| finished.map(|()| exit)) {
        Ok(exit) => exit,
        Err(error) => {
            context.output.error(&error);
            error.exit()
        }
    }
}

/// Runs when this program was started by itself to read a PDF: no command, no configuration, no log.
fn read_pdf() -> Exit {
    match document::run_child() {
        Ok(()) => Exit::DONE,
        Err(error) => {
            output::stderr(&clean::lines(&format!("cannot read the PDF: {error}\n")));
            Exit::USAGE
        }
    }
}

fn dispatch(
    context: &mut CommandContext,
    command: Command,
    logs: LogOptions,
) -> Result<Exit, Error> {
    match command {
        Command::Add(args) => add::run(context, &args),
        Command::Check(args) => check::run(context, &args),
        Command::Db { what } => db::run(context, &what),
        Command::Demo(args) => demo::run(context, &args),
        Command::Config { what } => config::run(context, &what),
        Command::Diff(args) => diff::run(context, &args),
        Command::Doctor(args) => doctor::run(context, &args),
        Command::Entries(args) => entries::run(context, &args),
        Command::Export { what } => export::run(context, &what),
        Command::Feeds(args) => feeds::run(context, &args),
        Command::Help(args) => help::run(context, &args),
        Command::History(args) => history::run(context, &args),
        Command::Import(ImportArgs {
            past: Some(ImportPast::Diffengine(args)),
            ..
        }) => import_past::run(context, &args),
        Command::Import(args) => import::run(context, &args),
        Command::Init(args) => init::run(context, &args),
        Command::Inspect { what } => inspect::run(context, &what),
        Command::Log(args) => log::run(context, &args),
        Command::Notify { what } => notify::run(context, &what),
        Command::Pause(args) => pause::pause(context, &args.feeds),
        Command::Reextract(args) => reextract::run(context, &args),
        Command::Report(args) => report::run(context, &args),
        Command::Resume(args) => pause::resume(context, &args.feeds),
        Command::Rm(args) => rm::run(context, &args),
        Command::Mv(args) => mv::run(context, &args),
        Command::Rules(args) => rules::run(context, &args),
        Command::Run(_) => run::run(context, logs),
        Command::Schema(args) => schema::run(context, &args),
        Command::Search(args) => search::run(context, &args),
        Command::Show(args) => show::run(context, &args),
        Command::Split(args) => split::run(context, &args),
        Command::Status(args) => status::run(context, &args),
        Command::Tokens { what } => tokens::run(context, &what),
    }
}
