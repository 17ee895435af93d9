//! JSON as publishers write it by hand → JSON.
//!
//! Only used after a parser has failed: well-formed JSON is never changed.

use std::fmt::Write as _;

/// A document after repair.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repaired {
    /// The JSON.
    pub(super) text: String,
    /// The document ended prematurely; the incomplete part is left out.
    pub(super) cut: bool,
}

/// Repairs extra commas, unescaped characters, invalid escapes, and numbers and words that JSON does not know. A
/// document that ends prematurely is closed after its last complete item, so that half an entry never passes for a
/// whole one. `None` if that does not give a document.
pub(super) fn repaired(text: &str, depth_limit: usize) -> Option<Repaired> {
    let mut out = String::with_capacity(text.len() + 16);
    let mut open: Vec<char> = Vec::new();
    // The end of the last complete item: an object in a list of the document itself, not in a list of an item.
    let mut complete = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let behind = &rest[c.len_utf8()..];
        match c {
            '"' => match string(behind, &mut out) {
                Some(end) => rest = end,
                None => break,
            },
            '{' | '[' => {
                if open.len() >= depth_limit {
                    return None;
                }
                open.push(if c == '{' { '}' } else { ']' });
                out.push(c);
                rest = behind;
            }
            '}' | ']' => {
                if open.pop() != Some(c) {
                    return None;
                }
                out.push(c);
                if c == '}' && open == ['}', ']'] {
                    complete = Some(out.len());
                }
                rest = behind;
                if open.is_empty() {
                    // Anything after the document is not part of it.
                    return Some(Repaired {
                        text: out,
                        cut: false,
                    });
                }
            }
            ',' => {
                rest = behind.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
                while let Some(behind) = past_comment(rest) {
                    rest = behind.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
                }
                if !rest.starts_with(['}', ']']) {
                    out.push(',');
                }
            }
            ':' => {
                out.push(c);
                rest = behind;
            }
            c if c.is_whitespace() => {
                out.push(' ');
                rest = behind;
            }
            c if is_of_word(c) => {
                let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
                let (word, behind) = rest.split_at(end);
                let known = serde_json::from_str::<serde_json::Value>(word).is_ok();
                out.push_str(if known { word } else { "null" });
                rest = behind;
            }
            '/' => rest = past_comment(rest)?,
            _ => return None,
        }
    }
    out.truncate(complete?);
    out.push_str("]}");
    Some(Repaired {
        text: out,
        cut: true,
    })
}

/// Where a JSON Feed starts, after text that is not part of it: comments, a guard against being run as a script,
/// the name of a function, server warnings.
pub(super) fn embedded(text: &str) -> Option<&str> {
    const WINDOW: usize = 16 << 10;
    let head = text.get(..text.floor_char_boundary(WINDOW))?;
    let named = head.find("jsonfeed.org/version")?;
    let begins = |at: &usize| head[at + 1..].trim_start().starts_with(['"', '/']);
    let mut braces = head[..named].match_indices('{').map(|(at, _)| at);
    text.get(braces.find(begins)?..)
}

/// Skips a comment, which a script may have here.
fn past_comment(text: &str) -> Option<&str> {
    if let Some(inside) = text.strip_prefix("/*") {
        return inside.split_once("*/").map(|(_, behind)| behind);
    }
    let line = text.strip_prefix("//")?;
    Some(line.find('\n').map_or("", |at| &line[at..]))
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_')
}

/// Copies a string, starting after its opening quotation mark. Returns the text after it, or `None` if it does not
/// end.
fn string<'a>(text: &'a str, out: &mut String) -> Option<&'a str> {
    out.push('"');
    let mut rest = text;
    loop {
        let at = rest.find(|c: char| matches!(c, '"' | '\\') || c < ' ')?;
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let c = special.chars().next()?;
        let behind = &special[1..];
        rest = match c {
            '"' => {
                out.push('"');
                return Some(behind);
            }
            '\\' => escape(behind, out)?,
            // Short escapes; otherwise a text of only line breaks would become six times as long.
            '\n' => {
                out.push_str("\\n");
                behind
            }
            '\t' => {
                out.push_str("\\t");
                behind
            }
            '\r' => {
                out.push_str("\\r");
                behind
            }
            control => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
                behind
            }
        };
    }
}

/// Copies an escape, starting after its backslash, or only the character if it does not need one.
fn escape<'a>(text: &'a str, out: &mut String) -> Option<&'a str> {
    let c = text.chars().next()?;
    let behind = &text[c.len_utf8()..];
    match c {
        '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => {
            out.extend(['\\', c]);
            Some(behind)
        }
        'u' => match unit(behind) {
            Some(first @ 0xd800..=0xdbff) => {
                let second = behind[4..].strip_prefix("\\u").and_then(unit);
                if let Some(second @ 0xdc00..=0xdfff) = second {
                    let _ = write!(out, "\\u{first:04x}\\u{second:04x}");
                    Some(&behind[10..])
                } else {
                    out.push(char::REPLACEMENT_CHARACTER);
                    Some(&behind[4..])
                }
            }
            Some(0xdc00..=0xdfff) => {
                out.push(char::REPLACEMENT_CHARACTER);
                Some(&behind[4..])
            }
            Some(unit) => {
                let _ = write!(out, "\\u{unit:04x}");
                Some(&behind[4..])
            }
            None => {
                out.push(c);
                Some(behind)
            }
        },
        control if control < ' ' => Some(text),
        c => {
            out.push(c);
            Some(behind)
        }
    }
}

/// Parses four hexadecimal digits.
fn unit(text: &str) -> Option<u16> {
    let digits = text.get(..4)?;
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    all.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let found = repaired(text, 8).unwrap_or_else(|| panic!("not repaired: {text}"));
        let value: serde_json::Value = serde_json::from_str(&found.text).expect(text);
        let wanted: serde_json::Value = serde_json::from_str(expected).unwrap();
        assert_eq!(value, wanted, "{text}");
    }

    #[test]
    fn what_parsers_refuse_and_people_understand_is_repaired() {
        check(r#"{"a": [1, 2, ], "b": 3,}"#, r#"{"a":[1,2],"b":3}"#);
        check(
            "{\"a\": \"two\nlines\tand a tab\"}",
            r#"{"a":"two\nlines\tand a tab"}"#,
        );
        check(r#"{"a": "it\'s \x"}"#, r#"{"a":"it's x"}"#);
        check(
            r#"{"a": "\ud83d!", "b": "\ud83d\ude00"}"#,
            "{\"a\":\"\u{fffd}!\",\"b\":\"😀\"}",
        );
        check(
            r#"{"a": 1e999999, "b": NaN, "c": undefined}"#,
            r#"{"a":null,"b":null,"c":null}"#,
        );
        check(r#"{"a": 1} <!-- served by 7 -->"#, r#"{"a":1}"#);
        check(
            "{/* ours */ \"a\": [1, // one\n 2, /* and */ ], \"b\": \"//n.example/*1*/\" // end\n}",
            r#"{"a":[1,2],"b":"//n.example/*1*/"}"#,
        );
    }

    #[test]
    fn a_document_that_ends_in_the_middle_loses_what_is_not_complete() {
        let text = r#"{"v": "1", "items": [{"id": "1"}, {"id": "2", "tags": ["x"]}, {"id": "3", "authors": [{"name": "Ann"}], "text": "Half a sen"#;
        let found = repaired(text, 8).unwrap();
        assert!(found.cut);
        check(
            text,
            r#"{"v":"1","items":[{"id":"1"},{"id":"2","tags":["x"]}]}"#,
        );
        assert_eq!(repaired(r#"{"v": "1", "items": [{"id"#, 8), None);
    }

    #[test]
    fn a_feed_is_found_behind_what_is_none_of_it() {
        let feed = r#"{"version": "https://jsonfeed.org/version/1.1", "items": []}"#;
        for before in [
            "// our feed\n",
            ")]}',\n",
            "callback(",
            "<br />\n<b>Notice</b>: {x} in f.php<br />\n",
        ] {
            let text = format!("{before}{feed}");
            assert_eq!(embedded(&text), Some(feed), "{before}");
        }
        assert_eq!(embedded("see jsonfeed.org/version/1"), None);
        assert_eq!(embedded("<p>{\"a\": 1}"), None);
    }

    #[test]
    fn what_is_no_document_stays_none() {
        for text in ["{'a': 1}", r#"{"a": [}"#, "", "{", &"[".repeat(20)] {
            assert_eq!(repaired(text, 8), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_nothing_grows_without_bound(text in r#"([\[\]{}:,"\\u0-9a-f\n é]|\\ud8|"a"){0,60}"#) {
            if let Some(found) = repaired(&text, 8) {
                prop_assert!(found.text.len() <= 6 * text.len() + 16);
            }
        }
    }
}
