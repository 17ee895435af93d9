//! Whether a change mentions certain words: pure.

use super::diff::Segment;
use super::event::{BlocksInfo, Event};
use super::search::spaced;

/// Words to search for, in any script and case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordPhrase {
    text: String,
    words: Vec<String>,
}

impl WordPhrase {
    /// One or more consecutive words; `None` for text without letters and digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let words = words(text);
        (!words.is_empty()).then(|| Self {
            text: text.to_owned(),
            words,
        })
    }

    /// As written in the configuration.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    fn is_in(&self, side: &[(String, bool)]) -> bool {
        side.windows(self.words.len()).any(|window| {
            window.iter().any(|(_, counts)| *counts)
                && window.iter().map(|(word, _)| word).eq(&self.words)
        })
    }
}

/// Whether the event has one of the phrases in a headline, or in removed or added text. Events that are not about
/// an article have no words and always pass.
#[must_use]
pub fn mentions(event: &Event, phrases: &[WordPhrase]) -> bool {
    let data = &event.data;
    if phrases.is_empty() || (data.entry.is_none() && data.diff.is_none()) {
        return true;
    }
    let titles = [&data.before, &data.after].into_iter().flatten();
    let titles = titles.filter_map(|side| side.title.as_deref());
    let mut sides: Vec<Vec<(String, bool)>> = titles.map(|title| marked(title, true)).collect();
    if let Some(diff) = &data.diff {
        let lines = [&diff.title, &diff.standfirst, &diff.byline];
        let blocks = [&diff.summary, &diff.body].into_iter().flatten();
        let texts = lines
            .into_iter()
            .flatten()
            .chain(diff.headlines.iter().map(|headline| &headline.segments))
            .chain(blocks.flat_map(segments));
        sides.extend(texts.flat_map(|text| both_sides(text)));
    }
    sides
        .iter()
        .any(|side| phrases.iter().any(|phrase| phrase.is_in(side)))
}

fn segments(blocks: &BlocksInfo) -> impl Iterator<Item = &Vec<Segment>> {
    blocks.blocks.iter().map(|block| &block.segments)
}

/// The words of the old and of the new text; `true` marks words of one side only.
fn both_sides(segments: &[Segment]) -> [Vec<(String, bool)>; 2] {
    let [mut old, mut new] = [Vec::new(), Vec::new()];
    for segment in segments {
        match segment {
            Segment::Equal(text) => {
                old.extend(marked(text, false));
                new.extend(marked(text, false));
            }
            Segment::Delete(text) => old.extend(marked(text, true)),
            Segment::Insert(text) => new.extend(marked(text, true)),
        }
    }
    [old, new]
}

fn marked(text: &str, counts: bool) -> Vec<(String, bool)> {
    words(text).into_iter().map(|word| (word, counts)).collect()
}

/// Normalised words; in scripts without spaces, each letter is a word.
fn words(text: &str) -> Vec<String> {
    let text = spaced([text]).to_lowercase();
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{DiffInfo, EntryInfo, EventData, EventKind, SCHEMA_VERSION};
    use crate::time::Timestamp;

    fn event(title: Vec<Segment>) -> Event {
        Event {
            kind: EventKind::EntryRevised,
            timestamp: Timestamp::from_millis(0),
            schema_version: SCHEMA_VERSION,
            data: EventData {
                entry: Some(EntryInfo {
                    id: "ent_1".into(),
                    guid: None,
                    url: None,
                    author: None,
                    published: None,
                    first_seen: Timestamp::from_millis(0),
                    archive: None,
                }),
                diff: Some(DiffInfo {
                    standfirst: Some(title),
                    ..DiffInfo::default()
                }),
                ..EventData::default()
            },
        }
    }

    fn finds(phrase: &str, segments: &[Segment]) -> bool {
        mentions(
            &event(segments.to_vec()),
            &[WordPhrase::parse(phrase).unwrap()],
        )
    }

    #[test]
    fn whole_words_of_any_script_and_case_that_were_removed_or_added() {
        use Segment::{Delete, Equal, Insert};
        let text = [
            Equal("The Prime ".into()),
            Delete("Minister denies".into()),
            Insert("MINISTRY confirms the straße 設定を変更".into()),
            Equal(" report".into()),
        ];
        for (phrase, found) in [
            ("prime minister", true),
            ("Ministry", true),
            ("minist", false),
            ("confirms the STRASSE", true),
            ("変更", true),
            ("設変", false),
            ("report", false),
            ("変更 report", true),
            ("minister report", false),
            ("denies report", true),
        ] {
            assert_eq!(finds(phrase, &text), found, "{phrase}");
        }
        assert_eq!(WordPhrase::parse(" – "), None);
    }

    #[test]
    fn what_is_about_no_article_passes() {
        let mut event = event(Vec::new());
        let phrase = [WordPhrase::parse("word").unwrap()];
        assert!(!mentions(&event, &phrase));
        assert!(mentions(&event, &[]));
        event.data.entry = None;
        event.data.diff = None;
        assert!(mentions(&event, &phrase));
    }
}
