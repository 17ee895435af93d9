//! `revisor check`: checks for changes now, once.

use std::time::Duration;

use super::CommandContext;
use super::args::CheckArgs;
use super::ask::{self, Asked};
use super::setup::{clock, reader_if_any, runtime};
use crate::check::{RoundProgress, RoundRequest};
use crate::config::{Config, Secrets};
use crate::daemon::{Assembly, DaemonError, heartbeat};
use crate::domain::ids::FeedId;
use crate::error::{Error, Exit};
use crate::notify::targets;
use crate::report::check::{self, CheckReport};
use crate::report::log::{self, LogRow};
use crate::report::when::TimeView;
use crate::store::{InstanceLock, Reader, RequestedWork};
use crate::time::Stopwatch;

/// How many changes are listed; a first check after a long time may find a very large number.
const SHOWN: usize = 20;

const ASKED: Asked = Asked {
    to: "run the check",
    doing: "checking",
    command: "revisor check",
};

pub(super) fn run(context: &mut CommandContext, args: &CheckArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let config = if args.dry_run {
        context.config(Secrets::Required)?
    } else {
        context.config_to_work()?
    };
    let watch = Stopwatch::start();
    let (view, database) = (context.view(&config), config.database.clone());
    let CheckFindings {
        report,
        undelivered,
    } = if args.dry_run {
        look_on_a_copy(context, config, args, as_json)?
    } else if InstanceLock::holder(&config.database).is_some() {
        look_by_daemon(context, &config, args)?
    } else {
        look(context, config, args, as_json)?
    };
    if as_json {
        context.output.json(&report)?;
    } else {
        if !args.dry_run {
            show_changes(context, &Reader::open(&database)?, &report, &view)?;
        }
        context
            .output
            .line(&check::summary(&report, watch.elapsed_ms()))?;
    }
    if undelivered {
        context
            .output
            .warning("some alerts could not be delivered yet; they will be sent again");
        context.output.hint("`revisor notify list` says why");
    }
    Ok(if report.has_failures() {
        Exit::PARTIAL
    } else if undelivered {
        Exit::TARGET
    } else if args.exit_code && !report.changes.is_empty() {
        Exit::CHANGES
    } else {
        Exit::DONE
    })
}

/// What a check found.
struct CheckFindings {
    report: CheckReport,
    /// Whether a delivery failed; the daemon handles its own.
    undelivered: bool,
}

/// Shows the changes as `log` lists them; if nothing was due, shows when the next check is.
fn show_changes(
    context: &mut CommandContext,
    reader: &Reader,
    report: &CheckReport,
    view: &TimeView,
) -> Result<(), Error> {
    for number in report.changes.iter().take(SHOWN) {
        if let Some(change) = reader.change(*number)? {
            let row = LogRow {
                event: change.stored.event,
                quiet: change.quiet,
            };
            context.output.print(&log::short(&row, view))?;
        }
    }
    if report.changes.len() > SHOWN {
        let more = report.changes.len() - SHOWN;
        context
            .output
            .note(&format!("{more} more: `revisor log` lists them"));
    }
    if report.feeds.is_empty()
        && report.pages.checked == 0
        && let Some(next) = reader.next_due()?
    {
        context.output.note(&format!(
            "Nothing is due until {}; --force checks now",
            view.moment(next)
        ));
    }
    Ok(())
}

/// Checks with a copy of the database that is deleted afterwards: nothing is stored, and no alerts are sent. A
/// daemon may be running.
fn look_on_a_copy(
    context: &mut CommandContext,
    mut config: Config,
    args: &CheckArgs,
    as_json: bool,
) -> Result<CheckFindings, Error> {
    let folder = tempfile::tempdir()
        .map_err(|error| Error::usage("cannot create a temporary folder").because(error))?;
    let copy = folder.path().join("revisor.db");
    if let Some(reader) = reader_if_any(&config)? {
        reader.copy_for_once(&copy)?;
    }
    config.database = copy;
    let found = look(context, config, args, as_json)?;
    context
        .output
        .note("dry run: nothing was stored and no alerts were sent");
    Ok(found)
}

/// Checks in this process, as no daemon is running.
fn look(
    context: &mut CommandContext,
    config: Config,
    args: &CheckArgs,
    as_json: bool,
) -> Result<CheckFindings, Error> {
    let names: Vec<String> = config.feeds.iter().map(|feed| feed.name.clone()).collect();
    let width = check::name_width(names.iter().map(String::as_str));
    let view = context.view(&config);
    let runtime = runtime(2)?;
    let mut progress = context.output.progress();
    let beats = targets(&config).map_err(DaemonError::Secret)?;
    let found = runtime.block_on(async {
        let assembly = Assembly::open(config, clock()).await?;
        let wish = RoundRequest {
            feeds: wished(&assembly.store.reader()?, &args.feeds)?,
            force: args.force || !args.feeds.is_empty(),
        };
        let mut lines = Vec::new();
        let mut done = 0;
        let output = &mut context.output;
        let round = assembly.checker.round(&wish, |step| match step {
            RoundProgress::Feed(feed) => {
                done += 1;
                progress.show(&format!("{done} of {} feeds", names.len()));
                if !as_json {
                    progress.clear();
                    lines.push(output.print(&check::line(&feed, width, &view)));
                }
            }
            RoundProgress::Pages(done, all) => progress.show(&format!("{done} of {all} pages")),
        });
        let report = round.await?;
        progress.clear();
        let mut undelivered = false;
        if !args.dry_run {
            undelivered = assembly.drain.drain_once().await.has_failures();
            let said =
                heartbeat::once(&assembly.deliverer, &beats, true, "revisor check is done").await;
            for error in said {
                output.warning(&format!("a heartbeat could not be sent to {error}"));
            }
        }
        assembly.close().await?;
        lines.into_iter().collect::<Result<Vec<()>, Error>>()?;
        Ok::<_, Error>(CheckFindings {
            report,
            undelivered,
        })
    })?;
    runtime.shutdown_timeout(Duration::from_millis(500));
    Ok(found)
}

/// Requests a check from the daemon, and waits for its result.
fn look_by_daemon(
    context: &mut CommandContext,
    config: &Config,
    args: &CheckArgs,
) -> Result<CheckFindings, Error> {
    let work = RequestedWork::Check {
        feeds: wished(&Reader::open(&config.database)?, &args.feeds)?,
        force: args.force || !args.feeds.is_empty(),
    };
    let answer = ask::ask_daemon(context, config, work, &ASKED)?;
    let report: CheckReport =
        serde_json::from_str(&answer).map_err(|_| ask::refused(&answer, &ASKED))?;
    let width = check::name_width(report.feeds.iter().map(|feed| feed.feed.as_str()));
    if !context.wants_json()? {
        let view = context.view(config);
        for feed in &report.feeds {
            context.output.print(&check::line(feed, width, &view))?;
        }
    }
    Ok(CheckFindings {
        report,
        undelivered: false,
    })
}

/// The ids of the feeds that were named; `None` if none was.
fn wished(reader: &Reader, named: &[String]) -> Result<Option<Vec<FeedId>>, Error> {
    if named.is_empty() {
        return Ok(None);
    }
    let mut wished = Vec::with_capacity(named.len());
    for name in named {
        let row = match reader.feed_by_name(name)? {
            Some(row) => Some(row),
            None => reader.feed_by_url(name)?,
        };
        let row = row.filter(|row| row.active);
        let unknown = || {
            Error::usage(format!("no feed `{name}` in the configuration"))
                .hint("`revisor feeds` lists them")
        };
        wished.push(row.ok_or_else(unknown)?.id);
    }
    Ok(Some(wished))
}
