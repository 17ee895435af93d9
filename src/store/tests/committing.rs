use super::*;
use crate::domain::ids::ChangeNumber;
use crate::domain::outcome::{ClaimedDates, PageCheck, Quiet};

#[test]
fn a_first_sight_is_stored_whole() {
    let bench = Bench::new();
    let mut look = outcome(bench.feed);
    look.feed_capture = Some(capture("<rss/>"));
    look.entries.push(first_sight("a", "Twelve held", at(1)));
    look.entries.push(first_sight("b", "Rain", at(1)));
    look.baseline = true;
    look.guids_trusted = Some(true);
    look.poll.as_mut().unwrap().validators = Some(validators("\"1\""));
    look.poll.as_mut().unwrap().title = Some("News".into());
    let committed = bench.commit(look).unwrap();
    assert_eq!(committed.new_entries, 2);
    assert_eq!(committed.entry_ids.len(), 2);
    assert!(committed.changes.is_empty());

    let reader = bench.reader();
    let feed = reader.feed(bench.feed).unwrap().unwrap();
    assert_eq!(feed.baseline, Some(at(1)));
    assert_eq!(feed.guids_trusted, Some(true));
    assert_eq!(feed.validators, validators("\"1\""));
    assert_eq!(feed.title.as_deref(), Some("News"));
    let known = reader
        .known_entries(bench.feed, &[guid("b"), guid("nobody"), guid("a")])
        .unwrap();
    let rows: Vec<EntryId> = known.iter().map(|bearer| bearer.entry.id).collect();
    assert_eq!(rows, [committed.entry_ids[1], committed.entry_ids[0]]);
    let entry = &known[1].entry;
    assert!(entry.public_id.starts_with("ent_"));
    assert_eq!(entry.revision, RevisionNumber::FIRST);
    assert_eq!(entry.feed_fp, Some(fingerprint("Twelve held")));
    assert_eq!(entry.page_fp, None);
    assert_eq!(entry.claimed.published(), Some(at(-3600)));
    assert!(entry.in_feed);
    assert_eq!(
        reader.entries_in_feed(bench.feed).unwrap(),
        committed.entry_ids
    );
}

#[test]
fn a_change_gets_its_number_and_the_names_of_the_database() {
    let bench = Bench::new();
    let entry = bench.entry("a", "Twelve held");
    let committed = bench.revise(entry, "Twenty-one held", &["desk"]);
    assert_eq!(committed.changes, [ChangeNumber(1)]);
    let reader = bench.reader();
    let change = reader.change(ChangeNumber(1)).unwrap().unwrap();
    let data = &change.stored.event.data;
    assert_eq!(data.number, Some(ChangeNumber(1)));
    let public_id = reader.entry(entry).unwrap().unwrap().public_id;
    assert_eq!(data.entry.as_ref().unwrap().id, public_id);
    assert!(change.stored.uid.starts_with("msg_"));
    assert_eq!(change.before, RevisionNumber(1));
    assert_eq!(change.after, RevisionNumber(2));
    let full = reader.load_entry(entry).unwrap().unwrap();
    assert_eq!(full.state, state("a", "Twenty-one held"));
    assert_eq!(full.entry.last_change, Some(at(60)));
    assert_eq!(full.history.len(), 2);
    assert_eq!(
        full.history[0].fingerprints.feed_title,
        Some(fingerprint("Twelve held"))
    );
    assert_eq!(full.changes.len(), 1);
    assert!(!full.changes[0].additive);
}

#[test]
fn a_revision_that_is_not_the_next_is_a_conflict_and_leaves_nothing() {
    let bench = Bench::new();
    let entry = bench.entry("a", "one");
    for number in [RevisionNumber(1), RevisionNumber(3)] {
        let mut look = outcome(bench.feed);
        look.feed_capture = Some(capture("new"));
        look.entries.push(first_sight("z", "other", at(9)));
        look.entries
            .push(revised(entry, number, "two", at(9), &["desk"]));
        look.poll.as_mut().unwrap().at = at(900);
        let error = bench.commit(look).unwrap_err();
        assert!(error.is_conflict(), "{error}");
    }
    for (table, rows) in [
        ("entries", 1),
        ("revisions", 1),
        ("captures", 0),
        ("bodies", 0),
        ("changes", 0),
        ("events", 0),
        ("deliveries", 0),
        ("aliases", 1),
    ] {
        assert_eq!(bench.count(table), rows, "{table}");
    }
    let feed = bench.reader().feed(bench.feed).unwrap().unwrap();
    assert_eq!(feed.last_ok, Some(at(1)));
}

#[test]
fn numbers_of_changes_are_never_used_again() {
    let mut bench = Bench::new();
    let entry = bench.entry("a", "one");
    assert_eq!(bench.revise(entry, "two", &[]).changes, [ChangeNumber(1)]);
    let mut failing = outcome(bench.feed);
    failing
        .entries
        .push(revised(entry, RevisionNumber(3), "three", at(70), &[]));
    failing
        .entries
        .push(revised(entry, RevisionNumber(9), "nine", at(70), &[]));
    bench.commit(failing).unwrap_err();
    assert_eq!(bench.revise(entry, "three", &[]).changes, [ChangeNumber(2)]);
    bench.close();
    let conn = rusqlite::Connection::open(bench.path()).unwrap();
    conn.execute_batch(
        "PRAGMA foreign_keys = OFF; DELETE FROM changes WHERE number = 2; DELETE FROM events WHERE id = 2;",
    )
    .unwrap();
    drop(conn);
    bench.store = Some(Store::open(&bench.path(), &OpenOptions::default()).unwrap());
    assert_eq!(bench.revise(entry, "four", &[]).changes, [ChangeNumber(3)]);
    assert_eq!(bench.reader().last_event().unwrap().0, 3);
}

#[test]
fn the_same_body_and_the_same_state_are_stored_once() {
    let bench = Bench::new();
    for name in ["a", "b"] {
        let mut look = outcome(bench.feed);
        look.feed_capture = Some(capture("the same"));
        let mut entry = first_sight(name, "Rain", at(1));
        entry.revision.as_mut().unwrap().state = state("x", "Rain");
        look.entries.push(entry);
        bench.commit(look).unwrap();
    }
    assert_eq!(bench.count("captures"), 2);
    assert_eq!(bench.count("bodies"), 1);
    assert_eq!(bench.count("revisions"), 2);
    assert_eq!(bench.count("states"), 1);
}

#[test]
fn revisions_are_chained() {
    let bench = Bench::new();
    let entry = bench.entry("a", "one");
    bench.revise(entry, "two", &[]);
    let history = bench.reader().history(entry, 10).unwrap();
    let mut previous = [0; 32];
    for row in &history {
        let (state, seen) = bench.reader().state(entry, row.number).unwrap().unwrap();
        let json = serde_json::to_vec(&state).unwrap();
        let captures = codec::sha256(&[]);
        let state = codec::sha256(&[&json]);
        let expected = chain::link(&previous, &state, row.number, seen, Some(&captures));
        assert_eq!(row.hash, expected);
        previous = row.hash;
    }
    assert_eq!(history.len(), 2);
    assert_eq!(history[1].change, Some(ChangeNumber(1)));
    assert_eq!(history[1].words, 4);
}

#[test]
fn a_quiet_change_is_stored_and_told_to_nobody() {
    let bench = Bench::new();
    let entry = bench.entry("a", "one");
    let mut look = outcome(bench.feed);
    let mut quiet = revised(entry, RevisionNumber(2), "One", at(60), &["desk"]);
    quiet
        .revision
        .as_mut()
        .unwrap()
        .change
        .as_mut()
        .unwrap()
        .quiet = Some(Quiet::Insignificant);
    look.entries.push(quiet);
    bench.commit(look).unwrap();
    assert_eq!(bench.count("deliveries"), 0);
    let reader = bench.reader();
    assert!(reader.changes(&ChangeFilter::default()).unwrap().is_empty());
    let all = ChangeFilter {
        include_quiet: true,
        ..ChangeFilter::default()
    };
    assert_eq!(
        reader.changes(&all).unwrap()[0].quiet,
        Some(Quiet::Insignificant)
    );
}

#[test]
fn a_touched_date_is_counted_and_makes_no_revision() {
    let bench = Bench::new();
    let entry = bench.entry("a", "one");
    let mut look = outcome(bench.feed);
    let mut touched = EntryOutcome::of(EntryRef::Known(entry));
    touched.date_touched = true;
    touched.claimed = Some(ClaimedDates {
        feed_updated: Some(at(50)),
        ..ClaimedDates::default()
    });
    look.entries.push(touched);
    bench.commit(look).unwrap();
    let known = bench.reader().entry(entry).unwrap().unwrap();
    assert_eq!(known.date_touches, 1);
    assert_eq!(known.claimed.feed_updated, Some(at(50)));
    assert_eq!(known.revision, RevisionNumber::FIRST);

    // A revision from the page repeats what the feed claimed long ago.
    let mut look = outcome(bench.feed);
    let mut paged = revised(entry, RevisionNumber(2), "two", at(60), &[]);
    paged.revision.as_mut().unwrap().channels = vec![Channel::Page];
    look.entries.push(paged);
    bench.commit(look).unwrap();
    let known = bench.reader().entry(entry).unwrap().unwrap();
    assert_eq!(known.claimed.feed_updated, Some(at(50)));
}

#[test]
fn looks_at_a_page_are_noted_and_a_new_address_forgets_the_validators() {
    let bench = Bench::new();
    let entry = bench.entry("a", "one");
    let check = |ok: bool, when: Timestamp| {
        let mut look = outcome(bench.feed);
        look.poll = None;
        let mut page = EntryOutcome::of(EntryRef::Known(entry));
        page.page = Some(PageCheck {
            at: when,
            ok,
            status: Some(if ok { 200 } else { 503 }),
            error: (!ok).then(|| "503".into()),
            reason: None,
            validators: ok.then(|| validators("\"p\"")),
        });
        page.page_next = Some(Some(when + std::time::Duration::from_mins(5)));
        look.entries.push(page);
        bench.commit(look).unwrap();
        bench.reader().entry(entry).unwrap().unwrap().page
    };
    let page = check(true, at(10));
    assert_eq!((page.ok, page.failures), (Some(at(10)), 0));
    check(false, at(20));
    let page = check(false, at(30));
    assert_eq!(
        (page.ok, page.checked, page.failures),
        (Some(at(10)), Some(at(30)), 2)
    );
    assert_eq!(page.validators, validators("\"p\""));
    assert_eq!(page.error.as_deref(), Some("503"));
    assert_eq!(bench.reader().due_pages(at(30 + 300), 9).unwrap().len(), 1);
    assert!(
        bench
            .reader()
            .due_pages(at(30 + 299), 9)
            .unwrap()
            .is_empty()
    );

    let mut look = outcome(bench.feed);
    let mut moved = EntryOutcome::of(EntryRef::Known(entry));
    moved.page_url = Some("https://news.example/elsewhere".into());
    moved.page_next = Some(None);
    look.entries.push(moved);
    bench.commit(look).unwrap();
    let page = bench.reader().entry(entry).unwrap().unwrap().page;
    assert_eq!(page.validators, Validators::default());
    assert_eq!(page.next, None);
    assert!(bench.reader().pages_on_clock(9).unwrap().is_empty());
}

#[test]
fn a_name_goes_to_the_last_who_claims_it_and_the_row_says_whose_it_was() {
    let bench = Bench::new();
    let first = bench.entry("a", "one");
    let mut look = outcome(bench.feed);
    let mut second = first_sight("b", "two", at(2));
    second.aliases.push(NewAlias {
        key: guid("a"),
        reason: "same address, new guid".into(),
        if_free: false,
    });
    look.entries.push(second);
    let second = bench.commit(look).unwrap().entry_ids[0];
    let known = bench
        .reader()
        .known_entries(bench.feed, &[guid("a")])
        .unwrap();
    assert_eq!(known[0].entry.id, second);
    let conn = rusqlite::Connection::open(bench.path()).unwrap();
    let taken: i64 = conn
        .query_row(
            "SELECT taken_from FROM aliases WHERE value = 'a'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(taken, first.0);
}

#[test]
fn removal_and_return_are_kept_on_the_entry() {
    let bench = Bench::new();
    let entry = bench.entry("a", "one");
    for (kind, life) in [
        (EventKind::EntryRemoved, Life::Removed),
        (EventKind::EntryRestored, Life::Ok),
    ] {
        let mut look = outcome(bench.feed);
        let mut told = EntryOutcome::of(EntryRef::Known(entry));
        told.events.push(plain_event(kind, &["desk"]));
        look.entries.push(told);
        bench.commit(look).unwrap();
        assert_eq!(bench.reader().entry(entry).unwrap().unwrap().life, life);
    }
    assert_eq!(bench.count("deliveries"), 2);
}

#[test]
fn an_entry_of_another_feed_is_refused() {
    let bench = Bench::new();
    let entry = bench.entry("a", "one");
    let mut look = outcome(FeedId(99));
    look.poll = None;
    look.entries
        .push(revised(entry, RevisionNumber(2), "two", at(2), &[]));
    assert!(matches!(bench.commit(look), Err(StoreError::Refused(_))));
}
