//! What happened, as data: the only thing that notify and report need to know.
//!
//! [`Event`] is the body of a webhook and a line of `log --format ndjson`; its JSON form is a contract.
//! Readers ignore members that they do not know, so members may be added, but no member may change its meaning.

use crate::names;
use serde::{Deserialize, Serialize};

use super::classify::{Label, LabelReason, ScorePart, Significance};
use super::diff::{BlockDiff, LeftOut, Segment, SentenceOps, WordCount};
use super::ids::{ChangeNumber, RevisionNumber};
use super::links::LinkChange;
use super::state::{Channel, Document, HeadlineSource};
use crate::time::Timestamp;

/// The version of the JSON form.
pub const SCHEMA_VERSION: u32 = 1;

names! {
    /// Kinds of events.
    pub enum EventKind {
        /// The text, headline, address … of an entry was changed.
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
        /// A feed returned 410 Gone.
        FeedGone = "feed.gone",
        /// A feed has moved permanently.
        FeedMoved = "feed.moved",
        /// Many entries of a feed were changed at once.
        FeedBulkEdit = "feed.bulk_edit",
        /// A target was disabled; reported to the other targets.
        TargetDisabled = "target.disabled",
        /// No site can be reached any more: this machine has lost its network.
        ServiceOffline = "service.offline",
        /// Sites can be reached again.
        ServiceOnline = "service.online",
        /// A digest: the events that were gathered for a target, as one event.
        DigestReady = "digest.ready",
        /// A test of a target.
        PingTest = "ping.test",
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The kind of event.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When it was noticed.
    pub timestamp: Timestamp,
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The data of the event.
    pub data: EventData,
}

impl Event {
    /// Adds the address of the page of the change, if it has one: only changes have a page, and only the
    /// configuration says where the pages are.
    #[must_use]
    pub fn with_permalink(mut self, base_url: Option<&str>) -> Self {
        if let (Some(base), Some(number)) = (base_url, self.data.number) {
            self.data.permalink = Some(format!("{}/c/{number}", base.trim_end_matches('/')));
        }
        self
    }
}

/// The data of an event; absent members are left out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EventData {
    /// The number of the change, set when it is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<ChangeNumber>,
    /// What changed and how much it matters.
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
    /// For events that are not changes: why a feed fails, where it has moved to, how many entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Set if the event sums up additions to a live article: `before`, `after` and `diff` span all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestInfo>,
    /// The events of a digest: for `digest.ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportInfo>,
    /// Between which checks an article disappeared or came back: for `entry.removed` and `entry.restored`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The page of the change, if the web pages have an address; set when the event is sent or printed.
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

/// What changed and how much it matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeInfo {
    /// The fields that changed, in the order of [`Field`].
    pub fields: Vec<Field>,
    /// How much it matters.
    pub significance: Significance,
    /// From 0 to 100.
    pub score: u8,
    /// The kinds of edit.
    pub labels: Vec<Label>,
    /// Why each label was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<LabelReason>,
    /// The parts of the score.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub score_parts: Vec<ScorePart>,
    /// Words added and removed over all text fields.
    pub words: WordCount,
    /// From 0 to 1, for the longest text that changed, rounded to two digits.
    pub similarity: f64,
    /// The channels on which it was seen.
    pub channel: Vec<Channel>,
    /// The headlines that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headlines: Vec<HeadlineSource>,
    /// When it happened, as far as that is known.
    pub window: Window,
    /// The earlier revision that the text returned to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revert_of: Option<RevisionNumber>,
}

/// The two checks between which the change happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The last check that saw the state before.
    pub last_unchanged: Timestamp,
    /// The first check that saw the state after.
    pub first_changed: Timestamp,
    /// Checks after `last_unchanged`, including the one that saw the change.
    pub checks: u32,
    /// How many of them failed.
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
    /// The claimed publication date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// When revisor first saw it.
    pub first_seen: Timestamp,
    /// The address of the latest snapshot in a web archive, if one was made before.
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
    /// The document at its address, if that is not a page.
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
    /// The headlines that changed in another way than `title`.
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
    /// Links in the text whose words stayed the same but whose target changed.
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

/// A headline that changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeadlineInfo {
    /// The headline.
    pub source: HeadlineSource,
    /// The segments, from which both sides can be rebuilt.
    pub segments: Vec<Segment>,
}

/// A summary of additions to a live article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestInfo {
    /// How many changes it sums up.
    pub changes: u64,
    /// The first one.
    pub first: ChangeNumber,
    /// The last one.
    pub last: ChangeNumber,
    /// New paragraphs.
    pub paragraphs: u64,
    /// Changes in between that were reported on their own; the diff contains them, too.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub told_alone: u64,
}

/// The events of a digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportInfo {
    /// How many there are.
    pub events: u64,
    /// When the digest begins: its events were noticed from then on, or nothing has happened since then.
    pub since: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// The events in order; the last ones may be left out to save space.
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
    /// Set if changed blocks were left out to save space.
    pub truncated: bool,
    /// Set if the texts were too large or too different for the fine method.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub coarse: bool,
    /// What happened to the sentences of the text, including blocks that were left out.
    #[serde(default, skip_serializing_if = "SentenceOps::is_empty")]
    pub sentences: SentenceOps,
    /// Blocks of the texts as published that were not compared.
    #[serde(default, skip_serializing_if = "LeftOut::is_empty")]
    pub left_out: LeftOut,
}
