//! The type of a document by its bytes: HTML, plain text, PDF or something else.
//!
//! A declared content type is only a hint to choose between HTML and plain text if the bytes allow both.

use super::charset;
use super::markup::{MarkupToken, Tokens};

/// How far into a document its signature is searched for.
const BEGINNING: usize = 1024;

/// How much of a text is searched for tags.
const TAG_WINDOW: usize = 64 << 10;

/// The type of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Markup that a browser would show as a page.
    Html,
    /// Text that is shown as is.
    Text,
    /// A PDF.
    Pdf,
    /// Anything else, with its media type: an office document, a picture, a video, an archive.
    Other(&'static str),
}

impl Form {
    /// The media type of a PDF.
    pub const PDF: &'static str = "application/pdf";

    /// The form of a document; `content_type` is the header's value as received.
    #[must_use]
    pub fn of(body: &[u8], content_type: Option<&str>) -> Self {
        let start = body.trim_ascii_start();
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        if start.starts_with(b"%PDF-") {
            return Self::Pdf;
        }
        if start.starts_with(b"{\\rtf") {
            return Self::Other("application/rtf");
        }
        if start.starts_with(b"%!PS") {
            return Self::Other("application/postscript");
        }
        let decoded = charset::decode(body, content_type);
        let text = decoded.text.trim_start();
        if begins_as_html(text) && !begins_as_other_xml(text) {
            return Self::Html;
        }
        if !is_text(&decoded.text) {
            return binary(body);
        }
        match declared(content_type) {
            DeclaredForm::Text => Self::Text,
            DeclaredForm::Html if has_tags(text, &[STRUCTURE, INLINE]) || has_references(text) => {
                Self::Html
            }
            DeclaredForm::Nothing if text.starts_with('<') && has_tags(text, &[STRUCTURE]) => {
                Self::Html
            }
            DeclaredForm::Html | DeclaredForm::Nothing => Self::Text,
        }
    }
}

/// A document that is not text.
fn binary(body: &[u8]) -> Form {
    // Some writers put other bytes before the signature, and PDF readers accept them.
    let beginning = body.get(..BEGINNING).unwrap_or(body);
    if beginning.windows(5).any(|window| window == b"%PDF-") {
        return Form::Pdf;
    }
    if body.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        // Word, Excel, PowerPoint and Outlook before 2007.
        return Form::Other("application/x-ole-storage");
    }
    Form::Other(infer::get(body).map_or("application/octet-stream", |kind| kind.mime_type()))
}

enum DeclaredForm {
    Html,
    Text,
    Nothing,
}

fn declared(content_type: Option<&str>) -> DeclaredForm {
    let essence = content_type.and_then(|value| value.split(';').next());
    let essence = essence.unwrap_or_default().trim().to_ascii_lowercase();
    if essence.contains("html") {
        DeclaredForm::Html
    } else if essence.starts_with("text/") && !essence.ends_with("xml") {
        DeclaredForm::Text
    } else {
        DeclaredForm::Nothing
    }
}

/// Whether a text starts with something that browsers treat as the start of HTML, whatever its declared type.
fn begins_as_html(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<title",
        "<meta",
        "<article",
        "<main",
        "<section",
        "<header",
        "<script",
        "<style",
        "<link",
        "<iframe",
        "<h1",
        "<div",
        "<table",
        "<p",
        "<!--",
        "<?xml",
    ];
    STARTS.iter().any(|start| {
        let Some(found) = text.get(..start.len()) else {
            return false;
        };
        let behind = text.as_bytes().get(start.len());
        let ends =
            behind.is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'));
        found.eq_ignore_ascii_case(start) && (ends || matches!(*start, "<!--" | "<?xml"))
    })
}

/// A comment or prolog before something that is not a page: what follows decides.
fn begins_as_other_xml(text: &str) -> bool {
    (text.starts_with("<!--") || text.starts_with("<?")) && !has_tags(text, &[STRUCTURE])
}

/// Whether this is a text: control characters and undecodable bytes are rare in one.
fn is_text(text: &str) -> bool {
    let (mut all, mut strange) = (0_usize, 0_usize);
    for c in text.chars() {
        all += 1;
        let is_space = matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1b}');
        strange += usize::from((c.is_control() && !is_space) || c == char::REPLACEMENT_CHARACTER);
    }
    strange <= 1 || strange * 100 < all
}

/// Whether one of the elements is near the start of a text; `Vec<String>` and `<stdin>` are not HTML tags.
fn has_tags(text: &str, elements: &[&[&str]]) -> bool {
    let mut end = text.len().min(TAG_WINDOW);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut tokens = Tokens::new(&text[..end]);
    let known = |name: &str| {
        elements
            .iter()
            .copied()
            .flatten()
            .any(|element| name.eq_ignore_ascii_case(element))
    };
    std::iter::from_fn(|| tokens.next()).any(|token| match token {
        MarkupToken::Start(tag) => known(tag.name),
        MarkupToken::Declaration(text) => text.to_ascii_lowercase().starts_with("doctype html"),
        _ => false,
    })
}

fn has_references(text: &str) -> bool {
    text.split('&').skip(1).take(100).any(|behind| {
        let name = behind.split(';').next().unwrap_or_default();
        let is_name = (2..=10).contains(&name.len());
        is_name
            && behind.len() > name.len()
            && name.chars().all(|c| c == '#' || c.is_ascii_alphanumeric())
    })
}

/// Block elements that pages consist of.
const STRUCTURE: &[&str] = &[
    "html",
    "head",
    "body",
    "title",
    "meta",
    "link",
    "script",
    "style",
    "article",
    "main",
    "section",
    "header",
    "footer",
    "nav",
    "aside",
    "div",
    "p",
    "hr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "dl",
    "table",
    "tr",
    "td",
    "th",
    "blockquote",
    "pre",
    "figure",
    "form",
    "iframe",
    "center",
    "font",
];

/// Inline elements.
const INLINE: &[&str] = &["a", "b", "i", "em", "strong", "span", "img", "br"];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], content_type: Option<&str>, form: Form) {
        assert_eq!(
            Form::of(body, content_type),
            form,
            "{}",
            String::from_utf8_lossy(body)
        );
    }

    #[test]
    fn html_is_html_whatever_it_is_declared_as() {
        for html in [
            "<!DOCTYPE html><p>x",
            "\u{feff}\n<html lang=en>",
            "<!-- saved from url --><!doctype HTML>",
            "<?xml version=\"1.0\"?><html xmlns=\"x\"><p>a</p></html>",
            "<p>A paragraph.</p>",
            "<p class=x>\0 a stray byte",
        ] {
            for declared in [
                None,
                Some("text/html"),
                Some("text/plain"),
                Some("application/pdf"),
                Some("image/png"),
            ] {
                check(html.as_bytes(), declared, Form::Html);
            }
        }
        check(
            b"Hello <b>there</b>",
            Some("text/html; charset=utf-8"),
            Form::Html,
        );
        check(b"caf&eacute;", Some("text/html"), Form::Html);
        check(b"", Some("text/plain"), Form::Text);
        check("<\0p\0>\0a\0".as_bytes(), None, Form::Html);
    }

    #[test]
    fn text_with_angle_brackets_is_text() {
        for text in [
            "The function parse(Vec<String>) returns <stdin>.",
            "< 5 people and > 3 cats",
            "<author> writes: a < b",
            "BMW announced a new plant.",
            "{\"key\": [1, 2]}",
            "GIF89 is an old format.",
            "\u{1b}[31mred\u{1b}[0m on a terminal",
        ] {
            for declared in [
                None,
                Some("text/plain"),
                Some("text/html"),
                Some("application/octet-stream"),
            ] {
                check(text.as_bytes(), declared, Form::Text);
            }
        }
        // A text about an element, not HTML.
        check(b"Plain text.\n\n<p>is a tag", None, Form::Text);
        check(
            b"Plain text.\n\n<p>is a tag",
            Some("text/plain"),
            Form::Text,
        );
        check(b"\xff\xfeG\0r\0\xfc\0", None, Form::Text);
        check(b"caf\xe9 ferm\xe9", Some("text/plain"), Form::Text);
    }

    #[test]
    fn binary_is_never_text() {
        for declared in [None, Some("text/html"), Some("text/plain; charset=utf-8")] {
            check(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", declared, Form::Pdf);
            check(b"\r\n%PDF-1.4\nplain", declared, Form::Pdf);
            check(
                b"\0\x01\x02junk\x03\x04%PDF-1.4 \x05\x06",
                declared,
                Form::Pdf,
            );
            check(
                b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01",
                declared,
                Form::Other("image/png"),
            );
            check(
                b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                declared,
                Form::Other("application/zip"),
            );
            check(
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0",
                declared,
                Form::Other("application/x-ole-storage"),
            );
            check(
                b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0",
                declared,
                Form::Other("video/mp4"),
            );
            check(
                b"{\\rtf1\\ansi hello}",
                declared,
                Form::Other("application/rtf"),
            );
            let noise: Vec<u8> = (0..2000_u32)
                .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
                .collect();
            assert!(matches!(Form::of(&noise, declared), Form::Other(_)));
        }
    }
}
