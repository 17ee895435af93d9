//! What a check means when the page is a document, or was one: a document is replaced as a whole.

use crate::check::page::fetch::FoundPage;
use crate::check::page::interpret::{PageSight, moved_for_good};
use crate::check::page::known::{ComparedPage, KnownPage};
use crate::domain::document::{self, Between, Replaced};
use crate::domain::fingerprint::of_page_state;
use crate::domain::life::Sight;
use crate::domain::outcome::PageCheck;
use crate::domain::past::PastRevision;

/// A document in place of a document or of a page, or a page in place of a document.
pub(in crate::check) fn see_document(
    url: &str,
    page: Box<FoundPage>,
    check: PageCheck,
    compared: &ComparedPage,
    before: &mut KnownPage,
) -> PageSight {
    let known = &compared.state;
    let print = of_page_state(&page.state).whole;
    let doubtful = |why: String| (Sight::Doubtful(print), Some(why));
    let (sight, error) = match document::between(known, &page.state) {
        Between::Texts => match compared.doubt {
            Some(doubt) => doubtful(doubt.to_string()),
            None => (Sight::There, None),
        },
        // A file that is read within the limits today may exceed them tomorrow, on a busier machine.
        _ if page.over_limit && !document::is_unread(known) && known.document.is_some() => {
            doubtful("reading the PDF takes too long".to_owned())
        }
        // A wall that no rule knows may be shown instead of a document.
        Between::Replaced(Replaced::Form { .. }) if page.state.document.is_none() => {
            doubtful("a page has replaced the document".to_owned())
        }
        Between::Replaced(Replaced::Document) if is_restless(before) => {
            (Sight::Restless(print), None)
        }
        Between::Replaced(_) | Between::Nothing => (Sight::There, None),
    };
    let alias = moved_for_good(url, &page, before);
    PageSight {
        page: Some(page),
        alias,
        ..PageSight::unread(PageCheck { error, ..check }, sight)
    }
}

/// Whether the known document replaced another one and has never been seen again since.
fn is_restless(before: &KnownPage) -> bool {
    if before.life.held.is_some() {
        return true;
    }
    let Some(full) = &before.full else {
        return false;
    };
    let seen_again = before.row.page.ok.is_some_and(|ok| ok > full.revision_seen);
    let body = |past: &PastRevision| past.fingerprints.page_body;
    let replaced = match full.known.past.as_slice() {
        [.., older, newest] => body(older).is_some() && body(older) != body(newest),
        _ => false,
    };
    replaced && !seen_again
}
