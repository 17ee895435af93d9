//! For any two texts, a diff contains both of them, and never cuts through a grapheme, word or figure.

use super::*;

/// Checks everything that a diff promises.
#[track_caller]
pub(super) fn assert_rebuilds(old: &[Block], new: &[Block], diff: &ProseDiff) {
    let mut from = BTreeMap::new();
    let mut to = BTreeMap::new();
    for block in &diff.blocks {
        let (before, after) = (
            Segment::old_side(&block.segments),
            Segment::new_side(&block.segments),
        );
        assert!(block.from.is_some() || before.is_empty());
        assert!(block.to.is_some() || after.is_empty());
        if let Some(number) = block.from {
            assert!(from.insert(number, before).is_none(), "from {number} twice");
        }
        if let Some(number) = block.to {
            assert!(to.insert(number, after).is_none(), "to {number} twice");
        }
        match block.op {
            BlockOp::Insert => assert!(block.from.is_none() && block.to.is_some()),
            BlockOp::Delete => assert!(block.from.is_some() && block.to.is_none()),
            _ => assert!(block.from.is_some() && block.to.is_some()),
        }
        if block.op == BlockOp::Equal {
            assert!(
                block
                    .segments
                    .iter()
                    .all(|segment| matches!(segment, Segment::Equal(_)))
            );
        }
    }
    for (texts, found) in [(old, &from), (new, &to)] {
        assert_eq!(texts.len(), found.len());
        for (index, block) in texts.iter().enumerate() {
            assert_eq!(found[&u32::try_from(index + 1).unwrap()], block.text);
        }
    }
    let order: Vec<u32> = diff.blocks.iter().filter_map(|block| block.to).collect();
    assert!(order.is_sorted(), "not in the order of the new text");
    assert!((0.0..=1.0).contains(&diff.similarity));
}

/// No boundary between segments is inside a grapheme, a word or a figure of either text.
#[track_caller]
fn assert_whole(segments: &[Segment]) {
    for old in [true, false] {
        let text = if old {
            Segment::old_side(segments)
        } else {
            Segment::new_side(segments)
        };
        let graphemes: Vec<usize> = text
            .grapheme_indices(true)
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        let mut borders: Vec<usize> = tokens(&text)
            .iter()
            .map(|token| token.range.start)
            .collect();
        borders.push(text.len());
        let mut at = 0;
        for segment in segments {
            let mine = match segment {
                Segment::Equal(_) => true,
                Segment::Delete(_) => old,
                Segment::Insert(_) => !old,
            };
            if mine {
                assert!(!segment.text().is_empty());
                assert!(graphemes.contains(&at), "inside a grapheme: {segments:?}");
                assert!(borders.contains(&at), "inside a token: {segments:?}");
                at += segment.text().len();
            }
        }
    }
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(vec!["the", "The", "talks", "a", "minister", "said", "of", "in", "not", "rain", "bus"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["1,200", "-2.5%", "$1.5", "12:30", "3", "€3.5bn", "https://n.example/a"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![".", ",", "“", "”", "?", "(", ")", "—", "…", "!"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["漢", "字", "。", "é", "e\u{301}", "👩\u{200d}👦", "\u{ad}", "🇩🇪", "\u{301}", "क्षि"]).prop_map(str::to_owned),
        1 => "\\PC{0,3}",
    ]
}

fn line() -> impl Strategy<Value = String> {
    prop::collection::vec(
        (
            word(),
            prop::sample::select(vec![" ", " ", " ", "", "\u{a0}", "  "]),
        ),
        0..14,
    )
    .prop_map(|words| words.into_iter().map(|(word, gap)| word + gap).collect())
}

fn text() -> impl Strategy<Value = Vec<Block>> {
    prop::collection::vec(line().prop_map(Block::paragraph), 0..7)
}

/// A text, and another one made of its blocks, so that there is much to pair up.
fn two_texts() -> impl Strategy<Value = (Vec<Block>, Vec<Block>)> {
    (
        text(),
        text(),
        prop::collection::vec(any::<(prop::sample::Index, bool, bool)>(), 0..8),
    )
        .prop_map(|(old, other, picks)| {
            let new = picks
                .into_iter()
                .filter_map(|(index, mine, join)| {
                    let from = if mine { &old } else { &other };
                    if from.is_empty() {
                        return None;
                    }
                    let block = index.get(from).clone();
                    Some(if join {
                        Block::paragraph(format!("{} {}", block.text, index.get(from).text))
                    } else {
                        block
                    })
                })
                .collect();
            (old, new)
        })
}

proptest! {
    #[test]
    fn lines_rebuild_and_nothing_is_split(old in line(), new in line()) {
        let segments = diff_line(&old, &new);
        prop_assert_eq!(Segment::old_side(&segments), old);
        prop_assert_eq!(Segment::new_side(&segments), new);
        assert_whole(&segments);
    }

    #[test]
    fn equal_lines_have_no_edits(line in line()) {
        prop_assert!(diff_line(&line, &line).iter().all(|segment| matches!(segment, Segment::Equal(_))));
    }

    #[test]
    fn blocks_rebuild((old, new) in two_texts()) {
        let diff = diff_blocks(&old, &new);
        assert_rebuilds(&old, &new, &diff);
        prop_assert!(!diff.coarse);
        for block in &diff.blocks {
            assert_whole(&block.segments);
        }
    }

    #[test]
    fn equal_texts_have_no_edits(text in text()) {
        let diff = diff_blocks(&text, &text);
        prop_assert!(diff.blocks.iter().all(|block| block.op == BlockOp::Equal));
        prop_assert_eq!(diff.words, WordCount::default());
        prop_assert_eq!(diff.similarity.to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn tokens_cover_the_text(text in "\\PC{0,60}") {
        let mut at = 0;
        for token in tokens(&text) {
            prop_assert_eq!(token.range.start, at);
            prop_assert!(token.range.end > at);
            at = token.range.end;
        }
        prop_assert_eq!(at, text.len());
    }
}
