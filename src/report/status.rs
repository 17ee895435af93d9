//! `revisor status`: how the whole is, on one screen.

mod documents;
mod feeds;
mod trouble;

use std::collections::BTreeMap;

use serde::Serialize;

use super::clean;
use super::names;
use super::style::{Line, TextRole};
use super::when::{self, TimeView};
use crate::domain::ids::ChangeNumber;
use crate::time::Timestamp;

pub(crate) use documents::UnreadDocument;
use documents::documents;
pub(crate) use feeds::{AlikeFeed, CrowdedFeed};
use trouble::{archive_line, late, quarantined, target_line, without_text};

/// How the whole is. Its JSON form is the answer of `status --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Status {
    /// The version of this program.
    pub version: String,
    /// The configuration.
    pub config: ConfigStatus,
    /// The database; absent when there is none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseStatus>,
    /// Where the database is, or would be.
    pub database_path: String,
    /// The process that polls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daemon_pid: Option<u32>,
    /// Since when no site can be reached from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offline_since: Option<Timestamp>,
    /// The feeds.
    pub feeds: FeedsStatus,
    /// Feeds and pages that crashed the service while they were read, and are skipped for a day.
    #[serde(rename = "left_alone", skip_serializing_if = "Vec::is_empty")]
    pub quarantined: Vec<QuarantinedDocument>,
    /// Ignored text that moved in the last 24 hours; absent when none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored_24h: Option<IgnoredStatus>,
    /// Pages in a web archive; absent when none was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<ArchiveStatus>,
    /// Alerts, a target each.
    pub targets: Vec<TargetStatus>,
}

/// Text that is not compared and moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct IgnoredStatus {
    /// In how many places.
    pub places: u64,
    /// Of how many articles.
    pub entries: u64,
}

/// Pages that a web archive is asked to save.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct ArchiveStatus {
    /// Snapshots.
    pub saved: u32,
    /// Pages to ask for.
    pub waiting: u32,
    /// Pages that could not be saved.
    pub refused: u32,
    /// Pages to ask for that wait because the archive does not accept our key, or it cannot be read.
    pub without_key: u32,
}

/// The configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ConfigStatus {
    /// The file; absent when there is none and the defaults hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Feeds in it.
    pub feeds: u64,
    /// Targets in it.
    pub targets: u64,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DatabaseStatus {
    /// Its size.
    pub bytes: u64,
    /// Entries.
    pub entries: u64,
    /// Revisions.
    pub revisions: u64,
    /// Changes.
    pub changes: u64,
    /// Captures whose body is kept.
    pub captures: u64,
    /// Changes of the last 24 hours, quiet ones left out.
    pub changes_24h: u64,
    /// The newest change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_change: Option<ChangeNumber>,
    /// 0–99: how much of the search index is built; absent when all of it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_index_percent: Option<u64>,
}

/// The feeds, and the pages behind them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct FeedsStatus {
    /// Feeds that are polled.
    pub active: u64,
    /// Those whose last poll failed.
    pub failing: u64,
    /// Those that somebody paused.
    pub paused: u64,
    /// Those that are due and were not polled yet.
    pub due: u64,
    /// The next poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<UpcomingPoll>,
    /// Pages on the article clock.
    pub pages: u64,
    /// Those that are due and were not checked yet.
    pub pages_due: u64,
    /// Pages that robots.txt keeps from being read.
    pub pages_barred: u64,
    /// Those whose last look read no text, by the reason: `not_found`, `paywall`, `held` …
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pages_unread: BTreeMap<&'static str, u64>,
    /// Documents without a text: scanned, encrypted, pictures, videos, archives. Only their size and hash are compared.
    pub documents: u64,
    /// The first of them, those that never stay the same before the others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread_documents: Vec<UnreadDocument>,
    /// Addresses of pages that have no text of their own (`no_text`, `not_article`): the newest ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pages_without_text: Vec<String>,
    /// Articles that were taken down.
    pub removed: u64,
    /// The feeds that need a look, the worst first.
    pub troubled: Vec<TroubledFeed>,
    /// Feeds with so many new entries that the next polls store the rest, the one with the most first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub crowded: Vec<CrowdedFeed>,
    /// Feeds whose address has a history in another form.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alike: Vec<AlikeFeed>,
    /// The feeds that should have been polled by now, the latest first.
    pub late: Vec<LateFeed>,
    /// The hosts whose pages should have been checked by now, the one with the most pages first.
    pub late_hosts: Vec<LateHost>,
}

/// The next poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct UpcomingPoll {
    /// The feed's name.
    pub feed: String,
    /// When.
    pub at: Timestamp,
    /// Why then.
    pub why: String,
}

/// A feed that needs a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct TroubledFeed {
    /// The feed's name.
    pub feed: String,
    /// What is wrong.
    pub error: String,
    /// The last poll that did not fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_ok: Option<Timestamp>,
    /// Polls that failed since.
    pub failures: u32,
}

/// A feed or page that ended the service while it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct QuarantinedDocument {
    /// Its address, without a login.
    pub url: String,
    /// How often it ended the service, in a row.
    pub ends: u32,
    /// Whether it is a feed of which the pages are meant: none of them is to blame by itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pages: bool,
    /// When one more reading is tried.
    pub until: Timestamp,
}

impl QuarantinedDocument {
    /// What it did; `url` is its address as it is shown.
    #[must_use]
    pub(crate) fn words(&self, url: &str) -> String {
        let ends = self.ends;
        match self.pages {
            false => {
                format!("{url} crashed revisor {ends} times while being read; skipped")
            }
            true => {
                format!("revisor was killed {ends} times while reading pages of {url}; skipped")
            }
        }
    }

    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(&self) -> &'static str {
        match self.pages {
            false => "this is a bug in revisor; please report it with this address",
            true => "give the service more memory (MemoryMax=), or lower fetch.memory",
        }
    }
}

/// A feed that should have been polled by now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LateFeed {
    /// The feed's name.
    pub feed: String,
    /// When it was due.
    pub due: Timestamp,
    /// Why it was not polled, as far as that can be seen from outside.
    pub why: String,
}

/// A host whose pages should have been checked by now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LateHost {
    /// The host.
    pub host: String,
    /// How many of its pages.
    pub pages: u64,
    /// When the first of them was due.
    pub due: Timestamp,
    /// Why they were not checked, as far as that can be seen from outside.
    pub why: String,
}

/// A target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct TargetStatus {
    /// Its name.
    pub target: String,
    /// Deliveries that wait.
    pub pending: u64,
    /// The event time of the oldest of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
    /// Those of them that the others no longer wait for, because the receiver keeps refusing them.
    pub set_aside: u64,
    /// Posts that wait for a person to confirm them.
    pub held: u64,
    /// Events that wait to be sent together.
    pub gathered: u64,
    /// When the next digest is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Timestamp>,
    /// Deliveries that were given up.
    pub dead: u64,
    /// Those of them that were never tried, because the queue was full (`max_queue`).
    pub overflowed: u64,
    /// Why it is disabled, when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<String>,
    /// What went wrong at the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Feeds in trouble that are listed; the rest is counted.
const TROUBLED_MAX: usize = 10;

/// A line for each part, `✓` fine, `!` needs a look, `✗` wrong.
#[must_use]
pub(crate) fn text(status: &Status, view: &TimeView) -> String {
    let mut lines = vec![config(status), daemon(status), database(status)];
    lines.extend(status.offline_since.map(|since| {
        let since = view.relative(since);
        StatusPart::new(
            StatusMark::Wrong,
            "network",
            format!("no site has been reachable since {since}; checks are postponed"),
        )
    }));
    lines.extend(feeds(status, view));
    lines.extend(quarantined(&status.quarantined, view));
    lines.extend(status.ignored_24h.map(|ignored| {
        let text = format!(
            "ignored text moved in {} of {} in 24 h",
            names::count(ignored.places, "place"),
            names::count(ignored.entries, "article")
        );
        StatusPart::new(StatusMark::Fine, "ignored", text).hint("revisor log --ignored")
    }));
    lines.extend(status.archive.map(archive_line));
    lines.extend(
        status
            .targets
            .iter()
            .map(|target| target_line(target, view)),
    );
    lines.iter().map(|part| part.render(view)).collect()
}

#[derive(Debug, Clone, Copy)]
enum StatusMark {
    Fine,
    Look,
    Wrong,
}

struct StatusPart {
    mark: StatusMark,
    name: &'static str,
    text: String,
    hint: Option<String>,
}

impl StatusPart {
    fn new(mark: StatusMark, name: &'static str, text: String) -> Self {
        Self {
            mark,
            name,
            text,
            hint: None,
        }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    fn render(&self, view: &TimeView) -> String {
        let (role, mark) = match self.mark {
            StatusMark::Fine => (TextRole::Good, "✓"),
            StatusMark::Look => (TextRole::Warning, "!"),
            StatusMark::Wrong => (TextRole::Bad, "✗"),
        };
        let mut line = Line::new()
            .with(role, mark)
            .with(TextRole::Plain, format!(" {:<10} {}", self.name, self.text));
        if let Some(hint) = &self.hint {
            line = line.with(TextRole::Faint, format!("   hint: {hint}"));
        }
        line.wrap("", "             ", view.paint)
    }
}

fn config(status: &Status) -> StatusPart {
    let config = &status.config;
    let amount = format!(
        "({}, {})",
        names::count(config.feeds, "feed"),
        names::count(config.targets, "target")
    );
    match &config.path {
        Some(path) => {
            let part = StatusPart::new(
                StatusMark::Fine,
                "config",
                format!("{} {amount}", clean::line(path)),
            );
            if config.feeds == 0 {
                return StatusPart {
                    mark: StatusMark::Look,
                    ..part
                }
                .hint("revisor add URL");
            }
            part
        }
        None => StatusPart::new(
            StatusMark::Look,
            "config",
            "no file, using the defaults".to_owned(),
        )
        .hint("revisor init"),
    }
}

fn daemon(status: &Status) -> StatusPart {
    match status.daemon_pid {
        Some(pid) => StatusPart::new(StatusMark::Fine, "daemon", format!("running, pid {pid}")),
        None => StatusPart::new(StatusMark::Look, "daemon", "not running".to_owned())
            .hint("revisor run, or systemctl start revisor"),
    }
}

fn database(status: &Status) -> StatusPart {
    let path = clean::line(&status.database_path);
    let Some(database) = &status.database else {
        return StatusPart::new(
            StatusMark::Look,
            "database",
            format!("{path} does not exist yet"),
        )
        .hint("revisor check");
    };
    let entries = match database.entries {
        1 => "1 entry".to_owned(),
        entries => format!("{entries} entries"),
    };
    let mut text = format!(
        "{path}  {}, {entries}, {}, {} ({} in 24 h)",
        when::bytes(database.bytes),
        names::count(database.revisions, "revision"),
        names::count(database.changes, "change"),
        database.changes_24h
    );
    if let Some(number) = database.last_change.filter(|number| number.0 > 0) {
        text = format!("{text}, last #{number}");
    }
    if let Some(percent) = database.search_index_percent {
        text = format!("{text}, search index {percent} % built");
    }
    StatusPart::new(StatusMark::Fine, "database", text)
}

fn feeds(status: &Status, view: &TimeView) -> Vec<StatusPart> {
    let feeds = &status.feeds;
    let mut text = format!("{} polled", feeds.active);
    for (count, what) in [
        (feeds.failing, "failing"),
        (feeds.paused, "paused"),
        (feeds.due, "due"),
    ] {
        if count > 0 {
            text = format!("{text}, {count} {what}");
        }
    }
    if let Some(next) = &feeds.next {
        let when = if next.at <= view.now {
            "now".to_owned()
        } else {
            view.relative(next.at)
        };
        text = format!("{text}; next: {} {when}", clean::excerpt(&next.feed, 40));
        if !next.why.is_empty() {
            text = format!("{text} ({})", clean::excerpt(&next.why, 40));
        }
    }
    let mark = if feeds.failing > 0 {
        StatusMark::Look
    } else {
        StatusMark::Fine
    };
    let mut parts = vec![StatusPart::new(mark, "feeds", text)];
    if feeds.pages > 0 {
        let due = match feeds.pages_due {
            0 => String::new(),
            due => format!(", {due} due"),
        };
        let barred = match feeds.pages_barred {
            0 => String::new(),
            barred => format!(", {barred} not read: robots.txt, or shared by several entries"),
        };
        let removed = match feeds.removed {
            0 => String::new(),
            removed => format!(", {} taken down", names::count(removed, "article")),
        };
        parts.push(StatusPart::new(
            StatusMark::Fine,
            "pages",
            format!("{} being checked{due}{barred}{removed}", feeds.pages),
        ));
        let unread: Vec<String> = feeds
            .pages_unread
            .iter()
            .map(|(reason, pages)| format!("{} {pages}", reason.replace('_', " ")))
            .collect();
        if !unread.is_empty() {
            let text = format!("without a text at the last check: {}", unread.join(", "));
            parts.push(
                StatusPart::new(StatusMark::Look, "pages", text).hint("revisor history ENTRY"),
            );
        }
        parts.extend(without_text(feeds));
    }
    parts.extend(documents(feeds));
    parts.extend(late(feeds, view));
    parts.extend(feeds::crowded(&feeds.crowded));
    parts.extend(feeds::alike(&feeds.alike));
    for feed in feeds.troubled.iter().take(TROUBLED_MAX) {
        let name = clean::excerpt(&feed.feed, 60);
        let since = match feed.last_ok {
            Some(at) => format!("last read {}", view.relative(at)),
            None => "never read".to_owned(),
        };
        let error = clean::excerpt(&feed.error, 120);
        let text = format!("{name}: {error} (×{}), {since}", feed.failures);
        parts.push(
            StatusPart::new(StatusMark::Wrong, "feed", text)
                .hint(format!("revisor check {name} -v")),
        );
    }
    let more = feeds.troubled.len().saturating_sub(TROUBLED_MAX);
    if more > 0 {
        let text = format!("{more} more with errors");
        parts.push(StatusPart::new(StatusMark::Wrong, "feed", text).hint("revisor feeds"));
    }
    parts
}

#[cfg(test)]
mod tests;
