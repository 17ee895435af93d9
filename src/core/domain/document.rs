//! Documents that are not pages, and what it means if one replaces another.
//!
//! Of a document without a text, only the size and the hash are known: either it was replaced or not. A picture,
//! sound or film may have been recompressed. A text that becomes a document, or a document that becomes a page, is
//! one step too, and not an edit of all words.

use super::life::doubt::doubt;
use super::state::{Block, Document, PageState};

/// The difference between two states of a page, before texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// Two texts.
    Texts,
    /// Nothing: the same bytes, from which only one reading extracted a text.
    Nothing,
    /// One document was replaced by another.
    Replaced(Replaced),
}

/// What was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// A document by another one of its kind; one of them has no text.
    Document,
    /// A page by a document, a document by a page, or a document by one of another kind.
    Form {
        /// Whether most of the words that could be read before are no longer readable.
        loses_text: bool,
    },
}

/// The difference between two states of a page.
#[must_use]
pub fn between(old: &PageState, new: &PageState) -> Between {
    match (&old.document, &new.document) {
        (None, None) => Between::Texts,
        (Some(a), Some(b)) if a.media_type == b.media_type => {
            match (a.text && b.text, a.sha256 == b.sha256) {
                (true, _) => Between::Texts,
                (false, true) => Between::Nothing,
                (false, false) if may_be_compressed_anew(a, b) => Between::Nothing,
                (false, false) => Between::Replaced(Replaced::Document),
            }
        }
        _ => {
            let has_text = old.body.iter().any(|block| !block.text.is_empty());
            let loses_text =
                has_text && (new.body.is_empty() || doubt(&old.body, &new.body).is_some());
            Between::Replaced(Replaced::Form { loses_text })
        }
    }
}

/// Whether two documents may be the same picture, sound or film, recompressed by a CDN as many do at every
/// delivery: the bytes differ, but the sizes are similar. What it shows cannot be known.
fn may_be_compressed_anew(a: &Document, b: &Document) -> bool {
    let is_recording = ["image/", "audio/", "video/"]
        .iter()
        .any(|kind| a.media_type.starts_with(kind));
    let (less, more) = (a.bytes.min(b.bytes), a.bytes.max(b.bytes));
    is_recording && more / 2 <= less
}

/// A placeholder for the text of a page, if the text is not compared.
#[must_use]
pub fn described(page: &PageState) -> Vec<Block> {
    let text = match &page.document {
        Some(document) => format!(
            "A document ({}) of {} bytes, SHA-256 {}",
            document.media_type, document.bytes, document.sha256
        ),
        None => "A web page".to_owned(),
    };
    vec![Block::paragraph(text)]
}

/// Whether a page is a document without a known text.
#[must_use]
pub fn is_unread(page: &PageState) -> bool {
    page.document
        .as_ref()
        .is_some_and(|document| !document.text)
}

/// Whether a document gained a text because the same bytes were read differently.
#[must_use]
pub fn gains_text(old: &PageState, new: &PageState) -> bool {
    between(old, new) == Between::Nothing && is_unread(old) && !is_unread(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(media_type: &str, sha256: &str, text: bool) -> PageState {
        PageState {
            document: Some(Document {
                media_type: media_type.to_owned(),
                bytes: 7,
                sha256: sha256.to_owned(),
                text,
            }),
            body: Vec::from_iter(text.then(|| Block::paragraph("words"))),
            ..PageState::default()
        }
    }

    #[test]
    fn a_picture_that_is_compressed_anew_is_the_same_picture() {
        let picture = |bytes, media_type| {
            let mut page = document(media_type, &format!("of {bytes}"), false);
            page.document.as_mut().unwrap().bytes = bytes;
            page
        };
        for media_type in ["image/png", "audio/mpeg", "video/mp4"] {
            for (old, new, told) in [
                (900, 901, false),
                (900, 450, false),
                (900, 400, true),
                (0, 900, true),
            ] {
                let between = between(&picture(old, media_type), &picture(new, media_type));
                assert_eq!(
                    between == Between::Replaced(Replaced::Document),
                    told,
                    "{old} {new}"
                );
            }
        }
        let zip = "application/zip";
        assert_eq!(
            between(&picture(900, zip), &picture(901, zip)),
            Between::Replaced(Replaced::Document)
        );
    }

    #[test]
    fn bytes_count_only_where_there_is_no_text() {
        let page = PageState::default();
        let pdf = |sha256, text| document("application/pdf", sha256, text);
        assert_eq!(between(&page, &page), Between::Texts);
        assert_eq!(between(&pdf("a", true), &pdf("b", true)), Between::Texts);
        assert_eq!(
            between(&pdf("a", false), &pdf("a", false)),
            Between::Nothing
        );
        assert_eq!(between(&pdf("a", false), &pdf("a", true)), Between::Nothing);
        for (old, new) in [(false, false), (true, false), (false, true)] {
            assert_eq!(
                between(&pdf("a", old), &pdf("b", new)),
                Between::Replaced(Replaced::Document)
            );
        }
        let zip = document("application/zip", "a", false);
        for (old, new, loses_text) in [
            (&page, &zip, false),
            (&zip, &page, false),
            (&zip, &pdf("a", false), false),
            (&pdf("a", true), &page, true),
        ] {
            assert_eq!(
                between(old, new),
                Between::Replaced(Replaced::Form { loses_text })
            );
        }
        assert!(gains_text(&pdf("a", false), &pdf("a", true)));
        assert!(!gains_text(&pdf("a", true), &pdf("a", false)));
    }
}
