//! Takes over the past of an article as another program has recorded it: revisions and changes that send no alerts.
//!
//! The texts were not read by our reader, so their scheme is one that we never have: the first check of such an
//! article is a new first snapshot and not an edit.

use crate::check::events::revise::{self, EventContext, Windows};
use crate::check::feed::identify::known_entry;
use crate::domain::decide::Policy;
use crate::domain::event::{FeedInfo, Window};
use crate::domain::furniture::InForce;
use crate::domain::ids::{EntryId, FeedId};
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::{AliasKey, AliasKind, EntryOutcome, EntryRef, NewAlias, Outcome};
use crate::domain::scheme::{Scheme, Schemes};
use crate::domain::state::PageState;
use crate::domain::url::canonical;
use crate::extract::feed_html;
use crate::store::{Committed, Reader, StoreError};
use crate::time::Timestamp;

/// What to take over.
#[derive(Debug, Clone)]
pub(crate) struct PastArticle {
    /// The row of its feed.
    pub feed: FeedId,
    /// The feed, for events.
    pub info: FeedInfo,
    /// How changes are judged.
    pub policy: Policy,
    /// Its address.
    pub url: String,
    /// Why it is the same article, for people: `imported from diffengine`.
    pub reason: &'static str,
}

impl PastArticle {
    /// The name by which it is known.
    #[must_use]
    pub(crate) fn key(&self) -> AliasKey {
        AliasKey {
            kind: AliasKind::Address,
            value: canonical(&self.url),
        }
    }
}

/// The result of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TakenOver {
    /// Revisions that were stored.
    pub revisions: u64,
    /// Changes among them.
    pub changes: u64,
}

/// An article whose versions are taken over one after another: the caller stores each decision and records it before
/// the next one.
pub(crate) struct TakeOver<'a> {
    reader: &'a Reader,
    article: PastArticle,
    key: AliasKey,
    entry: Option<EntryId>,
    /// Versions up to here were taken over before.
    since: Option<Timestamp>,
    last: Option<Timestamp>,
    done: TakenOver,
}

impl<'a> TakeOver<'a> {
    /// Starts, or continues where an earlier import ended; `None` for an article that we have watched ourselves,
    /// because nothing can be added before an existing revision.
    pub(crate) fn begin(
        reader: &'a Reader,
        article: PastArticle,
    ) -> Result<Option<Self>, StoreError> {
        let key = article.key();
        let bearers = reader.known_entries(article.feed, std::slice::from_ref(&key))?;
        let (mut entry, mut since) = (None, None);
        if let Some(bearer) = bearers.first() {
            if bearer.entry.schemes != theirs() {
                return Ok(None);
            }
            entry = Some(bearer.entry.id);
            since = reader.load_entry(bearer.entry.id)?.map(|known| known.seen);
        }
        Ok(Some(Self {
            reader,
            article,
            key,
            entry,
            since,
            last: since,
            done: TakenOver::default(),
        }))
    }

    /// Whether it is the article of this key, which only one can take over at a time.
    #[must_use]
    pub(crate) fn is_of(&self, feed: FeedId, key: &AliasKey) -> bool {
        self.article.feed == feed && self.key == *key
    }

    /// Decides on the next version, with a text in HTML; `None` where there is nothing to store.
    pub(crate) fn next(
        &self,
        title: &str,
        html: &str,
        seen: Timestamp,
    ) -> Result<Option<Outcome>, StoreError> {
        if self.since.is_some_and(|since| seen <= since) {
            return Ok(None);
        }
        let title = title.trim();
        let state = PageState {
            h1: (!title.is_empty()).then(|| title.to_owned()),
            canonical: Some(self.article.url.clone()),
            body: feed_html::blocks(html),
            ..PageState::default()
        };
        let observations = [Observation {
            seen,
            state: Observed::Page(state),
        }];
        let entry = match self.entry {
            None => Some(self.first(&observations, seen)),
            Some(id) => self.known(id, &observations, seen)?,
        };
        Ok(entry.map(|entry| {
            let mut outcome = Outcome::of(self.article.feed);
            outcome.entries.push(entry);
            outcome
        }))
    }

    /// Notes that the version of `seen` was stored.
    pub(crate) fn stored(&mut self, seen: Timestamp, committed: &Committed) {
        self.entry = committed.entry_ids.first().copied();
        self.last = Some(seen);
        self.done.revisions += 1;
        self.done.changes += u64::from(!committed.changes.is_empty());
    }

    /// What was taken over.
    #[must_use]
    pub(crate) fn finish(self) -> TakenOver {
        self.done
    }

    fn first(&self, observations: &[Observation], seen: Timestamp) -> EntryOutcome {
        let mut entry = EntryOutcome::of(EntryRef::New);
        entry.aliases.push(NewAlias {
            key: self.key.clone(),
            reason: self.article.reason.to_owned(),
            if_free: true,
        });
        entry.in_feed = Some(false);
        entry.page_url = Some(self.article.url.clone());
        revise::new_entry(
            &mut entry,
            observations,
            false,
            &self.event_context(),
            theirs(),
            seen,
        );
        entry
    }

    /// The next revision; `None` if a reader sees the same.
    fn known(
        &self,
        id: EntryId,
        observations: &[Observation],
        seen: Timestamp,
    ) -> Result<Option<EntryOutcome>, StoreError> {
        let full = self.reader.load_entry(id)?;
        let full = full.ok_or(StoreError::Refused("an entry that does not exist"))?;
        let mut entry = EntryOutcome::of(EntryRef::Known(id));
        let windows = Windows {
            feed: None,
            // The other program did not record checks that found nothing.
            page: Some(Window {
                last_unchanged: self.last.unwrap_or(seen),
                first_changed: seen,
                checks: 1,
                failed_checks: 0,
            }),
        };
        let context = self.event_context();
        let known = known_entry(full);
        revise::known_entry(&mut entry, &known, observations, &windows, &context, seen);
        // What was sent at the time is not sent again.
        entry.events.clear();
        Ok(entry.revision.is_some().then_some(entry))
    }

    /// Without targets: an import sends no alerts.
    fn event_context(&self) -> EventContext<'static> {
        EventContext {
            feed: self.article.info.clone(),
            policy: self.article.policy,
            targets: &[],
            rules: InForce::default(),
        }
    }
}

fn theirs() -> Schemes {
    Schemes {
        feed: Scheme::FOREIGN,
        page: Scheme::FOREIGN,
    }
}
