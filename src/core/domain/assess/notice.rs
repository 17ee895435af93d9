//! Notices in which a publisher announces a correction or an update: `notices.txt`.

use std::sync::LazyLock;

use crate::domain::normalise::reading;

/// What a notice announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Notice {
    /// Something new.
    Update,
    /// An error.
    Correction,
}

struct NoticePhrase {
    kind: Notice,
    anywhere: bool,
    text: String,
}

static PHRASES: LazyLock<Vec<NoticePhrase>> = LazyLock::new(|| {
    include_str!("notices.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let (kind, rest) = line.split_once(' ')?;
            let (_, phrases) = rest.split_once(' ')?;
            let kind = if kind == "correction" {
                Notice::Correction
            } else {
                Notice::Update
            };
            Some(phrases.split('|').map(move |phrase| NoticePhrase {
                kind,
                anywhere: phrase.starts_with('~'),
                text: folded(phrase.trim_start_matches('~')),
            }))
        })
        .flatten()
        .collect()
});

fn folded(text: &str) -> String {
    reading(text).to_lowercase()
}

/// A notice is announced by the first words of a sentence. A text is searched only this far, in characters.
const LONGEST: usize = 2_000;

/// The notice in an added text, if it has one. A correction takes precedence over an update.
pub(super) fn find(text: &str) -> Option<Notice> {
    let end = text
        .char_indices()
        .nth(LONGEST)
        .map_or(text.len(), |(at, _)| at);
    let text = folded(&text[..end]);
    let starts: Vec<&str> = std::iter::once(0)
        .chain(
            text.char_indices()
                .filter(|(_, c)| matches!(c, '.' | '!' | '?' | '。' | '(' | '[' | '\n' | '|'))
                .map(|(at, c)| at + c.len_utf8()),
        )
        .filter_map(|at| text.get(at..))
        .map(|rest| {
            rest.trim_start_matches(|c: char| {
                c.is_whitespace() || matches!(c, '"' | '*' | '(' | '[' | '-' | '_' | '【')
            })
        })
        .filter(|rest| !rest.is_empty())
        .take(64)
        .collect();
    PHRASES
        .iter()
        .filter(|phrase| {
            if phrase.anywhere {
                text.contains(&phrase.text)
            } else {
                let bare = phrase.text.trim_start_matches('【');
                starts.iter().any(|start| start.starts_with(bare))
            }
        })
        .map(|phrase| phrase.kind)
        .max()
}
