//! Which known entry an item of a feed is, and why.
//!
//! The order of trust: the guid, when the feed's guids can be trusted; else the canonical address, when it is the
//! item's own; else, for an item that nothing names any more, the one entry that no other item claims and that is alike
//! (see [`Matching`]). Ambiguous means no merge. A name that a person has given to its entry goes before all of that.
//! Identity never comes from the feed parser: its guesses hash the headline, and a changed headline would be a new
//! entry.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use self::likeness::Words;
use super::outcome::{AliasKey, AliasKind};
use super::state::{FeedState, PageState};
use super::url::{canonical, desktop};

mod likeness;
mod matching;

pub use self::matching::{Candidate, Identified, Matching, Owner};

/// The names of an item, the most trusted first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The place of the item in the feed.
    pub index: usize,
    /// Its names.
    pub keys: Vec<AliasKey>,
}

/// Names the items of one feed document.
///
/// An item that only repeats another one (same guid and address) is left out: the first wins. `guids_trusted` is what
/// is known from earlier documents; the second result is what is known now. A guid that two items with different
/// addresses share is no name, and a feed that does so is not trusted again.
#[must_use]
pub fn name_items(items: &[FeedState], guids_trusted: bool) -> (Vec<Named>, bool) {
    let addresses: Vec<Option<String>> = items
        .iter()
        .map(|item| item.address.as_deref().map(canonical))
        .collect();
    let trusted = guids_trusted && !reuses_a_guid(items, &addresses);

    let mut guids_per_address: HashMap<&str, HashSet<Option<&str>>> = HashMap::new();
    for (item, address) in items.iter().zip(&addresses) {
        if let Some(address) = address {
            guids_per_address
                .entry(address)
                .or_default()
                .insert(item.guid.as_deref());
        }
    }

    let mut taken: HashSet<AliasKey> = HashSet::new();
    let mut named = Vec::with_capacity(items.len());
    for (index, (item, address)) in items.iter().zip(&addresses).enumerate() {
        let mut keys = Vec::with_capacity(2);
        if let Some(guid) = item.guid.as_deref().filter(|_| trusted) {
            keys.push(AliasKey {
                kind: AliasKind::Guid,
                value: guid.to_owned(),
            });
        }
        // An address that several guids share (a live page, a home page) names none of them.
        let shared = |address: &str| {
            trusted
                && guids_per_address
                    .get(address)
                    .is_some_and(|guids| guids.len() > 1)
        };
        if let Some(address) = address.as_deref().filter(|address| !shared(address)) {
            keys.push(AliasKey {
                kind: AliasKind::Address,
                value: address.to_owned(),
            });
        }
        if let Some(desktop) = item.address.as_deref().and_then(desktop)
            && !shared(&desktop)
        {
            keys.push(AliasKey {
                kind: AliasKind::Address,
                value: desktop,
            });
        }
        if keys.is_empty() {
            keys.push(AliasKey {
                kind: AliasKind::Content,
                value: content_key(item),
            });
        }
        if keys
            .first()
            .is_some_and(|first| taken.insert(first.clone()))
        {
            named.push(Named { index, keys });
        }
    }
    (named, trusted)
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
    let (old, new) = (Words::of_item(old), Words::of_item(new));
    // With hardly any words there is nothing to judge by: the name is believed.
    old.len().min(new.len()) < 3 || old.share_of_smaller(&new) >= 0.25
}

/// Whether a page can be that of an item: what a redirect leads to is often something else, such as a home page.
#[must_use]
pub fn same_article(item: &FeedState, page: &PageState) -> bool {
    let title = Words::of(item.title.iter().map(String::as_str));
    let headlines = [&page.h1, &page.og_title, &page.ld_headline];
    let headlines = headlines.into_iter().flatten().map(String::as_str);
    let blocks = page.body.iter().map(|block| block.text.as_str());
    let page = Words::of(headlines.chain(blocks));
    !title.is_empty() && title.share_of_smaller(&page) >= 0.5
}

/// Two items with the same guid and different addresses, or without addresses and with different headlines.
fn reuses_a_guid(items: &[FeedState], addresses: &[Option<String>]) -> bool {
    let mut seen: HashMap<&str, (&Option<String>, &Option<String>)> = HashMap::new();
    items.iter().zip(addresses).any(|(item, address)| {
        let Some(guid) = item.guid.as_deref() else {
            return false;
        };
        let (first_address, first_title) = *seen.entry(guid).or_insert((address, &item.title));
        first_address != address || (address.is_none() && *first_title != item.title)
    })
}

fn content_key(item: &FeedState) -> String {
    let mut hash = Sha256::new();
    hash.update(item.title.as_deref().unwrap_or_default());
    for block in item.summary.iter().chain(&item.body) {
        hash.update([0]);
        hash.update(&block.text);
    }
    hash.finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests;
