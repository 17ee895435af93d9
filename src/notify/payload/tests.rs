use super::*;
use crate::domain::diff::{BlockDiff, BlockOp, LeftOut, Segment, SentenceOps};
use crate::domain::event::{BlocksInfo, DiffInfo, EventData, EventKind, FeedInfo, SCHEMA_VERSION};
use crate::domain::ids::ChangeNumber;
use crate::time::Timestamp;
use proptest::prelude::*;

fn at() -> Timestamp {
    Timestamp::from_unix(1_795_514_652)
}

fn event(diff: DiffInfo, text: &str) -> Event {
    Event {
        kind: EventKind::EntryRevised,
        timestamp: at(),
        schema_version: SCHEMA_VERSION,
        data: EventData {
            number: Some(ChangeNumber(412)),
            feed: Some(FeedInfo {
                name: "example-news".into(),
                title: Some("Example News".into()),
                url: "https://news.example/rss.xml".into(),
                tags: vec!["politics".into()],
            }),
            diff: Some(diff),
            text: text.into(),
            ..EventData::default()
        },
    }
}

fn block(op: BlockOp, place: u32, segments: Vec<Segment>) -> BlockDiff {
    BlockDiff {
        op,
        from: Some(place),
        to: Some(place),
        part_of: None,
        segments,
    }
}

fn edit(place: u32, filler: usize) -> BlockDiff {
    block(
        BlockOp::Edit,
        place,
        vec![
            Segment::Equal("Shares fell ".into()),
            Segment::Delete("2".into()),
            Segment::Insert("3".into()),
            Segment::Equal(" percent and more words".repeat(filler)),
        ],
    )
}

fn blocks(blocks: Vec<BlockDiff>) -> DiffInfo {
    DiffInfo {
        body: Some(BlocksInfo {
            blocks,
            truncated: false,
            coarse: false,
            sentences: SentenceOps::default(),
            left_out: LeftOut::default(),
        }),
        ..DiffInfo::default()
    }
}

fn fitted(event: &Event, limit: usize) -> (Event, usize) {
    let bytes = fit_json(serde_json::to_vec(event).unwrap(), limit);
    (serde_json::from_slice(&bytes).unwrap(), bytes.len())
}

#[test]
fn event_that_fits_is_sent_byte_for_byte() {
    let json = br#"{ "type":"entry.revised", "timestamp":"2026-11-23T10:04:12Z","schema_version":1,"data":{"text":"x","later":[1]} }"#;
    assert_eq!(fit_json(json.to_vec(), 20_480), json);
}

#[test]
fn equal_blocks_are_left_out_first_and_nothing_is_truncated() {
    let equal = block(
        BlockOp::Equal,
        1,
        vec![Segment::Equal("same ".repeat(2000))],
    );
    let event = event(blocks(vec![equal, edit(2, 1)]), "text");
    let (sent, _) = fitted(&event, 4096);
    let body = sent.data.diff.unwrap().body.unwrap();
    assert_eq!(body.blocks, [edit(2, 1)]);
    assert!(!body.truncated);
}

#[test]
fn diff_is_cut_at_block_borders() {
    let all: Vec<BlockDiff> = (1..=100).map(|place| edit(place, 10)).collect();
    let (sent, bytes) = fitted(&event(blocks(all.clone()), "text"), 8192);
    let body = sent.data.diff.unwrap().body.unwrap();
    assert!(body.truncated);
    assert!(body.blocks.len() > 10 && body.blocks.len() < 100);
    assert!(all.starts_with(&body.blocks));
    assert!(bytes > 7500, "the room is used: {bytes}");
}

#[test]
fn first_changed_block_is_never_dropped() {
    let giant = block(
        BlockOp::Edit,
        1,
        vec![
            Segment::Equal("before ".repeat(5000)),
            Segment::Delete("did".into()),
            Segment::Insert("did not".into()),
            Segment::Equal(" after".repeat(5000)),
        ],
    );
    let (sent, bytes) = fitted(&event(blocks(vec![giant, edit(2, 1)]), "text"), 2048);
    assert!(bytes <= 2048);
    let body = sent.data.diff.unwrap().body.unwrap();
    assert!(body.truncated);
    let segments = &body.blocks[0].segments;
    assert!(segments.contains(&Segment::Delete("did".into())));
    assert!(segments.contains(&Segment::Insert("did not".into())));
    assert!(segments[0].text().starts_with('…') && segments[0].text().ends_with("before "));
}

#[test]
fn both_sides_of_a_giant_replacement_are_shown() {
    let giant = block(
        BlockOp::Edit,
        1,
        vec![
            Segment::Delete("old words ".repeat(5000)),
            Segment::Insert("new words ".repeat(5000)),
        ],
    );
    let (sent, _) = fitted(&event(blocks(vec![giant]), "text"), 4096);
    let body = sent.data.diff.unwrap().body.unwrap();
    let segments = &body.blocks[0].segments;
    assert!(Segment::old_side(segments).starts_with("old words old words"));
    assert!(Segment::new_side(segments).starts_with("new words new words"));
}

#[test]
fn summary_does_not_starve_the_body() {
    let info = |place| {
        Some(BlocksInfo {
            blocks: (1..50).map(|_| edit(place, 20)).collect(),
            truncated: false,
            coarse: false,
            sentences: SentenceOps::default(),
            left_out: LeftOut::default(),
        })
    };
    let diff = DiffInfo {
        summary: info(1),
        body: info(2),
        ..DiffInfo::default()
    };
    let diff = fitted(&event(diff, "text"), 4096).0.data.diff.unwrap();
    assert!(!diff.summary.unwrap().blocks.is_empty());
    assert!(!diff.body.unwrap().blocks.is_empty());
}

#[test]
fn long_text_is_shortened_before_the_diff_is_cut() {
    let event = event(blocks(vec![edit(1, 10)]), &"word ".repeat(5000));
    let (sent, bytes) = fitted(&event, 4096);
    assert!(bytes <= 4096);
    assert_eq!(sent.data.diff, event.data.diff);
    assert!(sent.data.text.starts_with("word word") && sent.data.text.ends_with('…'));
}

#[test]
fn unknown_members_are_kept_when_the_diff_is_cut() {
    let all = (1..=100).map(|place| edit(place, 10)).collect();
    let mut value = serde_json::to_value(event(blocks(all), "text")).unwrap();
    value["later"] = Value::from("added by a newer version");
    value["data"]["diff"]["body"]["later"] = Value::from(7);
    let sent = fit_json(serde_json::to_vec(&value).unwrap(), 8192);
    assert!(sent.len() <= 8192);
    let sent: Value = serde_json::from_slice(&sent).unwrap();
    assert_eq!(sent["later"], value["later"]);
    assert_eq!(sent["data"]["diff"]["body"]["later"], 7);
    let order = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(order(&sent), order(&value));
}

#[test]
fn event_that_is_large_without_a_diff_is_shortened_too() {
    let mut plain = event(DiffInfo::default(), "text");
    plain.data.detail = Some("\u{1}".repeat(100_000));
    let feed = plain.data.feed.as_mut().unwrap();
    feed.tags = (0..5000).map(|n| format!("tag {n}")).collect();
    feed.title = Some("t".repeat(100_000));
    let (sent, bytes) = fitted(&plain, 2048);
    assert!(bytes <= 2048);
    assert_eq!(sent.data.number, plain.data.number);
    assert_eq!(sent.data.feed.unwrap().name, "example-news");
}

#[test]
fn what_is_no_event_is_left_alone() {
    for other in ["x".repeat(5000), format!("[{}1]", "1,".repeat(3000))] {
        assert_eq!(fit_json(other.clone().into_bytes(), 2048), other.as_bytes());
    }
}

#[test]
fn trial_of_every_kind_is_small_and_says_that_it_is_a_test() {
    for kind in EventKind::ALL {
        let event = test_event(kind, at());
        assert_eq!(event.kind, kind);
        assert!(event.data.test);
        assert!(event.data.text.contains("test"));
        assert!(fit_json(serde_json::to_vec(&event).unwrap(), 0).len() <= SMALLEST_LIMIT);
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z ]{0,40}",
        (".{1,8}", 1_usize..4000).prop_map(|(part, times)| part.repeat(times)),
        (1_usize..3000).prop_map(|times| "\u{1}\"".repeat(times)),
    ]
}

fn any_segment() -> impl Strategy<Value = Segment> {
    (0..3, any_text()).prop_map(|(kind, text)| match kind {
        0 => Segment::Equal(text),
        1 => Segment::Delete(text),
        _ => Segment::Insert(text),
    })
}

fn any_blocks() -> impl Strategy<Value = Option<BlocksInfo>> {
    let block =
        (0_usize..5, proptest::collection::vec(any_segment(), 0..6)).prop_map(|(op, segments)| {
            let op = [
                BlockOp::Equal,
                BlockOp::Edit,
                BlockOp::Insert,
                BlockOp::Delete,
                BlockOp::Move,
            ][op];
            block(op, 1, segments)
        });
    proptest::option::of(
        proptest::collection::vec(block, 0..12).prop_map(|blocks| BlocksInfo {
            blocks,
            truncated: false,
            coarse: false,
            sentences: SentenceOps::default(),
            left_out: LeftOut::default(),
        }),
    )
}

fn changed(info: Option<&BlocksInfo>) -> Vec<BlockDiff> {
    info.map(|info| info.blocks.clone())
        .unwrap_or_default()
        .into_iter()
        .filter(|block| block.op != BlockOp::Equal)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn body_fits_and_keeps_the_first_change(
        summary in any_blocks(),
        body_blocks in any_blocks(),
        title in proptest::option::of(proptest::collection::vec(any_segment(), 0..8)),
        text in any_text(),
        name in any_text(),
        detail in proptest::option::of(any_text()),
        limit in 2048_usize..40_000,
    ) {
        let diff = DiffInfo { summary, body: body_blocks, title, ..DiffInfo::default() };
        let mut event = event(diff, &text);
        event.data.detail = detail;
        event.data.feed.as_mut().unwrap().name = name;
        let full = serde_json::to_vec(&event).unwrap();
        let sent = fit_json(full.clone(), limit);
        prop_assert!(sent.len() <= limit, "{} of {limit}", sent.len());
        if full.len() <= limit {
            prop_assert_eq!(&sent, &full);
        }
        let sent: Event = serde_json::from_slice(&sent).unwrap();
        prop_assert_eq!(sent.kind, event.kind);
        prop_assert_eq!(sent.data.number, event.data.number);
        let (before, after) = (event.data.diff.unwrap(), sent.data.diff.unwrap());
        for (before, after) in [(before.summary, after.summary), (before.body, after.body)] {
            let (old, new) = (changed(before.as_ref()), changed(after.as_ref()));
            prop_assert_eq!(old.is_empty(), new.is_empty());
            prop_assert_eq!(before.is_some(), after.is_some());
            let truncated = after.is_some_and(|info| info.truncated);
            prop_assert_eq!(truncated, old != new);
            if let (Some(old), Some(new)) = (old.first(), new.first()) {
                let has_change = |block: &BlockDiff| block.segments.iter().any(|s| !matches!(s, Segment::Equal(_)));
                prop_assert!(!has_change(old) || has_change(new));
            }
        }
    }
}

#[test]
fn a_change_links_to_its_page_where_there_is_one() {
    let stored = br#"{"type":"entry.revised","data":{"number":412,"text":"x","later":1}}"#.to_vec();
    let event: Value =
        serde_json::from_slice(&linked(stored.clone(), Some("https://c.example/r/"))).unwrap();
    assert_eq!(event["data"]["permalink"], "https://c.example/r/c/412");
    assert_eq!(event["data"]["later"], 1);
    assert_eq!(linked(stored.clone(), None), stored);
    let other = br#"{"type":"feed.gone","data":{"text":"x"}}"#.to_vec();
    assert_eq!(linked(other.clone(), Some("https://c.example")), other);
}
