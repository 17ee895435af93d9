//! Turns decisions into events: what is reported, and what `log` shows.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::classify::Assessment;
use super::compare::Comparison;
use super::decide::Revised;
use super::diff::ProseDiff;
use super::event::{
    BlocksInfo, ChangeInfo, DiffInfo, EntryInfo, Event, EventData, EventKind, FeedInfo,
    HeadlineInfo, RevisionInfo, SCHEMA_VERSION, Window,
};
use super::ids::RevisionNumber;
use super::state::{EntryState, HeadlineSource};
use crate::time::Timestamp;

/// An empty event of a kind with its time.
#[must_use]
pub fn event(kind: EventKind, at: Timestamp, data: EventData) -> Event {
    Event {
        kind,
        timestamp: at,
        schema_version: SCHEMA_VERSION,
        data,
    }
}

/// What an event says about an entry. `id` is empty if the entry is not stored yet.
#[must_use]
pub fn entry_info(id: &str, state: &EntryState, first_seen: Timestamp) -> EntryInfo {
    EntryInfo {
        id: id.to_owned(),
        guid: state.feed.as_ref().and_then(|feed| feed.guid.clone()),
        url: state.address().map(str::to_owned),
        author: state.byline().map(str::to_owned),
        published: state.published(),
        first_seen,
        archive: None,
    }
}

/// One side of a change.
#[must_use]
pub fn revision_info(number: RevisionNumber, seen: Timestamp, state: &EntryState) -> RevisionInfo {
    RevisionInfo {
        revision: number,
        seen,
        title: state.title().map(str::to_owned),
        body_sha256: body_sha256(state),
        document: state.page.as_ref().and_then(|page| page.document.clone()),
    }
}

/// An article was removed or restored; without the event's `text`. `revision` is the newest one of the entry.
#[must_use]
pub fn life(
    kind: EventKind,
    feed: FeedInfo,
    entry: EntryInfo,
    revision: RevisionInfo,
    window: Window,
    detail: String,
    at: Timestamp,
) -> Event {
    let data = EventData {
        feed: Some(feed),
        entry: Some(entry),
        before: Some(revision),
        window: Some(window),
        detail: Some(detail),
        ..EventData::default()
    };
    event(kind, at, data)
}

/// A whole change as an event noticed at `at`, without its `text` and its number.
#[must_use]
pub fn revised(
    revised: &Revised,
    feed: FeedInfo,
    entry: EntryInfo,
    before: RevisionInfo,
    window: Window,
    at: Timestamp,
) -> Event {
    let Revised {
        step,
        comparison,
        assessment,
        revert_of,
        ..
    } = revised;
    let seen = window.first_changed.max(before.seen);
    let after = revision_info(step.number, seen, &step.state);
    let mut event = self::step(comparison, assessment, feed, entry, [before, after], window);
    if let Some(change) = &mut event.data.change {
        change.revert_of = *revert_of;
    }
    // An unconfirmed text was seen before it was noticed.
    event.timestamp = at;
    event
}

/// A step between two revisions of an entry, `[before, after]`, as an event without its `text` and its number.
#[must_use]
pub fn step(
    comparison: &Comparison,
    assessment: &Assessment,
    feed: FeedInfo,
    entry: EntryInfo,
    [before, after]: [RevisionInfo; 2],
    window: Window,
) -> Event {
    let at = window.first_changed;
    let change = ChangeInfo {
        fields: comparison.fields.clone(),
        significance: assessment.significance,
        score: assessment.score,
        labels: assessment.labels.clone(),
        reasons: assessment.reasons.clone(),
        score_parts: assessment.score_parts.clone(),
        words: comparison.words,
        similarity: (comparison.similarity * 100.0).round() / 100.0,
        channel: comparison.channels.clone(),
        headlines: headline_sources(comparison),
        window,
        revert_of: None,
    };
    let diff = DiffInfo {
        title: comparison.title.clone(),
        headlines: other_headlines(comparison),
        standfirst: comparison.standfirst.clone(),
        summary: comparison.summary.as_ref().map(blocks),
        body: comparison.body.as_ref().map(blocks),
        links: comparison.links.clone(),
        byline: comparison.byline.clone(),
        address: comparison.address.clone(),
        guid: comparison.guid.clone(),
    };
    let data = EventData {
        change: Some(change),
        feed: Some(feed),
        entry: Some(entry),
        before: Some(before),
        after: Some(after),
        diff: Some(diff),
        ..EventData::default()
    };
    event(EventKind::EntryRevised, at, data)
}

/// A target is disabled; `kept` deliveries are queued for it.
#[must_use]
pub fn target_disabled(target: &str, why: &str, kept: u64, at: Timestamp) -> Event {
    let waiting = match kept {
        1 => "1 delivery is queued".to_owned(),
        kept => format!("{kept} deliveries are queued"),
    };
    let detail = format!("{target} is disabled: {why}");
    let text = format!("{detail}\n{waiting}; `revisor notify retry {target}` sends what it missed");
    let data = EventData {
        detail: Some(detail),
        text,
        ..EventData::default()
    };
    event(EventKind::TargetDisabled, at, data)
}

/// Our own network has been down since `since`; without the event's `text`.
#[must_use]
pub fn service_offline(since: Timestamp, at: Timestamp) -> Event {
    let detail = format!(
        "no site can be reached since {}: the network or the name server of this machine is down; \
         feeds and pages are checked once it is back",
        since.to_rfc3339()
    );
    service(EventKind::ServiceOffline, detail, at)
}

/// Our network is back; without the event's `text`.
#[must_use]
pub fn service_online(since: Timestamp, at: Timestamp) -> Event {
    let detail = format!(
        "sites can be reached again after an outage since {}; changes from that time are found now",
        since.to_rfc3339()
    );
    service(EventKind::ServiceOnline, detail, at)
}

fn service(kind: EventKind, detail: String, at: Timestamp) -> Event {
    let data = EventData {
        detail: Some(detail),
        ..EventData::default()
    };
    event(kind, at, data)
}

fn headline_sources(comparison: &Comparison) -> Vec<HeadlineSource> {
    let mut sources: Vec<_> = comparison
        .headlines
        .iter()
        .map(|change| change.source)
        .collect();
    sources.dedup();
    sources
}

/// The headlines that changed differently from the one that is shown first.
fn other_headlines(comparison: &Comparison) -> Vec<HeadlineInfo> {
    let others = comparison
        .headlines
        .iter()
        .filter(|change| Some(&change.segments) != comparison.title.as_ref());
    others
        .map(|change| HeadlineInfo {
            source: change.source,
            segments: change.segments.clone(),
        })
        .collect()
}

/// SHA-256 in hexadecimal of the entry's longest text, with blocks joined by a blank line.
#[must_use]
pub fn body_sha256(state: &EntryState) -> String {
    let mut hash = Sha256::new();
    for (place, block) in state.body().iter().enumerate() {
        if place > 0 {
            hash.update("\n\n");
        }
        hash.update(&block.text);
    }
    HEXLOWER.encode(&hash.finalize())
}

fn blocks(diff: &ProseDiff) -> BlocksInfo {
    BlocksInfo {
        blocks: diff.blocks.clone(),
        truncated: false,
        coarse: diff.coarse,
        sentences: diff.sentences,
        left_out: diff.left_out.clone(),
    }
}
