//! Reads what is known of a document's entries and their pages before the decision on the document.

use std::collections::HashMap;

use crate::check::Reading;
use crate::check::events::revise::Windows;
use crate::check::feed::decide::{FeedDecision, PageOfItem, window};
use crate::check::feed::identify::{IdentifiedFeed, IdentifiedItem, MatchedEntry};
use crate::check::ignored;
use crate::check::past::{EntryPast, FeedPages, past_of};
use crate::check::waits::may_wait;
use crate::domain::furniture::{Rules, TextStep};
use crate::domain::ids::EntryId;
use crate::domain::observation::{Observation, Observed};
use crate::domain::state::{Channel, FeedState};
use crate::store::{FeedRow, Reader, StoreError, StoredIgnored};
use crate::time::Timestamp;

/// What a decision needs from the past.
pub(in crate::check) struct DocumentPast {
    /// For each item in feed order; `None` for a new one.
    pub(in crate::check) items: Vec<Option<ItemPast>>,
    /// The feed's pages, if one that was fetched shows another text.
    pub(in crate::check) site: Option<FeedPages>,
}

/// What is known of the entry of an item, besides its row and its text.
pub(in crate::check) struct ItemPast {
    /// What is remembered of its ignored text.
    pub(in crate::check) remembered: Option<StoredIgnored>,
    /// Its last text, if only ignored text has to be compared.
    pub(in crate::check) last: Option<FeedState>,
    /// What the entry's past says about a text that is compared with it.
    pub(in crate::check) entry: EntryPast,
}

impl FeedDecision {
    /// Reads what [`Self::decide`] needs from the past.
    pub(in crate::check) fn past(
        &self,
        reader: &Reader,
        document: &mut IdentifiedFeed,
        pages: &[Option<PageOfItem>],
    ) -> Result<DocumentPast, StoreError> {
        let past = PastReading {
            reader,
            reading: &Reading::of(&self.config),
            row: &self.row,
            first_emptied: self.first_emptied(),
            now: self.now,
        };
        past.read(document, pages)
    }
}

/// How to read the past of a document.
struct PastReading<'a> {
    reader: &'a Reader,
    reading: &'a Reading,
    row: &'a FeedRow,
    /// The poll that first saw most texts missing.
    first_emptied: Option<Timestamp>,
    now: Timestamp,
}

impl PastReading<'_> {
    /// Reads it, and learns from the feed's past if a text moved as furniture moves.
    fn read(
        &self,
        document: &mut IdentifiedFeed,
        pages: &[Option<PageOfItem>],
    ) -> Result<DocumentPast, StoreError> {
        let steps: Vec<TextStep<'_>> = document.items.iter().filter_map(step).collect();
        if document.rules.may_learn(&steps) {
            let articles = past_of(self.reader, self.row.id, Channel::Feed)?;
            document.rules.learn_from(&articles, Channel::Feed);
        }
        let known = document.items.iter().filter_map(|item| item.known.as_ref());
        let ids: Vec<EntryId> = known.map(|known| known.row.id).collect();
        let mut remembered = ignored::remembered(self.reader, &ids, Channel::Feed)?;
        let in_force = document.rules.in_force(self.row.last_ok);
        let mut items = Vec::with_capacity(document.items.len());
        for (item, page) in document.items.iter().zip(pages) {
            let past = match &item.known {
                Some(known) => {
                    let rules = in_force.for_record();
                    Some(self.of_item(&item.state, known, page.as_ref(), rules, &mut remembered)?)
                }
                None => None,
            };
            items.push(past);
        }
        let site = if pages.iter().flatten().any(PageOfItem::may_wait) {
            Some(FeedPages::read(self.reader, self.row.id)?)
        } else {
            None
        };
        Ok(DocumentPast { items, site })
    }

    fn of_item(
        &self,
        state: &FeedState,
        known: &MatchedEntry,
        page: Option<&PageOfItem>,
        rules: &Rules,
        remembered: &mut HashMap<EntryId, StoredIgnored>,
    ) -> Result<ItemPast, StoreError> {
        let remembered = remembered.remove(&known.row.id);
        let full = page.and_then(|page| page.full.as_ref());
        let Some(full) = full.or(known.full.as_ref()) else {
            let last = if remembered.is_none() && !rules.swallowed_feed(state).is_empty() {
                let full = self.reader.load_entry(known.row.id)?;
                full.and_then(|full| full.state.feed)
            } else {
                None
            };
            return Ok(ItemPast {
                remembered,
                last,
                entry: EntryPast::default(),
            });
        };
        let windows = Windows {
            feed: Some(window(self.row, &known.row, self.first_emptied, self.now)),
            page: page.map(|page| page.interpreted.window),
        };
        let mut observations = vec![Observation {
            seen: self.now,
            state: Observed::Feed(state.clone()),
        }];
        observations.extend(page.and_then(|page| page.interpreted.observed()).cloned());
        Ok(ItemPast {
            remembered,
            last: None,
            entry: EntryPast::read(self.reader, self.reading, full, &observations, &windows)?,
        })
    }
}

impl PageOfItem {
    fn may_wait(&self) -> bool {
        let seen = self.interpreted.observed();
        let full = self.full.as_ref();
        full.zip(seen)
            .is_some_and(|(full, seen)| may_wait(full, seen))
    }
}

/// The last text of an item that has moved, and the new one.
fn step(item: &IdentifiedItem) -> Option<TextStep<'_>> {
    let known = item.known.as_ref().filter(|known| known.moved)?;
    let before = known.full.as_ref()?.known.state.feed.as_ref()?;
    Some(TextStep {
        titles: [before.title.as_deref(), item.state.title.as_deref()],
        texts: [before.text(), item.state.text()],
    })
}
