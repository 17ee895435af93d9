//! `revisor status`: how the whole is.

use std::time::Duration;

use super::CommandContext;
use super::args::StatusArgs;
use super::setup::{now, reader_if_any};
use super::{feeds, late};
use crate::config::{Config, Secrets};
use crate::domain::life::Reason;
use crate::domain::url::without_login;
use crate::error::{Error, Exit};
use crate::report::feeds::{FeedStatus, FeedSummary};
use crate::report::status::{
    self, AlikeFeed, ArchiveStatus, ConfigStatus, CrowdedFeed, DatabaseStatus, FeedsStatus,
    IgnoredStatus, QuarantinedDocument, Status, TargetStatus, TroubledFeed, UnreadDocument,
    UpcomingPoll,
};
use crate::store::{
    IgnoredFilter, InstanceLock, Reader, SearchProgress, StoreCounts, TargetHealth, Underway,
};
use crate::time::Timestamp;

/// Documents without a text that are named.
const DOCUMENTS: usize = 100;

const DAY: Duration = Duration::from_hours(24);

pub(super) fn run(context: &mut CommandContext, _args: &StatusArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let config = context.config(Secrets::WhereReadable)?;
    let reader = reader_if_any(&config)?;
    let status = status_of(&config, reader.as_ref(), now())?;
    if as_json {
        context.output.json(&status)?;
    } else {
        let view = context.view(&config);
        context.output.print(&status::text(&status, &view))?;
    }
    Ok(Exit::DONE)
}

fn status_of(config: &Config, reader: Option<&Reader>, now: Timestamp) -> Result<Status, Error> {
    let rows = feeds::states(config, reader)?;
    let (mut database, mut counts, mut health) = (None, StoreCounts::default(), Vec::new());
    if let Some(reader) = reader {
        counts = reader.counts(now, now - DAY)?;
        health = reader.target_health()?;
        database = Some(database_status(&counts, reader)?);
    }
    let ignored = match reader {
        Some(reader) => ignored_24h(reader, now)?,
        None => None,
    };
    let daemon_pid = InstanceLock::holder(&config.database);
    let mut feeds = feeds_status(&rows, &counts, now);
    feeds.late = late::feeds(&rows, config, daemon_pid.is_some(), now);
    if let Some(reader) = reader {
        feeds.pages_barred = reader.barred_pages()?;
        let documents = reader.unread_documents(DOCUMENTS)?.into_iter();
        let named = documents.map(|document| UnreadDocument {
            url: without_login(&document.url).into_owned(),
            replaced: document.replaced,
        });
        feeds.unread_documents = named.collect();
        feeds.alike = alike(config, reader)?;
        feeds.late_hosts = late::hosts(reader, config, daemon_pid.is_some(), now)?;
    }
    Ok(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config: ConfigStatus {
            path: config.file.as_ref().map(|file| file.display().to_string()),
            feeds: config.feeds.len() as u64,
            targets: config.targets.len() as u64,
        },
        database,
        database_path: config.database.display().to_string(),
        daemon_pid,
        offline_since: match reader {
            Some(reader) => reader.offline_since()?,
            None => None,
        },
        feeds,
        quarantined: quarantined(config, daemon_pid.is_some(), now),
        ignored_24h: ignored,
        archive: match reader {
            Some(reader) => archive(reader)?,
            None => None,
        },
        targets: targets_status(config, &health),
    })
}

fn ignored_24h(reader: &Reader, now: Timestamp) -> Result<Option<IgnoredStatus>, Error> {
    let totals = reader.ignored_totals(&IgnoredFilter {
        since: Some(now - DAY),
        ..IgnoredFilter::default()
    })?;
    Ok((totals.places > 0).then_some(IgnoredStatus {
        places: totals.places,
        entries: totals.entries,
    }))
}

fn archive(reader: &Reader) -> Result<Option<ArchiveStatus>, Error> {
    let counts = reader.snapshot_counts()?;
    let status = ArchiveStatus {
        saved: counts.saved,
        waiting: counts.waiting,
        refused: counts.refused,
        without_key: counts.without_key,
    };
    Ok((counts.saved + counts.waiting + counts.refused > 0).then_some(status))
}

/// Feeds whose address was probably changed by hand.
fn alike(config: &Config, reader: &Reader) -> Result<Vec<AlikeFeed>, Error> {
    let left = reader.left_addresses()?;
    let alike = config.alike(&left).into_iter();
    let named = alike.map(|(feed, old)| AlikeFeed {
        feed: feed.name.clone(),
        url: without_login(&feed.url).into_owned(),
        old: without_login(old).into_owned(),
    });
    Ok(named.collect())
}

/// What ended the service while it was read, as the one that polls has it noted.
pub(super) fn quarantined(
    config: &Config,
    daemon: bool,
    now: Timestamp,
) -> Vec<QuarantinedDocument> {
    let noted = Underway::of_others(&config.database, daemon).quarantined(now);
    let noted = noted.into_iter().map(|one| QuarantinedDocument {
        url: without_login(&one.address).into_owned(),
        ends: one.rest.ends,
        pages: one.rest.crowd,
        until: one.rest.until,
    });
    noted.collect()
}

fn database_status(counts: &StoreCounts, reader: &Reader) -> Result<DatabaseStatus, Error> {
    Ok(DatabaseStatus {
        bytes: counts.bytes,
        entries: counts.entries,
        revisions: counts.revisions,
        changes: counts.changes,
        captures: counts.captures,
        changes_24h: counts.changes_since,
        last_change: Some(reader.last_change()?).filter(|number| number.0 > 0),
        search_index_percent: Some(reader.search_progress()?)
            .filter(|progress| !progress.is_complete())
            .map(SearchProgress::percent),
    })
}

fn feeds_status(rows: &[FeedSummary], counts: &StoreCounts, now: Timestamp) -> FeedsStatus {
    let of = |state| rows.iter().filter(|row| row.state == state).count() as u64;
    let polled = |row: &&FeedSummary| !matches!(row.state, FeedStatus::Paused | FeedStatus::Gone);
    let is_due = |row: &&FeedSummary| match row.next {
        Some(next) => next <= now,
        None => row.state == FeedStatus::New,
    };
    let next = rows
        .iter()
        .filter(polled)
        .filter_map(|row| row.next.map(|at| (at, row)))
        .min_by_key(|(at, _)| *at);
    let mut troubled: Vec<TroubledFeed> = rows
        .iter()
        .filter(|row| matches!(row.state, FeedStatus::Failing | FeedStatus::Gone))
        .map(|row| TroubledFeed {
            feed: row.name.clone(),
            error: match row.state {
                FeedStatus::Gone => "gone: its address returned 410".to_owned(),
                _ => row.error.clone().unwrap_or_default(),
            },
            last_ok: row.last_ok,
            failures: row.failures,
        })
        .collect();
    troubled.sort_by_key(|feed| std::cmp::Reverse(feed.failures));
    let mut crowded: Vec<CrowdedFeed> = rows
        .iter()
        .filter(|row| row.postponed > 0)
        .map(|row| CrowdedFeed {
            feed: row.name.clone(),
            postponed: row.postponed,
        })
        .collect();
    crowded.sort_by_key(|feed| std::cmp::Reverse(feed.postponed));
    let mut unread = counts.pages_unread.iter();
    let documents = unread.find(|(reason, _)| *reason == Reason::Document);
    FeedsStatus {
        active: rows.iter().filter(polled).count() as u64,
        failing: of(FeedStatus::Failing),
        paused: of(FeedStatus::Paused),
        due: rows.iter().filter(polled).filter(is_due).count() as u64,
        next: next.map(|(at, row)| UpcomingPoll {
            feed: row.name.clone(),
            at,
            why: row.next_why.clone(),
        }),
        pages: counts.pages_on_clock,
        pages_due: counts.pages_due,
        documents: documents.map_or(0, |(_, pages)| *pages),
        pages_unread: counts
            .pages_unread
            .iter()
            .filter(|(reason, _)| *reason != Reason::Document)
            .map(|(reason, pages)| (reason.as_str(), *pages))
            .collect(),
        pages_without_text: counts.pages_without_text.clone(),
        removed: counts.removed,
        troubled,
        crowded,
        ..FeedsStatus::default()
    }
}

fn targets_status(config: &Config, health: &[TargetHealth]) -> Vec<TargetStatus> {
    let targets = config.targets.iter().map(|target| {
        let known = health.iter().find(|known| known.target.name == target.name);
        TargetStatus {
            target: target.name.clone(),
            pending: known.map_or(0, |known| known.open),
            oldest: known.and_then(|known| known.oldest_open),
            dead: known.map_or(0, |known| known.dead),
            set_aside: known.map_or(0, |known| known.set_aside),
            held: known.map_or(0, |known| known.held),
            gathered: known.map_or(0, |known| known.gathered),
            digest: known.and_then(|known| known.digest),
            overflowed: known.map_or(0, |known| known.overflowed),
            disabled: known
                .and_then(|known| known.target.disabled.as_ref())
                .map(|(_, why)| why.clone()),
            error: known
                .and_then(|known| known.last_attempt.as_ref())
                .and_then(|(_, _, error)| error.clone()),
        }
    });
    targets.collect()
}
