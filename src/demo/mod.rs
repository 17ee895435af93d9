//! A small news site that changes its articles, and a receiver that verifies signatures: for `revisor demo`.
//!
//! Everything listens on loopback only. The site is a test bed for the real checker, not a part of it.

mod articles;
mod receiver;
mod site;

pub(crate) use articles::ROUNDS;
pub(crate) use receiver::{Received, Receiver};
pub(crate) use site::DemoSite;

/// Why the demo failed.
#[derive(Debug, thiserror::Error)]
#[error("the demo cannot listen on loopback: {0}")]
pub(crate) struct DemoError(#[from] std::io::Error);
