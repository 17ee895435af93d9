//! Events and states as text and JSON.
//!
//! Pure: values in, text out. The time zone, the width and the use of colour are arguments. All text from a feed
//! or a page passes through [`clean`] before it becomes part of the output; machine formats carry it unchanged.

#[cfg(feature = "cards")]
pub(crate) mod card;
pub(crate) mod care;
pub(crate) mod changed;
pub(crate) mod changes_feed;
pub(crate) mod check;
pub(crate) mod clean;
pub(crate) mod csv;
pub(crate) mod diff_json;
mod digest;
pub(crate) mod doctor;
pub(crate) mod entries;
mod event_text;
pub(crate) mod evidence;
mod excerpt;
pub(crate) mod export;
pub(crate) mod feeds;
pub(crate) mod guide;
pub(crate) mod history;
pub(crate) mod html;
pub(crate) mod ignored;
pub(crate) mod import;
pub mod inspect;
pub(crate) mod log;
pub(crate) mod markdown;
pub(crate) mod message;
pub(crate) mod names;
pub(crate) mod notify;
pub(crate) mod opml;
pub(crate) mod pages;
pub(crate) mod period;
pub(crate) mod rules;
pub(crate) mod runs;
#[cfg(test)]
pub(crate) mod sample;
mod schema;
pub(crate) mod search;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod style;
mod table;
pub(crate) mod when;

pub use event_text::event_text;
pub(crate) use schema::EVENT_SCHEMA;
