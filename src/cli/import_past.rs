//! `revisor import diffengine`: imports the records of another program, as revisions that send no alerts.

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;

use super::Context;
use super::args::{Format, ImportPastArgs};
use super::setup::{now, store_to_write};
use crate::check::{PastArticle, TakeOver};
use crate::config::{Config, Secrets, names};
use crate::domain::decide::Policy;
use crate::domain::event::FeedInfo;
use crate::domain::ids::FeedId;
use crate::error::{Error, Exit};
use crate::fetch::host_key;
use crate::report::clean;
use crate::report::names::count;
use crate::store::{
    Diffengine, Holder, InstanceLock, OpenOptions, Reader, Store, StoreError, WatchedArticle,
};
use crate::time::Timestamp;

/// What was imported. Its JSON form is the output of `import diffengine --json`.
#[derive(Debug, Default, Serialize)]
struct Imported {
    /// Articles with at least one new revision.
    articles: u64,
    revisions: u64,
    changes: u64,
    /// Articles that revisor has watched itself, which stay as they are.
    watched: u64,
    /// Articles without a usable address, and versions without a usable time.
    skipped: u64,
}

/// The destination of the import.
struct Import<'a> {
    config: &'a Config,
    store: &'a Store,
    reader: &'a Reader,
    now: Timestamp,
    feeds: HashMap<String, (FeedId, FeedInfo, Policy)>,
    done: Imported,
}

pub(super) fn run(context: &mut Context, args: &ImportPastArgs) -> Result<Exit, Error> {
    let format = context.format(&[Format::Short, Format::Json])?;
    let config = context.config(Secrets::WhereReadable)?;
    let theirs = Diffengine::open(&args.file).map_err(|error| unreadable(&args.file, error))?;
    let all = theirs
        .count()
        .map_err(|error| unreadable(&args.file, error))?;
    let store = store(&config)?;
    let reader = store.reader()?;
    let mut import = Import {
        config: &config,
        store: &store,
        reader: &reader,
        now: now(),
        feeds: HashMap::new(),
        done: Imported::default(),
    };
    let mut progress = context.output.progress();
    let (mut row, mut seen) = (i64::MIN, 0_u64);
    while let Some(article) = theirs
        .article_after(row)
        .map_err(|error| unreadable(&args.file, error))?
    {
        row = article.id;
        import.article(&theirs, &article)?;
        seen += 1;
        progress.show(&format!("Importing articles: {seen} of {all}"));
    }
    progress.clear();
    let done = import.done;
    store.close()?;
    if format == Format::Json {
        context.output.json(&done)?;
    } else {
        context.output.line(&sentence(&done))?;
    }
    if done.watched > 0 {
        context.output.note(&format!(
            "{} left as they are: revisor has watched them itself",
            count(done.watched, "article")
        ));
    }
    if done.skipped > 0 {
        context.output.note(&format!(
            "{} skipped: no http address, or no time in the past",
            count(done.skipped, "row")
        ));
        return Ok(Exit::PARTIAL);
    }
    Ok(Exit::DONE)
}

/// The database, created if there is none.
fn store(config: &Config) -> Result<Store, StoreError> {
    match store_to_write(config) {
        Err(StoreError::NotFound { .. } | StoreError::Empty { .. }) => {
            let _lock = InstanceLock::acquire(&config.database, Holder::Command)?;
            Store::open(&config.database, &OpenOptions::default())
        }
        opened => opened,
    }
}

impl Import<'_> {
    fn article(&mut self, theirs: &Diffengine, article: &WatchedArticle) -> Result<(), Error> {
        if !is_web(&article.url) || !is_web(&article.feed_url) {
            self.done.skipped += 1;
            return Ok(());
        }
        let (feed, info, policy) = self.feed(article)?;
        let past = PastArticle {
            feed,
            info,
            policy,
            url: article.url.trim().to_owned(),
            reason: "imported from diffengine",
        };
        let begun = TakeOver::begin(self.store.writer(), self.reader, past)?;
        let Some(mut taking) = begun else {
            self.done.watched += 1;
            return Ok(());
        };
        let mut skipped = 0;
        theirs.each_version(article.id, |version| {
            match version.seen.filter(|seen| *seen <= self.now) {
                Some(seen) => taking.add(&version.title, &version.html, seen),
                None => {
                    skipped += 1;
                    Ok(())
                }
            }
        })?;
        let taken = taking.finish();
        self.done.skipped += skipped;
        self.done.articles += u64::from(taken.revisions > 0);
        self.done.revisions += taken.revisions;
        self.done.changes += taken.changes;
        Ok(())
    }

    /// The feed of an article: the one in the configuration, else one that only has a history.
    fn feed(&mut self, article: &WatchedArticle) -> Result<(FeedId, FeedInfo, Policy), Error> {
        if let Some(known) = self.feeds.get(&article.feed_url) {
            return Ok(known.clone());
        }
        let meant = self.config.feed_meant(&article.feed_url);
        let url = meant.map_or(article.feed_url.trim(), |feed| feed.url.as_str());
        let name = match (meant, names::from_title(&article.feed_name)) {
            (Some(feed), _) => feed.name.clone(),
            (None, name) if name.is_empty() => names::from_address(url),
            (None, name) => name,
        };
        let detect = meant.map_or(&self.config.detect, |feed| &feed.detect);
        let made = self.store.writer().feed_for_history(
            url.to_owned(),
            name.clone(),
            host_key(url),
            self.now,
        );
        let info = FeedInfo {
            name,
            title: None,
            url: url.to_owned(),
            tags: meant.map(|feed| feed.tags.to_vec()).unwrap_or_default(),
        };
        let policy = Policy {
            significance: detect.significance,
            flap_window: detect.flap_window,
            live_digest: None,
        };
        let known = (made.blocking()?, info, policy);
        self.feeds.insert(article.feed_url.clone(), known.clone());
        Ok(known)
    }
}

fn is_web(address: &str) -> bool {
    let address = url::Url::parse(address.trim());
    address.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn unreadable(path: &Path, error: StoreError) -> Error {
    Error::usage(format!(
        "cannot read {} as a database of diffengine",
        clean::line(&path.display().to_string())
    ))
    .because(error)
}

fn sentence(done: &Imported) -> String {
    match done.revisions {
        0 => "Nothing new to import.".to_owned(),
        revisions => format!(
            "Imported {} with {} and {}; no alerts sent.",
            count(done.articles, "article"),
            count(revisions, "revision"),
            count(done.changes, "change")
        ),
    }
}
