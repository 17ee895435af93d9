//! Settings of the log: from the command line, and for the service also from its configuration.

use super::args::Command;
use super::env::Terminal;
use super::{CommandContext, output};
use crate::config::{LogConfig, LogFormat, LogLevel};
use crate::error::Error;
use crate::logging::{self, LogError, LogForm, LogVerbosity, Options};

/// The log settings of the command line; a configuration adds the rest.
#[derive(Debug, Clone)]
pub(super) struct LogOptions {
    /// `--log-format`.
    format: Option<LogFormat>,
    verbose: u8,
    quiet: bool,
    colour: bool,
    /// Standard error goes to the journal.
    journal: bool,
    /// `REVISOR_LOG`.
    directives: Option<String>,
}

impl LogOptions {
    pub(super) fn new(context: &CommandContext, command: &Command) -> Self {
        let terminal = Terminal::detect();
        Self {
            format: match command {
                Command::Run(args) => args.log_format,
                _ => None,
            },
            verbose: context.global.verbose,
            quiet: context.global.quiet,
            colour: output::wants_colour(context.global.color, &terminal, terminal.stderr),
            journal: logging::is_journal(terminal.journal_stream.as_deref()),
            directives: terminal.log,
        }
    }

    /// Starts the log before a configuration is known. Commands other than the service log only problems, whatever
    /// the configuration says.
    pub(super) fn start(&self) -> Result<(), Error> {
        logging::start(&self.options(LogFormat::Auto, LogVerbosity::Warn)).map_err(|error| {
            Error::usage("cannot start the log").because(error).hint(
                "set REVISOR_LOG to a level (info) or to levels by module (info,revisor::fetch=debug)",
            )
        })
    }

    /// Applies the log settings of the service configuration. The command line and `REVISOR_LOG` take precedence.
    pub(super) fn follow(&self, config: LogConfig) -> Result<(), LogError> {
        let level = match config.level {
            LogLevel::Error => LogVerbosity::Error,
            LogLevel::Warn => LogVerbosity::Warn,
            LogLevel::Info => LogVerbosity::Info,
            LogLevel::Debug => LogVerbosity::Debug,
        };
        logging::change(&self.options(config.format, level))
    }

    fn options(&self, format: LogFormat, level: LogVerbosity) -> Options {
        let text = LogForm::Text {
            colour: self.colour,
        };
        Options {
            form: match self.format.unwrap_or(format) {
                LogFormat::Json => LogForm::Json,
                LogFormat::Journal => LogForm::Journal,
                LogFormat::Auto if self.journal => LogForm::Journal,
                LogFormat::Auto | LogFormat::Text => text,
            },
            level: level.louder(self.verbose, self.quiet),
            directives: self.directives.clone(),
        }
    }
}
