//! Removes common items from the lists of removed and added items.

use std::collections::BTreeMap;

/// Removes common items from both lists. An item that occurs several times is removed as often as both lists have
/// it.
pub(super) fn cancel<T, K: Ord>(old: &mut Vec<T>, new: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let mut counts: BTreeMap<K, (u32, u32)> = BTreeMap::new();
    for item in old.iter() {
        counts.entry(key(item)).or_default().0 += 1;
    }
    for item in new.iter() {
        counts.entry(key(item)).or_default().1 += 1;
    }
    for (own, other) in counts.values_mut() {
        let both = (*own).min(*other);
        (*own, *other) = (both, both);
    }
    let take = |left: Option<&mut u32>| match left {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    };
    old.retain(|item| take(counts.get_mut(&key(item)).map(|left| &mut left.0)));
    new.retain(|item| take(counts.get_mut(&key(item)).map(|left| &mut left.1)));
}

/// Longer lists are not searched for similar items.
const FEW: usize = 64;

/// Removes pairs of similar items from short lists.
pub(super) fn cancel_alike<T>(old: &mut Vec<T>, new: &mut Vec<T>, alike: impl Fn(&T, &T) -> bool) {
    if old.len() > FEW || new.len() > FEW {
        return;
    }
    old.retain(
        |item| match new.iter().position(|other| alike(item, other)) {
            Some(at) => {
                new.remove(at);
                false
            }
            None => true,
        },
    );
}
