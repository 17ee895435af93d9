//! What one look yields: the value that is stored in one transaction, and what a look needs to know beforehand.

use crate::names;
use std::time::Duration;

use super::event::Event;
use super::fingerprint::{Fingerprint, Fingerprints};
use super::furniture::{Evidence, RuleKind, Streaks};
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
    /// What was looked at.
    pub channel: Channel,
    /// The address that answered, after redirects.
    pub url: String,
    /// When the answer was complete.
    pub fetched: Timestamp,
    /// HTTP status.
    pub status: u16,
    /// Names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    /// The headers of the request that was answered, credentials without their values; `None` where that is not known.
    pub request: Option<Vec<(String, String)>>,
    /// The decoded body.
    pub body: Vec<u8>,
}

/// A name by which an entry is known in its feed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AliasKey {
    /// What kind of name.
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
    /// Whether it is given only when nobody bears it: a hint that a page gives, not a name that the feed does.
    pub if_free: bool,
}

/// Which entry is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryRef {
    /// One that is made now.
    New,
    /// A known one.
    Known(EntryId),
}

/// A revision to store, with the events that tell of it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRevision {
    /// The next number of the entry.
    pub number: RevisionNumber,
    /// When this state was first seen.
    pub seen: Timestamp,
    /// The state on both channels.
    pub state: EntryState,
    /// Of this state.
    pub fingerprints: Fingerprints,
    /// Under which its channels were read.
    pub schemes: Schemes,
    /// What brought it.
    pub origin: Origin,
    /// Which channels brought it.
    pub channels: Vec<Channel>,
    /// Absent for a baseline: the first sight of an entry or of a channel.
    pub change: Option<NewChange>,
}

names! {
    /// What brought a revision.
    pub enum Origin {
        /// A look at the feed or the page.
        Look = "look",
        /// The captures of the revision before, read anew under another scheme: our own doing, and no edit.
        Reread = "reread",
        /// A look under another scheme whose old captures are gone. Whether it differs by an edit nobody can say: a new
        /// beginning, and no change.
        Rebased = "rebased",
    }
}

/// A revision that makes the last one comparable with what is read today. It has no change: nothing was edited.
#[derive(Debug, Clone, PartialEq)]
pub struct Base {
    /// The revision; its origin is [`Origin::Reread`] or [`Origin::Rebased`].
    pub revision: NewRevision,
    /// The stored answers that were read anew.
    pub captures: Behind,
}

/// The stored answers behind a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Behind {
    /// Of the feed.
    pub feed: Option<CaptureId>,
    /// Of the page.
    pub page: Option<CaptureId>,
}

/// What is derived from a revision and may be computed anew, unlike the revision itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Of its state as it is read now.
    pub fingerprints: Fingerprints,
    /// Under which that is.
    pub schemes: Schemes,
}

/// A change to store. Its number is given by the store, which also writes it into the event.
#[derive(Debug, Clone, PartialEq)]
pub struct NewChange {
    /// The whole change, told or not; `data.number` is set when stored.
    pub event: Event,
    /// Why it is kept quiet, when it is.
    pub quiet: Option<Quiet>,
    /// Names of the targets that are told.
    pub targets: Vec<String>,
    /// Whether text was added and none taken away.
    pub additive: bool,
    /// Of the words that went and came, see [`of_edit`](super::fingerprint::of_edit).
    pub edit: Option<Fingerprint>,
}

names! {
    /// Why a change is stored without being told.
    pub enum Quiet {
        /// Below `detect.significance`.
        Insignificant = "insignificant",
        /// The page says what the feed has said already, or the other way round.
        Echo = "echo",
        /// The entry goes back and forth; it was told once.
        Flapping = "flapping",
        /// Part of a bulk edit, which is told as one.
        BulkEdit = "bulk_edit",
        /// Added to a live article; told, or to be told, as part of a sum.
        Digest = "digest",
        /// It may be page furniture or a stale copy: told, or not, once further checks have shown which.
        Waiting = "waiting",
        /// Further checks have shown that it is no edit.
        Unconfirmed = "unconfirmed",
    }
}

/// An event that is no change, with the targets that are told.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// The event.
    pub event: Event,
    /// The entry that it is about, if it is about one; set by the store for a new entry.
    pub entry: Option<EntryRef>,
    /// Names of the targets that are told.
    pub targets: Vec<String>,
}

/// The dates that are claimed of an entry, channel by channel. They are shown and counted, never compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClaimedDates {
    /// Publication, by the feed.
    pub feed_published: Option<Timestamp>,
    /// The last update, by the feed.
    pub feed_updated: Option<Timestamp>,
    /// Publication, by the page.
    pub page_published: Option<Timestamp>,
    /// The last change, by the page.
    pub page_modified: Option<Timestamp>,
}

impl ClaimedDates {
    /// Those that a state claims.
    #[must_use]
    pub fn of(state: &EntryState) -> Self {
        Self {
            feed_published: state.feed.as_ref().and_then(|feed| feed.published),
            feed_updated: state.feed.as_ref().and_then(|feed| feed.updated),
            page_published: state.page.as_ref().and_then(|page| page.published),
            page_modified: state.page.as_ref().and_then(|page| page.modified),
        }
    }

    /// Whether a date that was claimed before is claimed otherwise now. A first claim, and one that is withdrawn, move
    /// nothing.
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

    /// Whether one of these channels claims a date of its last change, and claims the same one now.
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

    /// The claimed date of publication: the feed's, else the page's.
    #[must_use]
    pub fn published(&self) -> Option<Timestamp> {
        self.feed_published.or(self.page_published)
    }
}

/// What is written of one entry.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryOutcome {
    /// Which entry.
    pub entry: EntryRef,
    /// Names to add.
    pub aliases: Vec<NewAlias>,
    /// Whether the feed lists it now; `None` when the feed was not looked at.
    pub in_feed: Option<bool>,
    /// The last look that saw it in the feed, when it has just left or come back.
    pub last_seen: Option<Timestamp>,
    /// How it left the feed, when it has just left.
    pub left: Option<Left>,
    /// A claimed date moved while the text stayed: counted as `fake-freshness`.
    pub date_touched: bool,
    /// All dates claimed now, when they differ from those stored and there is no revision that says so; else the same
    /// touch would be counted at every look.
    pub claimed: Option<ClaimedDates>,
    /// What the newest stored revision is under the schemes of now, when that is not what is stored of it.
    pub stamp: Option<Stamp>,
    /// The revision that comes before `revision`, when the newest stored one cannot be compared with what is read today.
    pub base: Option<Base>,
    /// The fingerprints of what was seen, by which the next look knows the same at once. They may differ from those of
    /// the newest revision, which remembers what a look has left out.
    pub seen: SeenPrints,
    /// The new state, when a reader sees one.
    pub revision: Option<NewRevision>,
    /// What the look at the page brought, when there was one.
    pub page: Option<PageCheck>,
    /// The raw answer behind a revision that the page brought.
    pub page_capture: Option<Capture>,
    /// What looks at the page have begun, when that is not what was stored.
    pub life: Option<PageLife>,
    /// The raw answer behind a text that is held.
    pub held_capture: Option<Capture>,
    /// The text that the page was seen with, believed or not.
    pub page_text: Option<PageText>,
    /// Whether that text was found to be no article's.
    pub stands_in: bool,
    /// The address of the page to look at from now on; `None` leaves it.
    pub page_url: Option<String>,
    /// When to look at the page next; outer `None` leaves it, inner `None` ends it.
    pub page_next: Option<Option<Timestamp>>,
    /// Events about this entry besides the change: flapping, published …
    pub events: Vec<NewEvent>,
    /// The ignored text of the channels that were read, where it differs from what is remembered.
    pub ignored: Vec<IgnoredText>,
    /// Additions to a live article that are told now, as a sum.
    pub summed_up: Option<SummedUp>,
    /// When the additions that are kept for a sum are told at the latest; an earlier moment stands.
    pub digest_due: Option<Timestamp>,
    /// With what the change of the revision waits to be told; its reason to be quiet is [`Quiet::Waiting`].
    pub wait: Option<NewWait>,
    /// Changes that have waited.
    pub waited: Vec<Waited>,
}

/// A change waits for checks that show whether it is an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWait {
    /// When it is judged.
    pub due: Timestamp,
    /// Other entries whose pages are checked for it.
    pub others: Vec<EntryId>,
}

/// What became of a change that has waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waited {
    /// Which one.
    pub change: ChangeNumber,
    /// When that was found.
    pub at: Timestamp,
    /// How it ended, or goes on.
    pub verdict: Verdict,
}

/// What became of a change that has waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is told to these targets.
    Edit(Vec<String>),
    /// It is an edit that is told as one of many.
    OneOfMany,
    /// It is none.
    NoEdit,
    /// It waits for another round.
    Again {
        /// As before.
        wait: NewWait,
        /// Whether nothing like it moved in the last round.
        still: bool,
        /// Whether the last round has seen enough to be counted.
        counts: bool,
    },
}

/// The ignored text of one channel, as it is from now on, and what moved in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredText {
    /// The channel.
    pub channel: Channel,
    /// Under which the document was read.
    pub scheme: Scheme,
    /// What is remembered until the next check.
    pub snapshot: Snapshot,
    /// What moved.
    pub movements: Vec<Movement>,
}

/// Additions to a live article, told as a sum.
#[derive(Debug, Clone, PartialEq)]
pub struct SummedUp {
    /// The last of the changes that it sums up.
    pub until: ChangeNumber,
    /// The event; `None` when nothing of it is left to tell.
    pub event: Option<NewEvent>,
}

/// The fingerprints of what a look saw, channel by channel; `None` where it did not look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeenPrints {
    /// What the feed said.
    pub feed: Option<Fingerprint>,
    /// What the page said.
    pub page: Option<Fingerprint>,
    /// How often in a row each was something else; of a channel that was looked at.
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
    /// Only what a revision was read from is kept.
    pub fn drop_needless_capture(&mut self) {
        if !self.is_brought_by(Channel::Page) {
            self.page_capture = None;
        }
    }

    /// Whether a look at this channel brought a revision.
    #[must_use]
    pub fn is_brought_by(&self, channel: Channel) -> bool {
        let base = self.base.as_ref().map(|base| &base.revision);
        let begins = base.filter(|revision| revision.origin == Origin::Rebased);
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
        /// While the feed went on listing older ones.
        Early = "early",
        /// Pushed out by newer ones, as far as can be told.
        ScrolledOff = "scrolled_off",
    }
}

/// What a look at a page leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageCheck {
    /// When the look ended.
    pub at: Timestamp,
    /// Whether the page was read, or known to be unchanged.
    pub ok: bool,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// What kind of thing went wrong.
    pub reason: Option<Reason>,
    /// The validators for the next look; kept as they are when `None`.
    pub validators: Option<Validators>,
}

/// What makes the next request conditional, verbatim as received.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
    /// SHA-256 of the decoded body that they stand for.
    pub body_sha256: Option<[u8; 32]>,
    /// SHA-256 of that body as it was sent, with its encoding. In a box: thousands of checks that wait hold one.
    pub packed_sha256: Option<Box<[u8; 32]>>,
}

/// What a poll of a feed leaves behind in the feed's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPoll {
    /// The feed.
    pub feed: FeedId,
    /// When the poll ended.
    pub at: Timestamp,
    /// How it ended.
    pub result: PollResult,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// When to poll next; `None` for never (gone).
    pub next: Option<Timestamp>,
    /// Why then, for people: `every 15m`, `cron`, `Retry-After`, `failed 3 times`.
    pub next_why: String,
    /// Not before this, whatever the schedule.
    pub not_before: Option<Timestamp>,
    /// What the document says of its own clock; kept as it is when `None`, as by a poll that read no document.
    pub pace: Option<Pace>,
    /// The validators for the next poll; kept as they are when `None`.
    pub validators: Option<Validators>,
    /// The feed's own title; kept when `None`.
    pub title: Option<String>,
    /// The address that a permanent redirect has led to; kept when `None`, forgotten when `Some(None)`.
    pub moved_to: Option<Option<String>>,
    /// The first of the polls in a row that were answered 410, this one included; `None` when this one was not.
    pub gone_since: Option<Timestamp>,
    /// The poll that first saw most texts gone, when that waits for a second one; kept when `None`.
    pub emptied: Option<Option<Timestamp>>,
    /// New entries that were left for the next polls, as there were too many at once.
    pub postponed: u32,
    /// The items that need not be read again; kept as they are when `None`.
    pub items: Option<KnownItems>,
}

/// What a document, and the answer that brought it, say of how often it is worth asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace {
    /// How long its answers are fresh by their headers.
    pub lifetime: Option<Duration>,
    /// `ttl`, or `sy:updatePeriod` divided by `sy:updateFrequency`.
    pub ttl: Option<Duration>,
    /// `skipHours`: bit `n` is the hour from `n`:00 UTC.
    pub skip_hours: u32,
    /// `skipDays` in UTC: bit 0 is Monday.
    pub skip_days: u8,
    /// How often it brings something new, by the dates of its entries.
    pub rhythm: Option<Rhythm>,
}

/// How a poll ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PollResult {
    /// The feed was read, or was known to be unchanged.
    Ok,
    /// It could not be read.
    Failed(String),
    /// It is gone for good.
    Gone(String),
}

/// Everything that one poll of a feed, or one look at a page, has to store: in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The feed that it belongs to.
    pub feed: FeedId,
    /// The poll of the feed; absent when only a page was looked at.
    pub poll: Option<FeedPoll>,
    /// Whether the feed's guids can be trusted to name entries; `None` leaves what is known.
    pub guids_trusted: Option<bool>,
    /// Sets the moment of the baseline.
    pub baseline: bool,
    /// The raw answer behind the revisions that the feed brought.
    pub feed_capture: Option<Capture>,
    /// The entries that are written, in the order of the feed.
    pub entries: Vec<EntryOutcome>,
    /// Events about the feed itself.
    pub events: Vec<NewEvent>,
    /// Rules that were learned, and by which its entries were compared already.
    pub rules: Vec<NewRule>,
}

/// A rule to store that was learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRule {
    /// What it is about.
    pub kind: RuleKind,
    /// Such a text, as published.
    pub pattern: String,
    /// What it was learned from; the store adds the public ids of `entries`.
    pub evidence: Evidence,
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
