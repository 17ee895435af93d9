//! `revisor reextract`: re-reads the stored responses that older versions have read.

use std::sync::Arc;

use super::CommandContext;
use super::args::ReextractArgs;
use super::setup::{now, store_to_write};
use crate::check::{Reextracted, Reextraction, Settings};
use crate::config::Secrets;
use crate::error::{Error, Exit};
use crate::report::care::{self, ReextractReport};

pub(super) fn run(context: &mut CommandContext, _args: &ReextractArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let config = context.config(Secrets::WhereReadable)?;
    let store = store_to_write(&config)?;
    let settings = Arc::new(Settings::new(config));
    let reader = store.reader()?;
    let all = reader.entry_count()?;
    let mut done = Reextracted::default();
    let mut work = Reextraction::new(store.readers(), store.writer().clone(), settings);
    let mut progress = context.output.progress();
    while work.step(&mut done, now())? {
        progress.show(&care::progress(done.entries, all));
    }
    progress.clear();
    drop(work);
    let report = ReextractReport {
        entries: done.entries,
        renewed: done.renewed,
        reread: done.reread,
        lost: done.lost,
        outrun: done.outrun,
        begun_anew: reader.rebased_count()?,
    };
    store.close()?;
    if as_json {
        context.output.json(&report)?;
    } else {
        context.output.print(&care::reextracted(&report))?;
    }
    Ok(Exit::DONE)
}
