use super::*;
use crate::domain::outcome::Quiet;
use crate::report::log::plain_view;
use crate::report::sample::{at, block, delete, equal, insert, revised};
use crate::report::style::Paint;

fn view() -> TimeView {
    TimeView {
        paint: Paint {
            colour: false,
            width: Some(80),
        },
        zone: chrono_tz::Europe::Paris,
        now: at("2026-11-23T12:00:00Z"),
    }
}

fn shown() -> ShownChange {
    let mut event = revised();
    let body = event.data.diff.as_mut().unwrap().body.as_mut().unwrap();
    body.blocks.push(block(
        BlockOp::Equal,
        2,
        3,
        vec![equal("The talks went on.")],
    ));
    body.blocks
        .push(block(BlockOp::Delete, 4, 0, vec![delete("He denied it.")]));
    body.blocks
        .push(block(BlockOp::Insert, 0, 7, vec![insert("She said so.")]));
    ShownChange {
        row: LogRow { event, quiet: None },
        archived: Some(Archived {
            address: Some(
                "https://web.archive.org/web/20261202171133/https://e.example/a".to_owned(),
            ),
            error: None,
            waiting: false,
        }),
        told: vec![
            Told {
                target: "desk".into(),
                state: "delivered".into(),
                done: Some(at("2026-11-23T09:04:13Z")),
                attempts: 1,
                error: None,
            },
            Told {
                target: "archive".into(),
                state: "pending".into(),
                done: None,
                attempts: 4,
                error: Some("HTTP 503".into()),
            },
        ],
    }
}

#[test]
fn a_change_is_shown_headline_first_with_its_reasons() {
    assert_eq!(
        full(&shown(), false, &view()),
        include_str!("../../../tests/fixtures/report/show.txt")
    );
}

#[test]
fn all_text_is_shown_on_request() {
    let text = full(&shown(), true, &view());
    assert!(text.contains("¶2→3 The talks went on."));
    assert!(text.contains("··· 3 paragraphs unchanged\n"), "{text}");
}

#[test]
fn with_colour_the_words_are_marked_in_place() {
    let mut view = view();
    view.paint.colour = true;
    let text = full(&shown(), false, &view);
    assert!(text.contains("− Minister \x1b[9m\x1b[31mdenies\x1b[0m report of talks\n"));
    assert!(text.contains("+ Minister \x1b[4m\x1b[32mconfirms\x1b[0m report of talks\n"));
    assert!(!text.contains("[-"));
}

#[test]
fn quiet_changes_say_why_nobody_was_told() {
    let mut shown = shown();
    shown.row.quiet = Some(Quiet::Flapping);
    shown.told.clear();
    shown.archived = None;
    assert!(full(&shown, false, &view()).ends_with("\nno alert: flapping\n"));
}

#[test]
fn no_escape_of_a_stranger_gets_out() {
    let mut shown = shown();
    let nasty = "x\u{1b}]0;p\u{7}\u{9b}2J\r\n\u{202e}y";
    let data = &mut shown.row.event.data;
    data.detail = Some(nasty.into());
    data.feed.as_mut().unwrap().title = Some(nasty.into());
    data.feed.as_mut().unwrap().tags = vec![nasty.into()];
    data.entry.as_mut().unwrap().url = Some(nasty.into());
    let change = data.change.as_mut().unwrap();
    change.reasons[0].text = nasty.into();
    change.score_parts[0].why = nasty.into();
    let diff = data.diff.as_mut().unwrap();
    diff.title = Some(vec![delete(nasty), insert("z")]);
    diff.guid = Some([nasty.into(), nasty.into()]);
    diff.body.as_mut().unwrap().blocks[0].segments = vec![insert(nasty)];
    shown.told[1].error = Some(nasty.into());
    for text in [
        full(&shown, true, &plain_view(at("2026-11-23T12:00:00Z"))),
        log::short(&shown.row, &view()),
        crate::report::markdown::item(&shown.row, &view()),
        crate::report::csv::record(&shown.row),
    ] {
        let bad = |c: char| (c.is_control() && c != '\n' && c != '\r') || c == '\u{202e}';
        assert!(!text.contains(bad), "{text:?}");
    }
}
