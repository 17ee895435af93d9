use super::*;
use crate::domain::compare::compare;
use crate::domain::state::{Block, EntryState, FeedState, PageState};

fn page(title: &str, body: &[&str]) -> EntryState {
    EntryState {
        feed: None,
        page: Some(PageState {
            h1: Some(title.to_owned()),
            body: body.iter().map(|text| Block::paragraph(*text)).collect(),
            ..PageState::default()
        }),
    }
}

/// The assessment of an edit to the body.
fn body(old: &str, new: &str) -> Assessment {
    let split = |text: &str| -> Vec<String> { text.split('|').map(str::to_owned).collect() };
    let state = |text: &str| {
        let blocks = split(text);
        page("T", &blocks.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let comparison = compare(&state(old), &state(new)).expect("a difference");
    assess(
        &comparison,
        &Context {
            dates_moved: true,
            ..Context::default()
        },
    )
}

#[track_caller]
fn check(old: &str, new: &str, significance: Significance, labels: &[Label]) {
    let found = body(old, new);
    assert_eq!(found.labels, labels, "{old} => {new}: {:?}", found.reasons);
    assert_eq!(found.significance, significance, "{:?}", found.reasons);
    assert!(found.score <= 100);
    let sum: i32 = found.score_parts.iter().map(|part| part.points).sum();
    assert_eq!(sum, i32::from(found.score));
    for label in &found.labels {
        assert!(found.reasons.iter().any(|reason| reason.label == *label));
    }
}

use Label::*;
use Significance::{Minor, Substantive};

#[test]
fn a_changed_figure_is_named() {
    check(
        "The fire killed 12 people.",
        "The fire killed 21 people.",
        Substantive,
        &[Number],
    );
    check(
        "It cost $1.5 million.",
        "It cost $15 million.",
        Substantive,
        &[Number],
    );
    check(
        "It cost $3 million.",
        "It cost $3 billion.",
        Substantive,
        &[Number],
    );
    check(
        "Prices moved -2.5% in May.",
        "Prices moved 2.5% in May.",
        Substantive,
        &[Number],
    );
    check(
        "Two people were hurt.",
        "Three people were hurt.",
        Substantive,
        &[Number],
    );
    check(
        "on 3 March he left",
        "on 3 April he left",
        Substantive,
        &[Number],
    );
}

#[test]
fn a_negation_is_named() {
    check(
        "He did sign the letter.",
        "He did not sign the letter.",
        Substantive,
        &[Negation],
    );
    check(
        "The bridge is safe to use.",
        "The bridge is unsafe to use.",
        Substantive,
        &[Negation],
    );
    check(
        "He allegedly shot the man.",
        "He shot the man.",
        Substantive,
        &[Negation],
    );
}

#[test]
fn a_quotation_is_named() {
    check(
        "He called it “a mess” yesterday.",
        "He called it a mess yesterday.",
        Substantive,
        &[Quote],
    );
}

#[test]
fn a_typo_is_minor() {
    check(
        "The goverment agreed to it.",
        "The government agreed to it.",
        Minor,
        &[Typo],
    );
    check("They saw the the man.", "They saw the man.", Minor, &[Typo]);
}

#[test]
fn paragraphs_come_go_and_move() {
    let (a, b, c) = (
        "The council met on Monday evening to vote on the plan.",
        "Residents had asked for a new bus line for many years.",
        "Work on the tunnel begins in spring and lasts for two summers.",
    );
    check(
        &format!("{a}|{b}"),
        &format!("{a}|{b}|{c}"),
        Substantive,
        &[Number, ParagraphAdded],
    );
    check(
        &format!("{a}|{b}|{c}"),
        &format!("{a}|{c}"),
        Substantive,
        &[ParagraphRemoved],
    );
    check(
        &format!("{a}|{b}|{c}"),
        &format!("{c}|{a}|{b}"),
        Minor,
        &[Moved],
    );
}

#[test]
fn a_sentence_that_came_or_went_is_judged_by_what_it_says() {
    let (a, b) = (
        "The council met on Monday evening to vote on the plan.",
        "Residents had asked for a new bus line for many years.",
    );
    let came = |text: &str, labels: &[Label]| {
        check(
            &format!("{a}|{b}"),
            &format!("{a}|{text}|{b}"),
            Substantive,
            labels,
        );
    };
    came("Three people died.", &[Number, ParagraphAdded]);
    came("He was not charged.", &[Negation, ParagraphAdded]);
    came("Harbour | 50 | 49", &[Number, ParagraphAdded]);
    came("Gus Hale, 17", &[Number, ParagraphAdded]);
    came("She has died.", &[ParagraphAdded]);
    check(
        &format!("{a} He was not charged. {b}"),
        &format!("{a} {b}"),
        Substantive,
        &[Wording, Negation],
    );
    check(
        &format!("{a}|{b}"),
        &format!("{a}|Background|{b}"),
        Minor,
        &[ParagraphAdded],
    );
}

#[test]
fn a_sign_in_the_place_of_another_says_something_else() {
    let of = |old: &str, new: &str| body(&format!("Pier one {old}"), &format!("Pier one {new}"));
    let found = of("✅", "❌");
    assert_eq!(found.significance, Substantive, "{:?}", found.reasons);
    assert!(found.labels.contains(&Negation));
    assert_eq!(of("↑", "↓").significance, Substantive);
    assert_eq!(of("🔥", "").significance, Minor);
}

#[test]
fn marks_around_a_title_are_no_quotation_and_the_passive_no_attribution() {
    check(
        "For more, see \"Harbour rules.\"",
        "For more, see Harbour rules.",
        Minor,
        &[Wording],
    );
    check(
        "He said: “We will not sign it.”",
        "He said: We will not sign it.",
        Substantive,
        &[Quote],
    );
    check(
        "Fewer people come to the hospital in March.",
        "Fewer people are admitted to the hospital in March.",
        Substantive,
        &[Wording],
    );
    check(
        "The man was at the house.",
        "The man admitted he was at the house.",
        Substantive,
        &[Attribution],
    );
}

#[test]
fn a_capital_that_follows_a_lead_in_is_no_edit() {
    let found = body(
        "In winter the ferry stops at noon.",
        "However, in winter the ferry stops at noon.",
    );
    let reasons: Vec<&str> = found.reasons.iter().map(|reason| &*reason.text).collect();
    assert_eq!(reasons, ["“However,” added in ¶1"]);
}

#[test]
fn clauses_that_count_on_are_no_figures() {
    let clause = |n: u32, topic: usize, verb: &str| {
        let topics = [
            "boats", "piers", "ropes", "tides", "gulls", "bells", "masts", "nets",
        ];
        format!(
            "{n}. The harbour office {verb} charge for {} by the day. See also clause {}.",
            topics[topic],
            n + 1
        )
    };
    let old: Vec<String> = (1..=8).map(|n| clause(n, n as usize - 1, "may")).collect();
    let mut new: Vec<String> = (1..=3).map(|n| clause(n, n as usize - 1, "may")).collect();
    new.push("4. The office keeps a list of members with their addresses.".to_owned());
    new.extend((4..=8).map(|n| {
        let verb = if n == 7 { "may not" } else { "may" };
        clause(n + 1, n as usize - 1, verb)
    }));
    check(
        &old.join("|"),
        &new.join("|"),
        Substantive,
        &[Typographic, Negation, ParagraphAdded],
    );
    // Outside of such a run it is a figure in the text.
    check(
        "He is held for 14 days.|Nobody was hurt by it.",
        "He is held for 15 days.|Nobody was hurt by it.",
        Substantive,
        &[Number],
    );
}

#[test]
fn unannounced_needs_still_dates_and_no_notice() {
    let old = page("Twelve die in fire", &["The fire killed 12 people."]);
    let new = page("Twelve die in fire", &["The fire killed 21 people."]);
    let still = Context {
        dates_stayed: true,
        ..Context::default()
    };
    let comparison = compare(&old, &new).unwrap();
    assert!(
        !assess(&comparison, &Context::default())
            .labels
            .contains(&Unannounced),
        "no date is claimed"
    );
    assert!(assess(&comparison, &still).labels.contains(&Unannounced));
    let noticed = page(
        "Twelve die in fire",
        &[
            "The fire killed 21 people.",
            "Correction: an earlier version of this article gave a wrong number of dead.",
        ],
    );
    let comparison = compare(&old, &noticed).unwrap();
    let labels = assess(&comparison, &still).labels;
    assert!(labels.contains(&CorrectionNotice) && !labels.contains(&Unannounced));
}

#[test]
fn standfirst_and_kicker_are_judged_by_what_they_say() {
    let state = |kicker: &str, standfirst: &str| {
        let mut state = page("A report on the harbour", &["Text."]);
        let page = state.page.as_mut().unwrap();
        page.kicker = Some(kicker.to_owned());
        page.standfirst = Some(standfirst.to_owned());
        state
    };
    let judged = |old: (&str, &str), new: (&str, &str)| {
        let comparison = compare(&state(old.0, old.1), &state(new.0, new.1)).unwrap();
        assess(&comparison, &Context::default())
    };
    for (old, new, labels) in [
        (
            "He signed it.",
            "He did not sign it.",
            [Negation].as_slice(),
        ),
        ("It cost 12 million.", "It cost 21 million.", &[Number]),
        (
            "The goverment agreed to it.",
            "The government agreed to it.",
            &[Typo],
        ),
        (
            "He called it “a mess” then.",
            "He called it a mess then.",
            &[Quote],
        ),
        ("So \"it\" is.", "So “it” is.", &[Typographic]),
    ] {
        let found = judged(("Live", old), ("Live", new));
        let mut expected = labels.to_vec();
        expected.sort_unstable();
        assert_eq!(
            found.labels, expected,
            "{old} => {new}: {:?}",
            found.reasons
        );
        assert!(
            found
                .reasons
                .iter()
                .all(|reason| reason.text.contains("the standfirst"))
        );
    }
    let found = judged(("Live", "In short."), ("Opinion", "In short."));
    assert!(found.labels.contains(&Headline), "{found:?}");
    assert!(
        found
            .reasons
            .iter()
            .any(|reason| reason.text.ends_with("(kicker)")),
        "{found:?}"
    );
}

#[test]
fn a_feed_title_moves_the_headline() {
    let state = |title: &str| EntryState {
        feed: Some(FeedState {
            title: Some(title.to_owned()),
            ..FeedState::default()
        }),
        page: None,
    };
    let comparison = compare(
        &state("Minister denies report of talks"),
        &state("Minister confirms report of talks"),
    )
    .unwrap();
    let found = assess(&comparison, &Context::default());
    assert!(found.labels.contains(&Headline));
    assert_eq!(found.significance, Substantive);
}

#[test]
fn edits_in_many_languages_are_named() {
    let mut wrong = Vec::new();
    for line in include_str!("../../../../tests/fixtures/assess/edits.tsv")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let fields: Vec<&str> = line.split('\t').collect();
        let [significance, labels, old, new] = fields.as_slice() else {
            panic!("no four fields: {line}");
        };
        let found = body(old, new);
        let names: Vec<String> = found
            .labels
            .iter()
            .map(|label| {
                serde_json::to_value(label)
                    .unwrap()
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        let weight = serde_json::to_value(found.significance).unwrap();
        if names.join(" ") != *labels || weight != *significance {
            let reasons: Vec<String> = found
                .reasons
                .iter()
                .map(|reason| reason.text.clone())
                .collect();
            wrong.push(format!(
                "{line}\n    {weight} {} {reasons:?}",
                names.join(" ")
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn texts_that_would_be_missed_are_told_from_those_that_would_not() {
    use super::states_a_fact;
    for fact in [
        "No injuries have been reported.",
        "Es wurde niemand verletzt.",
        "It will cost 4 euros from May.",
        "Three people died.",
        "\u{201c}We will appeal,\u{201d} the lawyer said.",
        "この問題はまだ修正されていません。",
    ] {
        assert!(states_a_fact(fact), "{fact}");
    }
    for other in [
        "Read all of the day in our app, wherever you happen to be",
        "Our podcast tells the story behind the story every morning",
        "Give a year of good reading to somebody you like",
        "We and our partners store and read information on your device, and you may agree or object to it",
    ] {
        assert!(!states_a_fact(other), "{other}");
    }
}
