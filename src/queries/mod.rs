//! Queries that both the command line and the web pages make: the database and the configuration in, values of
//! [`crate::report`] out. Nothing is written or printed.

pub(crate) mod archive;
pub(crate) mod compare;
pub(crate) mod feeds;
pub(crate) mod history;
pub(crate) mod search;
