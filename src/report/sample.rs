//! Sample events for tests.

use crate::domain::classify::{Label, LabelReason, ScorePart, Significance};
use crate::domain::diff::{BlockDiff, BlockOp, LeftOut, Segment, SentenceOps, WordCount};
use crate::domain::event::{
    BlocksInfo, ChangeInfo, DiffInfo, EntryInfo, Event, EventData, EventKind, FeedInfo, Field,
    RevisionInfo, SCHEMA_VERSION, Window,
};
use crate::domain::ids::{ChangeNumber, RevisionNumber};
use crate::domain::state::{Channel, HeadlineSource};
use crate::time::Timestamp;

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

pub(crate) fn bare(kind: EventKind) -> Event {
    Event {
        kind,
        timestamp: at("2026-11-23T09:04:12.481Z"),
        schema_version: SCHEMA_VERSION,
        data: EventData {
            feed: Some(FeedInfo {
                name: "example-news".into(),
                title: Some("Example News".into()),
                url: "https://news.example/rss.xml".into(),
                tags: vec!["politics".into()],
            }),
            ..EventData::default()
        },
    }
}

pub(crate) fn equal(text: &str) -> Segment {
    Segment::Equal(text.into())
}

pub(crate) fn delete(text: &str) -> Segment {
    Segment::Delete(text.into())
}

pub(crate) fn insert(text: &str) -> Segment {
    Segment::Insert(text.into())
}

pub(crate) fn block(op: BlockOp, from: u32, to: u32, segments: Vec<Segment>) -> BlockDiff {
    BlockDiff {
        op,
        from: (from > 0).then_some(from),
        to: (to > 0).then_some(to),
        part_of: None,
        segments,
    }
}

/// The example from the manual: a headline and a text, with a paragraph that moved.
pub(crate) fn revised() -> Event {
    let mut event = bare(EventKind::EntryRevised);
    let revision = |number, seen, title: &str| RevisionInfo {
        revision: RevisionNumber(number),
        seen: at(seen),
        title: Some(title.into()),
        body_sha256: "0".repeat(64),
        document: None,
    };
    let reason = |label, text: &str| LabelReason {
        label,
        text: text.into(),
    };
    let data = &mut event.data;
    data.number = Some(ChangeNumber(412));
    data.change = Some(ChangeInfo {
        fields: vec![Field::Title, Field::Body],
        significance: Significance::Substantive,
        score: 71,
        labels: vec![
            Label::Headline,
            Label::Number,
            Label::Moved,
            Label::Unannounced,
        ],
        reasons: vec![
            reason(Label::Headline, "denies → confirms"),
            reason(Label::Number, "2 → 3 in ¶2"),
            reason(Label::Moved, "¶3 → ¶2"),
            reason(Label::Unannounced, "no notice, no moved date"),
        ],
        score_parts: vec![
            ScorePart {
                points: 40,
                why: "headline".into(),
            },
            ScorePart {
                points: 31,
                why: "a figure".into(),
            },
        ],
        words: WordCount {
            added: 9,
            removed: 10,
        },
        similarity: 0.84,
        channel: vec![Channel::Feed, Channel::Page],
        headlines: vec![HeadlineSource::Feed, HeadlineSource::H1],
        window: Window {
            last_unchanged: at("2026-11-23T08:32:00Z"),
            first_changed: at("2026-11-23T09:04:12.481Z"),
            checks: 1,
            failed_checks: 0,
        },
        revert_of: None,
    });
    data.entry = Some(EntryInfo {
        id: "ent_7".into(),
        guid: Some("https://news.example/a/123".into()),
        url: Some("https://news.example/a/123".into()),
        author: Some("A. Reporter".into()),
        published: Some(at("2026-11-23T08:00:00Z")),
        first_seen: at("2026-11-23T08:02:00Z"),
        archive: Some("https://web.archive.org/web/20261202171133/https://e.example/a".to_owned()),
    });
    data.before = Some(revision(
        2,
        "2026-11-23T08:32:00Z",
        "Minister denies report of talks",
    ));
    data.after = Some(revision(
        3,
        "2026-11-23T09:04:12.481Z",
        "Minister confirms report of talks",
    ));
    data.diff = Some(DiffInfo {
        title: Some(vec![
            equal("Minister "),
            delete("denies"),
            insert("confirms"),
            equal(" report of talks"),
        ]),
        body: Some(BlocksInfo {
            blocks: vec![
                block(
                    BlockOp::Edit,
                    1,
                    1,
                    vec![
                        equal("The minister on Monday "),
                        delete("denied that talks"),
                        insert("said that “exploratory talks”"),
                        equal(" had taken place with the envoy."),
                    ],
                ),
                block(
                    BlockOp::Move,
                    3,
                    2,
                    vec![
                        equal("Shares fell "),
                        delete("2"),
                        insert("3"),
                        equal(" percent."),
                    ],
                ),
            ],
            truncated: false,
            coarse: false,
            sentences: SentenceOps::default(),
            left_out: LeftOut::default(),
        }),
        ..DiffInfo::default()
    });
    event
}
