//! What revisor reads: bytes in, values out.
//!
//! [`feed`] reads feeds in every dialect, [`extract`] the text of article pages and of the markup in feeds. Nothing here
//! does IO, reads a clock, draws a random number or logs.

pub mod feed;

pub mod extract;

// The paths of the core are the same in every package.
pub(crate) use revisor_core::{domain, time};
