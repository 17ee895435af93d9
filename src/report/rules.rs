//! `revisor rules`: the rules with their evidence, and what they would have done.

use std::fmt::Write as _;

use serde::Serialize;

use super::clean;
use super::ignored;
use super::names;
use super::style::{Line, TextRole};
use super::when::TimeView;
use crate::domain::furniture::{RuleEvidence, with_places};
use crate::domain::ids::{ChangeNumber, RuleId};
use crate::time::Timestamp;

/// How much of a text is shown.
const SHOWN: usize = 100;

/// A rule. Its JSON form is an element of the output of `rules --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RuleView {
    /// Its number.
    pub number: RuleId,
    /// The feed that it applies to; absent if it applies to all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feed: Option<String>,
    /// `text`, `template` or `ignore`.
    pub kind: &'static str,
    /// A text as published, or a regular expression.
    pub pattern: String,
    /// `learned`, `person` or `config`.
    pub origin: &'static str,
    /// Whether it is in force.
    pub active: bool,
    /// Since when it has been in force, or not in force.
    pub since: Timestamp,
    /// When a user made it permanent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<Timestamp>,
    /// What it was learned from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<RuleEvidence>,
    /// How often the text that it ignores has moved so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<RuleMoves>,
}

/// Ignored text of a rule that moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RuleMoves {
    /// How often.
    pub times: u64,
    /// In how many entries.
    pub entries: u64,
    /// When it last moved.
    pub last_at: Timestamp,
    /// The text before it last moved; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The text after; absent if it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The rules, each with its text and its origin.
#[must_use]
pub(crate) fn text(rules: &[RuleView], view: &TimeView) -> String {
    let mut out = String::new();
    for rule in rules {
        let feed = rule.feed.as_deref().map_or_else(
            || "all feeds".to_owned(),
            |feed| clean::line(feed).into_owned(),
        );
        let head = Line::new()
            .with(TextRole::Strong, format!("{} ", rule.number))
            .with(TextRole::Faint, format!("{feed}  {}", what(rule)));
        let head = match rule.active {
            true => head,
            false => head.with(TextRole::Faint, "  (ended)"),
        };
        out.push_str(&head.paint(view.paint));
        // Writing to a String cannot fail.
        let places = rule.evidence.as_ref().map(|evidence| &evidence.places);
        let pattern = with_places(&rule.pattern, places.map_or(&[], Vec::as_slice));
        let _ = writeln!(out, "\n    {}", clean::excerpt(&pattern, SHOWN));
        let why = Line::new().with(TextRole::Faint, format!("    {}", why(rule, view)));
        out.push_str(&why.paint(view.paint));
        out.push('\n');
        out.extend(rule.left_out.as_ref().map(|moves| left_out(moves, view)));
    }
    out
}

fn left_out(moves: &RuleMoves, view: &TimeView) -> String {
    let (before, after) = (moves.before.as_deref(), moves.after.as_deref());
    let head = format!(
        "ignored {} in {}, last {}: ",
        names::count(moves.times, "movement"),
        names::count(moves.entries, "article"),
        view.moment(moves.last_at)
    );
    let line = Line::new().with(TextRole::Faint, head);
    line.and(ignored::words(before, after))
        .wrap("    ", "      ", view.paint)
}

fn what(rule: &RuleView) -> &'static str {
    let evidence = rule.evidence.as_ref();
    match rule.kind {
        "text" => "blocks with this text",
        "template" if evidence.is_some_and(|evidence| evidence.in_titles) => {
            "a number like this, before or after headlines"
        }
        "template" if evidence.is_some_and(|evidence| !evidence.places.is_empty()) => {
            "the places in braces, in blocks like this"
        }
        "template" => "blocks like this, whatever the numbers and names",
        _ => "parts of texts that match",
    }
}

fn why(rule: &RuleView, view: &TimeView) -> String {
    let since = view.moment(rule.since);
    let verb = if rule.active { "since" } else { "ended" };
    let kept = if rule.kept.is_some() && rule.origin == "learned" {
        ", kept by you"
    } else {
        ""
    };
    match &rule.evidence {
        Some(evidence) if evidence.retired => format!(
            "learned by an older version that ignored more than it had seen move; ended {since}"
        ),
        Some(evidence) => {
            let moves = match evidence.moves {
                0 => String::new(),
                1 => ", moved once".to_owned(),
                moves => format!(", moved {moves} times"),
            };
            let entries = evidence.entries.first().map_or_else(String::new, |entry| {
                format!(", as in {}", clean::excerpt(entry, 40))
            });
            format!(
                "learned: {} ({} of {} articles{moves}, seen since {}{entries}); {verb} {since}{kept}",
                clean::line(&evidence.why),
                evidence.articles,
                evidence.of,
                view.moment(evidence.since),
            )
        }
        None if rule.origin == "config" => {
            format!("detect.ignore in the configuration; {verb} {since}")
        }
        None => format!("added by you; {verb} {since}"),
    }
}

/// The state of a rule after a user changed it.
#[must_use]
pub(crate) fn set(rule: &RuleView) -> String {
    let what = match rule.active {
        true => "is in force",
        false => "is not in force any more",
    };
    format!(
        "rule {} {what}: {}",
        rule.number,
        clean::excerpt(&rule.pattern, SHOWN)
    )
}

/// The stored changes under the current rules. Its JSON form is the output of `rules test --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Replay {
    /// The start of the replay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// How many changes would be reported now.
    pub alerts: usize,
    /// How many were reported.
    pub instead_of: usize,
    /// Those that were reported, oldest first.
    pub changes: Vec<ReplayedChange>,
}

/// A change that was reported.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ReplayedChange {
    /// Its number.
    pub number: ChangeNumber,
    /// The name of its feed.
    pub feed: String,
    /// The headline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Whether it would still be reported.
    pub told: bool,
}

impl Replay {
    /// Summarises the changes that were reported.
    #[must_use]
    pub(crate) fn of(since: Option<Timestamp>, changes: Vec<ReplayedChange>) -> Self {
        Self {
            since,
            alerts: changes.iter().filter(|change| change.told).count(),
            instead_of: changes.len(),
            changes,
        }
    }
}

/// The summary, then the changes.
#[must_use]
pub(crate) fn replay_text(replay: &Replay, view: &TimeView) -> String {
    let plural = if replay.alerts == 1 { "" } else { "s" };
    let since = replay.since.map_or_else(String::new, |since| {
        format!(" since {}", view.moment(since))
    });
    let mut out = format!(
        "{} alert{plural} instead of {}{since}\n",
        replay.alerts, replay.instead_of
    );
    for change in &replay.changes {
        let verdict = if change.told { "reported" } else { "ignored " };
        let role = if change.told {
            TextRole::Plain
        } else {
            TextRole::Faint
        };
        let title = change.title.as_deref().unwrap_or(names::NO_HEADLINE);
        let line = Line::new().with(
            role,
            format!(
                "{verdict}  #{}  {}  {}",
                change.number,
                clean::line(&change.feed),
                clean::excerpt(title, SHOWN)
            ),
        );
        out.push_str(&line.paint(view.paint));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::furniture::{TemplatePlace, ValueKind};
    use crate::report::style::Paint;

    fn view() -> TimeView {
        TimeView {
            now: Timestamp::from_unix(1_795_132_800),
            zone: chrono_tz::Tz::UTC,
            paint: Paint {
                colour: false,
                width: Some(100),
            },
        }
    }

    #[test]
    fn a_rule_says_what_it_was_learned_from() {
        let rule = RuleView {
            number: RuleId(7),
            feed: Some("example-news".to_owned()),
            kind: "template",
            pattern: "12 people are\u{1b}[31m reading this".to_owned(),
            origin: "learned",
            active: true,
            since: Timestamp::from_unix(1_795_132_800),
            kept: None,
            evidence: Some(RuleEvidence {
                why: "churns in most articles".to_owned(),
                articles: 20,
                of: 30,
                moves: 61,
                since: Timestamp::from_unix(1_795_046_400),
                entries: vec!["ent_abc".to_owned()],
                places: vec![TemplatePlace {
                    at: 0,
                    kinds: vec![ValueKind::Whole],
                }],
                ..RuleEvidence::default()
            }),
            left_out: Some(RuleMoves {
                times: 3,
                entries: 2,
                last_at: Timestamp::from_unix(1_795_132_800),
                before: Some("12 people are reading this".to_owned()),
                after: Some("14 people are reading this".to_owned()),
            }),
        };
        let shown = text(std::slice::from_ref(&rule), &view());
        assert!(
            shown.contains("20 of 30 articles, moved 61 times")
                && shown.contains("{12} people are"),
            "{shown}"
        );
        assert!(
            shown.contains("ignored 3 movements in 2 articles")
                && shown.contains("[-12-]{+14+} people are reading"),
            "{shown}"
        );
        assert!(
            shown.contains("ent_abc") && !shown.contains('\u{1b}'),
            "{shown}"
        );
        assert_eq!(
            set(&RuleView {
                active: false,
                ..rule
            }),
            "rule 7 is not in force any more: 12 people are reading this"
        );
    }

    #[test]
    fn the_sum_comes_first() {
        let change = |number: i64, told: bool| ReplayedChange {
            number: ChangeNumber(number),
            feed: "n".to_owned(),
            title: Some("T".to_owned()),
            told,
        };
        let replay = Replay::of(None, vec![change(1, true), change(2, false)]);
        assert_eq!(
            replay_text(&replay, &view()),
            "1 alert instead of 2\nreported  #1  n  T\nignored   #2  n  T\n"
        );
    }
}
