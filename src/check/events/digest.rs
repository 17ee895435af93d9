//! Digests of live articles: one event that sums up what was added.
//!
//! Additions are stored as silent changes, and the entry records when the digest is due. One transaction stores the
//! digest and marks its changes as reported. If that is interrupted, the digest is still due, even if the article
//! is never checked again.

use std::sync::Arc;

use crate::check::events::revise::{EventContext, with_text};
use crate::check::{Checker, Settings};
use crate::domain::assess::{Context, assess};
use crate::domain::compare::compare;
use crate::domain::diff::BlockOp;
use crate::domain::event::{DigestInfo, Event, Window};
use crate::domain::event_builder;
use crate::domain::ids::EntryId;
use crate::domain::outcome::{EntryOutcome, EntryRef, NewEvent, Outcome, SummedUp};
use crate::domain::route::targets_for;
use crate::store::{DigestEnd, FeedRow, PendingDigest, StoreError};
use crate::time::Timestamp;

/// The most digests made in one go; the rest are due the next time.
const AT_ONCE: usize = 64;

impl Checker {
    /// Stores the digests that are due and returns how many there were.
    pub async fn tell_digests(&self) -> Result<usize, StoreError> {
        let now = self.now();
        let due = self.read(|reader| reader.due_digests(now, AT_ONCE))?;
        let mut told = 0;
        for entry in due {
            let _only = self.pages.only(entry).await;
            told += usize::from(self.tell_digest(entry, now).await?);
        }
        Ok(told)
    }

    async fn tell_digest(&self, entry: EntryId, now: Timestamp) -> Result<bool, StoreError> {
        let Some(pending) = self.read(|reader| reader.pending_digest(entry))? else {
            return Ok(false);
        };
        let feed = self.read(|reader| reader.feed(pending.entry.feed))?;
        let Some(feed) = feed else {
            return Ok(false);
        };
        let feed_id = feed.id;
        let settings = self.settings();
        let last = pending.last;
        let event = self
            .workers
            .run(move || sum(&pending, &feed, &settings, now))
            .await;
        // A digest that cannot be made is dropped rather than retried forever; its changes are still in the log.
        let event = event.unwrap_or_else(|crash| {
            tracing::error!(%crash, entry.id = entry.0, "additions cannot be summed up");
            None
        });
        let told = event.is_some();
        let mut outcome = Outcome::of(feed_id);
        outcome.entries.push(EntryOutcome {
            summed_up: Some(SummedUp { until: last, event }),
            ..EntryOutcome::of(EntryRef::Known(entry))
        });
        self.commit(outcome).await?;
        Ok(told)
    }
}

/// The digest event; `None` if nothing is left to report, or if no target wants events of this feed any more.
fn sum(
    pending: &PendingDigest,
    feed: &FeedRow,
    settings: &Arc<Settings>,
    now: Timestamp,
) -> Option<NewEvent> {
    let config = settings.feed(&feed.url)?;
    let event_context = EventContext::new(feed, &config, settings);
    let (old, new) = (&pending.old.state, &pending.new.state);
    let comparison = compare(old, new)?;
    let assessment = assess(&comparison, &Context::between(old, new, &comparison));
    let texts = [&comparison.body, &comparison.summary];
    let blocks = texts.into_iter().flatten().flat_map(|diff| &diff.blocks);
    let new = blocks.filter(|block| block.op == BlockOp::Insert && block.part_of.is_none());
    let digest = DigestInfo {
        changes: pending.changes,
        first: pending.first,
        last: pending.last,
        paragraphs: new.count() as u64,
        told_alone: pending.told_alone,
    };
    let window = Window {
        last_unchanged: pending.last_unchanged,
        first_changed: pending.first_changed,
        checks: u32::try_from(pending.changes).unwrap_or(u32::MAX),
        failed_checks: 0,
    };
    let (entry, state) = (&pending.entry, &pending.new.state);
    let side = |end: &DigestEnd| event_builder::revision_info(end.number, end.seen, &end.state);
    let mut event: Event = event_builder::step(
        &comparison,
        &assessment,
        event_context.feed.clone(),
        event_builder::entry_info(&entry.public_id, state, entry.first_seen),
        [side(&pending.old), side(&pending.new)],
        window,
    );
    event.timestamp = now;
    event.data.number = Some(pending.last);
    event.data.digest = Some(digest);
    let event = with_text(event);
    let targets = targets_for(event_context.targets, &event);
    Some(NewEvent {
        event,
        entry: Some(EntryRef::Known(pending.entry.id)),
        targets,
    })
}
