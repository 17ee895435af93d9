//! Events and states as text and JSON.
//!
//! Pure: values in, text out. The time zone, the width and the use of colour are arguments. All text from a feed
//! or a page passes through [`clean`] before it becomes part of the output; machine formats carry it unchanged.

pub mod care;
pub mod changed;
pub mod changes_feed;
pub mod check;
pub mod clean;
pub mod csv;
pub mod diff_json;
mod digest;
pub mod doctor;
pub mod entries;
mod event_text;
pub mod evidence;
mod excerpt;
pub mod export;
pub mod feeds;
pub mod guide;
pub mod history;
pub mod html;
pub mod ignored;
pub mod import;
pub mod inspect;
pub mod log;
pub mod markdown;
pub mod message;
pub mod names;
pub mod notify;
pub mod opml;
pub mod pages;
pub mod period;
pub mod rules;
#[cfg(test)]
pub(crate) mod sample;
mod schema;
pub mod search;
pub mod show;
pub mod status;
pub mod style;
mod table;
pub mod when;

pub use event_text::event_text;
pub use schema::EVENT_SCHEMA;
