//! The main text of a page.

use std::panic::catch_unwind;

use trafilatura::{ExtractionFocus, Options};
use url::Url;

use super::fragment;
use super::head::Head;
use crate::domain::state::Block;

/// The blocks of the main text.
pub(super) fn blocks(html: &str, _head: &Head, base: Option<Url>) -> Vec<Block> {
    let extracted = catch_unwind(|| {
        let mut options = Options::default()
            .with_fallback(true)
            .with_focus(ExtractionFocus::FavorPrecision);
        if let Some(base) = base {
            options = options.with_url(base);
        }
        trafilatura::extract(html, &options)
            .map(|result| result.content_html)
            .unwrap_or_default()
    });
    fragment::blocks(&extracted.unwrap_or_default())
}
