//! `revisor log --ignored`: changes in ignored text.

use super::CommandContext;
use super::args::{LogArgs, OutputFormat};
use super::select;
use crate::config::Secrets;
use crate::error::{Error, Exit};
use crate::report::ignored::{self, IgnoredEntry, IgnoredView};
use crate::report::when::TimeView;
use crate::store::{IgnoredFilter, IgnoredMove};

const FORMATS: [OutputFormat; 4] = [
    OutputFormat::Short,
    OutputFormat::Oneline,
    OutputFormat::Json,
    OutputFormat::Ndjson,
];

pub(super) fn run(context: &mut CommandContext, args: &LogArgs) -> Result<Exit, Error> {
    let format = context.format(&FORMATS)?;
    let config = context.config(Secrets::WhereReadable)?;
    let view = context.view(&config);
    let reader = context.reader_if_any(&config)?;
    let events = select::events(&args.filter, &config, reader.as_ref())?;
    let filter = IgnoredFilter {
        since: events.since,
        until: events.until,
        feeds: events.feeds,
        entry: events.entry,
        rule: None,
        limit: args.limit,
        oldest_first: args.reverse,
    };
    context.output.page();
    let mut shown = 0_u64;
    if format == OutputFormat::Json {
        context.output.print("[")?;
    }
    if let Some(reader) = reader {
        let mut written = Ok(());
        reader.each_ignored(&filter, |moved| {
            written = print(context, format, &view_of(moved), shown, &view);
            shown += 1;
            written.is_ok()
        })?;
        written?;
    }
    if format == OutputFormat::Json {
        context.output.print("]\n")?;
    }
    context.output.finish()?;
    if format.is_for_people() {
        context.output.note(&view.footer(&ignored::summary(shown)));
    }
    Ok(Exit::DONE)
}

fn print(
    context: &mut CommandContext,
    format: OutputFormat,
    moved: &IgnoredView,
    shown: u64,
    view: &TimeView,
) -> Result<(), Error> {
    match format {
        OutputFormat::Json | OutputFormat::Ndjson => {
            if format == OutputFormat::Json && shown > 0 {
                context.output.print(",")?;
            }
            context.output.json(moved)
        }
        OutputFormat::Oneline => context.output.print(&ignored::oneline(moved, view)),
        _ => context.output.print(&ignored::short(moved, view)),
    }
}

fn view_of(moved: IgnoredMove) -> IgnoredView {
    IgnoredView {
        feed: moved.feed_name,
        entry: IgnoredEntry {
            id: moved.entry,
            url: moved.url,
            title: moved.title,
        },
        channel: moved.channel,
        place: moved.place,
        reason: moved.reason,
        rule: moved.rule,
        times: moved.times,
        first_at: moved.first_at,
        last_at: moved.last_at,
        first: moved.first,
        before: moved.before,
        after: moved.after,
    }
}
