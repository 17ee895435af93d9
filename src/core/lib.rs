//! The pure core of revisor, and its clock.
//!
//! [`domain`] decides what counts as a change, which article is which and when to check again: values in, values
//! out. [`names!`] makes enums with names. [`time`] has the timestamps that all of revisor uses, and is the only
//! place that reads a clock.

pub mod names;
pub mod time;

pub mod domain;

#[cfg(feature = "sqlite")]
mod columns;
