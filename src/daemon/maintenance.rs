//! Daily maintenance of the database. The daemon re-reads stored responses after an upgrade, deletes what is no
//! longer kept, compacts the rest, and lets `SQLite` update the statistics of its query planner. All in small
//! transactions, with pauses.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::check::{Checker, Reextracted};
use crate::config::Retention;
use crate::domain::clock_trust::{ClockDoubt, WITNESSES, doubt};
use crate::store::{Compacted, Retain, StoreError, Writer, give_reserve_up, keep_reserve};
use crate::time::Timestamp;

/// How often maintenance runs.
const EVERY: Duration = Duration::from_hours(24);

/// After a database error it is tried again sooner.
const AGAIN: Duration = Duration::from_mins(10);

/// The pause between two steps, so that checks and deliveries never wait for maintenance.
const PAUSE: Duration = Duration::from_millis(50);

/// How many responses lose their body in one transaction.
const ANSWERS: usize = 100;

/// How many revisions are examined in one transaction.
const REVISIONS: usize = 500;

/// Entries and changes that are indexed for searching in one transaction.
const INDEXED: usize = 50;

/// How many database pages are returned to the file system in one transaction.
const PAGES: u32 = 500;

/// A full disk is handled immediately; one that stays full is handled this often.
const FULL_AGAIN: Duration = Duration::from_mins(1);

/// Runs maintenance until `stop`: once a day, and when `full` is notified. Returns early, with the reason, if the
/// database must not be used any more.
pub(super) async fn run(
    checker: Arc<Checker>,
    writer: Writer,
    full: Arc<Notify>,
    stop: CancellationToken,
) -> Option<StoreError> {
    let mut woken = false;
    loop {
        let mut again = woken;
        let rest = tokio::select! {
            () = stop.cancelled() => return None,
            done = with_reserve(&checker, &writer) => match done {
                Ok(()) => EVERY,
                Err(error) => {
                    tracing::error!(%error, "database maintenance failed");
                    if error.is_unfit() {
                        return Some(error);
                    }
                    again = true;
                    AGAIN
                }
            },
        };
        // Its own writes notify as well if there is no room for them.
        let quiet = if again { FULL_AGAIN } else { Duration::ZERO };
        let full = async {
            tokio::time::sleep(quiet).await;
            full.notified().await;
        };
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(rest) => woken = false,
            () = full => woken = true,
        }
    }
}

/// If the disk is full, the reserve makes room for pruning; it is reserved again as soon as there is room.
async fn with_reserve(checker: &Checker, writer: &Writer) -> Result<(), StoreError> {
    let mut done = once(checker, writer, true).await;
    let path = writer.path().to_owned();
    let given = match &done {
        Err(error) if error.is_full() => {
            let path = path.clone();
            tokio::task::spawn_blocking(move || give_reserve_up(&path)).await
        }
        _ => Ok(false),
    };
    if given.unwrap_or(false) {
        tracing::warn!("the disk is full; pruning old data with the space reserved for this");
        // Compacting first needs more space than it frees, so it can wait.
        done = once(checker, writer, false).await;
    }
    let kept = tokio::task::spawn_blocking(move || keep_reserve(&path)).await;
    if let Ok(Err(error)) = kept {
        tracing::warn!(%error, "no room for the space reserved for pruning a full disk");
    }
    done
}

async fn once(checker: &Checker, writer: &Writer, compacting: bool) -> Result<(), StoreError> {
    // Before anything is deleted: a deleted response cannot be read again.
    let mut work = checker.reextraction();
    let mut done = Reextracted::default();
    loop {
        let (again, so_far, more) = checker.reextract_step(work, done).await?;
        work = again;
        done = so_far;
        if !more {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    if done.renewed > 0 {
        let (renewed, reread, lost) = (done.renewed, done.reread, done.lost);
        tracing::info!(renewed, reread, lost, "re-read stored responses");
    }

    while writer.index_for_search(INDEXED).await? {
        tokio::time::sleep(PAUSE).await;
    }

    let keep = checker.settings().config().keep;
    let now = checker.now();
    let doubt = doubt(now, &checker.read(|reader| reader.witnesses(WITNESSES))?);
    if let Some(doubt) = doubt
        && [keep.captures, keep.revisions]
            .iter()
            .any(|keep| matches!(keep, Retention::For(_)))
    {
        // If all feeds are quiet for a week, no response confirms the clock, which is not a problem.
        match doubt {
            ClockDoubt::NoWitness(_) => tracing::info!(%doubt, "nothing was pruned by age"),
            ClockDoubt::Contradicted(_) => tracing::warn!(%doubt, "nothing was pruned by age"),
        }
    }
    let retain = |keep| match keep {
        Retention::All => None,
        Retention::Newest(count) => Some(Retain::Newest(count)),
        Retention::For(_) if doubt.is_some() => None,
        Retention::For(time) => Some(Retain::Since(now - time)),
    };
    let mut answers = 0;
    if let Some(retain) = retain(keep.captures) {
        loop {
            let pruned = writer.prune_captures(retain, ANSWERS).await?;
            answers += pruned.captures;
            if pruned.captures < ANSWERS {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    let mut texts = 0;
    if let Some(retain) = retain(keep.revisions) {
        let mut after = 0;
        loop {
            let pruned = writer
                .prune_revisions(retain, after, REVISIONS, checker.now())
                .await?;
            texts += pruned.texts;
            let Some(next) = pruned.next else { break };
            after = next;
            tokio::time::sleep(PAUSE).await;
        }
    }
    let ignored = match retain(keep.captures) {
        Some(Retain::Since(since)) => prune_ignored(writer, since).await?,
        Some(Retain::Newest(_)) | None => 0,
    };
    if texts > 0 {
        // Words of deleted texts stay in the index until its parts are merged.
        writer.tidy_search().await?;
    }
    if answers > 0 || texts > 0 || ignored > 0 {
        tracing::info!(answers, texts, ignored, "deleted old data");
        // Before more is written: on a full disk the space may be needed for that.
        give_pages_back(writer).await?;
    }
    let compacted = match compacting {
        true => compact(checker).await?,
        false => Compacted::default(),
    };
    if compacted.bodies > 0 {
        let (answers, before, after) = (compacted.bodies, compacted.before, compacted.after);
        tracing::info!(answers, before, after, "compacted responses");
    }
    give_pages_back(writer).await?;
    writer.optimize().await
}

/// The record of ignored text is pruned by the age of the responses behind it.
async fn prune_ignored(writer: &Writer, since: Timestamp) -> Result<usize, StoreError> {
    let mut all = 0;
    loop {
        let pruned = writer.prune_ignored(since, ANSWERS).await?;
        all += pruned;
        if pruned < ANSWERS {
            return Ok(all);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn compact(checker: &Checker) -> Result<Compacted, StoreError> {
    let mut done = Compacted::default();
    let mut work = checker.compaction().await?;
    loop {
        let (left, compacted) = checker.compact_step(work).await?;
        let Some(compacted) = compacted else {
            return Ok(done);
        };
        work = left;
        done += compacted;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns free space to the file system, including what an interrupted run left.
async fn give_pages_back(writer: &Writer) -> Result<(), StoreError> {
    let mut left = u64::MAX;
    loop {
        let now_left = writer.give_pages_back(PAGES).await?;
        if now_left == 0 || now_left >= left {
            return Ok(());
        }
        left = now_left;
        tokio::time::sleep(PAUSE).await;
    }
}
