//! The words of `counted.txt`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum TimeUnit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl TimeUnit {
    const ALL: [(&'static str, Self); 7] = [
        ("second", Self::Second),
        ("minute", Self::Minute),
        ("hour", Self::Hour),
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("year", Self::Year),
    ];

    /// Its length; approximate for a month and a year.
    pub(super) fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
            Self::Month => 30 * 86_400,
            Self::Year => 365 * 86_400,
        }
    }
}

/// How a language expresses relative time.
#[derive(Debug, Default)]
pub(super) struct Language {
    /// Words before the time. If there are any, one of them is required, unless a word of `after` follows.
    pub(super) before: Vec<&'static str>,
    /// Words after the time.
    pub(super) after: Vec<&'static str>,
}

/// All words of the file.
#[derive(Debug, Default)]
pub(super) struct TimeWords {
    /// Words for what readers did with a text.
    pub(super) counters: HashSet<&'static str>,
    /// How many words the longest of them has.
    pub(super) longest: usize,
    /// Words that count only next to a word of `counters`.
    pub(super) weak: HashSet<&'static str>,
    /// Words that may be next to them.
    pub(super) measures: HashSet<&'static str>,
    /// The languages; a language is identified by its index.
    pub(super) languages: Vec<Language>,
    /// The unit of a word, by language.
    pub(super) units: HashMap<&'static str, Vec<(usize, TimeUnit)>>,
    /// The number one, by language.
    pub(super) ones: HashMap<&'static str, Vec<usize>>,
}

/// The words of the file.
pub(super) static WORDS: LazyLock<TimeWords> = LazyLock::new(|| {
    let mut words = TimeWords::default();
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for line in include_str!("counted.txt").lines() {
        let mut parts = line.splitn(3, ' ');
        let (Some(kind), Some(name), Some(rest)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        if kind.starts_with('#') {
            continue;
        }
        let list = rest.split('|');
        match kind {
            "counter" => words.counters.extend(list.clone()),
            "weak" => words.weak.extend(list.clone()),
            "measure" => words.measures.extend(list.clone()),
            _ => {}
        }
        if matches!(kind, "counter" | "weak" | "measure") {
            continue;
        }
        let number = *numbers.entry(name).or_insert_with(|| {
            words.languages.push(Language::default());
            words.languages.len() - 1
        });
        match kind {
            "before" => words.languages[number].before.extend(list),
            "after" => words.languages[number].after.extend(list),
            "once" => list.for_each(|word| words.ones.entry(word).or_default().push(number)),
            _ => {
                let unit = TimeUnit::ALL.iter().find(|(name, _)| *name == kind);
                for (word, (_, unit)) in list.zip(std::iter::repeat(unit).flatten()) {
                    words.units.entry(word).or_default().push((number, *unit));
                }
            }
        }
    }
    let lengths = words
        .counters
        .iter()
        .map(|counter| counter.split(' ').count());
    words.longest = lengths.max().unwrap_or_default();
    words
});
