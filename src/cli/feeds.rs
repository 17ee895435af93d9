//! `revisor feeds`: the feeds of the configuration and their state.

use std::time::Duration;

use super::CommandContext;
use super::args::{FeedsArgs, OutputFormat};
use super::setup::now;
use crate::config::{Config, Secrets};
use crate::error::{Error, Exit};
use crate::queries::feeds::{Usual, of_configuration, usual};
use crate::report::feeds::{self, FeedSummary};
use crate::store::{FeedHealth, Reader};

pub(super) fn run(context: &mut CommandContext, _args: &FeedsArgs) -> Result<Exit, Error> {
    let format = context.format(&[
        OutputFormat::Short,
        OutputFormat::Oneline,
        OutputFormat::Json,
    ])?;
    let config = context.config(Secrets::WhereReadable)?;
    // Feeds that were never polled are listed as well.
    let reader = context.reader_if_any(&config)?;
    let rows = rows(&config, reader.as_ref())?;
    match format {
        OutputFormat::Json => context.output.json(&rows)?,
        OutputFormat::Oneline => {
            for row in &rows {
                context.output.print(&feeds::oneline(row))?;
            }
        }
        _ => {
            if rows.is_empty() {
                context.output.note("no feeds in the configuration");
                context.output.hint("`revisor add URL` adds one");
            } else {
                let view = context.view(&config);
                context.output.page();
                context.output.print(&feeds::text(&rows, &view))?;
                context.output.finish()?;
                context.output.note(&feeds::summary(&rows));
            }
        }
    }
    Ok(Exit::DONE)
}

/// In the order of the configuration, which decides which feeds exist.
pub(super) fn rows(config: &Config, reader: Option<&Reader>) -> Result<Vec<FeedSummary>, Error> {
    let health = match reader {
        Some(reader) => reader.feed_health(true)?,
        None => Vec::new(),
    };
    Ok(of_configuration(&config.feeds, health, now(), usual))
}

/// The same without counts and without the usual interval, which are slow for a very large number of feeds.
pub(super) fn states(config: &Config, reader: Option<&Reader>) -> Result<Vec<FeedSummary>, Error> {
    let feeds = match reader {
        Some(reader) => reader.feeds_unordered()?,
        None => Vec::new(),
    };
    let uncounted = feeds.into_iter().map(|feed| FeedHealth {
        feed,
        entries: 0,
        in_feed: 0,
        changes: 0,
        last_change: None,
    });
    let unasked: Usual = |_, _, _| (Duration::ZERO, String::new());
    Ok(of_configuration(
        &config.feeds,
        uncounted.collect(),
        now(),
        unasked,
    ))
}
