//! Documents from which no text can be read.

use serde::Serialize;

use super::{FeedsStatus, StatusMark, StatusPart};
use crate::report::{clean, names};

/// How many documents are listed.
const DOCUMENTS_MAX: usize = 3;

/// A document from which no text can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct UnreadDocument {
    /// Its address, without a login.
    pub url: String,
    /// How many consecutive checks found another file in its place; they send no alerts.
    #[serde(skip_serializing_if = "is_zero")]
    pub replaced: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference to the member"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The documents without a text, a few of them by address.
pub(super) fn documents(feeds: &FeedsStatus) -> Option<StatusPart> {
    if feeds.documents == 0 {
        return None;
    }
    let mut names: Vec<String> = feeds
        .unread_documents
        .iter()
        .take(DOCUMENTS_MAX)
        .map(|document| {
            let url = clean::excerpt(&clean::address(&document.url), 120);
            match document.replaced {
                0 => url,
                replaced => {
                    format!("{url} (another file at each of the last {replaced} checks, no alerts)")
                }
            }
        })
        .collect();
    let more = feeds.documents.saturating_sub(names.len() as u64);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    let count = names::count(feeds.documents, "document");
    let text = format!(
        "{count} without text, compared by size and hash: {}",
        names.join(", ")
    );
    Some(StatusPart::new(StatusMark::Fine, "documents", text))
}
