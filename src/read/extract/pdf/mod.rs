//! A PDF → blocks of text.
//!
//! PDF has no paragraphs, lines or spaces, only letters with places. [`lines`] puts letters together to lines in the
//! order in which the file draws them, [`layout`] lines to paragraphs.
//!
//! A hostile file may take any time and memory here: call it in a process of its own with limits.

mod layout;
mod lines;
mod running;

use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::kurbo::Rect;
use hayro_interpret::{
    Context, InterpreterCache, InterpreterSettings, TransformExt, interpret_page,
};

use crate::domain::state::Block;
use lines::{Lines, Page};

/// The most pages that are read of a file.
const PAGES: usize = 2_000;

/// The text of a PDF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PdfText {
    /// Its paragraphs, headings, items of lists and rows of tables, never none.
    pub blocks: Vec<Block>,
    /// Whether the file was longer than what is read of one.
    pub truncated: bool,
}

/// Why a PDF has no text that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoText {
    /// A password is needed.
    #[error("it is encrypted")]
    Encrypted,
    /// The file is damaged, or only looks like a PDF.
    #[error("it is damaged")]
    Damaged,
    /// Pages that were scanned, or drawings.
    #[error("it has images of pages and no text")]
    Pictures,
    /// The fonts do not say which letters they draw.
    #[error("its fonts do not map glyphs to letters")]
    Unmapped,
}

/// Reads the text of a PDF.
///
/// # Errors
/// When there is none that could be read.
pub fn text(bytes: Vec<u8>) -> Result<PdfText, NoText> {
    let pdf = Pdf::new(bytes).map_err(|error| match error {
        LoadPdfError::Decryption(
            DecryptionError::PasswordProtected | DecryptionError::UnsupportedAlgorithm,
        ) => NoText::Encrypted,
        LoadPdfError::Decryption(_) | LoadPdfError::Invalid => NoText::Damaged,
    })?;
    let cache = InterpreterCache::new();
    let mut pages: Vec<Page> = Vec::new();
    let mut truncated = pdf.pages().len() > PAGES;
    let (mut letters, mut unknown) = (0, 0);
    for page in pdf.pages().iter().take(PAGES) {
        let mut lines = Lines::after(letters);
        let mut context = Context::new(
            page.initial_transform(true).to_kurbo(),
            Rect::new(0.0, 0.0, 1.0, 1.0),
            &cache,
            pdf.xref(),
            InterpreterSettings::default(),
        );
        interpret_page(page, &mut context, &mut lines);
        unknown += lines.unknown();
        letters = lines.letters();
        truncated |= lines.is_full();
        pages.push(lines.finish());
    }
    if letters == 0 {
        return Err(NoText::Pictures);
    }
    // Some signs that nobody names are usual, such as bullets; a text that consists of them is not one.
    if unknown * 3 > letters {
        return Err(NoText::Unmapped);
    }
    let blocks = layout::blocks(pages);
    if blocks.is_empty() {
        return Err(NoText::Pictures);
    }
    Ok(PdfText { blocks, truncated })
}

#[cfg(test)]
mod tests;
