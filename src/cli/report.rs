//! `revisor report`: what changed in a period, and how much of it was watched.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::path::Path;

use super::CommandContext;
use super::args::{GroupArg, OutputFormat, ReportArgs};
use super::{feeds, late, select};
use crate::config::{Config, Secrets};
use crate::domain::event::FeedInfo;
use crate::error::{Error, Exit};
use crate::report::feeds::{FeedStatus, FeedSummary};
use crate::report::html::Links;
use crate::report::log::LogRow;
use crate::report::period::{
    Builder, Coverage, Details, FeedCoverage, FeedGap, GroupBy, IgnoredCount, Report,
    ReportContext, WatchedTotals, html, markdown, text,
};
use crate::report::style::Paint;
use crate::report::when::TimeView;
use crate::store::{EventFilter, IgnoredFilter, InstanceLock, Reader};
use crate::time::Timestamp;

const FORMATS: [OutputFormat; 4] = [
    OutputFormat::Short,
    OutputFormat::Md,
    OutputFormat::Html,
    OutputFormat::Json,
];

pub(super) fn run(context: &mut CommandContext, args: &ReportArgs) -> Result<Exit, Error> {
    let format = context.format(&FORMATS)?;
    let config = context.config(Secrets::WhereReadable)?;
    let view = context.view(&config);
    let reader = context.reader_if_any(&config)?;
    let mut filter = select::events(&args.filter, &config, reader.as_ref())?;
    let until = filter.until.unwrap_or(view.now);
    let since = match filter.since {
        Some(since) => since,
        None => select::moment("--since", Some("1d"), &config)?.unwrap_or(until),
    };
    if until <= since {
        return Err(Error::usage("--until is not after --since"));
    }
    (filter.since, filter.until) = (Some(since), Some(until));
    let by = match args.by {
        GroupArg::Feed => GroupBy::Feed,
        GroupArg::Tag => GroupBy::Tag,
        GroupArg::Entry => GroupBy::Entry,
    };
    let mut builder = Builder::new(since, until, by, view.zone);
    if let Some(reader) = &reader {
        reader.each_outline(&filter, |outline| builder.add(outline))?;
    }
    let details = match &reader {
        Some(reader) => details(&builder, &config, reader)?,
        None => Details::default(),
    };
    let around = surroundings(&filter, &config, reader.as_ref(), view.now)?;
    write(
        context,
        args.output.as_deref(),
        format,
        &builder.finish(around, &details),
        view,
        &config
            .web
            .base_url
            .as_deref()
            .map(Links::below)
            .unwrap_or_default(),
    )?;
    Ok(Exit::DONE)
}

/// The stored data of the events that the report shows.
fn details(builder: &Builder, config: &Config, reader: &Reader) -> Result<Details, Error> {
    let events = reader.logged_events(&builder.shown())?.into_iter();
    let rows: HashMap<_, _> = events
        .map(|logged| {
            let row = LogRow {
                event: logged.stored.event,
                quiet: logged.quiet,
            };
            (logged.stored.id, row)
        })
        .collect();
    let numbers: Vec<_> = rows
        .values()
        .filter_map(|row| row.event.data.number)
        .collect();
    let tags: HashMap<&str, &[String]> = config
        .feeds
        .iter()
        .map(|feed| (feed.url.as_str(), &*feed.tags))
        .collect();
    let feeds = reader.feeds_unordered()?.into_iter().map(|feed| {
        let info = FeedInfo {
            tags: tags
                .get(feed.url.as_str())
                .copied()
                .unwrap_or_default()
                .to_vec(),
            name: feed.name,
            title: feed.title,
            url: feed.url,
        };
        (feed.id, info)
    });
    let entries = reader.entry_titles(&builder.named())?.into_iter();
    Ok(Details {
        rows,
        snapshots: reader.snapshots_of(&numbers)?.into_iter().collect(),
        feeds: feeds.collect(),
        entries: entries
            .map(|(entry, id, title)| (entry, (id, title)))
            .collect(),
    })
}

fn surroundings(
    filter: &EventFilter,
    config: &Config,
    reader: Option<&Reader>,
    now: Timestamp,
) -> Result<ReportContext, Error> {
    let mut around = ReportContext {
        coverage: coverage_of_feeds(filter, config, reader, now)?,
        ..ReportContext::default()
    };
    around.watched.feeds = config.feeds.len() as u64;
    let Some(reader) = reader else {
        return Ok(around);
    };
    let counts = reader.watched()?;
    let ignored = reader.ignored_totals(&IgnoredFilter {
        since: filter.since,
        until: filter.until,
        feeds: filter.feeds.clone(),
        entry: filter.entry,
        ..IgnoredFilter::default()
    })?;
    let daemon = InstanceLock::holder(&config.database).is_some();
    let late = late::hosts(reader, config, daemon, now)?;
    around.watched = WatchedTotals {
        articles: counts.entries,
        pages: counts.pages_on_clock,
        ..around.watched
    };
    around.ignored = IgnoredCount {
        places: ignored.places,
        articles: ignored.entries,
    };
    around.coverage.pages_late = late.iter().map(|host| host.pages).sum();
    around.coverage.pages_unread = counts.pages_unread;
    around.coverage.offline_since = reader.offline_since()?;
    around.hidden = reader.count_quiet(filter)?;
    Ok(around)
}

/// The selected feeds, and those among them that are not fully watched.
fn coverage_of_feeds(
    filter: &EventFilter,
    config: &Config,
    reader: Option<&Reader>,
    now: Timestamp,
) -> Result<Coverage, Error> {
    let mut rows = feeds::states(config, reader)?;
    if let (Some(wanted), Some(reader)) = (&filter.feeds, reader) {
        let known = reader.feeds(true)?.into_iter();
        let wanted: HashSet<String> = known
            .filter(|feed| wanted.contains(&feed.id))
            .map(|feed| feed.url)
            .collect();
        rows.retain(|row| wanted.contains(&row.url));
    }
    let daemon = InstanceLock::holder(&config.database).is_some();
    let late: HashMap<String, String> = late::feeds(&rows, config, daemon, now)
        .into_iter()
        .map(|late| (late.feed, late.why))
        .collect();
    let gaps = rows.iter().filter_map(|row| gap(row, late.get(&row.name)));
    let mut gaps: Vec<FeedGap> = gaps.collect();
    // The longest unread first, preceded by feeds that were never read.
    gaps.sort_by_key(|gap| (gap.state == FeedCoverage::Paused, gap.since));
    Ok(Coverage {
        feeds_ok: (rows.len() - gaps.len()) as u64,
        gaps,
        ..Coverage::default()
    })
}

fn gap(row: &FeedSummary, late: Option<&String>) -> Option<FeedGap> {
    let state = match row.state {
        FeedStatus::Failing => FeedCoverage::Failing,
        FeedStatus::Gone => FeedCoverage::Gone,
        FeedStatus::Paused => FeedCoverage::Paused,
        FeedStatus::New => FeedCoverage::NeverRead,
        FeedStatus::Ok if late.is_some() => FeedCoverage::Late,
        FeedStatus::Ok => return None,
    };
    Some(FeedGap {
        feed: row.name.clone(),
        state,
        since: row.last_ok,
        missed: u64::from(row.failures),
        error: row.error.clone().or_else(|| late.cloned()),
    })
}

fn write(
    context: &mut CommandContext,
    file: Option<&Path>,
    format: OutputFormat,
    report: &Report,
    mut view: TimeView,
    links: &Links,
) -> Result<(), Error> {
    if file.is_some() {
        // A file is read elsewhere: on another terminal, or on none.
        view.paint = Paint {
            colour: false,
            width: Some(80),
        };
    }
    let written = match format {
        OutputFormat::Json => {
            let json = serde_json::to_string_pretty(report)
                .map_err(|error| Error::usage("cannot write the report as JSON").because(error))?;
            format!("{}\n", crate::report::clean::json(&json))
        }
        OutputFormat::Md => markdown::render(report, &view),
        OutputFormat::Html => html::render(report, &view, links),
        _ => text::render(report, &view),
    };
    match file {
        Some(path) => replace(path, &written),
        None => {
            if matches!(format, OutputFormat::Short | OutputFormat::Md) {
                context.output.page();
            }
            context.output.print(&written)
        }
    }
}

/// Replaces a file as a whole: a program that is reading the old one can read it to its end.
fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |error: std::io::Error| {
        Error::usage(format!("cannot write {}", path.display()))
            .because(error)
            .hint("name a file in a folder that you can write to")
    };
    // The target of a symbolic link is written, and the link stays; a device or a pipe is written to, never
    // replaced.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        return std::fs::write(path, text).map_err(failed);
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o640))
        .tempfile_in(folder.unwrap_or_else(|| Path::new(".")))
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
