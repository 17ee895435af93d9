//! How similar two texts are, by the words that they share.

use crate::domain::diff::is_ideograph;
use crate::domain::state::{Block, FeedState};

/// The number of words of a text that are compared; later ones add nothing.
const MOST: usize = 600;

/// The distinct words of a text, as hashes: without short words, ignoring case. Scripts without spaces count in
/// pairs of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WordSet(Vec<u64>);

impl WordSet {
    /// The words of some texts.
    pub(super) fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut words = Vec::new();
        let all = texts
            .into_iter()
            .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
        for word in all {
            if words.len() >= MOST {
                break;
            }
            if word.chars().any(is_ideograph) {
                let characters: Vec<char> = word.chars().take(MOST).collect();
                words.extend(characters.windows(2).map(|pair| hash(pair.iter().copied())));
            } else if word.chars().nth(2).is_some() {
                words.push(hash(word.chars().flat_map(char::to_lowercase)));
            }
        }
        words.sort_unstable();
        words.dedup();
        Self(words)
    }

    /// The words of the headline and the texts of an item.
    pub(super) fn of_item(item: &FeedState) -> Self {
        Self::of(item.title.as_deref().into_iter().chain(texts(item)))
    }

    /// The words of the texts of an item, without its headline.
    pub(super) fn of_texts(item: &FeedState) -> Self {
        Self::of(texts(item))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The share of the smaller text that is also in the other one, 0–1.
    pub(super) fn share_of_smaller(&self, other: &Self) -> f64 {
        ratio(self.common(other), self.len().min(other.len()))
    }

    /// The share of both texts that is also in the other one, 0–1.
    pub(super) fn likeness(&self, other: &Self) -> f64 {
        ratio(2 * self.common(other), self.len() + other.len())
    }

    fn common(&self, other: &Self) -> usize {
        let (mut i, mut j, mut common) = (0, 0, 0);
        while let (Some(a), Some(b)) = (self.0.get(i), other.0.get(j)) {
            common += usize::from(a == b);
            i += usize::from(a <= b);
            j += usize::from(b <= a);
        }
        common
    }
}

fn texts(item: &FeedState) -> impl Iterator<Item = &str> {
    let blocks = item.summary.iter().chain(&item.body);
    blocks.map(|block: &Block| block.text.as_str())
}

fn ratio(part: usize, whole: usize) -> f64 {
    let narrow = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    if whole == 0 {
        0.0
    } else {
        narrow(part) / narrow(whole)
    }
}

/// FNV-1a: the same on every machine and in every build.
fn hash(characters: impl Iterator<Item = char>) -> u64 {
    characters.fold(0xcbf2_9ce4_8422_2325, |hash, c| {
        (hash ^ u64::from(u32::from(c))).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
