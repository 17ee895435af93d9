//! Events and states as text and JSON.
//!
//! Pure: values in, text out. The time zone, the width and whether there is colour are arguments. Whatever comes from a
//! feed or a page goes through [`clean`] before it is part of a text; machine formats carry it as it is.

mod changed;
pub mod clean;
mod event_text;
mod excerpt;
pub mod inspect;
pub mod log;
pub mod names;
#[cfg(test)]
pub(crate) mod sample;
pub mod show;
pub mod style;
mod table;
pub mod when;

pub use event_text::event_text;

/// The JSON Schema of an event: a line of `log --format ndjson`, the body of a webhook.
pub const EVENT_SCHEMA: &str = include_str!("event.schema.json");
