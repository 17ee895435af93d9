//! What holds the revisions of an entry together, and the answers that they were read from.

use super::ids::{CaptureId, RevisionNumber};
use super::outcome::Capture;
use crate::time::Timestamp;

/// A link of the chain of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainLink {
    /// The revision.
    pub number: RevisionNumber,
    /// When it was first seen.
    pub seen: Timestamp,
    /// Hash of the state as JSON.
    pub state_sha256: [u8; 32],
    /// Hash of the answers behind it; `None` where an older program has stored it.
    pub captures_hash: Option<[u8; 32]>,
    /// The link before; zeros for the first.
    pub previous: [u8; 32],
    /// Hash of all of these.
    pub hash: [u8; 32],
    /// The answers that came with it, that of the feed first.
    pub captures: Vec<CaptureId>,
    /// The state as JSON, byte for byte as it was hashed; only of the two revisions of a change, and only while it is
    /// kept.
    pub state: Option<String>,
}

/// A capture as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCapture {
    /// Its row.
    pub id: CaptureId,
    /// The answer; its body is empty when retention has taken it.
    pub capture: Capture,
    /// SHA-256 of the decoded body, also when the body is gone.
    pub body_sha256: [u8; 32],
    /// Whether the body is kept.
    pub body_kept: bool,
}
