//! What an entry went through before a look.

use super::fingerprint::Fingerprints;
use super::ids::RevisionNumber;
use super::links::LinkPrint;
use super::outcome::Quiet;
use crate::time::Timestamp;

/// A revision that an entry went through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRevision {
    /// Its number.
    pub number: RevisionNumber,
    /// When it was first seen.
    pub seen: Timestamp,
    /// Of its state.
    pub fingerprints: Fingerprints,
    /// The links of its page; empty where that is not known any more.
    pub links: Vec<LinkPrint>,
    /// Whether it added text and took none away.
    pub additive: bool,
    /// Why the change that led to it was not told.
    pub quiet: Option<Quiet>,
}
