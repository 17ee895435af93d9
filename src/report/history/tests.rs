use super::*;
use crate::report::log::plain_view;
use crate::report::sample::{at, revised};

fn history() -> History {
    let data = revised().data;
    let row = |number, seen, title: &str, change| HistoryRow {
        revision: RevisionNumber(number),
        seen: at(seen),
        channels: vec![Channel::Feed],
        title: Some(title.into()),
        words: 120,
        text_dropped: false,
        origin: RevisionOrigin::Look,
        change,
    };
    let change = |number, fields, added, removed| {
        Some(HistoryChange {
            number: ChangeNumber(number),
            fields,
            labels: vec![Label::Wording],
            significance: Significance::Substantive,
            words: WordCount { added, removed },
            revert_of: None,
            quiet: None,
        })
    };
    History {
        feed: data.feed.unwrap(),
        entry: data.entry.unwrap(),
        in_feed: false,
        left_feed: None,
        removed: false,
        life: Vec::new(),
        page: PageRemarks::default(),
        ignored_places: 0,
        ignored_moves: 0,
        date_touches: 2,
        page_checked: Some(at("2026-11-23T11:48:00Z")),
        page_next: Some(at("2026-11-23T12:18:00Z")),
        names: Vec::new(),
        page_barred: None,
        revisions: vec![
            row(
                1,
                "2026-11-23T08:02:00Z",
                "Minister denies report of talks",
                None,
            ),
            row(
                2,
                "2026-11-23T08:32:00Z",
                "Minister denies report of talks",
                change(407, vec![Field::Body], 31, 0),
            ),
            row(
                3,
                "2026-11-23T09:04:12Z",
                "Minister confirms report of talks",
                change(412, vec![Field::Title, Field::Body], 9, 10),
            ),
        ],
    }
}

#[test]
fn the_newest_revision_comes_first_and_headlines_are_marked() {
    assert_eq!(
            text(&history(), &plain_view(at("2026-11-23T12:00:00Z"))),
            "\
Example News · ent_7 · A. Reporter
https://news.example/a/123

rev  first seen           headline                           words   change
  3  2026-11-23 09:04  ●  Minister confirms report of talks  +9 −10  #412 headline, text
  2  2026-11-23 08:32     Minister denies report of talks    +31 −0  #407 text
  1  2026-11-23 08:02  ○  Minister denies report of talks            first seen 2 min after publication

a claimed date moved 2 times while the text stayed (fake-freshness)
no longer in the feed
page checked 12 min ago, next check in 18 min
"
        );
}

#[test]
fn names_are_listed_once_there_was_a_merge() {
    let mut history = history();
    let name = |value: &str, reason: &str, since| HistoryName {
        kind: "guid",
        value: value.into(),
        reason: reason.into(),
        since: at(since),
        taken_from: None,
    };
    history.names = vec![name("a", "first seen", "2026-11-23T08:02:00Z")];
    let view = plain_view(at("2026-11-23T12:00:00Z"));
    assert!(!text(&history, &view).contains("known by"));
    let merged = name(
        "b\u{1b}[2J",
        "same address, new guid",
        "2026-11-23T09:04:12Z",
    );
    history.names.push(merged);
    let text = text(&history, &view);
    assert!(
        text.contains(
            "known by\n  2026-11-23 08:02  guid a (first seen)\n  \
                 2026-11-23 09:04  guid b (same address, new guid)\n"
        ),
        "{text}"
    );
}

#[test]
fn what_became_of_the_article_is_said_below() {
    let mut history = history();
    history.left_feed = Some(Left::Early);
    history.removed = true;
    history.life = vec![LifeRow {
        event: EventKind::EntryRemoved,
        window: Some(Window {
            last_unchanged: at("2026-11-23T10:00:00Z"),
            first_changed: at("2026-11-23T10:10:00Z"),
            checks: 1,
            failed_checks: 0,
        }),
        detail: Some("returned 404 Not Found; 3 checks over 6h found it missing".into()),
    }];
    history.page = PageRemarks {
        reason: Some("not_found"),
        error: Some("returned 404 Not Found".into()),
        failures: 4,
        missing_since: Some(at("2026-11-23T10:10:00Z")),
        held_since: Some(at("2026-11-23T09:50:00Z")),
        unconfirmed: 1,
    };
    let text = text(&history, &plain_view(at("2026-11-23T18:00:00Z")));
    for line in [
        "taken down between 2026-11-23 10:00 and 2026-11-23 10:10: returned 404 Not Found; 3 checks over 6h found it missing",
        "left the feed early, while older entries were still listed",
        "last check of the page: returned 404 Not Found",
        "another text since 2026-11-23 09:50: waiting for a second check to confirm it",
        "another text was seen 1 time and not confirmed by a second check",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
    let value = serde_json::to_value(history).unwrap();
    assert_eq!(value["left_feed"], "early");
    assert_eq!(value["page_reason"], "not_found");
    assert_eq!(value["life"][0]["event"], "entry.removed");
}

#[test]
fn the_machine_form_is_in_order_and_without_nulls() {
    let mut history = history();
    history.revisions[2].change.as_mut().unwrap().quiet = Some(Quiet::BulkEdit);
    let value = serde_json::to_value(history).unwrap();
    assert_eq!(value["revisions"][0]["revision"], 1);
    assert!(value["revisions"][0].get("change").is_none());
    assert_eq!(value["revisions"][2]["change"]["quiet"], "bulk_edit");
    assert!(!value.to_string().contains("null"));
}
