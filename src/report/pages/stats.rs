//! `/stats`: how much is edited, by which feeds, and how soon.

use std::time::Duration;

use chrono::{Days, NaiveDate, Timelike as _};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Serialize;

use super::{Other, PageContent, PageFrame, Section};
use crate::report::clean;
use crate::report::csv::line;
use crate::report::html::chart::{Bar, bars};
use crate::report::names;
use crate::time::Timestamp;

/// The number of days that the statistics cover.
pub(crate) const DAYS: u64 = 30;

/// Hours after publication that get a bar of their own.
const HOURS: usize = 24;

/// A feed in the table. Its JSON form is an element of `/stats.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FeedNumbers {
    /// Its name.
    pub feed: String,
    /// Articles first seen in these days.
    pub articles: u64,
    /// Those that were edited.
    pub edited: u64,
    /// Changes in these days.
    pub changes: u64,
    /// Changes to the meaning of a text.
    pub substantive: u64,
    /// Changes that the article does not mention.
    pub unannounced: u64,
    /// Changes to a headline.
    pub headlines: u64,
}

/// When edits happened. They are counted one at a time, so that they need not all be in memory.
#[derive(Debug, Clone)]
pub(crate) struct Times {
    zone: Tz,
    days: Vec<(NaiveDate, u64)>,
    hours: [u64; 24],
    delays: [u64; HOURS],
    later: u64,
    sorted: Vec<Duration>,
}

impl Times {
    /// The [`DAYS`] days up to `now`.
    #[must_use]
    pub(crate) fn new(now: Timestamp, zone: Tz) -> Self {
        let today = now.to_chrono().with_timezone(&zone).date_naive();
        let day = |back: u64| today.checked_sub_days(Days::new(back));
        Self {
            zone,
            days: (0..DAYS)
                .rev()
                .filter_map(day)
                .map(|day| (day, 0))
                .collect(),
            hours: [0; 24],
            delays: [0; HOURS],
            later: 0,
            sorted: Vec::new(),
        }
    }

    /// Counts an edit; `delay` is the time from publication, for the first edit of an article.
    pub(crate) fn add(&mut self, at: Timestamp, delay: Option<Duration>) {
        let local = at.to_chrono().with_timezone(&self.zone);
        if let Ok(place) = self
            .days
            .binary_search_by_key(&local.date_naive(), |(day, _)| *day)
        {
            self.days[place].1 += 1;
        }
        if let Some(hour) = self.hours.get_mut(local.hour() as usize) {
            *hour += 1;
        }
        let Some(delay) = delay else { return };
        let hour = usize::try_from(delay.as_secs() / 3600).unwrap_or(usize::MAX);
        match self.delays.get_mut(hour) {
            Some(count) => *count += 1,
            None => self.later += 1,
        }
        self.sorted.push(delay);
    }

    /// The median time from publication to the first edit.
    #[must_use]
    pub(crate) fn median_delay(&self) -> Option<Duration> {
        let mut sorted = self.sorted.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }

    /// Edits per day.
    #[must_use]
    pub(crate) fn by_day(&self) -> Markup {
        let all: Vec<Bar> = self
            .days
            .iter()
            .map(|(day, count)| Bar {
                name: day.to_string(),
                count: *count,
            })
            .collect();
        bars("Changes per day", "changes", &all)
    }

    fn by_delay(&self) -> Markup {
        let mut all: Vec<Bar> = (1..)
            .zip(self.delays)
            .map(|(hour, count): (u32, u64)| Bar {
                name: format!("within {hour} h"),
                count,
            })
            .collect();
        all.push(Bar {
            name: "later".to_owned(),
            count: self.later,
        });
        bars("First edits by time after publication", "articles", &all)
    }

    fn by_hour(&self) -> Markup {
        let all: Vec<Bar> = (0..)
            .zip(self.hours)
            .map(|(hour, count): (u32, u64)| Bar {
                name: format!("{hour:02}:00"),
                count,
            })
            .collect();
        bars("Changes by hour of the day", "changes", &all)
    }
}

/// `12 %`, or a dash if there is nothing to divide by.
fn share(part: u64, of: u64) -> String {
    (part * 100)
        .checked_div(of)
        .map_or_else(|| "–".to_owned(), |percent| format!("{percent} %"))
}

/// The page.
#[must_use]
pub(crate) fn page(
    site: &PageFrame,
    feeds: &[FeedNumbers],
    times: &Times,
    others: Vec<Other>,
) -> PageContent {
    let all = |of: fn(&FeedNumbers) -> u64| feeds.iter().map(of).sum::<u64>();
    let changes = all(|feed| feed.changes);
    PageContent {
        title: "Statistics".to_owned(),
        section: Section::Statistics,
        others,
        body: html! {
            h1 { "Statistics" }
            p .lead {
                "The last " (DAYS) " days: " (names::count(changes, "change")) ", "
                (share(all(|feed| feed.unannounced), changes)) " of them unannounced; "
                (share(all(|feed| feed.edited), all(|feed| feed.articles))) " of "
                (names::count(all(|feed| feed.articles), "new article")) " edited."
            }
            p .about { "Hidden changes do not count. Unannounced: a substantive change without a notice, where the page or feed claims dates of modification and did not move them." }
            (times.by_day())
            @if times.later > 0 || times.delays.iter().any(|count| *count > 0) { (times.by_delay()) }
            (times.by_hour())
            h2 { "By feed" }
            @if feeds.is_empty() { p .empty { "No articles and no changes." } }
            @else { div .wide tabindex="0" role="region" aria-label="Numbers by feed" { table {
                thead { tr {
                    @for name in ["Feed", "New articles", "Edited", "Changes", "Headlines", "Substantive", "Unannounced"] {
                        th scope="col" { (name) }
                    }
                } }
                tbody {
                    @for feed in feeds { tr {
                        th scope="row" { a href=(site.links.feed(&feed.feed).unwrap_or_default()) { (clean::excerpt(&feed.feed, 64)) } }
                        td { (feed.articles) }
                        td { (share(feed.edited, feed.articles)) }
                        td { (feed.changes) }
                        td { (feed.headlines) }
                        td { (feed.substantive) }
                        td { (share(feed.unannounced, feed.changes)) }
                    } }
                }
            } } }
        },
    }
}

/// The table as comma-separated values.
#[must_use]
pub(crate) fn csv(feeds: &[FeedNumbers]) -> String {
    let mut out = line(&[
        "feed",
        "articles",
        "edited",
        "changes",
        "headlines",
        "substantive",
        "unannounced",
    ]);
    for feed in feeds {
        let numbers = [
            feed.articles,
            feed.edited,
            feed.changes,
            feed.headlines,
            feed.substantive,
            feed.unannounced,
        ];
        let numbers = numbers.map(|number| number.to_string());
        let mut cells = vec![feed.feed.as_str()];
        cells.extend(numbers.iter().map(String::as_str));
        out.push_str(&line(&cells));
    }
    out
}
