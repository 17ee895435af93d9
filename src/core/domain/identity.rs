//! Which known entry an item of a feed is, and why.
//!
//! Names are trusted in this order: the guid, if the feed's guids can be trusted; then the canonical address, if
//! no other item has it; then, for an item whose names are all unknown, the single entry that no other item claims
//! and that is similar (see [`Matching`]). If the match is ambiguous, nothing is merged. A name that a person has
//! assigned to an entry comes before all of these. Identity never comes from the feed parser: its guesses hash the
//! headline, so a changed headline would become a new entry.

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
    /// What to remember about its address: that several items have it.
    pub marks: Vec<AliasKey>,
}

/// Whether two states of an item can be the same story under a new guid or a new address.
///
/// If a publisher reuses a guid or an address for something else, it shares neither the headline nor the text nor
/// the date of publication with what it named before.
#[must_use]
pub fn same_story(old: &FeedState, new: &FeedState) -> bool {
    if old.published.is_some() && old.published == new.published {
        return true;
    }
    let (old, new) = (WordSet::of_item(old), WordSet::of_item(new));
    // With hardly any words, there is nothing to compare, so the name is trusted.
    old.len().min(new.len()) < 3 || old.share_of_smaller(&new) >= 0.25
}

/// Whether a page can belong to an item: a redirect often leads to something else, such as a home page.
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
