//! `revisor entries`: the articles that revisor knows.

use std::collections::{HashMap, HashSet};

use super::CommandContext;
use super::args::{EntriesArgs, OutputFormat};
use super::select;
use crate::config::{FeedKind, Secrets};
use crate::domain::ids::FeedId;
use crate::domain::url::without_login;
use crate::error::{Error, Exit};
use crate::report::entries::{self, ArticleStatus, EntryRow};
use crate::report::names;
use crate::store::{EntryFilter, KnownEntry, Life};

/// Articles listed by default.
const ENTRIES: usize = 50;

pub(super) fn run(context: &mut CommandContext, args: &EntriesArgs) -> Result<Exit, Error> {
    let format = context.format(&[
        OutputFormat::Short,
        OutputFormat::Oneline,
        OutputFormat::Json,
        OutputFormat::Ndjson,
    ])?;
    let config = context.config(Secrets::WhereReadable)?;
    let limit = args.limit.unwrap_or(ENTRIES);
    let mut rows = Vec::new();
    if let Some(reader) = context.reader_if_any(&config)? {
        let pages = config.feeds.iter();
        let pages: HashSet<&str> = pages
            .filter(|feed| feed.kind == FeedKind::Page)
            .map(|feed| feed.url.as_str())
            .collect();
        let feeds = reader.feeds(true)?.into_iter().map(|feed| {
            let is_page = pages.contains(feed.url.as_str());
            let name = feed.name;
            (feed.id, EntrySource { name, is_page })
        });
        let feeds: HashMap<FeedId, EntrySource> = feeds.collect();
        let filter = EntryFilter {
            feeds: select::feeds(&args.feed, &args.tag, &config, &reader)?,
            removed: args.removed,
            not_found: args.not_found,
            // One extra row shows whether there are more.
            limit: limit + 1,
        };
        rows.extend(
            reader
                .list_entries(&filter)?
                .into_iter()
                .map(|entry| row(entry, &feeds)),
        );
    }
    let is_cut = rows.len() > limit;
    rows.truncate(limit);
    match format {
        OutputFormat::Json => context.output.json(&rows)?,
        OutputFormat::Ndjson => rows.iter().try_for_each(|row| context.output.json(row))?,
        OutputFormat::Oneline => rows
            .iter()
            .try_for_each(|row| context.output.print(&entries::oneline(row)))?,
        _ => {
            let view = context.view(&config);
            context.output.page();
            for row in &rows {
                context.output.print(&entries::text(row, &view))?;
            }
            context.output.finish()?;
            let count = match rows.len() {
                0 => "no articles".to_owned(),
                count => names::count(count as u64, "article"),
            };
            let more = if is_cut { " (-n shows more)" } else { "" };
            context.output.note(&view.footer(&format!("{count}{more}")));
        }
    }
    Ok(Exit::DONE)
}

/// Where an article comes from.
struct EntrySource {
    name: String,
    is_page: bool,
}

fn row(entry: KnownEntry, feeds: &HashMap<FeedId, EntrySource>) -> EntryRow {
    let source = feeds.get(&entry.feed);
    let state = match entry.page.reason {
        _ if entry.life == Life::Removed => ArticleStatus::Removed,
        Some(reason) if reason.is_absence() => ArticleStatus::NotFound,
        _ if source.is_some_and(|source| source.is_page) => ArticleStatus::Watched,
        _ if entry.in_feed => ArticleStatus::Listed,
        _ => ArticleStatus::LeftFeed,
    };
    EntryRow {
        id: entry.public_id,
        feed: source.map(|source| source.name.clone()).unwrap_or_default(),
        title: entry.title,
        url: entry.page.url.map(|url| without_login(&url).into_owned()),
        state,
        revision: entry.revision,
        first_seen: entry.first_seen,
        last_change: entry.last_change,
        next_check: entry.page.next,
    }
}
