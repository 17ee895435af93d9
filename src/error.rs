//! The outermost error and the exit codes: what a person or a script finally sees.
//!
//! Modules have errors of their own. A command turns them into an [`Error`] by adding what was being done, the exit
//! code of the program, and what to do next.

use std::fmt;

/// How the program ends; scripts rely on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exit(u8);

impl Exit {
    /// Everything was done.
    pub const DONE: Self = Self(0);
    /// Changes were found, or texts differ; only with `--exit-code`.
    pub const CHANGES: Self = Self(1);
    /// The command line or the configuration is wrong, or the input is not what was expected: nothing was done.
    pub const USAGE: Self = Self(2);
    /// Some feeds, or some lines of an import, failed; the others were done.
    pub const PARTIAL: Self = Self(3);
    /// A target of alerts failed.
    pub const TARGET: Self = Self(4);
    /// The database is locked, damaged, or newer than this program.
    pub const DATABASE: Self = Self(5);
    /// Interrupted from the keyboard.
    pub const INTERRUPTED: Self = Self(130);

    /// The exit code for a database error, which the store knows as a number.
    #[must_use]
    pub fn of_database(code: u8) -> Self {
        Self(code)
    }

    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        self.0
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

type ErrorCause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why a command ends early: what failed, its causes, what to do about it, and the exit code.
#[derive(Debug)]
pub(crate) struct Error {
    exit: Exit,
    message: String,
    list: Vec<String>,
    hint: Option<String>,
    cause: Option<ErrorCause>,
    quiet: bool,
}

impl Error {
    /// An error with a message in lower case and without a full stop: what failed, on what.
    #[must_use]
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            list: Vec::new(),
            hint: None,
            cause: None,
            quiet: false,
        }
    }

    /// Wrong use: exit code 2.
    #[must_use]
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::USAGE, message)
    }

    /// The reader of standard output has gone, as with `head`; that is not an error for the person who typed the
    /// command.
    #[must_use]
    pub(crate) fn closed_output() -> Self {
        Self {
            quiet: true,
            ..Self::new(Exit::DONE, "standard output is closed")
        }
    }

    /// Adds the cause, with its own causes.
    #[must_use]
    pub(crate) fn because(mut self, cause: impl Into<ErrorCause>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds what is wrong in several places, one line for each.
    #[must_use]
    pub(crate) fn listing(mut self, list: impl IntoIterator<Item = String>) -> Self {
        self.list = list.into_iter().collect();
        self
    }

    /// Adds what to do next: a command, or the accepted forms.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The exit code.
    #[must_use]
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The lines below the message.
    #[must_use]
    pub(crate) fn list(&self) -> &[String] {
        &self.list
    }

    /// What to do next.
    #[must_use]
    pub(crate) fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether nothing is to be printed.
    #[must_use]
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The whole chain on one line: `cannot read feed list: /etc/…: permission denied`. A cause that an outer
    /// message already includes is not repeated.
    #[must_use]
    pub(crate) fn chain(&self) -> String {
        let mut text = self.message.clone();
        let mut cause: Option<&(dyn std::error::Error + 'static)> =
            self.cause.as_deref().map(|cause| cause as _);
        while let Some(error) = cause {
            let said = error.to_string();
            if !said.is_empty() && !text.ends_with(&said) {
                text.push_str(": ");
                text.push_str(&said);
            }
            cause = error.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot open /etc/x")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn the_chain_is_one_line_and_says_each_cause_once() {
        let inner = || std::io::Error::other("permission denied");
        let error = Error::usage("cannot read the configuration")
            .because(Outer(inner()))
            .hint("revisor init");
        assert_eq!(
            error.chain(),
            "cannot read the configuration: cannot open /etc/x: permission denied"
        );
        assert_eq!(error.exit().code(), 2);
        let repeated = Error::usage("cannot read: permission denied").because(inner());
        assert_eq!(repeated.chain(), "cannot read: permission denied");
    }
}
