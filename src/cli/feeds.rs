//! `revisor feeds`: the feeds of the configuration and how they are.

use std::collections::HashMap;

use super::Context;
use super::args::{FeedsArgs, Format};
use super::setup::reader_if_any;
use crate::config::{Config, FeedConfig, Secrets};
use crate::error::{Error, Exit};
use crate::report::feeds::{self, FeedRow, FeedState};
use crate::store::{FeedHealth, Reader};

pub(super) fn run(context: &mut Context, _args: &FeedsArgs) -> Result<Exit, Error> {
    let format = context.format(&[Format::Short, Format::Oneline, Format::Json])?;
    let config = context.config(Secrets::WhereReadable)?;
    // Feeds that were never polled can be listed as well.
    let reader = reader_if_any(&config)?;
    let rows = rows(&config, reader.as_ref())?;
    match format {
        Format::Json => context.output.json(&rows)?,
        Format::Oneline => {
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

/// In the order of the configuration, which is the truth about which feeds there are.
pub(super) fn rows(config: &Config, reader: Option<&Reader>) -> Result<Vec<FeedRow>, Error> {
    let health = match reader {
        Some(reader) => reader.feed_health(true)?,
        None => Vec::new(),
    };
    let mut known: HashMap<String, FeedHealth> = health
        .into_iter()
        .map(|health| (health.feed.url.clone(), health))
        .collect();
    let rows = config
        .feeds
        .iter()
        .map(|feed| match known.remove(&feed.url) {
            Some(health) => known_row(feed, health),
            None => new_row(feed),
        });
    Ok(rows.collect())
}

fn new_row(feed: &FeedConfig) -> FeedRow {
    FeedRow {
        name: feed.name.clone(),
        url: feed.url.clone(),
        title: None,
        tags: feed.tags.to_vec(),
        state: FeedState::New,
        failures: 0,
        error: None,
        status: None,
        entries: 0,
        changes: 0,
        last_change: None,
        last_ok: None,
        next: None,
        next_why: String::new(),
    }
}

fn known_row(feed: &FeedConfig, health: FeedHealth) -> FeedRow {
    let row = health.feed;
    let state = if row.gone.is_some() {
        FeedState::Gone
    } else if row.paused.is_some() {
        FeedState::Paused
    } else if row.last_error.is_some() {
        FeedState::Failing
    } else if row.last_ok.is_none() {
        FeedState::New
    } else {
        FeedState::Ok
    };
    FeedRow {
        title: row.title,
        state,
        failures: row.failures,
        error: row.last_error,
        status: row.last_status,
        entries: health.entries,
        changes: health.changes,
        last_change: health.last_change,
        last_ok: row.last_ok,
        // A feed that is back in the configuration is due as soon as somebody looks.
        next: row.next_poll.filter(|_| row.active),
        next_why: row.next_why,
        ..new_row(feed)
    }
}
