//! Reads a document without the items whose bytes are known.
//!
//! An item that was compared is remembered with its fingerprint. While its bytes and the rules stay the same, and
//! that fingerprint is the one stored for its entry, reading it would find nothing new, so it is not read again. If
//! anything does not fit, the whole document is read.

use crate::check::feed::identify::{DocumentItems, IdentifiedFeed, identify};
use crate::check::furniture::FeedRules;
use crate::check::{Reading, schedule};
use crate::config::{FeedConfig, PageMode};
use crate::domain::ids::EntryId;
use crate::domain::known_items::{KnownItem, KnownItems};
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::{EntryOutcome, EntryRef, Outcome, Pace};
use crate::domain::scheme::Schemes;
use crate::domain::state::Channel;
use crate::feed::{FeedError, ParsedFeed};
use crate::fetch::Answer;
use crate::store::{FeedRow, KnownEntry, Reader, Readers, StoreError};
use crate::time::Timestamp;

use crate::check::reread::rebase::is_stale;

/// A document that was read, and its items matched to what is known of them.
pub(in crate::check) type ReadDocument = (ParsedFeed, Pace, IdentifiedFeed);

/// An item that was not read, as it is known.
#[derive(Debug)]
pub(in crate::check) struct SameItem {
    pub(in crate::check) item: KnownItem,
    pub(in crate::check) first_seen: Timestamp,
}

/// How a document is read and compared.
pub(in crate::check) struct DocumentReading<'a> {
    pub(in crate::check) reading: &'a Reading,
    pub(in crate::check) readers: &'a Readers,
    pub(in crate::check) row: &'a FeedRow,
    pub(in crate::check) config: &'a FeedConfig,
    pub(in crate::check) now: Timestamp,
}

impl DocumentReading<'_> {
    /// Reads a document.
    pub(in crate::check) fn read(
        &self,
        answer: &Answer,
    ) -> Result<Result<ReadDocument, FeedError>, StoreError> {
        self.readers.with(|reader| {
            // Nothing is known of a feed before its first document.
            let (rules, before) = match self.row.baseline {
                None => (FeedRules::default(), None),
                Some(_) => (
                    FeedRules::read(reader, self.row.id, self.now)?,
                    reader.known_items(self.row.id)?,
                ),
            };
            let nothing = KnownItems::new(rules.print(), Vec::new());
            let before = before.filter(|known| known.under == nothing.under);
            if let Some(known) = before.as_ref().filter(|known| !known.items.is_empty())
                && let Ok((parsed, pace, mut document)) =
                    self.attempt(reader, answer, known, rules.clone())?
                && document.fits
            {
                document.known_before = before;
                return Ok(Ok((parsed, pace, document)));
            }
            let read = self.attempt(reader, answer, &nothing, rules)?;
            Ok(read.map(|(parsed, pace, mut document)| {
                document.known_before = before.or(Some(nothing));
                (parsed, pace, document)
            }))
        })
    }

    fn attempt(
        &self,
        reader: &Reader,
        answer: &Answer,
        known: &KnownItems,
        rules: FeedRules,
    ) -> Result<Result<ReadDocument, FeedError>, StoreError> {
        let content_type = answer.content_type.as_deref();
        let (body, url) = (&answer.body, &answer.final_url);
        let parsed = match self.row.baseline {
            // The items of a first document are not remembered yet.
            None => self.reading.feed(body, content_type, url),
            Some(_) => self.reading.feed_knowing(body, content_type, url, known),
        };
        let mut parsed = match parsed {
            Ok(parsed) => parsed,
            Err(error) => return Ok(Err(error)),
        };
        let mut pace = schedule::pace(&parsed, self.now);
        let document = DocumentItems {
            items: std::mem::take(&mut parsed.entries),
            marks: std::mem::take(&mut parsed.marks),
            known,
        };
        let document = identify(reader, self, document, rules)?;
        pace.rhythm = pace
            .rhythm
            .or_else(|| schedule::rhythm_of_items(&document, self.now));
        Ok(Ok((parsed, pace, document)))
    }

    /// The schemes that feeds are read under.
    pub(in crate::check) fn schemes(&self) -> Schemes {
        self.reading.schemes()
    }

    /// Whether an item that was not read matches what is stored for its entry, so that reading it is not needed.
    pub(in crate::check) fn is_settled(&self, item: &KnownItem, row: &KnownEntry) -> bool {
        let state = item.state();
        let dates = (row.claimed.feed_published, row.claimed.feed_updated);
        row.in_feed
            && row.feed_fp == Some(item.fingerprint())
            && dates == (state.published, state.updated)
            && !is_stale(row, Channel::Feed, self.schemes())
            && (self.config.page.mode == PageMode::Off || {
                let seen = [Observation {
                    seen: self.now,
                    state: Observed::Feed(state),
                }];
                row.page.url == item.address()
                    && (row.page.next.is_some()
                        || schedule::back_on_clock(self.config, row, &seen, self.now).is_none())
            })
    }
}

/// The items that need not be read again after this poll; `None` if they are the same as before it.
pub(in crate::check) fn known_after(
    before: Option<KnownItems>,
    same: Vec<KnownItem>,
    settling: Vec<(Option<EntryId>, KnownItem)>,
    outcome: &Outcome,
) -> Option<KnownItems> {
    let before = before?;
    // The record of ignored text is written only when the text is read, so these are read again.
    let notes = |entry: &&EntryOutcome| !entry.ignored.is_empty();
    let noted: Vec<EntryRef> = outcome
        .entries
        .iter()
        .filter(notes)
        .map(|entry| entry.entry)
        .collect();
    let is_noted = |id: &Option<EntryId>| id.is_some_and(|id| noted.contains(&EntryRef::Known(id)));
    let settled = settling.into_iter().filter(|(id, _)| !is_noted(id));
    let items = same.into_iter().chain(settled.map(|(_, item)| item));
    let after = KnownItems::new(before.under, items.collect());
    (after != before).then_some(after)
}
