//! `revisor mv`: changes the address of a feed, in the configuration and in the database. The feed keeps its
//! history.

use serde_json::json;

use super::CommandContext;
use super::args::MvArgs;
use super::setup::{now, store_to_write};
use crate::config::{
    Config, ConfigTexts, EditError, Environment, Secrets, from_texts, locate, move_feed,
    move_listed,
};
use crate::error::{Error, Exit};
use crate::feed::list::Written;
use crate::fetch::host_key;
use crate::report::names::count;
use crate::store::{InstanceLock, Moved, StoreError};

pub(super) fn run(context: &mut CommandContext, args: &MvArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let config = context.config(Secrets::WhereReadable)?;
    let to = Written::read(&args.to).url;
    if !url::Url::parse(&to).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
        return Err(
            Error::usage(format!("`{}` is not an http or https address", args.to))
                .hint("mv changes the address of a feed; its name is `name` in the configuration"),
        );
    }
    let there = config.feeds.iter().any(|feed| feed.url == to);
    let meant = match config.feed(&args.from) {
        // If the new address is already in the configuration, only the history is moved.
        None if there => None,
        None => config.feed_meant(&args.from),
        found => found,
    };
    let (from, moved) = match meant {
        Some(feed) if feed.url == to => {
            return Err(Error::usage(format!(
                "{} already has that address",
                feed.name
            )));
        }
        Some(_) if there => {
            return Err(Error::usage("both addresses are in the configuration")
                .hint("`revisor rm` removes the feed of one of them; then try again"));
        }
        Some(feed) => {
            let from = feed.url.clone();
            let moved = both(context, &config, &from, &to)?;
            (from, moved)
        }
        None if there && args.from.contains("://") => {
            let from = Written::read(&args.from).url;
            let moved = history(&config, &from, &to)?;
            (from, moved)
        }
        None => {
            return Err(
                Error::usage(format!("no feed `{}` in the configuration", args.from))
                    .hint("`revisor feeds` lists them; nothing has changed"),
            );
        }
    };
    if there && matches!(moved, Moved::Unknown | Moved::There) {
        return Err(
            Error::usage(format!("the database has no history of {from}"))
                .hint("give the old address as it was in the configuration; nothing has changed"),
        );
    }
    say(context, as_json, (&from, &to), &moved)?;
    if let Some(pid) = InstanceLock::holder(&config.database) {
        context.output.note(&format!(
            "the daemon (pid {pid}) picks it up within a minute"
        ));
    }
    Ok(Exit::DONE)
}

fn say(
    context: &mut CommandContext,
    as_json: bool,
    (from, to): (&str, &str),
    moved: &Moved,
) -> Result<(), Error> {
    let (entries, aside) = match moved {
        Moved::Done { entries, aside } => (*entries, aside.clone()),
        Moved::Unknown | Moved::There => (0, None),
    };
    if as_json {
        let kept = aside.map(|(name, entries)| json!({"url": name, "entries": entries}));
        let line = json!({"from": from, "to": to, "entries": entries, "aside": kept});
        return context.output.json(&line);
    }
    let entries = count(entries, "entry");
    context.output.line(&format!(
        "Moved {from} to {to}, with {entries} and their history."
    ))?;
    if let Some((name, entries)) = aside {
        let entries = count(entries, "entry");
        context.output.note(&format!(
            "the existing history of {to} ({entries}) is kept as {name}"
        ));
    }
    Ok(())
}

/// Moves the history, then writes the configuration; if that fails, the history is moved back.
fn both(context: &CommandContext, config: &Config, from: &str, to: &str) -> Result<Moved, Error> {
    let file = locate(context.global.config.as_deref(), &Environment::of_process());
    let texts = ConfigTexts::read(&file)?;
    for path in config.files() {
        let mut moved = None;
        let edited = context.edit(path, |text| {
            let after = match config.lists.contains(path) {
                true => move_listed(text, from, to),
                false => move_feed(text, from, to)?,
            };
            let Some(after) = after else { return Ok(None) };
            if !config.lists.contains(path) {
                let texts = texts.clone().with(path, &after);
                let environment = Environment::of_process();
                from_texts(
                    &texts,
                    context.flags(),
                    &environment,
                    Secrets::WhereReadable,
                )
                .map_err(EditError::Config)?;
            }
            let done = history(config, from, to);
            let write = done.is_ok();
            moved = Some(done);
            Ok(write.then_some(after))
        });
        match (edited, moved) {
            (Ok(()), None) => {}
            (Ok(()), Some(moved)) => return moved,
            (Err(error), moved) => {
                if let Some(Ok(Moved::Done { .. })) = moved {
                    history(config, to, from)?;
                }
                return Err(error);
            }
        }
    }
    Err(Error::usage(format!(
        "cannot find {from} in the files of the configuration"
    )))
}

fn history(config: &Config, from: &str, to: &str) -> Result<Moved, Error> {
    let store = match store_to_write(config) {
        Ok(store) => store,
        // Nothing was stored yet, so there is nothing to move.
        Err(StoreError::NotFound { .. } | StoreError::Empty { .. }) => return Ok(Moved::Unknown),
        Err(error) => return Err(error.into()),
    };
    let (from, to) = (from.to_owned(), to.to_owned());
    let host = host_key(&to);
    let moved = store.writer().move_feed(from, to, host, now()).blocking();
    store.close()?;
    Ok(moved?)
}
