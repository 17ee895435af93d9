//! `revisor rm`: removes feeds from the configuration. Their history is kept.

use std::collections::HashSet;
use std::path::PathBuf;

use serde_json::json;

use super::CommandContext;
use super::args::RmArgs;
use crate::config::{
    Config, ConfigError, ConfigFile, ConfigTexts, Environment, Secrets, feeds_in, locate,
    remove_feeds, remove_listed,
};
use crate::error::{Error, Exit};
use crate::store::InstanceLock;

pub(super) fn run(context: &mut CommandContext, args: &RmArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let file = locate(context.global.config.as_deref(), &Environment::of_process());
    let loaded = context.load(Secrets::WhereReadable);
    let config = loaded.as_ref().ok().map(|loaded| &loaded.config);
    if !file.exists && config.is_none_or(|config| config.feeds.is_empty()) {
        return Err(Error::usage(format!(
            "no configuration at {}",
            file.path.display()
        )));
    }
    // All or none: a misspelt name removes nothing.
    let urls = match config {
        Some(config) => meant(config, &file, &args.feeds)?,
        None => meant_in_broken(&file, &args.feeds)?,
    };
    remove(context, config, &file, &urls)?;
    if as_json {
        context.output.json(&json!({"removed": args.feeds}))?;
    } else {
        for feed in &args.feeds {
            context
                .output
                .line(&format!("Removed {feed}. Its history stays."))?;
        }
    }
    let daemon = config.and_then(|config| InstanceLock::holder(&config.database));
    if let Some(pid) = daemon {
        context.output.note(&format!(
            "the daemon (pid {pid}) stops polling within a minute"
        ));
    }
    Ok(Exit::DONE)
}

/// The addresses of the named feeds.
fn meant(config: &Config, file: &ConfigFile, feeds: &[String]) -> Result<HashSet<String>, Error> {
    let url = |feed: &String| match config.feed_meant(feed) {
        Some(feed) => Ok(feed.url.clone()),
        None => Err(unknown(feed, file)),
    };
    feeds.iter().map(url).collect()
}

/// The same for a configuration with mistakes: the feed that causes one can be removed as well.
fn meant_in_broken(file: &ConfigFile, feeds: &[String]) -> Result<HashSet<String>, Error> {
    let mut known: Vec<(String, String)> = Vec::new();
    for (_, text) in ConfigTexts::read(file)?.iter() {
        known.extend(feeds_in(text).map_err(ConfigError::from)?);
    }
    let url = |feed: &String| {
        let same = known
            .iter()
            .filter(|(url, name)| url == feed || name == feed);
        let same: HashSet<&String> = same.map(|(url, _)| url).collect();
        match same.len() {
            1 => Ok(same.into_iter().cloned().collect::<String>()),
            _ => Err(unknown(feed, file)),
        }
    };
    feeds.iter().map(url).collect()
}

fn unknown(feed: &str, file: &ConfigFile) -> Error {
    Error::usage(format!("no feed `{feed}` in {}", file.path.display()))
        .hint("`revisor feeds` lists them; nothing was removed")
}

/// Removes feeds from every file that contains some of them.
fn remove(
    context: &CommandContext,
    config: Option<&Config>,
    file: &ConfigFile,
    urls: &HashSet<String>,
) -> Result<(), Error> {
    let texts = ConfigTexts::read(file)?;
    let tables: Vec<PathBuf> = texts.iter().map(|(path, _)| path.to_owned()).collect();
    let lists = config.map_or(&[][..], |config| &config.lists);
    let mut left = urls.clone();
    let edits = tables.iter().map(|path| (path, false));
    for (path, is_list) in edits.chain(lists.iter().map(|path| (path, true))) {
        // A missing file has nothing to remove.
        if left.is_empty() || !path.exists() {
            continue;
        }
        let mut gone = Vec::new();
        context.edit(path, |text| {
            let (after, removed) = match is_list {
                true => remove_listed(text, &left),
                false => remove_feeds(text, &left)?,
            };
            gone = removed;
            Ok(Some(after))
        })?;
        for url in gone {
            left.remove(&url);
        }
    }
    Ok(())
}
