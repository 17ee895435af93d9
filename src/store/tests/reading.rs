use super::*;
use crate::domain::event::EventKind;
use crate::domain::ids::ChangeNumber;
use crate::domain::outline::Outline;

#[test]
fn feeds_follow_the_configuration_and_keep_their_history() {
    let bench = Bench::new();
    let entry = bench.entry("a", "one");
    let sync = |feeds: Vec<ConfiguredFeed>, when| {
        bench
            .writer()
            .sync_feeds(feeds, None, when)
            .blocking()
            .unwrap()
    };
    let left = sync(vec![configured("https://other.example/", "other")], at(50));
    assert_eq!((left.added, left.returned, left.left), (1, 0, 1));
    let reader = bench.reader();
    assert!(!reader.feed(bench.feed).unwrap().unwrap().active);
    assert_eq!(reader.feeds(false).unwrap().len(), 1);
    assert_eq!(reader.feeds(true).unwrap().len(), 2);
    assert_eq!(reader.due_feeds(at(99_999), 9).unwrap().len(), 1);
    let back = sync(
        vec![
            configured("https://news.example/rss.xml", "renamed"),
            configured("https://other.example/", "other"),
        ],
        at(70),
    );
    assert_eq!((back.added, back.returned, back.left), (0, 1, 0));
    let feed = reader
        .feed_by_url("https://news.example/rss.xml")
        .unwrap()
        .unwrap();
    assert_eq!((feed.id, feed.name.as_str()), (bench.feed, "renamed"));
    assert_eq!(feed.next_poll, Some(at(70)));
    assert_eq!(
        reader.known_entries(bench.feed, &[guid("a")]).unwrap()[0]
            .entry
            .id,
        entry
    );
}

#[test]
fn polls_leave_their_traces() {
    let bench = Bench::new();
    let record = |poll: FeedPoll| {
        bench.writer().record_polls(vec![poll]).blocking().unwrap();
        bench.reader().feed(bench.feed).unwrap().unwrap()
    };
    let mut good = poll(bench.feed, at(10), PollResult::Ok);
    good.validators = Some(validators("\"1\""));
    record(good);
    let failed = || PollResult::Failed("timed out".into());
    record(poll(bench.feed, at(20), failed()));
    let feed = record(poll(bench.feed, at(30), failed()));
    assert_eq!((feed.failures, feed.checks_since_ok), (2, 2));
    assert_eq!((feed.last_ok, feed.last_poll), (Some(at(10)), Some(at(30))));
    assert_eq!(feed.last_error.as_deref(), Some("timed out"));
    assert_eq!(feed.validators, validators("\"1\""), "kept over failures");
    assert_eq!(feed.next_poll, Some(at(30 + 900)));
    let mut gone = poll(bench.feed, at(40), PollResult::Gone("410".into()));
    gone.next = None;
    let feed = record(gone);
    assert_eq!((feed.gone, feed.next_poll), (Some(at(40)), None));
    assert!(bench.reader().due_feeds(at(99_999), 9).unwrap().is_empty());
    assert!(
        bench
            .writer()
            .resume_feed(bench.feed, at(50))
            .blocking()
            .unwrap()
    );
    let feed = bench.reader().feed(bench.feed).unwrap().unwrap();
    assert_eq!(
        (feed.gone, feed.failures, feed.next_poll),
        (None, 0, Some(at(50)))
    );
    assert_eq!(
        feed.checks_since_ok, 3,
        "the window still knows of the failures"
    );
    let feed = record(poll(bench.feed, at(60), PollResult::Ok));
    assert_eq!(
        (feed.failures, feed.checks_since_ok, feed.last_error),
        (0, 0, None)
    );
}

#[test]
fn a_paused_feed_and_its_pages_are_not_due() {
    let bench = Bench::new();
    let mut look = outcome(bench.feed);
    let mut entry = first_sight("a", "one", at(1));
    entry.page_next = Some(Some(at(2)));
    look.entries.push(entry);
    bench.commit(look).unwrap();
    let reader = bench.reader();
    assert_eq!(reader.next_due().unwrap(), Some(at(2)));
    assert_eq!(
        reader.due_pages(at(2), 9).unwrap()[0].url,
        "https://news.example/a"
    );
    assert!(
        bench
            .writer()
            .pause_feed(bench.feed, at(3))
            .blocking()
            .unwrap()
    );
    assert!(reader.due_pages(at(9_999), 9).unwrap().is_empty());
    assert!(reader.due_feeds(at(9_999), 9).unwrap().is_empty());
    assert_eq!(reader.next_due().unwrap(), None);
    assert!(
        !bench
            .writer()
            .pause_feed(FeedId(99), at(3))
            .blocking()
            .unwrap()
    );
}

#[test]
fn changes_are_filtered() {
    let bench = Bench::new();
    let one = bench.entry("a", "one");
    let two = bench.entry("b", "two");
    bench.revise(one, "one!", &[]);
    bench.revise(two, "two!", &[]);
    bench.revise(one, "one?", &[]);
    let reader = bench.reader();
    let numbers = |filter: ChangeFilter| -> Vec<i64> {
        reader
            .changes(&filter)
            .unwrap()
            .iter()
            .map(|change| change.number.0)
            .collect()
    };
    let all = ChangeFilter::default;
    assert_eq!(numbers(all()), [3, 2, 1]);
    assert_eq!(
        numbers(ChangeFilter {
            oldest_first: true,
            limit: Some(2),
            ..all()
        }),
        [1, 2]
    );
    assert_eq!(
        numbers(ChangeFilter {
            entry: Some(one),
            ..all()
        }),
        [3, 1]
    );
    assert_eq!(
        numbers(ChangeFilter {
            after: Some(ChangeNumber(2)),
            ..all()
        }),
        [3]
    );
    assert_eq!(
        numbers(ChangeFilter {
            since: Some(at(60)),
            ..all()
        })
        .len(),
        3
    );
    assert_eq!(
        numbers(ChangeFilter {
            until: Some(at(60)),
            ..all()
        })
        .len(),
        0
    );
    assert_eq!(
        numbers(ChangeFilter {
            feeds: Some(vec![bench.feed]),
            ..all()
        })
        .len(),
        3
    );
    assert_eq!(
        numbers(ChangeFilter {
            feeds: Some(Vec::new()),
            ..all()
        })
        .len(),
        0
    );
    let substantive = Some(Significance::Substantive);
    assert_eq!(
        numbers(ChangeFilter {
            significance: substantive,
            ..all()
        })
        .len(),
        3
    );
    assert_eq!(reader.last_change().unwrap(), ChangeNumber(3));
    assert_eq!(reader.change(ChangeNumber(9)).unwrap(), None);
}

#[test]
fn an_entry_is_found_by_every_name_it_has() {
    let bench = Bench::new();
    let entry = bench.entry("tag:news.example,2026:7", "one");
    bench.entry("b", "two");
    let reader = bench.reader();
    let public_id = reader.entry(entry).unwrap().unwrap().public_id;
    for name in [
        public_id.as_str(),
        &public_id[..14],
        &public_id[4..14],
        "tag:news.example,2026:7",
        "https://news.example/tag:news.example,2026:7",
    ] {
        let found = reader.find_entries(name, 9).unwrap();
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].id, entry, "{name}");
    }
    assert_eq!(
        reader.find_entries("ent_", 9).unwrap().len(),
        2,
        "both begin so"
    );
    for name in ["", "nobody", "%", "ent_0"] {
        assert!(reader.find_entries(name, 9).unwrap().is_empty(), "{name}");
    }
}

#[test]
fn candidates_are_those_the_feed_lists_or_listed_lately() {
    let bench = Bench::new();
    let listed = bench.entry("a", "one");
    let lately = bench.entry("b", "two");
    let long_ago = bench.entry("c", "three");
    let mut look = outcome(bench.feed);
    for (entry, seen) in [(lately, at(500)), (long_ago, at(100))] {
        let mut left = EntryOutcome::of(EntryRef::Known(entry));
        left.in_feed = Some(false);
        left.last_seen = Some(seen);
        look.entries.push(left);
    }
    bench.commit(look).unwrap();
    let candidates = bench
        .reader()
        .recent_entries(bench.feed, at(400), 9)
        .unwrap();
    let ids: Vec<EntryId> = candidates.iter().map(|one| one.entry.id).collect();
    assert_eq!(ids, [lately, listed]);
    assert_eq!(candidates[0].entry.title.as_deref(), Some("two"));
    assert_eq!(
        candidates[0].fingerprints.feed_title,
        Some(fingerprint("two"))
    );
    assert_eq!(
        bench.reader().entries_in_feed(bench.feed).unwrap(),
        [listed]
    );
}

#[test]
fn the_past_of_an_entry_is_bounded_and_in_order() {
    let bench = Bench::new();
    let entry = bench.entry("a", "title 1");
    for number in 2..=210 {
        bench.revise(entry, &format!("title {number}"), &[]);
    }
    let full = bench.reader().load_entry(entry).unwrap().unwrap();
    assert_eq!(full.entry.revision, RevisionNumber(210));
    assert_eq!(full.history.len(), 200);
    assert_eq!(full.history[0].number, RevisionNumber(11));
    assert_eq!(full.history[199].number, RevisionNumber(210));
    assert_eq!(full.changes.len(), 32);
    let history = bench.reader().history(entry, 3).unwrap();
    let numbers: Vec<u32> = history.iter().map(|row| row.number.0).collect();
    assert_eq!(numbers, [208, 209, 210]);
    assert_eq!(history[2].title.as_deref(), Some("title 210"));
    assert_eq!(bench.reader().load_entry(EntryId(99)).unwrap(), None);
    assert_eq!(
        bench.reader().state(entry, RevisionNumber(999)).unwrap(),
        None
    );
}

#[test]
fn a_request_to_look_is_taken_once_and_answered() {
    let bench = Bench::new();
    let work = RequestedWork::Check {
        feeds: Some(vec![bench.feed]),
        force: true,
    };
    let request = |work: &RequestedWork| {
        let requested = bench.writer().request_work(at(1), work.clone());
        requested.blocking().unwrap()
    };
    let id = request(&work);
    let reader = bench.reader();
    assert!(reader.has_requests().unwrap());
    assert_eq!(
        reader.request_result(id).unwrap(),
        Some(RequestState::Waiting)
    );
    let taken = bench.writer().take_requests(at(2)).blocking().unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].work, work);
    assert!(
        bench
            .writer()
            .take_requests(at(3))
            .blocking()
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        reader.request_result(id).unwrap(),
        Some(RequestState::Taken)
    );
    let test = RequestedWork::Test(TestRequest {
        targets: vec!["desk".into()],
        event: EventKind::PingTest,
    });
    let tried = request(&test);
    let taken = bench.writer().take_requests(at(3)).blocking().unwrap();
    assert_eq!((taken[0].id, &taken[0].work), (tried, &test));
    // When the daemon restarts, it repeats checks. A test would be sent twice, and nobody is waiting for it any more.
    bench.writer().reset_requests(at(0)).blocking().unwrap();
    assert_eq!(
        bench
            .writer()
            .take_requests(at(4))
            .blocking()
            .unwrap()
            .len(),
        1
    );
    bench
        .writer()
        .finish_request(id, at(5), "{\"ok\":true}".into())
        .blocking()
        .unwrap();
    assert_eq!(
        reader.request_result(id).unwrap(),
        Some(RequestState::Done("{\"ok\":true}".into()))
    );
    bench.writer().reset_requests(at(6)).blocking().unwrap();
    assert_eq!(reader.request_result(id).unwrap(), None);
}

#[test]
fn counts_add_up() {
    let bench = Bench::new();
    let entry = bench.entry("a", "one");
    bench.revise(entry, "two", &["desk"]);
    let counts = bench.reader().counts(at(99_999), at(60)).unwrap();
    assert_eq!(
        (counts.feeds, counts.feeds_due, counts.feeds_failing),
        (1, 1, 0)
    );
    assert_eq!(
        (counts.entries, counts.revisions, counts.changes),
        (1, 2, 1)
    );
    assert_eq!((counts.changes_since, counts.deliveries_open), (1, 1));
    assert!(counts.bytes > 0);
    let health = bench.reader().feed_health(false).unwrap();
    assert_eq!(
        (health[0].entries, health[0].in_feed, health[0].changes),
        (1, 1, 1)
    );
    assert_eq!(health[0].last_change, Some(at(60)));
}

#[test]
fn feeds_are_summed_up_with_their_edits() {
    let bench = Bench::new();
    let entry = bench.entry("a", "one");
    bench.revise(entry, "two", &["desk"]);
    let reader = bench.reader();
    let of = |feed| {
        let mut edits = 0;
        let stats = reader.feed_stats(at(0), feed, |_| edits += 1).unwrap();
        let stats = stats.first().map(|of| (of.articles, of.edited, of.changes));
        (stats, edits)
    };
    let (all, edits) = of(None);
    assert_eq!((all, edits), (Some((1, 1, 1)), 1));
    let feed = reader.feeds(true).unwrap()[0].id;
    assert_eq!(of(Some(feed)), (all, edits));
    assert_eq!(of(Some(FeedId(99))), (None, 0));
    let mut outlines = Vec::new();
    let filter = EventFilter {
        kinds: EventKind::ALL.to_vec(),
        since: Some(at(0)),
        ..EventFilter::default()
    };
    reader
        .each_outline(&filter, |outline| outlines.push(outline))
        .unwrap();
    let events = outlines.iter().map(|outline| outline.event);
    let events = reader.logged_events(&events.collect::<Vec<_>>()).unwrap();
    for (outline, logged) in outlines.iter().zip(&events) {
        let event = &logged.stored.event;
        let read = Outline::of(logged.stored.id, outline.feed, outline.entry, event);
        assert_eq!(*outline, read, "as its event says");
    }
    assert_eq!(outlines.len(), 1);
}

#[test]
fn a_backup_is_whole_and_never_replaces_a_file() {
    let bench = Bench::new();
    let entry = bench.entry("a", "one");
    let copy = bench.dir.path().join("copy.db");
    bench.reader().backup(&copy).unwrap();
    bench.revise(entry, "later", &[]);
    assert!(bench.reader().backup(&copy).is_err());
    let restored = Store::open(&copy, &OpenOptions::default()).unwrap();
    let reader = restored.reader().unwrap();
    assert_eq!(
        reader.entry(entry).unwrap().unwrap().revision,
        RevisionNumber(1)
    );
    assert!(reader.integrity().unwrap().is_empty());
}

#[test]
fn retention_takes_bodies_and_leaves_their_hashes() {
    let bench = Bench::new();
    for (name, body, when) in [
        ("a", "old", at(1)),
        ("b", "new", at(50)),
        ("c", "old", at(60)),
    ] {
        let mut look = outcome(bench.feed);
        look.feed_capture = Some(Capture {
            fetched: when,
            ..capture(body)
        });
        look.entries.push(first_sight(name, name, when));
        bench.commit(look).unwrap();
    }
    let kept = &bench
        .reader()
        .captures_of(EntryId(1), RevisionNumber::FIRST)
        .unwrap()[0];
    assert!(kept.body_kept);
    assert_eq!(kept.capture, capture("old"));
    let prune = |before| {
        bench
            .writer()
            .prune_captures(Retain::Since(before), 10)
            .blocking()
            .unwrap()
    };
    let pruned = prune(at(50));
    assert_eq!(
        (pruned.captures, pruned.bodies),
        (1, 0),
        "the later one shares the body"
    );
    let pruned = prune(at(100));
    assert_eq!((pruned.captures, pruned.bodies), (2, 2));
    assert_eq!(bench.count("captures"), 3);
    let kept = &bench
        .reader()
        .captures_of(EntryId(1), RevisionNumber::FIRST)
        .unwrap()[0];
    assert!(!kept.body_kept);
    assert_eq!(kept.body_sha256, codec::sha256(&[b"old"]));
    assert_eq!(kept.capture.headers, capture("").headers);
    assert!(bench.reader().integrity().unwrap().is_empty());
}

#[test]
fn connections_are_shared_and_reused() {
    let bench = Bench::new();
    bench.entry("a", "one");
    let readers = bench.store().readers();
    let outer = readers
        .with(|one| {
            let inner = readers.with(|two| two.entries_in_feed(bench.feed))?;
            assert_eq!(one.entries_in_feed(bench.feed)?, inner);
            Ok(inner.len())
        })
        .unwrap();
    assert_eq!(outer, 1);
}

#[test]
fn texts_go_by_when_they_were_replaced_and_only_when_no_other_revision_needs_them() {
    let bench = Bench::new();
    let entry = bench.entry("a", "one");
    let revise = |number: u32, title: &str, when| {
        let mut look = outcome(bench.feed);
        look.entries
            .push(revised(entry, RevisionNumber(number), title, when, &[]));
        bench.commit(look).unwrap();
    };
    revise(2, "two", at(100));
    revise(3, "one", at(200));
    revise(4, "four", at(300));
    let prune = |retain| {
        let (mut texts, mut after) = (0, 0);
        loop {
            // One at a time, to show that the steps add up.
            let step = bench
                .writer()
                .prune_revisions(retain, after, 1, at(900))
                .blocking()
                .unwrap();
            texts += step.texts;
            match step.next {
                Some(next) => after = next,
                None => return texts,
            }
        }
    };
    let kept = || -> Vec<u32> {
        let history = bench.reader().history(entry, 10).unwrap();
        history
            .iter()
            .filter(|row| row.kept)
            .map(|row| row.number.0)
            .collect()
    };
    // The first text was replaced at 100. It is also that of revision 3, which was replaced at 300.
    for (since, would, left) in [
        (100, 0, vec![1, 2, 3, 4]),
        (250, 1, vec![1, 3, 4]),
        (300, 0, vec![1, 3, 4]),
        (301, 1, vec![4]),
        (9000, 0, vec![4]),
    ] {
        let retain = Retain::Since(at(since));
        assert_eq!(bench.reader().prunable_revisions(retain).unwrap().0, would);
        assert_eq!(prune(retain), would, "{since}");
        assert_eq!(kept(), left, "{since}");
    }
    // The text is back with the revision that returns to it.
    revise(5, "two", at(400));
    assert_eq!(kept(), [2, 4, 5]);
    assert_eq!(prune(Retain::Newest(0)), 1, "the newest stays in any case");
    assert_eq!(kept(), [2, 5]);
    let found = bench.reader().verify(|_, _| {}).unwrap();
    assert_eq!(faults(&found), [""; 0]);
    assert_eq!(found.dropped, 2);
}
