//! Histories in the formats of other programs: a git repository, a table of changes, a web archive.
//!
//! Records are written one after another, so a history may be larger than memory.

pub(crate) mod git;
mod page;
pub(crate) mod table;
pub(crate) mod warc;
