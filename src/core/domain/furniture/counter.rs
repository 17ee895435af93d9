//! Counters that name what they count: `12 comments`, `❤ 40 · 💬 3`, `閲覧数：123`.

use std::ops::Range;

use super::passing;
use super::pattern::without;
use super::words::WORDS;

/// The longest line of counters, in bytes.
const LONGEST: usize = 160;

/// How many words other than counters such a line may have.
const OTHER_WORDS: usize = 6;

/// Icons that are used instead of the word of a counter.
const ICONS: [char; 14] = [
    '💬', '🗨', '🗩', '❤', '♥', '🖤', '💙', '👍', '👎', '👁', '🔁', '🔃', '↻', '📖',
];

/// Marks for votes next to other counters; alone, such a mark may also show the move of a share price.
const ARROWS: [char; 4] = ['▲', '△', '▼', '⬆'];

/// Lines within this distance of a counter are beside it.
const NEAR: usize = 1;

/// Whether each text is beside a line that certainly has a counter. Uncertain counters count there, too.
pub(super) fn beside<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<bool> {
    let sure: Vec<bool> = texts.map(|text| !parts(text, false).is_empty()).collect();
    let near = |at: usize| {
        sure.iter()
            .take(at + NEAR + 1)
            .skip(at.saturating_sub(NEAR))
    };
    (0..sure.len())
        .map(|at| near(at).any(|sure| *sure))
        .collect()
}

/// The parts of a line that are counters, and relative times next to them; none if the text is prose. `beside`
/// says whether the line is beside another counter.
pub(super) fn parts(text: &str, beside: bool) -> Vec<Range<usize>> {
    if text.len() > LONGEST || !text.contains(char::is_numeric) {
        return Vec::new();
    }
    let (mut counters, mut weak, mut times) = (Vec::new(), Vec::new(), Vec::new());
    let mut others = 0;
    for segment in segments(text) {
        let part = &text[segment.clone()];
        let (kind, count) = (kind_of(part), words(part).count());
        if matches!(kind, CountKind::Other) && count > OTHER_WORDS + 1 {
            // Prose, even if one of its phrases is a time. Most lines end here.
            return Vec::new();
        }
        if let Some(time) = passing::short_time(part) {
            times.push(segment.start + time.start..segment.start + time.end);
            others += count.saturating_sub(1);
            continue;
        }
        let has_number = part.contains(char::is_numeric);
        match kind {
            CountKind::Counter if has_number => counters.push(segment),
            CountKind::Weak if has_number => weak.push(segment),
            CountKind::Counter | CountKind::Weak => {}
            CountKind::Other => others += count,
        }
    }
    if others > OTHER_WORDS {
        return Vec::new();
    }
    if !counters.is_empty() {
        counters.append(&mut times);
    }
    if beside || !counters.is_empty() {
        counters.append(&mut weak);
    }
    counters.sort_by_key(|part| part.start);
    counters
}

/// The text with its counters masked; `None` if it has none.
pub(super) fn masked(text: &str, beside: bool) -> Option<String> {
    let parts = parts(text, beside);
    (!parts.is_empty()).then(|| without(text, parts))
}

/// The words of a line that only has counters, in lower case. Pages show or omit such lines at will.
pub(super) fn alone(text: &str) -> Option<String> {
    let rest = masked(text, false)?;
    let words = || text.chars().filter(|c| !c.is_numeric());
    (!rest.contains(char::is_alphanumeric)).then(|| words().collect::<String>().to_lowercase())
}

/// A headline with a counter in brackets before or after it masked: `[12 comments]`.
pub(super) fn in_title(title: &str) -> Option<String> {
    let (range, inside) = bracketed_end(title).or_else(|| bracketed_begin(title))?;
    let is_counter =
        inside.contains(char::is_numeric) && matches!(kind_of(inside), CountKind::Counter);
    is_counter.then(|| without(title, [range]))
}

/// The brackets at the end of a text: where they are, and the text inside.
pub(super) fn bracketed_end(text: &str) -> Option<(Range<usize>, &str)> {
    let end = text.trim_end();
    let open = match end.chars().next_back()? {
        ')' => '(',
        ']' => '[',
        '）' => '（',
        '】' => '【',
        _ => return None,
    };
    let at = end.rfind(open)?;
    let close = end.chars().next_back()?.len_utf8();
    let inside = &end[at + open.len_utf8()..end.len() - close];
    (at > 0).then_some((at..end.len(), inside))
}

/// The brackets at the beginning of a text, likewise.
pub(super) fn bracketed_begin(text: &str) -> Option<(Range<usize>, &str)> {
    let begin = text.len() - text.trim_start().len();
    let rest = &text[begin..];
    let open = rest.chars().next()?;
    let close = match open {
        '(' => ')',
        '[' => ']',
        '（' => '）',
        '【' => '】',
        _ => return None,
    };
    let at = rest.find(close)?;
    let end = at + close.len_utf8();
    let behind = &rest[end..];
    (!behind.trim().is_empty()).then_some((begin..begin + end, &rest[open.len_utf8()..at]))
}

enum CountKind {
    Counter,
    /// Counts only beside a certain counter.
    Weak,
    Other,
}

/// Whether all words of a part are words of counters.
fn kind_of(part: &str) -> CountKind {
    // A percentage or a fraction is not a counter.
    if part.contains(['%', '٪']) || has_fraction(part) {
        return CountKind::Other;
    }
    let has_icon = part.contains(ICONS);
    let all = words(part).count();
    if all == 0 {
        return match (has_icon, part.contains(ARROWS)) {
            (true, _) => CountKind::Counter,
            (false, true) => CountKind::Weak,
            (false, false) => CountKind::Other,
        };
    }
    let counters = &WORDS.counters;
    let mut whole = String::new();
    let (mut all_count, mut all_weak, mut any_counts) = (true, true, false);
    let mut kept = 0;
    for word in words(part) {
        let word = word.to_lowercase();
        // `12K views`, `阅读 12 次`
        if (all > 1 || has_icon) && WORDS.measures.contains(word.as_str()) {
            continue;
        }
        let counts = counters.contains(word.as_str());
        any_counts |= counts;
        all_weak = all_weak && (counts || WORDS.weak.contains(word.as_str()));
        all_count = all_count && (counts || counts_with_measure(&word));
        if !whole.is_empty() {
            whole.push(' ');
        }
        whole.push_str(&word);
        kept += 1;
        if !all_count && !all_weak && kept > WORDS.longest {
            return CountKind::Other;
        }
    }
    // `Share 3 Tweet 2`
    let beside_one = all_weak && any_counts;
    if all_count || beside_one || counters.contains(whole.as_str()) {
        CountKind::Counter
    } else if all_weak {
        CountKind::Weak
    } else {
        CountKind::Other
    }
}

/// `条评论`
fn counts_with_measure(word: &str) -> bool {
    let bare = |measure: &&str| word.strip_prefix(*measure).or(word.strip_suffix(*measure));
    let mut bare = WORDS.measures.iter().filter_map(bare);
    bare.any(|word| WORDS.counters.contains(word))
}

/// `4.5`, but not `4.500`.
fn has_fraction(part: &str) -> bool {
    let numbers = part.split(|c: char| !c.is_numeric() && !matches!(c, '.' | ','));
    let mut numbers = numbers.map(|number| number.trim_matches(['.', ',']));
    numbers.any(|number| {
        let last = number.rsplit_once(['.', ',']);
        last.is_some_and(|(_, last)| last.chars().count() != 3)
    }) && !part.contains(['k', 'K', 'm', 'M'])
}

/// The runs of letters in a part, between numbers and other characters.
fn words(part: &str) -> impl Iterator<Item = &str> {
    part.split(|c: char| !c.is_alphabetic() && !is_joining(c))
        .map(|word| word.trim_matches(['\'', '’', '-']))
        .filter(|word| !word.is_empty())
}

fn is_joining(c: char) -> bool {
    // Vowel signs of Indian and other scripts are not letters of their own.
    matches!(c, '\'' | '’' | '-' | '\u{900}'..='\u{dff}' | '\u{300}'..='\u{36f}')
}

/// The parts of a text between the characters that separate counters.
fn segments(text: &str) -> Vec<Range<usize>> {
    let mut segments = Vec::new();
    let mut from = 0;
    let mut push = |from: usize, to: usize| {
        if !text[from..to].trim().is_empty() {
            segments.push(from..to);
        }
    };
    for (at, c) in text.char_indices() {
        if separates(c, &text[at + c.len_utf8()..], &text[..at]) {
            push(from, at);
            from = at + c.len_utf8();
        } else if ICONS.contains(&c) || ARROWS.contains(&c) {
            // An icon begins a counter unless it ends one: `12 ❤`.
            let before = text[from..at].trim();
            let ends = before.ends_with(char::is_numeric) && !before.contains(ICONS);
            if !ends {
                push(from, at);
                from = at;
            }
        }
    }
    push(from, text.len());
    segments
}

fn separates(c: char, behind: &str, before: &str) -> bool {
    // `[12 comments]` is a part of its own; `Comments (12)` is one part including its brackets.
    let has_letters =
        |inside: Option<&str>| inside.is_some_and(|inside| inside.contains(char::is_alphabetic));
    match c {
        '·' | '•' | '|' | '/' | ';' | '–' | '—' | '\n' | '‧' | '・' => true,
        ',' => !behind.starts_with(char::is_numeric),
        '(' => has_letters(behind.split(')').next()),
        '[' => has_letters(behind.split(']').next()),
        ')' => has_letters(before.rsplit('(').next()),
        ']' => has_letters(before.rsplit('[').next()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_counters_are_the_same_whatever_they_count() {
        for (old, new) in [
            ("12 comments", "13 comments"),
            ("1 comment", "2 comments"),
            ("# Comments: 4", "# Comments: 40"),
            ("Comments: 4", "Comments: 5"),
            (
                "▲ 500 · 💬 80 · via site0.example",
                "▲ 512 · 💬 82 · via site0.example",
            ),
            ("❤ 12", "❤ 1,012"),
            ("❤️ 12", "❤️ 13"),
            ("閲覧数：123", "閲覧数：124"),
            ("阅读 123 次", "阅读 9 次"),
            ("123条评论", "9条评论"),
            ("Comments (12)", "Comments (3)"),
            ("コメント（3件）", "コメント（12件）"),
            ("12 Kommentare", "1 Kommentar"),
            ("Share 3 Tweet 2", "Share 9 Tweet 4"),
            ("Просмотров: 12", "Просмотров: 19"),
            ("댓글 12개", "댓글 13개"),
            ("Post Views: 102", "Post Views: 1,102"),
            ("Replies: 3, views: 45", "Replies: 4, views: 145"),
            (
                "By Ann Bell · 3 hours ago · 4 comments",
                "By Ann Bell · 4 hours ago · 9 comments",
            ),
            ("1.2K views", "1.3K views"),
            (
                "submitted by /u/ann [link] [12 comments]",
                "submitted by /u/ann [link] [40 comments]",
            ),
        ] {
            assert!(masked(old, false).is_some(), "{old}");
            assert_eq!(masked(old, false), masked(new, false), "{old} / {new}");
        }
    }

    #[test]
    fn what_a_text_tells_is_no_counter() {
        for text in [
            "Smith: 1,203 votes",
            "Shares: 1,203",
            "Dow ▲ 120",
            "DAX ▲ 1.2%",
            "12 people were killed",
            "Severity: 9.8",
            "The clip had 3 million views when the court took it down.",
            "Points: 30",
            "Rating: 4.1",
            "In stock: 12",
            "He sent 12 replies, and 4 likes came from the mayor of the town itself.",
            "3 views on the war",
            "12",
            "PIN: 1234",
            "Died 4 days ago",
            "Blast 3 hours ago",
            "Antwort: 42",
        ] {
            assert_eq!(masked(text, false), None, "{text}");
        }
        assert_ne!(
            masked("▲ 5 · 💬 8 · via one.example", false),
            masked("▲ 5 · 💬 8 · via two.example", false)
        );
        assert_ne!(
            masked("Fire in Oldtown · 3 hours ago · 4 comments", false),
            masked("Flood in Oldtown · 3 hours ago · 4 comments", false)
        );
        assert_ne!(
            masked("By Ann Bell · 3 hours ago · 4 comments", false),
            masked("By Ann Bell · 3 years ago · 4 comments", false)
        );
    }

    #[test]
    fn what_may_count_does_so_beside_a_counter() {
        let lines = ["A sentence of the text.", "Points: 30", "# Comments: 10"];
        assert_eq!(beside(lines.into_iter()), [false, true, true]);
        assert!(masked("Points: 30", true).is_some());
        assert_eq!(masked("Points: 30", false), None);
        assert_eq!(masked("The council has 30 points to vote on.", true), None);
    }

    #[test]
    fn counters_in_brackets_are_no_part_of_a_headline() {
        assert_eq!(
            in_title("Bone college [12 comments]"),
            in_title("Bone college [13 comments]")
        );
        assert!(in_title("Bone college [12 comments]").is_some());
        assert!(in_title("(3 Kommentare) Der Knochen").is_some());
        for title in [
            "Apollo (13)",
            "Three die (4 in hospital)",
            "12 comments that changed the law",
            "(12 comments)",
        ] {
            assert_eq!(in_title(title), None, "{title}");
        }
    }
}
