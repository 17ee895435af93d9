mod rebuilding;

use std::collections::BTreeMap;

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use super::token::{Class, tokens};
use super::*;
use crate::domain::state::Block;
use rebuilding::assert_rebuilds;

/// `kept [-removed-] {+added+}`, the usual notation.
fn shown(segments: &[Segment]) -> String {
    segments
        .iter()
        .map(|segment| match segment {
            Segment::Equal(text) => text.clone(),
            Segment::Delete(text) => format!("[-{text}-]"),
            Segment::Insert(text) => format!("{{+{text}+}}"),
        })
        .collect()
}

#[track_caller]
fn check_line(old: &str, new: &str, expected: &str) {
    assert_eq!(shown(&diff_line(old, new)), expected);
}

fn blocks(texts: &[&str]) -> Vec<Block> {
    texts.iter().map(|text| Block::paragraph(*text)).collect()
}

/// The steps of a diff in short form: `=1:1`, `~2:2`, `+:3`, `-3:`, `>4:1`.
fn steps(diff: &ProseDiff) -> String {
    let number = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
    let steps: Vec<String> = diff
        .blocks
        .iter()
        .map(|block| {
            let sign = match block.op {
                BlockOp::Equal => '=',
                BlockOp::Edit => '~',
                BlockOp::Insert => '+',
                BlockOp::Delete => '-',
                BlockOp::Move => '>',
            };
            let part = block.part_of.map_or_else(String::new, |n| format!("({n})"));
            format!("{sign}{}:{}{part}", number(block.from), number(block.to))
        })
        .collect();
    steps.join(" ")
}

fn class_of(text: &str) -> Vec<(String, Class)> {
    tokens(text)
        .iter()
        .filter(|token| token.class != Class::Space)
        .map(|token| (token.of(text).to_owned(), token.class))
        .collect()
}

#[test]
fn figures_with_all_that_belongs_to_them_are_whole() {
    for figure in [
        "1,200",
        "€3.5bn",
        "$1.5",
        "-2.5%",
        "−2.5%",
        "12:30",
        "20th",
        "1990s",
        "2026-11-23",
        "+4",
        "£5m",
        "5-year-old",
        "3,5\u{a0}%",
        "10\u{202f}000",
        "5°C",
        "US$30",
        "1/2",
        "½",
        "200€",
        "3.5",
        "#1",
        "5km",
        "1'000",
        "٣٫٥",
        "10-20",
        "R$5,5",
        "7.30pm",
        "9/11",
        "24/7",
        "100m",
        "5%",
        ".5",
    ] {
        let text = format!("so {figure} then");
        let found = class_of(&text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[1].0, figure);
        assert!(
            matches!(found[1].1, Class::Number | Class::Address),
            "{found:?}"
        );
    }
}

#[test]
fn words_and_addresses_are_whole() {
    for word in [
        "don’t",
        "don't",
        "re-sign",
        "man-eating",
        "U.S.",
        "e.g.",
        "J.F.K.",
        "AT&T",
        "l’État",
        "COVID-19",
        "F-16",
        "naïve",
        "cafe\u{301}",
        "https://n.example/a?b=1,2",
        "www.n.example/a",
        "someone@n.example",
        "@handle",
        "#MeToo",
        "Bundes\u{ad}kanzler",
        "می\u{200c}خواهم",
        "rock’n’roll",
        "👩\u{200d}👩\u{200d}👦",
        "🇩🇪",
        "हिन्दी",
    ] {
        let text = format!("so {word} then");
        let found = class_of(&text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[1].0, word);
    }
    assert_eq!(class_of("see https://n.example/a. Then").len(), 4);
    assert_eq!(class_of("(word)").len(), 3);
    assert_eq!(class_of("漢字かな").len(), 4);
    assert_eq!(class_of("5-3=2 and a-b").len(), 5);
}

#[test]
fn edits_are_legible() {
    check_line(
        "Minister denies report of talks",
        "Minister confirms report of talks",
        "Minister [-denies-]{+confirms+} report of talks",
    );
    check_line(
        "Shares fell 2 percent.",
        "Shares fell 3 percent.",
        "Shares fell [-2-]{+3+} percent.",
    );
    check_line(
        "It cost $1.5 million",
        "It cost $15 million",
        "It cost [-$1.5-]{+$15+} million",
    );
    check_line("a re-sign", "a resign", "a [-re-sign-]{+resign+}");
    check_line("He did sign", "He did not sign", "He did {+not +}sign");
    check_line("He said it", "He said it twice", "He said it{+ twice+}");
    check_line("Now he said it", "he said it", "[-Now -]he said it");
    check_line(
        "He denied that talks took place",
        "He said the talks took place",
        "He [-denied that-]{+said the+} talks took place",
    );
    check_line(
        "the cost of the plan rose",
        "the price in the plan rose",
        "the [-cost of-]{+price in+} the plan rose",
    );
}

#[test]
fn an_edit_that_fits_in_several_places_stands_in_the_last() {
    check_line(
        "as in [1] .",
        "as in [1] and [2] .",
        "as in [1] {+and [2] +}.",
    );
    check_line("a (b) c", "a (b) (d) c", "a (b) {+(d) +}c");
}

#[test]
fn case_stays_with_its_word() {
    check_line("We agree", "Today we agree", "{+Today +}[-We-]{+we+} agree");
}

#[test]
fn a_lead_in_leaves_the_word_behind_it_as_it_was() {
    let read = |old: &str, new: &str| shown(&as_read(&diff_line(old, new)));
    assert_eq!(
        read("In winter it stops.", "However, in winter it stops."),
        "{+However, +}in winter it stops."
    );
    assert_eq!(
        read("In order to see it, they wait.", "To see it, they wait."),
        "[-In order -]To see it, they wait."
    );
    assert_eq!(
        read("He left, and she stayed.", "He left. She stayed."),
        "He left[-, and-]{+.+} She stayed."
    );
    assert_eq!(
        read("В мае он ушёл.", "Однако в мае он ушёл."),
        "{+Однако +}в мае он ушёл."
    );
    // A capital in the middle of a sentence has a meaning, whether it was added or removed.
    assert_eq!(
        read("He met the church there.", "He met the Church there."),
        "He met the [-church-]{+Church+} there."
    );
    assert_eq!(
        read("It ended. he left.", "It ended. He left."),
        "It ended. [-he-]{+He+} left."
    );
}

#[test]
fn an_edit_counts_once_in_however_many_texts() {
    let line = diff_line("Twelve die in fire", "Fourteen die in fire");
    let text = diff_blocks(
        &blocks(&["The fire began at noon. Twelve people died."]),
        &blocks(&["The fire began at noon. Fourteen people died. Twelve died there before."]),
    );
    let mut tally = WordTally::default();
    tally.line(&line);
    tally.line(&line);
    assert_eq!(
        tally.words(),
        WordCount {
            added: 1,
            removed: 1
        }
    );
    let before = text.words;
    tally.prose(&text);
    assert_eq!(tally.words(), before);
}

#[test]
fn a_sentence_that_is_mostly_new_is_one_edit() {
    check_line(
        "Police said a man was in hospital. The rest stays as it was.",
        "Officers confirmed that one victim died in surgery. The rest stays as it was.",
        "[-Police said a man was in hospital-]{+Officers confirmed that one victim died in surgery+}. The rest stays as it was.",
    );
}

#[test]
fn sentences_are_kept_apart() {
    check_line(
        "He left at 5 p.m. on Monday. Mr. Smith stayed. “Why?” she asked.",
        "He left at 5 p.m. on Monday. A new one. Mr. Smith stayed. “Why?” she asked.",
        "He left at 5 p.m. on Monday. {+A new one. +}Mr. Smith stayed. “Why?” she asked.",
    );
    check_line(
        "彼は認めた。雨だ。",
        "彼は認めた。晴れた。雨だ。",
        "彼は認めた。{+晴れた。+}雨だ。",
    );
    check_line(
        "هل جاء؟ نعم.",
        "هل جاء؟ ربما. نعم.",
        "هل جاء؟ {+ربما. +}نعم.",
    );
}

#[test]
fn blocks_are_paired_moved_added_and_removed() {
    let (a, b, c, d) = (
        "The council met on Monday evening.",
        "Residents had asked for a bus line for years.",
        "Shares fell 2 percent.",
        "Work on the tunnel begins in spring.",
    );
    let diff = |old: &[&str], new: &[&str]| diff_blocks(&blocks(old), &blocks(new));
    assert_eq!(steps(&diff(&[a, b, c], &[a, b, c])), "=1:1 =2:2 =3:3");
    assert_eq!(steps(&diff(&[a, b, c], &[a, c])), "=1:1 -2: =3:2");
    assert_eq!(steps(&diff(&[a, c], &[a, b, c])), "=1:1 +:2 =2:3");
    assert_eq!(steps(&diff(&[a, b, c], &[c, a, b])), ">3:1 =1:2 =2:3");
    assert_eq!(
        steps(&diff(&[a, b, c, d], &[d, b, c, a])),
        ">4:1 =2:2 =3:3 >1:4"
    );
    let found = diff(&[a, b, c], &[a, "Shares fell 3 percent.", b]);
    assert_eq!(steps(&found), "=1:1 >3:2 =2:3");
    assert_eq!(
        shown(&found.blocks[1].segments),
        "Shares fell [-2-]{+3+} percent."
    );
    assert_eq!(
        found.words,
        WordCount {
            added: 1,
            removed: 1
        }
    );
    assert_eq!(steps(&diff(&[], &[a])), "+:1");
    assert_eq!(steps(&diff(&[a], &[])), "-1:");
    assert_eq!(diff(&[], &[]).similarity.to_bits(), 1.0_f64.to_bits());
}

#[test]
fn splits_and_joins_carry_words_over_the_border() {
    let one = "The council met on Monday evening to vote on it. Residents had asked for a new bus line for many years.";
    let (first, second) = one.split_once(". ").unwrap();
    let (first, second) = (format!("{first}."), second.to_owned());
    let apart = diff_blocks(&blocks(&[one]), &blocks(&[&first, &second]));
    assert_eq!(apart.words, WordCount::default());
    assert_eq!(
        apart
            .blocks
            .iter()
            .filter(|block| block.part_of == Some(1))
            .count(),
        1,
        "{}",
        steps(&apart)
    );
    let together = diff_blocks(&blocks(&[&first, &second]), &blocks(&[one]));
    assert_eq!(together.words, WordCount::default());
    assert_eq!(
        together
            .blocks
            .iter()
            .filter(|block| block.part_of == Some(1))
            .count(),
        1,
        "{}",
        steps(&together)
    );
    let edited = second.replace("many", "twenty");
    let diff = diff_blocks(&blocks(&[one]), &blocks(&[&first, &edited]));
    assert_eq!(
        diff.words,
        WordCount {
            added: 1,
            removed: 1
        }
    );
}

#[test]
fn invisible_edits_count_no_words() {
    let diff = diff_blocks(
        &blocks(&["a cafe\u{301} in Bundes\u{ad}land"]),
        &blocks(&["a café  in Bundesland"]),
    );
    assert_eq!(steps(&diff), "~1:1");
    assert_eq!(diff.words, WordCount::default());
    assert!(!diff.blocks[0].is_visible());
}

#[test]
fn a_word_between_two_long_edits_is_shown_with_them() {
    check_line(
        "They made bread and cakes for everybody with butter but no sugar at home.",
        "They made soup for all who came with oil from the old mill at home.",
        "They made [-bread and cakes for everybody with butter but no sugar-]{+soup for all who came with oil from the \
         old mill+} at home.",
    );
    // Two additions with a word in between stay separate.
    check_line(
        "It was the model of the year.",
        "It was by far the best and largest model by sales of the year.",
        "It was {+by far +}the {+best and largest +}model {+by sales +}of the year.",
    );
}

#[test]
fn a_block_alone_in_its_place_was_rewritten_when_it_kept_some_words() {
    let (a, b) = (
        "The council met on Monday evening.",
        "Work on the pier begins in spring.",
    );
    let old = "Opponents of the plan call the bay a nursery for seals.";
    let rewritten = "For biologists, seals and terns make this bay worth more than any pier.";
    let other = "Shares fell sharply after lunch.";
    let of = |middle: &str| {
        steps(&diff_blocks(
            &blocks(&[a, old, b]),
            &blocks(&[a, middle, b]),
        ))
    };
    assert_eq!(of(rewritten), "=1:1 ~2:2 =3:3");
    assert_eq!(of(other), "=1:1 -2: +:2 =3:3");
}

#[test]
fn several_blocks_move_at_once() {
    let texts: Vec<String> = (1..=9)
        .map(|n| {
            format!(
                "Paragraph {n} tells of matter {} and of place {}.",
                n * 7,
                n * n + 3
            )
        })
        .collect();
    let at = |order: [usize; 9]| -> Vec<Block> {
        order
            .iter()
            .map(|&n| Block::paragraph(texts[n - 1].clone()))
            .collect()
    };
    let (old, new) = (
        at([1, 2, 3, 4, 5, 6, 7, 8, 9]),
        at([9, 1, 2, 5, 3, 4, 6, 8, 7]),
    );
    let diff = diff_blocks(&old, &new);
    assert_rebuilds(&old, &new, &diff);
    let moves = diff.blocks.iter().filter(|block| block.op == BlockOp::Move);
    assert_eq!(moves.count(), 3, "{}", steps(&diff));
    assert_eq!(diff.words, WordCount::default());
    assert_eq!(diff, diff_blocks(&old, &new));
}

#[test]
fn large_input_is_bounded_and_says_so() {
    let long = |from: usize| -> String {
        let words: Vec<String> = (from..from + 30_000)
            .map(|n| format!("w{}", n * n % 997))
            .collect();
        words.join(" ")
    };
    let diff = diff_blocks(&blocks(&[&long(1)]), &blocks(&[&long(500)]));
    assert_rebuilds(&blocks(&[&long(1)]), &blocks(&[&long(500)]), &diff);
    let two = |seed: u64| -> String {
        let mut state = seed;
        (0..60_000)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                if state >> 63 == 0 { "yes " } else { "no " }
            })
            .collect()
    };
    let (old, new) = (two(1), two(2));
    let diff = diff_blocks(&blocks(&[&old]), &blocks(&[&new]));
    assert!(diff.coarse);
    assert_rebuilds(&blocks(&[&old]), &blocks(&[&new]), &diff);
}
