//! The names of the items of a document.
//!
//! A guid or an address is a name only if it belongs to one item. Some feeds give all of their items the same guid
//! (`N/A`) or the same address (the home page, a page with many sections). Those items are distinguished by their
//! other values: headline and date, the fragment of the address, or the date alone.

use data_encoding::HEXLOWER;
use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::Named;
use super::likeness::WordSet;
use crate::domain::normalise::visible;
use crate::domain::outcome::{AliasKey, AliasKind};
use crate::domain::state::FeedState;
use crate::domain::url::{canonical, desktop, fragment_of, is_home};
use crate::time::Timestamp;

/// If a guid has more items than this, they are no longer compared one by one: they cannot all be copies.
const MOST_COPIES: usize = 20;

/// The names of the items of a document.
#[derive(Debug)]
pub struct Names {
    /// Each item with its names, in the order of the feed. Copies are left out.
    pub items: Vec<Named>,
    /// Whether the guids of the feed can be trusted, as far as is known now.
    pub guids_trusted: bool,
}

/// The addresses of items in their canonical form.
#[must_use]
pub fn addresses_of(items: &[FeedState]) -> Vec<Option<String>> {
    let address = |item: &FeedState| item.address.as_deref().map(canonical);
    items.iter().map(address).collect()
}

/// The marks to look up before items are named. A mark says that an address belongs to more than one item.
#[must_use]
pub fn marks_of(addresses: &[Option<String>]) -> Vec<AliasKey> {
    let addresses: HashSet<&String> = addresses.iter().flatten().collect();
    let mut marks: Vec<AliasKey> = addresses
        .iter()
        .map(|address| shared_mark(address))
        .collect();
    marks.sort_unstable();
    marks
}

/// Names the items of one feed document.
///
/// `guids_trusted` and `marks` are known from earlier documents: whether the guids name entries, and which
/// addresses were seen with several items. A guid that two items share is not a name, and a feed with such a guid
/// is never trusted again. But two copies of an item count as one item, and the newer copy is used.
#[must_use]
pub fn name_items(items: &[FeedState], guids_trusted: bool, marks: &HashSet<AliasKey>) -> Names {
    name_items_at(items, &addresses_of(items), guids_trusted, marks)
}

/// Like [`name_items`], but takes the canonical addresses of the items.
#[must_use]
pub fn name_items_at(
    items: &[FeedState],
    addresses: &[Option<String>],
    guids_trusted: bool,
    marks: &HashSet<AliasKey>,
) -> Names {
    let naming = Naming {
        items,
        guids_trusted: guids_trusted && !reuses_a_guid(items, addresses),
        addresses,
        marks,
    };
    Names {
        items: naming.name(),
        guids_trusted: naming.guids_trusted,
    }
}

struct Naming<'a> {
    items: &'a [FeedState],
    addresses: &'a [Option<String>],
    guids_trusted: bool,
    marks: &'a HashSet<AliasKey>,
}

impl Naming<'_> {
    fn name(&self) -> Vec<Named> {
        let mut groups: HashMap<AliasKey, Vec<usize>> = HashMap::new();
        let mut primary: Vec<Option<AliasKey>> = Vec::with_capacity(self.items.len());
        for at in 0..self.items.len() {
            let key = self.guid(at).or_else(|| self.address(at));
            if let Some(key) = &key {
                groups.entry(key.clone()).or_default().push(at);
            }
            primary.push(key);
        }
        let shared = self.shared_addresses(&groups);
        let mut taken: HashSet<AliasKey> = HashSet::new();
        let mut named = Vec::with_capacity(self.items.len());
        for (index, key) in primary.into_iter().enumerate() {
            let address = self.addresses[index].as_deref();
            let is_shared = address.is_some_and(|address| shared.contains(address));
            let keys = match key {
                Some(key) if key.kind == AliasKind::Guid || !is_shared => {
                    if newest(self.items, &groups[&key]) != index {
                        continue;
                    }
                    self.own_names(index, key, &shared)
                }
                Some(key) => self.told_apart(index, &groups[&key]),
                None => vec![content_key(&self.items[index])],
            };
            let mark = address.filter(|_| is_shared).map(shared_mark);
            if keys
                .first()
                .is_some_and(|first| taken.insert(first.clone()))
            {
                let marks = mark.filter(|mark| !self.marks.contains(mark));
                named.push(Named {
                    index,
                    keys,
                    marks: marks.into_iter().collect(),
                });
            }
        }
        named
    }

    fn guid(&self, at: usize) -> Option<AliasKey> {
        let guid = self.items[at].guid.as_deref();
        guid.filter(|_| self.guids_trusted).map(|guid| AliasKey {
            kind: AliasKind::Guid,
            value: guid.to_owned(),
        })
    }

    fn address(&self, at: usize) -> Option<AliasKey> {
        self.addresses[at].clone().map(address_key)
    }

    /// Addresses that do not name a single item: they belong to several guids, or to several items without a guid.
    fn shared_addresses(&self, groups: &HashMap<AliasKey, Vec<usize>>) -> HashSet<String> {
        let mut shared = HashSet::new();
        let mut guids: HashMap<&str, HashSet<&str>> = HashMap::new();
        for (item, address) in self.items.iter().zip(self.addresses) {
            let Some(address) = address else { continue };
            if self.marks.contains(&shared_mark(address)) || is_home(address) {
                shared.insert(address.clone());
            }
            if self.guids_trusted
                && let Some(guid) = item.guid.as_deref()
            {
                guids.entry(address).or_default().insert(guid);
            }
        }
        shared.extend(
            guids
                .into_iter()
                .filter(|(_, guids)| guids.len() > 1)
                .map(|(address, _)| address.to_owned()),
        );
        for (key, group) in groups {
            if key.kind == AliasKind::Address && !self.are_repeats(group) {
                shared.insert(key.value.clone());
            }
        }
        shared
    }

    /// Whether the items with this address only repeat each other.
    fn are_repeats(&self, group: &[usize]) -> bool {
        let Some((first, rest)) = group.split_first() else {
            return true;
        };
        rest.len() < MOST_COPIES
            && rest.iter().all(|at| {
                let (a, b) = (&self.items[*first], &self.items[*at]);
                same_title(a, b)
                    && (date(a) == date(b) || date(a).is_none() || date(b).is_none())
                    && alike(a, b)
            })
    }

    /// The names of an item with a guid or address of its own.
    fn own_names(&self, at: usize, first: AliasKey, shared: &HashSet<String>) -> Vec<AliasKey> {
        let mut keys = vec![first];
        let others = [
            self.addresses[at].clone(),
            self.addresses[at].as_deref().and_then(desktop),
        ];
        for address in others.into_iter().flatten() {
            let key = address_key(address);
            if !shared.contains(&key.value) && !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// The names of an item that shares its address with others.
    fn told_apart(&self, at: usize, group: &[usize]) -> Vec<AliasKey> {
        let item = &self.items[at];
        let name = self.addresses[at].as_deref().unwrap_or_default();
        let only_here = |same: &dyn Fn(&FeedState) -> bool| {
            group.iter().filter(|at| same(&self.items[**at])).count() == 1
        };
        let mut keys = Vec::new();
        let title = item.title.as_deref().map(visible).unwrap_or_default();
        let moment = date(item);
        if !title.is_empty() && only_here(&|other| same_title(item, other) && date(other) == moment)
        {
            let moment = moment.map(|at| at.as_millis().to_string());
            keys.push(hashed(&[
                "title",
                name,
                &title,
                &moment.unwrap_or_default(),
            ]));
        }
        let fragment = |item: &FeedState| item.address.as_deref().and_then(fragment_of);
        if let Some(fragment_here) = fragment(item)
            && only_here(&|other| fragment(other).as_ref() == Some(&fragment_here))
        {
            keys.push(hashed(&["fragment", name, &fragment_here]));
        }
        // A date without a time is stored as midnight.
        if let Some(moment) = moment.filter(|at| at.as_millis() % 86_400_000 != 0)
            && only_here(&|other| date(other) == Some(moment))
        {
            keys.push(hashed(&["date", name, &moment.as_millis().to_string()]));
        }
        if keys.is_empty() {
            keys.push(content_key(item));
        }
        keys
    }
}

/// The newest of some copies. If the dates do not decide, the longest, so that their order in the feed does not
/// matter.
fn newest(items: &[FeedState], copies: &[usize]) -> usize {
    let rank = |at: &usize| {
        let item = &items[*at];
        let text: usize = texts(item).map(str::len).sum();
        (
            item.updated.max(item.published),
            text,
            content_key(item).value,
            std::cmp::Reverse(*at),
        )
    };
    match copies {
        [only] => *only,
        _ => copies.iter().copied().max_by_key(rank).unwrap_or_default(),
    }
}

/// Whether two items that are not copies of each other have the same guid.
fn reuses_a_guid(items: &[FeedState], addresses: &[Option<String>]) -> bool {
    let mut groups: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, item) in items.iter().enumerate() {
        if let Some(guid) = item.guid.as_deref() {
            groups.entry(guid).or_default().push(at);
        }
    }
    let guids = groups.len();
    groups.into_values().any(|group| {
        let Some((first, rest)) = group.split_first() else {
            return false;
        };
        // A guid that more than two items have, or the only guid in the feed, does not identify an item.
        let crowd = rest.len() > 1 || (guids == 1 && !rest.is_empty());
        rest.len() > MOST_COPIES
            || rest.iter().any(|at| {
                addresses[*first] != addresses[*at]
                    || !are_copies(&items[*first], &items[*at], crowd)
            })
    })
}

/// Whether two items with the same guid and address are one item that is in the document twice.
fn are_copies(a: &FeedState, b: &FeedState, crowd: bool) -> bool {
    if same_title(a, b) {
        return alike(a, b) && (!crowd || date(a) == date(b));
    }
    let title = |item: &FeedState| WordSet::of(item.title.as_deref());
    let digits = |item: &FeedState| -> Vec<char> {
        let title = item.title.iter().flat_map(|title| title.chars());
        title.filter(|c| c.is_numeric()).collect()
    };
    !crowd
        && digits(a) == digits(b)
        && title(a).likeness(&title(b)) >= 0.5
        && WordSet::of_texts(a).likeness(&WordSet::of_texts(b)) >= 0.5
}

fn same_title(a: &FeedState, b: &FeedState) -> bool {
    let title = |item: &FeedState| visible(item.title.as_deref().unwrap_or_default()).into_owned();
    title(a) == title(b)
}

/// Whether the texts can be two states of the same text; a missing text says nothing.
fn alike(a: &FeedState, b: &FeedState) -> bool {
    let (a, b) = (WordSet::of_texts(a), WordSet::of_texts(b));
    a.is_empty() || b.is_empty() || a.likeness(&b) >= 0.4
}

fn date(item: &FeedState) -> Option<Timestamp> {
    item.published.or(item.updated)
}

fn address_key(value: String) -> AliasKey {
    AliasKey {
        kind: AliasKind::Address,
        value,
    }
}

/// The key that marks an address as seen with several items.
fn shared_mark(address: &str) -> AliasKey {
    hashed(&["shared", address])
}

fn content_key(item: &FeedState) -> AliasKey {
    let title = [item.title.as_deref().unwrap_or_default()];
    let parts: Vec<&str> = title.into_iter().chain(texts(item)).collect();
    hashed(&parts)
}

fn texts(item: &FeedState) -> impl Iterator<Item = &str> {
    let blocks = item.summary.iter().chain(&item.body);
    blocks.map(|block| block.text.as_str())
}

fn hashed(parts: &[&str]) -> AliasKey {
    let mut hash = Sha256::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            hash.update([0]);
        }
        hash.update(part);
    }
    AliasKey {
        kind: AliasKind::Content,
        value: HEXLOWER.encode(&hash.finalize()[..16]),
    }
}
