//! Which known entry an item of a feed is, and why.
//!
//! The order of trust: the guid, when the feed's guids can be trusted; else the canonical address, when it is the
//! item's own; else, for an item that nothing names any more, the one entry with the same headline and the same text, or
//! the same long text, that no other item claims. Ambiguous means no merge. Identity never comes from the feed parser: its guesses hash
//! the headline, and a changed headline would be a new entry.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::fingerprint::Fingerprint;
use super::ids::EntryId;
use super::outcome::{AliasKey, AliasKind, EntryRef, NewAlias};
use super::state::FeedState;
use super::url::canonical;

/// What is known of an entry that an item may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The entry.
    pub id: EntryId,
    /// The fingerprint of its headline in the feed.
    pub title: Option<Fingerprint>,
    /// The fingerprint of its full text in the feed, or of its description where there is no full text.
    pub text: Option<Fingerprint>,
    /// Whether that text is long enough to be nobody else's: the same short description, and the same headline, stand
    /// over a new article every day.
    pub telling: bool,
}

/// The names of an item, the most trusted first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The place of the item in the feed.
    pub index: usize,
    /// Its names.
    pub keys: Vec<AliasKey>,
}

/// Which entry an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The place of the item in the feed.
    pub index: usize,
    /// The entry.
    pub entry: EntryRef,
    /// Names that the entry did not have yet.
    pub new_aliases: Vec<NewAlias>,
    /// Set when only one of the item's names led to the entry and another one is new: worth a second look with
    /// [`same_story`] once the text is loaded.
    pub doubtful: bool,
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

/// Finds the entry of every named item. No two items are given the same entry.
///
/// `known` answers for a name; `orphans` are recent entries of the feed to consider for items that no name leads to.
#[must_use]
pub fn identify(
    items: &[FeedState],
    named: &[Named],
    known: &HashMap<AliasKey, EntryId>,
    orphans: &[Candidate],
    fingerprints: impl Fn(usize) -> Candidate,
) -> Vec<Identified> {
    let mut claimed: HashSet<EntryId> = HashSet::new();
    let mut found: Vec<Option<EntryId>> = named
        .iter()
        .map(|item| {
            item.keys
                .iter()
                .find_map(|key| known.get(key).copied())
                .filter(|entry| claimed.insert(*entry))
        })
        .collect();
    let mut adopted: HashMap<usize, &'static str> = HashMap::new();
    for (place, item) in named.iter().enumerate() {
        // Fingerprints cost time; without orphans nobody asks for them.
        if !orphans.is_empty()
            && found[place].is_none()
            && let Some((entry, why)) = adopt(&fingerprints(item.index), orphans, &claimed)
        {
            claimed.insert(entry);
            found[place] = Some(entry);
            adopted.insert(place, why);
        }
    }
    named
        .iter()
        .zip(found)
        .enumerate()
        .map(|(place, (item, entry))| {
            let adopted = adopted.get(&place).copied();
            let mut new_aliases = Vec::new();
            let mut led = false;
            for key in &item.keys {
                match known.get(key) {
                    Some(owner) if Some(*owner) == entry => led = true,
                    // The name belongs to another entry: a name is never taken away by a guess.
                    Some(_) => {}
                    None => new_aliases.push(NewAlias {
                        key: key.clone(),
                        reason: alias_reason(entry.is_some(), adopted, key.kind),
                    }),
                }
            }
            Identified {
                index: item.index,
                entry: entry.map_or(EntryRef::New, EntryRef::Known),
                doubtful: led && !new_aliases.is_empty() && items.get(item.index).is_some(),
                new_aliases,
            }
        })
        .collect()
}

/// Whether two states of one item can be the same story under a new guid or a new address.
///
/// A guid or an address that a publisher uses again for something else shares neither headline nor text with what it
/// named before.
#[must_use]
pub fn same_story(old: &FeedState, new: &FeedState) -> bool {
    let words = |state: &FeedState| -> HashSet<String> {
        let blocks = state
            .summary
            .iter()
            .chain(&state.body)
            .map(|block| block.text.as_str());
        state
            .title
            .as_deref()
            .into_iter()
            .chain(blocks)
            .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
            .filter(|word| word.chars().count() > 2)
            .map(str::to_lowercase)
            .collect()
    };
    let (old_words, new_words) = (words(old), words(new));
    let smaller = old_words.len().min(new_words.len());
    // With hardly any words there is nothing to judge by: the name is believed.
    smaller < 3 || old_words.intersection(&new_words).count() * 4 >= smaller
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

/// The one unclaimed entry with the same text, and the same headline unless the text is a long one, and why it is the
/// same.
fn adopt(
    item: &Candidate,
    orphans: &[Candidate],
    claimed: &HashSet<EntryId>,
) -> Option<(EntryId, &'static str)> {
    let only = |same: &dyn Fn(&Candidate) -> bool| {
        let mut fits = orphans
            .iter()
            .filter(|c| !claimed.contains(&c.id) && same(c));
        fits.next()
            .filter(|_| fits.next().is_none())
            .map(|candidate| candidate.id)
    };
    let same_title = |c: &Candidate| item.title.is_some() && c.title == item.title;
    let same_text = |c: &Candidate| item.text.is_some() && c.text == item.text;
    only(&|c| same_title(c) && same_text(c))
        .map(|id| (id, "same headline and text, new guid and address"))
        .or_else(|| {
            let long = only(&|c| item.telling && same_text(c));
            long.map(|id| (id, "same text, new guid and address"))
        })
}

fn alias_reason(known: bool, adopted: Option<&'static str>, kind: AliasKind) -> String {
    match (known, adopted, kind) {
        (false, ..) => "first sight",
        (true, Some(why), _) => why,
        (true, None, AliasKind::Guid) => "same address, new guid",
        (true, None, AliasKind::Address) => "same guid, new address",
        (true, None, AliasKind::Content) => "same entry, new text",
    }
    .to_owned()
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
mod tests {
    use super::*;
    use crate::domain::state::Block;

    fn item(guid: &str, address: &str, title: &str) -> FeedState {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        FeedState {
            guid: some(guid),
            address: some(address),
            title: some(title),
            ..FeedState::default()
        }
    }

    fn nothing(_: usize) -> Candidate {
        Candidate {
            id: EntryId(0),
            title: None,
            text: None,
            telling: false,
        }
    }

    fn known(pairs: &[(AliasKind, &str, i64)]) -> HashMap<AliasKey, EntryId> {
        pairs
            .iter()
            .map(|(kind, value, id)| {
                (
                    AliasKey {
                        kind: *kind,
                        value: (*value).to_owned(),
                    },
                    EntryId(*id),
                )
            })
            .collect()
    }

    #[test]
    fn a_repeated_item_counts_once() {
        let items = [
            item("g", "https://e.example/1", "A"),
            item("g", "https://e.example/1", "B"),
        ];
        let (named, trusted) = name_items(&items, true);
        assert!(trusted);
        assert_eq!(named.iter().map(|n| n.index).collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn a_guid_used_for_two_addresses_is_never_trusted_again() {
        let items = [
            item("g", "https://e.example/1", "A"),
            item("g", "https://e.example/2", "B"),
        ];
        let (named, trusted) = name_items(&items, true);
        assert!(!trusted);
        assert_eq!(named.len(), 2);
        assert!(
            named
                .iter()
                .all(|n| n.keys.iter().all(|key| key.kind == AliasKind::Address))
        );
        let (_, later) = name_items(&items[..1], trusted);
        assert!(!later);
    }

    #[test]
    fn an_address_shared_by_several_guids_names_none_of_them() {
        let items = [
            item("1", "https://e.example/", "A"),
            item("2", "https://e.example/", "B"),
        ];
        let (named, _) = name_items(&items, true);
        assert_eq!(named.len(), 2);
        assert!(
            named
                .iter()
                .all(|n| n.keys.iter().all(|key| key.kind == AliasKind::Guid))
        );
    }

    #[test]
    fn a_new_address_under_a_known_guid_is_the_same_entry() {
        let items = [item("g", "https://e.example/new", "A")];
        let (named, _) = name_items(&items, true);
        let found = identify(
            &items,
            &named,
            &known(&[(AliasKind::Guid, "g", 7)]),
            &[],
            nothing,
        );
        assert_eq!(found[0].entry, EntryRef::Known(EntryId(7)));
        assert!(found[0].doubtful);
        assert_eq!(found[0].new_aliases[0].reason, "same guid, new address");
    }

    #[test]
    fn two_items_never_claim_one_entry() {
        let items = [
            item("a", "https://e.example/x", "A"),
            item("b", "https://e.example/y", "B"),
        ];
        let (named, _) = name_items(&items, true);
        let table = known(&[(AliasKind::Guid, "a", 7), (AliasKind::Guid, "b", 7)]);
        let found = identify(&items, &named, &table, &[], nothing);
        assert_eq!(found[0].entry, EntryRef::Known(EntryId(7)));
        assert_eq!(found[1].entry, EntryRef::New);
    }

    fn adopted(telling: bool, title: Option<u8>, orphans: &[(i64, u8, u8)]) -> EntryRef {
        let print = |byte| Some(Fingerprint([byte; 16]));
        let items = [item("new", "https://e.example/moved", "A headline")];
        let (named, _) = name_items(&items, true);
        let seen = |_| Candidate {
            id: EntryId(0),
            title: title.and_then(print),
            text: print(1),
            telling,
        };
        let orphans: Vec<Candidate> = orphans
            .iter()
            .map(|(id, title, text)| Candidate {
                id: EntryId(*id),
                title: print(*title),
                text: print(*text),
                telling,
            })
            .collect();
        identify(&items, &named, &HashMap::new(), &orphans, seen)[0].entry
    }

    #[test]
    fn an_unnamed_item_is_adopted_only_when_one_entry_fits() {
        assert_eq!(
            adopted(false, Some(1), &[(3, 1, 1)]),
            EntryRef::Known(EntryId(3))
        );
        assert_eq!(
            adopted(false, Some(1), &[(3, 1, 1), (4, 1, 1)]),
            EntryRef::New
        );
    }

    #[test]
    fn the_same_short_description_under_another_headline_is_another_entry() {
        assert_eq!(adopted(false, Some(2), &[(3, 1, 1)]), EntryRef::New);
        assert_eq!(adopted(false, Some(1), &[(3, 1, 2)]), EntryRef::New);
        assert_eq!(
            adopted(true, Some(2), &[(3, 1, 1)]),
            EntryRef::Known(EntryId(3))
        );
    }

    #[test]
    fn a_reused_guid_is_another_story() {
        let mut old = item("g", "", "Floods hit the northern valleys");
        old.summary = vec![Block::paragraph(
            "Thousands of homes are without power after storms.",
        )];
        let mut new = item("g", "", "Champions beaten at home again");
        new.summary = vec![Block::paragraph(
            "The manager blamed injuries and a late penalty.",
        )];
        assert!(!same_story(&old, &new));
        new.title = Some("Floods hit northern valleys, two missing".to_owned());
        assert!(same_story(&old, &new));
    }
}
