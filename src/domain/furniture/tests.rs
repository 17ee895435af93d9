//! What is learned, what is not, and what rules leave of a text.

use proptest::prelude::*;

use super::*;
use crate::domain::compare::compare_under;
use crate::domain::diff::{BlockDiff, BlockOp, Segment};
use crate::domain::fingerprint::Fingerprints;
use crate::domain::ids::{EntryId, RuleId};
use crate::domain::state::{Block, BlockKind, EntryState, FeedState, PageState};
use crate::time::Timestamp;

fn blocks(texts: &[String]) -> Vec<Block> {
    texts.iter().map(Block::paragraph).collect()
}

/// The sentences of an article that has nothing in common with others.
fn own(article: usize) -> Vec<String> {
    let words = ["harbour", "budget", "bridge", "orchestra", "reservoir"];
    words
        .iter()
        .enumerate()
        .map(|(at, word)| {
            format!("In article number {article} the {word} of place {at}x{article} is spoken of.")
        })
        .map(|text| text.replace("number ", "no. x"))
        .collect()
}

/// `count` articles, each with one text a look: its own sentences with what `between` puts into the middle.
fn site(count: usize, looks: usize, between: impl Fn(usize, usize) -> Vec<String>) -> Vec<Article> {
    (0..count)
        .map(|article| {
            let texts = (0..looks).map(|look| {
                let mut texts = own(article);
                texts.splice(2..2, between(article, look));
                (
                    Timestamp::from_unix(i64::try_from(look).unwrap() * 3600),
                    blocks(&texts),
                )
            });
            let mut texts: Vec<_> = texts.collect();
            // As it is stored: a text that stayed stands there once.
            texts.dedup_by(|a, b| a.1 == b.1);
            Article {
                entry: EntryId(i64::try_from(article).unwrap()),
                texts,
            }
        })
        .collect()
}

fn kinds(articles: &[Article]) -> Vec<(LearnedKind, String)> {
    learn(articles, &Rules::default())
        .into_iter()
        .map(|learned| (learned.kind, learned.sample))
        .collect()
}

fn rule(id: i64, kind: RuleKind, pattern: &str) -> Rule {
    Rule {
        id: RuleId(id),
        kind,
        pattern: pattern.to_owned(),
        origin: Origin::Learned,
        on: true,
        since: Timestamp::from_unix(0),
        evidence: None,
    }
}

fn page(texts: &[&str]) -> EntryState {
    EntryState {
        feed: None,
        page: Some(PageState {
            h1: Some("A headline".to_owned()),
            body: texts.iter().map(|text| Block::paragraph(*text)).collect(),
            ..PageState::default()
        }),
    }
}

#[test]
fn a_counter_is_learned_after_three_looks_and_not_after_two() {
    let counter = |article: usize, look: usize| {
        vec![format!(
            "{} people are reading this",
            10 + article * 7 + look
        )]
    };
    assert_eq!(kinds(&site(6, 2, counter)), []);
    let learned = kinds(&site(6, 3, counter));
    assert_eq!(
        learned,
        [(LearnedKind::Churns, "10 people are reading this".to_owned())]
    );
    let evidence = &learn(&site(6, 3, counter), &Rules::default())[0];
    assert_eq!(
        (evidence.entries.len(), evidence.of, evidence.moves),
        (6, 6, 12)
    );
}

#[test]
fn promotions_that_take_turns_are_learned() {
    let pool = [
        "Read the news of the day in our app",
        "Our podcast has all about it",
        "Give a year of reading to a friend",
    ];
    let promotion = |article: usize, look: usize| vec![pool[(article + look) % 3].to_owned()];
    let mut learned: Vec<String> = kinds(&site(9, 4, promotion))
        .into_iter()
        .map(|(kind, text)| {
            assert_eq!(kind, LearnedKind::ComesAndGoes);
            text
        })
        .collect();
    learned.sort();
    let mut all: Vec<String> = pool.iter().map(|text| (*text).to_owned()).collect();
    all.sort();
    assert_eq!(learned, all);
}

#[test]
fn a_sentence_of_most_articles_is_learned_and_a_fact_is_not() {
    let same = |text: &'static str| move |_: usize, _: usize| vec![text.to_owned()];
    let text = "Follow our channel for more from the region";
    assert_eq!(
        kinds(&site(6, 1, same(text))),
        [(LearnedKind::Recurs, text.to_owned())]
    );
    for fact in [
        "Severity: high",
        "Read more",
        "Correction: an earlier version of this article misstated the date.",
        "This article was updated on Monday to add a comment of the council.",
    ] {
        assert_eq!(kinds(&site(6, 1, same(fact))), [], "{fact}");
    }
    assert_eq!(kinds(&site(4, 1, same(text))), []);
    let half = |article: usize, _: usize| {
        if article < 5 {
            vec![text.to_owned()]
        } else {
            Vec::new()
        }
    };
    assert_eq!(kinds(&site(10, 1, half)), []);
}

#[test]
fn articles_that_are_all_the_same_are_no_furniture() {
    let mut articles = site(6, 1, |_, _| Vec::new());
    let same = articles[0].texts.clone();
    for article in &mut articles {
        article.texts.clone_from(&same);
    }
    assert_eq!(kinds(&articles), []);
}

#[test]
fn an_edit_of_furniture_and_into_furniture_is_shown_as_one() {
    let rules = Rules::of(&[rule(
        1,
        RuleKind::Text,
        "No fix is available for this version yet.",
    )]);
    let none = page(&["One.", "No fix is available for this version yet."]);
    let fixed = page(&["One.", "A fix is available for this version now."]);
    for (old, new) in [(&none, &fixed), (&fixed, &none)] {
        let blocks = compare_under(old, new, &rules)
            .unwrap()
            .body
            .unwrap()
            .blocks;
        let edits = blocks.iter().filter(|block| block.op == BlockOp::Edit);
        assert_eq!(edits.count(), 1, "{blocks:?}");
    }
    let without = page(&["One."]);
    assert_eq!(compare_under(&none, &without, &rules), None);
}

#[test]
fn a_paragraph_that_is_put_into_some_articles_at_once_is_an_edit_of_each() {
    let inserted = |article: usize, look: usize| {
        if look > 0 && article < 4 {
            vec!["The company withdrew the statement on Monday night.".to_owned()]
        } else {
            Vec::new()
        }
    };
    assert_eq!(kinds(&site(10, 2, inserted)), []);
}

#[test]
fn a_figure_that_rises_in_some_articles_is_no_furniture() {
    let toll = |article: usize, look: usize| {
        if article < 4 {
            vec![format!(
                "At least {} people were killed in the flood.",
                10 + look * 5
            )]
        } else {
            Vec::new()
        }
    };
    assert_eq!(kinds(&site(10, 4, toll)), []);
    // An edit that is taken back and made again, in copies of one story.
    let back = |article: usize, look: usize| toll(article, look % 2);
    assert_eq!(kinds(&site(10, 6, back)), []);
    // Advisories have the same line each, and it moves in a few of them.
    let versions = |article: usize, look: usize| {
        let last = if article < 3 { look } else { 0 };
        vec![format!(
            "All versions before 2.{last} of the program are affected."
        )]
    };
    let learned = kinds(&site(10, 4, versions));
    assert!(
        learned.iter().all(|(kind, _)| *kind != LearnedKind::Churns),
        "{learned:?}"
    );
}

#[test]
fn rules_leave_blocks_out_and_nothing_else() {
    let rules = Rules::of(&[
        rule(1, RuleKind::Text, "Follow us for more"),
        rule(2, RuleKind::Template, "12 people are reading this"),
        rule(3, RuleKind::Ignore, r"\(\d+ views\)"),
    ]);
    let old = page(&[
        "One.",
        "Follow us for more",
        "Two (12 views)",
        "10 people are reading this",
    ]);
    let same = page(&["One.", "99 people are reading this", "Two (15 views)"]);
    assert_eq!(compare_under(&old, &same, &rules), None);
    assert_eq!(
        Fingerprints::of(&rules.counted(&old)),
        Fingerprints::of(&rules.counted(&same))
    );
    let edited = page(&["One.", "Three (15 views)", "99 people are hurt"]);
    let found = compare_under(&old, &edited, &rules).unwrap();
    // What is shown is as published, the part that is not compared included.
    let shown = format!("{:?}", found.body.unwrap().blocks);
    assert!(shown.contains("(15 views)"), "{shown}");
    assert!(shown.contains("99 people are hurt"), "{shown}");
    assert!(!shown.contains("reading"), "{shown}");
}

/// The blocks of a stored text that the comparison saw, with their numbers.
fn compared<'a>(text: &'a [Block], left_out: &[u32]) -> Vec<(u32, &'a str)> {
    (1..)
        .zip(text)
        .filter(|(number, _)| !left_out.contains(number))
        .map(|(number, block)| (number, block.text.as_str()))
        .collect()
}

proptest! {
    // Evidence is checked against the stored texts, so a diff has to say what of them it does not show.
    #[test]
    fn a_diff_with_what_it_left_out_is_the_stored_text(
        old in proptest::collection::vec(0..9_usize, 1..7),
        new in proptest::collection::vec(0..9_usize, 1..7),
        (texts, ignore) in any::<(bool, bool)>(),
    ) {
        let said = [
            "The harbour was rebuilt in a year.",
            "The harbour was rebuilt in two years.",
            "Follow us for more",
            "12 people are reading this",
            "80 people are reading this",
            "They voted (10 views)",
            "They voted (11 views)",
            "(12 views)",
            "Advertisement",
        ];
        let state = |picks: &[usize]| {
            let mut state = page(&picks.iter().map(|pick| said[*pick]).collect::<Vec<_>>());
            for block in &mut state.page.as_mut().unwrap().body {
                if block.text == "Advertisement" {
                    block.kind = BlockKind::Furniture;
                }
            }
            state
        };
        let (old, new) = (state(&old), state(&new));
        let mut rules = Vec::new();
        if texts {
            rules.push(rule(1, RuleKind::Text, "Follow us for more"));
            rules.push(rule(2, RuleKind::Template, "12 people are reading this"));
        }
        if ignore {
            rules.push(rule(3, RuleKind::Ignore, r"\(\d+ views\)"));
        }
        if let Some(diff) = compare_under(&old, &new, &Rules::of(&rules)).and_then(|found| found.body) {
            let side = |number: fn(&BlockDiff) -> Option<u32>, text: fn(&[Segment]) -> String| {
                let mut blocks: Vec<(u32, String)> = diff
                    .blocks
                    .iter()
                    .filter_map(|block| Some((number(block)?, text(&block.segments))))
                    .collect();
                blocks.sort();
                blocks
            };
            let (before, after) = (
                side(|block| block.from, Segment::old_side),
                side(|block| block.to, Segment::new_side),
            );
            let stored = compared(old.body(), &diff.left_out.before);
            prop_assert_eq!(before.len(), stored.len());
            for ((_, shown), (_, text)) in before.iter().zip(stored) {
                prop_assert_eq!(shown, text);
            }
            let stored = compared(new.body(), &diff.left_out.after);
            prop_assert_eq!(after.len(), stored.len());
            for ((_, shown), (number, text)) in after.iter().zip(stored) {
                prop_assert!(shown == text || diff.left_out.as_before.contains(&number));
            }
        }
    }
}

#[test]
fn furniture_of_one_side_is_furniture_of_the_other() {
    let feed = |kind: BlockKind| EntryState {
        feed: Some(FeedState {
            body: vec![
                Block::paragraph("One."),
                Block {
                    kind,
                    text: "Save 9 percent".to_owned(),
                },
            ],
            ..FeedState::default()
        }),
        page: None,
    };
    let (old, new) = (feed(BlockKind::Paragraph), feed(BlockKind::Furniture));
    assert_eq!(compare_under(&old, &new, &Rules::default()), None);
    assert_eq!(compare_under(&new, &old, &Rules::default()), None);
    let mut without = new.clone();
    without.feed.as_mut().unwrap().body.truncate(1);
    assert_eq!(compare_under(&new, &without, &Rules::default()), None);
    assert!(compare_under(&old, &without, &Rules::default()).is_some());
}

#[test]
fn rules_that_have_ended_hold_until_the_text_was_read_again() {
    let mut ended = rule(1, RuleKind::Text, "Follow us for more");
    ended.on = false;
    ended.since = Timestamp::from_unix(100);
    let rules = [ended];
    let fresh = InForce::of(&rules, Some(Timestamp::from_unix(50)));
    assert!(
        fresh
            .for_comparing()
            .rule_of("Follow us for more")
            .is_some()
    );
    assert!(fresh.now.is_empty());
    let later = InForce::of(&rules, Some(Timestamp::from_unix(150)));
    assert!(later.for_comparing().is_empty());
}

#[test]
fn expressions_are_bounded_and_say_what_is_wrong() {
    for (bad, why) in [
        ("(", "unclosed group"),
        ("a*", "matches the empty text"),
        (r"\w{1000}{1000}", "size"),
    ] {
        let error = check_pattern(RuleKind::Ignore, bad)
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{bad}: {error}");
    }
    assert_eq!(check_pattern(RuleKind::Ignore, r"^\d+ views$"), Ok(()));
}

fn sentence() -> impl Strategy<Value = String> {
    "[A-Z][a-z]{2,8}( [a-z]{2,8}){4,9} [0-9]{1,3}\\."
}

proptest! {
    /// An edit made to one article only is never learned, however often it is made.
    #[test]
    fn what_one_article_does_is_never_learned(
        edits in proptest::collection::vec(sentence(), 1..6),
        articles in 1_usize..12,
    ) {
        let edit = |article: usize, look: usize| {
            if article == 0 { vec![edits[look % edits.len()].clone()] } else { Vec::new() }
        };
        prop_assert_eq!(kinds(&site(articles, 6, edit)), []);
    }

    /// A sentence that stands in one article is never left out by what was learned from all of them.
    #[test]
    fn a_sentence_of_one_article_always_counts(
        sentences in proptest::collection::hash_set(sentence(), 12),
        counter in 0_usize..1000,
    ) {
        let sentences: Vec<String> = sentences.into_iter().collect();
        let articles = site(12, 4, |article, look| {
            vec![
                format!("{} people have shared this page", counter + article * 3 + look),
                sentences[article].clone(),
                "Follow our channel for more from the region".to_owned(),
            ]
        });
        let learned = learn(&articles, &Rules::default());
        prop_assert!(!learned.is_empty());
        let rules: Vec<Rule> = learned
            .iter()
            .enumerate()
            .map(|(id, learned)| rule(i64::try_from(id).unwrap(), learned.kind.rule(), &learned.sample))
            .collect();
        let rules = Rules::of(&rules);
        for sentence in &sentences {
            prop_assert_eq!(rules.rule_of(sentence), None);
        }
    }

    /// Under the same rules equal fingerprints and no difference are the same, and nothing differs from itself.
    #[test]
    fn what_counts_is_hashed_and_compared_alike(
        old in proptest::collection::vec("(a|b|12 views of it all|13 views of it all|x1)", 0..5),
        new in proptest::collection::vec("(a|b|12 views of it all|13 views of it all|x2)", 0..5),
    ) {
        let rules = Rules::of(&[
            rule(1, RuleKind::Template, "12 views of it all"),
            rule(2, RuleKind::Text, "b"),
            rule(3, RuleKind::Ignore, "[0-9]"),
        ]);
        let old: Vec<&str> = old.iter().map(String::as_str).collect();
        let new: Vec<&str> = new.iter().map(String::as_str).collect();
        let (old, new) = (page(&old), page(&new));
        let same = Fingerprints::of(&rules.counted(&old)) == Fingerprints::of(&rules.counted(&new));
        prop_assert_eq!(compare_under(&old, &new, &rules).is_none(), same);
        prop_assert_eq!(compare_under(&old, &old, &rules), None);
    }

    /// A state that no rule touches is what it was.
    #[test]
    fn without_rules_nothing_is_taken_away(texts in proptest::collection::vec(".{1,20}", 0..5)) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let state = page(&texts);
        prop_assert_eq!(Rules::default().counted(&state).into_owned(), state);
    }

    /// Expressions and texts of any kind end.
    #[test]
    fn nothing_panics(pattern in ".{0,40}", text in ".{0,60}") {
        let usable = check_pattern(RuleKind::Ignore, &pattern).is_ok();
        let rules = Rules::of(&[rule(1, RuleKind::Ignore, &pattern), rule(2, RuleKind::Template, &text)]);
        let _ = rules.rule_of(&text);
        prop_assert!(usable || rules.rule_of("x") != Some(RuleId(1)));
    }
}
