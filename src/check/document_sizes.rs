//! What documents weighed, so that room is made for them before they are asked for.
//!
//! Only in memory: after a start a document has the usual room, and waits for more when it turns out to be longer.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::fetch::{Lane, Want};

/// What a document has room for that nobody knows yet.
const USUAL: u64 = 256 << 10;

/// Of documents from this length on the length is remembered; the others are as is usual at their feed.
const HEAVY: u64 = 512 << 10;

/// A page is huge for its feed when it is so many times as long as its pages usually are, and heavy.
const HUGE: u64 = 8;

/// Documents and feeds that are remembered.
const MOST: usize = 1 << 16;

/// Of a moving average the part that is new.
const NEW_PART: u64 = 8;

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct DocumentSizes {
    known: Mutex<Weight>,
}

#[derive(Debug, Default)]
struct Weight {
    /// Lengths of heavy documents, by the hash of their address.
    heavy: HashMap<u64, u64>,
    /// The usual length of the pages of a feed.
    usual: HashMap<u64, u64>,
}

impl DocumentSizes {
    /// The room that a document should have.
    pub(super) fn want(&self, lane: Lane, url: &str) -> Want {
        let known = self.lock();
        let usual = match lane {
            Lane::Feed => None,
            Lane::Page(feed) => known.usual.get(&feed).copied(),
        };
        let heavy = known.heavy.get(&hash(url)).copied();
        let bytes = heavy.or(usual).unwrap_or(USUAL);
        Want {
            lane,
            bytes,
            huge: heavy.is_some() && bytes >= usual.unwrap_or(USUAL).saturating_mul(HUGE),
        }
    }

    /// Notes how long a document was, or has become before it broke off.
    pub(super) fn note(&self, lane: Lane, url: &str, bytes: u64) {
        let mut known = self.lock();
        let Weight { heavy, usual } = &mut *known;
        match bytes >= HEAVY {
            true => keep(heavy, hash(url), bytes),
            false => drop(heavy.remove(&hash(url))),
        }
        if let Lane::Page(feed) = lane {
            let before = usual.get(&feed).copied().unwrap_or(bytes);
            // One huge page among small ones says little.
            let seen = bytes.min(2 * before);
            keep(usual, feed, before - before / NEW_PART + seen / NEW_PART);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Weight> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is forgotten is noted again when it is seen again.
fn keep(map: &mut HashMap<u64, u64>, key: u64, bytes: u64) {
    if map.len() >= MOST && !map.contains_key(&key) {
        map.clear();
    }
    map.insert(key, bytes);
}

/// A number that stands for an address, for as long as the process lives.
pub(super) fn hash(address: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    address.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_room_that_it_needed_last_and_is_huge_among_small_ones() {
        let weights = DocumentSizes::default();
        let lane = Lane::Page(1);
        let want = |url| weights.want(lane, url);
        assert_eq!((want("a").bytes, want("a").huge), (USUAL, false));
        for _ in 0..100 {
            weights.note(lane, "small", 20_000);
        }
        weights.note(lane, "big", 10 << 20);
        assert_eq!((want("big").bytes, want("big").huge), (10 << 20, true));
        assert!(!want("other").huge && want("other").bytes < 2 << 20);
        // Where all pages are long none is huge, and what has become short is as the others.
        for _ in 0..100 {
            weights.note(lane, "big", 10 << 20);
        }
        assert!(!want("big").huge);
        weights.note(lane, "big", 20_000);
        assert!(want("big").bytes > 5 << 20 && !want("big").huge);
        assert_eq!(weights.want(Lane::Feed, "feed").bytes, USUAL);
    }
}
