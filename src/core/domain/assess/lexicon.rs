//! Words that show how an edit changes the meaning, in many languages: `words.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::domain::diff::is_ideograph;

/// A set of languages, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Languages(u32);

const NAMES: [&str; 19] = [
    "en", "es", "fr", "de", "pt", "it", "ru", "nl", "pl", "sv", "tr", "uk", "id", "ar", "he", "hi",
    "zh", "ja", "ko",
];

impl Languages {
    /// Every language.
    pub(super) const ALL: Self = Self(u32::MAX);

    fn named(name: &str) -> Self {
        if name == "*" {
            return Self::ALL;
        }
        NAMES
            .iter()
            .position(|known| *known == name)
            .map_or(Self(0), |index| Self(1 << index))
    }

    fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether this is exactly the language of that name.
    pub(super) fn is(self, name: &str) -> bool {
        self == Self::named(name)
    }

    /// The language of a text, guessed from frequent words and the script; [`Self::ALL`] if they do not decide it.
    pub(super) fn of(text: &str) -> Self {
        let mut hits = [0_u32; NAMES.len()];
        let mut han = 0;
        // A few hundred characters are enough.
        for word in text
            .split(|c: char| !is_letter(c))
            .filter(|word| !word.is_empty())
            .take(120)
        {
            if let Some(first) = word.chars().next() {
                han += u32::from(is_ideograph(first));
                match first {
                    '\u{3040}'..='\u{30ff}' => return Self::named("ja"),
                    '\u{ac00}'..='\u{d7a3}' => return Self::named("ko"),
                    '\u{590}'..='\u{5ff}' => return Self::named("he"),
                    '\u{600}'..='\u{6ff}' => return Self::named("ar"),
                    '\u{900}'..='\u{97f}' => return Self::named("hi"),
                    _ => {}
                }
                if han > 0 && word.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}')) {
                    return Self::named("ja");
                }
            }
            if word.len() > 12 {
                continue;
            }
            let lower = word.to_lowercase();
            if lower.chars().any(|c| matches!(c, 'і' | 'ї' | 'є' | 'ґ')) {
                return Self::named("uk");
            }
            if let Some(entry) = LEXICON.words.get(lower.as_str()) {
                for (index, hit) in hits.iter_mut().enumerate() {
                    *hit += u32::from(entry.stop.meets(Self(1 << index)));
                }
            }
        }
        if han > 0 {
            return Self::named("zh");
        }
        let best = hits
            .iter()
            .enumerate()
            .max_by_key(|(index, count)| (**count, usize::MAX - index));
        match best {
            Some((index, &count)) if count >= 2 => Self(1 << index),
            _ => Self::ALL,
        }
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '\'' | '’' | '\u{900}'..='\u{97f}')
}

/// How a word affects the meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WordKind {
    /// Negates.
    Negation,
    /// Weakens a claim.
    Hedge,
    /// Attributes a statement to somebody.
    Speech,
    /// Is a month or a day.
    Date,
    /// Looks like a verb of speech, but is not one in the passive: `admitted to hospital`.
    Passive,
    /// Forms the passive.
    Auxiliary,
}

#[derive(Debug, Default, Clone, Copy)]
struct LexiconEntry {
    stop: Languages,
    negation: Languages,
    hedge: Languages,
    speech: Languages,
    date: Languages,
    passive: Languages,
    auxiliary: Languages,
    number: Languages,
    /// An ordinal, or not a number at all: `second`.
    is_ordinal: bool,
    empty: Languages,
    value: &'static str,
    unit: &'static str,
}

struct Lexicon {
    words: HashMap<&'static str, LexiconEntry>,
    /// Words of scripts without spaces; these are searched for inside a text.
    inside: Vec<(WordKind, Languages, &'static str)>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| read(include_str!("words.txt")));

fn read(text: &'static str) -> Lexicon {
    let mut words: HashMap<&'static str, LexiconEntry> = HashMap::new();
    let mut inside = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.split_whitespace();
        let (Some(kind), Some(name)) = (parts.next(), parts.next()) else {
            continue;
        };
        let languages = Languages::named(name);
        // Signs (`*`) are written next to letters without a space, like the words of these languages.
        let unspaced = matches!(name, "zh" | "ja" | "ko" | "*");
        for word in parts {
            let (word, value) = word.split_once('=').unwrap_or((word, ""));
            let entry = words.entry(word).or_default();
            let (set, kind) = match kind {
                "stop" => (&mut entry.stop, None),
                "empty" => (&mut entry.empty, None),
                "negation" => (&mut entry.negation, Some(WordKind::Negation)),
                "hedge" => (&mut entry.hedge, Some(WordKind::Hedge)),
                "speech" => (&mut entry.speech, Some(WordKind::Speech)),
                "date" => (&mut entry.date, Some(WordKind::Date)),
                "passive" => (&mut entry.passive, Some(WordKind::Passive)),
                "auxiliary" => (&mut entry.auxiliary, Some(WordKind::Auxiliary)),
                "unit" => {
                    entry.unit = value;
                    continue;
                }
                _ => {
                    entry.is_ordinal |= kind == "ordinal";
                    entry.value = value;
                    (&mut entry.number, None)
                }
            };
            set.0 |= languages.0;
            if let Some(kind) = kind.filter(|_| unspaced) {
                inside.push((kind, languages, word));
            }
        }
    }
    Lexicon { words, inside }
}

/// Whether a word, in lower case with straight apostrophes, is of the given kind.
pub(super) fn is_word_of(kind: WordKind, word: &str, languages: Languages) -> bool {
    if kind == WordKind::Negation && has_negated_form(word, languages) {
        return true;
    }
    let entry = LEXICON.words.get(word).or_else(|| {
        // Arabic joins `and` and `so` to the word.
        let bare = word.strip_prefix(['و', 'ف'])?;
        LEXICON.words.get(bare)
    });
    let Some(entry) = entry else { return false };
    let (set, others) = match kind {
        WordKind::Negation => (entry.negation, entry.stop.0 | entry.date.0),
        WordKind::Hedge => (entry.hedge, entry.stop.0),
        WordKind::Speech => (entry.speech, entry.stop.0),
        WordKind::Date => (entry.date, entry.stop.0),
        WordKind::Passive => (entry.passive, 0),
        WordKind::Auxiliary => (entry.auxiliary, 0),
    };
    if languages == Languages::ALL {
        // If the language is unknown, a word that is harmless in another language does not count.
        return !set.is_none() && Languages(others).without(set).is_none();
    }
    set.meets(languages)
}

/// `didn't`, `n'est`, `n'a`.
fn has_negated_form(word: &str, languages: Languages) -> bool {
    let english = languages.meets(Languages::named("en")) && word.ends_with("n't");
    let french = languages.meets(Languages::named("fr")) && word.starts_with("n'");
    english || french
}

/// The words of the given kind inside a text of a script without spaces.
pub(super) fn found_inside(kind: WordKind, text: &str, languages: Languages) -> Vec<&'static str> {
    if text.is_ascii() {
        return Vec::new();
    }
    LEXICON
        .inside
        .iter()
        .filter(|(known, of, _)| *known == kind && of.meets(languages))
        .flat_map(|(_, _, word)| std::iter::repeat_n(*word, text.matches(word).count()))
        .collect()
}

/// The value of a number word.
pub(super) fn value(word: &str, languages: Languages) -> Option<&'static str> {
    let entry = LEXICON.words.get(word)?;
    (entry.number.meets(languages) && !entry.value.is_empty()).then_some(entry.value)
}

/// Whether a number word surely counts something: `three`, but not `one` or `third`.
pub(super) fn is_count(word: &str, languages: Languages) -> bool {
    let entry = LEXICON.words.get(word);
    value(word, languages).is_some_and(|value| value != "1")
        && entry.is_some_and(|entry| !entry.is_ordinal)
}

/// The symbol of a unit that is written as a word.
pub(super) fn unit(word: &str) -> Option<&'static str> {
    LEXICON
        .words
        .get(word)
        .map(|entry| entry.unit)
        .filter(|unit| !unit.is_empty())
}

/// Whether the word is too frequent to mean anything by itself.
pub(super) fn is_stop_word(word: &str, languages: Languages) -> bool {
    LEXICON
        .words
        .get(word)
        .is_some_and(|entry| Languages(entry.stop.0 | entry.empty.0).meets(languages))
}
