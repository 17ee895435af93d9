//! Whatever an address answers → what it says: pages in this process, PDFs in one of their own.
//!
//! A PDF is read by a child process of this program with limits on time and memory, so that a hostile file ends the child
//! and nothing else. The child has no files and no network: the bytes come on its standard input, the text leaves on its
//! standard output.

mod child;
mod parent;

use crate::extract::{self, Article, Form, View, article_under};

pub use child::{ARGUMENT, run as run_child};

/// A document could not be read, for a reason that may be another one the next time.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The child did not start.
    #[error("cannot start the process that reads PDFs")]
    Start(#[source] std::io::Error),
    /// The child was not done in time, although it has used little of its own.
    #[error("the PDF was not read within {0} s")]
    Late(u64),
    /// The child answered what it never answers.
    #[error("the process that reads PDFs failed; this is a bug in revisor, please report it")]
    Answer,
}

/// A document that was read.
#[derive(Debug)]
pub struct Read {
    /// What it says.
    pub article: Article,
    /// Whether it has no text because the limits were reached.
    pub over_limit: bool,
}

/// What reading a document takes of memory at most, about: a PDF what its process may take; anything else some copies of
/// it, and a tree of as much of it as is read.
#[must_use]
pub fn memory(body: &[u8]) -> u64 {
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
/// When it is a PDF, and reading it failed for a reason that lies outside of the file.
pub fn read(
    body: &[u8],
    content_type: Option<&str>,
    url: Option<&str>,
    view: &View,
) -> Result<Read, Unreadable> {
    read_under(body, content_type, url, view, None)
}

/// As [`read`], of a page that is known under a headline.
pub fn read_under(
    body: &[u8],
    content_type: Option<&str>,
    url: Option<&str>,
    view: &View,
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
        parent::Outcome::Text(text) => plain(extract::document(body, Form::PDF, Ok(text))),
        parent::Outcome::NoText(why) => plain(extract::document(body, Form::PDF, Err(why))),
        parent::Outcome::OverLimit => Read {
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
