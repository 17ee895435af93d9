//! The pure core of revisor, and its clock.
//!
//! [`domain`] decides what counts as a change, which article is which and when to look again: values in, values out.
//! [`names!`] makes enums with names. [`time`] holds the moments that all of revisor speaks of, and the one place where a clock is read.

pub mod names;
pub mod time;

pub mod domain;

#[cfg(feature = "sqlite")]
mod columns;
