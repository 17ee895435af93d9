//! Events for testing a target.

use std::time::Duration;

use crate::domain::classify::{Label, LabelReason, ScorePart, Significance};
use crate::domain::diff::{BlockDiff, BlockOp, LeftOut, Segment, SentenceOps, WordCount};
use crate::domain::event::{
    BlocksInfo, ChangeInfo, DiffInfo, EntryInfo, Event, EventData, EventKind, FeedInfo, Field,
    RevisionInfo, SCHEMA_VERSION, Window,
};
use crate::domain::ids::{ChangeNumber, RevisionNumber};
use crate::domain::state::Channel;
use crate::notify::digest;
use crate::report::event_text;
use crate::time::Timestamp;

/// A test event for a target: it has every part of a real event of its kind, and is marked as a test. `ping.test`
/// has the shape of `entry.revised`.
#[must_use]
pub fn test_event(kind: EventKind, now: Timestamp) -> Event {
    if kind == EventKind::DigestReady {
        return test_digest(now);
    }
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
        document: None,
    };
    let about_feed = !kind.as_str().starts_with("entry.");
    let address = "https://news.example/2026/talks";
    let change = ChangeInfo {
        fields: vec![Field::Title, Field::Body],
        significance: Significance::Substantive,
        score: 71,
        labels: vec![Label::Headline, Label::Number],
        reasons: vec![LabelReason {
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
        headlines: Vec::new(),
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
            sentences: SentenceOps::default(),
            left_out: LeftOut::default(),
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
            archive: None,
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

/// A digest of three events.
fn test_digest(now: Timestamp) -> Event {
    let kinds = [
        EventKind::EntryRevised,
        EventKind::EntryRemoved,
        EventKind::FeedFailing,
    ];
    let members = kinds.map(|kind| test_event(kind, now)).to_vec();
    let mut event = digest::of(members, 3, now - Duration::from_hours(1), now);
    event.data.test = true;
    event.data.text = event_text(&event);
    event
}
