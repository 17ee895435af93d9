//! Histories in the forms of other programs: a git repository, a table of changes, a web archive.
//!
//! One record after the other, so that a history may be longer than memory.

pub mod git;
mod page;
pub mod table;
pub mod warc;
