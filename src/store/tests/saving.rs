//! Pages that an archive is asked to save.

use std::time::Duration;

use super::*;
use crate::DueSnapshot;
use crate::domain::ids::{ChangeNumber, EventId};
use crate::domain::wayback::{ArchiveReply, ArchiveRequest, SnapshotStep, judge};

fn due(bench: &Bench, when: Timestamp) -> Option<DueSnapshot> {
    bench.reader().due_snapshot(when).unwrap()
}

fn want(bench: &Bench, when: Timestamp) {
    while bench
        .writer()
        .want_snapshots(|_| true, when)
        .blocking()
        .unwrap()
    {}
}

fn settle(
    bench: &Bench,
    due: &DueSnapshot,
    step: SnapshotStep,
    address: Option<&str>,
    when: Timestamp,
) {
    bench
        .writer()
        .settle_snapshot(due, step, address.map(str::to_owned), when)
        .blocking()
        .unwrap();
}

fn with_page(bench: &Bench, entry: EntryId) {
    rusqlite::Connection::open(bench.path())
        .unwrap()
        .execute(
            "UPDATE entries SET page_url = 'https://e.example/' || id WHERE id = ?1",
            [entry],
        )
        .unwrap();
}

#[test]
fn a_change_is_saved_once_and_its_address_is_in_what_is_told_next() {
    let bench = Bench::new();
    let entry = bench.entry("a", "title 0");
    with_page(&bench, entry);
    // Changes from before are not saved.
    want(&bench, at(10));
    assert_eq!(due(&bench, at(10)), None);
    bench.revise(entry, "title 1", &["desk"]);
    assert!(bench.reader().has_unseen().unwrap());
    want(&bench, at(20));
    want(&bench, at(20));
    let first = due(&bench, at(20)).expect("the change is wanted");
    assert_eq!(
        (first.entry, &first.request),
        (entry, &ArchiveRequest::Save)
    );

    // A second change before the first was requested: one save is enough.
    bench.revise(entry, "title 2", &["desk"]);
    want(&bench, at(21));
    assert_eq!(bench.reader().snapshots(entry).unwrap().len(), 1);

    let look = SnapshotStep::Look {
        job: "spn2-1".to_owned(),
        at: at(30),
    };
    settle(&bench, &first, look, None, at(22));
    assert_eq!(due(&bench, at(29)), None);
    // A change while the archive is working needs a save of its own.
    bench.revise(entry, "title 3", &["desk"]);
    want(&bench, at(23));
    let working = due(&bench, at(30)).unwrap();
    let status = ArchiveRequest::Status {
        job: "spn2-1".to_owned(),
        since: at(22),
    };
    assert_eq!(working.request, status, "a job goes first");
    let saves = bench.reader().saves_so_far(entry, at(30)).unwrap();
    assert_eq!((saves.last, saves.page, saves.all), (Some(at(22)), 1, 1));
    let saved = SnapshotStep::Saved {
        timestamp: "20261202171133".to_owned(),
        original: "https://e.example/1".to_owned(),
    };
    let address = "https://web.archive.org/web/20261202171133/https://e.example/1";
    settle(&bench, &working, saved, Some(address), at(31));
    let rows = bench.reader().snapshots(entry).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].address.as_deref(), Some(address));
    assert_eq!(rows[0].change.map(|number| number.0), Some(2));
    let of_change = bench.reader().snapshot_of(ChangeNumber(2)).unwrap();
    assert_eq!(of_change.unwrap().address.as_deref(), Some(address));

    bench.revise(entry, "title 4", &["desk"]);
    let events = bench.reader().events_after(EventId(0), 100).unwrap();
    let archives: Vec<_> = events
        .iter()
        .map(|stored| stored.event.data.entry.as_ref().unwrap().archive.clone())
        .collect();
    assert_eq!(archives, [None, None, None, Some(address.to_owned())]);
}

#[test]
fn what_is_put_off_or_refused_is_kept_with_the_reason() {
    let bench = Bench::new();
    let entry = bench.entry("a", "title 0");
    with_page(&bench, entry);
    want(&bench, at(10));
    bench.revise(entry, "title 1", &[]);
    want(&bench, at(20));
    let page = due(&bench, at(20)).unwrap();
    let later = at(20) + Duration::from_hours(1);
    bench
        .writer()
        .postpone_snapshot(page.id, later)
        .blocking()
        .unwrap();
    assert_eq!(due(&bench, at(21)), None);
    let page = due(&bench, later).unwrap();
    let refused = ArchiveReply {
        status: Some(401),
        body: "",
        retry_after: None,
    };
    let step = judge(&page.request, &page.url, refused, 1, later);
    settle(&bench, &page, step, None, later);
    let counts = bench.reader().snapshot_counts().unwrap();
    assert_eq!((counts.waiting, counts.without_key), (1, 1));
    let later = later + Duration::from_hours(6);
    let page = due(&bench, later).unwrap();
    let why = "error:blocked-url: not archived".to_owned();
    settle(
        &bench,
        &page,
        SnapshotStep::GiveUp { why: why.clone() },
        None,
        later,
    );
    assert_eq!(due(&bench, later), None);
    let rows = bench.reader().snapshots(entry).unwrap();
    assert_eq!((rows[0].error.as_ref(), rows[0].waits), (Some(&why), false));
    let counts = bench.reader().snapshot_counts().unwrap();
    assert_eq!((counts.saved, counts.waiting, counts.refused), (0, 0, 1));
    assert_eq!(counts.without_key, 0);
}

#[test]
fn feeds_that_are_left_out_and_the_time_without_saving_are_not_caught_up() {
    let bench = Bench::new();
    let entry = bench.entry("a", "title 0");
    with_page(&bench, entry);
    want(&bench, at(10));
    bench.revise(entry, "title 1", &[]);
    bench
        .writer()
        .want_snapshots(|feed| feed != "https://news.example/rss.xml", at(20))
        .blocking()
        .unwrap();
    assert_eq!(due(&bench, at(20)), None);
    bench.writer().want_no_snapshots().blocking().unwrap();
    assert!(!bench.reader().wants_snapshots().unwrap());
    bench.revise(entry, "title 2", &[]);
    want(&bench, at(30));
    assert_eq!(due(&bench, at(30)), None);
    assert!(bench.reader().wants_snapshots().unwrap());
}
