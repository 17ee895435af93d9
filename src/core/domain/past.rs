//! The history of an entry before a check.

use super::fingerprint::Fingerprints;
use super::ids::RevisionNumber;
use super::links::LinkPrint;
use super::outcome::Quiet;
use crate::time::Timestamp;

/// An earlier revision of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRevision {
    /// Its number.
    pub number: RevisionNumber,
    /// When it was first seen.
    pub seen: Timestamp,
    /// The fingerprints of its state.
    pub fingerprints: Fingerprints,
    /// The links of its page; empty if they are no longer known.
    pub links: Vec<LinkPrint>,
    /// Whether it only added text.
    pub additive: bool,
    /// Why the change that led to it was not reported.
    pub quiet: Option<Quiet>,
}
