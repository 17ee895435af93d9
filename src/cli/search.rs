//! `revisor search`: in what articles say, and in what was taken out of them.

use std::collections::HashMap;
use std::ops::Range;

use regex::Regex;
use serde::Serialize;

use super::Context;
use super::args::{Format, SearchArgs};
use super::select;
use super::setup::reader_if_any;
use crate::config::{Config, Secrets};
use crate::domain::ids::{ChangeNumber, EntryId};
use crate::domain::search::{Gone, Query, texts};
use crate::domain::url::without_login;
use crate::error::{Error, Exit};
use crate::report::search::{self, Excerpt, Found, FoundChange};
use crate::store::{
    ChangeFilter, KnownEntry, Reader, SearchFilter, SearchIn, SearchProgress, StoredChange,
};

/// Articles shown by default.
const ARTICLES: usize = 20;

/// Places that are shown of one text.
const PLACES: usize = 3;

#[derive(Serialize)]
struct SearchOutput<'a> {
    articles: &'a [Found],
    /// 0–100: how much of what is stored can be found; less than 100 only for a while after an upgrade.
    index_percent: u64,
}

pub(super) fn run(context: &mut Context, args: &SearchArgs) -> Result<Exit, Error> {
    let format = context.format(&[Format::Short, Format::Json])?;
    let wanted = Wanted::read(args)?;
    let config = context.config(Secrets::WhereReadable)?;
    let reader = reader_if_any(&config)?;
    let filter = filter(args, &config, reader.as_ref())?;
    let (mut articles, mut progress) = (Vec::new(), SearchProgress::default());
    if let Some(reader) = &reader {
        articles = match &wanted {
            Wanted::Words(query) => indexed(reader, query, &filter)?,
            Wanted::Pattern(pattern) => scanned(context, reader, pattern, &filter)?,
        };
        progress = reader.search_progress()?;
    }
    let is_cut = articles.len() > args.limit();
    articles.truncate(args.limit());
    if format == Format::Json {
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
            .note(&search::summary(articles.len(), is_cut));
    }
    if matches!(wanted, Wanted::Words(_)) && !progress.is_complete() {
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

/// What is looked for.
enum Wanted {
    Words(Query),
    Pattern(Regex),
}

impl Wanted {
    fn read(args: &SearchArgs) -> Result<Self, Error> {
        match &args.grep {
            Some(pattern) => Regex::new(pattern).map(Self::Pattern).map_err(|error| {
                Error::usage(format!("`{pattern}` is not a regular expression"))
                    .because(error)
                    .hint("the syntax: https://docs.rs/regex/#syntax")
            }),
            None => Query::parse(&args.query.join(" "))
                .map(Self::Words)
                .map_err(|error| {
                    Error::usage(error.to_string())
                        .hint("--grep finds any text by a regular expression")
                }),
        }
    }

    fn place(&self, text: &str) -> Option<Range<usize>> {
        match self {
            Self::Words(query) => query.place(text),
            Self::Pattern(pattern) => pattern.find(text).map(|found| found.range()),
        }
    }

    fn excerpts(&self, texts: &[String]) -> Vec<Excerpt> {
        let found = texts
            .iter()
            .filter_map(|text| Some(Excerpt::new(text, self.place(text)?)));
        found.take(PLACES).collect()
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
        // One more shows that there are more.
        limit: args.limit() + 1,
    })
}

/// Times are about changes: with one, what is in articles now is not searched.
fn searches_articles(filter: &SearchFilter) -> bool {
    let anytime = filter.since.is_none() && filter.until.is_none();
    anytime && matches!(filter.texts, SearchIn::All | SearchIn::Headlines)
}

fn indexed(reader: &Reader, query: &Query, filter: &SearchFilter) -> Result<Vec<Found>, Error> {
    let wanted = Wanted::Words(query.clone());
    let mut list = ArticleList::default();
    for number in reader.search_changes(query, filter)? {
        if let Some(change) = reader.change(number)? {
            list.change(reader, &change, &wanted, filter)?;
        }
    }
    if searches_articles(filter) {
        for entry in reader.search_articles(query, filter)? {
            list.article(reader, entry, &wanted, filter)?;
        }
    }
    Ok(list.articles)
}

/// Reads every text: a regular expression cannot use the index.
fn scanned(
    context: &Context,
    reader: &Reader,
    pattern: &Regex,
    filter: &SearchFilter,
) -> Result<Vec<Found>, Error> {
    let wanted = Wanted::Pattern(pattern.clone());
    let mut list = ArticleList::default();
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
        if list.articles.len() >= filter.limit {
            return Ok(list.articles);
        }
    }
    if !searches_articles(filter) {
        return Ok(list.articles);
    }
    for entry in reader.entry_ids(filter.feeds.as_deref(), filter.entry)? {
        done += 1;
        progress.show(&format!("searching {done} of {all}"));
        list.article(reader, entry, &wanted, filter)?;
        if list.articles.len() >= filter.limit {
            break;
        }
    }
    Ok(list.articles)
}

/// What was found so far, an article once.
#[derive(Default)]
struct ArticleList {
    articles: Vec<Found>,
    places: HashMap<EntryId, usize>,
}

impl ArticleList {
    fn change(
        &mut self,
        reader: &Reader,
        change: &StoredChange,
        wanted: &Wanted,
        filter: &SearchFilter,
    ) -> Result<(), Error> {
        let Some(gone) = reader.change_sentences(change.number)? else {
            return Ok(());
        };
        let Gone {
            removed,
            added,
            headlines_before,
            headlines_after,
        } = gone;
        let both = |headlines: Vec<String>, texts: Vec<String>| [headlines, texts].concat();
        let (removed, added) = match filter.texts {
            SearchIn::All | SearchIn::Removed => (both(headlines_before, removed), Vec::new()),
            SearchIn::Added => (Vec::new(), both(headlines_after, added)),
            SearchIn::Headlines => (headlines_before, headlines_after),
        };
        let (removed, added) = (wanted.excerpts(&removed), wanted.excerpts(&added));
        if removed.is_empty() && added.is_empty() {
            return Ok(());
        }
        let found = FoundChange {
            number: change.number,
            first_changed: change
                .stored
                .event
                .data
                .change
                .as_ref()
                .map_or(change.stored.event.timestamp, |info| {
                    info.window.first_changed
                }),
            removed,
            added,
        };
        if let Some(article) = self.found(reader, change.entry)? {
            article.changes.push(found);
        }
        Ok(())
    }

    fn article(
        &mut self,
        reader: &Reader,
        entry: EntryId,
        wanted: &Wanted,
        filter: &SearchFilter,
    ) -> Result<(), Error> {
        let Some(known) = reader.entry(entry)? else {
            return Ok(());
        };
        let Some((state, _)) = reader.state(entry, known.revision)? else {
            return Ok(());
        };
        let texts = texts(&state);
        let mut still_there = wanted.excerpts(&texts.headlines);
        if filter.texts == SearchIn::All {
            still_there.extend(wanted.excerpts(&texts.body));
        }
        still_there.truncate(PLACES);
        if still_there.is_empty() {
            return Ok(());
        }
        if let Some(article) = self.found(reader, entry)? {
            article.still_there = still_there;
        }
        Ok(())
    }

    fn found(&mut self, reader: &Reader, entry: EntryId) -> Result<Option<&mut Found>, Error> {
        let place = match self.places.get(&entry) {
            Some(place) => *place,
            None => {
                let Some(known) = reader.entry(entry)? else {
                    return Ok(None);
                };
                self.articles.push(of_entry(reader, &known)?);
                self.places.insert(entry, self.articles.len() - 1);
                self.articles.len() - 1
            }
        };
        Ok(self.articles.get_mut(place))
    }
}

fn of_entry(reader: &Reader, entry: &KnownEntry) -> Result<Found, Error> {
    let feed = reader.feed(entry.feed)?;
    let url = match &entry.page.url {
        Some(url) => Some(url.clone()),
        None => {
            let newest = reader.state(entry.id, entry.revision)?;
            newest.and_then(|(state, _)| state.address().map(str::to_owned))
        }
    };
    Ok(Found {
        entry: entry.public_id.clone(),
        feed: feed.map(|feed| feed.name).unwrap_or_default(),
        title: entry.title.clone(),
        url: url.map(|url| without_login(&url).into_owned()),
        still_there: Vec::new(),
        changes: Vec::new(),
    })
}
