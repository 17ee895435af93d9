//! Markup → text: fragments of HTML in feeds, and whole article pages.
//!
//! [`article`] determines the kind of a page and reads its text; [`feed_html::blocks`] turns a feed's HTML into
//! blocks; [`feed_links`] finds the feeds that a page names. Nothing here panics, overflows a 2 MiB stack, does IO
//! or reads a clock. The same bytes always give the same result. Which text counts as a change is decided
//! elsewhere.

mod article;
mod boxes;
pub mod charset;
pub(crate) mod claimed_date;
mod clues;
mod coverage;
mod dateline;
mod document;
pub(crate) mod entity;
mod evidence;
mod exceptions;
pub mod feed_html;
mod form;
pub mod fragment;
mod furniture;
mod head;
mod headlines;
mod kind;
mod links;
mod main_text;
pub(crate) mod markup;
mod opening;
mod page;
mod page_data;
pub mod pdf;
mod plain;
mod role;
mod sanitise;
mod section;
mod selectors;
mod style;
mod survey;
mod teasers;
mod wall_signs;

/// The version of reading pages. Raise it whenever the same bytes of a page are read differently: stored texts of
/// an older version are then re-read before they are compared, so that an upgrade is never an edit.
pub const SCHEME: u16 = 6;

pub use article::{Article, article, article_in, article_under, explain};
pub use document::{document, media_type};
pub use form::Form;
pub use kind::PageKind;
pub use links::{FeedLink, FeedLinkKind, feed_links, feed_links_after, header_links};
pub use main_text::Explained;
pub use page_data::TextSource;
pub use role::Role;
pub use sanitise::MOST_COPIED;
pub use selectors::{PageSelectors, check_selector};
pub use wall_signs::{Sign, Signs, asks_to_pay, signs};
