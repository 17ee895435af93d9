//! Bytes → text. The byte order mark comes first, then the response header, then the document's own declaration,
//! each checked against the bytes. If nothing is declared, or the declaration cannot be right, only the bytes
//! decide.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// How far into a document to search for its declaration. HTML's rule is 1,024 bytes, but pages break it.
const DECLARATION_WINDOW: usize = 4096;

/// How much of a document to use for guessing its character set. The beginning may be all markup.
const GUESS_WINDOW: usize = 256 << 10;

/// The fewest non-ASCII bytes needed for a guess.
const GUESS_LEAST: usize = 16;

/// A document as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text, without its byte order mark.
    pub text: Cow<'a, str>,
    /// The document is in a different character set from the one that it, or its header, declares.
    pub misdeclared: bool,
    /// Some bytes could not be decoded and were replaced by U+FFFD.
    pub malformed: bool,
}

/// Decodes a document; `content_type` is the header's value as received.
#[must_use]
pub fn decode<'a>(body: &'a [u8], content_type: Option<&str>) -> Decoded<'a> {
    if let Some(text) = decode_utf32(body) {
        return Decoded {
            malformed: text.contains(char::REPLACEMENT_CHARACTER),
            text: Cow::Owned(text),
            misdeclared: false,
        };
    }
    if let Some((encoding, length)) = Encoding::for_bom(body) {
        return with(encoding, body.get(length..).unwrap_or_default(), false);
    }
    if let Some(encoding) = wide_without_mark(body) {
        return with(encoding, body, false);
    }
    let declared = DeclaredCharset::by(content_type, body);
    let decoded = if let Ok(text) = std::str::from_utf8(body) {
        valid_utf8(text, body, declared.encoding)
    } else {
        match declared.encoding.filter(|encoding| *encoding != UTF_8) {
            Some(encoding) => with(encoding, body, false),
            None => invalid_utf8(body, declared.encoding.is_some()),
        }
    };
    Decoded {
        misdeclared: decoded.misdeclared || declared.wrongly,
        ..decoded
    }
}

/// Text is practically never well-formed UTF-8 by accident, so this beats every declaration.
fn valid_utf8<'a>(
    text: &'a str,
    body: &'a [u8],
    declared: Option<&'static Encoding>,
) -> Decoded<'a> {
    let foreign = declared.filter(|encoding| *encoding != UTF_8);
    if let Some(encoding) = foreign {
        // ISO-2022-JP is ASCII with escapes: the only other set whose text is always well-formed UTF-8.
        if !encoding.is_ascii_compatible() && body.contains(&0x1b) {
            return with(encoding, body, false);
        }
    }
    Decoded {
        text: Cow::Borrowed(text),
        // A wide set is wrong for ASCII, too.
        misdeclared: foreign.is_some_and(|encoding| is_wide(encoding) || !text.is_ascii()),
        malformed: false,
    }
}

/// UTF-8 with a few bad bytes is still UTF-8; text without a single well-formed sequence never was.
fn invalid_utf8(body: &[u8], declared: bool) -> Decoded<'_> {
    let text = String::from_utf8_lossy(body);
    let (mut bad, mut good) = (0usize, 0usize);
    for c in text.chars() {
        if c == char::REPLACEMENT_CHARACTER {
            bad += 1;
        } else if !c.is_ascii() {
            good += 1;
        }
    }
    if good >= bad {
        return Decoded {
            text,
            misdeclared: false,
            malformed: true,
        };
    }
    with(guess(body), body, declared)
}

/// Guesses the character set from the bytes, as browsers do. A few letters are not enough for a guess: the next
/// edit could change it, and the whole text would seem rewritten. Then the set of most undeclared documents on the
/// web is used.
fn guess(body: &[u8]) -> &'static Encoding {
    let window = body.get(..GUESS_WINDOW).unwrap_or(body);
    let telling = window.iter().filter(|byte| !byte.is_ascii()).count();
    if telling < GUESS_LEAST {
        return WINDOWS_1252;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(window, window.len() == body.len());
    detector.guess(None, Utf8Detection::Deny)
}

fn with<'a>(encoding: &'static Encoding, body: &'a [u8], misdeclared: bool) -> Decoded<'a> {
    let (text, malformed) = encoding.decode_without_bom_handling(body);
    Decoded {
        text,
        misdeclared,
        malformed,
    }
}

/// The character set that a document declares: in its header, or else in itself.
#[derive(Debug, Clone, Copy, Default)]
struct DeclaredCharset {
    encoding: Option<&'static Encoding>,
    /// The declared name is unknown, or the set cannot be in use.
    wrongly: bool,
}

impl DeclaredCharset {
    fn by(content_type: Option<&str>, body: &[u8]) -> Self {
        let header = content_type.and_then(header_charset).unwrap_or_default();
        if header.encoding.is_some() {
            return header;
        }
        let own = declaration(body).unwrap_or_default();
        Self {
            encoding: own.encoding,
            wrongly: own.wrongly || header.wrongly,
        }
    }

    fn named(name: &str) -> Self {
        let encoding = label(name);
        Self {
            encoding,
            wrongly: encoding.is_none() && !name.is_empty(),
        }
    }

    /// The declaration inside a document was readable as ASCII, so the document cannot be UTF-16.
    fn named_in_ascii(name: &str) -> Self {
        let found = Self::named(name);
        if found.encoding.is_some_and(is_wide) {
            return Self {
                encoding: Some(UTF_8),
                wrongly: true,
            };
        }
        found
    }
}

fn is_wide(encoding: &Encoding) -> bool {
    [UTF_16BE, UTF_16LE].contains(&encoding)
}

/// `text/html; charset=utf-8` → UTF-8.
fn header_charset(content_type: &str) -> Option<DeclaredCharset> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let named = name.trim().eq_ignore_ascii_case("charset");
        named.then(|| DeclaredCharset::named(value.trim().trim_matches(['"', '\''])))
    })
}

fn label(name: &str) -> Option<&'static Encoding> {
    Encoding::for_label(name.as_bytes())
        .filter(|encoding| ![REPLACEMENT, X_USER_DEFINED].contains(encoding))
}

/// `<?xml encoding="…"?>`, `<meta charset=…>`, `<meta content="…; charset=…">`.
fn declaration(body: &[u8]) -> Option<DeclaredCharset> {
    let head = body.get(..DECLARATION_WINDOW).unwrap_or(body);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let prolog = head
        .find("<?xml")
        .and_then(|from| head[from..].split("?>").next());
    if let Some(prolog) = prolog
        && let Some(encoding) = value_after(prolog, "encoding")
    {
        return Some(DeclaredCharset::named_in_ascii(encoding));
    }
    let mut rest = head.as_str();
    while let Some(from) = rest.find("<meta") {
        let (tag, behind) = rest[from + 5..].split_once('>').unwrap_or(("", ""));
        if let Some(encoding) = value_after(tag, "charset") {
            return Some(DeclaredCharset::named_in_ascii(encoding));
        }
        rest = behind;
    }
    None
}

/// `encoding = "x"` → `x`.
fn value_after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let behind = &text[text.find(name)? + name.len()..];
    let value = behind.trim_start().strip_prefix('=')?.trim_start();
    let value = value.trim_start_matches(['"', '\'']);
    let end = value.find(|c: char| matches!(c, '"' | '\'' | ';' | '/' | '?') || c.is_whitespace());
    Some(&value[..end.unwrap_or(value.len())])
}

/// UTF-16 without a byte order mark starts with `<` or `{` and a zero byte.
fn wide_without_mark(body: &[u8]) -> Option<&'static Encoding> {
    match body.get(..4)? {
        [b'<' | b'{' | b' ' | b'\n', 0, second, 0] if *second != 0 => Some(UTF_16LE),
        [0, b'<' | b'{' | b' ' | b'\n', 0, second] if *second != 0 => Some(UTF_16BE),
        _ => None,
    }
}

/// UTF-32 is not among the web's character sets, but some feeds use it.
fn decode_utf32(body: &[u8]) -> Option<String> {
    let (rest, big_endian) = match body.get(..4)? {
        [0, 0, 0xfe, 0xff] => (&body[4..], true),
        [0xff, 0xfe, 0, 0] => (&body[4..], false),
        [0, 0, 0, b'<'] => (body, true),
        [b'<', 0, 0, 0] => (body, false),
        _ => return None,
    };
    let decode = |unit: &[u8; 4]| {
        let code = if big_endian {
            u32::from_be_bytes(*unit)
        } else {
            u32::from_le_bytes(*unit)
        };
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    };
    Some(rest.as_chunks::<4>().0.iter().map(decode).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], content_type: Option<&str>, text: &str, misdeclared: bool) {
        let decoded = decode(body, content_type);
        assert_eq!(decoded.text, text);
        assert_eq!(decoded.misdeclared, misdeclared, "{text}");
    }

    #[test]
    fn the_byte_order_mark_beats_the_header() {
        check(
            b"\xef\xbb\xbf<a>\xc3\xa9",
            Some("text/xml; charset=iso-8859-1"),
            "<a>é",
            false,
        );
        check(b"\xff\xfe<\0a\0>\0", None, "<a>", false);
        check(b"\0<\0a\0>", None, "<a>", false);
        check(b"\0\0\xfe\xff\0\0\0<\0\0\x20\xac", None, "<€", false);
    }

    #[test]
    fn the_header_beats_the_document() {
        let body = b"<?xml version='1.0' encoding='koi8-r'?><a>\xe9</a>";
        let text = "<?xml version='1.0' encoding='koi8-r'?><a>é</a>";
        check(body, Some("text/xml; charset=\"ISO-8859-1\""), text, false);
    }

    #[test]
    fn well_formed_utf8_beats_every_declaration() {
        let body = "<meta http-equiv=x content='text/html; charset=iso-8859-1'>é".as_bytes();
        check(
            body,
            None,
            "<meta http-equiv=x content='text/html; charset=iso-8859-1'>é",
            true,
        );
    }

    #[test]
    fn latin_1_that_claims_to_be_utf8_is_read() {
        check(
            b"<?xml encoding='utf-8'?>caf\xe9",
            None,
            "<?xml encoding='utf-8'?>café",
            true,
        );
    }

    #[test]
    fn a_set_that_nobody_declares_is_guessed() {
        let russian =
            "Совет решил, что старый мост будет закрыт до весны, и просит жителей ездить в объезд.";
        let japanese = "市議会は、古い橋を春まで閉鎖し、住民に迂回するよう求めることを決めました。";
        let greek = "Το συμβούλιο αποφάσισε ότι η παλιά γέφυρα θα μείνει κλειστή μέχρι την άνοιξη.";
        for (text, encoding) in [
            (russian, encoding_rs::KOI8_R),
            (russian, encoding_rs::WINDOWS_1251),
            (japanese, encoding_rs::EUC_JP),
            (japanese, encoding_rs::SHIFT_JIS),
            (greek, encoding_rs::ISO_8859_7),
        ] {
            let document = format!("<rss><title>{text}</title></rss>");
            let (bytes, _, _) = encoding.encode(&document);
            check(&bytes, None, &document, false);
            let lying = format!("<?xml version='1.0' encoding='utf-8'?>{document}");
            let (bytes, _, _) = encoding.encode(&lying);
            check(&bytes, None, &lying, true);
        }
    }

    #[test]
    fn one_bad_byte_does_not_spoil_utf8() {
        let decoded = decode(
            "é è ü"
                .as_bytes()
                .iter()
                .chain(b"\xff")
                .copied()
                .collect::<Vec<_>>()
                .leak(),
            None,
        );
        assert_eq!(decoded.text, "é è ü\u{fffd}");
        assert!(decoded.malformed);
    }

    #[test]
    fn a_document_cannot_declare_a_wide_set_in_ascii() {
        check(
            b"<?xml encoding='utf-16'?>x",
            None,
            "<?xml encoding='utf-16'?>x",
            true,
        );
        check(b"<a/>", Some("text/xml; charset=utf-16"), "<a/>", true);
    }

    #[test]
    fn a_name_that_nobody_knows_is_a_wrong_one() {
        let (text, wrong) = ("<?xml encoding='utf-8'?>é", "<?xml encoding='klingon'?>é");
        check(
            text.as_bytes(),
            Some("text/xml; charset=x-none"),
            text,
            true,
        );
        check(text.as_bytes(), Some("text/xml; charset="), text, false);
        check(wrong.as_bytes(), None, wrong, true);
        check(
            wrong.as_bytes(),
            Some("text/xml; charset=utf-8"),
            wrong,
            false,
        );
        check(
            b"<?xml encoding='klingon'?>caf\xe9",
            None,
            "<?xml encoding='klingon'?>café",
            true,
        );
    }

    #[test]
    fn escapes_of_iso_2022_jp_are_text() {
        check(
            b"<meta charset=iso-2022-jp>\x1b$B$\"\x1b(B",
            None,
            "<meta charset=iso-2022-jp>あ",
            false,
        );
    }
}
