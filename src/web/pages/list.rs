//! Lists of changes, as a page or as a feed or table.

use std::collections::{BTreeSet, HashSet};

use super::super::route::{List, ListFormat};
use super::{ATOM, CSV, JSON_FEED, NDJSON, PageRequest, PageResponse, form_name, json};
use crate::domain::classify::{Label, Significance};
use crate::domain::event::{EventKind, Field};
use crate::domain::ids::{EventId, FeedId};
use crate::domain::moment;
use crate::domain::outcome::Quiet;
use crate::report::changes_feed::{self, FeedChannel, Item};
use crate::report::clean;
use crate::report::csv;
use crate::report::html::Links;
use crate::report::log::LogRow;
use crate::report::pages::Other;
use crate::report::pages::stream::{self, ChangeStream, StreamFilter};
use crate::store::{EventFilter, KnownEntry, Reader, StoreError};

/// Changes per page.
const ON_PAGE: usize = 40;

/// Changes per feed.
const IN_FEED: usize = 50;

/// Lines per table; the next ones are at the address in the `Link` header.
const IN_TABLE: usize = 1000;

/// The most names to choose from. (Hidden changes are counted up to a limit of time instead.)
const NAMES: usize = 2000;

/// The list in the requested form.
pub(super) fn answer(
    asked: &PageRequest,
    list: &List,
    form: ListFormat,
    reader: &Reader,
) -> Result<PageResponse, StoreError> {
    let (wanted, filter) = match filter(asked, list, reader)? {
        Ok(filter) => filter,
        Err(why) => return Ok(asked.not_found(&why)),
    };
    // A page also says how many changes are hidden, and those are not in the list.
    let newest = match form {
        ListFormat::Html => Some(reader.last_event()?),
        _ => reader.newest_event(&filter)?,
    };
    let tag = asked.tag(&newest.map_or_else(String::new, |id| id.to_string()));
    if asked.has(&tag) {
        return Ok(PageResponse::unchanged(tag));
    }
    let most = match form {
        ListFormat::Html => ON_PAGE,
        ListFormat::Atom | ListFormat::Json => IN_FEED,
        ListFormat::Csv | ListFormat::Ndjson => IN_TABLE,
    };
    let mut rows: Vec<(EventId, String, LogRow)> = Vec::new();
    // One more shows whether there are more.
    let limited = EventFilter {
        limit: Some(most + 1),
        ..filter.clone()
    };
    reader.each_event(&limited, |event| {
        let row = LogRow {
            event: event.stored.event,
            quiet: event.quiet,
        };
        rows.push((event.stored.id, event.stored.uid, row));
        true
    })?;
    let is_cut = rows.len() > most;
    rows.truncate(most);
    let last = rows.last().filter(|_| is_cut).map(|(id, ..)| *id);
    let address = Address {
        path: path_of(list),
        wanted: &wanted,
    };
    let older = last.map(|last| address.of(form, Some(last)));
    let answer = if form == ListFormat::Html {
        html(
            asked,
            list,
            reader,
            &filter,
            &wanted,
            rows,
            older.as_deref(),
        )?
    } else {
        let next = older.map(|path| format!("{}{path}", asked.base().unwrap_or_default()));
        other(asked, list, form, &address, &rows, next.as_deref())
    };
    Ok(PageResponse {
        tag: Some(tag),
        ..answer
    })
}

/// The addresses of a list in its forms.
struct Address<'a> {
    /// The path of the list as `changes`, without an extension.
    path: String,
    wanted: &'a StreamFilter,
}

impl Address<'_> {
    /// The path with its parameters, below the root of the pages.
    fn of(&self, form: ListFormat, before: Option<EventId>) -> String {
        let (_, _, ending) = form_name(form);
        let path = match (form, self.path.as_str()) {
            (ListFormat::Html, "/changes") => "/".to_owned(),
            (ListFormat::Html, path) => path.to_owned(),
            (_, path) => format!("{path}.{ending}"),
        };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.wanted.parameters());
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        match query.finish().as_str() {
            "" => path,
            query => format!("{path}?{query}"),
        }
    }
}

fn path_of(list: &List) -> String {
    let at = Links::below("");
    match list {
        List::All => "/changes".to_owned(),
        List::Headlines => "/headlines".to_owned(),
        List::Feed(name) => format!("{}/changes", at.feed(name).unwrap_or_default()),
        List::Entry(id) => format!("{}/changes", at.entry(id).unwrap_or_default()),
    }
}

/// The list in its other forms.
pub(super) fn others(asked: &PageRequest, list: &List, wanted: &StreamFilter) -> Vec<Other> {
    let address = Address {
        path: path_of(list),
        wanted,
    };
    let root = asked.setup.config().web.root();
    [
        ListFormat::Atom,
        ListFormat::Json,
        ListFormat::Csv,
        ListFormat::Ndjson,
    ]
    .into_iter()
    .map(|form| {
        let (name, media_type, _) = form_name(form);
        Other {
            name,
            media_type,
            href: format!("{root}{}", address.of(form, None)),
        }
    })
    .collect()
}

/// The filter for the parameters, or why they are not valid.
fn filter(
    asked: &PageRequest,
    list: &List,
    reader: &Reader,
) -> Result<Result<(StreamFilter, EventFilter), String>, StoreError> {
    let word = |name: &str| asked.parameter(name).to_owned();
    let mut wanted = StreamFilter {
        feed: word("feed"),
        tag: word("tag"),
        significance: word("significance"),
        label: word("label"),
        since: word("since"),
        until: word("until"),
        all: matches!(asked.parameter("all"), "1" | "true" | "on"),
    };
    let mut filter = EventFilter {
        kinds: vec![
            EventKind::EntryRevised,
            EventKind::EntryRemoved,
            EventKind::EntryRestored,
            EventKind::EntryFlapping,
        ],
        before: asked.parameter("before").parse().ok().map(EventId),
        ..EventFilter::default()
    };
    if let Err(why) = words(asked, &wanted, &mut filter) {
        return Ok(Err(why));
    }
    match list {
        List::All => {}
        List::Headlines => {
            filter.kinds = vec![EventKind::EntryRevised];
            filter.fields = vec![Field::Title];
        }
        List::Entry(id) => match by_id(id, reader)? {
            Some(entry) => filter.entry = Some(entry.id),
            None => return Ok(Err(format!("There is no article {id}."))),
        },
        List::Feed(name) => wanted.feed.clone_from(name),
    }
    match feeds(asked, &wanted, reader)? {
        Ok(feeds) => filter.feeds = feeds,
        Err(why) => return Ok(Err(why)),
    }
    // The path already names it.
    if matches!(list, List::Feed(_)) {
        wanted.feed.clear();
    }
    Ok(Ok((wanted, filter)))
}

/// The article of an `ent_…`.
pub(super) fn by_id(id: &str, reader: &Reader) -> Result<Option<KnownEntry>, StoreError> {
    if !id.starts_with("ent_") {
        return Ok(None);
    }
    let found = reader.find_entries(id, 2)?;
    Ok(found.into_iter().find(|entry| entry.public_id == id))
}

fn words(
    asked: &PageRequest,
    wanted: &StreamFilter,
    filter: &mut EventFilter,
) -> Result<(), String> {
    let known = |text: &str| serde_json::Value::String(text.to_owned());
    if wanted.all {
        filter.quiet = Quiet::ALL.to_vec();
    }
    if !wanted.significance.is_empty() {
        let least: Significance = serde_json::from_value(known(&wanted.significance))
            .map_err(|_| "significance is typographic, minor or substantive.".to_owned())?;
        filter.significance = Some(least);
        // If the reader chooses a significance, the alert threshold of targets does not apply.
        if !wanted.all {
            filter.quiet.push(Quiet::Insignificant);
        }
    }
    if !wanted.label.is_empty() {
        let label: Label = serde_json::from_value(known(&wanted.label))
            .map_err(|_| format!("There is no label {}.", wanted.label))?;
        filter.labels = vec![label];
    }
    let zone = asked.setup.config().timezone;
    for (text, at) in [
        (&wanted.since, &mut filter.since),
        (&wanted.until, &mut filter.until),
    ] {
        if !text.is_empty() {
            *at = Some(moment::parse(text, asked.now, zone).map_err(|error| error.to_string())?);
        }
    }
    Ok(())
}

/// The feeds to show; `None` for all.
fn feeds(
    asked: &PageRequest,
    wanted: &StreamFilter,
    reader: &Reader,
) -> Result<Result<Option<Vec<FeedId>>, String>, StoreError> {
    if wanted.feed.is_empty() && wanted.tag.is_empty() {
        return Ok(Ok(None));
    }
    let rows = if wanted.feed.is_empty() {
        reader.feeds(true)?
    } else {
        let row = reader.feed_by_name(&wanted.feed)?;
        let configured = || {
            asked
                .setup
                .feeds()
                .iter()
                .any(|feed| feed.name == wanted.feed)
        };
        // A feed that was never polled has no changes, and one that left the configuration may have some.
        if row.is_none() && !configured() {
            return Ok(Err(format!("No feed has the name {}.", wanted.feed)));
        }
        row.into_iter().collect()
    };
    let tagged: Option<HashSet<String>> = (!wanted.tag.is_empty()).then(|| {
        let feeds = asked.setup.feeds();
        let feeds = feeds.iter().filter(|feed| feed.tags.contains(&wanted.tag));
        feeds.map(|feed| feed.url.clone()).collect()
    });
    let meant = rows.into_iter().filter(|row| {
        tagged
            .as_ref()
            .is_none_or(|tagged| tagged.contains(&row.url))
    });
    Ok(Ok(Some(meant.map(|row| row.id).collect())))
}

fn html(
    asked: &PageRequest,
    list: &List,
    reader: &Reader,
    filter: &EventFilter,
    wanted: &StreamFilter,
    rows: Vec<(EventId, String, LogRow)>,
    older: Option<&str>,
) -> Result<PageResponse, StoreError> {
    let root = asked.setup.config().web.root();
    let here = |wanted: &StreamFilter| {
        let address = Address {
            path: path_of(list),
            wanted,
        };
        format!("{root}{}", address.of(ListFormat::Html, None))
    };
    let all = StreamFilter {
        all: true,
        ..wanted.clone()
    };
    let configured = asked.setup.feeds();
    let tags: BTreeSet<&String> = configured
        .iter()
        .flat_map(|feed| feed.tags.iter())
        .collect();
    let mut names: Vec<String> = configured
        .iter()
        .map(|feed| feed.name.clone())
        .take(NAMES)
        .collect();
    names.sort();
    let stream = ChangeStream {
        rows: rows.into_iter().map(|(.., row)| row).collect(),
        hidden: if wanted.all || filter.before.is_some() {
            0
        } else {
            reader.count_quiet(filter)?
        },
        with_hidden: Some(here(&all)),
        newest: filter.before.map(|_| here(wanted)),
        older: older.map(|older| format!("{root}{older}")),
        others: others(asked, list, wanted),
        feeds: names,
        tags: tags.into_iter().cloned().collect(),
        wanted: wanted.clone(),
    };
    let site = asked.site();
    let page = match list {
        List::Headlines => stream::headlines(&site, &stream),
        List::Feed(name) => stream::changes(
            &site,
            &ChangeStream {
                wanted: StreamFilter {
                    feed: name.clone(),
                    ..stream.wanted.clone()
                },
                ..stream
            },
        ),
        List::All | List::Entry(_) => stream::changes(&site, &stream),
    };
    Ok(asked.page(&page))
}

fn other(
    asked: &PageRequest,
    list: &List,
    form: ListFormat,
    address: &Address<'_>,
    rows: &[(EventId, String, LogRow)],
    next: Option<&str>,
) -> PageResponse {
    let base = asked.base();
    let next_link = |answer: PageResponse| match next {
        Some(next) => answer.with("link", format!("<{next}>; rel=\"next\"")),
        None => answer,
    };
    if form == ListFormat::Csv {
        let lines = rows.iter().map(|(.., row)| csv::record(row));
        return next_link(PageResponse::new(
            CSV,
            csv::HEAD.to_owned() + &lines.collect::<String>(),
        ));
    }
    if form == ListFormat::Ndjson {
        let lines = rows
            .iter()
            .map(|(.., row)| json(&row.event.clone().with_permalink(base.as_deref())));
        return next_link(PageResponse::new(NDJSON, lines.collect::<String>()));
    }
    let at = |path: String| base.as_ref().map(|base| format!("{base}{path}"));
    let channel = FeedChannel {
        id: format!("urn:revisor:changes{}", id_of(list, address.wanted)),
        title: title_of(list, address.wanted),
        own: at(address.of(form, None)),
        home: at(address.of(ListFormat::Html, None)),
        next: next.map(str::to_owned),
        links: base.as_deref().map(Links::below).unwrap_or_default(),
    };
    let items: Vec<Item<'_>> = rows.iter().map(|(_, uid, row)| Item { uid, row }).collect();
    let view = asked.view();
    if form == ListFormat::Atom {
        PageResponse::new(ATOM, changes_feed::atom(&channel, &items, &view))
    } else {
        PageResponse::new(
            JSON_FEED,
            json(&changes_feed::json_feed(&channel, &items, &view)),
        )
    }
}

/// Distinguishes the identifiers of feeds: the same list has the same one wherever it is read.
fn id_of(list: &List, wanted: &StreamFilter) -> String {
    let address = Address {
        path: path_of(list),
        wanted,
    };
    match address.of(ListFormat::Html, None).as_str() {
        "/" => String::new(),
        path => format!(
            ":{}",
            path.replace(['/', '?', '&', '='], ":").trim_matches(':')
        ),
    }
}

fn title_of(list: &List, wanted: &StreamFilter) -> String {
    let mut title = match list {
        List::All => "Changes noticed by revisor".to_owned(),
        List::Headlines => "Headlines changed".to_owned(),
        List::Feed(name) => format!("Changes of {}", clean::excerpt(name, 80)),
        List::Entry(id) => format!("Changes of the article {}", clean::excerpt(id, 40)),
    };
    let parameters = wanted.parameters();
    if !parameters.is_empty() {
        let said = parameters
            .iter()
            .map(|(name, value)| format!("{name} {}", clean::excerpt(value, 60)));
        let said: Vec<String> = said.collect();
        title = format!("{title} ({})", said.join(", "));
    }
    title
}
