//! Questions that the command line and the web pages both ask: the database and the configuration in, values of
//! [`crate::report`] out. Nothing is written, and nothing is printed.

pub mod archive;
pub mod compare;
pub mod feeds;
pub mod history;
pub mod search;
