//! The log: lines on standard error, for the journal, for people or for programs.
//!
//! Under systemd a line begins with its priority (`<6>`, sd-daemon(3)) and has no time or colour; the journal adds
//! those. Nothing in a feed or page can end a line or control a terminal: control and invisible characters in
//! messages and values are escaped.

use crate::names;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::{LookupSpan, Scope};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::report::clean;
use crate::time::{Clock, System};

/// The format of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogForm {
    /// `<6>message key=value`.
    Journal,
    /// `2026-11-23T10:04:12.481Z  INFO message key=value`.
    Text {
        /// Whether the level is coloured.
        colour: bool,
    },
    /// One JSON object on each line.
    Json,
}

impl LogForm {
    const ALL: [Self; 4] = [
        Self::Journal,
        Self::Text { colour: false },
        Self::Text { colour: true },
        Self::Json,
    ];

    /// Its place in [`LogForm::ALL`].
    fn code(self) -> u8 {
        match self {
            Self::Journal => 0,
            Self::Text { colour: false } => 1,
            Self::Text { colour: true } => 2,
            Self::Json => 3,
        }
    }
}

names! {
    /// The lowest level that is shown.
    pub enum LogVerbosity {
        /// Problems that need a person.
        Error = "error",
        /// Problems that were recovered.
        Warn = "warn",
        /// What was done.
        Info = "info",
        /// Why it was done.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

impl LogVerbosity {
    /// One level more for each `-v`; only errors with `-q`.
    #[must_use]
    pub(crate) fn louder(self, verbose: u8, quiet: bool) -> Self {
        if quiet {
            return Self::Error;
        }
        let at = (self as usize).saturating_add(usize::from(verbose));
        Self::ALL.get(at).copied().unwrap_or(Self::Trace)
    }
}

/// The options of the log.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// The format of the lines.
    pub form: LogForm,
    /// The lowest level of our own messages; those of libraries are shown from `warn` up, or all of them at `trace`.
    pub level: LogVerbosity,
    /// `REVISOR_LOG`: replaces the level.
    pub directives: Option<String>,
}

/// Why the log cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// The directives cannot be read.
    #[error("cannot read REVISOR_LOG {0:?}: {1}")]
    Directives(String, String),
    /// The log is already running.
    #[error("logging is already set up")]
    Running,
}

/// The log of the process, once it is running.
static LOG: OnceLock<RunningLog> = OnceLock::new();

struct RunningLog {
    lines: LineFormat,
    filter: reload::Handle<EnvFilter, Registry>,
}

/// Starts the log of the process; can be called once.
pub(crate) fn start(options: &Options) -> Result<(), LogError> {
    let (filter, handle) = reload::Layer::new(filter(options)?);
    let lines = LineFormat::new(options.form);
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        // A closed standard error is no reason to panic.
        .log_internal_errors(false)
        .fmt_fields(lines.clone())
        .event_format(lines.clone());
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .try_init()
        .map_err(|_| LogError::Running)?;
    let running = RunningLog {
        lines,
        filter: handle,
    };
    LOG.set(running).map_err(|_| LogError::Running)
}

/// Switches to other options, for a configuration that was loaded or reloaded later.
pub(crate) fn change(options: &Options) -> Result<(), LogError> {
    let Some(log) = LOG.get() else { return Ok(()) };
    let filter = filter(options)?;
    log.lines.0.store(options.form.code(), Ordering::Relaxed);
    // This fails only if the log no longer exists.
    log.filter.reload(filter).map_err(|_| LogError::Running)
}

/// Whether standard error is the stream that systemd has connected to the journal. A program started by hand from a
/// shell that runs under systemd also has the variable, but another stream.
#[must_use]
pub(crate) fn is_journal(journal_stream: Option<&str>) -> bool {
    use std::os::unix::fs::MetadataExt;
    let ids = journal_stream.and_then(|stream| stream.split_once(':'));
    let Some((device, inode)) = ids else {
        return false;
    };
    std::fs::metadata("/proc/self/fd/2")
        .is_ok_and(|stderr| device.parse() == Ok(stderr.dev()) && inode.parse() == Ok(stderr.ino()))
}

fn filter(options: &Options) -> Result<EnvFilter, LogError> {
    if let Some(directives) = &options.directives {
        return EnvFilter::try_new(directives)
            .map_err(|error| LogError::Directives(directives.clone(), error.to_string()));
    }
    let level = options.level.as_str();
    let others = match options.level {
        LogVerbosity::Trace | LogVerbosity::Error => level,
        _ => "warn",
    };
    Ok(EnvFilter::new(format!("{others},revisor={level}")))
}

/// Formats events, and the fields of spans.
#[derive(Debug, Clone)]
struct LineFormat(Arc<AtomicU8>);

impl LineFormat {
    fn new(form: LogForm) -> Self {
        Self(Arc::new(AtomicU8::new(form.code())))
    }

    fn form(&self) -> LogForm {
        let code = usize::from(self.0.load(Ordering::Relaxed));
        LogForm::ALL.get(code).copied().unwrap_or(LogForm::Journal)
    }
}

impl<S, N> FormatEvent<S, N> for LineFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut spans = String::new();
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                spans.push_str(&fields.fields);
            }
        }
        let mut seen = FieldText::new(self.form());
        event.record(&mut seen);
        let metadata = event.metadata();
        let line = render(
            self.form(),
            *metadata.level(),
            metadata.target(),
            &seen,
            &spans,
        );
        writeln!(writer, "{line}")
    }
}

impl<'writer> FormatFields<'writer> for LineFormat {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut seen = FieldText::new(self.form());
        fields.record(&mut seen);
        writer.write_str(&seen.pairs)
    }

    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &tracing::span::Record<'_>,
    ) -> fmt::Result {
        let mut seen = FieldText::new(self.form());
        fields.record(&mut seen);
        current.fields.push_str(&seen.pairs);
        Ok(())
    }
}

fn render(
    form: LogForm,
    level: tracing::Level,
    target: &str,
    event: &FieldText,
    spans: &str,
) -> String {
    let FieldText { message, pairs, .. } = event;
    match form {
        LogForm::Journal => format!("<{}>{message}{pairs}{spans}", priority(level)),
        LogForm::Text { colour } => {
            let time = System.now();
            let (on, off) = match (colour, level) {
                (false, _) => ("", ""),
                (true, tracing::Level::ERROR) => ("\x1b[31m", "\x1b[0m"),
                (true, tracing::Level::WARN) => ("\x1b[33m", "\x1b[0m"),
                (true, _) => ("\x1b[2m", "\x1b[0m"),
            };
            format!(
                "{time} {on}{:>5}{off} {message}{pairs}{spans}",
                level.as_str()
            )
        }
        LogForm::Json => {
            let time = System.now();
            let level = level.as_str().to_ascii_lowercase();
            format!(
                "{{\"time\":\"{time}\",\"level\":\"{level}\",\"target\":{},\"message\":{}{pairs}{spans}}}",
                json(target),
                json(message)
            )
        }
    }
}

/// Priorities of syslog(3).
fn priority(level: tracing::Level) -> u8 {
    match level {
        tracing::Level::ERROR => 3,
        tracing::Level::WARN => 4,
        tracing::Level::INFO => 6,
        _ => 7,
    }
}

/// Collects the message and the other fields; the fields are formatted to be appended to it.
#[derive(Debug)]
struct FieldText {
    form: LogForm,
    message: String,
    pairs: String,
}

impl FieldText {
    fn new(form: LogForm) -> Self {
        Self {
            form,
            message: String::new(),
            pairs: String::new(),
        }
    }

    fn add(&mut self, field: &Field, value: &str, bare: bool) {
        let value = clean::escaped(value);
        if field.name() == "message" {
            self.message = value.into_owned();
            return;
        }
        // Writing to a string cannot fail.
        let _ = match self.form {
            LogForm::Json if bare => write!(self.pairs, ",{}:{value}", json(field.name())),
            LogForm::Json => write!(self.pairs, ",{}:{}", json(field.name()), json(&value)),
            _ if !bare && needs_quotes(&value) => {
                write!(
                    self.pairs,
                    " {}=\"{}\"",
                    field.name(),
                    value.replace('"', "\\\"")
                )
            }
            _ => write!(self.pairs, " {}={value}", field.name()),
        };
    }
}

impl Visit for FieldText {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, &format!("{value:?}"), false);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value, false);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, &value.to_string(), true);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, &value.to_string(), true);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, &value.to_string(), true);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.ends_with(&said) {
                text.push_str(": ");
                text.push_str(&said);
            }
            cause = error.source();
        }
        self.add(field, &text, false);
    }
}

fn needs_quotes(value: &str) -> bool {
    value.is_empty() || value.contains([' ', '"', '='])
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Buffer {
        type Writer = Self;
        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    fn logged(form: LogForm) -> String {
        let buffer = Buffer::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(buffer.clone())
            .fmt_fields(LineFormat::new(form))
            .event_format(LineFormat::new(form))
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("check", feed = "a\nb", status = tracing::field::Empty);
            let _entered = span.enter();
            span.record("status", 304);
            let error = std::io::Error::other("no\x1b[2J route");
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                title = "x\n<3>forged\u{202e}",
                ok = false,
                "feed {} failed",
                "\u{9b}31m"
            );
        });
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_journal_gets_a_priority_and_one_line() {
        assert_eq!(
            logged(LogForm::Journal),
            "<4>feed \\u{9b}31m failed error=\"no\\u{1b}[2J route\" \
             title=x\\n<3>forged\\u{202e} ok=false feed=a\\nb status=304\n"
        );
    }

    #[test]
    fn json_is_valid_and_carries_the_spans() {
        let line = logged(LogForm::Json);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["level"], "warn");
        assert_eq!(value["feed"], "a\\nb");
        assert_eq!(value["status"], 304);
        assert_eq!(value["ok"], false);
        assert_eq!(value["title"], "x\\n<3>forged\\u{202e}");
    }

    #[test]
    fn text_has_time_and_level() {
        let line = logged(LogForm::Text { colour: false });
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(crate::time::Timestamp::parse_rfc3339(time).is_some());
        assert!(rest.starts_with(" WARN feed "));
        assert!(logged(LogForm::Text { colour: true }).contains("\x1b[33m WARN\x1b[0m"));
    }

    #[test]
    fn levels_follow_the_flags() {
        assert_eq!(LogVerbosity::Warn.louder(0, false), LogVerbosity::Warn);
        assert_eq!(LogVerbosity::Warn.louder(2, false), LogVerbosity::Debug);
        assert_eq!(LogVerbosity::Info.louder(200, false), LogVerbosity::Trace);
        assert_eq!(LogVerbosity::Info.louder(3, true), LogVerbosity::Error);
    }

    #[test]
    fn directives_are_checked() {
        let options = |directives: &str| Options {
            form: LogForm::Journal,
            level: LogVerbosity::Info,
            directives: Some(directives.to_owned()),
        };
        assert!(filter(&options("info,revisor::fetch=debug")).is_ok());
        assert!(filter(&options("revisor=loud")).is_err());
    }

    #[test]
    fn a_stream_that_is_not_ours_is_not_the_journal() {
        assert!(!is_journal(None));
        assert!(!is_journal(Some("8:1")));
        assert!(!is_journal(Some("nonsense")));
    }
}
