//! Recomputes everything that is derived from stored responses, under the schemes of today.
//!
//! Text that was read under an older scheme is read again from its capture. The fingerprints of all revisions are
//! renewed, and a newest revision that now reads differently is followed by a re-reading. None of this is a change
//! or an event. Each entry is stored by itself, and current ones are skipped, so an interrupted run continues where
//! it stopped.

use std::sync::Arc;

use crate::check::events::revise::EntryKnowledge;
use crate::check::feed::identify::known_entry;
use crate::check::reread::reading::{Reading, StoredItems, kept_answer};
use crate::check::reread::rebase::{Again, ReadAgain, rebase};
use crate::check::{Checker, Settings};
use crate::domain::chain::StoredCapture;
use crate::domain::fingerprint::{Fingerprints, SCHEME};
use crate::domain::ids::{CaptureId, EntryId, FeedId};
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::Stamp;
use crate::domain::scheme::Schemes;
use crate::domain::state::{Channel, EntryState};
use crate::store::{self, DerivedRow, Reader, Readers, Rederived, StoreError, Writer};
use crate::time::Timestamp;

/// How many entries are computed before they are stored together.
const TOGETHER: usize = 32;

/// Recomputes derived rows, some entries at a time.
#[derive(Debug)]
pub struct Reextraction {
    readers: Readers,
    writer: Writer,
    settings: Arc<Settings>,
    /// How the responses of the current feed are read.
    reading: Option<(FeedId, Reading)>,
    /// The feed document that was read last: its other entries come next.
    items: Option<(CaptureId, Option<StoredItems>)>,
    next: EntryId,
}

impl Checker {
    /// Starts a re-reading of everything, from the first entry.
    #[must_use]
    pub fn reextraction(&self) -> Reextraction {
        Reextraction::new(self.readers.clone(), self.writer.clone(), self.settings())
    }

    /// Runs [`Reextraction::step`] between the checks. Returns the work, how far it has come, and whether there is
    /// more.
    pub async fn reextract_step(
        &self,
        mut work: Reextraction,
        mut so_far: Reextracted,
    ) -> Result<(Reextraction, Reextracted, bool), StoreError> {
        let now = self.now();
        let step = move || {
            let more = work.step(&mut so_far, now);
            more.map(|more| (work, so_far, more))
        };
        self.workers
            .run(step)
            .await
            .map_err(|_| StoreError::Fault)?
    }
}

/// The progress so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reextracted {
    /// Entries that were examined.
    pub entries: u64,
    /// Entries that were of an older scheme and are now current.
    pub renewed: u64,
    /// How many of those have a newest revision that now reads differently: each gets a re-reading.
    pub reread: u64,
    /// Entries with a revision whose response is gone, damaged, or no longer says anything: it stays under its old
    /// scheme.
    pub lost: u64,
    /// Entries that another process has revised meanwhile; they are left for the next run.
    pub outrun: u64,
}

impl Reextraction {
    /// Starts with the first entry.
    #[must_use]
    pub fn new(readers: Readers, writer: Writer, settings: Arc<Settings>) -> Self {
        Self {
            readers,
            writer,
            settings,
            reading: None,
            items: None,
            next: EntryId(0),
        }
    }

    /// Processes the next few entries and adds the result to `so_far`; `false` if none are left. Blocks the thread.
    pub fn step(&mut self, so_far: &mut Reextracted, now: Timestamp) -> Result<bool, StoreError> {
        let readers = self.readers.clone();
        let entries = readers.with(|reader| reader.entries_after(self.next, TOGETHER))?;
        let Some(last) = entries.last().map(|entry| entry.id) else {
            return Ok(false);
        };
        let mut done = *so_far;
        let mut renewed = Vec::new();
        for entry in &entries {
            done.entries += 1;
            let found = match readers.with(|reader| self.entry(reader, entry, now)) {
                Err(error) if error.is_damaged() => {
                    tracing::error!(%error, entry = %entry.id,
                        "an entry is damaged and was not re-read; `revisor db verify` shows details");
                    done.lost += 1;
                    continue;
                }
                found => found?,
            };
            done.lost += u64::from(found.lost);
            if let Some(work) = found.work {
                done.renewed += 1;
                done.reread += u64::from(work.base.is_some());
                renewed.push(work);
            }
        }
        if !renewed.is_empty() {
            let outrun = self.writer.rederive(renewed).blocking()?;
            done.outrun += outrun as u64;
            done.renewed = done.renewed.saturating_sub(outrun as u64);
        }
        self.next = last;
        *so_far = done;
        Ok(true)
    }

    /// The reading for the settings of a feed, or for the common settings if it has left the configuration.
    fn reading(&mut self, reader: &Reader, feed: FeedId) -> Result<Reading, StoreError> {
        if let Some((known, reading)) = &self.reading
            && *known == feed
        {
            return Ok(reading.clone());
        }
        let row = reader.feed(feed)?;
        let own = row.and_then(|row| self.settings.feed(&row.url));
        let reading = match own {
            Some(own) => Reading::of(&own),
            None => {
                let config = self.settings.config();
                Reading::with(&config.fetch, &config.page)
            }
        };
        self.reading = Some((feed, reading.clone()));
        Ok(reading)
    }

    fn entry(
        &mut self,
        reader: &Reader,
        row: &store::KnownEntry,
        now: Timestamp,
    ) -> Result<Reread, StoreError> {
        let reading = self.reading(reader, row.feed)?;
        let schemes = reading.schemes();
        let derived = reader.derived_rows(row.id)?;
        let first_stale = derived.iter().position(|row| is_stale(row, schemes));
        let newest = derived.last().map(|row| row.number);
        if first_stale.is_none() || newest != Some(row.revision) {
            // Everything is current, or another process is revising it right now.
            return Ok(Reread::default());
        }
        let mut found = Reread::default();
        let mut stamps = Vec::new();
        let mut carried = ReadAgain::default();
        for derived in &derived {
            let Some((state, _)) = reader.state(row.id, derived.number)? else {
                continue;
            };
            for &channel in &derived.channels {
                let again = self.again(reader, &reading, derived, channel, &state)?;
                carried.put(channel, again);
            }
            let stamp = stamp(&carried, &state, derived, schemes);
            found.lost |= stamp.schemes != wanted(&state, derived.schemes, schemes);
            if stamp.fingerprints.stored() != derived.fingerprints
                || stamp.schemes != derived.schemes
            {
                stamps.push((derived.number, stamp));
            }
        }
        let Some(full) = reader.load_entry(row.id)?.map(known_entry) else {
            return Ok(found);
        };
        let mut full: EntryKnowledge = full;
        let both = [(Channel::Feed, None), (Channel::Page, None)];
        let rebasing = rebase(&mut full, &both, schemes, now, &carried, |_| None);
        if !stamps.is_empty() || rebasing.base.is_some() {
            found.work = Some(Rederived {
                entry: row.id,
                revision: row.revision,
                stamps,
                base: rebasing.base,
            });
        }
        Ok(found)
    }

    /// The response of a channel that brought a revision, read again.
    fn again(
        &mut self,
        reader: &Reader,
        reading: &Reading,
        row: &DerivedRow,
        channel: Channel,
        known: &EntryState,
    ) -> Result<Option<Again>, StoreError> {
        let id = match channel {
            Channel::Feed => row.captures.feed,
            Channel::Page => row.captures.page,
        };
        let Some(id) = id else { return Ok(None) };
        if let Some((read, items)) = &self.items
            && *read == id
        {
            let found = items.as_ref().map(|items| items.observation(known));
            let found = found.and_then(Result::ok);
            return Ok(found.map(|found| of_capture(found, id)));
        }
        let Some(stored) = kept_answer(reader, id)? else {
            if channel == Channel::Feed {
                self.items = Some((id, None));
            }
            return Ok(None);
        };
        let StoredCapture { capture, .. } = &stored;
        let found = match channel {
            Channel::Feed => {
                let items = reading.items(capture).ok();
                let found = items.as_ref().map(|items| items.observation(known));
                self.items = Some((id, items));
                found.and_then(Result::ok)
            }
            Channel::Page => reading.again(capture, known).ok(),
        };
        Ok(found.map(|found| of_capture(found, id)))
    }
}

fn of_capture(found: Observation, capture: CaptureId) -> Again {
    Again {
        fetched: found.seen,
        state: found.state,
        capture,
        sha256: [0; 32],
    }
}

/// The result for an entry.
#[derive(Debug, Default)]
struct Reread {
    work: Option<Rederived>,
    lost: bool,
}

/// What is derived from a revision with this state. A channel whose response is lost keeps its text and its scheme.
fn stamp(carried: &ReadAgain, state: &EntryState, row: &DerivedRow, schemes: Schemes) -> Stamp {
    let mut read = state.clone();
    let mut under = row.schemes;
    for channel in [Channel::Feed, Channel::Page] {
        if row.schemes.of(channel) == schemes.of(channel) {
            continue;
        }
        let known = match channel {
            Channel::Feed => state.feed.is_some(),
            Channel::Page => state.page.is_some(),
        };
        match carried.of(channel).filter(|_| known) {
            None => {}
            Some(again) => {
                under = under.take(channel, schemes);
                match again.state.clone() {
                    Observed::Feed(feed) => read.feed = Some(feed),
                    Observed::Page(page) => read.page = Some(page),
                }
            }
        }
    }
    Stamp {
        fingerprints: Fingerprints::of(&read),
        schemes: under,
    }
}

/// The schemes that a revision would have if nothing were lost.
fn wanted(state: &EntryState, now: Schemes, schemes: Schemes) -> Schemes {
    let mut wanted = now;
    if state.feed.is_some() {
        wanted = wanted.take(Channel::Feed, schemes);
    }
    if state.page.is_some() {
        wanted = wanted.take(Channel::Page, schemes);
    }
    wanted
}

fn is_stale(row: &DerivedRow, schemes: Schemes) -> bool {
    let channels = [
        (Channel::Feed, row.fingerprints.feed),
        (Channel::Page, row.fingerprints.page),
    ];
    channels.into_iter().any(|(channel, print)| {
        print.is_some_and(|print| {
            print.scheme() != SCHEME || row.schemes.of(channel) != schemes.of(channel)
        })
    })
}
