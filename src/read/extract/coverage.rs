//! How much of a block the extractor's text covers, and which words two texts share.

use std::collections::HashSet;

/// The words of the extractor's text, for looking up blocks.
pub(super) struct Index {
    /// Hashes of four words in a row.
    shingles: HashSet<u64>,
    /// Whole short blocks.
    short: HashSet<Vec<u64>>,
}

impl Index {
    const SHINGLE: usize = 4;

    /// Indexes the words of texts, see [`words`].
    pub(super) fn of(texts: impl Iterator<Item = impl AsRef<[u64]>>) -> Self {
        let mut index = Self {
            shingles: HashSet::new(),
            short: HashSet::new(),
        };
        for text in texts {
            let words = text.as_ref();
            index
                .shingles
                .extend(words.windows(Self::SHINGLE).map(combine));
            if words.len() < Self::SHINGLE {
                index.short.insert(words.to_vec());
            }
        }
        index
    }

    /// The share of a block's words that are in the extractor's text in the same order, 0–1.
    pub(super) fn share(&self, words: &[u64]) -> f32 {
        if words.len() < Self::SHINGLE {
            return f32::from(u8::from(self.short.contains(words)));
        }
        let shingles = words.windows(Self::SHINGLE);
        let all = shingles.len() as f32;
        let found = shingles
            .filter(|shingle| self.shingles.contains(&combine(shingle)))
            .count() as f32;
        found / all
    }
}

/// The words of a text as hashes, ignoring case and punctuation. In scripts without spaces between words, each
/// character is a word.
pub(super) fn words(text: &str) -> Vec<u64> {
    let mut words = Vec::new();
    let mut word = FNV;
    let mut open = false;
    for c in text.chars() {
        // Characters that hyphenate or glue a word are part of it.
        if matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}') {
            continue;
        }
        let spaceless = matches!(u32::from(c), 0x0e00..=0x0eff | 0x3040..=0x30ff | 0x3400..=0x9fff | 0x20000..=0x3ffff);
        if c.is_alphanumeric() && !spaceless {
            word = c
                .to_lowercase()
                .fold(word, |word, c| step(word, u64::from(u32::from(c))));
            open = true;
            continue;
        }
        if open {
            words.push(word);
        }
        open = false;
        word = FNV;
        if spaceless {
            words.push(step(FNV, u64::from(u32::from(c))));
        }
    }
    if open {
        words.push(word);
    }
    words
}

/// The initial value of Fowler, Noll and Vo's hash function (FNV-1a).
pub(super) const FNV: u64 = 0xcbf2_9ce4_8422_2325;

/// Adds a value to a hash.
pub(super) fn step(hash: u64, value: u64) -> u64 {
    (hash ^ value).wrapping_mul(0x0100_0000_01b3)
}

fn combine(words: &[u64]) -> u64 {
    words
        .iter()
        .fold(FNV, |hash, word| step(hash, *word).rotate_left(7))
}
