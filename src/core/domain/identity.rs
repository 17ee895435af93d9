//! Which known entry an item of a feed is, and why.
//!
//! The order of trust: the guid, when the feed's guids can be trusted; else the canonical address, when it is the
//! item's own; else, for an item that nothing names any more, the one entry that no other item claims and that is alike
//! (see [`Matching`]). Ambiguous means no merge. A name that a person has given to its entry goes before all of that.
//! Identity never comes from the feed parser: its guesses hash the headline, and a changed headline would be a new
//! entry.

use self::likeness::WordSet;
use super::outcome::AliasKey;
use super::state::{FeedState, PageState};

mod likeness;
mod matching;
mod naming;

pub use self::matching::{Candidate, Identified, Matching, Owner};
pub use self::naming::{Names, addresses_of, marks_of, name_items, name_items_at};

/// The names of an item, the most trusted first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The place of the item in the feed.
    pub index: usize,
    /// Its names.
    pub keys: Vec<AliasKey>,
    /// What is to be remembered of its address: that several items have it.
    pub marks: Vec<AliasKey>,
}

/// Whether two states of one item can be the same story under a new guid or a new address.
///
/// A guid or an address that a publisher uses again for something else shares neither headline nor text with what it
/// named before, nor the date of publication.
#[must_use]
pub fn same_story(old: &FeedState, new: &FeedState) -> bool {
    if old.published.is_some() && old.published == new.published {
        return true;
    }
    let (old, new) = (WordSet::of_item(old), WordSet::of_item(new));
    // With hardly any words there is nothing to judge by: the name is believed.
    old.len().min(new.len()) < 3 || old.share_of_smaller(&new) >= 0.25
}

/// Whether a page can be that of an item: what a redirect leads to is often something else, such as a home page.
#[must_use]
pub fn same_article(item: &FeedState, page: &PageState) -> bool {
    let title = WordSet::of(item.title.iter().map(String::as_str));
    let headlines = [&page.h1, &page.og_title, &page.ld_headline];
    let headlines = headlines.into_iter().flatten().map(String::as_str);
    let blocks = page.body.iter().map(|block| block.text.as_str());
    let page = WordSet::of(headlines.chain(blocks));
    !title.is_empty() && title.share_of_smaller(&page) >= 0.5
}

#[cfg(test)]
mod tests;
