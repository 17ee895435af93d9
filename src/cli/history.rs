//! `revisor history`: the revisions of one entry.

use super::CommandContext;
use super::args::HistoryArgs;
use super::select;
use crate::error::{Error, Exit};
use crate::queries::history::history_of;
use crate::report::{history, names};

pub(super) fn run(context: &mut CommandContext, args: &HistoryArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let (config, reader) = context.reader()?;
    let entry = select::entry(&args.entry, &reader)?;
    let tags = |url: &str| config.feed(url).map(|feed| feed.tags.to_vec());
    let history = history_of(&entry, &tags, &reader)?;
    if as_json {
        context.output.json(&history)?;
    } else {
        let view = context.view(&config);
        context.output.page();
        context.output.print(&history::text(&history, &view))?;
        context.output.finish()?;
        let count = names::count(history.revisions.len() as u64, "revision");
        context.output.note(&view.footer(&count));
    }
    Ok(Exit::DONE)
}
