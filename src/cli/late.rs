//! What is late, and why, as far as the configuration and the database show; only the daemon knows what is in
//! progress.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use crate::config::Config;
use crate::daemon::LATE;
use crate::domain::durations::format_duration;
use crate::error::Error;
use crate::fetch::host_key;
use crate::report::feeds::{FeedStatus, FeedSummary};
use crate::report::status::{LateFeed, LateHost};
use crate::store::{DueKey, Reader};
use crate::time::Timestamp;

const NOBODY_POLLS: &str = "the daemon is not running";

/// The feeds that are late, the longest overdue first.
pub(super) fn feeds(
    rows: &[FeedSummary],
    config: &Config,
    daemon: bool,
    now: Timestamp,
) -> Vec<LateFeed> {
    let mut late: Vec<(Timestamp, &FeedSummary)> = rows
        .iter()
        .filter(|row| !matches!(row.state, FeedStatus::Paused | FeedStatus::Gone))
        .filter_map(|row| Some((row.next?, row)))
        .filter(|(due, _)| now.since(*due) > LATE)
        .collect();
    late.sort_by_key(|(due, _)| *due);
    let mut at_host: HashMap<String, usize> = HashMap::new();
    for (_, row) in &late {
        *at_host.entry(host_key(&row.url)).or_default() += 1;
    }
    // A 429 or 503 for one feed applies to the whole host.
    let asked: HashSet<String> = rows
        .iter()
        .filter(|row| matches!(row.status, Some(429 | 503)))
        .map(|row| host_key(&row.url))
        .collect();
    let fetch = &config.fetch;
    let why = |row: &FeedSummary| {
        let host = host_key(&row.url);
        let same_host = at_host.get(&host).copied().unwrap_or(0);
        match () {
            () if !daemon => NOBODY_POLLS.to_owned(),
            () if asked.contains(&host) => {
                format!("{host} asked us to wait")
            }
            () if same_host > 1 => format!(
                "{same_host} feeds of {host} are queued ({} at a time, {} apart)",
                fetch.per_host,
                format_duration(fetch.host_delay)
            ),
            () if late.len() > fetch.concurrency => format!(
                "{} feeds are late, and {} are polled at a time (fetch.concurrency)",
                late.len(),
                fetch.concurrency
            ),
            () => "it is being polled, or its result cannot be stored; see the log".to_owned(),
        }
    };
    let late_feed = |(due, row): &(Timestamp, &FeedSummary)| LateFeed {
        feed: row.name.clone(),
        due: *due,
        why: why(row),
    };
    late.iter().map(late_feed).collect()
}

/// The hosts whose pages are late, the one with the most pages first.
pub(super) fn hosts(
    reader: &Reader,
    config: &Config,
    daemon: bool,
    now: Timestamp,
) -> Result<Vec<LateHost>, Error> {
    // The first late page of each host, and how many there are: pages come in due order, so the first one has
    // waited longest.
    let mut at_host: HashMap<String, (DueKey, u64)> = HashMap::new();
    reader.each_due_page(now, |page| {
        if now.since(page.due) > LATE {
            let host = at_host.entry(host_key(&page.url));
            host.or_insert((page, 0)).1 += 1;
        }
        ControlFlow::Continue(())
    })?;
    let mut late = Vec::with_capacity(at_host.len());
    for (host, (first, pages)) in at_host {
        let why = match daemon {
            true => why(reader, config, &first)?,
            false => NOBODY_POLLS.to_owned(),
        };
        late.push(LateHost {
            host,
            pages,
            due: first.due,
            why,
        });
    }
    late.sort_by(|one, other| {
        other
            .pages
            .cmp(&one.pages)
            .then_with(|| one.host.cmp(&other.host))
    });
    Ok(late)
}

fn why(reader: &Reader, config: &Config, page: &DueKey) -> Result<String, Error> {
    let origin = url::Url::parse(&page.url)
        .ok()
        .map(|url| url.origin().ascii_serialization());
    let robots = match origin {
        Some(origin) if config.page.robots => reader.robots(&origin)?,
        _ => None,
    };
    let delay = robots.and_then(|robots| robots.crawl_delay);
    Ok(match (delay, config.page.host_budget) {
        (Some(delay), _) => format!(
            "its robots.txt asks for {} between pages (Crawl-delay)",
            format_duration(delay)
        ),
        (None, Some(budget)) => format!(
            "queued for this host ({} apart, at most {budget} pages an hour: page.host_budget)",
            format_duration(config.fetch.host_delay)
        ),
        (None, None) => format!(
            "queued for this host ({} apart)",
            format_duration(config.fetch.host_delay)
        ),
    })
}
