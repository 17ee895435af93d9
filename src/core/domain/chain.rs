//! The chain of an entry's revisions, and the responses that they were read from.

use super::ids::{CaptureId, RevisionNumber};
use super::outcome::Capture;
use crate::time::Timestamp;

/// A link in the chain of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainLink {
    /// The revision.
    pub number: RevisionNumber,
    /// When it was first seen.
    pub seen: Timestamp,
    /// Hash of the state as JSON.
    pub state_sha256: [u8; 32],
    /// Hash of the responses behind it; `None` if an older version of the program stored it.
    pub captures_hash: Option<[u8; 32]>,
    /// The hash of the link before; zeros for the first.
    pub previous: [u8; 32],
    /// Hash of all of the above.
    pub hash: [u8; 32],
    /// The captures that came with it; the feed's first.
    pub captures: Vec<CaptureId>,
    /// The state as JSON, exactly as it was hashed; only for the two revisions of a change, and only while it is
    /// kept.
    pub state: Option<String>,
}

/// A capture as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCapture {
    /// Its row.
    pub id: CaptureId,
    /// The response; its body is empty if retention has deleted it.
    pub capture: Capture,
    /// SHA-256 of the decoded body, even if the body has been deleted.
    pub body_sha256: [u8; 32],
    /// Whether the body is kept.
    pub body_kept: bool,
}
