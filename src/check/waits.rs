//! Changes that may not be edits: page furniture that is not learned yet, or a stale copy.
//!
//! Such a change is stored and listed immediately, but its alert waits. Its page and a few other pages of the feed
//! are checked again, with growing pauses. Each round ends with a judgement. No alert is sent if the text has been
//! learned as furniture, or if the change was taken back. If nothing like it moved elsewhere, or after the longest
//! wait, the alert is sent as for any other edit.
//!
//! Only changes of a page's text wait, whether the page was checked by itself or along with its feed. Those of a feed's
//! text do not: one response shows all of its entries, so that what moves in many of them, or goes back and forth, is
//! one event at that poll already ([`bulk`](crate::check::events::bulk)), and the next poll may be hours away.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::check::events::revise::{EntryKnowledge, EventContext, feed_event};
use crate::check::furniture::FeedRules;
use crate::check::past::{FeedPages, past_of};
use crate::check::{Checker, Settings};
use crate::domain::assess::{Context, assess};
use crate::domain::classify::Label;
use crate::domain::compare::compare_under;
use crate::domain::event::{ChangeInfo, EventKind, Field};
use crate::domain::furniture::{ArticlePast, InForce, Restless, Suspect};
use crate::domain::ids::{ChangeNumber, EntryId, FeedId};
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::{
    EntryOutcome, EntryRef, NewEvent, NewWait, Outcome, Quiet, WaitVerdict, Waited,
};
use crate::domain::route::targets_for;
use crate::domain::state::{Channel, EntryState};
use crate::store::{FeedRow, StoreError, Waiting};
use crate::time::Timestamp;

/// The longest wait: then the alert is sent, unless nothing was checked meanwhile.
const LONGEST: Duration = Duration::from_hours(24);

/// After this many rounds without a check of the page the alert is sent too: the page may never be checked again.
const ROUNDS: u32 = 4;

/// Pages of other articles that are checked in a round.
const OTHERS: usize = 4;

/// How many other pages with similar text a round has to see, if there are that many.
const SEEN: usize = 2;

/// The most changes of a feed that wait at the same time; alerts for further ones do not wait.
const MOST: u64 = 100;

/// Feeds that are judged in one go.
const AT_ONCE: usize = 64;

/// The same edit on this many pages is one event.
const SAME_EDIT: usize = 3;

/// What is known of an entry whose page was checked.
pub(super) struct Kept<'a> {
    pub(super) entry: &'a EntryKnowledge,
    /// The feed's other pages; `None` where the text of the page is what it was.
    pub(super) site: Option<&'a FeedPages>,
    pub(super) event_context: &'a EventContext<'a>,
    /// The pause before the first round; each further one is twice as long.
    pub(super) confirm: Duration,
}

/// Whether a page shows another text than before; if so, [`begin`] needs to know about the feed's other pages.
pub(super) fn may_wait(entry: &EntryKnowledge, seen: &Observation) -> bool {
    match (&entry.known.state.page, &seen.state) {
        (Some(known), Observed::Page(page)) => known.body != page.body,
        (None, _) | (_, Observed::Feed(_)) => false,
    }
}

/// Holds back the alert for the change of a page if further checks have to show whether it is an edit.
pub(super) fn begin(write: &mut EntryOutcome, kept: &Kept<'_>, now: Timestamp) {
    let Kept { entry, .. } = *kept;
    let rules = &kept.event_context.rules;
    let (Some(revision), Some(site)) = (&mut write.revision, kept.site) else {
        return;
    };
    let begins_to_flap = |new: &NewEvent| new.event.kind == EventKind::EntryFlapping;
    let flaps = write.events.iter().any(begins_to_flap);
    let change = revision.change.as_mut();
    let Some(change) = change.filter(|change| change.quiet.is_none() || flaps) else {
        return;
    };
    let states = [&entry.known.state, &revision.state];
    let info = change.event.data.change.as_ref();
    if !info.is_some_and(|info| is_of_page_text(info, states, kept.event_context))
        || site.waiting >= MOST
    {
        return;
    }
    let articles = &site.articles;
    let suspect = Suspect::of(states, entry.id, articles, rules.for_comparing());
    let others = match suspect {
        Some(suspect) => others(&suspect, entry, articles),
        None if !flaps
            && takes_back(states, entry, articles, rules)
            && now.since(entry.revision_seen) <= LONGEST =>
        {
            Vec::new()
        }
        None => return,
    };
    write.events.retain(|new| !begins_to_flap(new));
    change.quiet = Some(Quiet::Waiting);
    change.targets.clear();
    write.wait = Some(NewWait {
        due: now + kept.confirm,
        others,
    });
}

/// Whether the change is worth reporting because of the text of the page.
fn is_of_page_text(
    info: &ChangeInfo,
    [old, new]: [&EntryState; 2],
    event_context: &EventContext<'_>,
) -> bool {
    let never = |label: &Label| matches!(label, Label::CorrectionNotice | Label::Link);
    if !info.channel.contains(&Channel::Page) || info.labels.iter().any(never) {
        return false;
    }
    let compared = |new: &EntryState| compare_under(old, new, event_context.rules.for_comparing());
    let of_page = EntryState {
        feed: old.feed.clone(),
        page: new.page.clone(),
    };
    let of_feed = EntryState {
        feed: new.feed.clone(),
        page: old.page.clone(),
    };
    compared(&of_page).is_some_and(|change| change.fields == [Field::Body])
        && compared(&of_feed).is_none_or(|change| {
            let significance = assess(&change, &Context::default()).significance;
            significance < event_context.policy.significance
        })
}

fn takes_back(
    states: [&EntryState; 2],
    entry: &EntryKnowledge,
    site: &[ArticlePast],
    rules: &InForce,
) -> bool {
    let own = site.iter().find(|article| article.entry == entry.id);
    own.is_some_and(|own| Suspect::takes_back(states, own, rules.for_comparing()))
}

/// The pages to check: those with similar text first, then any.
fn others(suspect: &Suspect, entry: &EntryKnowledge, site: &[ArticlePast]) -> Vec<EntryId> {
    let rest = site.iter().map(|article| article.entry);
    let rest = rest.filter(|id| *id != entry.id && !suspect.carriers.contains(id));
    let all = suspect.carriers.iter().copied().chain(rest);
    all.take(OTHERS).collect()
}

impl Checker {
    /// Judges the changes whose round is over; returns for how many an alert is sent.
    pub async fn settle_waits(&self) -> Result<usize, StoreError> {
        let now = self.now();
        let feeds = self.read(|reader| reader.feeds_that_wait(now, AT_ONCE))?;
        let mut told = 0;
        for feed in feeds {
            told += self.settle_waits_of(feed, now).await?;
        }
        Ok(told)
    }

    async fn settle_waits_of(&self, feed: FeedId, now: Timestamp) -> Result<usize, StoreError> {
        let Some(row) = self.read(|reader| reader.feed(feed))? else {
            return Ok(0);
        };
        let _bulk = self.bulk.only(feed).await;
        let waiting = self.read(|reader| reader.waiting(feed))?;
        let all: Vec<_> = waiting.iter().map(|one| (one.entry, one.change)).collect();
        let (readers, settings) = (self.readers.clone(), self.settings());
        let judged = self
            .workers
            .run(move || -> Result<_, StoreError> {
                let (rules, site) = readers.with(|reader| {
                    let rules = FeedRules::read(reader, row.id, now)?;
                    Ok((rules, past_of(reader, row.id, Channel::Page)?))
                })?;
                Ok(judge(&waiting, &row, (rules, &site), &settings, now))
            })
            .await;
        let outcome = match judged {
            Ok(outcome) => outcome?,
            Err(crash) => {
                tracing::error!(%crash, feed.id = feed.0, "changes that wait cannot be judged");
                let mut outcome = Outcome::of(feed);
                for (entry, change) in all {
                    let wait = NewWait {
                        due: now + Duration::from_hours(1),
                        others: Vec::new(),
                    };
                    let verdict = WaitVerdict::Again {
                        wait,
                        still: false,
                        counts: false,
                    };
                    put(&mut outcome, entry, change, verdict, now);
                }
                outcome
            }
        };
        let verdicts = outcome.entries.iter().flat_map(|entry| &entry.waited);
        let told = verdicts.filter(|waited| matches!(waited.verdict, WaitVerdict::Edit(_)));
        let told = told.count() + outcome.events.len();
        self.commit(outcome).await?;
        Ok(told)
    }
}

fn put(
    outcome: &mut Outcome,
    entry: EntryId,
    change: ChangeNumber,
    verdict: WaitVerdict,
    at: Timestamp,
) {
    let mut write = EntryOutcome::of(EntryRef::Known(entry));
    write.waited.push(Waited {
        change,
        at,
        verdict,
    });
    outcome.entries.push(write);
}

fn judge(
    waiting: &[Waiting],
    row: &FeedRow,
    (mut rules, site): (FeedRules, &[ArticlePast]),
    settings: &Arc<Settings>,
    now: Timestamp,
) -> Outcome {
    let mut outcome = Outcome::of(row.id);
    rules.learn_from(site, Channel::Page);
    let config = settings.feed(&row.url);
    let confirm = config.map_or(Duration::ZERO, |config| config.detect.life.confirm);
    let mut edits: Vec<&Waiting> = Vec::new();
    for of_entry in waiting.chunk_by(|one, next| one.entry == next.entry) {
        let taken_back = of_entry
            .first()
            .zip(of_entry.last())
            .is_some_and(|(first, last)| {
                is_nothing(&first.before, &last.current, &rules, first, now)
            });
        for one in of_entry {
            let verdict = match taken_back || is_nothing(&one.before, &one.after, &rules, one, now)
            {
                true => Some(WaitVerdict::NoEdit),
                false => verdict(one, site, &rules, confirm, now),
            };
            match verdict {
                Some(WaitVerdict::Edit(_)) => edits.push(one),
                Some(verdict) => put(&mut outcome, one.entry, one.change, verdict, now),
                None => {}
            }
        }
    }
    tell(&mut outcome, &edits, row, settings, now);
    outcome.rules = rules.into_learned();
    outcome
}

/// Whether the page looks the same to a reader in both states, apart from what is known to be furniture.
fn is_nothing(
    old: &Option<EntryState>,
    new: &Option<EntryState>,
    rules: &FeedRules,
    one: &Waiting,
    now: Timestamp,
) -> bool {
    let page_text = |state: &EntryState| {
        // A change of links does not wait: what differs in them was passed over when it was seen.
        let mut page = state.page.clone();
        if let Some(page) = &mut page {
            page.links.clear();
        }
        EntryState { feed: None, page }
    };
    let (Some(old), Some(new)) = (old, new) else {
        return false;
    };
    let in_force = rules.in_force(one.looked);
    let seen = one
        .event
        .data
        .before
        .as_ref()
        .map_or(one.since, |before| before.seen);
    let in_force = in_force.for_entry(Restless::default(), Some(now.since(seen)));
    let (old, new) = (page_text(old), page_text(new));
    compare_under(&old, &new, in_force.for_comparing()).is_none()
}

/// What the checks since the last round say about a change; `None` while the round continues.
fn verdict(
    one: &Waiting,
    site: &[ArticlePast],
    rules: &FeedRules,
    confirm: Duration,
    now: Timestamp,
) -> Option<WaitVerdict> {
    let edit = Some(WaitVerdict::Edit(Vec::new()));
    let (Some(before), Some(after)) = (&one.before, &one.after) else {
        return edit;
    };
    // A check recorded by a clock that was ahead does not belong to this round.
    let is_seen = |looked: Timestamp| looked > one.round && looked <= now;
    let own_seen = one.looked.is_some_and(is_seen);
    let is_late = now.since(one.since) >= LONGEST;
    if is_late && (own_seen || one.rounds >= ROUNDS) {
        return edit;
    }
    if one.due > now {
        return None;
    }
    let in_force = rules.in_force(one.looked);
    let rules = in_force.for_comparing();
    let suspect = Suspect::of([before, after], one.entry, site, rules);
    let (counts, still, needed, others) = match &suspect {
        Some(suspect) => {
            let since = match one.rounds {
                // A move elsewhere just before counts as well.
                0 => Timestamp::from_millis(one.since.as_millis() - LONGEST_MS),
                _ => one.round,
            };
            let moved = suspect.moved_elsewhere(one.entry, site, rules);
            let carries = |article: &&ArticlePast| suspect.carriers.contains(&article.entry);
            let seen = site.iter().filter(carries);
            let seen = seen.filter(|article| is_seen(article.looked)).count();
            let counts = own_seen && seen >= SEEN.min(suspect.carriers.len());
            let still = moved.is_none_or(|moved| moved <= since);
            (counts, still, suspect.rounds(), suspect.carriers.clone())
        }
        // What may be a stale copy is not one if the next check says the same.
        None => (own_seen, true, 1, Vec::new()),
    };
    if counts && still && one.still + 1 >= needed {
        return edit;
    }
    let pause = confirm * 2u32.saturating_pow(one.rounds.min(8));
    let pause = if is_late {
        pause.min(Duration::from_hours(1))
    } else {
        pause.min(LONGEST.saturating_sub(now.since(one.since)))
    };
    let wait = NewWait {
        due: now + pause,
        others: others.into_iter().take(OTHERS).collect(),
    };
    Some(WaitVerdict::Again {
        wait,
        still,
        counts,
    })
}

/// [`LONGEST`] in milliseconds.
const LONGEST_MS: i64 = 24 * 3_600_000;

/// Reports edits that have waited. The same edit on several pages, or very many edits, are one event.
fn tell(
    outcome: &mut Outcome,
    edits: &[&Waiting],
    row: &FeedRow,
    settings: &Arc<Settings>,
    now: Timestamp,
) {
    let config = settings.feed(&row.url);
    let limit = config
        .as_ref()
        .map_or(usize::MAX, |config| config.detect.bulk_edit);
    let mut same: BTreeMap<_, usize> = BTreeMap::new();
    for one in edits {
        *same.entry(one.edit.map(|edit| edit.0)).or_default() += 1;
    }
    let (mut many, mut silenced) = (0, Vec::new());
    for one in edits {
        let edit = one.edit.map(|edit| edit.0);
        let alike = same.get(&edit).copied().unwrap_or_default();
        // A feed that is no longer in the configuration has no targets.
        let mut targets = match config {
            Some(_) => targets_for(settings.rules(), &one.event),
            None => Vec::new(),
        };
        let verdict = match edits.len() >= limit || (edit.is_some() && alike >= SAME_EDIT) {
            true => {
                many += 1;
                silenced.append(&mut targets);
                WaitVerdict::OneOfMany
            }
            false => WaitVerdict::Edit(targets),
        };
        put(outcome, one.entry, one.change, verdict, now);
    }
    if let Some(config) = config.filter(|_| many > 0) {
        let event_context = EventContext::new(row, &config, settings);
        let detail = format!("{many} pages were changed in a part that they share with others");
        let mut event = feed_event(EventKind::FeedBulkEdit, Some(detail), &event_context, now);
        event.targets.append(&mut silenced);
        event.targets.sort_unstable();
        event.targets.dedup();
        outcome.events.push(event);
    }
}
