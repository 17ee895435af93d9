//! `revisor db`: maintenance of the database file.

use std::path::Path;

use serde_json::json;

use super::CommandContext;
use super::args::DbCommand;
use super::setup::{now, store_to_write};
use crate::config::{Config, Retention, Secrets};
use crate::domain::clock_trust::{WITNESSES, doubt};
use crate::error::{Error, Exit};
use crate::report::care::{self, Checked, Dropped};
use crate::store::{
    Compacted, EXIT_DATABASE, Retain, Store, StoreError, give_reserve_up, keep_reserve,
    make_shrinkable,
};
use crate::time::Timestamp;

/// Responses whose body is deleted in one transaction: other writers wait no longer than that.
const AT_ONCE: usize = 200;

/// Pages that are released in one transaction.
const PAGES_AT_ONCE: u32 = 2000;

pub(super) fn run(context: &mut CommandContext, what: &DbCommand) -> Result<Exit, Error> {
    match what {
        DbCommand::Backup { file } => backup(context, file),
        DbCommand::Reindex => reindex(context),
        DbCommand::Renew => renew(context),
        DbCommand::Verify => verify(context),
        DbCommand::Prune {
            dry_run,
            trust_clock,
        } => prune(context, *dry_run, *trust_clock),
    }
}

fn backup(context: &mut CommandContext, file: &Path) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let (_, reader) = context.reader()?;
    if file.exists() {
        return Err(Error::usage(format!(
            "{} already exists, and a backup never overwrites a file",
            file.display()
        ))
        .hint("choose a new file name, for instance one with the date"));
    }
    reader.backup(file)?;
    let bytes = std::fs::metadata(file).map_or(0, |found| found.len());
    if as_json {
        context
            .output
            .json(&json!({"file": file.display().to_string(), "bytes": bytes}))?;
    } else {
        context.output.line(&format!(
            "Backed up to {}, {} KiB",
            file.display(),
            bytes.div_ceil(1024)
        ))?;
    }
    Ok(Exit::DONE)
}

fn renew(context: &mut CommandContext) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let config = context.config(Secrets::WhereReadable)?;
    let store = store_to_write(&config)?;
    store.writer().renew_instance().blocking()?;
    store.close()?;
    if as_json {
        context.output.json(&json!({"renewed": true}))?;
    } else {
        context
            .output
            .line("The database has a new identity; existing ids stay the same.")?;
    }
    Ok(Exit::DONE)
}

fn verify(context: &mut CommandContext) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let (_, reader) = context.reader()?;
    let mut progress = context.output.progress();
    let found = reader.verify(|done, all| progress.show(&format!("{done} of {all} rows")))?;
    progress.clear();
    let report = Checked {
        ok: found.fault_count == 0,
        revisions: found.revisions,
        changes: found.changes,
        bodies: found.bodies,
        states: found.states,
        dropped: found.dropped,
        faults: found.faults,
        fault_count: found.fault_count,
    };
    if as_json {
        context.output.json(&report)?;
    } else {
        context.output.print(&care::checked(&report))?;
    }
    if report.ok {
        return Ok(Exit::DONE);
    }
    context
        .output
        .hint("keep this file as it is, and restore a backup that passes `revisor db verify`");
    Ok(Exit::of_database(EXIT_DATABASE))
}

/// Entries and changes that are indexed in one transaction.
const INDEXED_AT_ONCE: usize = 200;

fn reindex(context: &mut CommandContext) -> Result<Exit, Error> {
    let config = context.config(Secrets::WhereReadable)?;
    let store = store_to_write(&config)?;
    store.writer().forget_search().blocking()?;
    let mut progress = context.output.progress();
    while store
        .writer()
        .index_for_search(INDEXED_AT_ONCE)
        .blocking()?
    {
        let now = store.reader()?.search_progress()?;
        progress.show(&format!("indexed {} of {}", now.done, now.all));
    }
    drop(progress);
    let all = store.reader()?.search_progress()?.all;
    store.close()?;
    context
        .output
        .note(&format!("indexed {all} articles and changes"));
    Ok(Exit::DONE)
}

fn prune(context: &mut CommandContext, dry_run: bool, trust_clock: bool) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let config = context.config(Secrets::WhereReadable)?;
    let mut report = Dropped {
        dry_run,
        ..Dropped::default()
    };
    match clear_away(context, &config, trust_clock, &mut report) {
        // Recording a deletion needs space too: that is what the reserve is for.
        Err(error) if error.is_full() && give_reserve_up(&config.database) => {
            report = Dropped {
                dry_run,
                ..Dropped::default()
            };
            clear_away(context, &config, trust_clock, &mut report)?;
            if keep_reserve(&config.database).is_err() {
                let hint = "the disk is still full; free some space, or lower keep.captures and keep.revisions";
                context.output.hint(hint);
            }
        }
        cleared => cleared?,
    }
    if as_json {
        context.output.json(&report)?;
    } else {
        context.output.print(&care::dropped(&report))?;
    }
    Ok(Exit::DONE)
}

fn clear_away(
    context: &CommandContext,
    config: &Config,
    trust_clock: bool,
    report: &mut Dropped,
) -> Result<(), StoreError> {
    let store = store_to_write(config)?;
    let now = now();
    let doubt = match trust_clock {
        true => None,
        false => doubt(now, &store.reader()?.witnesses(WITNESSES)?),
    };
    let keep = config.keep;
    if let Some(doubt) = doubt
        && [keep.captures, keep.revisions]
            .iter()
            .any(|keep| matches!(keep, Retention::For(_)))
    {
        context.output.hint(&format!(
            "nothing was pruned by age: {doubt}; if the clock is right, use --trust-clock"
        ));
    }
    let retain = |keep| retain(keep, now, doubt.is_some());
    let captures = retain(keep.captures);
    let revisions = retain(keep.revisions);
    if let Some(retain) = captures {
        prune_captures(context, &store, retain, report)?;
    }
    if let Some(retain) = revisions {
        prune_revisions(context, &store, retain, report)?;
    }
    if let Some(Retain::Since(since)) = captures {
        prune_ignored(&store, since, report)?;
    }
    if report.captures + report.texts + report.ignored > 0 && !report.dry_run {
        // Before anything else is written: a full disk may need this space.
        give_pages_back(&store)?;
    }
    compact(context, &store, report)?;
    if !report.dry_run {
        // Words of deleted texts stay in the index until its parts are merged.
        store.writer().tidy_search().blocking()?;
        give_pages_back(&store)?;
    }
    store.close()?;
    if !report.dry_run {
        rebuild(context, &config.database);
    }
    Ok(())
}

/// A file created from a dump never shrinks until it has been rebuilt once.
fn rebuild(context: &CommandContext, database: &Path) {
    match make_shrinkable(database) {
        Ok(true) => context
            .output
            .note("rebuilt the file once, so that it can give free space back to the file system"),
        Ok(false) => {}
        // The data is pruned anyway; only the file keeps its size.
        Err(error) => context.output.hint(&format!(
            "the file keeps its size until it can be rebuilt ({error}): stop the service and run `revisor db prune` again"
        )),
    }
}

fn prune_captures(
    context: &CommandContext,
    store: &Store,
    retain: Retain,
    report: &mut Dropped,
) -> Result<(), StoreError> {
    (report.captures, report.bytes) = store.reader()?.prunable_captures(retain)?;
    if report.dry_run {
        return Ok(());
    }
    let all = report.captures;
    report.captures = 0;
    let mut progress = context.output.progress();
    loop {
        let pruned = store.writer().prune_captures(retain, AT_ONCE).blocking()?;
        report.captures += pruned.captures as u64;
        progress.show(&format!("{} of {all} responses", report.captures));
        if pruned.captures < AT_ONCE {
            return Ok(());
        }
    }
}

fn prune_revisions(
    context: &CommandContext,
    store: &Store,
    retain: Retain,
    report: &mut Dropped,
) -> Result<(), StoreError> {
    (report.texts, report.text_bytes) = store.reader()?.prunable_revisions(retain)?;
    if report.dry_run || report.texts == 0 {
        return Ok(());
    }
    let all = report.texts;
    report.texts = 0;
    let mut progress = context.output.progress();
    let mut after = 0;
    loop {
        let pruned = store
            .writer()
            .prune_revisions(retain, after, AT_ONCE, now())
            .blocking()?;
        report.texts += pruned.texts;
        progress.show(&format!("{} of {all} texts", report.texts));
        match pruned.next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}

/// Prunes the record of ignored text by the age of the responses behind it.
fn prune_ignored(store: &Store, since: Timestamp, report: &mut Dropped) -> Result<(), StoreError> {
    report.ignored = store.reader()?.prunable_ignored(since)?;
    if report.dry_run {
        return Ok(());
    }
    while store.writer().prune_ignored(since, AT_ONCE).blocking()? >= AT_ONCE {}
    Ok(())
}

fn compact(
    context: &CommandContext,
    store: &Store,
    report: &mut Dropped,
) -> Result<(), StoreError> {
    let reader = store.reader()?;
    let mut compaction = reader.compaction()?;
    let all = compaction.left();
    if report.dry_run {
        report.compacted = all;
        return Ok(());
    }
    let mut done = Compacted::default();
    let mut progress = context.output.progress();
    while let Some(packed) = compaction.next(&reader)? {
        done += store.writer().compact(packed).blocking()?;
        progress.show(&format!("{} of {all} responses compacted", done.bodies));
    }
    report.compacted = done.bodies;
    (report.compacted_from, report.compacted_to) = (done.before, done.after);
    Ok(())
}

fn give_pages_back(store: &Store) -> Result<(), StoreError> {
    let mut left = u64::MAX;
    loop {
        let now_left = store.writer().give_pages_back(PAGES_AT_ONCE).blocking()?;
        if now_left == 0 || now_left >= left {
            return Ok(());
        }
        left = now_left;
    }
}

/// What the configuration keeps, as of `now`; `None` if it keeps everything.
fn retain(keep: Retention, now: Timestamp, doubtful: bool) -> Option<Retain> {
    match keep {
        Retention::For(_) if doubtful => None,
        Retention::All => None,
        Retention::Newest(count) => Some(Retain::Newest(count)),
        Retention::For(time) => Some(Retain::Since(now - time)),
    }
}
