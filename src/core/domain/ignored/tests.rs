use proptest::prelude::*;

use super::*;
use crate::domain::normalise::visible;
use crate::domain::state::Block;

fn piece(text: &str, after: u32) -> Piece {
    Piece {
        text: text.to_owned(),
        why: "outside of the article".to_owned(),
        after,
        rule: None,
        seen: true,
    }
}

fn snapshot(texts: &[&str]) -> Snapshot {
    Snapshot::of(texts.iter().map(|text| piece(text, 3)).collect(), 3)
}

/// Goes from check to check, and returns what moved at each.
fn follow(checks: &[&[&str]]) -> Vec<Vec<Movement>> {
    let mut last: Option<Snapshot> = None;
    let mut moved = Vec::new();
    for texts in checks {
        let now = snapshot(texts);
        last = Some(match last {
            None => now,
            Some(before) => {
                let (now, movements) = now.following(&before, None);
                moved.push(movements);
                now
            }
        });
    }
    moved
}

fn shown(movement: &Movement) -> (u32, Option<&str>, Option<&str>) {
    (
        movement.place,
        movement.before.as_deref(),
        movement.after.as_deref(),
    )
}

#[test]
fn a_counter_that_moves_again_and_again_is_one_place() {
    let moved = follow(&[
        &["Menu", "12 people are reading this", "Contact"],
        &["Menu", "15 people are reading this", "Contact"],
        &["Menu", "15 people are reading this", "Contact"],
        &["Menu", "Sale", "19 people are reading this", "Contact"],
    ]);
    let places: Vec<Vec<_>> = moved
        .iter()
        .map(|at| at.iter().map(shown).collect())
        .collect();
    assert_eq!(
        places,
        [
            vec![(
                1,
                Some("12 people are reading this"),
                Some("15 people are reading this")
            )],
            vec![],
            vec![
                (2, None, Some("Sale")),
                (
                    1,
                    Some("15 people are reading this"),
                    Some("19 people are reading this")
                ),
            ],
        ]
    );
}

#[test]
fn what_comes_and_goes_keeps_its_place() {
    let note = "A note of the editor stands here today.";
    let moved = follow(&[&["Menu"], &["Menu", note], &["Menu"], &["Menu", note]]);
    let places: Vec<_> = moved.iter().flatten().map(shown).collect();
    assert_eq!(
        places,
        [
            (1, None, Some(note)),
            (1, Some(note), None),
            (1, None, Some(note))
        ]
    );
}

#[test]
fn advertisements_that_take_turns_are_one_place_and_order_is_none() {
    let moved = follow(&[
        &["Menu", "Buy a boat", "Contact"],
        &["Menu", "Learn to sing", "Contact"],
        &["Contact", "Learn to sing", "Menu"],
        &["Menu", "Eat more fruit", "Contact"],
    ]);
    let places: Vec<usize> = moved.iter().map(Vec::len).collect();
    assert_eq!(places, [1, 0, 1]);
    assert!(moved.iter().flatten().all(|movement| movement.place == 1));
}

#[test]
fn what_becomes_part_of_the_article_is_no_matter_of_ignored_text() {
    let block = Block::paragraph("The harbour is closed until further notice, the town says.");
    let bodies = |old: Vec<Block>, new: Vec<Block>| (old, new);
    let (without, with) = bodies(Vec::new(), vec![block.clone()]);
    let (ignored, nothing) = (snapshot(&["Menu", &block.text]), snapshot(&["Menu"]));
    let into = Bodies {
        old: &without,
        new: &with,
    };
    assert_eq!(nothing.clone().following(&ignored, Some(into)).1, []);
    let out = Bodies {
        old: &with,
        new: &without,
    };
    assert_eq!(ignored.clone().following(&nothing, Some(out)).1, []);
    // The text was always a part of the article, and a copy of it disappeared.
    let both = Bodies {
        old: &with,
        new: &with,
    };
    assert_eq!(nothing.following(&ignored, Some(both)).1.len(), 1);
}

#[test]
fn another_way_of_reading_moves_nothing_and_keeps_the_places() {
    let first = snapshot(&["Menu", "12 readers are here now"]);
    let (second, moved) = snapshot(&["Menu", "13 readers are here now"]).following(&first, None);
    assert_eq!(moved.len(), 1);
    let third = snapshot(&["Menu", "A box", "14 readers are here now"]).replacing(&second);
    let (_, moved) =
        snapshot(&["Menu", "A box", "15 readers are here now"]).following(&third, None);
    let places: Vec<u32> = moved.iter().map(|movement| movement.place).collect();
    assert_eq!(places, [1]);
}

#[test]
fn long_texts_show_where_they_differ() {
    let long = "The terms of this page are long and nobody reads them to the end. ".repeat(20);
    let (before, after) = (
        format!("{long} Fee: 5 euros."),
        format!("{long} Fee: 9 euros."),
    );
    let (_, moved) = snapshot(&[&after]).following(&snapshot(&[&before]), None);
    let [movement] = moved.as_slice() else {
        panic!("{moved:?}");
    };
    let (before, after) = (
        movement.before.clone().unwrap(),
        movement.after.clone().unwrap(),
    );
    assert!(
        before.contains("5 euros") && after.contains("9 euros"),
        "{movement:?}"
    );
    assert!(before.len() <= SHOWN_BYTES && after.len() <= SHOWN_BYTES);
}

#[test]
fn what_is_near_the_article_comes_first() {
    let menu: Vec<Piece> = (0..2_000)
        .map(|at| piece(&format!("Section {at} of the newspaper"), 0))
        .collect();
    let mut pieces = menu;
    pieces.push(piece(
        "What the mayor said in the box beside the text yesterday",
        2,
    ));
    let kept = Snapshot::of(pieces, 5);
    assert!(kept.kept.len() <= PIECES && kept.whole < CLASSES);
    assert!(
        kept.live()
            .any(|kept| kept.piece.text.starts_with("What the mayor"))
    );
    // Text that did not fit is not reported as gone.
    let (_, moved) = Snapshot::of(
        vec![piece(
            "What the mayor said in the box beside the text yesterday",
            2,
        )],
        5,
    )
    .following(&kept, None);
    assert!(moved.len() <= 24 + NEAR * 2, "{}", moved.len());
}

#[test]
fn rules_in_force_since_the_last_check_have_a_past() {
    let left_out = |text: &str, rule: i64| {
        vec![Piece::of_rule(
            text,
            "left out by a rule",
            1,
            Some(RuleId(rule)),
        )]
    };
    let old = snapshot(&["Menu"]).with_new_rules(left_out("12 readers", -1));
    let mut new = vec![piece("Menu", 3)];
    new.extend(left_out("14 readers", -1));
    let (mut now, moved) = Snapshot::of(new, 3).following(&old, None);
    let [movement] = moved.as_slice() else {
        panic!("{moved:?}");
    };
    assert_eq!(movement.before.as_deref(), Some("12 readers"));
    assert_eq!(movement.rule.and_then(learned_at), Some(0));
    now.number_rules(|rule| learned_at(rule).map_or(Some(rule), |_| Some(RuleId(7))));
    // Once the rule has a remembered text, the stored text is older and not used.
    let again = now.clone().with_new_rules(left_out("12 readers", 7));
    assert_eq!(again, now);
}

fn page(blocks: &[(String, bool)]) -> (Vec<Block>, Vec<Piece>) {
    let (mut body, mut ignored) = (Vec::new(), Vec::new());
    for (text, counts) in blocks {
        match counts {
            true => body.push(Block::paragraph(text.clone())),
            false => ignored.push(piece(text, u32::try_from(body.len()).unwrap())),
        }
    }
    (body, ignored)
}

fn cleaned(old: &[(String, bool)], new: &[(String, bool)]) -> (Vec<Block>, Option<Cleaned>) {
    let ((old_body, old), (new_body, new)) = (page(old), page(new));
    let old = Snapshot::of(old, old_body.len());
    let cleaned = clean_edges(&old_body, &old, &new_body, &new);
    let body = cleaned.as_ref().map(|cleaned| cleaned.body.clone());
    (body.unwrap_or(new_body), cleaned)
}

fn blocks(marked: &[(&str, bool)]) -> Vec<(String, bool)> {
    marked
        .iter()
        .map(|(text, counts)| ((*text).to_owned(), *counts))
        .collect()
}

fn texts(body: &[Block]) -> Vec<&str> {
    body.iter().map(|block| block.text.as_str()).collect()
}

#[test]
fn a_line_that_nobody_touched_neither_comes_nor_goes() {
    let old = blocks(&[
        ("Menu", false),
        ("Line", false),
        ("One", true),
        ("Two", true),
    ]);
    let new = blocks(&[("Menu", false), ("Line", true), ("Two", true)]);
    assert_eq!(texts(&cleaned(&old, &new).0), ["Two"]);
    let (body, cleaned) = cleaned(
        &new,
        &blocks(&[("Menu", false), ("Line", false), ("Two", true)]),
    );
    assert_eq!(texts(&body), ["Line", "Two"]);
    assert_eq!(cleaned.unwrap().ignored.len(), 1);
}

#[test]
fn what_was_taken_out_is_no_flip_although_its_words_stand_elsewhere() {
    // It stays in the list of other stories, directly behind the article or further away.
    for gap in [&[][..], &[("Also", false)][..]] {
        let tail = [gap, &[("Two", false), ("End", false)]].concat();
        let old = [&[("One", true), ("Two", true)][..], &tail].concat();
        let new = [&[("One", true)][..], &tail].concat();
        assert_eq!(texts(&cleaned(&blocks(&old), &blocks(&new)).0), ["One"]);
    }
    // It was moved into the list.
    let old = blocks(&[
        ("One", true),
        ("Two", true),
        ("More", false),
        ("End", false),
    ]);
    let new = blocks(&[
        ("One", true),
        ("More", false),
        ("Two", false),
        ("End", false),
    ]);
    assert_eq!(texts(&cleaned(&old, &new).0), ["One"]);
    // A word was changed.
    let old = blocks(&[("One", true), ("Two men", true), ("End", false)]);
    let new = blocks(&[("One", true), ("Ten men", false), ("End", false)]);
    assert_eq!(texts(&cleaned(&old, &new).0), ["One"]);
}

#[test]
fn an_edit_that_flips_the_verdict_on_its_own_block_is_an_edit_of_it() {
    let now = |old: &[(&str, bool)], new: &[(&str, bool)]| {
        let (body, _) = cleaned(&blocks(old), &blocks(new));
        texts(&body).join(" / ")
    };
    let first = ("The council met on Monday.", true);
    let before = ("The bridge closes for repairs in May.", true);
    let edited = ("The bridge closes for repairs in June.", false);
    let end = ("About us", false);
    assert_eq!(
        now(&[first, before, end], &[first, edited, end]),
        "The council met on Monday. / The bridge closes for repairs in June."
    );
    // One sentence more or less is an edit, too, also in a script without spaces.
    let longer = (
        "The bridge closes for repairs in May. The ferry runs.",
        false,
    );
    assert_eq!(
        now(&[first, before, end], &[first, longer, end]),
        "The council met on Monday. / The bridge closes for repairs in May. The ferry runs."
    );
    assert_eq!(
        now(
            &[("橋は五月に修理のため閉鎖される", true), end],
            &[("橋は六月に修理のため閉鎖される", false), end]
        ),
        "橋は六月に修理のため閉鎖される"
    );
    // Text that the article already has, text that is reported elsewhere, and unrelated text are not edits of it.
    let teaser = ("The bridge closes for repairs in May: all news", false);
    assert_eq!(
        now(&[first, before, teaser, end], &[first, teaser, end]),
        "The council met on Monday."
    );
    let other = ("Read our news on your telephone.", false);
    assert_eq!(
        now(&[first, before, end], &[first, other, end]),
        "The council met on Monday."
    );
    // Text that starts to count is reported, as it may have been missed so far.
    let vote = ("Votes for the budget: 8 of 12", false);
    let counted = ("Votes for the budget: 9 of 12", true);
    assert_eq!(
        now(&[first, vote, end], &[first, counted, end]),
        "The council met on Monday. / Votes for the budget: 9 of 12"
    );
}

#[test]
fn what_is_hidden_from_readers_is_gone() {
    let (old_body, _) = page(&blocks(&[("One", true), ("Two", true)]));
    let (new_body, _) = page(&blocks(&[("One", true)]));
    let hidden = Piece {
        seen: false,
        ..piece("Two", 1)
    };
    assert_eq!(
        clean_edges(&old_body, &Snapshot::default(), &new_body, &[hidden]),
        None
    );
}

/// Blocks, and whether each counts.
type Marked = Vec<(String, bool)>;

fn pages() -> impl Strategy<Value = (Marked, Marked)> {
    let step = (0..12_u8, any::<bool>(), 0..5_u8, 0..8_u8);
    proptest::collection::vec(step, 0..16).prop_map(|steps| {
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for (word, counts, what, flips) in steps {
            let name = char::from(b'a' + word);
            let text = format!("{name}one {name}two {name}three");
            let flipped = counts != (flips == 0);
            match what {
                0 => old.push((text, counts)),
                1 => new.push((text, counts)),
                2 => {
                    old.push((text.clone(), counts));
                    new.push((format!("{text} was edited"), flipped));
                }
                _ => {
                    old.push((text.clone(), counts));
                    new.push((text, flipped));
                }
            }
        }
        (old, new)
    })
}

fn count(blocks: &[(String, bool)], text: &str, counted: Option<bool>) -> usize {
    blocks
        .iter()
        .filter(|(known, counts)| known == text && counted.is_none_or(|only| only == *counts))
        .count()
}

proptest! {
    #[test]
    fn no_edit_is_cleaned_away((old, new) in pages()) {
        let (body, _) = cleaned(&old, &new);
        let body: Vec<(String, bool)> = body.into_iter().map(|block| (block.text, true)).collect();
        for (text, _) in old.iter().chain(&new) {
            let (all_old, all_new) = (count(&old, text, None), count(&new, text, None));
            if all_old != all_new {
                // A text with the same beginning was added, removed or edited: the current verdict holds, except for
                // an edit in its place.
                let is_edit = |(other, _): &&(String, bool)| other != text && other[..4] == text[..4];
                if !old.iter().chain(&new).any(|block| is_edit(&block)) {
                    prop_assert_eq!(count(&body, text, None), count(&new, text, Some(true)));
                }
            }
        }
        prop_assert!(body.iter().all(|(text, _)| count(&new, text, None) > 0));
    }

    #[test]
    fn a_page_that_nobody_touched_has_the_article_that_it_had(
        blocks in proptest::collection::vec((0..40_u8, any::<bool>(), any::<bool>()), 0..20)
    ) {
        let named = |flips: bool| -> Vec<(String, bool)> {
            let blocks = blocks.iter();
            blocks.map(|(word, counts, flip)| (format!("Block {word}"), *counts != (flips && *flip))).collect()
        };
        let (body, _) = cleaned(&named(false), &named(true));
        let (as_before, _) = page(&named(false));
        prop_assert_eq!(texts(&body), texts(&as_before));
    }

    #[test]
    fn a_ledger_is_bounded_and_the_same_page_moves_nothing(
        checks in proptest::collection::vec(
            proptest::collection::vec((0..60_u16, 0..4_u32, any::<bool>()), 0..40), 1..12)
    ) {
        let mut last: Option<Snapshot> = None;
        for check in checks {
            let pieces: Vec<Piece> = check.into_iter().map(|(word, after, prose)| {
                let long = if prose { " says the box beside the article today" } else { "" };
                piece(&format!("{}{long}", "x".repeat(usize::from(word))), after)
            }).collect();
            let now = Snapshot::of(pieces.clone(), 3);
            let now = match last {
                None => now,
                Some(before) => {
                    let (now, movements) = now.following(&before, None);
                    for movement in &movements {
                        prop_assert!(movement.place <= PLACES);
                        prop_assert!(movement.before.as_deref() != movement.after.as_deref());
                    }
                    let own: Vec<u32> = movements.iter().map(|movement| movement.place).filter(|place| *place != FURTHER).collect();
                    let different: HashSet<u32> = own.iter().copied().collect();
                    prop_assert_eq!(own.len(), different.len(), "a place moves once");
                    now
                }
            };
            let places: Vec<u32> = now.kept.iter().filter_map(|kept| kept.place).collect();
            let different: HashSet<u32> = places.iter().copied().collect();
            prop_assert_eq!(places.len(), different.len(), "a place is one place");
            let (again, movements) = Snapshot::of(pieces, 3).following(&now, None);
            prop_assert_eq!(movements, []);
            prop_assert_eq!(&again, &now);
            let json = serde_json::to_vec(&now).unwrap();
            prop_assert_eq!(&serde_json::from_slice::<Snapshot>(&json).unwrap(), &now);
            last = Some(now);
        }
    }

    #[test]
    fn excerpts_are_bounded_and_end_at_characters(head in "[a-zé ]{0,400}", one in "\\PC{0,400}", other in "\\PC{0,400}") {
        let (one, other) = (format!("{head}{one}"), format!("{head}{other}"));
        let (before, after) = excerpt::around_difference(&one, &other);
        prop_assert!(before.len() <= SHOWN_BYTES && after.len() <= SHOWN_BYTES);
        if visible(&one) != visible(&other) && one.len() <= SHOWN_BYTES && other.len() <= SHOWN_BYTES {
            prop_assert_ne!(before, after);
        }
    }
}
