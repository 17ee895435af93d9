//! How much tokens are worth in a comparison.

use super::token::Class;

/// The cost of beginning another edit, in units of [`weight`]: of alignments that keep equally much, the one with
/// the fewest edits wins. A higher cost does not read better on human-marked edits (arXivEdits).
pub(super) const OPEN: i32 = 1;

/// A token with at least this weight carries meaning.
pub(super) const WEIGHTY: i32 = 12;

/// The value of keeping a token: high for words with meaning, low for words that are in every sentence.
pub(super) fn weight(text: &str, class: Class) -> i32 {
    match class {
        Class::Space => 0,
        Class::Mark => 4,
        Class::Ideograph => 6,
        Class::Word if is_function_word(text) => 4,
        Class::Word | Class::Number | Class::Address => 12,
    }
}

/// Short words with little meaning, from the ten most used languages of news.
pub(super) fn is_function_word(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "a", "al", "an", "and", "as", "at", "au", "aux", "by", "con", "da", "das", "de", "del",
        "dem", "den", "der", "des", "di", "die", "do", "dos", "du", "e", "ein", "el", "em", "en",
        "et", "for", "from", "i", "il", "im", "in", "is", "it", "la", "las", "le", "les", "lo",
        "los", "mit", "na", "no", "o", "of", "on", "or", "os", "par", "por", "que", "si", "so",
        "than", "that", "the", "to", "u", "un", "una", "und", "une", "von", "was", "we", "with",
        "y", "zu", "в", "и", "на", "о", "по", "с", "у",
    ];
    word.len() <= 6 && WORDS.binary_search(&word.to_lowercase().as_str()).is_ok()
}
