use std::time::Duration;

use chrono_tz::Tz;

use super::*;
use crate::domain::event::{Event, EventKind, Field};
use crate::domain::ids::{ChangeNumber, RevisionNumber};
use crate::report::html::Links;
use crate::report::log::plain_view;
use crate::report::sample::{at, bare, delete, insert, revised};
use crate::report::style::Paint;
use crate::report::when::TimeView;

const NASTY: &str = "</style><script>alert(1)</script> [x](javascript:alert(1)) \u{202e}\u{1b}[2J";

fn view() -> TimeView {
    TimeView {
        paint: Paint {
            colour: false,
            width: Some(80),
        },
        ..plain_view(at("2026-11-24T00:00:00Z"))
    }
}

fn row(event: Event) -> LogRow {
    LogRow { event, quiet: None }
}

/// A change to its own article, with a number, labels and a score.
fn change(number: i64, score: u8, labels: &[Label], fields: &[Field]) -> LogRow {
    let mut event = revised();
    let data = &mut event.data;
    data.number = Some(ChangeNumber(number));
    data.entry.as_mut().unwrap().id = format!("ent_{number}");
    let change = data.change.as_mut().unwrap();
    change.score = score;
    change.labels = labels.to_vec();
    change.fields = fields.to_vec();
    row(event)
}

fn report_of(rows: Vec<LogRow>, by: GroupBy) -> Report {
    let (since, until) = (at("2026-11-17T00:00:00Z"), at("2026-11-24T00:00:00Z"));
    let mut builder = Builder::new(since, until, by, Tz::UTC);
    let mut details = Details::default();
    for (id, row) in (1..).map(EventId).zip(rows.into_iter().rev()) {
        let data = &row.event.data;
        let (feed, entry) = (Some(FeedId(id.0)), Some(EntryId(id.0)));
        builder.add(Outline::of(id, feed, entry, &row.event));
        details.feeds.extend(feed.zip(data.feed.clone()));
        let name = data.entry.as_ref().map(|entry| (entry.id.clone(), None));
        details.entries.extend(entry.zip(name));
        details.rows.insert(id, row);
    }
    let around = ReportContext {
        watched: WatchedTotals {
            feeds: 2,
            articles: 40,
            pages: 31,
        },
        ignored: IgnoredCount {
            places: 3,
            articles: 2,
        },
        hidden: 5,
        coverage: Coverage {
            feeds_ok: 1,
            gaps: vec![FeedGap {
                feed: "gazette".into(),
                state: FeedCoverage::Failing,
                since: Some(at("2026-11-20T10:00:00Z")),
                missed: 14,
                error: Some("the connection was refused".into()),
            }],
            pages_late: 2,
            ..Coverage::default()
        },
    };
    builder.finish(around, &details)
}

fn numbers(report: &Report, places: &[usize]) -> Vec<i64> {
    let numbers = report.rows(places).filter_map(|row| row.event.data.number);
    numbers.map(|number| number.0).collect()
}

#[test]
fn each_change_is_in_one_section_and_the_weightiest_come_first() {
    let report = report_of(
        vec![
            change(9, 40, &[Label::Headline], &[Field::Title]),
            change(8, 70, &[Label::Headline], &[Field::Title, Field::Body]),
            change(7, 30, &[Label::Number], &[Field::Body]),
            change(6, 55, &[Label::Unannounced], &[Field::Body]),
            change(5, 90, &[Label::Wording], &[Field::Body]),
            row(bare(EventKind::EntryRemoved)),
        ],
        GroupBy::Feed,
    );
    assert_eq!(numbers(&report, &report.headlines), [8, 9]);
    assert_eq!(numbers(&report, &report.notable), [6, 7]);
    assert_eq!(numbers(&report, &report.rest), [5]);
    assert_eq!(report.removed.len(), 1);
    assert_eq!(report.totals.changes, 5);
    assert_eq!(report.totals.removed, 1);
    assert_eq!(report.totals.articles, 5);
    assert_eq!(report.left_out, 0);
    assert_eq!(report.groups[0].changes, 6);
}

#[test]
fn a_change_whose_page_was_archived_leads_to_the_snapshot() {
    let rows = vec![change(7, 30, &[Label::Number], &[Field::Body])];
    let mut report = report_of(rows, GroupBy::Feed);
    let links = Links::default();
    assert!(!html::render(&report, &view(), &links).contains("Archived"));
    let address = "https://web.archive.org/web/20261123100400/https://news.example/a";
    report.snapshots.insert(ChangeNumber(7), address.to_owned());
    let shown = html::render(&report, &view(), &links);
    assert!(shown.contains(&format!("href=\"{address}\"")), "{shown}");
    let shown = markdown::render(&report, &view());
    assert!(shown.contains("  \n  Archived: "), "{shown}");
    let shown = text::render(&report, &view());
    assert!(
        shown.contains("      archived:") && shown.contains(address),
        "{shown}"
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["snapshots"]["7"], address);
}

#[test]
fn a_report_of_very_many_changes_stays_bounded_and_counts_the_rest() {
    let rows = (1..=1000).rev().map(|number| {
        let score = u8::try_from(number % 100).unwrap();
        change(number, score, &[Label::Headline], &[Field::Title])
    });
    let report = report_of(rows.collect(), GroupBy::Feed);
    assert_eq!(report.headlines.len(), IN_FULL);
    assert_eq!(report.rest.len(), LINES);
    assert_eq!(report.left_out, 1000 - (IN_FULL + LINES) as u64);
    assert_eq!(report.totals.changes, 1000);
    let best = numbers(&report, &report.headlines);
    assert!(best.iter().all(|number| number % 100 >= 95), "{best:?}");
}

#[test]
fn days_without_a_change_are_days_too() {
    let report = report_of(vec![change(1, 10, &[], &[Field::Body])], GroupBy::Feed);
    assert_eq!(report.days.len(), 7);
    assert_eq!(report.days.iter().map(|day| day.changes).sum::<u64>(), 1);
    let busy = report.days.iter().find(|day| day.changes == 1).unwrap();
    assert_eq!(busy.day.to_string(), "2026-11-23");
}

#[test]
fn the_first_edit_of_an_article_has_its_delay() {
    let mut first = change(1, 10, &[], &[Field::Body]);
    let data = &mut first.event.data;
    data.before.as_mut().unwrap().revision = RevisionNumber(1);
    let changed = data.change.as_ref().unwrap().window.first_changed;
    data.entry.as_mut().unwrap().published = Some(changed - Duration::from_mins(20));
    let report = report_of(
        vec![first, change(2, 10, &[], &[Field::Body])],
        GroupBy::Feed,
    );
    let counted: Vec<_> = report
        .delays
        .iter()
        .filter(|delay| delay.articles > 0)
        .collect();
    assert_eq!(counted.len(), 1);
    assert_eq!(counted[0].name, "1 h");
}

#[test]
fn groups_are_feeds_tags_or_articles() {
    let rows = || {
        let mut tagged = change(2, 10, &[], &[Field::Body]);
        tagged.event.data.feed.as_mut().unwrap().tags = vec!["a".into(), "b".into()];
        let mut bare = change(1, 10, &[], &[Field::Body]);
        bare.event.data.feed.as_mut().unwrap().tags.clear();
        vec![tagged, bare]
    };
    let keys = |by| -> Vec<String> {
        let report = report_of(rows(), by);
        report.groups.into_iter().map(|group| group.key).collect()
    };
    assert_eq!(keys(GroupBy::Feed), ["example-news"]);
    assert_eq!(keys(GroupBy::Tag), ["-", "a", "b"]);
    assert_eq!(keys(GroupBy::Entry), ["ent_1", "ent_2"]);
}

#[test]
fn the_text_is_for_reading() {
    let mut edited = change(411, 62, &[Label::Number], &[Field::Body]);
    edited.event.data.diff.as_mut().unwrap().title = None;
    let report = report_of(vec![row(revised()), edited], GroupBy::Feed);
    let shown = text::render(&report, &view());
    assert!(
        shown
            .lines()
            .all(|line| crate::report::style::columns(line) <= 80),
        "{shown}"
    );
    for wanted in [
        "Changes from 2026-11-17 00:00 to 2026-11-24 00:00 (UTC)\n",
        "2 changes in 2 articles, 1 new headline",
        "5 changes hidden (--all shows them).",
        "Ignored text moved in 3 places of 2 articles (revisor log --ignored).",
        "\nHEADLINES (1)\n#412",
        "Minister [-denies-]{+confirms+} report of talks",
        "\nUNANNOUNCED EDITS, FIGURES, NEGATIONS, QUOTATIONS (1)\n#411",
        "\nCOVERAGE\n  2 feeds, 40 articles, 31 pages still being checked.\n",
        "  1 of 2 feeds not read as scheduled.\n",
        "2 pages overdue for a check.",
        "gazette: failing, last read 2026-11-20 10:00 (3 d ago), 14 polls failed",
    ] {
        assert!(shown.contains(wanted), "{wanted:?} is not in\n{shown}");
    }
}

#[test]
fn a_calm_period_is_said_in_every_form() {
    let report = report_of(Vec::new(), GroupBy::Feed);
    for text in [
        text::render(&report, &view()),
        markdown::render(&report, &view()),
        html::render(&report, &view(), &Links::default()),
    ] {
        assert!(text.contains("No changes."), "{text}");
        assert!(
            text.contains("gazette"),
            "a gap is told all the same: {text}"
        );
    }
}

#[test]
fn nothing_of_a_stranger_becomes_markup() {
    let mut nasty = change(1, 10, &[Label::Number], &[Field::Title]);
    let data = &mut nasty.event.data;
    data.feed.as_mut().unwrap().title = Some(NASTY.into());
    data.feed.as_mut().unwrap().name = NASTY.into();
    data.entry.as_mut().unwrap().url = Some("javascript:alert(1)//https://x".into());
    data.after.as_mut().unwrap().title = Some(NASTY.into());
    data.diff.as_mut().unwrap().title = Some(vec![delete(NASTY), insert("<img src=x>")]);
    let mut lesser = change(2, 10, &[], &[Field::Body]);
    lesser.event.data.after.as_mut().unwrap().title = Some(NASTY.into());
    lesser.event.data.diff = None;
    let report = report_of(vec![nasty, lesser.clone(), lesser], GroupBy::Feed);
    let page = html::render(&report, &view(), &Links::default());
    assert!(
        !page.contains("<script") && !page.contains("<img"),
        "{page}"
    );
    assert!(!page.contains("href=\"javascript"), "{page}");
    assert_eq!(page.matches("</style>").count(), 1);
    let marked = markdown::render(&report, &view());
    assert!(
        !marked.contains("](javascript") && !marked.contains("<script"),
        "{marked}"
    );
    for shown in [page, marked, text::render(&report, &view())] {
        assert!(!shown.contains(['\u{202e}', '\u{1b}']), "{shown}");
    }
}

#[test]
fn the_json_has_each_event_once_and_sections_that_name_their_places() {
    let report = report_of(
        vec![
            row(revised()),
            change(5, 90, &[Label::Wording], &[Field::Body]),
        ],
        GroupBy::Feed,
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["changes"].as_array().unwrap().len(), 2);
    let place = usize::try_from(json["headlines"][0].as_u64().unwrap()).unwrap();
    assert_eq!(json["changes"][place]["data"]["number"], 412);
    assert_eq!(json["coverage"]["gaps"][0]["state"], "failing");
    assert_eq!(json["days"].as_array().unwrap().len(), 7);
}
