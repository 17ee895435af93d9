//! `revisor search`: articles, with the places where the current or a removed text matches.

use std::ops::Range;

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

use super::clean;
use super::names;
use super::style::{Line, TextRole, cut};
use super::when::TimeView;
use crate::domain::ids::ChangeNumber;
use crate::time::Timestamp;

/// Graphemes shown around a match.
const AROUND: usize = 60;

/// The longest match that is shown, in bytes.
const MATCH: usize = 200;

/// An article. Its JSON form is a member of `articles` in the output of `search --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FoundArticle {
    /// Its identifier, `ent_…`.
    pub entry: String,
    /// The name of its feed.
    pub feed: String,
    /// Its newest headline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Matches in its newest text; empty if there are none.
    pub still_there: Vec<Excerpt>,
    /// The changes that removed or added a match, newest first.
    pub changes: Vec<FoundChange>,
}

/// A change that removed or added a match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FoundChange {
    /// Its number.
    pub number: ChangeNumber,
    /// When it was first seen.
    pub first_changed: Timestamp,
    /// Sentences and headlines that were removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<Excerpt>,
    /// Sentences and headlines that were added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<Excerpt>,
}

/// A match with the words around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Excerpt {
    /// The text before the match, on one line.
    pub before: String,
    /// The match.
    #[serde(rename = "match")]
    pub found: String,
    /// The text after it.
    pub after: String,
}

impl Excerpt {
    /// The text around a match, cut between words; offsets are in bytes, on character boundaries.
    #[must_use]
    pub(crate) fn new(text: &str, place: Range<usize>) -> Self {
        let (before, after) = (
            text.get(..place.start).unwrap_or_default(),
            text.get(place.end..).unwrap_or_default(),
        );
        let found = text.get(place).unwrap_or_default();
        Self {
            before: tail(before),
            found: clean::excerpt(found, MATCH),
            after: head(after),
        }
    }
}

fn head(text: &str) -> String {
    let mut kept: String = text.graphemes(true).take(AROUND).collect();
    if kept.len() == text.len() {
        return spaced_line(&kept);
    }
    if let Some(end) = kept.rfind(char::is_whitespace).filter(|end| *end > 0) {
        kept.truncate(end);
    }
    format!("{} …", spaced_line(&kept).trim_end())
}

fn tail(text: &str) -> String {
    let graphemes: Vec<&str> = text.graphemes(true).collect();
    let Some(cut) = graphemes.len().checked_sub(AROUND).filter(|cut| *cut > 0) else {
        return spaced_line(text);
    };
    let kept: String = graphemes[cut..].concat();
    let start = kept
        .find(char::is_whitespace)
        .filter(|start| start + 1 < kept.len());
    format!(
        "… {}",
        spaced_line(&kept[start.unwrap_or(0)..]).trim_start()
    )
}

/// On one line, with a space at either end if there was white space.
fn spaced_line(text: &str) -> String {
    let line = clean::line(text);
    let (start, end) = (
        if text.starts_with(char::is_whitespace) {
            " "
        } else {
            ""
        },
        if text.ends_with(char::is_whitespace) {
            " "
        } else {
            ""
        },
    );
    match line.trim() {
        "" => start.to_owned(),
        line => format!("{start}{line}{end}"),
    }
}

/// A few lines for an article.
#[must_use]
pub(crate) fn text(found: &FoundArticle, view: &TimeView) -> String {
    let title = found
        .title
        .as_deref()
        .map(|title| clean::excerpt(title, 300));
    let title = title
        .filter(|title| !title.is_empty())
        .unwrap_or_else(|| names::NO_HEADLINE.to_owned());
    let feed = cut(&clean::excerpt(&found.feed, 60), 24);
    let mut out = Line::new()
        .with(TextRole::Strong, title)
        .with(TextRole::Plain, format!("  {feed}"))
        .wrap("", "  ", view.paint);
    if let Some(url) = &found.url {
        out.push_str("  ");
        out.push_str(
            &Line::new()
                .with(TextRole::Faint, clean::address(url))
                .paint(view.paint),
        );
        out.push('\n');
    }
    for excerpt in &found.still_there {
        let head = Line::new().with(TextRole::Good, "still there: ");
        out.push_str(&head.and(line(excerpt)).wrap("  ", "    ", view.paint));
    }
    for change in &found.changes {
        let at = view.exact(change.first_changed);
        for (what, role, excerpts) in [
            ("removed", TextRole::Bad, &change.removed),
            ("added", TextRole::Good, &change.added),
        ] {
            for excerpt in excerpts {
                let head = Line::new()
                    .with(TextRole::Strong, format!("#{} ", change.number))
                    .with(TextRole::Plain, format!("{at} "))
                    .with(role, format!("{what}: "));
                out.push_str(&head.and(line(excerpt)).wrap("  ", "    ", view.paint));
            }
        }
    }
    out
}

/// `3 articles`, for standard error.
#[must_use]
pub(crate) fn summary(articles: usize, is_cut: bool) -> String {
    match articles {
        0 => "nothing found".to_owned(),
        count if is_cut => format!(
            "first {} (-n shows more)",
            names::count(count as u64, "article")
        ),
        count => names::count(count as u64, "article"),
    }
}

fn line(excerpt: &Excerpt) -> Line {
    Line::new()
        .with(TextRole::Plain, excerpt.before.clone())
        .with(TextRole::Strong, excerpt.found.clone())
        .with(TextRole::Plain, excerpt.after.clone())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::log::plain_view;
    use crate::report::sample::at;

    fn excerpt(text: &str, found: &str) -> Excerpt {
        let start = text.find(found).unwrap();
        Excerpt::new(text, start..start + found.len())
    }

    #[test]
    fn an_excerpt_is_cut_between_words() {
        let text = format!(
            "{} the first in five years, {}",
            "word ".repeat(40),
            "more ".repeat(40)
        );
        let cut = excerpt(&text, "five");
        assert!(
            cut.before.starts_with("… word") && cut.before.ends_with("first in "),
            "{cut:?}"
        );
        assert_eq!(cut.found, "five");
        assert!(
            cut.after.starts_with(" years, more") && cut.after.ends_with("more …"),
            "{cut:?}"
        );
        let short = excerpt("It is\u{1b}[2J here.", "here");
        assert_eq!(
            (short.before.as_str(), short.after.as_str()),
            ("It is ", ".")
        );
    }

    #[test]
    fn an_article_says_where_it_has_and_had_the_words() {
        let found = FoundArticle {
            entry: "ent_1".into(),
            feed: "example-news".into(),
            title: Some("Bridge open".into()),
            url: Some("https://news.example/a".into()),
            still_there: vec![excerpt("Two people were hurt.", "hurt")],
            changes: vec![FoundChange {
                number: ChangeNumber(412),
                first_changed: at("2026-11-23T09:04:12Z"),
                removed: vec![excerpt("No injuries were reported.", "injuries")],
                added: Vec::new(),
            }],
        };
        assert_eq!(
            text(&found, &plain_view(at("2026-11-24T00:00:00Z"))),
            "Bridge open  example-news\n  https://news.example/a\n  still there: Two people were hurt.\n  \
             #412 2026-11-23 09:04 removed: No injuries were reported.\n"
        );
    }

    proptest! {
        #[test]
        fn excerpts_never_panic_and_hold_the_match(text in "\\PC{0,200}", from in 0_usize..200, to in 0_usize..200) {
            let at = |n: usize| text.char_indices().map(|(at, _)| at).nth(n).unwrap_or(text.len());
            let (from, to) = (at(from.min(to)), at(from.max(to)));
            let cut = Excerpt::new(&text, from..to);
            prop_assert!(!cut.before.contains('\n') && !cut.after.contains('\n'));
        }
    }
}
