//! What happened, as data: the one thing that notify and report need to know.
//!
//! [`Event`] is the body of a webhook and a line of `log --format ndjson`; its JSON form is a contract.
//! Readers ignore members that they do not know, so members may be added; none may change its meaning.

use crate::names;
use serde::{Deserialize, Serialize};

use super::classify::{Label, Reason, ScorePart, Significance};
use super::diff::{BlockDiff, LeftOut, Segment, SentenceOps, WordCount};
use super::ids::{ChangeNumber, RevisionNumber};
use super::links::LinkChange;
use super::state::{Channel, Document, HeadlineSource};
use crate::time::Timestamp;

/// The version of the JSON form.
pub const SCHEMA_VERSION: u32 = 1;

names! {
    /// What can be told.
    pub enum EventKind {
        /// An entry's text, headline, address … was changed.
        EntryRevised = "entry.revised",
        /// An article was taken down.
        EntryRemoved = "entry.removed",
        /// A removed article is back.
        EntryRestored = "entry.restored",
        /// An entry goes back and forth between states.
        EntryFlapping = "entry.flapping",
        /// An entry was seen for the first time.
        EntryPublished = "entry.published",
        /// A feed cannot be read any more.
        FeedFailing = "feed.failing",
        /// A failing feed can be read again.
        FeedRecovered = "feed.recovered",
        /// A feed answered 410 Gone.
        FeedGone = "feed.gone",
        /// A feed has moved for good.
        FeedMoved = "feed.moved",
        /// Many entries of a feed were changed at once.
        FeedBulkEdit = "feed.bulk_edit",
        /// A target takes no more events; told to the others.
        TargetDisabled = "target.disabled",
        /// No site can be reached any more: the network of this machine is gone.
        ServiceOffline = "service.offline",
        /// Sites can be reached again.
        ServiceOnline = "service.online",
        /// What was held back for a target, as one event.
        DigestReady = "digest.ready",
        /// A trial of a target.
        PingTest = "ping.test",
    }
}

/// A thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What kind of thing.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When it was noticed.
    pub timestamp: Timestamp,
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The thing itself.
    pub data: EventData,
}

impl Event {
    /// The event with the address of its page, where there is one: only changes have a page, and only the configuration
    /// says where the pages are.
    #[must_use]
    pub fn with_permalink(mut self, base_url: Option<&str>) -> Self {
        if let (Some(base), Some(number)) = (base_url, self.data.number) {
            self.data.permalink = Some(format!("{}/c/{number}", base.trim_end_matches('/')));
        }
        self
    }
}

/// What an event says; absent members are left out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EventData {
    /// The number of the change, set when it is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<ChangeNumber>,
    /// What moved and how much it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeInfo>,
    /// The feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feed: Option<FeedInfo>,
    /// The entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<EntryInfo>,
    /// The revision before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<RevisionInfo>,
    /// The revision after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<RevisionInfo>,
    /// The exact words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<DiffInfo>,
    /// Why a feed fails, where it has moved to, how many entries: for events that are no change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Set when the event sums up what was added to a live article: `before`, `after` and `diff` span all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestInfo>,
    /// What is in a digest: for `digest.ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportInfo>,
    /// Between which looks an article went or came back: for `entry.removed` and `entry.restored`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The page of the change, where the web pages have an address; set when the event is sent or printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permalink: Option<String>,
    /// Set on events that `notify test` makes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
    /// The whole event in a few lines of plain text.
    pub text: String,
}

impl EventData {
    /// Whether the page, or the document in its place, was replaced as a whole, so that no texts were compared.
    #[must_use]
    pub fn replaces_document(&self) -> bool {
        let document =
            |side: &Option<RevisionInfo>| side.as_ref().and_then(|side| side.document.clone());
        match (document(&self.before), document(&self.after)) {
            (None, None) => false,
            (Some(old), Some(new)) if old.media_type == new.media_type => {
                !(old.text && new.text) && old.sha256 != new.sha256
            }
            _ => true,
        }
    }
}

names! {
    /// A field of an entry that can change.
    pub enum Field {
        /// The headline, and the kicker above it.
        Title = "title",
        /// The sentences under the headline that introduce the article.
        Standfirst = "standfirst",
        /// The feed's description.
        Summary = "summary",
        /// The full text, from the feed or the page, with the targets of its links.
        Body = "body",
        /// The authors.
        Byline = "byline",
        /// A date shown to readers.
        Date = "date",
        /// The article's address.
        Address = "address",
        /// The feed's identifier of the entry.
        Guid = "guid",
    }
}

/// What moved and how much it matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeInfo {
    /// The fields that moved, in the order of [`Field`].
    pub fields: Vec<Field>,
    /// How much it matters.
    pub significance: Significance,
    /// 0–100.
    pub score: u8,
    /// What kinds of edit it is.
    pub labels: Vec<Label>,
    /// Why each label was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// What the score is made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub score_parts: Vec<ScorePart>,
    /// Words added and removed over all text fields.
    pub words: WordCount,
    /// 0–1, of the longest text that changed, rounded to two digits.
    pub similarity: f64,
    /// Where it was seen.
    pub channel: Vec<Channel>,
    /// The headlines that moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headlines: Vec<HeadlineSource>,
    /// When it happened, as far as that is known.
    pub window: Window,
    /// The earlier revision that this is a return to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revert_of: Option<RevisionNumber>,
}

/// Between which two looks the change happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The last look that saw the state before.
    pub last_unchanged: Timestamp,
    /// The first look that saw the state after.
    pub first_changed: Timestamp,
    /// Looks after `last_unchanged`, the one that saw the change included.
    pub checks: u32,
    /// Those of them that failed.
    pub failed_checks: u32,
}

/// The feed of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedInfo {
    /// Its name in the configuration.
    pub name: String,
    /// Its own title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its address in the configuration.
    pub url: String,
    /// Its tags in the configuration.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// The entry of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryInfo {
    /// Our own identifier, `ent_…`.
    pub id: String,
    /// The guid that the feed gives now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guid: Option<String>,
    /// The article's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The authors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The claimed date of publication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// When revisor saw it first.
    pub first_seen: Timestamp,
    /// The address of the last snapshot in a web archive, where one was made before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
}

/// One side of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionInfo {
    /// Its number within the entry.
    pub revision: RevisionNumber,
    /// When it was first seen.
    pub seen: Timestamp,
    /// Its headline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// SHA-256 of its text, blocks joined by a blank line, in hexadecimal.
    pub body_sha256: String,
    /// The document that its page is, where that is no page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
}

/// The exact words, one member for each text field that changed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DiffInfo {
    /// The headline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Vec<Segment>>,
    /// The headlines that moved otherwise than `title`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headlines: Vec<HeadlineInfo>,
    /// The standfirst.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standfirst: Option<Vec<Segment>>,
    /// The feed's description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<BlocksInfo>,
    /// The full text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<BlocksInfo>,
    /// Links in the text whose words stayed and that lead elsewhere now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkChange>,
    /// The authors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byline: Option<Vec<Segment>>,
    /// The address, old and new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<[String; 2]>,
    /// The guid, old and new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guid: Option<[String; 2]>,
}

/// A headline that moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeadlineInfo {
    /// Which one.
    pub source: HeadlineSource,
    /// Rebuilds both sides.
    pub segments: Vec<Segment>,
}

/// What a sum of additions to a live article is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestInfo {
    /// How many changes it sums up.
    pub changes: u64,
    /// The first of them.
    pub first: ChangeNumber,
    /// The last of them.
    pub last: ChangeNumber,
    /// Paragraphs that are new.
    pub paragraphs: u64,
    /// Changes in between that were told by themselves; the diff contains them, too.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub told_alone: u64,
}

/// The events of a digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportInfo {
    /// How many there are.
    pub events: u64,
    /// From when on they were noticed, or since when there was none.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The events in their order; the last ones may be left out for size.
    pub members: Vec<Event>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference to the member"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The blocks that changed; equal ones may be left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlocksInfo {
    /// In the order of the new text.
    pub blocks: Vec<BlockDiff>,
    /// Set when blocks that changed were left out for size.
    pub truncated: bool,
    /// Set when the texts were too large or too different for the fine method.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub coarse: bool,
    /// What happened to the sentences of the text, blocks that were left out included.
    #[serde(default, skip_serializing_if = "SentenceOps::is_empty")]
    pub sentences: SentenceOps,
    /// Blocks of the texts as published that were not compared.
    #[serde(default, skip_serializing_if = "LeftOut::is_empty")]
    pub left_out: LeftOut,
}
