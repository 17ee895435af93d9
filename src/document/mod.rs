//! Reads any document that an address returns: pages in this process, PDFs in a process of their own.
//!
//! A PDF is read by a child process of this program with limits on time and memory, so that a hostile file ends
//! only the child. The child has no files and no network: the bytes arrive on its standard input, and it writes the
//! text to its standard output.

mod child;
mod parent;

use crate::extract::{self, Article, Form, PageSelectors, article_under};

pub(crate) use child::{ARGUMENT, run as run_child};

/// A document could not be read, for a reason that may not apply the next time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    /// The child did not start.
    #[error("cannot start the process that reads PDFs")]
    Start(#[source] std::io::Error),
    /// The child did not finish in time, although it used little processor time.
    #[error("the PDF was not read within {0} s")]
    Late(u64),
    /// The child returned something that it never returns.
    #[error("the process that reads PDFs failed; this is a bug in revisor, please report it")]
    Answer,
}

/// A document that was read.
#[derive(Debug)]
pub(crate) struct Read {
    /// What it says.
    pub article: Article,
    /// Whether it has no text because a limit was reached.
    pub over_limit: bool,
}

/// About the most memory that reading a document takes. For a PDF, that is the limit of its process; for anything
/// else, it is some copies of the document and a tree of the part that is read.
#[must_use]
pub(crate) fn memory(body: &[u8]) -> u64 {
    const COPIES: u64 = 3;
    const TREE: u64 = 45;
    let bytes = body.len() as u64;
    let beginning = body.trim_ascii_start().get(..16).unwrap_or_default();
    match beginning.windows(5).any(|bytes| bytes == b"%PDF-") {
        true => child::DATA_BYTES,
        false => COPIES * bytes + TREE * bytes.min(extract::MOST_COPIED),
    }
}

/// Reads a page or document; arguments as for [`extract::article_in`]. May take seconds.
///
/// # Errors
/// If it is a PDF, and reading it failed for a reason outside of the file.
pub(crate) fn read(
    body: &[u8],
    content_type: Option<&str>,
    url: Option<&str>,
    view: &PageSelectors,
) -> Result<Read, Unreadable> {
    read_under(body, content_type, url, view, None)
}

/// Like [`read`], for a page with a known headline.
pub(crate) fn read_under(
    body: &[u8],
    content_type: Option<&str>,
    url: Option<&str>,
    view: &PageSelectors,
    headline: Option<&str>,
) -> Result<Read, Unreadable> {
    let plain = |article| Read {
        article,
        over_limit: false,
    };
    if extract::media_type(body, content_type) != Some(Form::PDF) {
        return Ok(plain(article_under(
            body,
            content_type,
            url,
            view,
            headline,
        )));
    }
    Ok(match parent::read_pdf(body)? {
        parent::PdfResult::Text(text) => plain(extract::document(body, Form::PDF, Ok(text))),
        parent::PdfResult::NoText(why) => plain(extract::document(body, Form::PDF, Err(why))),
        parent::PdfResult::OverLimit => Read {
            article: extract::document(
                body,
                Form::PDF,
                Err(
                    "reading it needs more time or memory than the limits for PDFs allow"
                        .to_owned(),
                ),
            ),
            over_limit: true,
        },
    })
}
