//! Texts that need a second check.
//!
//! An unknown wall, a page that was sent incompletely, an extraction that picked another part of the page: in each
//! case, most of the text seems to be gone. A text that was really rewritten looks the same; a second check
//! decides.

use std::collections::HashMap;

use crate::domain::diff::tokens;
use crate::domain::normalise::visible;
use crate::domain::state::Block;

/// Shorter texts are often rewritten completely: a news flash becomes an article.
const ENOUGH_WORDS: u32 = 40;

/// How much of a text is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// Words of the text before.
    pub before: u32,
    /// Words of the text now.
    pub now: u32,
    /// Words in both texts; a repeated word counts as often as both have it.
    pub kept: u32,
}

impl Doubt {
    /// Whether the text has become shorter rather than different.
    #[must_use]
    pub fn is_shrunk(&self) -> bool {
        self.now < self.before / 2
    }

    /// Whether the rest is a part of the text before: the beginning of an article in front of a wall, or of a page
    /// that was cut off.
    #[must_use]
    pub fn is_part(&self) -> bool {
        f64::from(self.kept) >= 0.8 * f64::from(self.now)
    }
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { before, now, kept } = self;
        match self.is_shrunk() {
            true => write!(f, "only {now} of {before} words of the text are left"),
            false => write!(f, "only {kept} of {before} words of the text are the same"),
        }
    }
}

/// Whether more than half of the words of a text are gone.
#[must_use]
pub fn doubt(before: &[Block], now: &[Block]) -> Option<Doubt> {
    let mut counts: HashMap<String, u32> = HashMap::new();
    let mut words_before = 0;
    each_word(before, |word| {
        words_before += 1;
        *counts.entry(word.to_lowercase()).or_default() += 1;
    });
    if words_before < ENOUGH_WORDS {
        return None;
    }
    let (mut words_now, mut kept) = (0, 0);
    each_word(now, |word| {
        words_now += 1;
        if let Some(left) = counts.get_mut(&word.to_lowercase())
            && *left > 0
        {
            *left -= 1;
            kept += 1;
        }
    });
    let doubt = Doubt {
        before: words_before,
        now: words_now,
        kept,
    };
    (kept < words_before.div_ceil(2)).then_some(doubt)
}

/// Whether the end of the text is missing: its last block is gone, and it is shorter.
#[must_use]
pub fn lost_its_end(before: &[Block], now: &[Block]) -> bool {
    let seen = |block: &Block| visible(&block.text).into_owned();
    let last = before.iter().rev().map(seen).find(|text| !text.is_empty());
    let length = |blocks: &[Block]| blocks.iter().map(|block| block.text.len()).sum::<usize>();
    last.is_some_and(|last| {
        length(now) < length(before) && !now.iter().any(|block| seen(block) == last)
    })
}

/// Calls `take` for each word of a text, in order.
pub(super) fn each_word(blocks: &[Block], mut take: impl FnMut(&str)) {
    for block in blocks {
        let text = visible(&block.text);
        for token in tokens(&text).iter().filter(|token| token.is_wordlike()) {
            take(token.of(&text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(paragraphs: &[&str]) -> Vec<Block> {
        paragraphs
            .iter()
            .map(|text| Block::paragraph(*text))
            .collect()
    }

    const ONE: &str = "The harbour will cost 15 million, said the mayor, who has been in office since the spring, and \
                       the money is to come from the region's building fund over the next four years.";
    const TWO: &str = "The council met for three hours on Monday evening and heard from residents who live near the \
                       old harbour, several of whom asked for more time to read the plans.";

    #[test]
    fn an_ordinary_edit_is_no_doubt() {
        let before = text(&[ONE, TWO]);
        assert_eq!(doubt(&before, &before), None);
        assert_eq!(doubt(&before, &text(&[ONE, TWO, ONE])), None);
        assert_eq!(doubt(&before, &text(&[TWO, ONE])), None, "moved");
        assert_eq!(
            doubt(&before, &text(&[&ONE.replace("15", "51"), TWO])),
            None
        );
        assert_eq!(
            doubt(&before, &text(&[ONE, &ONE[..40]])),
            None,
            "a paragraph less"
        );
    }

    #[test]
    fn what_is_left_of_a_text_is_told_in_words() {
        let before = text(&[ONE, TWO]);
        let left = doubt(&before, &text(&["The harbour will cost 15 million"])).unwrap();
        assert!(left.is_shrunk() && left.is_part());
        assert_eq!(left.to_string(), "only 6 of 63 words of the text are left");
        let other = "Alle Züge in Richtung Süden fallen heute aus, teilte die Bahn mit. ".repeat(6);
        let other = doubt(&before, &text(&[&other])).unwrap();
        assert!(!other.is_shrunk() && !other.is_part());
        assert!(
            other.to_string().starts_with("only 1 of 63 words"),
            "{other}"
        );
        assert_eq!(doubt(&before, &[]).map(|doubt| doubt.now), Some(0));
    }

    #[test]
    fn scripts_without_spaces_have_words_too() {
        let before = text(&[
            &"市長は月曜日の夕方、港の新しい桟橋の費用が十五億円になると述べた。".repeat(2),
        ]);
        let after = text(&["この記事は会員限定です。"]);
        assert!(doubt(&before, &after).is_some());
        assert_eq!(doubt(&before, &before), None);
    }

    #[test]
    fn a_flash_may_become_another_text() {
        assert_eq!(doubt(&text(&["Fire at the harbour."]), &text(&[TWO])), None);
    }

    #[test]
    fn the_end_of_a_text_is_its_last_block() {
        let before = text(&[ONE, TWO]);
        assert!(lost_its_end(&before, &text(&[ONE])));
        assert!(lost_its_end(&before, &text(&[ONE, &TWO[..50]])));
        assert!(!lost_its_end(&before, &text(&[TWO])), "the beginning went");
        assert!(!lost_its_end(&before, &text(&[ONE, ONE, TWO])));
        assert!(!lost_its_end(&[], &before));
    }

    proptest! {
        #[test]
        fn more_text_is_never_doubtful(words in proptest::collection::vec("[a-z]{1,6}", 0..80), more in "[a-z ]{0,80}") {
            let before = text(&[&words.join(" ")]);
            let after = text(&[&words.join(" "), &more]);
            prop_assert_eq!(doubt(&before, &after), None);
        }

        #[test]
        fn doubt_counts_what_is_there(before in "[a-d ]{0,300}", now in "[a-d ]{0,300}") {
            if let Some(doubt) = doubt(&text(&[&before]), &text(&[&now])) {
                prop_assert!(doubt.kept <= doubt.now && doubt.kept <= doubt.before);
                prop_assert!(doubt.kept * 2 < doubt.before);
            }
        }
    }
}
