//! Addresses of the web pages.

use sha2::{Digest as _, Sha256};
use url::form_urlencoded::byte_serialize;

use crate::domain::ids::{ChangeNumber, RevisionNumber};

/// Where the web pages are, for links to them; without a location in a file whose readers may not reach them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Links {
    root: Option<String>,
    /// Whether the pages are static files, which cannot answer queries.
    files: bool,
}

impl Links {
    /// Pages below an address, or below a path of the same server; a trailing slash does not matter.
    #[must_use]
    pub(crate) fn below(root: &str) -> Self {
        Self {
            root: Some(root.trim_end_matches('/').to_owned()),
            files: false,
        }
    }

    /// Pages that are files in a folder, relative to the page at a path such as `/c/412`.
    #[must_use]
    pub(crate) fn files_from(path: &str) -> Self {
        let up = path.matches('/').count().saturating_sub(1);
        let root = vec![".."; up].join("/");
        Self {
            root: Some(if up == 0 { ".".to_owned() } else { root }),
            files: true,
        }
    }

    /// Whether the pages are static files: no forms, no parameters, no other formats.
    #[must_use]
    pub(crate) fn are_files(&self) -> bool {
        self.files
    }

    /// A path of the pages, such as `/feeds`.
    #[must_use]
    pub(crate) fn to(&self, path: &str) -> Option<String> {
        let root = self.root.as_ref()?;
        Some(match (self.files, path) {
            (true, "/") => format!("{root}/index.html"),
            (true, path) if !path.starts_with("/assets/") => format!("{root}{path}.html"),
            _ => format!("{root}{path}"),
        })
    }

    /// The page of a change.
    #[must_use]
    pub(crate) fn change(&self, number: ChangeNumber) -> Option<String> {
        self.to(&format!("/c/{number}"))
    }

    /// The page of an article, by its `ent_…`.
    #[must_use]
    pub(crate) fn entry(&self, id: &str) -> Option<String> {
        self.to(&format!("/e/{}", part(id)))
    }

    /// The page of one of its revisions.
    #[must_use]
    pub(crate) fn revision(&self, id: &str, number: RevisionNumber) -> Option<String> {
        self.to(&format!("/e/{}/{number}", part(id)))
    }

    /// The page that compares two of its revisions.
    #[must_use]
    pub(crate) fn compare(
        &self,
        id: &str,
        old: RevisionNumber,
        new: RevisionNumber,
    ) -> Option<String> {
        self.to(&format!("/e/{}/{old}..{new}", part(id)))
    }

    /// The page of a feed, by its name.
    #[must_use]
    pub(crate) fn feed(&self, name: &str) -> Option<String> {
        self.to(&self.feed_path(name))
    }

    /// The path of the page of a feed.
    #[must_use]
    pub(crate) fn feed_path(&self, name: &str) -> String {
        let part = if self.files {
            file_part(name)
        } else {
            part(name)
        };
        format!("/f/{part}")
    }
}

/// A text as a file name that is valid on any system and needs no escaping in an address; different texts have
/// different names.
fn file_part(text: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    if text.bytes().all(|byte| is_plain(&byte)) && (1..=64).contains(&text.len()) {
        return text.to_owned();
    }
    let plain: String = text
        .to_ascii_lowercase()
        .bytes()
        .filter(is_plain)
        .take(40)
        .map(char::from)
        .collect();
    let hash = Sha256::digest(text);
    let hash = hash.iter().take(6);
    // Unchanged names have no underscore.
    let hash: String = hash.map(|byte| format!("{byte:02x}")).collect();
    format!("{plain}_{hash}")
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

    #[test]
    fn pages_in_files_find_one_another_whatever_the_names() {
        let change = ChangeNumber(412);
        for (from, expected) in [
            ("/", "./c/412.html"),
            ("/c/1", "../c/412.html"),
            ("/e/ent_1/2..3", "../../c/412.html"),
        ] {
            assert_eq!(
                Links::files_from(from).change(change).as_deref(),
                Some(expected)
            );
        }
        let links = Links::files_from("/");
        assert_eq!(links.to("/").as_deref(), Some("./index.html"));
        assert_eq!(links.to("/assets/a.css").as_deref(), Some("./assets/a.css"));
        assert_eq!(links.feed("a-b").as_deref(), Some("./f/a-b.html"));
        let odd = [
            "../../etc/x",
            "..",
            "",
            "A-b",
            "a-B",
            "con\0",
            "\u{202e}x",
            "x y",
            "x_y",
        ];
        let names: std::collections::HashSet<String> =
            odd.iter().map(|name| links.feed_path(name)).collect();
        assert_eq!(names.len(), odd.len(), "{names:?}");
        let is_safe = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        assert!(
            names
                .iter()
                .all(|name| name["/f/".len()..].chars().all(is_safe)),
            "{names:?}"
        );
    }
}
