//! Shortens JSON texts and segments to a size in bytes, measured as JSON.

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation as _;

/// Marks where a text was shortened.
const ELLIPSIS: char = '…';

/// How much unchanged text is kept next to a change if a block is shortened inside, in bytes of JSON.
const CONTEXT: usize = 80;

/// Longer lists are shortened to this length if strings are clamped to little.
const LONGEST_LIST: usize = 16;

/// The size of a value as compact JSON, in bytes.
pub(super) fn json_len(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting cannot fail, and the keys of a `Value` are strings.
    match serde_json::to_writer(&mut count, value) {
        Ok(()) => count.0,
        Err(_) => usize::MAX,
    }
}

/// The size of a text as a JSON string, without the quotation marks.
pub(in crate::notify) fn text_len(text: &str) -> usize {
    text.chars().map(char_len).sum()
}

fn char_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c < ' ' => 6,
        c => c.len_utf8(),
    }
}

/// Shortens a text to at most `room` bytes of JSON; it then ends with `…`. Never splits a grapheme, and splits a
/// word only if that word alone is too long.
pub(super) fn clamp(text: &mut String, room: usize) {
    if text.len() <= room / 6 || text_len(text) <= room {
        return;
    }
    let kept = head(text, room.saturating_sub(ELLIPSIS.len_utf8()))
        .trim_end()
        .len();
    text.truncate(kept);
    if room >= ELLIPSIS.len_utf8() {
        text.push(ELLIPSIS);
    }
}

/// The longest beginning that fits, in whole words; in whole characters if no word fits.
fn head(text: &str, room: usize) -> &str {
    // Check a long text only up to one byte more than could fit: a grapheme that continues after that is too long
    // anyway.
    let mut edge = room.saturating_add(1).min(text.len());
    while !text.is_char_boundary(edge) {
        edge += 1;
    }
    let seen = text.get(..edge).unwrap_or_default();
    let (mut used, mut end, mut word_end) = (0, 0, 0);
    for (start, grapheme) in seen.grapheme_indices(true) {
        if grapheme.chars().all(char::is_whitespace) {
            word_end = start;
        }
        used += text_len(grapheme);
        if used > room {
            break;
        }
        end = start + grapheme.len();
    }
    if end == text.len() {
        return text;
    }
    // A text without spaces, as in Chinese, or one long word.
    let end = if word_end * 2 > end { word_end } else { end };
    text.get(..end).unwrap_or_default()
}

/// The longest end that fits in `room`, in whole words.
fn tail(text: &str, room: usize) -> &str {
    let mut edge = text.len().saturating_sub(room.saturating_add(1));
    while !text.is_char_boundary(edge) {
        edge -= 1;
    }
    let seen = text.get(edge..).unwrap_or_default();
    let (mut used, mut start, mut word_start) = (0, text.len(), text.len());
    for (at, grapheme) in seen.grapheme_indices(true).rev() {
        used += text_len(grapheme);
        if used > room {
            break;
        }
        start = edge + at;
        if grapheme.chars().all(char::is_whitespace) {
            word_start = edge + at + grapheme.len();
        }
    }
    let length = |from: usize| text.len() - from;
    let start = if length(word_start) * 2 > length(start) {
        word_start
    } else {
        start
    };
    text.get(start..).unwrap_or_default()
}

/// Shortens all strings in a value to `room` bytes, and also long lists if that is little.
pub(super) fn clamp_strings(value: &mut Value, room: usize) {
    match value {
        Value::String(text) => clamp(text, room),
        Value::Array(list) => {
            if room <= 512 {
                list.truncate(LONGEST_LIST);
            }
            for value in list {
                clamp_strings(value, room);
            }
        }
        Value::Object(members) => {
            for value in members.values_mut() {
                clamp_strings(value, room);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Shortens a block inside, to at most `room` bytes of JSON.
pub(super) fn cut_block(block: &mut Value, room: usize) {
    let Some(Value::Array(segments)) = block.get_mut("segments").map(Value::take) else {
        return;
    };
    // Keep only the known members of a block: an unknown one could be larger than the room.
    if let Value::Object(members) = block {
        members.retain(|name, _| {
            matches!(name.as_str(), "op" | "from" | "to" | "part_of" | "segments")
        });
        members.insert("segments".into(), Value::Array(Vec::new()));
    }
    let room = room.saturating_sub(json_len(block));
    if let Value::Object(members) = block {
        members.insert(
            "segments".into(),
            Value::Array(cut_segments(segments, room)),
        );
    }
}

/// Shortens a run of segments to at most `room` bytes of JSON, without the brackets. Unchanged text goes first,
/// except for a few words next to each change; then the later segments. The first change stays, shortened if
/// necessary.
pub(super) fn cut_segments(segments: Vec<Value>, room: usize) -> Vec<Value> {
    let last = segments.len().saturating_sub(1);
    let segments: Vec<Value> = segments
        .into_iter()
        .enumerate()
        .map(|(place, segment)| match mark_and_text(&segment) {
            Some(("=", text)) => segment_of("=", context(text, place == 0, place == last)),
            _ => segment,
        })
        .collect();
    let mut kept = Vec::new();
    let mut used = 0;
    let mut changes = 0;
    let mut segments = segments.into_iter().peekable();
    while let Some(segment) = segments.next() {
        let equal = matches!(mark_and_text(&segment), Some(("=", _)));
        let size = json_len(&segment) + usize::from(!kept.is_empty());
        // Text before the first change must not take the room of the change.
        let allowed = if equal && changes == 0 {
            room / 3
        } else {
            room
        };
        if used + size <= allowed {
            used += size;
            changes += usize::from(!equal);
            kept.push(segment);
            continue;
        }
        if equal && changes == 0 {
            continue;
        }
        if changes < 2
            && let Some((mark, text)) = mark_and_text(&segment)
            && !equal
        {
            // Half of the room for each side of a replacement.
            let pair = changes == 0
                && matches!(segments.peek().and_then(mark_and_text), Some((next, _)) if next != "=");
            let left = room.saturating_sub(used);
            let share = if pair { left / 2 } else { left };
            let frame = json_len(&segment_of(mark, String::new())) + usize::from(!kept.is_empty());
            // The first change has taken all the room.
            if changes > 0 && frame > left {
                break;
            }
            let mut text = text.to_owned();
            clamp(&mut text, share.saturating_sub(frame));
            let segment = segment_of(mark, text);
            used += json_len(&segment) + usize::from(!kept.is_empty());
            changes += 1;
            kept.push(segment);
            if pair {
                continue;
            }
        }
        break;
    }
    kept
}

/// A few words of an unchanged text next to the changes before and after it.
fn context(text: &str, first: bool, last: bool) -> String {
    if text_len(text) <= 2 * CONTEXT {
        return text.to_owned();
    }
    let after_change = if first { "" } else { head(text, CONTEXT) };
    let before_change = if last { "" } else { tail(text, CONTEXT) };
    if first && last {
        return format!("{}{ELLIPSIS}", head(text, CONTEXT));
    }
    format!("{after_change}{ELLIPSIS}{before_change}")
}

fn mark_and_text(segment: &Value) -> Option<(&str, &str)> {
    match segment.as_array()?.as_slice() {
        [Value::String(mark), Value::String(text)] => Some((mark, text)),
        _ => None,
    }
}

fn segment_of(mark: &str, text: String) -> Value {
    Value::Array(vec![Value::String(mark.to_owned()), Value::String(text)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_and_characters_stay_whole() {
        for (text, room, expected) in [
            ("short", 5, "short"),
            ("Minister confirms report", 20, "Minister confirms…"),
            ("incomprehensibilities", 10, "incompr…"),
            ("大臣が報告を認めた", 13, "大臣が…"),
            ("ab👩‍👩‍👧‍👧cd", 20, "ab…"),
            ("a\n\u{1}bcde", 12, "a\n\u{1}…"),
            ("anything", 2, ""),
        ] {
            let mut cut = text.to_owned();
            clamp(&mut cut, room);
            assert_eq!(cut, expected, "{text} in {room}");
        }
    }

    #[test]
    fn a_change_that_fills_the_room_leaves_none_for_the_next() {
        let segments = vec![
            segment_of("-", "x".repeat(50)),
            segment_of("+", String::new()),
        ];
        let first = json_len(&segments[0]);
        for (room, kept) in [(first, 1), (first + 4, 1), (first + 9, 2)] {
            let cut = cut_segments(segments.clone(), room);
            let size = json_len(&Value::Array(cut.clone())) - 2;
            assert!(size <= room && cut.len() == kept, "{room}: {cut:?}");
        }
    }

    proptest! {
        #[test]
        fn clamped_text_fits(text in any::<String>(), room in 0_usize..200) {
            let mut cut = text.clone();
            clamp(&mut cut, room);
            prop_assert!(text_len(&cut) <= room);
            prop_assert_eq!(json_len(&Value::String(cut.clone())), text_len(&cut) + 2);
            if cut != text {
                prop_assert!(text.starts_with(cut.strip_suffix(ELLIPSIS).unwrap_or(&cut)));
            }
        }

        #[test]
        fn ends_are_ends(text in any::<String>(), room in 0_usize..200) {
            prop_assert!(text.starts_with(head(&text, room)));
            prop_assert!(text.ends_with(tail(&text, room)));
            prop_assert!(text_len(head(&text, room)) <= room);
            prop_assert!(text_len(tail(&text, room)) <= room);
        }
    }
}
