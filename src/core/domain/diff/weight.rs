//! What a token is worth to whoever compares.

use super::token::Class;

/// What it costs to begin one more edit, in units of [`weight`]: of alignments that keep as much, the one with the
/// fewest edits. A higher price reads no better on human-marked edits (arXivEdits).
pub(super) const OPEN: i32 = 1;

/// From this weight on, a token carries sense.
pub(super) const WEIGHTY: i32 = 12;

/// What it is worth to keep a token: much for words that carry the sense, little for what stands in every sentence.
pub(super) fn weight(text: &str, class: Class) -> i32 {
    match class {
        Class::Space => 0,
        Class::Mark => 4,
        Class::Ideograph => 6,
        Class::Word if is_function_word(text) => 4,
        Class::Word | Class::Number | Class::Address => 12,
    }
}

/// Short words of the ten most used languages of news that carry little sense.
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
