//! Queries that both the command line and the web pages make: the database and the configuration in, values of
//! [`crate::report`] out. Nothing is written or printed.

pub mod archive;
pub mod compare;
pub mod feeds;
pub mod history;
pub mod search;
