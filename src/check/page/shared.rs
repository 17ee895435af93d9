//! Pages that several entries of a feed link to: which text belongs to which entry.

use crate::check::Checker;
use crate::check::page::fetch::PageFetch;
use crate::domain::ids::EntryId;
use crate::domain::url::{fragment_of, is_home};

/// Which part of a page belongs to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::check) enum Share {
    /// All of it.
    All,
    /// The part that the fragment of its address names.
    Part(String),
    /// Nothing, for this reason.
    Nothing(String),
}

impl Checker {
    /// Which part of its page belongs to an entry. If the database cannot be read, the page counts as not shared:
    /// the check that stores something will report the error.
    pub(in crate::check) fn share(&self, fetch: &PageFetch<'_>) -> Share {
        let others = self.read(|reader| reader.entries_with_page(fetch.entry, fetch.url));
        share_of(fetch.entry, fetch.url, &others.unwrap_or_default())
    }
}

/// `others` are the other entries of the feed with the same page, fragments aside, and their addresses.
fn share_of(entry: EntryId, url: &str, others: &[(EntryId, String)]) -> Share {
    let same: Vec<EntryId> = others
        .iter()
        .filter(|(_, other)| other == url)
        .map(|(id, _)| *id)
        .collect();
    match (&*same, fragment_of(url)) {
        _ if others.is_empty() => Share::All,
        ([], Some(fragment)) => Share::Part(fragment),
        ([], None) => Share::All,
        // One page, one alert: it is checked for the older entry.
        ([other], _) if !is_home(url) => {
            if *other < entry {
                Share::Nothing("this page is checked for another entry of the feed".to_owned())
            } else {
                Share::All
            }
        }
        (same, _) => Share::Nothing(format!(
            "{} entries of the feed link to this page, so it cannot be the article of one of them",
            same.len() + 1
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_many_entries_is_nobodys_and_a_part_is_its_entrys() {
        let of = |id: i64, url: &str, others: &[(i64, &str)]| {
            let others: Vec<(EntryId, String)> = others
                .iter()
                .map(|(id, url)| (EntryId(*id), (*url).to_owned()))
                .collect();
            share_of(EntryId(id), url, &others)
        };
        let (page, home) = ("https://n.example/log", "https://n.example/");
        assert_eq!(of(1, page, &[]), Share::All);
        assert_eq!(of(1, home, &[]), Share::All);
        assert!(matches!(of(1, home, &[(2, home)]), Share::Nothing(_)));
        assert_eq!(of(1, page, &[(2, page)]), Share::All);
        assert!(matches!(of(2, page, &[(1, page)]), Share::Nothing(_)));
        assert!(matches!(
            of(1, page, &[(2, page), (3, page)]),
            Share::Nothing(_)
        ));
        let parts = [
            (2, "https://n.example/log#b"),
            (3, "https://n.example/log#c"),
        ];
        assert_eq!(
            of(1, "https://n.example/log#a", &parts),
            Share::Part("a".to_owned())
        );
        assert_eq!(of(1, "https://n.example/log#comments", &[]), Share::All);
    }
}
