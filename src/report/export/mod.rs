//! Histories in the formats of other programs: a git repository, a table of changes, a web archive.
//!
//! Records are written one after another, so a history may be larger than memory.

pub mod git;
mod page;
pub mod table;
pub mod warc;
