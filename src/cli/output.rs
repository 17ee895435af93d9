//! The output of a command: colour, width, pager, and a quiet exit if the pipe is closed.
//!
//! Results go to standard output, messages to standard error. Commands write text that [`crate::report`] has made
//! safe; nothing is cleaned here.

use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

use anstyle::{AnsiColor, Style};

use super::env::Terminal;
use crate::error::Error;
use crate::report::clean;
use crate::report::style::Paint;

/// Whether there is colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

/// Longer lines of prose are hard to read.
const TEXT_COLUMNS_MAX: usize = 110;

/// Decides on colour, in order of precedence: the flag, `NO_COLOR`, `CLICOLOR_FORCE`, the terminal.
#[must_use]
pub(crate) fn wants_colour(when: ColorWhen, terminal: &Terminal, is_terminal: bool) -> bool {
    match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto if terminal.no_color => false,
        ColorWhen::Auto if terminal.clicolor_force => true,
        ColorWhen::Auto => is_terminal && !terminal.dumb && !terminal.clicolor_off,
    }
}

/// Standard output and standard error as a command sees them.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each answers a question of its own, decided once"
)]
pub(crate) struct Output {
    terminal: Terminal,
    colour: bool,
    stderr_colour: bool,
    quiet: bool,
    use_pager: bool,
    pager: Option<Pager>,
}

impl Output {
    /// Creates the output; nothing is written and no pager is started yet.
    #[must_use]
    pub(crate) fn new(terminal: Terminal, when: ColorWhen, quiet: bool, no_pager: bool) -> Self {
        Self {
            colour: wants_colour(when, &terminal, terminal.stdout),
            stderr_colour: wants_colour(when, &terminal, terminal.stderr),
            use_pager: terminal.stdout && !no_pager && !terminal.dumb,
            quiet,
            terminal,
            pager: None,
        }
    }

    /// How text for standard output is coloured and wrapped.
    #[must_use]
    pub(crate) fn paint(&self) -> Paint {
        Paint {
            colour: self.colour,
            width: self
                .terminal
                .columns
                .map(|columns| columns.clamp(20, TEXT_COLUMNS_MAX)),
        }
    }

    /// Starts the pager if standard output is a terminal and a pager is wanted; for commands with long output.
    /// Without a pager, or if it cannot be started, everything goes directly to standard output.
    pub(crate) fn page(&mut self) {
        if !self.use_pager || self.pager.is_some() {
            return;
        }
        let command = match self.terminal.pager.as_deref().map(str::trim) {
            Some("" | "cat") => return,
            Some(command) => command,
            None => "less",
        };
        self.pager = Pager::start(command, self.terminal.less_options);
    }

    /// Writes a piece of the output.
    pub(crate) fn print(&mut self, text: &str) -> Result<(), Error> {
        let written = match self
            .pager
            .as_mut()
            .and_then(|pager| pager.child.stdin.as_mut())
        {
            Some(stdin) => stdin.write_all(text.as_bytes()),
            None => io::stdout().lock().write_all(text.as_bytes()),
        };
        written.map_err(|error| output_error(&error))
    }

    /// Writes a piece of the output and a line break.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Error> {
        self.print(&format!("{text}\n"))
    }

    /// Writes a value as one line of JSON.
    pub(crate) fn json(&mut self, value: &impl serde::Serialize) -> Result<(), Error> {
        self.print(&json_line(value)?)
    }

    /// Flushes the buffer: at the end, and after each event of `--follow`.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        let flushed = match self
            .pager
            .as_mut()
            .and_then(|pager| pager.child.stdin.as_mut())
        {
            Some(stdin) => stdin.flush(),
            None => io::stdout().lock().flush(),
        };
        flushed.map_err(|error| output_error(&error))
    }

    /// Ends the output: waits until the user has left the pager.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        let flushed = self.flush();
        if let Some(mut pager) = self.pager.take() {
            drop(pager.child.stdin.take());
            let _ = pager.child.wait();
        }
        flushed
    }

    /// A remark on standard error, unless `-q` is given.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            stderr(text);
        }
    }

    /// A problem that does not end the command; shown even with `-q`.
    pub(crate) fn warning(&self, text: &str) {
        let label = self.label("warning:", AnsiColor::Yellow);
        stderr(&format!("{label} {text}"));
    }

    /// What to do next, on standard error, unless `-q` is given.
    pub(crate) fn hint(&self, text: &str) {
        if !self.quiet {
            let label = self.label("hint:", AnsiColor::Cyan);
            stderr(&format!("  {label} {text}"));
        }
    }

    /// The error that ends the command.
    pub(crate) fn error(&self, error: &Error) {
        if error.is_quiet() {
            return;
        }
        let label = self.label("error:", AnsiColor::Red);
        stderr(&format!("{label} {}", clean::line(&error.chain())));
        for line in error.list() {
            stderr(&format!("  {}", clean::line(line)));
        }
        if let Some(hint) = error.hint_text() {
            let label = self.label("hint:", AnsiColor::Cyan);
            stderr(&format!("  {label} {hint}"));
        }
    }

    /// A line on standard error that is overwritten, for work that takes a while; silent without a terminal, with
    /// `-q` and in CI.
    #[must_use]
    pub(crate) fn progress(&self) -> ProgressLine {
        ProgressLine {
            active: self.terminal.stderr && !self.quiet && !self.terminal.ci && !self.terminal.dumb,
            columns: self.terminal.columns.unwrap_or(80),
            shown: false,
        }
    }

    fn label(&self, text: &str, colour: AnsiColor) -> String {
        if self.stderr_colour {
            let style = Style::new().bold().fg_color(Some(colour.into()));
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// A line that is overwritten.
#[derive(Debug)]
pub(crate) struct ProgressLine {
    active: bool,
    columns: usize,
    shown: bool,
}

impl ProgressLine {
    /// Replaces the shown text; the new text must be clean.
    pub(crate) fn show(&mut self, text: &str) {
        if self.active {
            let text = clean::excerpt(text, self.columns.saturating_sub(1));
            let _ = write!(io::stderr().lock(), "\r{text}\x1b[K");
            self.shown = true;
        }
    }

    /// Clears the line, before anything else is written and at the end.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Messages that cannot be written are lost: there is no other place for them.
pub(super) fn stderr(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// The meaning of a failed write to standard output: a closed pipe ends the program quietly.
pub(super) fn output_error(error: &io::Error) -> Error {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Error::closed_output()
    } else {
        Error::usage(format!("cannot write to standard output: {error}"))
    }
}

/// A running pager.
#[derive(Debug)]
struct Pager {
    child: Child,
}

impl Pager {
    fn start(command: &str, less_options: bool) -> Option<Self> {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).stdin(Stdio::piped());
        if !less_options {
            // Quit if the text fits on one screen, let colours through, leave the text on the screen.
            shell.env("LESS", "FRX");
        }
        if !exists(command) {
            return None;
        }
        let child = shell.spawn().ok()?;
        ignore_interrupts();
        Some(Self { child })
    }
}

/// Whether the first word of the command is an executable.
fn exists(command: &str) -> bool {
    let Some(program) = command.split_whitespace().next() else {
        return false;
    };
    // The shell decides about leading variables, quotes and the like.
    if program.contains(['=', '"', '\'', '$']) {
        return true;
    }
    Command::new("sh")
        .args(["-c", "command -v -- \"$0\" >/dev/null 2>&1", program])
        .status()
        .is_ok_and(|status| status.success())
}

/// While the pager runs, Ctrl-C belongs to it: less treats it as "stop searching". Ending here would leave both
/// the shell and less reading the same terminal. The handler that tokio installs stays for the life of the
/// process; without it Ctrl-C ends this program, which harms nothing but the terminal.
fn ignore_interrupts() {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build();
    if let Ok(runtime) = runtime {
        let _guard = runtime.enter();
        let _ = signal(SignalKind::interrupt());
    }
}

/// A value as one line of JSON.
pub(crate) fn json_line(value: &impl serde::Serialize) -> Result<String, Error> {
    let text = serde_json::to_string(value)
        .map_err(|error| Error::usage("cannot write the result as JSON").because(error))?;
    Ok(format!("{}\n", clean::json(&text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_beats_no_color_beats_force_beats_the_terminal() {
        let plain = Terminal::default();
        let no = Terminal {
            no_color: true,
            clicolor_force: true,
            ..Terminal::default()
        };
        let force = Terminal {
            clicolor_force: true,
            ..Terminal::default()
        };
        let dumb = Terminal {
            dumb: true,
            ..Terminal::default()
        };
        for (when, terminal, is_terminal, expected) in [
            (ColorWhen::Always, &no, false, true),
            (ColorWhen::Never, &force, true, false),
            (ColorWhen::Auto, &no, true, false),
            (ColorWhen::Auto, &force, false, true),
            (ColorWhen::Auto, &dumb, true, false),
            (ColorWhen::Auto, &plain, true, true),
            (ColorWhen::Auto, &plain, false, false),
        ] {
            assert_eq!(wants_colour(when, terminal, is_terminal), expected);
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        let error = output_error(&io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(error.is_quiet());
        assert_eq!(error.exit().code(), 0);
        let full = output_error(&io::Error::from(io::ErrorKind::StorageFull));
        assert!(!full.is_quiet());
        assert_eq!(full.exit().code(), 2);
    }

    #[test]
    fn a_pager_that_does_not_exist_is_not_started() {
        assert!(!exists("no-such-pager-xyz -R"));
        assert!(exists("sh"));
        assert!(exists("LESS=R sh"));
        assert!(!exists("  "));
    }
}
