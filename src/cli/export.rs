//! `revisor export`: the feeds of the configuration, for another reader or another configuration.

use std::collections::HashMap;

use super::Context;
use super::args::{ExportCommand, Format};
use super::setup::reader_if_any;
use crate::config::{self, ConfigError, Secrets, feed_tables};
use crate::error::{Error, Exit};
use crate::report::opml::{self, Outline};

pub(super) fn run(context: &mut Context, what: &ExportCommand) -> Result<Exit, Error> {
    context.format(&[Format::Short])?;
    let text = match what {
        ExportCommand::Opml => as_opml(context)?,
        ExportCommand::Toml => as_toml(context)?,
    };
    context.output.print(&text)?;
    Ok(Exit::DONE)
}

fn as_opml(context: &Context) -> Result<String, Error> {
    let config = context.config(Secrets::WhereReadable)?;
    // What feeds call themselves is good to have; a list can do without it.
    let reader = reader_if_any(&config).ok().flatten();
    let known = reader.and_then(|reader| reader.feeds(true).ok());
    let mut titles: HashMap<String, String> = known
        .into_iter()
        .flatten()
        .filter_map(|feed| Some((feed.url, feed.title?)))
        .collect();
    let outlines: Vec<Outline> = config
        .feeds
        .iter()
        .map(|feed| Outline {
            name: feed.name.clone(),
            title: titles.remove(&feed.url),
            url: feed.url.clone(),
            tags: feed.tags.to_vec(),
        })
        .collect();
    let lost = |feed: &Outline| feed.tags.iter().skip(1).any(|tag| tag.contains(','));
    for feed in outlines.iter().filter(|feed| lost(feed)) {
        context.output.warning(&format!(
            "{} has a tag with a comma, for which OPML has no place: it is left out",
            feed.name
        ));
    }
    Ok(opml::document(&outlines))
}

fn as_toml(context: &Context) -> Result<String, Error> {
    // Only what can be used is handed on.
    let config = context.config(Secrets::WhereReadable)?;
    let Some(file) = &config.file else {
        return Ok(String::new());
    };
    let text = config::read(file)?;
    Ok(feed_tables(&text).map_err(ConfigError::from)?)
}
