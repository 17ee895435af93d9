//! What is learned, what is not, and what rules leave of a text.

use super::*;
use crate::domain::compare::compare_under;
use crate::domain::diff::{BlockDiff, BlockOp, Segment};
use crate::domain::fingerprint::Fingerprints;
use crate::domain::ids::{EntryId, RuleId};
use crate::domain::state::{Block, BlockKind, Channel, EntryState, FeedState, PageState};
use crate::time::Timestamp;

mod properties;

fn blocks(texts: &[String]) -> Vec<Block> {
    texts.iter().map(Block::paragraph).collect()
}

/// The sentences of an article that shares nothing with others.
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

/// `count` articles, each with one text per check: its own sentences, with what `between` returns in the middle.
fn site(
    count: usize,
    looks: usize,
    between: impl Fn(usize, usize) -> Vec<String>,
) -> Vec<ArticlePast> {
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
            // As in the database: a text that did not change is stored once.
            texts.dedup_by(|a, b| a.1 == b.1);
            ArticlePast {
                entry: EntryId(i64::try_from(article).unwrap()),
                texts,
                titles: Vec::new(),
                looked: Timestamp::from_unix(i64::try_from(looks).unwrap() * 3600),
            }
        })
        .collect()
}

fn kinds(articles: &[ArticlePast]) -> Vec<(LearnedKind, String)> {
    learn(articles, &Rules::default(), Channel::Page)
        .into_iter()
        .map(|learned| (learned.kind, learned.sample))
        .collect()
}

/// A rule as a person would add it.
fn rule(id: i64, kind: RuleKind, pattern: &str) -> Rule {
    Rule {
        id: RuleId(id),
        kind,
        pattern: pattern.to_owned(),
        origin: RuleOrigin::Person,
        on: true,
        since: Timestamp::from_unix(0),
        evidence: None,
    }
}

/// Turns what was learned into rules.
fn learned_rules(learned: &[Learned]) -> Rules {
    let rules: Vec<Rule> = learned
        .iter()
        .zip(1..)
        .map(|(learned, id)| Rule {
            origin: RuleOrigin::Learned,
            evidence: Some(RuleEvidence {
                places: learned.places.clone(),
                comes_and_goes: learned.comes_and_goes,
                in_titles: learned.kind == LearnedKind::CountsInTitles,
                ..RuleEvidence::default()
            }),
            ..rule(id, learned.kind.rule(), &learned.sample)
        })
        .collect();
    Rules::of(&rules)
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
    let evidence = &learn(&site(6, 3, counter), &Rules::default(), Channel::Page)[0];
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
fn what_most_articles_say_is_no_furniture() {
    for text in [
        "Follow our channel for more from the region",
        "No injuries have been reported.",
        "Severity: high",
        "Correction: an earlier version of this article misstated the date.",
    ] {
        assert_eq!(
            kinds(&site(8, 1, |_, _| vec![text.to_owned()])),
            [],
            "{text}"
        );
        // Checks at which something else changes on most pages teach nothing about it either.
        let moves = |article: usize, look: usize| {
            let other = format!("A box of article {article} with turn {look} of its own words");
            vec![text.to_owned(), other]
        };
        let learned = kinds(&site(8, 4, moves));
        assert!(
            learned.iter().all(|(_, sample)| sample != text),
            "{learned:?}"
        );
    }
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
    // An edit that is made, reverted and made again, in copies of one story.
    let back = |article: usize, look: usize| toll(article, look % 2);
    assert_eq!(kinds(&site(10, 6, back)), []);
    // Advisories share a line, and it changes in a few of them.
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
    // Changes are shown as published, including the part that was not compared.
    let shown = format!("{:?}", found.body.unwrap().blocks);
    assert!(shown.contains("(15 views)"), "{shown}");
    assert!(shown.contains("99 people are hurt"), "{shown}");
    assert!(!shown.contains("reading"), "{shown}");
}

/// The blocks of a stored text that were compared, with their numbers.
fn compared<'a>(text: &'a [Block], left_out: &[u32]) -> Vec<(u32, &'a str)> {
    (1..)
        .zip(text)
        .filter(|(number, _)| !left_out.contains(number))
        .map(|(number, block)| (number, block.text.as_str()))
        .collect()
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
fn a_template_passes_over_the_places_that_moved_and_nothing_else() {
    let hearing = |article: usize, look: usize| {
        vec![format!(
            "The next hearing is on {} December before Judge Bob Roe in hall {article}.",
            1 + (look * 3 + article) % 28
        )]
    };
    let articles = site(8, 4, hearing);
    let rules = learned_rules(&learn(&articles, &Rules::default(), Channel::Feed));
    let text = |text: &str| page(&["One.", text]);
    let old = text("The next hearing is on 4 December before Judge Bob Roe in hall 3.");
    for (new, same) in [
        (
            "The next hearing is on 9 December before Judge Bob Roe in hall 3.",
            true,
        ),
        (
            "The next hearing is on 9 December before Judge Carl Poe in hall 3.",
            false,
        ),
        (
            "The next hearing is on 9 December before Judge Bob Roe in hall 4.",
            false,
        ),
        (
            "The next hearing is on 9 January before Judge Bob Roe in hall 3.",
            false,
        ),
        (
            "The next hearing is on 9:30 December before Judge Bob Roe in hall 3.",
            false,
        ),
    ] {
        assert_eq!(
            compare_under(&old, &text(new), &rules).is_none(),
            same,
            "{new}"
        );
        let prints = |state: &EntryState| Fingerprints::of(&rules.counted(state));
        assert_eq!(prints(&old) == prints(&text(new)), same, "{new}");
    }
    assert!(compare_under(&old, &page(&["One."]), &rules).is_some());
}

#[test]
fn a_line_that_moves_and_comes_and_goes_is_passed_over_as_a_whole() {
    let player = |_: usize, look: usize| match look % 3 {
        0 => Vec::new(),
        _ => vec![format!(
            "Listen to this article, 5:{} min, to learn more",
            30 + look
        )],
    };
    let rules = learned_rules(&learn(
        &site(6, 5, player),
        &Rules::default(),
        Channel::Page,
    ));
    let with = |time: &str| {
        page(&[
            "One.",
            &format!("Listen to this article, {time} min, to learn more"),
        ])
    };
    for (old, new, same) in [
        (with("5:36"), page(&["One."]), true),
        (page(&["One."]), with("6:12"), true),
        (with("5:36"), with("5:40"), true),
        (with("5:36"), with("5"), false),
    ] {
        assert_eq!(
            compare_under(&old, &new, &rules).is_none(),
            same,
            "{old:?} {new:?}"
        );
    }
}

#[test]
fn a_counter_that_says_what_it_counts_needs_no_rule() {
    let counter = |article: usize, look: usize| vec![format!("Comments ({})", article * 7 + look)];
    assert_eq!(kinds(&site(8, 4, counter)), []);
}

#[test]
fn articles_that_are_seldom_looked_at_hold_up_no_learning() {
    let ticker = |article: usize, look: usize| {
        // Most articles were checked only once.
        let look = if article < 4 { look } else { 0 };
        vec![format!(
            "It is {} degrees at the harbour of the town",
            3 + look
        )]
    };
    let mut articles = site(12, 4, ticker);
    assert_eq!(
        kinds(&articles),
        [],
        "the others were looked at, and stayed"
    );
    for article in &mut articles {
        article.looked = article.texts.last().unwrap().0;
    }
    let learned = kinds(&articles);
    assert_eq!(learned.len(), 1, "{learned:?}");
}

#[test]
fn what_says_something_is_not_learned_by_its_words() {
    for text in [
        "No injuries have been reported by anybody.",
        "The case was given to Ann Lee of the high court.",
        "It costs 4 euros at the gate.",
        "Severity: high",
    ] {
        let box_of = |article: usize, look: usize| match (article + look) % 3 {
            0 => vec![text.to_owned()],
            _ => Vec::new(),
        };
        assert_eq!(kinds(&site(9, 5, box_of)), [], "{text}");
    }
}

#[test]
fn a_stale_copy_teaches_nothing() {
    // Now and then a cache serves the previous feed, which lacks a sentence.
    let stale = |article: usize, look: usize| {
        let fresh = !look.is_multiple_of(2);
        let mut texts = vec![format!(
            "The case was {} heard in May.",
            if fresh { "not" } else { "then" }
        )];
        if fresh && article < 5 {
            texts.push("The police have withdrawn this report.".to_owned());
        }
        texts
    };
    for channel in [Channel::Feed, Channel::Page] {
        let learned = learn(&site(8, 5, stale), &Rules::default(), channel);
        assert_eq!(learned, [], "{channel:?}");
    }
    let alone = |article: usize, look: usize| match article < 3 && !look.is_multiple_of(2) {
        true => vec!["The police have withdrawn this report.".to_owned()],
        false => Vec::new(),
    };
    for channel in [Channel::Feed, Channel::Page] {
        let learned = learn(&site(8, 5, alone), &Rules::default(), channel);
        assert_eq!(learned, [], "{channel:?}");
    }
}

#[test]
fn a_number_behind_most_headlines_is_learned_and_the_headline_counts() {
    let mut articles = site(6, 1, |_, _| Vec::new());
    for (at, article) in articles.iter_mut().enumerate() {
        article.titles = (0..4)
            .map(|look| {
                let title = format!(
                    "The tale of {} ({})",
                    ["cat", "dog"][at % 2],
                    10 + at + look
                );
                (Timestamp::from_unix(i64::try_from(look).unwrap()), title)
            })
            .collect();
    }
    let learned = learn(&articles, &Rules::default(), Channel::Feed);
    assert_eq!(learned.len(), 1, "{learned:?}");
    let rules = learned_rules(&learned);
    let titled = |title: &str| EntryState {
        feed: Some(FeedState {
            title: Some(title.to_owned()),
            ..FeedState::default()
        }),
        page: None,
    };
    let old = titled("The tale of cat (12)");
    for (new, same) in [
        ("The tale of cat (40)", true),
        ("The tale of rat (12)", false),
        ("The tale of cat", false),
        ("The tale of cat (in 40 parts)", false),
    ] {
        assert_eq!(
            compare_under(&old, &titled(new), &rules).is_none(),
            same,
            "{new}"
        );
    }
}

#[test]
fn a_line_of_counters_comes_and_goes_and_no_return_is_another_for_it() {
    let rules = Rules::default();
    let said = "The council has bought the old mill.";
    for (line, later) in [
        ("Comments (12)", "Comments (15)"),
        ("3 Kommentare", "4 Kommentare"),
        ("❤ 40 · 💬 3", "❤ 41 · 💬 3"),
    ] {
        let (with, without) = (page(&[said, line]), page(&[said]));
        assert!(compare_under(&with, &without, &rules).is_none(), "{line}");
        assert!(compare_under(&without, &with, &rules).is_none(), "{line}");
        let prints = |state: &EntryState| Fingerprints::of(&rules.counted(state));
        assert_eq!(prints(&with), prints(&without), "{line}");
        assert_eq!(prints(&with), prints(&page(&[said, later])), "{line}");
    }
    for line in ["12 people were hurt.", "12", "The 12 comments of the mayor"] {
        let (with, without) = (page(&[said, line]), page(&[said]));
        assert!(compare_under(&with, &without, &rules).is_some(), "{line}");
    }
}

#[test]
fn counters_and_passing_time_are_no_edits_without_any_rule() {
    let none = Rules::default();
    for (old, new, same) in [
        ("12 comments", "13 comments", true),
        (
            "He was seen 4 days ago in the harbour.",
            "He was seen 5 days ago in the harbour.",
            true,
        ),
        (
            "He was seen 4 days ago in the harbour.",
            "He was seen 4 years ago in the harbour.",
            false,
        ),
        ("12 people were hurt", "13 people were hurt", false),
    ] {
        let (old, new) = (page(&["One.", old]), page(&["One.", new]));
        assert_eq!(compare_under(&old, &new, &none).is_none(), same, "{new:?}");
    }
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
