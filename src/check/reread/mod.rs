//! Reads stored responses again.

pub(super) mod reading;
pub(super) mod rebase;
pub(super) mod reextract;
pub(super) mod replay;
