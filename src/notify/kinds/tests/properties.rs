//! Properties of all renderers: limits, formats, words and graphemes.

use proptest::prelude::*;

use super::*;

/// Graphemes of several characters that occur in no other text of the tests.
const GRAPHEMES: [&str; 6] = [
    "\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467}",
    "\u{1F1E9}\u{1F1EA}",
    "\u{3B6}\u{301}\u{323}",
    "\u{915}\u{94D}\u{937}\u{93F}",
    "\u{1112}\u{1161}\u{11AB}",
    "\u{1F44D}\u{1F3FD}",
];

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,80}",
        "[a-z ]{0,200}",
        "[<>&\"'*_~`@#|\\\\\\[\\](){}:/.-]{0,60}",
        ("\\PC{1,8}", 1_usize..2000).prop_map(|(part, times)| part.repeat(times)),
        Just(EVIL.to_owned()),
    ]
}

fn any_segments() -> impl Strategy<Value = Vec<Segment>> {
    let segment = (0..3, any_text()).prop_map(|(kind, text)| match kind {
        0 => Segment::Equal(text),
        1 => Segment::Delete(text),
        _ => Segment::Insert(text),
    });
    proptest::collection::vec(segment, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_event_exceeds_any_limit(
        title in proptest::option::of(any_segments()),
        body in proptest::collection::vec(any_segments(), 0..8),
        name in any_text(),
        detail in proptest::option::of(any_text()),
        address in any_text(),
    ) {
        let mut event = sample::revised();
        event.data.diff = Some(diff(title, body.into_iter().map(edit).collect()));
        event.data.feed.as_mut().unwrap().title = Some(name);
        event.data.detail = detail;
        event.data.entry.as_mut().unwrap().url = Some(format!("https://news.example/{address}"));
        for kind in kinds() {
            checked(kind, &event);
            checked(kind, &digest_of(vec![event.clone()]));
        }
        let body = work_body(&cloudevents(), &event);
        prop_assert!(body.len() <= 20 << 10, "{}", body.len());
        let _: Value = serde_json::from_slice(&body).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn words_of_both_sides_are_shown_until_the_cut(
        [title, body] in [any_words(), any_words()],
        many in prop_oneof![Just(1_usize), 2_usize..12],
    ) {
        let mut event = sample::revised();
        let sides = |name: &str, words: usize| {
            vec![Segment::Delete(numbered(name, "old", words)), Segment::Insert(numbered(name, "new", words))]
        };
        let blocks = (0..many).map(|place| edit(sides(&format!("b{place}"), body))).collect();
        event.data.diff = Some(diff(Some(sides("t", title)), blocks));
        for kind in kinds() {
            let shown = checked(kind, &event);
            if sends_json(kind) {
                prop_assert!(shown.contains("told0") && shown.contains("tnew0"), "{kind:?}: {shown}");
                continue;
            }
            for side in ["told", "tnew"] {
                assert_is_beginning(kind, &shown, side, title, true);
            }
            for place in 0..many {
                for side in ["old", "new"] {
                    assert_is_beginning(kind, &shown, &format!("b{place}{side}"), body, false);
                }
            }
        }
    }

    #[test]
    fn nothing_is_split_inside_a_grapheme(old in any_graphemes(), new in any_graphemes(), name in any_graphemes()) {
        let mut event = sample::revised();
        let segments = vec![Segment::Delete(old), Segment::Equal(" ".into()), Segment::Insert(new)];
        event.data.diff = Some(diff(Some(segments.clone()), vec![edit(segments)]));
        event.data.feed.as_mut().unwrap().title = Some(name.clone());
        event.data.detail = Some(name);
        for kind in kinds() {
            let mut shown = checked(kind, &event);
            for whole in GRAPHEMES {
                shown = shown.replace(whole, "");
            }
            let left = shown.chars().find(|c| GRAPHEMES.concat().contains(*c));
            prop_assert!(left.is_none(), "{kind:?}: {left:?} is left of {shown}");
        }
    }
}

/// How many words a text has: few, or more than any service shows.
fn any_words() -> impl Strategy<Value = usize> {
    prop_oneof![1_usize..30, 30_usize..4000]
}

fn any_graphemes() -> impl Strategy<Value = String> {
    let word = proptest::collection::vec(proptest::sample::select(&GRAPHEMES[..]), 1..12);
    let word = word.prop_map(|parts| parts.concat());
    let words = proptest::collection::vec(word, 1..12).prop_map(|words| words.join(" "));
    (words, 1_usize..30).prop_map(|(words, times)| format!("{words} ").repeat(times))
}

/// `told0 told1 …`
fn numbered(name: &str, side: &str, count: usize) -> String {
    let words: Vec<String> = (0..count).map(|n| format!("{name}{side}{n}")).collect();
    words.join(" ")
}

fn edit(segments: Vec<Segment>) -> BlockDiff {
    BlockDiff {
        op: BlockOp::Edit,
        from: Some(1),
        to: Some(1),
        part_of: None,
        segments,
    }
}

fn diff(title: Option<Vec<Segment>>, blocks: Vec<BlockDiff>) -> DiffInfo {
    DiffInfo {
        title,
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

/// Kinds that send the event itself, in which words occur several times.
fn sends_json(kind: TargetKind) -> bool {
    matches!(
        kind,
        TargetKind::Webhook | TargetKind::Command | TargetKind::Mqtt
    )
}

/// Fails unless the numbered words that are shown are the first ones, in order, complete and without repetition; and
/// unless missing words are marked by a sign of the cut.
fn assert_is_beginning(kind: TargetKind, shown: &str, name: &str, all: usize, must: bool) {
    let words = shown.split(|c: char| !c.is_ascii_alphanumeric());
    let numbers = words.filter_map(|word| word.strip_prefix(name)?.parse::<usize>().ok());
    let numbers: Vec<usize> = numbers.collect();
    let expected: Vec<usize> = (0..numbers.len()).collect();
    assert_eq!(numbers, expected, "{kind:?}: {name} in {shown}");
    assert!(
        !must || !numbers.is_empty(),
        "{kind:?}: no {name} in {shown}"
    );
    assert!(
        numbers.len() == all || shown.contains('…'),
        "{kind:?}: {name} ends without a sign in {shown}"
    );
}

fn cloudevents() -> Target {
    let text =
        format!("[[target]]\nname = \"a\"\nkind = \"webhook\"\n{URL}\nformat = \"cloudevents\"\n");
    let loaded = from_text(
        &text,
        None,
        Flags::default(),
        &Environment::default(),
        Secrets::Required,
    );
    let targets = crate::notify::targets(&loaded.unwrap().config);
    targets.unwrap().remove(0)
}

fn work_body(target: &Target, event: &Event) -> Vec<u8> {
    match work(target, event) {
        Work::Ask(request, _) => request.body,
        _ => panic!("no request"),
    }
}
