//! The readers of revisor: bytes in, values out.
//!
//! [`feed`] reads feeds in every dialect; [`extract`] reads the text of article pages and the markup in feeds.
//! Nothing here does IO, reads a clock, uses randomness or logs.

pub mod feed;

pub mod extract;

// The paths of the core are the same in every package.
pub(crate) use revisor_core::{domain, time};
