//! The items of a feed's last document whose bytes need not be read again.
//!
//! An item is recognised by a hash of its bytes and of everything that affects how they are read ([`ItemPrint`]).
//! Stored are only the values that identity needs, and the fingerprint of the item's text. An item with a known
//! print is the same entry again, as long as the entry still has that fingerprint and those dates, and the rules
//! are the same ([`KnownItems::under`]).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::normalise::visible;
use super::state::FeedState;
use crate::time::Timestamp;

/// The hash of an item's bytes, and of everything that affects how they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ItemPrint(pub u128);

/// An item that was read and compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownItem {
    /// The hash that identifies it.
    #[serde(rename = "i")]
    pub print: ItemPrint,
    /// The fingerprint of its text without ignored text.
    #[serde(rename = "f")]
    fingerprint: u128,
    #[serde(rename = "g")]
    guid: Option<String>,
    #[serde(rename = "a")]
    address: Option<String>,
    #[serde(rename = "t")]
    title: Option<String>,
    #[serde(rename = "p")]
    published: Option<Timestamp>,
    #[serde(rename = "u")]
    updated: Option<Timestamp>,
    /// Whether it has a text that would be missed if it were lost.
    #[serde(rename = "w")]
    pub has_text: bool,
}

impl KnownItem {
    /// The stored values of an item.
    #[must_use]
    pub fn of(
        print: ItemPrint,
        state: &FeedState,
        fingerprint: Fingerprint,
        has_text: bool,
    ) -> Self {
        Self {
            print,
            fingerprint: u128::from_be_bytes(fingerprint.0),
            guid: state.guid.clone(),
            address: state.address.clone(),
            title: state.title.clone(),
            published: state.published,
            updated: state.updated,
            has_text,
        }
    }

    /// The address that it links to.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        self.address.clone()
    }

    /// The fingerprint of its text.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(self.fingerprint.to_be_bytes())
    }

    /// Its state without its text: as much as identity needs if no other item shares its names.
    #[must_use]
    pub fn state(&self) -> FeedState {
        FeedState {
            guid: self.guid.clone(),
            address: self.address.clone(),
            title: self.title.clone(),
            published: self.published,
            updated: self.updated,
            ..FeedState::default()
        }
    }
}

/// The known items of a feed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KnownItems {
    /// A hash of the rules that were active when they were compared.
    pub under: u128,
    /// Sorted by print.
    pub items: Vec<KnownItem>,
}

impl KnownItems {
    /// From these items, in any order.
    #[must_use]
    pub fn new(under: u128, mut items: Vec<KnownItem>) -> Self {
        items.sort_unstable_by_key(|item| item.print);
        items.dedup_by_key(|item| item.print);
        Self { under, items }
    }

    /// The item with this print.
    #[must_use]
    pub fn get(&self, print: ItemPrint) -> Option<&KnownItem> {
        let found = self.items.binary_search_by_key(&print, |item| item.print);
        found.ok().and_then(|at| self.items.get(at))
    }
}

/// Which items of a document are named without reading their texts: those that have an address and a headline, and
/// share neither guid nor address with another item. `own` are their canonical addresses.
#[must_use]
pub fn stand_alone(items: &[FeedState], own: &[Option<String>]) -> Vec<bool> {
    let mut guids: HashMap<&str, usize> = HashMap::new();
    let mut addresses: HashMap<&str, usize> = HashMap::new();
    for (item, address) in items.iter().zip(own) {
        if let Some(guid) = item.guid.as_deref() {
            *guids.entry(guid).or_default() += 1;
        }
        if let Some(address) = address {
            *addresses.entry(address).or_default() += 1;
        }
    }
    let alone = |(item, address): (&FeedState, &Option<String>)| {
        let title = item.title.as_deref().map(visible).unwrap_or_default();
        let guid = item.guid.as_deref();
        let address = address.as_deref();
        !title.is_empty()
            && address.is_some_and(|address| addresses.get(address) == Some(&1))
            && guid.is_none_or(|guid| guids.get(guid) == Some(&1))
    };
    items.iter().zip(own).map(alone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity::addresses_of;

    fn item(guid: Option<&str>, address: Option<&str>, title: &str) -> FeedState {
        FeedState {
            guid: guid.map(str::to_owned),
            address: address.map(str::to_owned),
            title: Some(title.to_owned()),
            ..FeedState::default()
        }
    }

    #[test]
    fn who_shares_a_name_does_not_stand_alone() {
        let a = Some("https://n.example/a");
        let items = [
            item(Some("1"), a, "One"),
            item(Some("2"), Some("https://n.example/b"), "Two"),
            item(Some("2"), Some("https://n.example/c"), "Three"),
            item(None, Some("https://n.example/a?utm_source=feed"), "Four"),
            item(None, Some("https://n.example/d"), "Five"),
            item(Some("6"), None, "Six"),
            item(Some("7"), Some("https://n.example/e"), "\u{ad} "),
        ];
        let alone = [false, false, false, false, true, false, false];
        assert_eq!(stand_alone(&items, &addresses_of(&items)), alone);
    }

    #[test]
    fn known_items_come_back_from_json() {
        let state = item(Some("1"), Some("https://n.example/a"), "One");
        let of = |print| KnownItem::of(ItemPrint(print), &state, Fingerprint([7; 16]), true);
        let known = KnownItems::new(u128::MAX, vec![of(u128::MAX - 1), of(3), of(3)]);
        assert_eq!(known.items.len(), 2);
        let json = serde_json::to_vec(&known).unwrap();
        let back: KnownItems = serde_json::from_slice(&json).unwrap();
        assert_eq!(back, known);
        let found = back.get(ItemPrint(3)).unwrap();
        assert_eq!(
            (found.state(), found.fingerprint()),
            (state, Fingerprint([7; 16]))
        );
        assert_eq!(back.get(ItemPrint(4)), None);
    }
}
