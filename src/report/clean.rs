//! Makes untrusted text safe to show: on a terminal, in a log, in a message.
//!
//! All text from a feed or a page passes through here before it is printed. Control characters, whole escape
//! sequences and invisible characters that can fool a reader (bidirectional overrides, zero-width characters,
//! tags) are removed; letters of all scripts stay, and so do the joiners that scripts and emoji need.
//!
//! This never changes stored text: it is for display only. Nothing here escapes for HTML, Markdown or chat; the
//! renderer that writes such a format does that.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use crate::domain::diff::{Segment, as_read};

/// A longer control string (`ESC ]` … `BEL`) is not treated as one: only its control characters are removed, so
/// that nobody can hide a text by opening a string before it and closing it after it.
const CONTROL_STRING_MAX: usize = 256;

/// How many marks on one letter are kept. Thai and Vietnamese need two or three, Tibetan a few more; "zalgo" has
/// dozens.
const MARKS_MAX: usize = 6;

/// One line: line breaks and tabs become spaces, unsafe characters are removed. Ordinary white space stays as it
/// is, so that a piece of a text can be cleaned on its own.
#[must_use]
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if is_plain(text, false) {
        unmarked(Cow::Borrowed(text))
    } else {
        unmarked(Cow::Owned(filter(text, false)))
    }
}

/// Several lines: every kind of line break becomes `\n`, a tab becomes four spaces, unsafe characters are removed.
#[must_use]
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    if is_plain(text, true) {
        unmarked(Cow::Borrowed(text))
    } else {
        unmarked(Cow::Owned(filter(text, true)))
    }
}

/// The marks around removed and added text: `[-old-]{+new+}`.
const MARKS: [&str; 4] = ["[-", "-]", "{+", "+}"];

/// Untrusted text must not look like a change: a backslash splits anything that resembles one of our marks
/// (`[\-`).
fn unmarked(text: Cow<'_, str>) -> Cow<'_, str> {
    if !MARKS.iter().any(|mark| text.contains(mark)) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut previous = None;
    for c in text.chars() {
        let pair = previous.map(|previous| (previous, c));
        if matches!(
            pair,
            Some(('[', '-') | ('-', ']') | ('{', '+') | ('+', '}'))
        ) {
            out.push('\\');
        }
        out.push(c);
        previous = Some(c);
    }
    Cow::Owned(out)
}

/// An equivalent JSON document in which characters that could control a terminal or reverse text are written as
/// `\u…`: JSON itself requires that only for characters below a space.
#[must_use]
pub(crate) fn json(document: &str) -> Cow<'_, str> {
    let harms = |c: char| {
        let steers = c == '\u{7f}' || ('\u{80}'..='\u{9f}').contains(&c);
        let turns = matches!(
            c,
            '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        );
        steers || turns
    };
    if !document.contains(harms) {
        return Cow::Borrowed(document);
    }
    let mut out = String::with_capacity(document.len() + 64);
    for c in document.chars() {
        if harms(c) {
            // They occur only inside JSON strings, and all of them are in the basic plane.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// An address: like [`line`], but without any white space, so that it is one word wherever it is printed.
#[must_use]
pub(crate) fn address(text: &str) -> Cow<'_, str> {
    let text = line(text);
    if text.contains(char::is_whitespace) {
        Cow::Owned(text.split_whitespace().collect())
    } else {
        text
    }
}

/// Segments [as a reader takes them](as_read), with every text cleaned like [`line`]; empty ones are dropped.
#[must_use]
pub(crate) fn segments(segments: &[Segment]) -> Vec<Segment> {
    as_read(segments)
        .iter()
        .map(|segment| {
            let text = line(segment.text()).into_owned();
            match segment {
                Segment::Equal(_) => Segment::Equal(text),
                Segment::Delete(_) => Segment::Delete(text),
                Segment::Insert(_) => Segment::Insert(text),
            }
        })
        .filter(|segment| !segment.text().is_empty())
        .collect()
}

/// At most `max` graphemes, on one line, without white space at the ends; `…` replaces the rest, after the last
/// space if one is near.
#[must_use]
pub(crate) fn excerpt(text: &str, max: usize) -> String {
    // A grapheme takes at least one byte, but can take any number: the cap keeps a line of megabytes cheap.
    let text = cut_bytes(text, max.saturating_mul(16).saturating_add(64));
    let clean = line(text.kept);
    let clean = clean.trim();
    let mut ends = clean.grapheme_indices(true).skip(max);
    let cut = match ends.next() {
        Some((end, _)) => end,
        None if text.whole => return clean.to_owned(),
        None => clean.len(),
    };
    // One grapheme less leaves room for the `…`.
    let room = clean[..cut]
        .grapheme_indices(true)
        .next_back()
        .map_or(0, |(at, _)| at);
    let head = &clean[..room];
    // A word that ends exactly here is complete.
    let word_end = Some(room).filter(|room| clean[*room..].starts_with(' '));
    let word_end = word_end.or_else(|| head.rfind(' ').filter(|at| at * 2 >= head.len()));
    format!("{}…", head[..word_end.unwrap_or(room)].trim_end())
}

/// For logs: nothing is lost, but unprintable characters are written as escapes (`\n`, `\u{1b}`), so that no text
/// can end a line or look like another one.
#[must_use]
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if is_plain(text, false) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() || is_line_break(c) || is_invisible(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// The beginning of a text.
struct Cut<'a> {
    kept: &'a str,
    whole: bool,
}

fn cut_bytes(text: &str, max: usize) -> Cut<'_> {
    if text.len() <= max {
        return Cut {
            kept: text,
            whole: true,
        };
    }
    Cut {
        kept: &text[..text.floor_char_boundary(max)],
        whole: false,
    }
}

/// Whether nothing needs cleaning, which is true of nearly all texts.
fn is_plain(text: &str, keep_newline: bool) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' '..=b'~') || (keep_newline && byte == b'\n'))
}

fn filter(text: &str, keep_newline: bool) -> String {
    let right_to_left = text.chars().any(is_right_to_left);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut marks = 0_usize;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if let Some(length) = escape_sequence(c, after) {
            rest = &after[length..];
            continue;
        }
        rest = after;
        if is_line_break(c) {
            // CR LF is one line break.
            if c == '\r' && rest.starts_with('\n') {
                continue;
            }
            out.push(if keep_newline { '\n' } else { ' ' });
            continue;
        }
        if c == '\t' {
            out.push_str(if keep_newline { "    " } else { " " });
            continue;
        }
        if c.is_control() {
            continue;
        }
        if is_combining_mark(c) && !is_variation_selector(c) {
            marks += 1;
            if marks > MARKS_MAX {
                continue;
            }
        } else {
            marks = 0;
        }
        if is_invisible(c) && !is_needed(c, &out, rest, right_to_left) {
            continue;
        }
        out.push(c);
    }
    out
}

/// The length of the rest of the escape sequence that `first` opens; `None` if it does not open one.
///
/// ECMA-48: `ESC [` and U+009B open a control sequence; `ESC ]`, `ESC P`, `ESC X`, `ESC ^`, `ESC _` and their C1
/// forms open a string that BEL or `ESC \` closes; any other escape is `ESC`, intermediate bytes and one final
/// byte.
fn escape_sequence(first: char, after: &str) -> Option<usize> {
    match first {
        '\u{9b}' => Some(control_sequence(after)),
        '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => Some(control_string(after)),
        '\u{1b}' => Some(match after.chars().next() {
            Some('[') => 1 + control_sequence(&after[1..]),
            Some(']' | 'P' | 'X' | '^' | '_') => 1 + control_string(&after[1..]),
            Some(' '..='/') => {
                let intermediate = run(after, ' ', '/');
                intermediate + run_of_one(&after[intermediate..], '0', '~')
            }
            Some('0'..='~') => 1,
            _ => 0,
        }),
        _ => None,
    }
}

/// Parameters, intermediates and the final byte.
fn control_sequence(text: &str) -> usize {
    let parameters = run(text, '0', '?');
    let intermediates = run(&text[parameters..], ' ', '/');
    let end = parameters + intermediates;
    if end > CONTROL_STRING_MAX {
        return 0;
    }
    end + run_of_one(&text[end..], '@', '~')
}

/// Up to and including the terminator; nothing if there is none nearby.
fn control_string(text: &str) -> usize {
    for (at, c) in text.char_indices().take(CONTROL_STRING_MAX) {
        match c {
            '\u{7}' | '\u{9c}' => return at + c.len_utf8(),
            '\u{1b}' if text[at + 1..].starts_with('\\') => return at + 2,
            // A string that contains control characters is not a control string: this also keeps the lookahead
            // from being repeated.
            c if c.is_control() => return 0,
            _ => {}
        }
    }
    0
}

fn run(text: &str, low: char, high: char) -> usize {
    text.find(|c| !(low..=high).contains(&c))
        .unwrap_or(text.len())
}

fn run_of_one(text: &str, low: char, high: char) -> usize {
    usize::from(text.starts_with(|c| (low..=high).contains(&c)))
}

fn is_line_break(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Characters without a shape of their own that can change or hide other characters.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}'                        // soft hyphen
        | '\u{34f}'                     // combining grapheme joiner
        | '\u{61c}' | '\u{200e}' | '\u{200f}'   // marks of direction
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'    // Hangul fillers
        | '\u{17b4}' | '\u{17b5}'       // Khmer inherent vowels
        | '\u{180b}'..='\u{180f}'       // Mongolian selectors and separator
        | '\u{200b}'..='\u{200d}'       // zero-width space, non-joiner, joiner
        | '\u{202a}'..='\u{202e}'       // embeddings and overrides
        | '\u{2060}'..='\u{206f}'       // word joiner, isolates, deprecated controls
        | '\u{fe00}'..='\u{fe0f}'       // variation selectors
        | '\u{feff}'                    // byte order mark
        | '\u{fff0}'..='\u{fffb}'       // interlinear annotation
        | '\u{1bca0}'..='\u{1bca3}'     // shorthand format controls
        | '\u{1d173}'..='\u{1d17a}'     // musical format controls
        | '\u{e0000}'..='\u{e0fff}')    // tags, variation selectors supplement
        || (u32::from(c) & 0xfffe) == 0xfffe // not characters at all
        || ('\u{fdd0}'..='\u{fdef}').contains(&c)
}

/// Whether an invisible character is used for its intended purpose here.
fn is_needed(c: char, before: &str, after: &str, right_to_left: bool) -> bool {
    let previous = before.chars().next_back();
    match c {
        // Joiners shape Arabic, Persian and Indic words and hold emoji together; between Latin letters they only
        // hide.
        '\u{200c}' | '\u{200d}' => {
            let shaped = |c: Option<char>| {
                c.is_some_and(|c| !c.is_ascii() && !c.is_whitespace() && !is_joiner(c))
            };
            shaped(previous) && shaped(after.chars().next())
        }
        // Emoji and text style, keycaps, ideograph variants.
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => previous.is_some_and(|p| {
            (!p.is_ascii() && !is_variation_selector(p)) || "0123456789#*".contains(p)
        }),
        // The flags of England, Scotland and Wales: a black flag with tags, closed by the last tag.
        '\u{e0020}'..='\u{e007f}' => in_flag(before),
        // They place punctuation on the correct side in right-to-left text, and override nothing.
        '\u{200e}' | '\u{200f}' | '\u{61c}' => right_to_left,
        _ => false,
    }
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{180b}'..='\u{180f}')
}

fn in_flag(before: &str) -> bool {
    before
        .chars()
        .rev()
        .take(7)
        .find(|c| !matches!(c, '\u{e0020}'..='\u{e007e}'))
        == Some('\u{1f3f4}')
}

/// Letters of Hebrew, Arabic, Syriac, Thaana, N'Ko and the other right-to-left scripts.
pub(super) fn is_right_to_left(c: char) -> bool {
    // A direction mark is not a letter, although it is in the Arabic block.
    c != '\u{61c}'
        && matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_a_stranger_are_none_of_ours() {
        for (text, shown) in [
            (
                "He [-denies-]{+admits+} it",
                "He [\\-denies-\\]{\\+admits+\\} it",
            ),
            ("[\u{200b}-x-\u{feff}]", "[\\-x-\\]"),
            ("[-]", "[\\-\\]"),
            ("a-b [c] {d} + [ -]", "a-b [c] {d} + [ -\\]"),
        ] {
            assert_eq!(line(text), shown);
            assert_eq!(line(shown), shown, "once is enough");
            assert_eq!(lines(text), shown);
        }
    }
    use proptest::prelude::*;

    #[test]
    fn json_means_the_same_and_moves_no_cursor() {
        for text in [
            "plain",
            "\u{9b}2J\u{7f}",
            "\u{202e}abc\u{2066}\u{2028}",
            "é ע \u{1f600} \"\\",
        ] {
            let document = serde_json::to_string(&[text]).unwrap();
            let shown = json(&document);
            let read: Vec<String> = serde_json::from_str(&shown).unwrap();
            assert_eq!(read, [text]);
            assert!(
                !shown.contains(['\u{9b}', '\u{7f}', '\u{202e}', '\u{2028}']),
                "{shown}"
            );
        }
    }

    #[test]
    fn strangers_cannot_steer_the_terminal() {
        let cases = [
            // The strings of cases F01 and F02 of the hostile kit.
            ("t\u{1b}]0;pwned\u{7}", "t"),
            (
                "\u{1b}[2J\u{1b}]0;pwned\u{7}\u{1b}]52;c;cm0gLXJm\u{7} hi\0\u{8}\u{7f} \u{9b}31m\u{202e}x",
                " hi x",
            ),
            ("x\u{1b}[31m", "x"),
            ("a\u{1b}]0;pwned\u{7}b\u{1b}[2Jc\0d\0e", "abcde"),
            // Strings terminated by ST, in both forms; device control; reset; character sets.
            (
                "a\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\b",
                "alinkb",
            ),
            ("a\u{9d}0;t\u{9c}b", "ab"),
            ("a\u{1b}P1$r\u{1b}\\b\u{1b}cc\u{1b}(0d", "abcd"),
            ("a\u{1b}[38;2;1;2;3mb\u{1b}[0 qc", "abc"),
            ("cut\u{1b}", "cut"),
            ("cut\u{1b}[", "cut"),
        ];
        for (text, expected) in cases {
            assert_eq!(line(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_string_that_never_ends_hides_no_text() {
        assert_eq!(
            line("a\u{1b}]0;the minister resigned"),
            "a0;the minister resigned"
        );
        let long = format!("a\u{1b}]{}\u{7}b", "x".repeat(1000));
        assert_eq!(line(&long).len(), 1002);
        assert_eq!(lines("a\u{1b}]0;b\nc\u{7}d"), "a0;b\ncd");
    }

    #[test]
    fn what_cannot_be_seen_cannot_fool() {
        assert_eq!(line("safe\u{202e}txt.exe\u{202c}"), "safetxt.exe");
        assert_eq!(line("a\u{2066}b\u{2069}c"), "abc");
        assert_eq!(line("pass\u{200b}word\u{ad}s\u{feff}\u{2060}"), "passwords");
        assert_eq!(line("a\u{200d}b"), "ab");
        let hidden: String = "ignore"
            .chars()
            .filter_map(|c| char::from_u32(0xe0000 + u32::from(c)))
            .collect();
        assert_eq!(line(&format!("hi{hidden}")), "hi");
        assert_eq!(
            line("e\u{301}\u{302}".repeat(2).as_str()),
            "e\u{301}\u{302}e\u{301}\u{302}"
        );
        let zalgo = format!("h{}i", "\u{301}".repeat(50));
        assert_eq!(line(&zalgo).chars().count(), 2 + MARKS_MAX);
    }

    #[test]
    fn letters_of_all_scripts_and_emoji_stay() {
        for text in [
            "Été à Zürich – “quote” … 1 200 €",
            "日本語の見出し",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "\u{200f}שלום (2)",
            "👩\u{200d}👩\u{200d}👧 ❤\u{fe0f} 1\u{fe0f}\u{20e3} 👍🏽",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}!",
            "葛\u{e0100}城",
            "ที่นี่ Tiếng Việt",
        ] {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn line_breaks_cannot_forge_lines() {
        assert_eq!(
            line("hello\r\nBcc: victim@example.org\r\n\r\nbody"),
            "hello Bcc: victim@example.org  body"
        );
        assert_eq!(line("a\u{2028}b\u{85}c\td"), "a b c d");
        assert_eq!(lines("a\r\nb\rc\u{2029}d\te"), "a\nb\nc\nd    e");
    }

    #[test]
    fn markup_is_text_here() {
        for text in [
            "<script>alert(1)</script>",
            "@everyone <!channel> <@U1> [x](javascript:alert(1)) ``` <http://evil|bank.example> *b*",
            "{{7*7}} ${x} %s %n",
        ] {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn a_log_shows_what_is_there_on_one_line() {
        assert_eq!(
            escaped("a\nb\u{1b}[2Jé\u{202e}"),
            "a\\nb\\u{1b}[2Jé\\u{202e}"
        );
        assert_eq!(escaped("plain"), "plain");
    }

    #[test]
    fn an_address_is_one_word() {
        assert_eq!(
            address("https://a.example/x y\n\u{1b}[2Jz\u{202e}"),
            "https://a.example/xyz"
        );
    }

    #[test]
    fn excerpts_end_at_words_and_never_split_graphemes() {
        assert_eq!(excerpt("short", 10), "short");
        assert_eq!(excerpt("  one two three four ", 14), "one two three…");
        assert_eq!(excerpt("one two three four", 12), "one two…");
        assert_eq!(excerpt("abcdefghij", 5), "abcd…");
        assert_eq!(excerpt("👍🏽👍🏽👍🏽", 2), "👍🏽…");
        assert_eq!(excerpt("", 5), "");
        assert_eq!(excerpt("ab", 0), "…");
        assert_eq!(excerpt(&"T".repeat(5 << 20), 20).chars().count(), 20);
    }

    proptest! {
            #[test]
            fn the_result_is_safe_and_cleaning_is_done_once(text in "[\\x00-\\x20\\[\\]a-c;\u{7f}-\u{a0}\u{200b}-\u{206f}é日👩\u{fe0f}\u{301}]{0,60}") {
                let clean = line(&text).into_owned();
    let unsafe_left = clean.chars().any(|c| c.is_control() || c == '\u{202e}' || c == '\u{2067}');
                prop_assert!(!unsafe_left, "{:?}", clean);
                let clean_lines = lines(&text).into_owned();
                let unsafe_left = clean_lines.chars().any(|c| c != '\n' && c.is_control());
                prop_assert!(!unsafe_left, "{:?}", clean_lines);
                let again = line(&clean).into_owned();
                prop_assert!(again.len() <= clean.len());
            }

            #[test]
            fn excerpts_are_bounded(text in ".{0,200}", max in 0_usize..50) {
                prop_assert!(excerpt(&text, max).graphemes(true).count() <= max.max(1));
            }
        }
}
