//! Feeds, search, statistics, and pages about the site itself.

use std::collections::HashMap;
use std::time::Duration;

use super::super::route::{List, ListFormat};
use super::list::others;
use super::{CSV, JSON, PageRequest, PageResponse, json};
use crate::domain::durations::format_duration;
use crate::domain::event::EventKind;
use crate::domain::ids::FeedId;
use crate::domain::search::Query;
use crate::queries::feeds::{of_configuration, usual};
use crate::queries::search::indexed;
use crate::report::feeds::FeedSummary;
use crate::report::guide::TOPICS;
use crate::report::log::LogRow;
use crate::report::pages::Other;
use crate::report::pages::about::{self as about_page, About};
use crate::report::pages::feed::{self as feed_page, Feed, RuleLine};
use crate::report::pages::feeds::{self as feeds_page, Order};
use crate::report::pages::search::{self as search_page, Results, TEXTS};
use crate::report::pages::stats::{self as stats_page, DAYS, FeedNumbers, Times};
use crate::report::pages::stream::StreamFilter;
use crate::store::{EventFilter, FeedStats, Reader, SearchFilter, SearchIn, StoreError};
use crate::time::Timestamp;

/// Articles per page of results.
const FOUND: usize = 20;

/// The most that a longer page of results shows.
const MOST_FOUND: usize = 200;

/// Changes on the page of a feed.
const NEWEST: usize = 10;

/// Rules on the page of a feed.
const RULES: usize = 20;

fn beside(
    asked: &PageRequest,
    path: &str,
    forms: &[(&'static str, &'static str, &str)],
) -> Vec<Other> {
    let other = |(name, media_type, ending): &(&'static str, &'static str, &str)| Other {
        name,
        media_type,
        href: asked.site().path(&format!("{path}{ending}")),
    };
    forms.iter().map(other).collect()
}

const TABLES: [(&str, &str, &str); 2] = [
    ("CSV", "text/csv", ".csv"),
    ("JSON", "application/json", ".json"),
];

fn since(asked: &PageRequest) -> Timestamp {
    asked.now - Duration::from_hours(24 * DAYS)
}

fn rows(asked: &PageRequest, reader: &Reader) -> Result<Vec<FeedSummary>, StoreError> {
    let feeds = asked.setup.feeds();
    let health = reader.feed_health(true)?;
    Ok(of_configuration(
        feeds.iter().map(AsRef::as_ref),
        health,
        asked.now,
        usual,
    ))
}

pub(super) fn feeds(
    asked: &PageRequest,
    form: ListFormat,
    reader: &Reader,
) -> Result<PageResponse, StoreError> {
    let mut rows = rows(asked, reader)?;
    let order = Order::parse(asked.parameter("sort"));
    order.sort(&mut rows);
    Ok(match form {
        ListFormat::Json => PageResponse::new(JSON, json(&rows)),
        ListFormat::Csv => PageResponse::new(CSV, feeds_page::csv(&rows)),
        _ => asked.page(&feeds_page::page(
            &asked.site(),
            &rows,
            order,
            beside(asked, "/feeds", &TABLES),
        )),
    })
}

pub(super) fn feed(
    asked: &PageRequest,
    name: &str,
    reader: &Reader,
) -> Result<PageResponse, StoreError> {
    let configured = asked.setup.feeds();
    let configured = configured.iter().filter(|feed| feed.name == name);
    let known = reader.feed_by_name(name)?;
    let health = known
        .iter()
        .map(|row| reader.health_of(row.clone()))
        .collect::<Result<_, _>>()?;
    let rows = of_configuration(configured.map(AsRef::as_ref), health, asked.now, usual);
    let Some(row) = rows.into_iter().next() else {
        // A feed that left the configuration is no longer watched, but its changes are still there.
        let changes = format!("{}/changes", path_of_feed(name));
        return Ok(match known {
            Some(_) => PageResponse::redirect(asked.site().path(&changes)),
            None => asked.not_found(&format!("No feed has the name {name}.")),
        });
    };
    let id = known.as_ref().map(|feed| feed.id);
    let list = List::Feed(name.to_owned());
    let mut newest = Vec::new();
    let mut rules = Vec::new();
    let mut numbers = None;
    let mut times = Times::new(asked.now, asked.setup.config().timezone);
    if let Some(id) = id {
        let filter = EventFilter {
            kinds: vec![
                EventKind::EntryRevised,
                EventKind::EntryRemoved,
                EventKind::EntryRestored,
            ],
            feeds: Some(vec![id]),
            limit: Some(NEWEST),
            ..EventFilter::default()
        };
        reader.each_event(&filter, |event| {
            newest.push(LogRow {
                event: event.stored.event,
                quiet: event.quiet,
            });
            true
        })?;
        rules = reader.rules(Some(id))?;
        rules.retain(|rule| rule.rule.on);
        let all = reader.feed_stats(since(asked), Some(id), |edit| {
            times.add(edit.at, edit.delay);
        })?;
        numbers = all.first().map(|stats| numbers_of(name.to_owned(), stats));
    }
    let page = feed_page::page(
        &asked.site(),
        &Feed {
            row,
            numbers,
            times,
            all_rules: rules.len(),
            rules: rules
                .into_iter()
                .take(RULES)
                .map(|row| RuleLine {
                    pattern: row.rule.pattern,
                    origin: row.rule.origin.as_str(),
                    since: row.rule.since,
                })
                .collect(),
            newest,
            all_changes: asked
                .site()
                .path(&format!("{}/changes", path_of_feed(name))),
            others: others(asked, &list, &StreamFilter::default()),
        },
    );
    Ok(asked.page(&page))
}

fn path_of_feed(name: &str) -> String {
    crate::report::html::Links::below("")
        .feed(name)
        .unwrap_or_default()
}

fn numbers_of(feed: String, stats: &FeedStats) -> FeedNumbers {
    FeedNumbers {
        feed,
        articles: stats.articles,
        edited: stats.edited,
        changes: stats.changes,
        substantive: stats.substantive,
        unannounced: stats.unannounced,
        headlines: stats.headlines,
    }
}

pub(super) fn stats(
    asked: &PageRequest,
    form: ListFormat,
    reader: &Reader,
) -> Result<PageResponse, StoreError> {
    let names: HashMap<FeedId, String> = reader
        .feeds(true)?
        .into_iter()
        .map(|feed| (feed.id, feed.name))
        .collect();
    let mut times = Times::new(asked.now, asked.setup.config().timezone);
    let all = reader.feed_stats(since(asked), None, |edit| times.add(edit.at, edit.delay))?;
    let mut numbers: Vec<FeedNumbers> = all
        .iter()
        .filter_map(|stats| Some(numbers_of(names.get(&stats.feed)?.clone(), stats)))
        .collect();
    numbers.sort_by(|one, other| {
        other
            .changes
            .cmp(&one.changes)
            .then_with(|| one.feed.cmp(&other.feed))
    });
    match form {
        ListFormat::Json => return Ok(PageResponse::new(JSON, json(&numbers))),
        ListFormat::Csv => return Ok(PageResponse::new(CSV, stats_page::csv(&numbers))),
        _ => {}
    }
    let others = beside(asked, "/stats", &TABLES);
    Ok(asked.page(&stats_page::page(&asked.site(), &numbers, &times, others)))
}

pub(super) fn search(
    asked: &PageRequest,
    form: ListFormat,
    reader: &Reader,
) -> Result<PageResponse, StoreError> {
    let text = asked.parameter("q").to_owned();
    let texts = TEXTS
        .iter()
        .find(|(word, _)| *word == asked.parameter("in"));
    let texts = texts.map_or("", |(word, _)| *word);
    let most = asked
        .parameter("n")
        .parse()
        .unwrap_or(FOUND)
        .clamp(1, MOST_FOUND);
    let mut results = Results {
        query: text.clone(),
        texts: texts.to_owned(),
        ..Results::default()
    };
    if !text.is_empty() {
        match Query::parse(&text) {
            Err(problem) => results.problem = Some(format!("{problem}.")),
            Ok(query) => {
                let filter = SearchFilter {
                    texts: match texts {
                        "removed" => SearchIn::Removed,
                        "added" => SearchIn::Added,
                        "headline" => SearchIn::Headlines,
                        _ => SearchIn::All,
                    },
                    limit: most + 1,
                    ..SearchFilter::default()
                };
                results.articles = indexed(reader, &query, &filter)?;
            }
        }
        let progress = reader.search_progress()?;
        results.percent = (!progress.is_complete()).then(|| progress.percent());
    }
    let is_cut = results.articles.len() > most;
    results.articles.truncate(most);
    if form == ListFormat::Json {
        let answer = serde_json::json!({"articles": results.articles, "problem": results.problem});
        return Ok(PageResponse::new(JSON, json(&answer)));
    }
    let query = |more: Option<usize>| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", &text);
        if !texts.is_empty() {
            query.append_pair("in", texts);
        }
        if let Some(more) = more {
            query.append_pair("n", &more.to_string());
        }
        query.finish()
    };
    if is_cut && most < MOST_FOUND {
        let more = (most * 5).min(MOST_FOUND);
        results.more = Some(asked.site().path(&format!("/search?{}", query(Some(more)))));
    }
    if !text.is_empty() {
        let ending = format!(".json?{}", query(None));
        results.others = beside(asked, "/search", &[("JSON", "application/json", &ending)]);
    }
    Ok(asked.page(&search_page::page(&asked.site(), &results)))
}

pub(super) fn about(asked: &PageRequest, reader: &Reader) -> Result<PageResponse, StoreError> {
    let config = asked.setup.config();
    let counts = reader.counts(asked.now, asked.now)?;
    let page = about_page::page(
        &asked.site(),
        &About {
            program: format!("revisor {}", env!("CARGO_PKG_VERSION")),
            user_agent: asked.setup.user_agent(),
            contact: config.fetch.user_agent_contact.clone(),
            robots: config.page.robots,
            host_delay: format_duration(config.fetch.host_delay),
            feeds: asked.setup.feeds().len() as u64,
            articles: counts.entries,
            changes: counts.changes,
        },
    );
    Ok(asked.page(&page))
}

pub(super) fn guide(asked: &PageRequest, topic: Option<&str>) -> PageResponse {
    let site = asked.site();
    match topic {
        None => asked.page(&about_page::guide(&site)),
        Some(name) => match TOPICS.iter().find(|topic| topic.name == name) {
            Some(topic) => asked.page(&about_page::topic(&site, topic)),
            None => asked.not_found("The guide has no such page."),
        },
    }
}
