//! How an entry left its feed: removed, or displaced by newer ones.
//!
//! A feed lists a limited number of its newest entries. If an entry is gone while an older one is still at the end
//! of the list, it was not displaced. That is a reason to check its page, and nothing more: publishers remove
//! entries from a feed for many reasons. A list that is not in chronological order ("most read") says nothing.

use crate::domain::outcome::Left;
use crate::time::Timestamp;

/// When an entry was added, according to the feed and to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Came {
    /// The claimed date of publication.
    pub published: Option<Timestamp>,
    /// When it was first seen.
    pub first_seen: Option<Timestamp>,
}

/// How an entry left a feed that now lists `listed`, in the order of the feed.
#[must_use]
pub fn how_it_left(gone: Came, listed: &[Came]) -> Left {
    let published: Vec<Timestamp> = listed.iter().filter_map(|came| came.published).collect();
    let early = match gone.published {
        Some(date) if !published.is_empty() => outlived(date, &published),
        _ => {
            let seen: Vec<Timestamp> = listed.iter().filter_map(|came| came.first_seen).collect();
            gone.first_seen.is_some_and(|date| outlived(date, &seen))
        }
    };
    match early {
        true => Left::Early,
        false => Left::ScrolledOff,
    }
}

/// Whether a list from newest to oldest ends with something older than `date`. Pinned entries at its beginning
/// disturb the order a little.
fn outlived(date: Timestamp, listed: &[Timestamp]) -> bool {
    let pairs = listed.iter().zip(listed.iter().skip(1));
    let disorder = pairs.filter(|(upper, lower)| lower > upper).count();
    let in_order = disorder <= (listed.len() / 10).max(1);
    in_order && listed.last().is_some_and(|last| *last < date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(published: Option<i64>, first_seen: i64) -> Came {
        let at = |hours: i64| Timestamp::from_unix(1_795_000_000 + hours * 3600);
        Came {
            published: published.map(at),
            first_seen: Some(at(first_seen)),
        }
    }

    #[test]
    fn early_means_that_an_older_one_is_still_listed() {
        use Left::{Early, ScrolledOff};
        let dated =
            |hours: &[i64]| -> Vec<Came> { hours.iter().map(|at| came(Some(*at), 100)).collect() };
        for (gone, listed, how) in [
            (6, &[9, 8, 7, 5, 4][..], Early),
            (9, &[8, 7, 6, 5, 4], Early),
            (3, &[9, 8, 7, 5, 4], ScrolledOff),
            (4, &[9, 8, 7, 5, 4], ScrolledOff),
            (4, &[1, 9, 8, 7, 5], ScrolledOff), // the first one is pinned
            (6, &[1, 9, 8, 7, 5], Early),
            (6, &[3, 9, 1, 7, 2, 8, 4], ScrolledOff), // most read
            (6, &[4, 5, 7, 8, 9], ScrolledOff),       // oldest first
            (6, &[], ScrolledOff),
            (6, &[5], Early),
        ] {
            assert_eq!(
                how_it_left(came(Some(gone), 100), &dated(listed)),
                how,
                "{gone} {listed:?}"
            );
        }
    }

    #[test]
    fn without_dates_the_first_sights_count() {
        let listed: Vec<Came> = [9, 8, 8, 3].map(|at| came(None, at)).to_vec();
        assert_eq!(how_it_left(came(None, 8), &listed), Left::Early);
        assert_eq!(how_it_left(came(None, 3), &listed), Left::ScrolledOff);
        assert_eq!(how_it_left(came(Some(7), 8), &listed), Left::Early);
        // All of them were there at the first check, so their order is unknown.
        let listed = [came(None, 3); 4];
        assert_eq!(how_it_left(came(None, 3), &listed), Left::ScrolledOff);
        assert_eq!(how_it_left(Came::default(), &listed), Left::ScrolledOff);
    }
}
