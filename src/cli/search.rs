//! `revisor search`: searches current texts of articles, and text that was removed from them.

use regex::Regex;
use serde::Serialize;

use super::CommandContext;
use super::args::SearchArgs;
use super::select;
use crate::config::{Config, Secrets};
use crate::domain::ids::ChangeNumber;
use crate::domain::search::Query;
use crate::error::{Error, Exit};
use crate::queries::search::{Articles, SearchTarget, indexed, searches_articles};
use crate::report::search::{self, FoundArticle};
use crate::store::{ChangeFilter, Reader, SearchFilter, SearchIn, SearchProgress};

/// Articles shown by default.
const ARTICLES: usize = 20;

#[derive(Serialize)]
struct SearchOutput<'a> {
    articles: &'a [FoundArticle],
    /// 0–100: how much of the database is indexed; below 100 only for a while after an upgrade.
    index_percent: u64,
}

pub(super) fn run(context: &mut CommandContext, args: &SearchArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let wanted = wanted(args)?;
    let config = context.config(Secrets::WhereReadable)?;
    let reader = context.reader_if_any(&config)?;
    let filter = filter(args, &config, reader.as_ref())?;
    let (mut articles, mut progress) = (Vec::new(), SearchProgress::default());
    if let Some(reader) = &reader {
        articles = match &wanted {
            SearchTarget::Words(query) => indexed(reader, query, &filter)?,
            SearchTarget::Pattern(pattern) => scanned(context, reader, pattern, &filter)?,
        };
        progress = reader.search_progress()?;
    }
    let is_cut = articles.len() > args.limit();
    articles.truncate(args.limit());
    if as_json {
        context.output.json(&SearchOutput {
            articles: &articles,
            index_percent: progress.percent(),
        })?;
    } else {
        let view = context.view(&config);
        context.output.page();
        for (place, found) in articles.iter().enumerate() {
            let between = if place > 0 { "\n" } else { "" };
            context
                .output
                .print(&format!("{between}{}", search::text(found, &view)))?;
        }
        context.output.finish()?;
        context
            .output
            .note(&view.footer(&search::summary(articles.len(), is_cut)));
    }
    if matches!(wanted, SearchTarget::Words(_)) && !progress.is_complete() {
        let percent = progress.percent();
        context.output.warning(&format!(
            "the search index is {percent} % built: older text is not found yet"
        ));
        context
            .output
            .hint("the service builds it in the background; `revisor db reindex` builds it now");
    }
    Ok(Exit::DONE)
}

impl SearchArgs {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(ARTICLES)
    }
}

fn wanted(args: &SearchArgs) -> Result<SearchTarget, Error> {
    match &args.grep {
        Some(pattern) => Regex::new(pattern)
            .map(SearchTarget::Pattern)
            .map_err(|error| {
                Error::usage(format!("`{pattern}` is not a regular expression"))
                    .because(error)
                    .hint("the syntax: https://docs.rs/regex/#syntax")
            }),
        None => Query::parse(&args.query.join(" "))
            .map(SearchTarget::Words)
            .map_err(|error| {
                Error::usage(error.to_string())
                    .hint("--grep finds any text by a regular expression")
            }),
    }
}

fn filter(
    args: &SearchArgs,
    config: &Config,
    reader: Option<&Reader>,
) -> Result<SearchFilter, Error> {
    let (feeds, entry) = match reader {
        Some(reader) => (
            select::feeds(&args.feed, &args.tag, config, reader)?,
            args.entry
                .as_deref()
                .map(|what| select::entry(what, reader))
                .transpose()?,
        ),
        None => (None, None),
    };
    Ok(SearchFilter {
        texts: match () {
            () if args.removed => SearchIn::Removed,
            () if args.added => SearchIn::Added,
            () if args.headline => SearchIn::Headlines,
            () => SearchIn::All,
        },
        feeds,
        entry: entry.map(|entry| entry.id),
        since: select::moment("--since", args.since.as_deref(), config)?,
        until: select::moment("--until", args.until.as_deref(), config)?,
        // One extra row shows whether there are more.
        limit: args.limit() + 1,
    })
}

/// Reads every text: a regular expression cannot use the index.
fn scanned(
    context: &CommandContext,
    reader: &Reader,
    pattern: &Regex,
    filter: &SearchFilter,
) -> Result<Vec<FoundArticle>, Error> {
    let wanted = SearchTarget::Pattern(pattern.clone());
    let mut list = Articles::default();
    let mut progress = context.output.progress();
    let all = reader.search_progress()?.all;
    let mut done = 0_u64;
    let changes = ChangeFilter {
        feeds: filter.feeds.clone(),
        entry: filter.entry,
        since: filter.since,
        until: filter.until,
        include_quiet: true,
        ..ChangeFilter::default()
    };
    let mut numbers: Vec<ChangeNumber> = Vec::new();
    reader.each_change(&changes, |change| {
        numbers.push(change.number);
        true
    })?;
    for number in numbers {
        done += 1;
        progress.show(&format!("searching {done} of {all}"));
        if let Some(change) = reader.change(number)? {
            list.change(reader, &change, &wanted, filter)?;
        }
        if list.len() >= filter.limit {
            return Ok(list.finish());
        }
    }
    if !searches_articles(filter) {
        return Ok(list.finish());
    }
    for entry in reader.entry_ids(filter.feeds.as_deref(), filter.entry)? {
        done += 1;
        progress.show(&format!("searching {done} of {all}"));
        list.article(reader, entry, &wanted, filter)?;
        if list.len() >= filter.limit {
            break;
        }
    }
    Ok(list.finish())
}
