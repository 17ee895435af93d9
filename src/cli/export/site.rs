//! `revisor export site`: the web pages as files. Only one article and one page of each list are in memory at a
//! time.

use std::collections::{BTreeMap, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::args::SiteArgs;
use super::super::output::ProgressLine;
use super::super::{CommandContext, select};
use super::cannot_write;
use crate::config::Config;
use crate::domain::event::EventKind;
use crate::domain::ids::{ChangeNumber, FeedId};
use crate::error::{Error, Exit};
use crate::queries::archive::archived;
use crate::queries::compare::difference;
use crate::queries::feeds::{of_configuration, usual};
use crate::queries::history::history_of;
use crate::report::html::{Links, SHEET};
use crate::report::log::{LogRow, plain_view};
use crate::report::names;
use crate::report::pages::change::{self as change_page, Change};
use crate::report::pages::compare::{self as compare_page, CompareView, Compared};
use crate::report::pages::entry::{self as entry_page, Moment, Revision};
use crate::report::pages::feeds::{self as feeds_page, Order};
use crate::report::pages::stream::{self, ChangeStream, StreamFilter};
use crate::report::pages::{self, PageContent, PageFrame, SHEET_PATH};
use crate::report::when::TimeView;
use crate::store::{EntryFilter, EventFilter, KnownEntry, Reader, RevisionRow};
use crate::time::Timestamp;

/// Changes on one page of a list. Pages are numbered from the oldest, so that their contents stay the same.
const ON_PAGE: usize = 40;

/// Marks a folder that we may write to.
const MARK: &str = ".revisor-site";

pub(super) fn run(context: &mut CommandContext, args: &SiteArgs) -> Result<Exit, Error> {
    let (config, reader) = context.reader()?;
    let feeds = select::feeds(&args.feed, &args.tag, &config, &reader)?;
    let now = super::super::setup::now();
    let mut files = Files {
        folder: claim(&args.folder)?,
        view: TimeView {
            zone: config.timezone,
            // A repeated export produces identical pages at any time.
            ..plain_view(Timestamp::default())
        },
        progress: context.output.progress(),
        pages: 0,
        written: 0,
    };
    files.put(&SHEET_PATH, SHEET)?;
    files.put("/assets/icon.svg", pages::ICON)?;
    lists(&mut files, &reader, feeds.as_deref())?;
    feeds_list(&mut files, &config, &reader, feeds.as_deref(), now)?;
    let filter = EntryFilter {
        feeds,
        limit: usize::MAX,
        ..EntryFilter::default()
    };
    for entry in reader.list_entries(&filter)? {
        article(&mut files, &config, &reader, &entry)?;
    }
    files.progress.clear();
    context.output.note(&format!(
        "Wrote {} of {} to {}",
        files.written,
        names::count(files.pages, "file"),
        args.folder.display()
    ));
    Ok(Exit::DONE)
}

/// Accepts a folder that is new, empty, or was written by an earlier export.
fn claim(folder: &Path) -> Result<PathBuf, Error> {
    std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, error))?;
    let mark = folder.join(MARK);
    let mut there = std::fs::read_dir(folder).map_err(|error| cannot_write(folder, error))?;
    if !mark.exists() {
        if there.next().is_some() {
            return Err(
                Error::usage(format!("{} has other files", folder.display())).hint(
                    "name a new folder, an empty one, or one that `revisor export site` has made",
                ),
            );
        }
        std::fs::write(&mark, "").map_err(|error| cannot_write(&mark, error))?;
    }
    Ok(folder.to_owned())
}

/// The destination of the pages.
struct Files {
    folder: PathBuf,
    view: TimeView,
    progress: ProgressLine,
    pages: u64,
    written: u64,
}

impl Files {
    /// The site, relative to the page at a path.
    fn site(&self, path: &str) -> PageFrame {
        PageFrame {
            links: Links::files_from(path),
            view: self.view,
        }
    }

    fn page(&mut self, path: &str, page: &PageContent) -> Result<(), Error> {
        let text = pages::document(&self.site(path), page);
        self.html(path, &text)
    }

    fn html(&mut self, path: &str, text: &str) -> Result<(), Error> {
        let file = Links::files_from("/").to(path).unwrap_or_default();
        self.put(file.trim_start_matches('.'), text)
    }

    /// Writes a file unless it already has this text; readers see either the old file or the new one.
    fn put(&mut self, path: &str, text: &str) -> Result<(), Error> {
        let place = self.folder.join(path.trim_start_matches('/'));
        self.pages += 1;
        if self.pages.is_multiple_of(100) {
            let text = format!("Exporting pages: {}", self.pages);
            self.progress.show(&text);
        }
        match std::fs::read(&place) {
            Ok(known) if known == text.as_bytes() => return Ok(()),
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(cannot_write(&place, error));
            }
            _ => {}
        }
        let write = || {
            if let Some(folder) = place.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let part = place.with_extension("part");
            std::fs::write(&part, text)?;
            std::fs::rename(&part, &place)
        };
        write().map_err(|error| cannot_write(&place, error))?;
        self.written += 1;
        Ok(())
    }
}

/// The contents of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ListKind<'a> {
    All,
    Headlines,
    Feed(&'a str),
}

/// The lists: all changes, headlines, and the changes of each feed.
fn lists(files: &mut Files, reader: &Reader, feeds: Option<&[FeedId]>) -> Result<(), Error> {
    list(files, reader, ListKind::All, feeds.map(<[FeedId]>::to_vec))?;
    list(
        files,
        reader,
        ListKind::Headlines,
        feeds.map(<[FeedId]>::to_vec),
    )?;
    // A feed that was removed from the configuration may have the same name as a new one.
    let mut named: BTreeMap<String, Vec<FeedId>> = BTreeMap::new();
    for feed in reader.feeds(true)? {
        if feeds.is_none_or(|feeds| feeds.contains(&feed.id)) {
            named.entry(feed.name).or_default().push(feed.id);
        }
    }
    for (name, ids) in named {
        list(files, reader, ListKind::Feed(&name), Some(ids))?;
    }
    Ok(())
}

/// Writes a list, the oldest page first.
fn list(
    files: &mut Files,
    reader: &Reader,
    kind: ListKind<'_>,
    feeds: Option<Vec<FeedId>>,
) -> Result<(), Error> {
    let revised_only = kind == ListKind::Headlines;
    let mut filter = EventFilter {
        kinds: vec![EventKind::EntryRevised],
        feeds,
        oldest_first: true,
        ..EventFilter::default()
    };
    if revised_only {
        filter.fields = vec![crate::domain::event::Field::Title];
    } else {
        filter.kinds.extend([
            EventKind::EntryRemoved,
            EventKind::EntryRestored,
            EventKind::EntryFlapping,
        ]);
    }
    let (mut rows, mut number) = (Vec::new(), 1_usize);
    let mut failed = Ok(());
    reader.each_event(&filter, |event| {
        if rows.len() == ON_PAGE {
            failed = part(files, kind, &mut rows, number, false);
            number += 1;
        }
        rows.push(LogRow {
            event: event.stored.event,
            quiet: event.quiet,
        });
        failed.is_ok()
    })?;
    failed?;
    part(files, kind, &mut rows, number, true)
}

/// One page of a list; the newest one is at the address of the list.
fn part(
    files: &mut Files,
    kind: ListKind<'_>,
    rows: &mut Vec<LogRow>,
    number: usize,
    is_newest: bool,
) -> Result<(), Error> {
    let (first, all) = match kind {
        ListKind::All => ("/".to_owned(), "/changes".to_owned()),
        ListKind::Headlines => ("/headlines".to_owned(), "/headlines".to_owned()),
        ListKind::Feed(name) => {
            let path = Links::files_from("/").feed_path(name);
            (path.clone(), path)
        }
    };
    let at = |number: usize| format!("{all}/{number}");
    let path = if is_newest { first.clone() } else { at(number) };
    let site = files.site(&path);
    let stream = ChangeStream {
        rows: std::mem::take(rows).into_iter().rev().collect(),
        hidden: 0,
        with_hidden: None,
        newest: (!is_newest).then(|| site.path(&first)),
        older: (number > 1).then(|| site.path(&at(number - 1))),
        others: Vec::new(),
        feeds: Vec::new(),
        tags: Vec::new(),
        wanted: StreamFilter {
            feed: match kind {
                ListKind::Feed(name) => name.to_owned(),
                ListKind::All | ListKind::Headlines => String::new(),
            },
            ..StreamFilter::default()
        },
    };
    let page = match kind {
        ListKind::Headlines => stream::headlines(&site, &stream),
        ListKind::All | ListKind::Feed(_) => stream::changes(&site, &stream),
    };
    files.page(&path, &page)
}

fn feeds_list(
    files: &mut Files,
    config: &Config,
    reader: &Reader,
    feeds: Option<&[FeedId]>,
    now: Timestamp,
) -> Result<(), Error> {
    let mut health = reader.feed_health(true)?;
    health.retain(|health| feeds.is_none_or(|feeds| feeds.contains(&health.feed.id)));
    let known: HashSet<String> = health
        .iter()
        .map(|health| health.feed.url.clone())
        .collect();
    let configured = config.feeds.iter().filter(|feed| known.contains(&feed.url));
    let rows = of_configuration(configured, health, now, usual);
    let site = files.site("/feeds");
    let page = feeds_page::page(&site, &rows, Order::parse("name"), Vec::new());
    files.page("/feeds", &page)
}

/// An article: its page, and those of its revisions and changes.
fn article(
    files: &mut Files,
    config: &Config,
    reader: &Reader,
    entry: &KnownEntry,
) -> Result<(), Error> {
    let id = entry.public_id.as_str();
    let tags = |url: &str| {
        let feed = config.feeds.iter().find(|feed| feed.url == url);
        feed.map(|feed| feed.tags.to_vec())
    };
    let history = history_of(entry, &tags, reader)?;
    let path = format!("/e/{id}");
    let page = entry_page::page(&files.site(&path), &history, Vec::new());
    files.page(&path, &page)?;
    let rows = reader.history(entry.id, usize::MAX)?;
    let mut before = None;
    for (place, row) in rows.iter().enumerate() {
        let state = reader.state(entry.id, row.number)?.map(|(state, _)| state);
        let path = format!("/e/{id}/{}", row.number);
        let revision = Revision {
            entry: id.to_owned(),
            number: row.number,
            seen: row.seen,
            until: rows.get(place + 1).map(|next| next.seen),
            last: entry.revision,
            state: state.clone(),
            hash: row.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let page = entry_page::revision(&files.site(&path), &revision);
        files.page(&path, &page)?;
        if let Some(old) = place.checked_sub(1).and_then(|place| rows.get(place)) {
            let path = format!("/e/{id}/{}..{}", old.number, row.number);
            let site = files.site(&path);
            if let (Some(before), Some(after)) = (&before, &state) {
                let compared = Compared {
                    entry: id.to_owned(),
                    old: old.number,
                    new: row.number,
                    last: entry.revision,
                    diff: difference(before, after),
                    shape: CompareView::Inline,
                };
                files.page(&path, &compare_page::page(&site, &compared))?;
            } else {
                let why = "The text of one of these revisions has been deleted (keep.revisions).";
                let text = pages::message(&site, "No longer kept", why);
                files.html(&path, &text)?;
            }
        }
        before = state;
    }
    let numbers: Vec<ChangeNumber> = rows.iter().filter_map(|row| row.change).collect();
    let moments: Vec<Moment> = rows.iter().map(moment).collect();
    for (place, number) in numbers.iter().enumerate() {
        let earlier = place.checked_sub(1).and_then(|place| numbers.get(place));
        let Some(found) = reader.change(*number)? else {
            continue;
        };
        let path = format!("/c/{number}");
        let change = Change {
            row: LogRow {
                event: found.stored.event,
                quiet: found.quiet,
            },
            earlier: earlier.copied(),
            later: numbers.get(place + 1).copied(),
            revisions: moments.clone(),
            others: Vec::new(),
            archived: archived(reader, *number)?,
        };
        let page = change_page::page(&files.site(&path), &change);
        files.page(&path, &page)?;
    }
    Ok(())
}

fn moment(row: &RevisionRow) -> Moment {
    Moment {
        revision: row.number,
        seen: row.seen,
    }
}
