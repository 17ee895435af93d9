//! Addresses of the web pages.

use url::form_urlencoded::byte_serialize;

use crate::domain::ids::{ChangeNumber, RevisionNumber};

/// Where the web pages are, for links to them; nowhere in a file that is read where they are not known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    root: Option<String>,
}

impl Links {
    /// Pages below an address, or below a path of the same server; a slash at its end does not matter.
    #[must_use]
    pub fn below(root: &str) -> Self {
        Self {
            root: Some(root.trim_end_matches('/').to_owned()),
        }
    }

    /// A path of the pages, such as `/feeds`.
    #[must_use]
    pub fn to(&self, path: &str) -> Option<String> {
        self.root.as_ref().map(|root| format!("{root}{path}"))
    }

    /// The page of a change.
    #[must_use]
    pub fn change(&self, number: ChangeNumber) -> Option<String> {
        self.to(&format!("/c/{number}"))
    }

    /// The page of an article, by its `ent_…`.
    #[must_use]
    pub fn entry(&self, id: &str) -> Option<String> {
        self.to(&format!("/e/{}", part(id)))
    }

    /// The page of one of its revisions.
    #[must_use]
    pub fn revision(&self, id: &str, number: RevisionNumber) -> Option<String> {
        self.to(&format!("/e/{}/{number}", part(id)))
    }

    /// The page that compares two of its revisions.
    #[must_use]
    pub fn compare(&self, id: &str, old: RevisionNumber, new: RevisionNumber) -> Option<String> {
        self.to(&format!("/e/{}/{old}..{new}", part(id)))
    }

    /// The page of a feed, by its name.
    #[must_use]
    pub fn feed(&self, name: &str) -> Option<String> {
        self.to(&format!("/f/{}", part(name)))
    }
}

/// A text as one part of a path.
fn part(text: &str) -> String {
    byte_serialize(text.as_bytes())
        .collect::<String>()
        // In a path a plus is a plus.
        .replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_part_of_the_path() {
        let links = Links::below("https://changes.example/revisor/");
        assert_eq!(
            links.feed("a b/../c?d#e+f%").as_deref(),
            Some("https://changes.example/revisor/f/a%20b%2F..%2Fc%3Fd%23e%2Bf%25")
        );
        assert_eq!(
            Links::below("").change(ChangeNumber(412)).as_deref(),
            Some("/c/412")
        );
        assert_eq!(Links::default().feed("a"), None);
    }
}
