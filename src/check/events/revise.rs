//! Turns decisions into rows to store: the pure middle of a check.

use crate::check::Settings;
use crate::config::FeedConfig;
use crate::domain::decide::{Decision, Known, Policy, Revised, Step, decide, first_sight};
use crate::domain::event::{Event, EventData, EventKind, FeedInfo, Window};
use crate::domain::event_builder;
use crate::domain::fingerprint::{Fingerprint, of_edit, of_feed_state, of_page_state};
use crate::domain::furniture::{InForce, Rules, Streak, Streaks};
use crate::domain::identity::same_article;
use crate::domain::ids::{EntryId, RevisionNumber};
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::{
    AliasKey, AliasKind, ClaimedDates, EntryOutcome, EntryRef, NewAlias, NewChange, NewEvent,
    NewRevision, Quiet, RevisionOrigin, SeenPrints, Stamp,
};
use crate::domain::route::{TargetRule, targets_for};
use crate::domain::scheme::Schemes;
use crate::domain::state::{Channel, EntryState};
use crate::domain::url::{canonical, is_home};
use crate::report::event_text;
use crate::store::FeedRow;
use crate::time::Timestamp;

/// A known entry, with what the event of a change says about it.
#[derive(Debug, Clone)]
pub(in crate::check) struct EntryKnowledge {
    /// Its row.
    pub(in crate::check) id: EntryId,
    /// Its public identifier.
    pub(in crate::check) public_id: String,
    /// When it was first seen.
    pub(in crate::check) first_seen: Timestamp,
    /// When its current revision was first seen.
    pub(in crate::check) revision_seen: Timestamp,
    /// The schemes that its state was read under.
    pub(in crate::check) schemes: Schemes,
    /// What was seen last, and how many times in a row it was something else.
    pub(in crate::check) last: SeenPrints,
    /// Whether its stored fingerprints can be compared with those of today.
    pub(in crate::check) prints_of_today: bool,
    /// What the decision needs.
    pub(in crate::check) known: Known,
}

/// What an event needs to know about the feed.
#[derive(Debug, Clone)]
pub(in crate::check) struct EventContext<'a> {
    /// The feed.
    pub(in crate::check) feed: FeedInfo,
    /// Which of its changes are reported.
    pub(in crate::check) policy: Policy,
    /// The targets that get events.
    pub(in crate::check) targets: &'a [TargetRule],
    /// What is ignored in comparisons.
    pub(in crate::check) rules: InForce,
}

impl<'a> EventContext<'a> {
    /// A context for the changes of one feed.
    pub(in crate::check) fn new(
        feed: &FeedRow,
        config: &FeedConfig,
        settings: &'a Settings,
    ) -> Self {
        Self {
            feed: FeedInfo {
                name: config.name.clone(),
                title: feed.title.clone(),
                url: feed.url.clone(),
                tags: config.tags.to_vec(),
            },
            policy: Policy {
                significance: config.detect.significance,
                flap_window: config.detect.flap_window,
                live_digest: config.detect.live_digest,
            },
            targets: settings.rules(),
            rules: InForce::default(),
        }
    }

    /// The same context with these rules for what to ignore.
    pub(in crate::check) fn under(self, rules: InForce) -> Self {
        Self { rules, ..self }
    }
}

/// The checks between which a change was made, per channel: each channel is checked on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::check) struct Windows {
    /// Between the checks of the feed; `None` when it was not checked.
    pub(in crate::check) feed: Option<Window>,
    /// Between the checks of the page; `None` when it was not checked.
    pub(in crate::check) page: Option<Window>,
}

impl Windows {
    /// The window of a change that these channels show. If both show it, it is one edit, made after the earlier of
    /// the two checks that had not seen it yet.
    fn of(&self, channels: &[Channel], now: Timestamp) -> Window {
        let feed = self.feed.filter(|_| channels.contains(&Channel::Feed));
        let page = self.page.filter(|_| channels.contains(&Channel::Page));
        match (feed, page) {
            (Some(feed), Some(page)) => {
                let widest = match feed.last_unchanged <= page.last_unchanged {
                    true => feed,
                    false => page,
                };
                let first_changed = feed.first_changed.min(page.first_changed);
                Window {
                    first_changed: first_changed.max(widest.last_unchanged),
                    ..widest
                }
            }
            (Some(window), None) | (None, Some(window)) => window,
            (None, None) => self.feed.or(self.page).unwrap_or(Window {
                last_unchanged: now,
                first_changed: now,
                checks: 1,
                failed_checks: 0,
            }),
        }
    }
}

/// What happened to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::check) enum Became {
    /// A reader sees the same.
    Same,
    /// Seen for the first time, as an entry or on one channel.
    Baseline,
    /// It was changed.
    Changed,
}

/// Whether the page of an entry counts as just changed for its check schedule. Text that goes back and forth, or
/// that moves at every check, does not make checks more frequent.
pub(in crate::check) fn sets_clock(entry: &EntryOutcome) -> bool {
    let change = entry
        .revision
        .as_ref()
        .and_then(|revision| revision.change.as_ref());
    let moves = [Quiet::Flapping, Quiet::Waiting, Quiet::Unconfirmed];
    change.is_some_and(|change| change.quiet.is_none_or(|quiet| !moves.contains(&quiet)))
}

/// Puts a new entry into `outcome`; `tell` is false during the feed's own first snapshot.
pub(in crate::check) fn new_entry(
    outcome: &mut EntryOutcome,
    observations: &[Observation],
    tell: bool,
    event_context: &EventContext<'_>,
    schemes: Schemes,
    now: Timestamp,
) {
    let step = first_sight(observations, &event_context.rules);
    outcome.claimed = Some(ClaimedDates::of(&step.state));
    if tell {
        let event = published(&step.state, event_context, now);
        let targets = targets_for(event_context.targets, &event);
        // Publishing is not an edit, so the event exists only for targets that ask for it by name.
        if !targets.is_empty() {
            outcome.events.push(NewEvent {
                event,
                entry: Some(EntryRef::New),
                targets,
            });
        }
    }
    outcome.revision = Some(revision(step, schemes, now, None));
}

/// Decides on a known entry, whose schemes already match those of the observations, and puts the result into
/// `outcome`.
pub(in crate::check) fn known_entry(
    outcome: &mut EntryOutcome,
    entry: &EntryKnowledge,
    observations: &[Observation],
    windows: &Windows,
    event_context: &EventContext<'_>,
    now: Timestamp,
) -> Became {
    outcome.seen = seen_prints(observations, &event_context.rules.now);
    outcome.seen.streaks = streaks(entry, &outcome.seen, windows, now);
    match decide(
        &entry.known,
        observations,
        outcome.seen.streaks,
        &event_context.policy,
        &event_context.rules,
        now,
    ) {
        Decision::Unchanged {
            claimed,
            date_touched,
        } => {
            outcome.date_touched = date_touched;
            outcome.claimed = (claimed != entry.known.claimed).then_some(claimed);
            Became::Same
        }
        Decision::Baseline(step) => {
            outcome
                .aliases
                .extend(page_names(outcome, entry, observations));
            outcome.claimed = Some(ClaimedDates::of(&step.state));
            outcome.revision = Some(revision(*step, entry.schemes, now, None));
            Became::Baseline
        }
        Decision::Revised(revised) => {
            outcome.claimed = Some(ClaimedDates::of(&revised.step.state));
            let window = windows.of(&revised.comparison.channels, now);
            outcome
                .aliases
                .extend(page_names(outcome, entry, observations));
            if outcome.base.is_none()
                && let Some(fingerprints) = revised.before
            {
                // Otherwise a return to it would not be noticed.
                outcome.stamp = Some(Stamp {
                    fingerprints,
                    schemes: entry.schemes,
                });
            }
            let change = change(&revised, entry, window, event_context, now);
            if revised.quiet == Some(Quiet::Digest) {
                outcome.digest_due = event_context.policy.live_digest.map(|period| now + period);
            }
            if revised.begins_to_flap {
                let event = flapping(&revised, &change.event, now);
                let targets = targets_for(event_context.targets, &event);
                let entry = Some(EntryRef::Known(entry.id));
                outcome.events.push(NewEvent {
                    event,
                    entry,
                    targets,
                });
            }
            // An unconfirmed text was seen before now, but never before the revision that it follows.
            let seen = window.first_changed.max(entry.revision_seen);
            outcome.revision = Some(revision(revised.step, entry.schemes, seen, Some(change)));
            Became::Changed
        }
    }
}

/// Names that a page gives to its entry: where its address redirects to, and its canonical address. They are added
/// only if no other entry has them, and only if the page is the article: many addresses redirect to a home page.
fn page_names(
    outcome: &EntryOutcome,
    entry: &EntryKnowledge,
    observations: &[Observation],
) -> Vec<NewAlias> {
    let mut feed = entry.known.state.feed.as_ref();
    let mut page = None;
    for observation in observations {
        match &observation.state {
            Observed::Feed(seen) => feed = Some(seen),
            Observed::Page(seen) => page = Some(seen),
        }
    }
    let (Some(feed), Some(page)) = (feed, page) else {
        return Vec::new();
    };
    let own = feed.address.as_deref().map(canonical);
    let led_to = outcome
        .page_capture
        .as_ref()
        .map(|capture| capture.url.as_str());
    let named = [
        (led_to, "its address redirects there"),
        (page.canonical.as_deref(), "its page says so"),
    ];
    let mut names: Vec<NewAlias> = Vec::new();
    for (address, why) in named {
        let Some(value) = address.filter(|address| !is_home(address)).map(canonical) else {
            continue;
        };
        let known =
            own.as_ref() == Some(&value) || names.iter().any(|name| name.key.value == value);
        if !known && same_article(feed, page) {
            names.push(NewAlias {
                key: AliasKey {
                    kind: AliasKind::Address,
                    value,
                },
                reason: why.to_owned(),
                if_free: true,
            });
        }
    }
    names
}

/// The streaks after a check.
fn streaks(
    entry: &EntryKnowledge,
    seen: &SeenPrints,
    windows: &Windows,
    now: Timestamp,
) -> Streaks {
    let last = &entry.last;
    let after = |streak: Streak, moved: bool, window: Option<Window>| match moved {
        true => streak.after(window.map(|window| window.last_unchanged), now),
        false => streak,
    };
    let moved = |seen: Option<Fingerprint>, last| seen.is_some() && seen != last;
    Streaks {
        feed: after(last.streaks.feed, moved(seen.feed, last.feed), windows.feed),
        page: after(last.streaks.page, moved(seen.page, last.page), windows.page),
    }
}

/// The fingerprints by which the next check recognises the same content immediately.
fn seen_prints(observations: &[Observation], rules: &Rules) -> SeenPrints {
    let mut seen = SeenPrints::default();
    for observation in observations {
        match &observation.state {
            Observed::Feed(feed) => {
                seen.feed = Some(of_feed_state(&rules.counted_feed(feed)).whole);
            }
            Observed::Page(page) => {
                seen.page = Some(of_page_state(&rules.counted_page(page)).whole);
            }
        }
    }
    seen
}

/// An event about the feed itself, with the targets that want it.
pub(in crate::check) fn feed_event(
    kind: EventKind,
    detail: Option<String>,
    event_context: &EventContext<'_>,
    now: Timestamp,
) -> NewEvent {
    let data = EventData {
        feed: Some(event_context.feed.clone()),
        detail,
        ..EventData::default()
    };
    let event = with_text(event_builder::event(kind, now, data));
    let targets = targets_for(event_context.targets, &event);
    NewEvent {
        event,
        entry: None,
        targets,
    }
}

/// The event that a feed has moved permanently.
pub(in crate::check) fn moved_event(
    to: &str,
    event_context: &EventContext<'_>,
    now: Timestamp,
) -> NewEvent {
    let detail = Some(format!("has moved permanently to {to}"));
    feed_event(EventKind::FeedMoved, detail, event_context, now)
}

fn revision(
    step: Step,
    schemes: Schemes,
    now: Timestamp,
    change: Option<NewChange>,
) -> NewRevision {
    NewRevision {
        number: step.number,
        seen: now,
        state: step.state,
        fingerprints: step.fingerprints,
        schemes,
        origin: RevisionOrigin::Look,
        channels: step.channels,
        change,
    }
}

/// Records in `outcome` that an article was removed or restored.
pub(in crate::check) fn life_event(
    outcome: &mut EntryOutcome,
    entry: &EntryKnowledge,
    kind: EventKind,
    window: Window,
    detail: String,
    event_context: &EventContext<'_>,
    now: Timestamp,
) {
    let state = &entry.known.state;
    let info = event_builder::entry_info(&entry.public_id, state, entry.first_seen);
    let revision = event_builder::revision_info(entry.known.revision, entry.revision_seen, state);
    let feed = event_context.feed.clone();
    let event = with_text(event_builder::life(
        kind, feed, info, revision, window, detail, now,
    ));
    let targets = targets_for(event_context.targets, &event);
    outcome.events.push(NewEvent {
        event,
        entry: Some(EntryRef::Known(entry.id)),
        targets,
    });
}

fn change(
    revised: &Revised,
    entry: &EntryKnowledge,
    window: Window,
    event_context: &EventContext<'_>,
    now: Timestamp,
) -> NewChange {
    let info = event_builder::entry_info(&entry.public_id, &revised.step.state, entry.first_seen);
    let known = &entry.known;
    let before = event_builder::revision_info(known.revision, entry.revision_seen, &known.state);
    let event = event_builder::revised(
        revised,
        event_context.feed.clone(),
        info,
        before,
        window,
        now,
    );
    let event = with_text(event);
    let targets = match revised.quiet {
        None => targets_for(event_context.targets, &event),
        Some(_) => Vec::new(),
    };
    NewChange {
        event,
        quiet: revised.quiet,
        targets,
        additive: revised.additive,
        edit: of_edit(&revised.comparison),
    }
}

fn flapping(revised: &Revised, change: &Event, now: Timestamp) -> Event {
    let back_to = revised
        .revert_of
        .map_or(RevisionNumber::FIRST, |number| number);
    let data = EventData {
        detail: Some(format!(
            "keeps changing back and forth, now back to revision {back_to}; no more alerts until a new state appears"
        )),
        ..change.data.clone()
    };
    with_text(event_builder::event(EventKind::EntryFlapping, now, data))
}

fn published(state: &EntryState, event_context: &EventContext<'_>, now: Timestamp) -> Event {
    let data = EventData {
        feed: Some(event_context.feed.clone()),
        entry: Some(event_builder::entry_info("", state, now)),
        after: Some(event_builder::revision_info(
            RevisionNumber::FIRST,
            now,
            state,
        )),
        ..EventData::default()
    };
    with_text(event_builder::event(EventKind::EntryPublished, now, data))
}

/// An event with its plain-text lines.
pub(in crate::check) fn with_text(mut event: Event) -> Event {
    event.data.text = event_text(&event);
    event
}
