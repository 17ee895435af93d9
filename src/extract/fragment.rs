//! A fragment of HTML, as feeds carry it → blocks of text as a reader sees them.

use crate::domain::state::Block;

/// The blocks of a fragment. Text without any tag is one paragraph per blank line.
#[must_use]
pub fn blocks(html: &str) -> Vec<Block> {
    let text = line(html);
    if text.is_empty() {
        Vec::new()
    } else {
        vec![Block::paragraph(text)]
    }
}

/// A fragment as one line of plain text, for titles.
#[must_use]
pub fn line(html: &str) -> String {
    html.split_whitespace().collect::<Vec<_>>().join(" ")
}
