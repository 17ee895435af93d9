//! What a page is.

use super::article::PageKind;
use super::head::Head;
use crate::domain::state::PageState;

/// Judges a page by what it says and by what was extracted of it.
pub(super) fn of(_html: &str, _head: &Head, state: &PageState) -> PageKind {
    if state.body.is_empty() {
        PageKind::NotArticle
    } else {
        PageKind::Article
    }
}
