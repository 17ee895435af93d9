//! `revisor import diffengine`: imports the records of another program, as revisions that send no alerts.

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;

use super::CommandContext;
use super::args::ImportPastArgs;
use super::setup::{now, store_to_write};
use crate::check::{PastArticle, TakeOver};
use crate::config::{Config, Secrets, names};
use crate::domain::decide::Policy;
use crate::domain::event::FeedInfo;
use crate::domain::ids::FeedId;
use crate::domain::outcome::Outcome;
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
struct ImportedPast {
    /// Articles with at least one new revision.
    articles: u64,
    revisions: u64,
    changes: u64,
    /// Articles that revisor has watched itself, which stay as they are.
    watched: u64,
    /// Articles without a usable address, and versions without a usable time.
    skipped: u64,
}

/// Articles that are taken over at the same time, a version of each in a transaction: one for each version would wait for
/// the disk 200,000 times, and write the same pages of the index again and again.
const AT_ONCE: usize = 256;

/// Bytes of text in a transaction, roughly.
const ENOUGH: usize = 4 << 20;

/// The database that is taken over, and its path for messages.
struct Theirs<'a> {
    database: Diffengine,
    path: &'a Path,
}

impl Theirs<'_> {
    /// What is wrong in that database is not a damage of ours.
    fn read<T>(&self, ask: impl FnOnce(&Diffengine) -> Result<T, StoreError>) -> Result<T, Error> {
        ask(&self.database).map_err(|error| unreadable(self.path, error))
    }
}

/// The destination of the import.
struct PastImport<'a> {
    config: &'a Config,
    theirs: &'a Theirs<'a>,
    store: &'a Store,
    reader: &'a Reader,
    now: Timestamp,
    feeds: HashMap<String, (FeedId, FeedInfo, Policy)>,
    /// The last article that was begun.
    row: i64,
    begun: usize,
    underway: Vec<Underway<'a>>,
    done: ImportedPast,
}

/// An article with the rows of the versions that are left.
struct Underway<'a> {
    taking: TakeOver<'a>,
    versions: std::vec::IntoIter<i64>,
}

/// What is stored next, and of which article underway.
#[derive(Default)]
struct Batch {
    outcomes: Vec<Outcome>,
    of: Vec<(usize, Timestamp)>,
    bytes: usize,
}

pub(super) fn run(context: &mut CommandContext, args: &ImportPastArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let config = context.config(Secrets::WhereReadable)?;
    let theirs = Diffengine::open(&args.file).map_err(|error| unreadable(&args.file, error))?;
    let theirs = Theirs {
        database: theirs,
        path: &args.file,
    };
    let all = theirs.read(Diffengine::count)?;
    let store = store(&config)?;
    let reader = store.reader()?;
    let mut import = PastImport {
        config: &config,
        theirs: &theirs,
        store: &store,
        reader: &reader,
        now: now(),
        feeds: HashMap::new(),
        row: i64::MIN,
        begun: 0,
        underway: Vec::new(),
        done: ImportedPast::default(),
    };
    let mut progress = context.output.progress();
    while import.round()? {
        let over = import.begun - import.underway.len();
        progress.show(&format!("Importing articles: {over} of {all}"));
    }
    progress.clear();
    let done = import.done;
    store.close()?;
    if as_json {
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

impl PastImport<'_> {
    /// Takes over the next version of every article underway; answers whether there are more.
    fn round(&mut self) -> Result<bool, Error> {
        while self.underway.len() < AT_ONCE && self.begin()? {}
        let mut batch = Batch::default();
        for place in 0..self.underway.len() {
            self.add(place, &mut batch)?;
            if batch.bytes >= ENOUGH {
                self.commit(std::mem::take(&mut batch))?;
            }
        }
        self.commit(batch)?;
        let (left, over) = std::mem::take(&mut self.underway)
            .into_iter()
            .partition(|article| !article.versions.as_slice().is_empty());
        self.underway = left;
        for article in over {
            self.end(article);
        }
        Ok(!self.underway.is_empty() || self.begin()?)
    }

    /// Begins the next article; `false` when there is none, or it is the same as one underway.
    fn begin(&mut self) -> Result<bool, Error> {
        let Some(article) = self
            .theirs
            .read(|database| database.article_after(self.row))?
        else {
            return Ok(false);
        };
        if is_web(&article.url) && is_web(&article.feed_url) {
            let past = self.past(&article)?;
            let key = past.key();
            let twin = |underway: &Underway<'_>| underway.taking.is_of(past.feed, &key);
            if self.underway.iter().any(twin) {
                return Ok(false);
            }
            match TakeOver::begin(self.reader, past)? {
                Some(taking) => self.underway.push(Underway {
                    taking,
                    versions: self
                        .theirs
                        .read(|database| database.versions(article.id))?
                        .into_iter(),
                }),
                None => self.done.watched += 1,
            }
        } else {
            self.done.skipped += 1;
        }
        self.row = article.id;
        self.begun += 1;
        Ok(true)
    }

    fn past(&mut self, article: &WatchedArticle) -> Result<PastArticle, Error> {
        let (feed, info, policy) = self.feed(article)?;
        Ok(PastArticle {
            feed,
            info,
            policy,
            url: article.url.trim().to_owned(),
            reason: "imported from diffengine",
        })
    }

    /// Puts what came of the next version of an article into the batch.
    fn add(&mut self, place: usize, batch: &mut Batch) -> Result<(), Error> {
        let Some(article) = self.underway.get_mut(place) else {
            return Ok(());
        };
        let Some(row) = article.versions.next() else {
            return Ok(());
        };
        let version = self.theirs.read(|database| database.version(row))?;
        let Some(seen) = version.seen.filter(|seen| *seen <= self.now) else {
            self.done.skipped += 1;
            return Ok(());
        };
        if let Some(outcome) = article.taking.next(&version.title, &version.html, seen)? {
            batch.outcomes.push(outcome);
            batch.of.push((place, seen));
            batch.bytes += version.html.len();
        }
        Ok(())
    }

    fn commit(&mut self, batch: Batch) -> Result<(), Error> {
        if batch.outcomes.is_empty() {
            return Ok(());
        }
        let stored = self.store.writer().commit_all(batch.outcomes).blocking()?;
        for ((place, seen), committed) in batch.of.into_iter().zip(&stored) {
            if let Some(article) = self.underway.get_mut(place) {
                article.taking.stored(seen, committed);
            }
        }
        Ok(())
    }

    fn end(&mut self, article: Underway<'_>) {
        let taken = article.taking.finish();
        self.done.articles += u64::from(taken.revisions > 0);
        self.done.revisions += taken.revisions;
        self.done.changes += taken.changes;
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

fn sentence(done: &ImportedPast) -> String {
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
