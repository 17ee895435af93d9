//! Decides on the items of a feed document and gathers the results into one outcome.
//!
//! Pure: [`DocumentPast`] has everything needed from the database. Runs on a worker, because it compares texts.

use std::borrow::Cow;
use std::sync::Arc;

use crate::check::events::bulk;
use crate::check::events::revise::{self, Became, EntryKnowledge, EventContext, Windows};
use crate::check::feed::identify::{IdentifiedFeed, IdentifiedItem, MatchedEntry};
use crate::check::feed::past::{DocumentPast, ItemPast};
use crate::check::furniture::FeedRules;
use crate::check::ignored::noted_of_item;
use crate::check::page::interpret::Interpreted;
use crate::check::past::{EntryPast, FeedPages};
use crate::check::reread::rebase::{rebase, seen_channels};
use crate::check::schedule;
use crate::check::waits::{self, Kept};
use crate::check::{Reading, Settings};
use crate::config::{FeedConfig, PageMode};
use crate::domain::event::Window;
use crate::domain::furniture::Rules;
use crate::domain::ids::EntryId;
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::{
    Capture, EntryOutcome, EntryRef, FeedPoll, IgnoredText, Left, NewAlias, Outcome,
};
use crate::domain::scheme::Schemes;
use crate::domain::state::{Channel, FeedState};
use crate::fetch::Answer;
use crate::store::{self, FeedRow, StoredIgnored};
use crate::time::Timestamp;

/// Everything that the decision needs.
pub(in crate::check) struct FeedDecision {
    pub(in crate::check) row: FeedRow,
    pub(in crate::check) config: Arc<FeedConfig>,
    pub(in crate::check) settings: Arc<Settings>,
    pub(in crate::check) answer: Answer,
    pub(in crate::check) poll: FeedPoll,
    /// Whether most texts are missing, as an earlier poll has seen too.
    pub(in crate::check) emptied: bool,
    pub(in crate::check) now: Timestamp,
}

/// A page that was fetched together with its feed.
pub(in crate::check) struct PageOfItem {
    pub(in crate::check) interpreted: Interpreted,
    /// What is known of the entry, as far as the check of the page needed it.
    pub(in crate::check) full: Option<EntryKnowledge>,
}

/// What to store from a document.
pub(in crate::check) struct DecidedFeed {
    pub(in crate::check) outcome: Outcome,
    /// How many entries are new.
    pub(in crate::check) new: usize,
    /// How many entries have changed.
    pub(in crate::check) changed: usize,
}

impl FeedDecision {
    /// Decides on each item in feed order, together with what was seen on its page.
    pub(in crate::check) fn decide(
        self,
        document: IdentifiedFeed,
        pages: Vec<Option<PageOfItem>>,
        past: DocumentPast,
    ) -> DecidedFeed {
        let (row, config, now) = (&self.row, &*self.config, self.now);
        let rules = document.rules;
        let items = ItemDecisions {
            row,
            config,
            schemes: Reading::of(&self.config).schemes(),
            event_context: EventContext::new(row, config, &self.settings)
                .under(rules.in_force(row.last_ok)),
            rules: &rules,
            first_emptied: self.first_emptied(),
            site: past.site.as_ref(),
            now,
        };
        let mut outcome = Outcome::of(row.id);
        let (mut new, mut changed) = (0, 0);
        let known = document.items.iter().filter(|item| item.known.is_some());
        let listed = known.count() + document.same.len();
        let pages = pages.into_iter().zip(past.items);
        for (item, (page, past)) in document.items.into_iter().zip(pages) {
            let IdentifiedItem {
                state,
                known,
                aliases,
                settles: _,
            } = item;
            let Some((known, past)) = known.zip(past) else {
                outcome.entries.push(items.new_one(state, aliases));
                new += 1;
                continue;
            };
            let nothing = EntryOutcome::of(EntryRef::Known(known.row.id));
            let (entry, became) = items.known_one(state, aliases, *known, page, past);
            changed += usize::from(became == Became::Changed);
            if entry != nothing {
                outcome.entries.push(entry);
            }
        }
        let left = document.left.into_iter();
        outcome
            .entries
            .extend(left.map(|(id, how)| items.left(id, how)));
        let limit = config.detect.bulk_edit;
        bulk::fold_poll(&mut outcome, listed, limit, &items.event_context, now);
        if let Some(Some(to)) = &self.poll.moved_to {
            let event = revise::moved_event(to, &items.event_context, now);
            outcome.events.push(event);
        }
        let trusted = document.guids_trusted;
        outcome.guids_trusted = (row.guids_trusted.unwrap_or(true) != trusted).then_some(trusted);
        outcome.baseline = row.baseline.is_none();
        outcome.rules = rules.into_learned();
        outcome.poll = Some(self.poll);
        if outcome
            .entries
            .iter()
            .any(|entry| entry.is_brought_by(Channel::Feed))
        {
            outcome.feed_capture = Some(capture(self.answer, now));
        }
        DecidedFeed {
            outcome,
            new,
            changed,
        }
    }

    /// The poll that first saw most texts missing.
    pub(in crate::check) fn first_emptied(&self) -> Option<Timestamp> {
        self.row.emptied.filter(|_| self.emptied)
    }
}

/// What all items of a document have in common.
struct ItemDecisions<'a> {
    row: &'a FeedRow,
    config: &'a FeedConfig,
    schemes: Schemes,
    /// With the rules that were in force when the feed was last read.
    event_context: EventContext<'a>,
    rules: &'a FeedRules,
    /// The poll that first saw most texts missing.
    first_emptied: Option<Timestamp>,
    site: Option<&'a FeedPages>,
    now: Timestamp,
}

impl ItemDecisions<'_> {
    fn pages(&self) -> bool {
        self.config.page.mode != PageMode::Off
    }

    fn observation(&self, state: FeedState) -> Observation {
        Observation {
            seen: self.now,
            state: Observed::Feed(state),
        }
    }

    /// An item without a known entry. It is reported as published, except in a feed's first document.
    fn new_one(&self, state: FeedState, aliases: Vec<NewAlias>) -> EntryOutcome {
        let address = state.address.clone();
        let mut entry = EntryOutcome::of(EntryRef::New);
        let scheme = self.schemes.feed;
        let noted = noted_of_item(&state, None, None, scheme, &self.event_context.rules.now);
        entry.ignored.extend(noted);
        let observations = [self.observation(state)];
        entry.aliases = aliases;
        entry.in_feed = Some(true);
        if self.pages() {
            let first = schedule::first_page_check(self.config, &observations, self.now);
            entry.page_next = first.map(Some);
            entry.page_url = address;
        }
        revise::new_entry(
            &mut entry,
            &observations,
            self.row.baseline.is_some(),
            &self.event_context,
            self.schemes,
            self.now,
        );
        entry
    }

    /// An item of a known entry, with the check of its page if there was one.
    fn known_one(
        &self,
        state: FeedState,
        aliases: Vec<NewAlias>,
        mut known: MatchedEntry,
        page: Option<PageOfItem>,
        past: ItemPast,
    ) -> (EntryOutcome, Became) {
        let address = state.address.clone();
        let mut entry = EntryOutcome::of(EntryRef::Known(known.row.id));
        let windows = Windows {
            feed: Some(window(self.row, &known.row, self.first_emptied, self.now)),
            page: page.as_ref().map(|page| page.interpreted.window),
        };
        let ItemPast {
            remembered,
            last,
            entry: past,
        } = past;
        let event_context = self.event_context_of(&known, page.as_ref(), &past);
        let rules = event_context.rules.for_record();
        entry
            .ignored
            .extend(self.ignored(&state, &known, (remembered, last), rules));
        let mut observations = vec![self.observation(state)];
        entry.aliases = aliases;
        if !known.row.in_feed {
            entry.in_feed = Some(true);
            entry.last_seen = Some(self.now);
        }
        let (mut full, mut ended) = (known.full.take(), None);
        if let Some(PageOfItem {
            mut interpreted,
            full: amended,
        }) = page
        {
            full = amended.or(full);
            ended = Some(interpreted.ended);
            observations.extend(interpreted.take_observation());
            interpreted.put(&mut entry, full.as_ref(), &event_context);
        }
        let became = match &mut full {
            Some(full) => self.revise(
                &mut entry,
                full,
                &known.row,
                &observations,
                windows,
                (&event_context, &past),
            ),
            None => Became::Same,
        };
        if let Some(full) = full.as_ref().filter(|_| ended.is_some()) {
            // The alert waits if only the page differs, perhaps only in its furniture.
            let kept = Kept {
                entry: full,
                site: self.site,
                event_context: &event_context,
                confirm: self.config.detect.life.confirm,
            };
            waits::begin(&mut entry, &kept, self.now);
        }
        if self.pages() {
            if address != known.row.page.url {
                entry.page_url = address;
            }
            let moved = known.moved || entry.date_touched;
            entry.page_next = match ended {
                Some(ended) => {
                    let ended = schedule::PageCheckEnd {
                        changed: revise::sets_clock(&entry),
                        ..ended
                    };
                    let next = schedule::next_page_check(self.config, &known.row, &ended, self.now);
                    Some(next)
                }
                // If the text in the feed moved and the page was not fetched with it, the page is due now.
                None if moved => Some(Some(schedule::page_check_now(&known.row.page, self.now))),
                None if known.row.page.next.is_none() => {
                    schedule::back_on_clock(self.config, &known.row, &observations, self.now)
                        .map(Some)
                }
                None => None,
            };
        }
        entry.drop_needless_capture();
        (entry, became)
    }

    /// The context for the events of an entry, with the rules that apply to it.
    fn event_context_of(
        &self,
        known: &MatchedEntry,
        page: Option<&PageOfItem>,
        past: &EntryPast,
    ) -> Cow<'_, EventContext<'_>> {
        let full = page.and_then(|page| page.full.as_ref());
        let full = full.or(known.full.as_ref());
        if page.is_none() && full.is_none() {
            return Cow::Borrowed(&self.event_context);
        }
        let mut event_context = self.event_context.clone();
        if page.is_some() {
            // The page may have been read less recently than the feed.
            let last = known.row.page.ok.min(self.row.last_ok);
            event_context = event_context.under(self.rules.in_force(last));
        }
        if let Some(full) = full {
            let rules = past.rules(&event_context.rules, full, self.now);
            event_context = event_context.under(rules);
        }
        Cow::Owned(event_context)
    }

    /// What moved in ignored text of an item.
    fn ignored(
        &self,
        state: &FeedState,
        known: &MatchedEntry,
        (remembered, last): (Option<StoredIgnored>, Option<FeedState>),
        rules: &Rules,
    ) -> Option<IgnoredText> {
        if remembered.is_none() && last.is_none() && known.full.is_none() {
            return None;
        }
        let full = known.full.as_ref();
        let last = last
            .as_ref()
            .or_else(|| full.and_then(|full| full.known.state.feed.as_ref()));
        noted_of_item(state, last, remembered, self.schemes.feed, rules)
    }

    /// Compares what was seen with what is known, once that has been read under the rules and schemes of today.
    fn revise(
        &self,
        entry: &mut EntryOutcome,
        full: &mut EntryKnowledge,
        row: &store::KnownEntry,
        observations: &[Observation],
        mut windows: Windows,
        (event_context, past): (&EventContext<'_>, &EntryPast),
    ) -> Became {
        let last = |channel| match channel {
            Channel::Feed => self.row.validators.body_sha256,
            Channel::Page => row.page.validators.body_sha256,
        };
        let seen = seen_channels(observations);
        let rebasing = rebase(full, &seen, self.schemes, self.now, &past.again, last);
        rebasing.put(entry, &mut windows);
        revise::known_entry(entry, full, observations, &windows, event_context, self.now)
    }

    /// An entry that the document no longer lists.
    fn left(&self, entry: EntryId, how: Left) -> EntryOutcome {
        // An item that left the feed early may have been taken down.
        let look_now = how == Left::Early && self.pages();
        EntryOutcome {
            in_feed: Some(false),
            last_seen: Some(self.row.last_ok.unwrap_or(self.now)),
            left: Some(how),
            page_next: look_now.then_some(Some(self.now)),
            ..EntryOutcome::of(EntryRef::Known(entry))
        }
    }
}

fn capture(answer: Answer, now: Timestamp) -> Capture {
    Capture {
        channel: Channel::Feed,
        url: answer.final_url,
        fetched: now,
        status: answer.status,
        headers: answer.headers,
        request: Some(answer.sent),
        body: answer.body,
    }
}

/// The window between checks of the feed in which an entry was changed.
///
/// `emptied` is the poll that first saw it, if it had to be confirmed; that poll was counted as failed.
pub(in crate::check) fn window(
    feed: &FeedRow,
    entry: &store::KnownEntry,
    emptied: Option<Timestamp>,
    now: Timestamp,
) -> Window {
    let last_unchanged = if entry.in_feed {
        feed.last_ok.unwrap_or(entry.last_seen)
    } else {
        entry.last_seen
    };
    let held = u32::from(emptied.is_some());
    let failed_checks = feed.checks_since_ok.saturating_sub(held);
    Window {
        last_unchanged,
        first_changed: emptied.unwrap_or(now).max(last_unchanged),
        checks: failed_checks + 1,
        failed_checks,
    }
}
