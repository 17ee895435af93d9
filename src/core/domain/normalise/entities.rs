//! Entities that were escaped twice, so that they are still in the text after one decoding.

use std::borrow::Cow;

/// The names that matter: those that editors and feed generators write.
const NAMED: &[(&str, char)] = &[
    ("quot", '"'),
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("shy", '\u{ad}'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'),
    ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
    ("lrm", '\u{200e}'),
    ("rlm", '\u{200f}'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("minus", '−'),
    ("hellip", '…'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("lsaquo", '‹'),
    ("rsaquo", '›'),
    ("prime", '′'),
    ("Prime", '″'),
    ("bull", '•'),
    ("middot", '·'),
    ("deg", '°'),
    ("plusmn", '±'),
    ("times", '×'),
    ("divide", '÷'),
    ("frac12", '½'),
    ("frac14", '¼'),
    ("frac34", '¾'),
    ("euro", '€'),
    ("pound", '£'),
    ("yen", '¥'),
    ("cent", '¢'),
    ("sect", '§'),
    ("para", '¶'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("dagger", '†'),
    ("permil", '‰'),
    ("iexcl", '¡'),
    ("iquest", '¿'),
    ("ordf", 'ª'),
    ("ordm", 'º'),
    ("sup2", '²'),
    ("sup3", '³'),
    ("micro", 'µ'),
    ("szlig", 'ß'),
    ("Agrave", 'À'),
    ("Aacute", 'Á'),
    ("Acirc", 'Â'),
    ("Atilde", 'Ã'),
    ("Auml", 'Ä'),
    ("Aring", 'Å'),
    ("AElig", 'Æ'),
    ("Ccedil", 'Ç'),
    ("Egrave", 'È'),
    ("Eacute", 'É'),
    ("Ecirc", 'Ê'),
    ("Euml", 'Ë'),
    ("Igrave", 'Ì'),
    ("Iacute", 'Í'),
    ("Icirc", 'Î'),
    ("Iuml", 'Ï'),
    ("ETH", 'Ð'),
    ("Ntilde", 'Ñ'),
    ("Ograve", 'Ò'),
    ("Oacute", 'Ó'),
    ("Ocirc", 'Ô'),
    ("Otilde", 'Õ'),
    ("Ouml", 'Ö'),
    ("Oslash", 'Ø'),
    ("Ugrave", 'Ù'),
    ("Uacute", 'Ú'),
    ("Ucirc", 'Û'),
    ("Uuml", 'Ü'),
    ("Yacute", 'Ý'),
    ("THORN", 'Þ'),
    ("agrave", 'à'),
    ("aacute", 'á'),
    ("acirc", 'â'),
    ("atilde", 'ã'),
    ("auml", 'ä'),
    ("aring", 'å'),
    ("aelig", 'æ'),
    ("ccedil", 'ç'),
    ("egrave", 'è'),
    ("eacute", 'é'),
    ("ecirc", 'ê'),
    ("euml", 'ë'),
    ("igrave", 'ì'),
    ("iacute", 'í'),
    ("icirc", 'î'),
    ("iuml", 'ï'),
    ("eth", 'ð'),
    ("ntilde", 'ñ'),
    ("ograve", 'ò'),
    ("oacute", 'ó'),
    ("ocirc", 'ô'),
    ("otilde", 'õ'),
    ("ouml", 'ö'),
    ("oslash", 'ø'),
    ("ugrave", 'ù'),
    ("uacute", 'ú'),
    ("ucirc", 'û'),
    ("uuml", 'ü'),
    ("yacute", 'ý'),
    ("thorn", 'þ'),
    ("yuml", 'ÿ'),
    ("OElig", 'Œ'),
    ("oelig", 'œ'),
    ("Scaron", 'Š'),
    ("scaron", 'š'),
    ("Yuml", 'Ÿ'),
    ("Zcaron", 'Ž'),
    ("zcaron", 'ž'),
];

/// The longest name or number between `&` and `;`.
const LONGEST: usize = 8;

/// Decodes the remaining entities: `&quot;`, `&#8217;`, and `&amp;amp;quot;` in one go.
///
/// Numeric entities for ASCII letters, digits, `#`, `&` and `;` are kept, since decoding them could create a new
/// entity, and a second pass must not find anything to decode.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find('&')) {
        let start = from + at;
        let after = skip_ampersands(text, start + 1);
        match entity_at(text, after) {
            Some((c, end)) => {
                out.push_str(&text[copied..start]);
                out.push(c);
                copied = end;
                from = end;
            }
            None if after > start + 1 => {
                out.push_str(&text[copied..=start]);
                copied = after;
                from = after;
            }
            None => from = start + 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Where the `amp;amp;…` after an ampersand ends: each one escapes the same character once more.
fn skip_ampersands(text: &str, mut at: usize) -> usize {
    while let Some(rest) = text.get(at..) {
        let spelling = ["amp;", "#38;", "#x26;", "#X26;"]
            .into_iter()
            .find(|spelling| rest.starts_with(spelling));
        match spelling {
            Some(spelling) => at += spelling.len(),
            None => break,
        }
    }
    at
}

/// The character named at `at` (after the ampersand), and where its semicolon ends.
fn entity_at(text: &str, at: usize) -> Option<(char, usize)> {
    let rest = text.as_bytes().get(at..)?;
    let length = rest
        .iter()
        .take(LONGEST + 1)
        .position(|&byte| byte == b';')?;
    let name = text.get(at..at + length)?;
    let c = match name.strip_prefix('#') {
        Some(number) => numbered(number)?,
        None => {
            NAMED
                .iter()
                .find(|(known, _)| *known == name && *known != "amp")?
                .1
        }
    };
    Some((c, at + length + 1))
}

fn numbered(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            u32::from_str_radix(hex, 16).ok()?
        }
        None if number.bytes().all(|byte| byte.is_ascii_digit()) => number.parse().ok()?,
        _ => return None,
    };
    // 0x80–0x9F are decoded as windows-1252, as in browsers.
    let c = match u8::try_from(code) {
        Ok(byte @ 0x80..=0x9f) => super::mojibake::from_windows_1252(byte),
        _ => char::from_u32(code)?,
    };
    (!c.is_ascii_alphanumeric() && !matches!(c, '#' | '&' | ';')).then_some(c)
}
