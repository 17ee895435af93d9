//! The poll of a page that is watched by itself: no document lists it, its only entry is made from the
//! configuration, and each poll is a check of the page. What the page shows is handled as for any article; only the
//! schedule is that of a feed.

use std::time::Duration;

use crate::check::events::revise;
use crate::check::feed::poll::Poll;
use crate::check::furniture::FeedRules;
use crate::check::report::{FeedReport, FeedResult, PageReport, PageResult};
use crate::check::schedule;
use crate::check::{CheckError, Reading, WaitLimit};
use crate::domain::fingerprint::Fingerprints;
use crate::domain::ids::EntryId;
use crate::domain::life::Reason;
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::{
    AliasKey, AliasKind, EntryOutcome, EntryRef, FeedPoll, NewAlias, NewRevision, Outcome,
    RevisionOrigin, Validators,
};
use crate::domain::state::{Channel, FeedState};
use crate::domain::url::canonical;
use crate::fetch::CacheHints;
use crate::store::{KnownEntry, PageRow, Rescheduled, StoreError};

/// If the host of a page was not asked and no other time is known, the page is tried again after this.
const SOON: Duration = Duration::from_mins(1);

impl Poll<'_> {
    /// Checks the page, and stores the result as the poll of its feed.
    pub(in crate::check) async fn check_watched(&self) -> Result<FeedReport, CheckError> {
        let entry = self.watched_entry().await?;
        let began = self.checker.now();
        let checking = self
            .checker
            .check_page_if(entry, self.wait_limit, |_, _| true);
        let checked = Box::pin(checking).await?;
        let row = self.checker.read(|reader| reader.entry(entry))?;
        let row = row.ok_or(CheckError::NoSuchEntry(entry))?;
        let was_asked = row.page.checked >= Some(began) || row.page.barred.is_some();
        if !was_asked {
            return self.not_asked(&row, checked).await;
        }
        let (poll, result) = self.poll_of(&row, &checked);
        let report = match &result {
            FeedResult::Failed(_) => self.trouble(poll).await?,
            _ => self.store_poll(poll, result).await?,
        };
        Ok(FeedReport {
            entries: 1,
            new: usize::from(self.row.baseline.is_none()),
            changed: usize::from(checked.result == PageResult::Changed),
            changes: checked.changes.clone(),
            pages: vec![PageReport {
                changes: Vec::new(),
                ..checked
            }],
            ..report
        })
    }

    /// How a check of the page counts as a poll. A page that is missing, or that needs a second check, counts as read:
    /// its own events report that, and `feed.failing` would be a second alert about the same thing.
    fn poll_of(&self, row: &KnownEntry, checked: &PageReport) -> (FeedPoll, FeedResult) {
        let now = self.checker.now();
        let (poll, result) = match failure(&row.page) {
            Some(why) => {
                let poll = schedule::after_failure(self.row, self.config, now, why.clone(), None);
                (poll, FeedResult::Failed(why))
            }
            None => {
                let hints = CacheHints::default();
                let known = Validators::default();
                let poll =
                    schedule::after_success(self.row, self.config, now, &hints, None, &known);
                let result = match checked.result {
                    PageResult::Changed => FeedResult::NewContent,
                    _ if self.row.baseline.is_none() => FeedResult::NewContent,
                    PageResult::NotModified => FeedResult::NotModified,
                    PageResult::Unchanged | PageResult::Failed(_) => FeedResult::Unchanged,
                };
                (poll, result)
            }
        };
        let poll = FeedPoll {
            status: row.page.status,
            ..poll
        };
        (poll, result)
    }

    /// The host was not asked, so there is nothing to report; the page is tried again when its host may be asked.
    async fn not_asked(
        &self,
        row: &KnownEntry,
        checked: PageReport,
    ) -> Result<FeedReport, CheckError> {
        if self.wait_limit == WaitLimit::Endless {
            let soon = self.checker.now() + SOON;
            let next = Rescheduled {
                feed: self.row.id,
                at: row.page.next.map_or(soon, |next| next.max(soon)),
                why: Some("the host asked us to wait".to_owned()),
                schedule: None,
            };
            self.checker.writer.reschedule_feeds(vec![next]).await?;
        }
        let why = match checked.result {
            PageResult::Failed(why) => why,
            _ => "skipped".to_owned(),
        };
        Ok(FeedReport {
            asked: false,
            ..self.report(FeedResult::Failed(why))
        })
    }

    /// The entry of the page, made at the first poll. It follows the address in the configuration.
    async fn watched_entry(&self) -> Result<EntryId, CheckError> {
        let bearers = self
            .checker
            .read(|reader| reader.known_entries(self.row.id, &[watched_key()]))?;
        let Some(bearer) = bearers.first() else {
            return self.first_entry().await;
        };
        let entry = bearer.entry.id;
        if bearer.entry.page.url.as_deref() != Some(self.row.url.as_str()) {
            self.follow(entry).await?;
        }
        Ok(entry)
    }

    async fn first_entry(&self) -> Result<EntryId, CheckError> {
        let now = self.checker.now();
        let state = FeedState {
            address: Some(self.row.url.clone()),
            ..FeedState::default()
        };
        let observations = [Observation {
            seen: now,
            state: Observed::Feed(state),
        }];
        let mut entry = EntryOutcome::of(EntryRef::New);
        entry.aliases = vec![alias(watched_key()), alias(address_key(&self.row.url))];
        entry.in_feed = Some(true);
        entry.page_url = Some(self.row.url.clone());
        let schemes = Reading::of(self.config).schemes();
        let context = self.event_context();
        revise::new_entry(&mut entry, &observations, false, &context, schemes, now);
        let mut outcome = Outcome::of(self.row.id);
        outcome.baseline = true;
        outcome.entries.push(entry);
        let committed = self.checker.commit(outcome).await?;
        let made = committed.entry_ids.first().copied();
        made.ok_or(CheckError::Store(StoreError::Refused(
            "an entry without a row",
        )))
    }

    /// The page has a new address in the configuration. A revision records it, without a change: nobody edited
    /// anything.
    async fn follow(&self, entry: EntryId) -> Result<(), CheckError> {
        let now = self.checker.now();
        let (known, rules) = self.checker.read(|reader| {
            let rules = FeedRules::read(reader, self.row.id, now)?;
            Ok((reader.load_entry(entry)?, rules))
        })?;
        let known = known.ok_or(CheckError::NoSuchEntry(entry))?;
        let mut state = known.state;
        let feed = state.feed.get_or_insert_default();
        feed.address = Some(self.row.url.clone());
        let rules = rules.in_force(known.entry.page.ok);
        let fingerprints = Fingerprints::of(&rules.now.counted(&state));
        let mut outcome = Outcome::of(self.row.id);
        outcome.entries.push(EntryOutcome {
            aliases: vec![alias(address_key(&self.row.url))],
            page_url: Some(self.row.url.clone()),
            revision: Some(NewRevision {
                number: known.entry.revision.next(),
                seen: now,
                state,
                fingerprints,
                schemes: known.entry.schemes,
                origin: RevisionOrigin::Look,
                channels: vec![Channel::Feed],
                change: None,
            }),
            ..EntryOutcome::of(EntryRef::Known(entry))
        });
        self.checker.commit(outcome).await?;
        Ok(())
    }
}

/// Why a page could not be read, unless its life cycle already reports that.
fn failure(page: &PageRow) -> Option<String> {
    let why = page.error.clone()?;
    let is_reported_otherwise = page
        .reason
        .is_some_and(|reason| reason == Reason::Held || reason.is_absence());
    let was_read = page.ok.is_some();
    (!(is_reported_otherwise && was_read && page.barred.is_none())).then_some(why)
}

fn alias(key: AliasKey) -> NewAlias {
    NewAlias {
        key,
        reason: "in the configuration".to_owned(),
        if_free: true,
    }
}

/// The key of its address, so that people can name the entry by it.
fn address_key(url: &str) -> AliasKey {
    AliasKey {
        kind: AliasKind::Address,
        value: canonical(url),
    }
}

/// The key by which the entry is found again when its address has changed.
fn watched_key() -> AliasKey {
    AliasKey {
        kind: AliasKind::Guid,
        value: "revisor:page".to_owned(),
    }
}
