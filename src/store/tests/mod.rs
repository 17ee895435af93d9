//! The store as its callers see it: through `Store`, `Writer` and `Reader` on a file.

mod committing;
mod compacting;
mod delivering;
mod gathering;
mod opening;
pub(super) mod plans;
mod reading;
mod saving;
mod searching;
mod speed;
mod writing;

use std::path::PathBuf;

use super::*;
use crate::domain::classify::{Label, Significance};
use crate::domain::diff::WordCount;
use crate::domain::event::{
    ChangeInfo, EntryInfo, Event, EventData, EventKind, FeedInfo, Field, RevisionInfo,
    SCHEMA_VERSION, Window,
};
use crate::domain::fingerprint::{Fingerprint, Fingerprints};
use crate::domain::ids::{EntryId, FeedId, RevisionNumber};
use crate::domain::outcome::{
    AliasKey, AliasKind, Capture, EntryOutcome, EntryRef, FeedPoll, NewAlias, NewChange, NewEvent,
    NewRevision, Outcome, PollResult, RevisionOrigin, Validators,
};
use crate::domain::scheme::Schemes;
use crate::domain::state::{Block, Channel, EntryState, FeedState};
use crate::time::Timestamp;

/// A database in its own folder, with one feed.
struct Bench {
    /// Holds the folder; dropped after the store.
    store: Option<Store>,
    dir: tempfile::TempDir,
    feed: FeedId,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("revisor.db"), &OpenOptions::default()).unwrap();
        store
            .writer()
            .sync_feeds(
                vec![configured("https://news.example/rss.xml", "news")],
                None,
                at(0),
            )
            .blocking()
            .unwrap();
        let feed = store
            .reader()
            .unwrap()
            .feed_by_name("news")
            .unwrap()
            .unwrap();
        Self {
            store: Some(store),
            dir,
            feed: feed.id,
        }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn writer(&self) -> &Writer {
        self.store().writer()
    }

    fn reader(&self) -> Reader {
        self.store().reader().unwrap()
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("revisor.db")
    }

    fn close(&mut self) {
        self.store.take().unwrap().close().unwrap();
    }

    fn commit(&self, outcome: Outcome) -> Result<Committed, StoreError> {
        self.writer().commit(outcome).blocking()
    }

    /// Stores a new entry and returns its id.
    fn entry(&self, guid: &str, title: &str) -> EntryId {
        let mut outcome = outcome(self.feed);
        outcome.entries.push(first_sight(guid, title, at(1)));
        self.commit(outcome).unwrap().entry_ids[0]
    }

    /// Stores the next revision of an entry, queued for these targets, and returns what was committed.
    fn revise(&self, entry: EntryId, title: &str, targets: &[&str]) -> Committed {
        let number = self.reader().entry(entry).unwrap().unwrap().revision.next();
        let mut outcome = outcome(self.feed);
        outcome
            .entries
            .push(revised(entry, number, title, at(60), targets));
        self.commit(outcome).unwrap()
    }

    /// Counts the rows of a table, bypassing the store.
    fn count(&self, table: &str) -> i64 {
        let conn = rusqlite::Connection::open(self.path()).unwrap();
        conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
            row.get(0)
        })
        .unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            plans::explain();
        }
    }
}

/// The faults of the file, except those of changes: the changes of this bench are stand-ins without words.
fn faults(found: &Verified) -> Vec<&String> {
    let of_changes = |fault: &&String| fault.starts_with("change #");
    found
        .faults
        .iter()
        .filter(|fault| !of_changes(fault))
        .collect()
}

/// Seconds after an arbitrary moment.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_795_000_000 + seconds)
}

fn configured(url: &str, name: &str) -> ConfiguredFeed {
    ConfiguredFeed {
        schedule: "every 15m".into(),
        url: url.into(),
        name: name.into(),
        host: "news.example".into(),
        ignore: Vec::new(),
    }
}

fn outcome(feed: FeedId) -> Outcome {
    Outcome {
        feed,
        poll: Some(poll(feed, at(1), PollResult::Ok)),
        guids_trusted: None,
        baseline: false,
        feed_capture: None,
        entries: Vec::new(),
        events: Vec::new(),
        rules: Vec::new(),
    }
}

fn poll(feed: FeedId, when: Timestamp, result: PollResult) -> FeedPoll {
    FeedPoll {
        not_before: None,
        pace: None,
        feed,
        at: when,
        result,
        status: Some(200),
        next: Some(when + std::time::Duration::from_mins(15)),
        next_why: "every 15m".into(),
        validators: None,
        title: None,
        moved_to: None,
        gone_since: None,
        emptied: None,
        postponed: 0,
        items: None,
    }
}

fn fingerprint(of: &str) -> Fingerprint {
    let mut bytes = [1; 16];
    for (place, byte) in of.bytes().enumerate() {
        bytes[1 + place % 15] ^= byte.rotate_left(u32::try_from(place % 8).unwrap());
    }
    Fingerprint(bytes)
}

fn state(guid: &str, title: &str) -> EntryState {
    EntryState {
        feed: Some(FeedState {
            guid: Some(guid.into()),
            address: Some(format!("https://news.example/{guid}")),
            title: Some(title.into()),
            published: Some(at(-3600)),
            body: vec![Block::paragraph(format!("The text of {title}."))],
            ..FeedState::default()
        }),
        page: None,
    }
}

fn guid(value: &str) -> AliasKey {
    AliasKey {
        kind: AliasKind::Guid,
        value: value.into(),
    }
}

fn revision(number: RevisionNumber, state: EntryState, seen: Timestamp) -> NewRevision {
    let title = state.title().unwrap_or_default().to_owned();
    NewRevision {
        number,
        seen,
        state,
        fingerprints: Fingerprints {
            feed: Some(fingerprint(&title)),
            feed_title: Some(fingerprint(&title)),
            ..Fingerprints::default()
        },
        schemes: Schemes::default(),
        origin: RevisionOrigin::Look,
        channels: vec![Channel::Feed],
        change: None,
    }
}

fn first_sight(name: &str, title: &str, seen: Timestamp) -> EntryOutcome {
    let mut entry = EntryOutcome::of(EntryRef::New);
    entry.aliases.push(NewAlias {
        key: guid(name),
        reason: "first sight".into(),
        if_free: false,
    });
    entry.in_feed = Some(true);
    entry.page_url = Some(format!("https://news.example/{name}"));
    entry.revision = Some(revision(RevisionNumber::FIRST, state(name, title), seen));
    entry
}

fn revised(
    entry: EntryId,
    number: RevisionNumber,
    title: &str,
    seen: Timestamp,
    targets: &[&str],
) -> EntryOutcome {
    let mut outcome = EntryOutcome::of(EntryRef::Known(entry));
    let mut new = revision(number, state("a", title), seen);
    new.change = Some(NewChange {
        event: event(number, title, seen),
        quiet: None,
        targets: targets.iter().map(|&name| name.into()).collect(),
        additive: false,
        edit: None,
    });
    outcome.revision = Some(new);
    outcome
}

fn event(number: RevisionNumber, title: &str, seen: Timestamp) -> Event {
    let side = |revision: RevisionNumber, title: &str| RevisionInfo {
        revision,
        seen,
        title: Some(title.into()),
        body_sha256: "00".repeat(32),
        document: None,
    };
    Event {
        kind: EventKind::EntryRevised,
        timestamp: seen,
        schema_version: SCHEMA_VERSION,
        data: EventData {
            change: Some(ChangeInfo {
                fields: vec![Field::Title],
                significance: Significance::Substantive,
                score: 71,
                labels: vec![Label::Headline, Label::Number],
                reasons: Vec::new(),
                score_parts: Vec::new(),
                words: WordCount {
                    added: 2,
                    removed: 1,
                },
                similarity: 0.5,
                channel: vec![Channel::Feed],
                headlines: Vec::new(),
                window: Window {
                    last_unchanged: seen - std::time::Duration::from_secs(30),
                    first_changed: seen,
                    checks: 1,
                    failed_checks: 0,
                },
                revert_of: None,
            }),
            feed: Some(FeedInfo {
                name: "news".into(),
                title: None,
                url: "https://news.example/rss.xml".into(),
                tags: Vec::new(),
            }),
            entry: Some(EntryInfo {
                id: String::new(),
                guid: Some("a".into()),
                url: None,
                author: None,
                published: None,
                first_seen: seen,
                archive: None,
            }),
            before: Some(side(RevisionNumber(number.0 - 1), "before")),
            after: Some(side(number, title)),
            text: format!("headline: {title}"),
            ..EventData::default()
        },
    }
}

fn plain_event(kind: EventKind, targets: &[&str]) -> NewEvent {
    NewEvent {
        event: Event {
            kind,
            timestamp: at(5),
            schema_version: SCHEMA_VERSION,
            data: EventData {
                text: "something".into(),
                ..EventData::default()
            },
        },
        entry: None,
        targets: targets.iter().map(|&name| name.into()).collect(),
    }
}

fn capture(body: &str) -> Capture {
    Capture {
        channel: Channel::Feed,
        url: "https://news.example/rss.xml".into(),
        fetched: at(1),
        status: 200,
        headers: vec![("content-type".into(), "application/rss+xml".into())],
        request: Some(vec![("user-agent".into(), "revisor".into())]),
        body: body.as_bytes().to_vec(),
    }
}

fn validators(etag: &str) -> Validators {
    Validators {
        etag: Some(etag.into()),
        last_modified: None,
        body_sha256: Some([7; 32]),
        packed_sha256: Some(Box::new([8; 32])),
    }
}
