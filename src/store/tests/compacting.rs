//! Compaction as its callers see it: the same bytes are read back, from less space, and retention still deletes what
//! is old.

use super::*;
use crate::compaction::MAX_DEPTH;
use crate::domain::chain::StoredCapture;
use crate::domain::ids::CaptureId;
use data_encoding::HEXLOWER;

/// A page of a site, with as much furniture as text.
fn page(article: usize, edition: usize) -> String {
    let furniture: String = (0..200)
        .map(|link| format!("<li><a href=\"/section/{link}\">Section {link}</a></li>"))
        .collect();
    let text: String = (0..8)
        .map(|word| HEXLOWER.encode(&codec::sha256(&[&article.to_be_bytes(), &[word]])))
        .collect();
    format!("<ul>{furniture}</ul><h1>Article {article}</h1><p>{text}</p><p>Edition {edition}</p>")
}

/// 20 articles with two versions of their pages, and a response of the feed with each.
fn filled() -> Bench {
    let bench = Bench::new();
    for edition in 1..=2_u32 {
        for article in 0..20_usize {
            let when = at(i64::from(edition) * 100 + i64::try_from(article).unwrap());
            let mut look = outcome(bench.feed);
            look.feed_capture = Some(Capture {
                fetched: when,
                ..capture(&page(200, article + 100 * edition as usize))
            });
            let id = format!("a{article}");
            let mut entry = if edition == 1 {
                first_sight(&id, &id, when)
            } else {
                let known = EntryId(i64::try_from(article).unwrap() + 1);
                revised(known, RevisionNumber(2), &format!("{id} again"), when, &[])
            };
            entry.revision.as_mut().unwrap().channels = vec![Channel::Feed, Channel::Page];
            entry.page_capture = Some(Capture {
                channel: Channel::Page,
                url: format!("https://news.example/{id}"),
                fetched: when,
                ..capture(&page(article, edition as usize))
            });
            look.entries.push(entry);
            bench.commit(look).unwrap();
        }
    }
    bench
}

fn compact(bench: &Bench) -> Compacted {
    let reader = bench.reader();
    let mut compaction = reader.compaction().unwrap();
    let mut done = Compacted::default();
    while let Some(packed) = compaction.next(&reader).unwrap() {
        done += bench.writer().compact(packed).blocking().unwrap();
    }
    done
}

fn raw(bench: &Bench) -> rusqlite::Connection {
    rusqlite::Connection::open(bench.path()).unwrap()
}

/// Every body that is listed as kept is there, and unchanged.
fn holds(bench: &Bench, before: &[StoredCapture]) {
    for (was, is) in before.iter().zip(all(bench)) {
        if is.body_kept {
            assert_eq!(was.capture.body, is.capture.body);
        }
    }
    let verified = bench.reader().verify(|_, _| {}).unwrap();
    assert_eq!(faults(&verified), [""; 0]);
}

fn all(bench: &Bench) -> Vec<StoredCapture> {
    let reader = bench.reader();
    (1..=bench.count("captures"))
        .map(|id| reader.capture(CaptureId(id)).unwrap().unwrap())
        .collect()
}

#[test]
fn the_same_answers_come_back_in_less_room() {
    let bench = filled();
    let before = all(&bench);
    assert_eq!(before.len(), 80);
    let left = bench.reader().compaction().unwrap().left();
    let done = compact(&bench);
    assert_eq!(left, 2 * 40 - 2, "of each channel one stays whole");
    assert_eq!(done.bodies, left);
    assert!(done.after * 3 < done.before, "{done:?}");
    assert_eq!(all(&bench), before);
    let verified = bench.reader().verify(|_, _| {}).unwrap();
    assert_eq!(faults(&verified), [""; 0]);
    assert_eq!(verified.bodies, 80);
    assert_eq!(compact(&bench), Compacted::default(), "once and for ever");

    // A body that comes again is the stored one, and a new one is stored in full.
    let mut look = outcome(bench.feed);
    look.feed_capture = Some(capture(
        std::str::from_utf8(&before[0].capture.body).unwrap(),
    ));
    look.entries.push(first_sight("again", "again", at(900)));
    bench.commit(look).unwrap();
    assert_eq!(bench.count("bodies"), 80);
    let again = bench.reader().capture(CaptureId(81)).unwrap().unwrap();
    assert_eq!(again.capture.body, before[0].capture.body);
}

#[test]
fn few_answers_stay_as_they_are() {
    let bench = Bench::new();
    bench.entry("a", "one");
    assert_eq!(compact(&bench), Compacted::default());
    assert!(
        bench
            .reader()
            .compaction()
            .unwrap()
            .next(&bench.reader())
            .unwrap()
            .is_none()
    );
}

#[test]
fn what_others_are_based_on_stays_until_they_are_gone() {
    let bench = filled();
    compact(&bench);
    let kept = all(&bench);
    // As if the bodies that others are based on had come first.
    raw(&bench)
        .execute(
            "UPDATE captures SET fetched_at = ?1 WHERE body_id IN (SELECT base_id FROM bodies)",
            [at(0)],
        )
        .unwrap();
    let prune = |retain| {
        let pruned = bench.writer().prune_captures(retain, 1000);
        pruned.blocking().unwrap()
    };
    let pruned = prune(Retain::Since(at(1)));
    assert!(pruned.captures > 10 && pruned.bodies < pruned.captures);
    for (was, is) in kept.iter().zip(all(&bench)) {
        assert!(!is.body_kept || was.capture.body == is.capture.body);
    }
    // A body that is kept only as a base is found when it comes again, and from then on stays for its own sake.
    let base: i64 = raw(&bench)
        .query_row(
            "SELECT max(id) FROM bodies WHERE id NOT IN (SELECT body_id FROM captures WHERE body_id IS NOT NULL)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let sha256: [u8; 32] = raw(&bench)
        .query_row("SELECT sha256 FROM bodies WHERE id = ?1", [base], |row| {
            row.get(0)
        })
        .unwrap();
    let bytes = &kept
        .iter()
        .find(|was| was.body_sha256 == sha256)
        .unwrap()
        .capture
        .body;
    let mut look = outcome(bench.feed);
    look.feed_capture = Some(Capture {
        fetched: at(5000),
        ..capture(std::str::from_utf8(bytes).unwrap())
    });
    look.entries.push(first_sight("again", "again", at(5000)));
    bench.commit(look).unwrap();
    prune(Retain::Since(at(4000)));
    let left = all(&bench).pop().unwrap();
    assert!(left.body_kept && left.capture.body == *bytes);
    prune(Retain::Since(at(9000)));
    assert_eq!(
        bench.count("bodies"),
        0,
        "nothing is left that nobody needs"
    );
    assert!(bench.reader().integrity().unwrap().is_empty());
}

#[test]
fn retention_by_number_and_compaction_go_together() {
    let bench = filled();
    let before = all(&bench);
    compact(&bench);
    let pruned = bench.writer().prune_captures(Retain::Newest(1), 1000);
    assert_eq!(pruned.blocking().unwrap().captures, 39 + 20);
    holds(&bench, &before);
    compact(&bench);
    holds(&bench, &before);
}

#[test]
fn an_id_that_is_given_again_is_not_taken_for_the_body_that_had_it() {
    let bench = filled();
    let reader = bench.reader();
    let packed = reader.compaction().unwrap().next(&reader).unwrap().unwrap();
    bench
        .writer()
        .prune_captures(Retain::Since(at(1000)), 1000)
        .blocking()
        .unwrap();
    assert_eq!(bench.count("bodies"), 0);
    for number in 0..80 {
        let mut look = outcome(bench.feed);
        let fetched = at(2000 + number);
        look.feed_capture = Some(Capture {
            fetched,
            ..capture(&format!("new {number}"))
        });
        look.entries
            .push(first_sight(&format!("n{number}"), "new", fetched));
        bench.commit(look).unwrap();
    }
    let before = all(&bench);
    assert_eq!(
        bench.writer().compact(packed).blocking().unwrap(),
        Compacted::default()
    );
    holds(&bench, &before);
}

#[test]
fn a_damaged_answer_holds_up_no_other() {
    let bench = filled();
    raw(&bench)
        .execute(
            "UPDATE bodies SET body = zeroblob(length(body)) WHERE id IN (30, 45)",
            [],
        )
        .unwrap();
    let done = compact(&bench).bodies + compact(&bench).bodies;
    assert!(done > 60, "{done}");
    let verified = bench.reader().verify(|_, _| {}).unwrap();
    assert_eq!(faults(&verified).len(), 2, "{:?}", verified.faults);
}

#[test]
fn damage_to_a_base_is_found_in_all_that_rest_on_it() {
    let bench = filled();
    compact(&bench);
    let conn = raw(&bench);
    let (base, resting): (i64, i64) = conn
        .query_row(
            "SELECT base_id, count(*) FROM bodies WHERE base_id > id GROUP BY base_id ORDER BY 2 DESC",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    conn.execute(
        "UPDATE bodies SET body = zeroblob(length(body)) WHERE id = ?1",
        [base],
    )
    .unwrap();
    let verified = bench.reader().verify(|_, _| {}).unwrap();
    assert!(
        verified.fault_count > resting.unsigned_abs(),
        "{verified:?}"
    );
    // A cycle of bases is reported as damage, instead of causing an endless loop.
    conn.execute_batch("PRAGMA ignore_check_constraints = 1; UPDATE bodies SET base_id = 1")
        .unwrap();
    let faults = bench.reader().verify(|_, _| {}).unwrap().faults.concat();
    assert!(faults.contains("is based on an earlier one"), "{faults}");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(12))]

    /// `db prune` and the daemon at the same time: each has its own plan, made when the other was half done.
    #[test]
    fn two_compactions_at_once_lose_nothing(turns in proptest::collection::vec(0..2_usize, 0..200)) {
        let bench = filled();
        let before = all(&bench);
        let readers = [bench.reader(), bench.reader()];
        let mut plans = [Some(readers[0].compaction().unwrap()), None];
        // One body at a time, packed now and stored later.
        let mut waiting: [Vec<Vec<compaction::Packed>>; 2] = [Vec::new(), Vec::new()];
        for (turn, &who) in turns.iter().enumerate() {
            let plan = plans[who].get_or_insert_with(|| readers[who].compaction().unwrap());
            if let Some(step) = plan.steps.next() {
                let mut one = Compaction { steps: vec![step].into_iter() };
                waiting[who].extend(one.next(&readers[who]).unwrap());
            }
            if turn % 3 == 2 {
                for packed in waiting[who].drain(..) {
                    bench.writer().compact(packed).blocking().unwrap();
                }
            }
        }
        for packed in waiting.into_iter().flatten() {
            bench.writer().compact(packed).blocking().unwrap();
        }
        compact(&bench);
        holds(&bench, &before);
        let conn = raw(&bench);
        for id in 1..=80 {
            proptest::prop_assert!(bodies::depth(&conn, id).unwrap() <= MAX_DEPTH);
        }
    }
}
