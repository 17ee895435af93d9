//! `revisor add`: finds feeds, writes them to the configuration, and stores their first snapshot.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::CommandContext;
use super::args::AddArgs;
use super::discover::{Finder, FoundFeed};
use super::setup::{clock, now, reader_if_any, runtime};
use crate::check::{FeedReport, FeedResult, WaitLimit};
use crate::config::{
    Config, ConfigError, ConfigTexts, EditError, Environment, NewFeed, STARTER_TOML, Secrets,
    add_feeds, from_texts, locate, names,
};
use crate::daemon::{Assembly, DaemonError};
use crate::domain::durations::rough_duration;
use crate::domain::outcome::Validators;
use crate::domain::schedule::Plan;
use crate::domain::url::canonical;
use crate::error::{Error, Exit};
use crate::fetch::Answer;
use crate::store::{InstanceLock, StoreError};

/// A feed that was added.
#[derive(Debug, Serialize)]
struct Added {
    name: String,
    url: String,
    format: &'static str,
    /// Entries of the first snapshot; absent until there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<usize>,
    /// Why there is no first snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// How often it is polled, if that is less often than configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    polled: Option<String>,
}

pub(super) fn run(context: &mut CommandContext, args: &AddArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let file = locate(context.global.config.as_deref(), &Environment::of_process());
    // A file that was named but does not exist is created; until then the defaults apply.
    let texts = ConfigTexts::read(&file)?;
    let config = use_texts(context, &texts)?;
    let (found, mut failed) = find(context, args, &config)?;
    let mut added = write(context, &texts, (&file.path, args), &config, &found)?;
    if !added.is_empty() {
        let answers = found.into_iter().map(|feed| feed.answer).collect();
        failed |= baseline(context, &mut added, answers)?;
    }
    hint_at_histories(context, &added)?;
    if as_json {
        context.output.json(&added)?;
    } else {
        for feed in &added {
            context.output.line(&sentence(feed))?;
        }
    }
    Ok(if failed { Exit::PARTIAL } else { Exit::DONE })
}

fn use_texts(context: &CommandContext, texts: &ConfigTexts) -> Result<Config, ConfigError> {
    let environment = Environment::of_process();
    let loaded = from_texts(texts, context.flags(), &environment, Secrets::WhereReadable)?;
    Ok(loaded.config)
}

/// The feeds at the addresses, without those already in the configuration, and whether some addresses had none. If
/// none had a feed, returns the first error.
fn find(
    context: &CommandContext,
    args: &AddArgs,
    config: &Config,
) -> Result<(Vec<FoundFeed>, bool), Error> {
    let runtime = runtime(1)?;
    let mut progress = context.output.progress();
    let mut finder = Finder::new(config, &mut progress)?;
    let mut found: Vec<FoundFeed> = Vec::new();
    let mut errors = Vec::new();
    let mut known = 0;
    for address in &args.urls {
        let looked = if args.watch_page {
            FoundFeed::page_itself(address).map(|page| vec![page])
        } else {
            runtime.block_on(finder.feeds_at(address, args.pick, args.all))
        };
        for note in finder.notes() {
            finder.pause();
            context.output.note(&note);
        }
        match looked {
            Ok(feeds) => {
                for feed in feeds {
                    let address = canonical(&feed.url);
                    let same = |url: &str| canonical(url) == address;
                    let there = config.feeds.iter().find(|there| same(&there.url));
                    if let Some(there) = there {
                        known += 1;
                        finder.pause();
                        context.output.note(&format!(
                            "{} is already in the configuration, as {}",
                            feed.url, there.name
                        ));
                    } else if !found.iter().any(|other| same(&other.url)) {
                        found.push(feed);
                    }
                }
            }
            Err(error) => errors.push(error),
        }
    }
    progress.clear();
    if found.is_empty() && known == 0 && !errors.is_empty() {
        let rest = errors.split_off(1);
        for error in &rest {
            context.output.error(error);
        }
        return Err(errors.remove(0));
    }
    for error in &errors {
        context.output.error(error);
    }
    Ok((found, !errors.is_empty()))
}

/// Writes the feeds to the configuration, unless that would make it invalid.
fn write(
    context: &CommandContext,
    texts: &ConfigTexts,
    (file, args): (&Path, &AddArgs),
    config: &Config,
    found: &[FoundFeed],
) -> Result<Vec<Added>, Error> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(name) = &args.name {
        if found.len() > 1 {
            return Err(Error::usage(
                "--name works with one feed, and there are several",
            ));
        }
        if config.feeds.iter().any(|feed| feed.name == *name) {
            return Err(Error::usage(format!("the name `{name}` is already in use"))
                .hint("`revisor feeds` lists the feeds"));
        }
    }
    let feeds: Vec<NewFeed> = found
        .iter()
        .map(|feed| NewFeed {
            url: feed.url.clone(),
            name: match (&args.name, &feed.title) {
                (Some(name), _) => name.clone(),
                (None, Some(title)) => names::from_title(title),
                (None, None) => String::new(),
            },
            is_page: args.watch_page,
            tags: args.tag.clone(),
            every: args.every.clone(),
            cron: None,
            page: args.page.map(|when| when.as_str().to_owned()),
        })
        .collect();
    let mut given = Vec::new();
    context.edit(file, |text| {
        let before = if text.is_empty() { STARTER_TOML } else { text };
        let (after, names) = add_feeds(before, &feeds, &config.feeds)?;
        use_texts(context, &texts.clone().with(file, &after)).map_err(EditError::Config)?;
        given = names;
        Ok(Some(after))
    })?;
    let added = found.iter().zip(given).map(|(feed, name)| Added {
        name,
        url: feed.url.clone(),
        format: feed.format,
        entries: None,
        error: None,
        polled: None,
    });
    Ok(added.collect())
}

/// Reports which of the feeds have a history under another form of their address.
fn hint_at_histories(context: &CommandContext, added: &[Added]) -> Result<(), Error> {
    if added.is_empty() {
        return Ok(());
    }
    let config = context.load(Secrets::WhereReadable)?.config;
    let Some(reader) = reader_if_any(&config)? else {
        return Ok(());
    };
    let left = reader.left_addresses()?;
    for (feed, old) in config.alike(&left) {
        if added.iter().any(|added| added.url == feed.url) {
            let (name, url) = (&feed.name, &feed.url);
            context.output.hint(&format!(
                "{name} has a history as {old}: `revisor mv {old} {url}` continues it"
            ));
        }
    }
    Ok(())
}

/// Stores the first snapshot of the feeds, which sends no alerts, from the responses already fetched; a running
/// daemon does this by itself. Returns whether one failed.
fn baseline(
    context: &CommandContext,
    added: &mut [Added],
    answers: Vec<Option<Answer>>,
) -> Result<bool, Error> {
    let config = context.config(Secrets::WhereReadable)?;
    let database = config.database.clone();
    let by_daemon = |pid: Option<u32>| {
        let pid = pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
        context.output.note(&format!(
            "the daemon{pid} picks it up and takes its first snapshot within a minute"
        ));
        Ok(false)
    };
    if let Some(pid) = InstanceLock::holder(&database) {
        return by_daemon(Some(pid));
    }
    let runtime = runtime(2)?;
    let done = runtime.block_on(async {
        let assembly = Assembly::open(config, clock()).await?;
        let mut progress = context.output.progress();
        for (feed, answer) in added.iter_mut().zip(answers) {
            progress.show(&format!("reading {}", feed.name));
            let row = assembly.store.reader()?.feed_by_url(&feed.url)?;
            let Some(row) = row else { continue };
            let config = assembly.checker.settings().feed(&feed.url);
            let checker = &assembly.checker;
            let checked = match answer {
                Some(answer) => {
                    feed.polled = config.and_then(|config| rarely(&config.plan, &answer));
                    Box::pin(checker.check_feed_response(row.id, answer)).await
                }
                None => Box::pin(checker.check_feed(row.id, WaitLimit::Short)).await,
            };
            match checked {
                Ok(report) => take(feed, &report),
                Err(error) => feed.error = Some(error.to_string()),
            }
        }
        progress.clear();
        assembly.close().await?;
        Ok::<_, DaemonError>(())
    });
    runtime.shutdown_timeout(Duration::from_millis(500));
    match done {
        Ok(()) => Ok(added.iter().any(|feed| feed.error.is_some())),
        Err(DaemonError::Store(StoreError::AlreadyRunning { pid, .. })) => by_daemon(pid),
        Err(error) => Err(error.into()),
    }
}

/// How often a feed is polled if its server cannot report that nothing is new.
fn rarely(plan: &Plan, answer: &Answer) -> Option<String> {
    let Validators {
        etag,
        last_modified,
        ..
    } = &answer.validators;
    let whole = plan
        .unconditional
        .filter(|whole| *whole > plan.usual_gap(now()))?;
    (etag.is_none() && last_modified.is_none()).then(|| {
        format!(
            "every {}: the server sends no ETag or Last-Modified",
            rough_duration(whole)
        )
    })
}

fn take(feed: &mut Added, report: &FeedReport) {
    match &report.result {
        FeedResult::Failed(why) => feed.error = Some(why.clone()),
        _ => feed.entries = Some(report.entries),
    }
}

fn sentence(feed: &Added) -> String {
    let polled = match &feed.polled {
        Some(polled) => format!(" Polled {polled}."),
        None => String::new(),
    };
    let head = format!("Added {} ({}).{polled}", feed.name, feed.format);
    match (feed.entries, &feed.error) {
        (Some(1), _) => format!("{head} First snapshot: 1 entry, no alerts sent."),
        (Some(entries), _) => format!("{head} First snapshot: {entries} entries, no alerts sent."),
        (None, Some(error)) => format!("{head} No first snapshot yet: {error}"),
        (None, None) => head,
    }
}
