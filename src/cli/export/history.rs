//! `revisor export csv`, `ndjson`, `git` and `warc`: one record after another, to standard output or a new file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use super::super::args::{Filter, GitArgs, NdjsonArgs, PeriodArgs};
use super::super::output::ProgressLine;
use super::super::setup::now;
use super::super::{CommandContext, select};
use super::repository::Repository;
use super::{cannot_write, create_new};
use crate::config::Config;
use crate::domain::chain::StoredCapture;
use crate::domain::search::{ChangedSentences, gone};
use crate::domain::state::EntryState;
use crate::error::{Error, Exit};
use crate::report::export::git::{self, Commit};
use crate::report::export::table::{self, Row};
use crate::report::export::warc::{self, Original};
use crate::report::{clean, names};
use crate::store::{ChangeFilter, ExportFilter, ExportedRevision, Reader, StoredChange};
use crate::time::Timestamp;

/// The progress line is updated after this many records.
const SHOW_EVERY: u64 = 100;

/// How many bodies are remembered so that they can be referenced instead of repeated. A longer archive repeats
/// some.
const ORIGINALS: usize = 200_000;

/// Writes one row per change.
pub(super) fn csv(context: &mut CommandContext, args: &PeriodArgs) -> Result<Exit, Error> {
    let (config, reader) = context.reader()?;
    let range = range(args, &config, &reader)?;
    let filter = ChangeFilter {
        since: range.since,
        until: range.until,
        feeds: range.feeds,
        include_quiet: true,
        oldest_first: true,
        ..ChangeFilter::default()
    };
    let mut sink = Sink::open(args.output.as_deref())?;
    let mut shown = ExportProgress::new(context, "changes", None);
    sink.write(table::HEAD.as_bytes())?;
    let mut written = Ok(());
    reader.each_change(&filter, |change| {
        written = write_change(&change, &reader, &mut sink);
        shown.one();
        written.is_ok()
    })?;
    written?;
    finish(context, sink, shown, "change")
}

fn write_change(change: &StoredChange, reader: &Reader, sink: &mut Sink) -> Result<(), Error> {
    let state = |number| reader.state(change.entry, number);
    let before = state(change.before)?.map(|found| found.0);
    let after = state(change.after)?.map(|found| found.0);
    let gone = match (&before, &after) {
        (Some(before), Some(after)) => gone(before, after),
        _ => ChangedSentences::default(),
    };
    let row = Row {
        event: &change.stored.event,
        quiet: change.quiet,
        states: [before.as_ref(), after.as_ref()],
        gone: &gone,
    };
    sink.write(table::record(&row).as_bytes())
}

/// A line of the type `revision`.
#[derive(Serialize)]
struct RevisionLine<'a> {
    r#type: &'static str,
    entry: &'a str,
    feed: &'a str,
    feed_url: &'a str,
    revision: u32,
    seen: Timestamp,
    channels: Vec<&'static str>,
    change: Option<i64>,
    state: Option<&'a EntryState>,
}

/// Writes one event per line, after the revisions if they are requested.
pub(super) fn ndjson(context: &mut CommandContext, args: &NdjsonArgs) -> Result<Exit, Error> {
    let history = &args.period;
    let (config, reader) = context.reader()?;
    let range = range(history, &config, &reader)?;
    let mut sink = Sink::open(history.output.as_deref())?;
    let total = match args.revisions {
        true => Some(reader.count_revisions(&range)?),
        false => None,
    };
    let mut shown = ExportProgress::new(context, "lines", total);
    let mut failed = Ok(());
    if args.revisions {
        reader.each_revision(&range, |revision| {
            let line = RevisionLine {
                r#type: "revision",
                entry: &revision.entry,
                feed: &revision.feed,
                feed_url: &revision.feed_url,
                revision: revision.number.0,
                seen: revision.seen,
                channels: revision
                    .channels
                    .iter()
                    .map(|channel| channel.as_str())
                    .collect(),
                change: change_of(&revision),
                state: revision.state.as_ref(),
            };
            failed = sink.json(&line);
            shown.one();
            failed.is_ok()
        })?;
    }
    failed?;
    let filter = Filter {
        since: history.since.clone(),
        until: history.until.clone(),
        feed: history.feed.clone(),
        tag: history.tag.clone(),
        all: true,
        ..Filter::default()
    };
    let mut filter = select::events(&filter, &config, Some(&reader))?;
    filter.oldest_first = true;
    let mut failed = Ok(());
    reader.each_event(&filter, |event| {
        failed = sink.json(&event.stored.event);
        shown.one();
        failed.is_ok()
    })?;
    failed?;
    finish(context, sink, shown, "line")
}

fn change_of(revision: &ExportedRevision) -> Option<i64> {
    let event = revision.event.as_ref()?;
    event.data.number.map(|number| number.0)
}

/// Writes one commit per revision: to a repository, or as a stream.
pub(super) fn git(context: &mut CommandContext, args: &GitArgs) -> Result<Exit, Error> {
    let (config, reader) = context.reader()?;
    let mut range = range(&args.period, &config, &reader)?;
    let Some(place) = &args.into else {
        let mut sink = Sink::open(args.period.output.as_deref())?;
        let shown = commits(context, &reader, &range, false, &mut |bytes| {
            sink.write(bytes)
        })?;
        return finish(context, sink, shown, "revision");
    };
    let repository = Repository::open(place, &reader.identity()?)?;
    let last = repository.last_row()?;
    range.after = last.unwrap_or(0);
    if reader.count_revisions(&range)? == 0 {
        let text = format!("{} has every revision already", place.display());
        context.output.note(&text);
        return Ok(Exit::DONE);
    }
    let mut import = repository.import()?;
    let written = commits(context, &reader, &range, last.is_some(), &mut |bytes| {
        import.write(bytes)
    });
    let mut shown = match written {
        Ok(shown) => shown,
        // An error from git is closer to the cause than the broken pipe.
        Err(error) => return Err(import.cancel().unwrap_or(error)),
    };
    shown.progress.clear();
    import.finish()?;
    let count = names::count(shown.count, "revision");
    context
        .output
        .note(&format!("Wrote {count} to {}", place.display()));
    Ok(Exit::DONE)
}

fn commits(
    context: &CommandContext,
    reader: &Reader,
    range: &ExportFilter,
    continues: bool,
    write: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<ExportProgress, Error> {
    let total = reader.count_revisions(range)?;
    let mut shown = ExportProgress::new(context, "revisions", Some(total));
    write(git::start().as_bytes())?;
    let mut failed = Ok(());
    reader.each_revision(range, |revision| {
        let commit = Commit {
            row: revision.row,
            entry: &revision.entry,
            number: revision.number.0,
            feed: &revision.feed,
            seen: revision.seen,
            event: revision.event.as_ref(),
            state: revision.state.as_ref(),
        };
        let continues = continues && shown.count == 0;
        failed = write(git::commit(&commit, continues).as_bytes());
        shown.one();
        failed.is_ok()
    })?;
    failed?;
    write(git::END.as_bytes())?;
    Ok(shown)
}

/// Writes the stored responses, each record as a separate gzip member.
pub(super) fn warc(context: &mut CommandContext, args: &PeriodArgs) -> Result<Exit, Error> {
    let (config, reader) = context.reader()?;
    let range = range(args, &config, &reader)?;
    if args.output.is_none() && io::stdout().is_terminal() {
        return Err(Error::usage("a web archive is not for a terminal")
            .hint("write it to a file: revisor export warc -o history.warc.gz"));
    }
    let database = reader.identity()?;
    let mut sink = Sink::open(args.output.as_deref())?;
    let mut shown = ExportProgress::new(context, "responses", Some(reader.count_captures(&range)?));
    let program = format!("revisor/{}", env!("CARGO_PKG_VERSION"));
    sink.member(&warc::info(&database, now(), &program))?;
    let mut archive = Archive {
        database,
        originals: HashMap::new(),
        gone: 0,
    };
    let mut written = Ok(());
    reader.each_capture(&range, |stored| {
        written = archive.put(&stored, &mut sink);
        shown.one();
        written.is_ok()
    })?;
    written?;
    let gone = archive.gone;
    if gone > 0 {
        let gone = names::count(gone, "response");
        context.output.warning(&format!(
            "{gone} left out: the bodies have been deleted (`keep.captures`)"
        ));
    }
    shown.count -= gone;
    finish(context, sink, shown, "response")
}

/// The contents of an archive so far.
struct Archive {
    database: String,
    originals: HashMap<[u8; 32], Original>,
    /// Responses whose bodies are no longer stored.
    gone: u64,
}

impl Archive {
    fn put(&mut self, stored: &StoredCapture, sink: &mut Sink) -> Result<(), Error> {
        let known = self.originals.get(&stored.body_sha256);
        let Some(record) = warc::response(&self.database, stored, known) else {
            self.gone += 1;
            return Ok(());
        };
        sink.member(&record)?;
        if let Some(record) = warc::request(&self.database, stored) {
            sink.member(&record)?;
        }
        if self.originals.len() < ORIGINALS {
            let original = || Original {
                url: stored.capture.url.clone(),
                at: stored.capture.fetched,
            };
            let originals = self.originals.entry(stored.body_sha256);
            originals.or_insert_with(original);
        }
        Ok(())
    }
}

fn range(args: &PeriodArgs, config: &Config, reader: &Reader) -> Result<ExportFilter, Error> {
    Ok(ExportFilter {
        since: select::moment("--since", args.since.as_deref(), config)?,
        until: select::moment("--until", args.until.as_deref(), config)?,
        feeds: select::feeds(&args.feed, &args.tag, config, reader)?,
        after: 0,
    })
}

fn finish(
    context: &CommandContext,
    sink: Sink,
    mut shown: ExportProgress,
    what: &str,
) -> Result<Exit, Error> {
    let place = sink.finish()?;
    shown.progress.clear();
    if let Some(place) = place {
        let count = names::count(shown.count, what);
        context
            .output
            .note(&format!("Wrote {count} to {}", place.display()));
    }
    Ok(Exit::DONE)
}

/// The progress of an export, on a terminal.
struct ExportProgress {
    progress: ProgressLine,
    what: &'static str,
    total: Option<u64>,
    count: u64,
}

impl ExportProgress {
    fn new(context: &CommandContext, what: &'static str, total: Option<u64>) -> Self {
        Self {
            progress: context.output.progress(),
            what,
            total,
            count: 0,
        }
    }

    fn one(&mut self) {
        self.count += 1;
        if self.count.is_multiple_of(SHOW_EVERY) {
            let Self { count, what, .. } = self;
            let text = match self.total {
                Some(total) => format!("Exporting {what}: {count} of {total}"),
                None => format!("Exporting {what}: {count}"),
            };
            self.progress.show(&text);
        }
    }
}

/// Standard output, or a new file that is complete or does not exist.
enum Sink {
    Stdout(BufWriter<io::Stdout>),
    File {
        file: BufWriter<File>,
        path: PathBuf,
        done: bool,
    },
}

impl Sink {
    fn open(path: Option<&Path>) -> Result<Self, Error> {
        Ok(match path {
            None => Self::Stdout(BufWriter::new(io::stdout())),
            Some(path) => Self::File {
                file: BufWriter::new(create_new(path)?),
                path: path.to_owned(),
                done: false,
            },
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Stdout(out) => out.write_all(bytes).map_err(|error| stdout_error(&error)),
            Self::File { file, path, .. } => file
                .write_all(bytes)
                .map_err(|error| cannot_write(path, error)),
        }
    }

    fn json(&mut self, value: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_string(value)
            .map_err(|error| Error::usage("cannot write the result as JSON").because(error))?;
        self.write(clean::json(&text).as_bytes())?;
        self.write(b"\n")
    }

    /// Writes a separate gzip member.
    fn member(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        let packed = packer.write_all(bytes).and_then(|()| packer.finish());
        let packed =
            packed.map_err(|error| Error::usage("cannot compress a record").because(error))?;
        self.write(&packed)
    }

    /// The file that was written, if it is one.
    fn finish(mut self) -> Result<Option<PathBuf>, Error> {
        match &mut self {
            Self::Stdout(out) => {
                out.flush().map_err(|error| stdout_error(&error))?;
                Ok(None)
            }
            Self::File { file, path, done } => {
                file.flush()
                    .and_then(|()| file.get_ref().sync_all())
                    .map_err(|error| cannot_write(path, error))?;
                *done = true;
                Ok(Some(path.clone()))
            }
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // A partial export would be mistaken for a complete one.
        if let Self::File {
            path, done: false, ..
        } = self
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn stdout_error(error: &io::Error) -> Error {
    super::super::output::output_error(error)
}
