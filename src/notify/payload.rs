//! The body of a webhook: an event within a number of bytes. Pure.
//!
//! A diff that does not fit is cut at block borders and says so (`truncated`); it is never dropped without a word, and
//! what is left is still exact.

use crate::domain::classify::{Label, Reason, ScorePart, Significance};
use crate::domain::diff::{BlockDiff, BlockOp, Segment, WordCount};
use crate::domain::event::{
    BlocksInfo, ChangeInfo, DiffInfo, EntryInfo, Event, EventData, EventKind, FeedInfo, Field,
    RevisionInfo, SCHEMA_VERSION, Window,
};
use crate::domain::ids::{ChangeNumber, RevisionNumber};
use crate::domain::state::Channel;
use crate::time::Timestamp;
use std::time::Duration;

/// As [`fit`], for an event that is stored as JSON. What is small enough, and what this version cannot read, is sent
/// as it is stored.
#[must_use]
pub fn fit_json(stored: Vec<u8>, max_bytes: usize) -> Vec<u8> {
    if stored.len() <= max_bytes {
        return stored;
    }
    match serde_json::from_slice::<Event>(&stored) {
        Ok(event) => fit(&event, max_bytes),
        Err(_) => stored,
    }
}

/// The event as JSON of at most `max_bytes`. What does not fit is left out in this order: equal blocks; blocks that
/// changed (then `truncated` is set); reasons; long lines of `text`; headlines and other fields beyond all measure.
#[must_use]
pub fn fit(event: &Event, max_bytes: usize) -> Vec<u8> {
    let whole = to_json(event);
    if whole.len() <= max_bytes {
        return whole;
    }
    let mut event = event.clone();
    let body = take_changed_blocks(event.data.diff.as_mut().and_then(|d| d.body.as_mut()));
    let summary = take_changed_blocks(event.data.diff.as_mut().and_then(|d| d.summary.as_mut()));
    let mut size = to_json(&event).len();
    for shrink in SHRINKS {
        if size <= max_bytes {
            break;
        }
        shrink(&mut event.data);
        size = to_json(&event).len();
    }
    let mut room = max_bytes.saturating_sub(size);
    if let Some(diff) = &mut event.data.diff {
        put_blocks(diff.body.as_mut(), body, &mut room);
        put_blocks(diff.summary.as_mut(), summary, &mut room);
    }
    to_json(&event)
}

/// What else can be left out, step by step.
const SHRINKS: [fn(&mut EventData); 4] = [
    |data| {
        if let Some(change) = &mut data.change {
            change.reasons.clear();
            change.score_parts.clear();
        }
    },
    |data| data.text = shortened_lines(&data.text, 40, 400),
    |data| {
        data.text = shortened_lines(&data.text, 12, 120);
        let Some(diff) = &mut data.diff else { return };
        for segments in [&mut diff.title, &mut diff.byline] {
            let length = |segments: &Vec<Segment>| segments.iter().map(|s| s.text().len()).sum();
            if segments.as_ref().map_or(0, length) > 2000_usize {
                *segments = None;
            }
        }
        for pair in [&mut diff.address, &mut diff.guid] {
            if pair
                .as_ref()
                .is_some_and(|[old, new]| old.len() + new.len() > 2000)
            {
                *pair = None;
            }
        }
    },
    |data| {
        if let Some(diff) = &mut data.diff {
            (diff.title, diff.byline, diff.address, diff.guid) = (None, None, None, None);
        }
        for side in [&mut data.before, &mut data.after].into_iter().flatten() {
            drop_long(&mut side.title);
        }
        if let Some(entry) = &mut data.entry {
            drop_long(&mut entry.guid);
            drop_long(&mut entry.url);
            drop_long(&mut entry.author);
        }
        if let Some(feed) = &mut data.feed {
            drop_long(&mut feed.title);
            feed.tags.clear();
        }
        data.detail = data.detail.as_ref().map(|text| shortened(text, 200));
    },
];

/// Takes all blocks out and gives back those that changed, in order.
fn take_changed_blocks(info: Option<&mut BlocksInfo>) -> Vec<BlockDiff> {
    let Some(info) = info else { return Vec::new() };
    let mut blocks = std::mem::take(&mut info.blocks);
    blocks.retain(|block| block.op != BlockOp::Equal);
    // The longer spelling, so that the room that is measured without blocks is there whichever it will be.
    blocks
}

/// Puts back the blocks that there is room for, in order; the ones that are too large are skipped.
fn put_blocks(info: Option<&mut BlocksInfo>, blocks: Vec<BlockDiff>, room: &mut usize) {
    let Some(info) = info else { return };
    for block in blocks {
        // One byte for the comma; `false` is longer than `true`, so setting `truncated` costs nothing.
        let size = to_json(&block).len() + 1;
        match room.checked_sub(size) {
            Some(left) => {
                *room = left;
                info.blocks.push(block);
            }
            None => info.truncated = true,
        }
    }
}

fn drop_long(text: &mut Option<String>) {
    if text.as_ref().is_some_and(|text| text.len() > 500) {
        *text = None;
    }
}

/// The first lines and the last one (the address), each cut to a length.
fn shortened_lines(text: &str, lines: usize, length: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    let skipped = all.len().saturating_sub(lines);
    let head = all.len().min(lines).saturating_sub(1);
    let kept = all
        .iter()
        .take(head)
        .chain(all.last().filter(|_| lines > 0));
    let mut shown: Vec<String> = kept.map(|line| shortened(line, length)).collect();
    if skipped > 0 {
        shown.insert(head, "…".to_owned());
    }
    shown.join("\n")
}

fn shortened(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(length).collect();
    cut.push('…');
    cut
}

/// Serialising these types cannot fail: their maps have text keys and their numbers are finite.
fn to_json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// An event to try a target with: it has every part that a real one of its kind has, and is marked as a test.
/// `ping.test` is shaped like `entry.revised`.
#[must_use]
pub fn test_event(kind: EventKind, now: Timestamp) -> Event {
    let seen_before = now - Duration::from_mins(32);
    let segments = |old: &str, new: &str| {
        vec![
            Segment::Equal("Minister ".into()),
            Segment::Delete(old.into()),
            Segment::Insert(new.into()),
            Segment::Equal(" report of talks".into()),
        ]
    };
    let revision = |number: u32, seen: Timestamp, title: &str| RevisionInfo {
        revision: RevisionNumber(number),
        seen,
        title: Some(title.into()),
        body_sha256: "0".repeat(64),
    };
    let about_feed = kind.as_str().starts_with("feed.");
    let address = "https://news.example/2026/talks";
    let change = ChangeInfo {
        fields: vec![Field::Title, Field::Body],
        significance: Significance::Substantive,
        score: 71,
        labels: vec![Label::Headline, Label::Number],
        reasons: vec![Reason {
            label: Label::Number,
            text: "2 → 3 in ¶3".into(),
        }],
        score_parts: vec![ScorePart {
            points: 30,
            why: "the headline says something else".into(),
        }],
        words: WordCount {
            added: 2,
            removed: 2,
        },
        similarity: 0.84,
        channel: vec![Channel::Feed],
        window: Window {
            last_unchanged: seen_before,
            first_changed: now,
            checks: 1,
            failed_checks: 0,
        },
        revert_of: None,
    };
    let diff = DiffInfo {
        title: Some(segments("denies", "confirms")),
        body: Some(BlocksInfo {
            blocks: vec![BlockDiff {
                op: BlockOp::Edit,
                from: Some(3),
                to: Some(3),
                part_of: None,
                segments: vec![
                    Segment::Equal("Shares fell ".into()),
                    Segment::Delete("2".into()),
                    Segment::Insert("3".into()),
                    Segment::Equal(" percent.".into()),
                ],
            }],
            truncated: false,
            coarse: false,
        }),
        ..DiffInfo::default()
    };
    let mut data = EventData {
        feed: Some(FeedInfo {
            name: "example-news".into(),
            title: Some("Example News".into()),
            url: "https://news.example/rss.xml".into(),
            tags: vec!["test".into()],
        }),
        test: true,
        ..EventData::default()
    };
    if about_feed {
        data.detail = Some("this is a test; nothing has happened".into());
        data.text = "Example News: this is a test of a target; nothing has happened".into();
    } else {
        data.entry = Some(EntryInfo {
            id: "ent_test".into(),
            guid: Some("https://news.example/?p=1".into()),
            url: Some(address.into()),
            author: Some("Ann Example".into()),
            published: Some(seen_before),
            first_seen: seen_before,
        });
        data.text = format!("Example News: this is a test of a target\n{address}");
    }
    if matches!(kind, EventKind::EntryRevised | EventKind::PingTest) {
        data.number = Some(ChangeNumber(0));
        data.change = Some(change);
        data.before = Some(revision(1, seen_before, "Minister denies report of talks"));
        data.after = Some(revision(2, now, "Minister confirms report of talks"));
        data.diff = Some(diff);
        data.text = format!(
            "Example News changed a headline (this is a test of a target)\n\
             - Minister denies report of talks\n\
             + Minister confirms report of talks\n{address}"
        );
    }
    Event {
        kind,
        timestamp: now,
        schema_version: SCHEMA_VERSION,
        data,
    }
}

#[cfg(test)]
mod tests;
