//! Numbers before or after a headline: `(12)`, `[3 new]`, `12 comments on …`. What they count is learned from many
//! headlines, unless the number is clearly a counter.

use std::ops::Range;

use super::counter::{bracketed_begin, bracketed_end};
use super::pattern::{Shape, ValueKind, without};

/// How many words after a number at the beginning of a headline define its kind.
const WORDS: usize = 2;

/// A number before or after a headline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Affix {
    /// The text around the number; the same for all headlines of a kind.
    pub(super) key: String,
    /// The number, in bytes of the headline.
    pub(super) number: Range<usize>,
    /// For people: `… (12)`.
    pub(super) sample: String,
}

impl Affix {
    /// The headline with the number masked.
    pub(super) fn masked(&self, title: &str) -> String {
        without(title, [self.number.clone()])
    }
}

/// The numbers of a headline that other headlines may have in the same form.
pub(super) fn affixes(title: &str) -> Vec<Affix> {
    let mut found = Vec::new();
    if let Some((range, _)) = bracketed_end(title) {
        found.extend(affix(title, range, TitleSide::Behind));
    }
    if let Some((range, _)) = bracketed_begin(title) {
        found.extend(affix(title, range, TitleSide::Before));
    }
    let begin = title.len() - title.trim_start().len();
    if title[begin..].starts_with(char::is_numeric) {
        let words = title[begin..].split_whitespace().take(WORDS + 1);
        let last = words.last().unwrap_or_default();
        let end = last.as_ptr().addr() - title.as_ptr().addr() + last.len();
        found.extend(affix(title, begin..end, TitleSide::Before));
    }
    found
}

#[derive(Clone, Copy)]
enum TitleSide {
    Before,
    Behind,
}

fn affix(title: &str, range: Range<usize>, side: TitleSide) -> Option<Affix> {
    let text = title.get(range.clone())?;
    let shape = Shape::of(text)?;
    let [value] = shape.values.as_slice() else {
        return None;
    };
    // A year in brackets is the year of a film.
    if value.kind != ValueKind::Whole {
        return None;
    }
    let (key, sample) = match side {
        TitleSide::Before => (format!("{} …", shape.key), format!("{text} …")),
        TitleSide::Behind => (format!("… {}", shape.key), format!("… {text}")),
    };
    Some(Affix {
        key,
        number: range.start + value.range.start..range.start + value.range.end,
        sample,
    })
}

/// The kind of the number, if two headlines differ only in it.
pub(super) fn moved(old: &str, new: &str) -> Option<Affix> {
    let before = affixes(old);
    let mut now = affixes(new).into_iter();
    now.find(|affix| {
        before.iter().any(|before| {
            before.key == affix.key
                && old.get(before.number.clone()) != new.get(affix.number.clone())
                && before.masked(old) == affix.masked(new)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headlines_that_differ_in_a_number_at_their_end_are_of_a_kind() {
        for (old, new, sample) in [
            ("Bone college (12)", "Bone college (13)", Some("… (13)")),
            (
                "Bone college [4 new]",
                "Bone college [5 new]",
                Some("… [5 new]"),
            ),
            (
                "12 comments on Bone college",
                "9 comments on Bone college",
                Some("9 comments on …"),
            ),
            ("(3) Bone college", "(4) Bone college", Some("(4) …")),
            ("Bone college (12)", "Bone collage (13)", None),
            ("Bone college", "Bone college (1)", None),
            ("Storm kills 12 in town", "Storm kills 14 in town", None),
        ] {
            let found = moved(old, new).map(|affix| affix.sample);
            assert_eq!(found.as_deref(), sample, "{old} / {new}");
        }
    }

    #[test]
    fn a_sample_is_an_affix_of_its_own_kind() {
        for title in [
            "Bone college (12)",
            "12 comments on Bone college",
            "[3 new] Bone college",
        ] {
            for affix in affixes(title) {
                let again = affixes(&affix.sample);
                assert!(
                    again.iter().any(|found| found.key == affix.key),
                    "{affix:?} {again:?}"
                );
            }
        }
    }
}
