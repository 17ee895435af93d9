//! Furniture that a block's own text reveals.

use crate::domain::state::{Block, BlockKind};
use crate::extract::claimed_date;

/// Why a block of the main text does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::extract) enum IgnoreRule {
    /// `Advertisement`, `Sponsored: …`
    Advertisement,
    /// `Related: …`, `Read more: …`
    RelatedLink,
    /// `Sign up for our newsletter`
    Newsletter,
    /// `Share this`, `Follow us on …`, counters.
    Share,
    /// `5 min ago`, `3 minute read`
    Clock,
    /// Only a complete date.
    Date,
    /// `12 of 30`, `1/20`
    Position,
    /// `21 °C`
    Weather,
    /// The text under a picture, or who took it.
    Caption,
    /// `Write to … at …@…`
    Contact,
    /// `Tags: …`, `Filed under: …`
    Tags,
}

impl IgnoreRule {
    /// The text that users see.
    pub(in crate::extract) fn as_str(self) -> &'static str {
        match self {
            Self::Advertisement => "advertisement",
            Self::RelatedLink => "related link",
            Self::Newsletter => "newsletter",
            Self::Share => "sharing or a counter",
            Self::Clock => "time passed",
            Self::Date => "a date alone",
            Self::Position => "a position in a gallery",
            Self::Weather => "weather",
            Self::Caption => "caption",
            Self::Contact => "how to reach the author",
            Self::Tags => "tags",
        }
    }
}

/// Words at the start of a line that leads elsewhere. They are followed by a colon or are the whole line.
const RELATED: [&str; 34] = [
    "related",
    "related articles",
    "related stories",
    "related story",
    "related coverage",
    "related content",
    "related links",
    "related topics",
    "related news",
    "read more",
    "read also",
    "read next",
    "also read",
    "see also",
    "see more",
    "more on this",
    "more on this story",
    "more from",
    "watch",
    "watch more",
    "don't miss",
    "recommended",
    "recommended videos",
    "recommended stories",
    "recommended for you",
    "you may also like",
    "you might also like",
    "explore further",
    "lesen sie auch",
    "lire aussi",
    "à lire aussi",
    "lee también",
    "leia também",
    "leggi anche",
];

/// The most words of a block that a rule treats as furniture, see [`is_newsletter`]; tags may have more.
const MOST_WORDS: usize = 45;

/// The rule that matches a block by its own text. `linked` is the share of its characters that are in links.
pub(in crate::extract) fn rule_of(block: &Block, linked: f32) -> Option<IgnoreRule> {
    if block.kind == BlockKind::Caption {
        return Some(IgnoreRule::Caption);
    }
    let text = block.text.trim();
    // Long text always says something.
    if text.len() > 400 || block.kind == BlockKind::Code {
        return None;
    }
    // So does text with more words than any rule allows, unless it consists of links. Most paragraphs end here.
    let spaces = text.bytes().filter(|byte| *byte == b' ').count();
    if spaces >= MOST_WORDS && linked < 0.5 {
        return None;
    }
    let words = text.split_whitespace().count();
    let lower = text.to_lowercase().replace('’', "'");
    if is_advertisement(&lower, words) {
        Some(IgnoreRule::Advertisement)
    } else if is_related(&lower, words, linked) {
        Some(IgnoreRule::RelatedLink)
    } else if is_newsletter(&lower, words) {
        Some(IgnoreRule::Newsletter)
    } else if is_share(&lower, words) {
        Some(IgnoreRule::Share)
    } else if is_clock(&lower, words) {
        Some(IgnoreRule::Clock)
    } else if text.split(['•', '·', '|']).all(is_date_or_clock) {
        Some(IgnoreRule::Date)
    } else if is_credit(&lower, words) {
        Some(IgnoreRule::Caption)
    } else if is_contact(&lower, words) {
        Some(IgnoreRule::Contact)
    } else if is_tags(&lower, linked) {
        Some(IgnoreRule::Tags)
    } else if is_position(&lower, words) {
        Some(IgnoreRule::Position)
    } else if is_weather(&lower, words) {
        Some(IgnoreRule::Weather)
    } else {
        None
    }
}

/// Whether a text ends with sentence punctuation.
pub(in crate::extract) fn ends_as_sentence(text: &str) -> bool {
    let closed = text.trim_end_matches(['"', '”', '»', '’', ')', '“', ' ']);
    closed.ends_with(['.', '!', '…', '。', '！', '؟', '।', '?', '？'])
}

fn is_advertisement(lower: &str, words: usize) -> bool {
    let label = lower.trim_end_matches([':', '.']);
    let alone = [
        "advertisement",
        "advertising",
        "ad",
        "sponsored",
        "sponsored content",
        "anzeige",
        "werbung",
        "publicité",
        "publicidad",
        "publicidade",
        "pubblicità",
        "advertentie",
        "annons",
        "reklama",
        "реклама",
        "広告",
        "story continues below advertisement",
        "article continues below advertisement",
        "continue reading below",
        "article continues after advertisement",
        "scroll to continue",
        "skip advertisement",
    ];
    if alone.contains(&label) {
        return true;
    }
    let labelled = [
        "advertisement:",
        "sponsored:",
        "ad:",
        "anzeige:",
        "publicidad:",
        "paid content:",
        "promoted:",
    ];
    words <= 25 && labelled.iter().any(|label| lower.starts_with(label))
}

/// How headings of such lists start: `More great stories`, `Latest news` …
const FIRST: [&str; 12] = [
    "more",
    "other",
    "latest",
    "related",
    "recommended",
    "popular",
    "trending",
    "top",
    "most",
    "weitere",
    "mehr",
    "plus",
];
/// … and how they end.
const LAST: [&str; 16] = [
    "stories",
    "articles",
    "posts",
    "coverage",
    "reading",
    "videos",
    "headlines",
    "news",
    "read",
    "viewed",
    "topics",
    "artikel",
    "nachrichten",
    "meldungen",
    "artículos",
    "notícias",
];

fn is_related(lower: &str, words: usize, linked: f32) -> bool {
    let label = lower.trim_end_matches([':', '…', '.', '»', '>', ' ']);
    if RELATED.contains(&label) {
        return true;
    }
    let mut first_and_last = label.split_whitespace();
    let first = first_and_last.next().unwrap_or("");
    let last = first_and_last.next_back().unwrap_or("");
    if words <= 6 && !lower.ends_with('.') && FIRST.contains(&first) && LAST.contains(&last) {
        return true;
    }
    let led = RELATED.iter().any(|label| {
        lower
            .strip_prefix(label)
            .is_some_and(|rest| rest.trim_start().starts_with([':', '|', '—', '–']))
    });
    words <= 40 && led && linked >= 0.3
}

fn is_newsletter(lower: &str, words: usize) -> bool {
    let starts = [
        "sign up for",
        "sign up to",
        "subscribe to",
        "subscribe for",
        "get our",
        "get the latest",
        "join our newsletter",
        "click here to subscribe",
        "already a subscriber",
        "thanks for signing up",
        "thank you for signing up",
        "enter your email",
        "enter your e-mail",
    ];
    let mentions = [
        "newsletter",
        "inbox",
        "e-mail",
        "email",
        "briefing",
        "subscri",
    ];
    words <= 45
        && starts.iter().any(|start| lower.starts_with(start))
        && mentions.iter().any(|word| lower.contains(word))
}

fn is_share(lower: &str, words: usize) -> bool {
    let label = lower.trim_end_matches([':', '.', '!', ' ']);
    let alone = [
        "share",
        "share this",
        "share this article",
        "share this story",
        "share on facebook",
        "share on twitter",
        "share on x",
        "share on linkedin",
        "share on whatsapp",
        "tweet",
        "facebook",
        "twitter",
        "whatsapp",
        "email",
        "print",
        "print this article",
        "copy link",
        "save",
        "comments",
        "comment",
        "leave a comment",
        "follow us",
        "like this story? share it with a friend",
    ];
    if alone.contains(&label) {
        return true;
    }
    if words <= 4 && starts_with_number(lower) {
        let unit = lower.trim_start_matches(|c: char| {
            c.is_ascii_digit() || matches!(c, ',' | '.' | ' ' | 'k' | 'm' | '+')
        });
        let counted = [
            "shares",
            "share",
            "views",
            "view",
            "comments",
            "comment",
            "likes",
            "like",
            "retweets",
            "replies",
            "reads",
            "people read this",
        ];
        if counted.contains(&unit.trim()) {
            return true;
        }
    }
    let networks = [
        "twitter",
        "facebook",
        "instagram",
        "youtube",
        "linkedin",
        "tiktok",
        "whatsapp",
        "telegram",
        "@",
    ];
    let starts = [
        "follow us on",
        "follow us at",
        "like us on",
        "join us on",
        "find us on",
    ];
    words <= 30
        && starts.iter().any(|start| lower.starts_with(start))
        && networks.iter().any(|name| lower.contains(name))
}

fn starts_with_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

pub(in crate::extract) fn is_clock(lower: &str, words: usize) -> bool {
    let text = lower
        .trim_start_matches("updated ")
        .trim_start_matches("published ")
        .trim_start_matches("last updated ");
    if words > 6 || !starts_with_number(text) {
        return false;
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ' || c == '-');
    let units = [
        "second", "sec", "minute", "min", "hour", "hr", "day", "week", "month", "year", "h ", "m ",
        "d ",
    ];
    units.iter().any(|unit| rest.starts_with(unit))
        && (rest.ends_with("ago") || rest.ends_with("read"))
}

fn is_date_or_clock(part: &str) -> bool {
    let part = part.trim();
    let words = part.split_whitespace().count();
    is_date(part, words) || is_clock(&part.to_lowercase(), words)
}

/// `Photo: Jane Doe / Agency`, `(Image credit: Agency)`.
fn is_credit(lower: &str, words: usize) -> bool {
    const CREDITS: [&str; 26] = [
        "photo:",
        "photos:",
        "photo by",
        "photograph:",
        "photography:",
        "photo credit",
        "picture:",
        "pictures:",
        "image:",
        "images:",
        "image credit",
        "image source",
        "image courtesy",
        "foto:",
        "fotos:",
        "bild:",
        "bilder:",
        "crédit photo",
        "crédits :",
        "crédito:",
        "foto ",
        "фото:",
        "zdjęcie:",
        "video:",
        "写真：",
        "사진:",
    ];
    let text = lower.trim_start_matches(['(', '[', ' ']);
    words <= 14
        && CREDITS.iter().any(|credit| text.starts_with(credit))
        && (!text.starts_with("foto ") || words <= 5)
}

/// `Write to Al Root at al.root@example.com`, `Follow him on Twitter @al`.
fn is_contact(lower: &str, words: usize) -> bool {
    const STARTS: [&str; 10] = [
        "write to ",
        "email ",
        "e-mail ",
        "contact ",
        "follow her",
        "follow him",
        "follow the author",
        "follow @",
        "have a tip?",
        "reach ",
    ];
    words <= 30 && lower.contains('@') && STARTS.iter().any(|start| lower.starts_with(start))
}

/// `Tags: a, b`, `Filed under: c`.
fn is_tags(lower: &str, linked: f32) -> bool {
    const STARTS: [&str; 14] = [
        "tags",
        "tag:",
        "topics:",
        "topics",
        "filed under",
        "categories",
        "category:",
        "posted in",
        "keywords:",
        "schlagworte",
        "mots-clés",
        "etiquetas",
        "теги",
        "метки",
    ];
    linked >= 0.5 && STARTS.iter().any(|start| lower.starts_with(start))
}

/// A line that consists of a whole date: it says when something was put on the page, and changes with the reader's
/// time zone.
pub(in crate::extract) fn is_date(text: &str, words: usize) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let year = text
        .split(|c: char| !c.is_ascii_digit())
        .any(|run| run.len() == 4 && (run.starts_with("19") || run.starts_with("20")));
    year && words <= 8
        && digits >= 5
        && letters <= 24
        && claimed_date::parse(text).is_some()
        && text.split(|c: char| !c.is_alphabetic()).all(is_date_word)
}

/// The name of a month or day, a time zone, or a word that joins them.
pub(in crate::extract) fn is_date_word(word: &str) -> bool {
    const JOINING: [&str; 26] = [
        "", "de", "of", "at", "um", "uhr", "às", "a", "à", "le", "the", "st", "nd", "rd", "th",
        "am", "pm", "gmt", "utc", "del", "den", "t", "m", "p", "h", "on",
    ];
    let lower = word.to_lowercase();
    let zone = word.len() <= 5
        && word.ends_with(['T', 'C', 'Z'])
        && word.bytes().all(|byte| byte.is_ascii_uppercase());
    JOINING.contains(&lower.as_str()) || zone || claimed_date::names_month_or_day(word)
}

/// `3 of 12`, `3/12`, `Photo 3 of 12`, `Slide 3 / 12`.
fn is_position(lower: &str, words: usize) -> bool {
    if words > 5 {
        return false;
    }
    let named = [
        "photo", "image", "picture", "slide", "page", "gallery", "bild", "foto",
    ];
    let text = named
        .iter()
        .find_map(|name| lower.strip_prefix(name))
        .unwrap_or(lower);
    let digits = |part: &str| {
        !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    ["/", " of ", " von ", " de ", " di "]
        .iter()
        .any(|separator| {
            text.split_once(separator)
                .is_some_and(|(at, all)| digits(at.trim()) && digits(all.trim()))
        })
}

/// A temperature with at most a place and a word for the weather.
fn is_weather(lower: &str, words: usize) -> bool {
    words <= 6
        && (lower.contains('°') || lower.contains('℃') || lower.contains('℉'))
        && [
            "sunny", "cloudy", "rain", "fog", "snow", "clear", "storm", "wind", "weather", "today",
            "tonight", "tomorrow",
        ]
        .iter()
        .any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests;
