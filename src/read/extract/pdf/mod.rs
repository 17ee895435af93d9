//! A PDF → blocks of text.
//!
//! PDF has no paragraphs, lines or spaces, only letters with positions. [`lines`] combines letters into lines in
//! drawing order, [`layout`] combines lines into paragraphs.
//!
//! A hostile file may take any amount of time and memory here: call it in a separate process with limits.

mod layout;
mod lines;
mod running;

use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::kurbo::Rect;
use hayro_interpret::{
    Context, InterpreterCache, InterpreterSettings, TransformExt, interpret_page,
};

use crate::domain::state::Block;
use lines::{LineBuilder, PdfPage};

/// The most pages that are read from a file.
const PAGES: usize = 2_000;

/// The text of a PDF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PdfText {
    /// Its paragraphs, headings, list items and table rows; never empty.
    pub blocks: Vec<Block>,
    /// Whether the file was longer than the part that is read.
    pub truncated: bool,
}

/// Why no text could be read from a PDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoText {
    /// It needs a password.
    #[error("it is encrypted")]
    Encrypted,
    /// The file is damaged, or only looks like a PDF.
    #[error("it is damaged")]
    Damaged,
    /// Scanned pages or drawings.
    #[error("it has images of pages and no text")]
    Pictures,
    /// The fonts do not say which letters they draw.
    #[error("its fonts do not map glyphs to letters")]
    Unmapped,
}

/// Reads the text of a PDF.
///
/// # Errors If no text can be read.
pub fn text(bytes: Vec<u8>) -> Result<PdfText, NoText> {
    let pdf = Pdf::new(bytes).map_err(|error| match error {
        LoadPdfError::Decryption(
            DecryptionError::PasswordProtected | DecryptionError::UnsupportedAlgorithm,
        ) => NoText::Encrypted,
        LoadPdfError::Decryption(_) | LoadPdfError::Invalid => NoText::Damaged,
    })?;
    let cache = InterpreterCache::new();
    let mut pages: Vec<PdfPage> = Vec::new();
    let mut truncated = pdf.pages().len() > PAGES;
    let (mut letters, mut unknown) = (0, 0);
    for page in pdf.pages().iter().take(PAGES) {
        let mut lines = LineBuilder::after(letters);
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
    // A few unnamed signs are normal, such as bullets, but a text that consists of them is not a text.
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
