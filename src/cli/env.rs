//! The terminal and its environment: read once, in one place.
//!
//! This affects only the display. Everything that decides what revisor does comes from `config::load`.

use std::io::IsTerminal;

/// The environment of the terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each stands for a variable or a stream of its own"
)]
pub(crate) struct Terminal {
    /// Standard output is a terminal.
    pub stdout: bool,
    /// Standard error is a terminal.
    pub stderr: bool,
    /// `NO_COLOR` is set and not empty (<https://no-color.org>).
    pub no_color: bool,
    /// `CLICOLOR_FORCE` is set, and neither empty nor `0`.
    pub clicolor_force: bool,
    /// `CLICOLOR` is `0`.
    pub clicolor_off: bool,
    /// `TERM` is `dumb`.
    pub dumb: bool,
    /// `REVISOR_PAGER`, else `PAGER`; empty means no pager.
    pub pager: Option<String>,
    /// `LESS` is set: the user has their own options for less.
    pub less_options: bool,
    /// `CI` is set: no progress line.
    pub ci: bool,
    /// `JOURNAL_STREAM`: set by systemd for streams that go to the journal.
    pub journal_stream: Option<String>,
    /// `REVISOR_LOG`: which log messages to show.
    pub log: Option<String>,
    /// Columns of the terminal.
    pub columns: Option<usize>,
}

impl Terminal {
    /// Reads the environment of the process.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment for showing"
    )]
    pub(crate) fn detect() -> Self {
        let stdout = std::io::stdout().is_terminal();
        Self {
            columns: stdout
                .then(terminal_size::terminal_size)
                .flatten()
                .map(|(width, _)| usize::from(width.0)),
            ..Self::read(stdout, std::io::stderr().is_terminal(), |name| {
                std::env::var(name).ok()
            })
        }
    }

    fn read(stdout: bool, stderr: bool, get: impl Fn(&str) -> Option<String>) -> Self {
        let filled = |name: &str| get(name).filter(|value| !value.is_empty());
        Self {
            stdout,
            stderr,
            no_color: filled("NO_COLOR").is_some(),
            clicolor_force: filled("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
            clicolor_off: filled("CLICOLOR").is_some_and(|value| value == "0"),
            dumb: filled("TERM").is_some_and(|value| value == "dumb"),
            pager: get("REVISOR_PAGER").or_else(|| get("PAGER")),
            less_options: get("LESS").is_some(),
            ci: filled("CI").is_some(),
            journal_stream: filled("JOURNAL_STREAM"),
            log: filled("REVISOR_LOG"),
            columns: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> Terminal {
        Terminal::read(false, false, |name| {
            values
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn empty_values_are_no_values() {
        let none = read(&[("NO_COLOR", ""), ("CI", ""), ("CLICOLOR_FORCE", "")]);
        assert_eq!(none, Terminal::default());
        assert!(!read(&[("CLICOLOR_FORCE", "0")]).clicolor_force);
        assert!(read(&[("CLICOLOR_FORCE", "1")]).clicolor_force);
    }

    #[test]
    fn an_empty_own_pager_beats_the_common_one() {
        let terminal = read(&[("REVISOR_PAGER", ""), ("PAGER", "most")]);
        assert_eq!(terminal.pager.as_deref(), Some(""));
        assert_eq!(read(&[("PAGER", "most")]).pager.as_deref(), Some("most"));
    }
}
