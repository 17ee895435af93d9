//! The forms in which blocks are recognised again.

use crate::domain::normalise::reading;

/// The longest text that is learned, in bytes: whatever is longer says something.
pub(super) const LONGEST: usize = 1_200;

/// A template has no more words than this.
const LONGEST_TEMPLATE: usize = 40;

/// The form of a text that the same text has, whatever its typography.
pub(super) fn text_key(text: &str) -> String {
    reading(text).to_lowercase()
}

/// The form of a text that the same text has with other numbers and names: runs of digits are `#`, words with a
/// capital inside of the sentence are `@`. `None` when too little is left to tell it from others.
pub(super) fn template_key(text: &str) -> Option<String> {
    let text = reading(text);
    let mut key = String::new();
    let mut literal = 0_usize;
    let mut words = 0_usize;
    let mut first = true;
    for word in text.split_whitespace() {
        words += 1;
        let name = !first
            && word
                .chars()
                .find(|c| c.is_alphanumeric())
                .is_some_and(char::is_uppercase);
        // Behind a full stop or a colon a capital says nothing.
        first = word.ends_with(['.', ':', '!', '?']);
        if name {
            // A name of several words is one name.
            if !key.ends_with('@') {
                push(&mut key, "@");
            }
            continue;
        }
        let form = without_numbers(word);
        literal += form.chars().filter(|c| c.is_alphabetic()).count();
        push(&mut key, &form);
    }
    let is_short = literal < 6 || words > LONGEST_TEMPLATE;
    let is_fixed = !key.contains(['#', '@']);
    (!is_short && !is_fixed).then_some(key)
}

fn push(key: &mut String, word: &str) {
    if !key.is_empty() {
        key.push(' ');
    }
    key.push_str(word);
}

/// `1,234` → `#`, `21°C` → `#°c`.
fn without_numbers(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        let inside = matches!(c, '.' | ',' | ':' | '\u{a0}' | '\u{202f}')
            && out.ends_with('#')
            && chars.peek().is_some_and(|next| next.is_numeric());
        if c.is_numeric() || inside {
            if !out.ends_with('#') {
                out.push('#');
            }
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

/// Whether a text is a label with a value, as in `Severity: high`: a fact, however many articles share it.
pub(super) fn is_fact(text: &str) -> bool {
    let label = text.split_once([':', '：', '|', '=']);
    label.is_some_and(|(label, value)| {
        label.split_whitespace().count() <= 5 && value.split_whitespace().count() <= 8
    })
}

/// Letters and digits of a text, and whether there is anything else worth learning in it.
pub(super) fn is_sentence(text: &str) -> bool {
    // Scripts without spaces between words have one word a sentence.
    let wide = text.chars().filter(|c| u32::from(*c) >= 0x3040).count();
    text.split_whitespace().count() >= 4 || wide >= 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_keep_the_words_and_forget_numbers_and_names() {
        for (one, other) in [
            (
                "1,234 people are reading this",
                "88 people are reading this",
            ),
            (
                "Weather in Tallinn today: 21°C",
                "Weather in New York today: 3°C",
            ),
            (
                "It is 10:15 and 3.5 km of jams",
                "It is 9:02 and 12 km of jams",
            ),
        ] {
            assert_eq!(template_key(one), template_key(other), "{one}");
            assert!(template_key(one).is_some(), "{one}");
        }
        assert_ne!(
            template_key("12 people were killed"),
            template_key("12 people were hurt")
        );
        for plain in ["12", "12 °C", "No numbers in here at all", "A B C D"] {
            assert_eq!(template_key(plain), None, "{plain}");
        }
    }

    #[test]
    fn facts_are_told_from_sentences() {
        for fact in [
            "Severity: high",
            "Affected versions: 1.0 to 2.4",
            "CVSS | 9.8",
            "状態：未修正",
        ] {
            assert!(is_fact(fact), "{fact}");
        }
        assert!(!is_fact(
            "Follow our channel for the latest from the region."
        ));
    }
}
