//! `revisor log`: changes, one event after another.

use std::time::Duration;

use super::CommandContext;
use super::args::{LogArgs, OutputFormat};
use super::ignored;
use super::select;
use super::setup::runtime;
use crate::config::{Config, Secrets};
use crate::error::{Error, Exit};
use crate::report::changes_feed::{self, FeedChannel, Item};
use crate::report::clean;
use crate::report::html::Links;
use crate::report::log::{self, LogRow};
use crate::report::show::{self, ShownChange};
use crate::report::when::TimeView;
use crate::report::{csv, markdown};
use crate::store::{EventFilter, LoggedEvent, Reader};

const FORMATS: [OutputFormat; 9] = [
    OutputFormat::Short,
    OutputFormat::Oneline,
    OutputFormat::Full,
    OutputFormat::Json,
    OutputFormat::Ndjson,
    OutputFormat::Md,
    OutputFormat::Csv,
    OutputFormat::Atom,
    OutputFormat::Jsonfeed,
];

/// Changes in a feed for feed readers, unless the command line sets a limit: they poll often, and keep what they
/// have read.
const IN_FEED: usize = 100;

/// How often `--follow` checks for new changes.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How many past changes `--follow` shows by default, as `tail -f` does.
const PAST_OF_FOLLOWER: usize = 10;

pub(super) fn run(context: &mut CommandContext, args: &LogArgs) -> Result<Exit, Error> {
    if args.ignored {
        return ignored::run(context, args);
    }
    let format = match context.format(&FORMATS)? {
        OutputFormat::Short if args.full => OutputFormat::Full,
        format => format,
    };
    let is_feed = matches!(format, OutputFormat::Atom | OutputFormat::Jsonfeed);
    if args.follow && (format == OutputFormat::Json || is_feed) {
        return Err(
            Error::usage("an endless list cannot be one JSON document").hint("use --format ndjson")
        );
    }
    let config = context.config(Secrets::WhereReadable)?;
    let view = context.view(&config);
    // Invalid arguments are reported even if there is nothing to list.
    select::events(&args.filter, &config, None)?;
    let reader = context.reader_if_any(&config)?;
    let mut list = ChangeList {
        base_url: config.web.base_url.clone(),
        format,
        all_text: args.full,
        view,
        shown: 0,
    };
    let Some(reader) = reader else {
        if is_feed {
            context
                .output
                .print(&feed_document(format, &channel(&config), &[], &list.view)?)?;
        }
        list.head(context)?;
        list.foot(context)?;
        say_that_nothing_was_stored(context, &config);
        return Ok(Exit::DONE);
    };
    let mut filter = select::events(&args.filter, &config, Some(&reader))?;
    filter.limit = args.limit;
    filter.oldest_first = args.reverse;
    if args.follow {
        return follow(context, &reader, &filter, &mut list);
    }
    if is_feed {
        return feed(context, &channel(&config), &reader, filter, &list);
    }
    context.output.page();
    list.head(context)?;
    list.events(context, &reader, &filter)?;
    list.foot(context)?;
    // A pager uses the terminal until it ends.
    context.output.finish()?;
    let hidden = reader.count_quiet(&filter)?;
    let for_people = matches!(
        list.format,
        OutputFormat::Short | OutputFormat::Oneline | OutputFormat::Full
    );
    if for_people || hidden > 0 {
        let summary = log::summary(list.shown, hidden);
        context.output.note(&if list.shown > 0 && for_people {
            list.view.footer(&summary)
        } else {
            summary
        });
    }
    Ok(if args.exit_code && list.shown > 0 {
        Exit::CHANGES
    } else {
        Exit::DONE
    })
}

/// The changes as a feed: for a file on a web server, or for a reader that runs commands.
fn feed(
    context: &mut CommandContext,
    channel: &FeedChannel,
    reader: &Reader,
    filter: EventFilter,
    list: &ChangeList,
) -> Result<Exit, Error> {
    let most = filter.limit.or((filter.since.is_none()).then_some(IN_FEED));
    let filter = EventFilter {
        limit: most,
        oldest_first: false,
        ..filter
    };
    let mut rows = Vec::new();
    reader.each_event(&filter, |event| {
        let row = LogRow {
            event: event.stored.event,
            quiet: event.quiet,
        };
        rows.push((event.stored.uid, row));
        true
    })?;
    let items: Vec<Item<'_>> = rows.iter().map(|(uid, row)| Item { uid, row }).collect();
    context
        .output
        .print(&feed_document(list.format, channel, &items, &list.view)?)?;
    Ok(Exit::DONE)
}

fn feed_document(
    format: OutputFormat,
    channel: &FeedChannel,
    items: &[Item<'_>],
    view: &TimeView,
) -> Result<String, Error> {
    if format == OutputFormat::Atom {
        return Ok(changes_feed::atom(channel, items, view));
    }
    let json = serde_json::to_string_pretty(&changes_feed::json_feed(channel, items, view))
        .map_err(|error| Error::usage("cannot write the changes as JSON").because(error))?;
    Ok(format!("{}\n", clean::json(&json)))
}

/// Changes link to their pages, if these have an address.
fn channel(config: &Config) -> FeedChannel {
    FeedChannel {
        links: config
            .web
            .base_url
            .as_deref()
            .map(Links::below)
            .unwrap_or_default(),
        ..FeedChannel::default()
    }
}

fn say_that_nothing_was_stored(context: &CommandContext, config: &Config) {
    let output = &context.output;
    output.note("Nothing has been checked yet");
    output.hint(if config.feeds.is_empty() {
        "add a first feed with `revisor add URL`"
    } else {
        "run a first check with `revisor check`"
    });
}

/// Shows the newest changes and waits for more, until the user stops it.
fn follow(
    context: &mut CommandContext,
    reader: &Reader,
    filter: &EventFilter,
    list: &mut ChangeList,
) -> Result<Exit, Error> {
    let runtime = runtime(1)?;
    let mut seen = reader.last_event()?;
    list.head(context)?;
    let everything = filter.since.is_some() && filter.limit.is_none();
    let past = EventFilter {
        limit: (!everything).then(|| filter.limit.unwrap_or(PAST_OF_FOLLOWER)),
        oldest_first: false,
        ..filter.clone()
    };
    let mut rows = Vec::new();
    reader.each_event(&past, |event| {
        rows.push(event);
        true
    })?;
    for event in rows.into_iter().rev() {
        seen = seen.max(event.stored.id);
        list.event(context, event)?;
    }
    context.output.flush()?;
    loop {
        runtime.block_on(async { tokio::time::sleep(LOOK_AGAIN).await });
        let newest = reader.last_event()?;
        if newest <= seen {
            continue;
        }
        let news = EventFilter {
            after: Some(seen),
            limit: None,
            oldest_first: true,
            ..filter.clone()
        };
        list.view.now = super::setup::now();
        list.events(context, reader, &news)?;
        context.output.flush()?;
        seen = newest;
    }
}

/// The list as it is being written.
struct ChangeList {
    base_url: Option<String>,
    format: OutputFormat,
    all_text: bool,
    view: TimeView,
    shown: u64,
}

impl ChangeList {
    fn head(&self, context: &mut CommandContext) -> Result<(), Error> {
        match self.format {
            OutputFormat::Json => context.output.print("["),
            OutputFormat::Csv => context.output.print(csv::HEAD),
            _ => Ok(()),
        }
    }

    fn foot(&self, context: &mut CommandContext) -> Result<(), Error> {
        match self.format {
            OutputFormat::Json => context.output.print("]\n"),
            _ => Ok(()),
        }
    }

    /// Writes each event as it is read: a history may be larger than memory, and the reader may quit early.
    fn events(
        &mut self,
        context: &mut CommandContext,
        reader: &Reader,
        filter: &EventFilter,
    ) -> Result<(), Error> {
        let mut written = Ok(());
        reader.each_event(filter, |event| {
            written = self.event(context, event);
            written.is_ok()
        })?;
        written
    }

    fn event(&mut self, context: &mut CommandContext, event: LoggedEvent) -> Result<(), Error> {
        let is_first = self.shown == 0;
        self.shown += 1;
        let row = LogRow {
            event: event.stored.event.with_permalink(self.base_url.as_deref()),
            quiet: event.quiet,
        };
        let text = match self.format {
            OutputFormat::Oneline => log::oneline(&row, &self.view),
            OutputFormat::Full => {
                let between = if is_first { "" } else { "\n" };
                let shown = ShownChange {
                    row,
                    told: Vec::new(),
                    archived: None,
                };
                format!("{between}{}", show::full(&shown, self.all_text, &self.view))
            }
            OutputFormat::Json => {
                if !is_first {
                    context.output.print(",")?;
                }
                return context.output.json(&row.event);
            }
            OutputFormat::Ndjson => return context.output.json(&row.event),
            OutputFormat::Md => markdown::item(&row, &self.view),
            OutputFormat::Csv => csv::record(&row),
            OutputFormat::Short
            | OutputFormat::Html
            | OutputFormat::Atom
            | OutputFormat::Jsonfeed => log::short(&row, &self.view),
        };
        context.output.print(&text)
    }
}
