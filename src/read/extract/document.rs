//! Documents that are not pages: what is stored of a PDF, an office document, a picture, a video, an archive.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::article::Article;
use super::form::Form;
use super::kind::PageKind;
use super::page_data::TextSource;
use super::pdf::PdfText;
use crate::domain::state::{Document, PageState};

/// The media type of a document that is not a page, by its bytes; `None` for HTML and plain text.
#[must_use]
pub fn media_type(body: &[u8], content_type: Option<&str>) -> Option<&'static str> {
    match Form::of(body, content_type) {
        Form::Html | Form::Text => None,
        Form::Pdf => Some(Form::PDF),
        Form::Other(media_type) => Some(media_type),
    }
}

/// A document with its text, or with the reason why there is none.
#[must_use]
pub fn document(bytes: &[u8], media_type: &str, text: Result<PdfText, String>) -> Article {
    let (text, no_text) = match text {
        Ok(text) => (Some(text), None),
        Err(why) => (None, Some(why)),
    };
    let hash = Sha256::digest(bytes);
    let truncated = text.as_ref().is_some_and(|text| text.truncated);
    Article {
        kind: PageKind::Document,
        said: None,
        no_text,
        is_listing: false,
        refresh: None,
        source: TextSource::Html,
        state: PageState {
            document: Some(Document {
                text: text.is_some(),
                media_type: media_type.to_owned(),
                bytes: bytes.len() as u64,
                sha256: HEXLOWER.encode(&hash),
            }),
            body: text.map(|text| text.blocks).unwrap_or_default(),
            ..PageState::default()
        },
        title: None,
        language: None,
        ignored: Vec::new(),
        ignored_after: Vec::new(),
        truncated,
    }
}
