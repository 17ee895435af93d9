use super::*;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

#[test]
fn jobs_that_wait_share_one_commit_and_a_failing_one_takes_back_only_itself() {
    let bench = Bench::new();
    let (holder, release) = std::sync::mpsc::channel::<()>();
    let (started, running) = std::sync::mpsc::channel::<()>();
    let writer = bench.writer().clone();
    // Holds the writer until all others have been sent, so that they form one batch.
    let blocker = std::thread::spawn({
        let writer = writer.clone();
        move || {
            writer
                .write(move |_| {
                    started.send(()).unwrap();
                    release.recv().unwrap();
                    Ok(())
                })
                .blocking()
        }
    });
    running.recv().unwrap();
    let before = bench.reader();
    runtime().block_on(async {
        let mut looks = Vec::new();
        for number in 0..20 {
            let mut look = outcome(bench.feed);
            look.entries
                .push(first_sight(&format!("e{number}"), "title", at(1)));
            if number == 7 {
                look.entries
                    .push(revised(EntryId(999), RevisionNumber(2), "x", at(1), &[]));
            }
            looks.push(tokio::spawn(writer.commit(look).into_future()));
        }
        while writer.progress().waiting < 21 {
            tokio::task::yield_now().await;
        }
        holder.send(()).unwrap();
        let mut failed = 0;
        for look in looks {
            failed += usize::from(look.await.unwrap().is_err());
        }
        assert_eq!(failed, 1);
    });
    blocker.join().unwrap().unwrap();
    assert_eq!(before.entries_in_feed(bench.feed).unwrap().len(), 19);
    let conn = rusqlite::Connection::open(bench.path()).unwrap();
    let orphans: i64 = conn
        .query_row(
            "SELECT count(*) FROM aliases WHERE value = 'e7'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(orphans, 0);
    let progress = writer.progress();
    assert_eq!(progress.waiting, 0);
    assert!(progress.done >= 21);
}

#[test]
fn a_job_that_panics_fails_alone() {
    let bench = Bench::new();
    let error = bench
        .writer()
        .write(|tx| -> Result<(), StoreError> {
            tx.conn.execute("DELETE FROM feeds", [])?;
            panic!("a mistake")
        })
        .blocking()
        .unwrap_err();
    assert!(matches!(error, StoreError::Fault));
    assert!(bench.reader().feed(bench.feed).unwrap().is_some());
    bench.entry("a", "one");
}

#[test]
fn a_transaction_that_is_lost_fails_every_job_in_it() {
    let bench = Bench::new();
    let error = bench
        .writer()
        .write(|tx| {
            tx.conn.execute("DELETE FROM feeds", [])?;
            // As a full disk does.
            tx.conn.execute_batch("ROLLBACK")?;
            Err::<(), _>(StoreError::Full {
                path: PathBuf::new(),
            })
        })
        .blocking()
        .unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }));
    assert!(bench.reader().feed(bench.feed).unwrap().is_some());
    bench.entry("a", "one");
}

#[test]
fn a_full_disk_fails_the_job_and_keeps_the_rest() {
    let bench = Bench::new();
    bench.entry("a", "one");
    let pages = |limit: i64| {
        bench
            .writer()
            .write(move |tx| {
                Ok(tx
                    .conn
                    .pragma_update_and_check(None, "max_page_count", limit, |row| {
                        row.get::<_, i64>(0)
                    })?)
            })
            .blocking()
            .unwrap()
    };
    // The smallest possible limit: the current size.
    let now = pages(1);
    assert!(now > 1);
    let mut look = outcome(bench.feed);
    look.poll.as_mut().unwrap().at = at(900);
    look.poll.as_mut().unwrap().validators = Some(validators("\"2\""));
    let mut noise = 1_u32;
    let body: Vec<u8> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.to_be_bytes()[0]
    })
    .take(200_000)
    .collect();
    look.feed_capture = Some(Capture {
        body,
        ..capture("")
    });
    look.entries.push(first_sight("b", "two", at(900)));
    let error = bench.commit(look.clone()).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    let feed = bench.reader().feed(bench.feed).unwrap().unwrap();
    assert_eq!(
        feed.last_ok,
        Some(at(1)),
        "the feed is not ahead of what is stored"
    );
    assert_eq!(feed.validators, Validators::default());
    pages(1_000_000);
    assert_eq!(bench.commit(look).unwrap().new_entries, 1);
    assert!(bench.reader().integrity().unwrap().is_empty());
}

#[test]
fn after_close_writes_are_answered() {
    let mut bench = Bench::new();
    let writer = bench.writer().clone();
    bench.close();
    let error = writer.optimize().blocking().unwrap_err();
    assert!(matches!(error, StoreError::Closed));
    let error = runtime()
        .block_on(writer.optimize().into_future())
        .unwrap_err();
    assert!(matches!(error, StoreError::Closed));
}

#[test]
fn what_was_sent_before_close_is_written() {
    let mut bench = Bench::new();
    let writer = bench.writer().clone();
    let (holder, release) = std::sync::mpsc::channel::<()>();
    let blocker = writer.write(move |_| {
        release.recv().unwrap();
        Ok(())
    });
    let mut waiting = vec![std::thread::spawn(move || blocker.blocking().map(|()| 0))];
    // The others have to queue behind the one that holds the writer.
    while writer.progress().waiting < 1 {
        std::thread::yield_now();
    }
    for number in 0..50 {
        let mut look = outcome(bench.feed);
        look.entries
            .push(first_sight(&format!("e{number}"), "title", at(1)));
        let job = writer.commit(look);
        waiting.push(std::thread::spawn(move || {
            job.blocking().map(|committed| committed.new_entries)
        }));
    }
    while writer.progress().waiting < 51 {
        std::thread::yield_now();
    }
    writer.send_close();
    holder.send(()).unwrap();
    let stored: usize = waiting
        .into_iter()
        .map(|job| job.join().unwrap().unwrap())
        .sum();
    assert_eq!(stored, 50);
    bench.close();
    assert_eq!(bench.count("entries"), 50);
}
