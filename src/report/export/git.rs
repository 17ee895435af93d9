//! Revisions as commits, in the format of `git fast-import`: `git log -p --word-diff` and `git blame` then show
//! the history of an article.

use std::fmt::Write as _;

use super::page::markdown;
use crate::domain::event::Event;
use crate::domain::state::EntryState;
use crate::report::{clean, names};
use crate::time::Timestamp;

/// The branch.
pub(crate) const BRANCH: &str = "refs/heads/main";

/// The commit trailer with the row of its revision: an export that continues starts after it.
pub(crate) const ROW: &str = "Revisor-Row";

/// The end of the stream: without it git discards everything.
pub(crate) const END: &str = "done\n";

/// A revision that becomes a commit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Commit<'a> {
    /// Its row, for [`ROW`].
    pub row: i64,
    /// `ent_…`.
    pub entry: &'a str,
    /// Its number within the entry.
    pub number: u32,
    /// The name of the feed.
    pub feed: &'a str,
    /// When it was first seen.
    pub seen: Timestamp,
    /// The event of the change that led to it; `None` for a first snapshot.
    pub event: Option<&'a Event>,
    /// Its state; `None` if its text is no longer stored.
    pub state: Option<&'a EntryState>,
}

/// The start of the stream.
#[must_use]
pub(crate) fn start() -> String {
    "feature done\n".to_owned()
}

/// A commit. `continues` is set for the first one of a stream that extends a repository.
#[must_use]
pub(crate) fn commit(revision: &Commit<'_>, continues: bool) -> String {
    let mut out = format!("commit {BRANCH}\n");
    let at = revision.seen.as_unix().max(0);
    let (name, mail) = (ident(revision.feed), folder(revision.feed));
    let _ = writeln!(out, "author {name} <{mail}@feed.invalid> {at} +0000");
    let _ = writeln!(
        out,
        "committer revisor <revisor@revisor.invalid> {at} +0000"
    );
    data(&mut out, &message(revision));
    if continues {
        let _ = writeln!(out, "from {BRANCH}^0");
    }
    if let Some(state) = revision.state {
        let path = path(revision.feed, revision.entry);
        let _ = writeln!(out, "M 100644 inline {path}");
        data(&mut out, &markdown(state));
    }
    out.push('\n');
    out
}

/// Data with a byte count, so that nothing in a text can end it.
fn data(out: &mut String, text: &str) {
    let _ = writeln!(out, "data {}\n{text}", text.len());
}

/// `feeds/NAME/ab/ent_….md`: a single folder with all entries would be rewritten by every commit.
fn path(feed: &str, entry: &str) -> String {
    let entry = folder(entry);
    let tail: String = entry.chars().rev().take(2).collect();
    format!("feeds/{}/{tail}/{entry}.md", folder(feed))
}

/// A name without characters that have a meaning in a path. A name that had to be changed gets a suffix derived
/// from its bytes, so that two names never share a folder.
fn folder(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut out: String = name
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .take(80)
        .collect();
    let hidden =
        out.starts_with('.') || out.ends_with('.') || out.to_ascii_lowercase().ends_with(".lock");
    if out != name || hidden || out.is_empty() || out.contains("..") {
        // FNV-1a: short and the same everywhere; it does not need to be secure.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        out = format!("{}-{hash:016x}", out.replace('.', "_"));
    }
    out
}

/// A name for an author line, where `<` ends the name.
fn ident(name: &str) -> String {
    let name = clean::excerpt(name, 80);
    let name: String = name
        .chars()
        .filter(|c| !matches!(c, '<' | '>' | '"'))
        .collect();
    match name.trim() {
        "" => "feed".to_owned(),
        name => name.to_owned(),
    }
}

fn message(revision: &Commit<'_>) -> String {
    let title = revision.state.and_then(EntryState::title);
    let title = clean::excerpt(title.unwrap_or("(no headline)"), 72);
    let change = revision.event.and_then(|event| event.data.change.as_ref());
    let what = match change {
        None => "First snapshot".to_owned(),
        Some(change) => match names::and(change.fields.iter().map(|field| names::field(*field))) {
            what if what.is_empty() => "Changed".to_owned(),
            what => format!("Changed {what}"),
        },
    };
    let mut out = format!("{what}: {title}\n\n");
    if revision.state.is_none() {
        out.push_str("The text of this revision has been deleted (`keep.revisions`).\n\n");
    }
    if let Some(event) = revision.event {
        if let Some(number) = event.data.number {
            let _ = writeln!(out, "Change: #{number}");
        }
        if let Some(change) = change {
            let window = change.window;
            let (from, to) = (
                window.last_unchanged.to_rfc3339(),
                window.first_changed.to_rfc3339(),
            );
            let _ = writeln!(out, "Window: {from}..{to}");
            let labels: Vec<&str> = change
                .labels
                .iter()
                .map(|label| names::label(*label))
                .collect();
            if !labels.is_empty() {
                let _ = writeln!(out, "Labels: {}", labels.join(", "));
            }
        }
        if let Some(url) = event
            .data
            .entry
            .as_ref()
            .and_then(|entry| entry.url.as_deref())
        {
            let _ = writeln!(out, "Url: {}", clean::address(url));
        }
    } else if let Some(url) = revision
        .state
        .and_then(|state| state.feed.as_ref()?.address.as_deref())
    {
        let _ = writeln!(out, "Url: {}", clean::address(url));
    }
    let _ = writeln!(
        out,
        "Revision: {}/{}",
        folder(revision.entry),
        revision.number
    );
    let _ = writeln!(out, "{ROW}: {}", revision.row);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_plain_name_is_its_own_folder() {
        assert_eq!(folder("example-news"), "example-news");
        assert_eq!(
            path("example-news", "ent_ab12"),
            "feeds/example-news/21/ent_ab12.md"
        );
    }

    proptest! {
        #[test]
        fn no_name_leaves_its_folder(name in any::<String>()) {
            let folder = folder(&name);
            prop_assert!(!folder.is_empty() && !folder.starts_with('.') && !folder.contains(".."));
            prop_assert!(folder.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
        }

        #[test]
        fn two_names_have_two_folders(a in any::<String>(), b in any::<String>()) {
            prop_assume!(a != b);
            prop_assert_ne!(folder(&a), folder(&b));
        }

        #[test]
        fn an_author_line_ends_where_it_should(name in any::<String>()) {
            let ident = ident(&name);
            prop_assert!(!ident.is_empty() && !ident.contains(['<', '>', '\n', '\0']));
        }
    }
}
