//! Compaction as its callers see it: the same bytes come back, in less room, and retention still takes what is old.

use super::*;
use crate::domain::chain::StoredCapture;
use crate::domain::ids::CaptureId;
use crate::store::bodies::MAX_DEPTH;

/// A page of a site, as much furniture as text.
fn page(article: usize, edition: usize) -> String {
    let furniture: String = (0..200)
        .map(|link| format!("<li><a href=\"/section/{link}\">Section {link}</a></li>"))
        .collect();
    let text: String = (0..8)
        .map(|word| {
            codec::sha256(&[&article.to_be_bytes(), &[word]])
                .map(|byte| format!("{byte:02x}"))
                .concat()
        })
        .collect();
    format!("<ul>{furniture}</ul><h1>Article {article}</h1><p>{text}</p><p>Edition {edition}</p>")
}

/// 20 articles with two editions each of their pages, and an answer of the feed with each.
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
            entry.page_capture = Some(Capture {
                channel: Channel::Page,
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
    assert_eq!(
        left,
        2 * 40 - 4,
        "two batches of two channels keep one whole each"
    );
    assert_eq!(done.bodies, left);
    assert!(done.after * 3 < done.before, "{done:?}");
    assert_eq!(all(&bench), before);
    let verified = bench.reader().verify(|_, _| {}).unwrap();
    assert_eq!((verified.faults, verified.bodies), (Vec::new(), 80));
    assert_eq!(compact(&bench), Compacted::default(), "once and for ever");

    // A body that comes again is the one that is there, and a new one is stored whole.
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
    let newest = format!(
        "UPDATE captures SET fetched_at = {} WHERE body_id IN (SELECT base_id FROM bodies)",
        at(0).as_millis()
    );
    rusqlite::Connection::open(bench.path())
        .unwrap()
        .execute_batch(&newest)
        .unwrap();
    let prune = |before| {
        bench
            .writer()
            .prune_captures(Retain::Since(before), 1000)
            .blocking()
            .unwrap()
    };
    let pruned = prune(at(1));
    assert!(
        pruned.captures > 4 && pruned.bodies < pruned.captures,
        "{pruned:?}"
    );
    for (was, is) in kept.iter().zip(all(&bench)) {
        if is.body_kept {
            assert_eq!(was.capture.body, is.capture.body);
        }
    }
    prune(at(1000));
    assert_eq!(
        bench.count("bodies"),
        0,
        "nothing is left that nobody needs"
    );
    assert!(bench.reader().integrity().unwrap().is_empty());
}

#[test]
fn retention_and_compaction_at_the_same_time_lose_nothing() {
    let bench = filled();
    let before = all(&bench);
    let reader = bench.reader();
    let mut compaction = reader.compaction().unwrap();
    let packed = compaction.next(&reader).unwrap().unwrap();
    // Everything goes but the newest of each page and of the feed, bases that were packed against included.
    let conn = rusqlite::Connection::open(bench.path()).unwrap();
    conn.execute_batch("UPDATE captures SET body_id = NULL WHERE id % 3 = 0; DELETE FROM bodies WHERE id NOT IN (SELECT body_id FROM captures WHERE body_id IS NOT NULL)").unwrap();
    bench.writer().compact(packed).blocking().unwrap();
    while let Some(packed) = compaction.next(&reader).unwrap() {
        bench.writer().compact(packed).blocking().unwrap();
    }
    for (was, is) in before.iter().zip(all(&bench)) {
        assert!(!is.body_kept || was.capture.body == is.capture.body);
    }
    assert!(bench.reader().verify(|_, _| {}).unwrap().faults.is_empty());
}

#[test]
fn damage_to_a_base_is_found_in_all_that_rest_on_it() {
    let bench = filled();
    compact(&bench);
    let conn = rusqlite::Connection::open(bench.path()).unwrap();
    let (base, resting): (i64, i64) = conn
        .query_row("SELECT base_id, count(*) FROM bodies WHERE base_id IS NOT NULL GROUP BY base_id ORDER BY 2 DESC", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
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
    // A ring of bases is damage too, and no endless loop.
    conn.execute("UPDATE bodies SET base_id = id WHERE id = ?1", [base])
        .unwrap();
    let error = bench.reader().verify(|_, _| {}).unwrap().faults.concat();
    assert!(
        error.contains(&format!("more than {MAX_DEPTH} others")),
        "{error}"
    );
}
