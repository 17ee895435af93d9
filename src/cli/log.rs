//! `revisor log`: changes, one event after another.

use std::time::Duration;

use super::CommandContext;
use super::args::{LogArgs, OutputFormat};
use super::ignored;
use super::output::json_line;
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

/// How changes are written in a format.
enum ListForm {
    /// As rows, each as soon as it is read.
    Rows {
        /// What stands before the rows, between them, and after them.
        around: [&'static str; 3],
        row: fn(&ChangeList, LogRow) -> Result<String, Error>,
    },
    /// As one document for feed readers.
    Document(fn(&FeedChannel, &[Item<'_>], &TimeView) -> Result<String, Error>),
}

use ListForm::{Document, Rows};

/// The formats of the list: a new one is a line here, and a name in [`OutputFormat`].
static FORMATS: [(OutputFormat, ListForm); 9] = [
    (
        OutputFormat::Short,
        rows(|list, row| Ok(log::short(&row, &list.view))),
    ),
    (
        OutputFormat::Oneline,
        rows(|list, row| Ok(log::oneline(&row, &list.view))),
    ),
    (
        OutputFormat::Full,
        Rows {
            around: ["", "\n", ""],
            row: |list, row| Ok(full(list, row)),
        },
    ),
    (
        OutputFormat::Json,
        Rows {
            around: ["[", ",", "]\n"],
            row: json,
        },
    ),
    (OutputFormat::Ndjson, rows(json)),
    (
        OutputFormat::Md,
        rows(|list, row| Ok(markdown::item(&row, &list.view))),
    ),
    (
        OutputFormat::Csv,
        Rows {
            around: [csv::HEAD, "", ""],
            row: |_, row| Ok(csv::record(&row)),
        },
    ),
    (
        OutputFormat::Atom,
        Document(|channel, items, view| Ok(changes_feed::atom(channel, items, view))),
    ),
    (OutputFormat::Jsonfeed, Document(json_feed)),
];

const fn rows(row: fn(&ChangeList, LogRow) -> Result<String, Error>) -> ListForm {
    Rows {
        around: [""; 3],
        row,
    }
}

fn full(list: &ChangeList, row: LogRow) -> String {
    let shown = ShownChange {
        row,
        told: Vec::new(),
        archived: None,
    };
    show::full(&shown, list.all_text, &list.view)
}

#[expect(clippy::needless_pass_by_value, reason = "as the other rows")]
fn json(_: &ChangeList, row: LogRow) -> Result<String, Error> {
    json_line(&row.event)
}

fn json_feed(channel: &FeedChannel, items: &[Item<'_>], view: &TimeView) -> Result<String, Error> {
    let json = serde_json::to_string_pretty(&changes_feed::json_feed(channel, items, view))
        .map_err(|error| Error::usage("cannot write the changes as JSON").because(error))?;
    Ok(format!("{}\n", clean::json(&json)))
}

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
    let format = match context.format(&FORMATS.each_ref().map(|(format, _)| *format))? {
        OutputFormat::Short if args.full => OutputFormat::Full,
        format => format,
    };
    let form = FORMATS.iter().find(|(known, _)| *known == format);
    let form = form.map_or(&FORMATS[0].1, |(_, form)| form);
    if args.follow && form.has_end() {
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
        form,
        all_text: args.full,
        view,
        shown: 0,
    };
    let Some(reader) = reader else {
        if let Document(write) = form {
            let empty = write(&channel(&config), &[], &list.view)?;
            context.output.print(&empty)?;
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
    if let Document(write) = form {
        let rows = newest(&reader, filter)?;
        let items: Vec<Item<'_>> = rows.iter().map(|(uid, row)| Item { uid, row }).collect();
        let document = write(&channel(&config), &items, &list.view)?;
        context.output.print(&document)?;
        return Ok(Exit::DONE);
    }
    context.output.page();
    list.head(context)?;
    list.events(context, &reader, &filter)?;
    list.foot(context)?;
    // A pager uses the terminal until it ends.
    context.output.finish()?;
    let hidden = reader.count_quiet(&filter)?;
    let for_people = format.is_for_people();
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

/// The changes of a feed: for a file on a web server, or for a reader that runs commands.
fn newest(reader: &Reader, filter: EventFilter) -> Result<Vec<(String, LogRow)>, Error> {
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
    Ok(rows)
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
    form: &'static ListForm,
    all_text: bool,
    view: TimeView,
    shown: u64,
}

impl ListForm {
    /// Whether it has an end without which it cannot be read.
    fn has_end(&self) -> bool {
        match self {
            Rows { around, .. } => !around[2].is_empty(),
            Document(_) => true,
        }
    }
}

impl ChangeList {
    fn head(&self, context: &mut CommandContext) -> Result<(), Error> {
        self.around(context, 0)
    }

    fn foot(&self, context: &mut CommandContext) -> Result<(), Error> {
        self.around(context, 2)
    }

    fn around(&self, context: &mut CommandContext, place: usize) -> Result<(), Error> {
        match self.form {
            Rows { around, .. } => context.output.print(around[place]),
            Document(_) => Ok(()),
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
        let Rows { around, row: write } = self.form else {
            return Ok(());
        };
        if !is_first {
            context.output.print(around[1])?;
        }
        context.output.print(&write(self, row)?)
    }
}
