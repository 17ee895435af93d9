//! What one check yields: the value that is stored in one transaction, and what a check needs to know beforehand.

use crate::names;
use std::time::Duration;

use super::event::Event;
use super::fingerprint::{Fingerprint, Fingerprints};
use super::furniture::{RuleEvidence, RuleKind, Streaks};
use super::ids::{CaptureId, ChangeNumber, EntryId, FeedId, RevisionNumber};
use super::ignored::{Movement, Snapshot};
use super::known_items::KnownItems;
use super::life::stand_in::PageText;
use super::life::{PageLife, Reason};
use super::schedule::Rhythm;
use super::scheme::{Scheme, Schemes};
use super::state::{Channel, EntryState};
use crate::time::Timestamp;

/// Bytes and headers behind an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// What was checked.
    pub channel: Channel,
    /// The address that sent the response, after redirects.
    pub url: String,
    /// When the response was complete.
    pub fetched: Timestamp,
    /// HTTP status.
    pub status: u16,
    /// Names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    /// The headers of the request, with the values of credentials removed; `None` if they are not known.
    pub request: Option<Vec<(String, String)>>,
    /// The decoded body.
    pub body: Vec<u8>,
}

/// A name by which an entry is known in its feed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AliasKey {
    /// The kind of name.
    pub kind: AliasKind,
    /// The guid as given, or the canonical form of the address.
    pub value: String,
}

names! {
    /// Kinds of names of an entry.
    pub enum AliasKind {
        /// The feed's guid.
        Guid = "guid",
        /// The canonical address.
        Address = "address",
        /// A hash of title and text, for items that have neither guid nor address.
        Content = "content",
    }
}

/// A name to add to an entry, and why it is the same entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAlias {
    /// The name.
    pub key: AliasKey,
    /// For people: `first sight`, `same address, new guid` …
    pub reason: String,
    /// Whether it is added only if no entry has it: a hint from a page, not a name from the feed.
    pub if_free: bool,
}

/// The entry that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryRef {
    /// A new entry.
    New,
    /// A known entry.
    Known(EntryId),
}

/// A revision to store, with the events that report it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRevision {
    /// The next number of the entry.
    pub number: RevisionNumber,
    /// When this state was first seen.
    pub seen: Timestamp,
    /// The state on both channels.
    pub state: EntryState,
    /// The fingerprints of this state.
    pub fingerprints: Fingerprints,
    /// The schemes under which its channels were read.
    pub schemes: Schemes,
    /// What caused it.
    pub origin: RevisionOrigin,
    /// The channels that it came from.
    pub channels: Vec<Channel>,
    /// `None` for a first snapshot of an entry or of a channel.
    pub change: Option<NewChange>,
}

names! {
    /// What caused a revision.
    pub enum RevisionOrigin {
        /// A check of the feed or the page.
        Look = "look",
        /// The captures of the previous revision, re-read under another scheme: our own doing, not an edit.
        Reread = "reread",
        /// A check under another scheme when the old captures are gone. Nobody can say whether the text was edited,
        /// so this is a new first snapshot and not a change.
        Rebased = "rebased",
    }
}

/// A revision that makes the last one comparable with text as it is read today. It has no change: nothing was
/// edited.
#[derive(Debug, Clone, PartialEq)]
pub struct Base {
    /// The revision; its origin is [`RevisionOrigin::Reread`] or [`RevisionOrigin::Rebased`].
    pub revision: NewRevision,
    /// The stored responses that were re-read.
    pub captures: Behind,
}

/// The stored responses behind a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Behind {
    /// The response of the feed.
    pub feed: Option<CaptureId>,
    /// The response of the page.
    pub page: Option<CaptureId>,
}

/// Values derived from a revision. Unlike the revision itself, they may be recomputed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The fingerprints of its state as it is read now.
    pub fingerprints: Fingerprints,
    /// The schemes under which it is read now.
    pub schemes: Schemes,
}

/// A change to store. The store assigns its number and also writes it into the event.
#[derive(Debug, Clone, PartialEq)]
pub struct NewChange {
    /// The whole change, whether it is reported or not; `data.number` is set when it is stored.
    pub event: Event,
    /// Why it sends no alert, if it does not.
    pub quiet: Option<Quiet>,
    /// Names of the targets to notify.
    pub targets: Vec<String>,
    /// Whether text was added and none was removed.
    pub additive: bool,
    /// The fingerprint of the words that were removed and added, see [`of_edit`](super::fingerprint::of_edit).
    pub edit: Option<Fingerprint>,
}

names! {
    /// Why a change is stored without an alert.
    pub enum Quiet {
        /// Below `detect.significance`.
        Insignificant = "insignificant",
        /// The page repeats what the feed already said, or the other way round.
        Echo = "echo",
        /// The entry goes back and forth; this was reported once.
        Flapping = "flapping",
        /// Part of a bulk edit, which is reported as one event.
        BulkEdit = "bulk_edit",
        /// Added to a live article; reported, now or later, as part of a summary.
        Digest = "digest",
        /// It may be page furniture or a stale copy. Further checks decide whether it is reported.
        Waiting = "waiting",
        /// Further checks have shown that it is not an edit.
        Unconfirmed = "unconfirmed",
    }
}

/// An event that is not a change, with the targets to notify.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// The event.
    pub event: Event,
    /// The entry that it is about, if any; the store sets it for a new entry.
    pub entry: Option<EntryRef>,
    /// Names of the targets to notify.
    pub targets: Vec<String>,
}

/// The dates that each channel claims for an entry. They are shown and counted, never compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClaimedDates {
    /// The publication date in the feed.
    pub feed_published: Option<Timestamp>,
    /// The date of the last update in the feed.
    pub feed_updated: Option<Timestamp>,
    /// The publication date on the page.
    pub page_published: Option<Timestamp>,
    /// The date of the last change on the page.
    pub page_modified: Option<Timestamp>,
}

impl ClaimedDates {
    /// The dates that a state claims.
    #[must_use]
    pub fn of(state: &EntryState) -> Self {
        Self {
            feed_published: state.feed.as_ref().and_then(|feed| feed.published),
            feed_updated: state.feed.as_ref().and_then(|feed| feed.updated),
            page_published: state.page.as_ref().and_then(|page| page.published),
            page_modified: state.page.as_ref().and_then(|page| page.modified),
        }
    }

    /// Whether a date that was claimed before is different now. A first claim, or a withdrawn one, does not count.
    #[must_use]
    pub fn moved_to(&self, now: &Self) -> bool {
        let moved = |old: Option<Timestamp>, new: Option<Timestamp>| {
            old.is_some() && new.is_some() && old != new
        };
        moved(self.feed_published, now.feed_published)
            || moved(self.feed_updated, now.feed_updated)
            || moved(self.page_published, now.page_published)
            || moved(self.page_modified, now.page_modified)
    }

    /// Whether one of these channels claims a date of its last change, and that date is the same as before.
    #[must_use]
    pub fn unmoved(&self, now: &Self, channels: &[Channel]) -> bool {
        channels.iter().any(|channel| {
            let (before, now) = match channel {
                Channel::Feed => (self.feed_updated, now.feed_updated),
                Channel::Page => (self.page_modified, now.page_modified),
            };
            before.is_some() && before == now
        })
    }

    /// The claimed publication date: the feed's, else the page's.
    #[must_use]
    pub fn published(&self) -> Option<Timestamp> {
        self.feed_published.or(self.page_published)
    }
}

/// What is written for one entry.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryOutcome {
    /// The entry.
    pub entry: EntryRef,
    /// Names to add.
    pub aliases: Vec<NewAlias>,
    /// Whether the feed lists it now; `None` if the feed was not polled.
    pub in_feed: Option<bool>,
    /// The last poll that found it in the feed, if it has just left or come back.
    pub last_seen: Option<Timestamp>,
    /// How it left the feed, if it has just left.
    pub left: Option<Left>,
    /// A claimed date moved but the text did not: counted as `fake-freshness`.
    pub date_touched: bool,
    /// All dates claimed now, if they differ from the stored ones and no revision has them. Otherwise the same date
    /// move would be counted at every check.
    pub claimed: Option<ClaimedDates>,
    /// The newest stored revision as derived under the current schemes, if that differs from what is stored.
    pub stamp: Option<Stamp>,
    /// The revision that goes before `revision`, if the newest stored one cannot be compared with text as it is
    /// read today.
    pub base: Option<Base>,
    /// The fingerprints of what was seen, so that the next check recognises the same content immediately. They may
    /// differ from those of the newest revision, which keeps text that a check has left out.
    pub seen: SeenPrints,
    /// The new state, if a reader sees one.
    pub revision: Option<NewRevision>,
    /// The result of the check of the page, if there was one.
    pub page: Option<PageCheck>,
    /// The raw response behind a revision that the page caused.
    pub page_capture: Option<Capture>,
    /// The state of the page's life, if it differs from what was stored.
    pub life: Option<PageLife>,
    /// The raw response behind an unconfirmed text.
    pub held_capture: Option<Capture>,
    /// The text that was seen on the page, believed or not.
    pub page_text: Option<PageText>,
    /// Whether that text was found not to be an article.
    pub stands_in: bool,
    /// The address of the page to check from now on; `None` keeps the current one.
    pub page_url: Option<String>,
    /// When to check the page next; outer `None` keeps the time, inner `None` ends the checks.
    pub page_next: Option<Option<Timestamp>>,
    /// Events about this entry besides the change: flapping, published …
    pub events: Vec<NewEvent>,
    /// The ignored text of the channels that were read, if it differs from what is remembered.
    pub ignored: Vec<IgnoredText>,
    /// Additions to a live article that are reported now, as a summary.
    pub summed_up: Option<SummedUp>,
    /// The latest time to report the additions that are kept for a summary; an earlier stored time is kept.
    pub digest_due: Option<Timestamp>,
    /// The wait for which the change of the revision is not reported yet; its `quiet` is [`Quiet::Waiting`].
    pub wait: Option<NewWait>,
    /// Changes that have waited, with their verdicts.
    pub waited: Vec<Waited>,
}

/// A change that waits for checks that show whether it is an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWait {
    /// When it is judged.
    pub due: Timestamp,
    /// Other entries whose pages are checked for it.
    pub others: Vec<EntryId>,
}

/// The result for a change that has waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waited {
    /// The change.
    pub change: ChangeNumber,
    /// When it was decided.
    pub at: Timestamp,
    /// The result.
    pub verdict: WaitVerdict,
}

/// The result for a change that has waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitVerdict {
    /// It is an edit and is reported to these targets.
    Edit(Vec<String>),
    /// It is an edit that is reported as one of many.
    OneOfMany,
    /// It is not an edit.
    NoEdit,
    /// It waits for another round.
    Again {
        /// The next wait.
        wait: NewWait,
        /// Whether nothing like it moved in the last round.
        still: bool,
        /// Whether the last round saw enough to count.
        counts: bool,
    },
}

/// The ignored text of one channel from now on, and what moved in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredText {
    /// The channel.
    pub channel: Channel,
    /// The scheme under which the document was read.
    pub scheme: Scheme,
    /// What is remembered until the next check.
    pub snapshot: Snapshot,
    /// What moved.
    pub movements: Vec<Movement>,
}

/// Additions to a live article, reported as a summary.
#[derive(Debug, Clone, PartialEq)]
pub struct SummedUp {
    /// The last change in the summary.
    pub until: ChangeNumber,
    /// The event; `None` if nothing is left to report.
    pub event: Option<NewEvent>,
}

/// The fingerprints of what a check saw on each channel; `None` for a channel that was not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeenPrints {
    /// What the feed showed.
    pub feed: Option<Fingerprint>,
    /// What the page showed.
    pub page: Option<Fingerprint>,
    /// How often in a row each differed from the time before; set for a channel that was checked.
    pub streaks: Streaks,
}

impl EntryOutcome {
    /// An outcome that changes nothing yet.
    #[must_use]
    pub fn of(entry: EntryRef) -> Self {
        Self {
            entry,
            aliases: Vec::new(),
            in_feed: None,
            last_seen: None,
            left: None,
            date_touched: false,
            claimed: None,
            stamp: None,
            base: None,
            seen: SeenPrints::default(),
            revision: None,
            page: None,
            page_capture: None,
            life: None,
            held_capture: None,
            page_text: None,
            stands_in: false,
            page_url: None,
            page_next: None,
            events: Vec::new(),
            ignored: Vec::new(),
            summed_up: None,
            digest_due: None,
            wait: None,
            waited: Vec::new(),
        }
    }
}

impl EntryOutcome {
    /// Drops the capture unless a revision was read from it.
    pub fn drop_needless_capture(&mut self) {
        if !self.is_brought_by(Channel::Page) {
            self.page_capture = None;
        }
    }

    /// Whether a check of this channel caused a revision.
    #[must_use]
    pub fn is_brought_by(&self, channel: Channel) -> bool {
        let base = self.base.as_ref().map(|base| &base.revision);
        let begins = base.filter(|revision| revision.origin == RevisionOrigin::Rebased);
        let revisions = [begins, self.revision.as_ref()];
        revisions
            .into_iter()
            .flatten()
            .any(|revision| revision.channels.contains(&channel))
    }
}

names! {
    /// How an entry left its feed.
    pub enum Left {
        /// While the feed still listed older ones.
        Early = "early",
        /// Pushed out by newer ones, as far as is known.
        ScrolledOff = "scrolled_off",
    }
}

/// The result of a check of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageCheck {
    /// When the check ended.
    pub at: Timestamp,
    /// Whether the page was read, or known to be unchanged.
    pub ok: bool,
    /// HTTP status, if there was a response.
    pub status: Option<u16>,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// The kind of failure.
    pub reason: Option<Reason>,
    /// The validators for the next check; `None` keeps the stored ones.
    pub validators: Option<Validators>,
}

/// The headers that make the next request conditional, verbatim as received.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
    /// SHA-256 of the decoded body that they belong to.
    pub body_sha256: Option<[u8; 32]>,
    /// SHA-256 of that body as it was sent, with its encoding. It is boxed because thousands of waiting checks each
    /// have one.
    pub packed_sha256: Option<Box<[u8; 32]>>,
}

/// The result of a poll, as stored in the feed's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPoll {
    /// The feed.
    pub feed: FeedId,
    /// When the poll ended.
    pub at: Timestamp,
    /// How it ended.
    pub result: PollResult,
    /// HTTP status, if there was a response.
    pub status: Option<u16>,
    /// When to poll next; `None` for never (gone).
    pub next: Option<Timestamp>,
    /// The reason for that time, for people: `every 15m`, `cron`, `Retry-After`, `failed 3 times`.
    pub next_why: String,
    /// The earliest time for the next poll, whatever the schedule.
    pub not_before: Option<Timestamp>,
    /// What the document says about its own update schedule; `None`, as after a poll that read no document, keeps
    /// the stored value.
    pub pace: Option<Pace>,
    /// The validators for the next poll; `None` keeps the stored ones.
    pub validators: Option<Validators>,
    /// The feed's own title; `None` keeps the stored one.
    pub title: Option<String>,
    /// The target of a permanent redirect; `None` keeps the stored one, `Some(None)` removes it.
    pub moved_to: Option<Option<String>>,
    /// The first of the consecutive polls that got a 410, including this one; `None` if this one did not.
    pub gone_since: Option<Timestamp>,
    /// The poll that first saw most texts gone, if that is still unconfirmed; `None` keeps the stored value.
    pub emptied: Option<Option<Timestamp>>,
    /// New entries that were postponed to later polls because there were too many.
    pub postponed: u32,
    /// The items that need not be read again; `None` keeps the stored ones.
    pub items: Option<KnownItems>,
}

/// What a document and its response say about how often it is worth polling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace {
    /// How long a response is fresh according to its headers.
    pub lifetime: Option<Duration>,
    /// `ttl`, or `sy:updatePeriod` divided by `sy:updateFrequency`.
    pub ttl: Option<Duration>,
    /// `skipHours`: bit `n` is the hour from `n`:00 UTC.
    pub skip_hours: u32,
    /// `skipDays` in UTC: bit 0 is Monday.
    pub skip_days: u8,
    /// How often it publishes something new, by the dates of its entries.
    pub rhythm: Option<Rhythm>,
}

/// How a poll ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PollResult {
    /// The feed was read, or was known to be unchanged.
    Ok,
    /// It could not be read.
    Failed(String),
    /// It is gone permanently.
    Gone(String),
}

/// Everything that one poll of a feed, or one check of a page, stores in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The feed that it belongs to.
    pub feed: FeedId,
    /// The poll of the feed; absent if only a page was checked.
    pub poll: Option<FeedPoll>,
    /// Whether the feed's guids reliably identify entries; `None` keeps what is known.
    pub guids_trusted: Option<bool>,
    /// Sets the time of the first snapshot.
    pub baseline: bool,
    /// The raw response behind the revisions that the feed caused.
    pub feed_capture: Option<Capture>,
    /// The entries that are written, in the order of the feed.
    pub entries: Vec<EntryOutcome>,
    /// Events about the feed itself.
    pub events: Vec<NewEvent>,
    /// Rules that were learned; the entries were already compared under them.
    pub rules: Vec<NewRule>,
}

/// A learned rule to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRule {
    /// What it is about.
    pub kind: RuleKind,
    /// An example text, as published.
    pub pattern: String,
    /// What it was learned from; the store adds the public ids of `entries`.
    pub evidence: RuleEvidence,
    /// Some of the articles that had it.
    pub entries: Vec<EntryId>,
}

impl Outcome {
    /// An outcome that stores nothing yet.
    #[must_use]
    pub fn of(feed: FeedId) -> Self {
        Self {
            feed,
            poll: None,
            guids_trusted: None,
            baseline: false,
            feed_capture: None,
            entries: Vec::new(),
            events: Vec::new(),
            rules: Vec::new(),
        }
    }
}
