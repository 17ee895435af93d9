//! The `SQLite` edge: the only user of rusqlite.
//!
//! - [`Store::open`] opens, creates or upgrades a database and starts its one [`Writer`]; [`Reader`] and [`Readers`]
//!   read, beside it or in another process, and never upgrade.
//! - A check of a feed or a page is stored by [`Writer::commit`] in one transaction: captures, entries, revisions,
//!   changes, events, deliveries and the state of the feed become visible together or not at all.
//! - The queries are methods of [`Reader`], in one file per table.
//!
//! The store reads no clock: every moment is an argument. It decides nothing about texts.

mod aliases;
mod bodies;
mod captures;
mod chain;
mod changes;
mod checks;
mod clock_set_back;
mod codec;
mod commit;
mod compaction;
mod copy;
mod crash_guard;
mod diffengine;
mod digests;
mod entries;
mod error;
mod events;
mod evidence;
mod export;
mod feeds;
mod ignored;
mod instance;
mod known_items;
mod lock;
mod maintenance;
mod migrate;
mod moving;
mod open;
mod outage;
mod outbox;
mod outlines;
mod page_life;
mod page_texts;
mod policy;
mod private;
mod reader;
mod rederive;
mod reserve;
mod retention;
mod revisions;
mod robots;
mod rules;
mod search;
mod sidecar;
mod snapshots;
mod sql;
mod states;
mod stats;
mod status;
mod targets;
mod timeline;
mod tokens;
mod upgrade;
mod verify;
mod waits;
mod writer;

// The paths of the core are the same in every package.
pub(crate) use revisor_core::{domain, names, time};

#[cfg(test)]
mod tests;

pub use aliases::{AliasRow, SplitOff};
pub use changes::{ChangeFilter, RecentChange, StoredChange};
pub use checks::{CheckRequest, CheckRequestId, RequestState, RequestedWork, TestRequest};
pub use commit::Committed;
pub use compaction::{Compacted, Compaction};
pub use crash_guard::{InHand, Quarantined, QuarantinedAddress, ReadingMark, Underway};
pub use diffengine::{Diffengine, WatchedArticle, WatchedVersion};
pub use digests::{DigestEnd, PageEdits, PendingDigest};
pub use entries::{
    Bearer, DueKey, DuePage, EntryCandidate, EntryFilter, KnownEntry, KnownEntryFull, Life, PageRow,
};
pub use error::{EXIT_DATABASE, EXIT_USAGE, StoreError};
pub use events::StoredEvent;
pub use evidence::StoredEvidence;
pub use export::{ExportFilter, ExportedRevision};
pub use feeds::{ConfiguredFeed, FeedRow, FeedSync, Rescheduled};
pub use ignored::{IgnoredFilter, IgnoredMove, IgnoredTotals, StoredIgnored};
pub use instance::Random;
pub use lock::{Holder, InstanceLock, Reach};
pub use maintenance::make_shrinkable;
pub use migrate::SCHEMA;
pub use moving::Moved;
pub use open::{OpenOptions, Store};
pub use outbox::{
    AttemptOutcome, AttemptRecord, AttemptRow, DeliveryRow, DeliveryState, Gathered,
    LeasedDelivery, Next, ReplaySpan, Retry,
};
pub use reader::{Reader, Readers};
pub use rederive::{DerivedRow, Rederived};
pub use reserve::{give_reserve_up, keep_reserve};
pub use retention::{Pruned, PrunedTexts, Retain};
pub use revisions::{PastRow, RevisionRow};
pub use robots::RobotsRow;
pub use rules::RuleRow;
pub use search::{SearchFilter, SearchIn, SearchProgress};
pub use sidecar::beside;
pub use snapshots::{DueSnapshot, SnapshotCounts, SnapshotRow};
pub use stats::{EditPoint, FeedStats};
pub use status::{Backlog, FeedHealth, StoreCounts, UnreadDocumentRow, WatchedCounts};
pub use targets::{QueueSettings, TargetHealth, TargetRow};
pub use timeline::{EventFilter, LoggedEvent};
pub use tokens::TokenRow;
pub use upgrade::free as free_room;
pub use verify::{Verified, wrong_field};
pub use waits::Waiting;
pub use writer::{BatchEnd, Overflow, Write, Writer, WriterProgress};
