//! Names of feeds: which are valid, and how they are derived.

use percent_encoding::percent_decode_str;
use std::collections::{HashMap, HashSet};

use url::Url;

/// Longer names do not fit on a line.
const LONGEST: usize = 64;

/// Reports what is wrong with the name of a feed or target.
pub(super) fn check(name: &str) -> Result<(), &'static str> {
    if name.chars().count() > LONGEST {
        return Err("is longer than 64 characters");
    }
    if name.starts_with('-') {
        return Err("starts with a dash, like a flag");
    }
    if name.starts_with(['#', '@']) || name.contains("://") {
        return Err("looks like a number or an address");
    }
    let hidden = |letter: char| {
        letter.is_control()
            || ('\u{200b}'..='\u{200f}').contains(&letter)
            || ('\u{202a}'..='\u{202e}').contains(&letter)
            || ('\u{2066}'..='\u{2069}').contains(&letter)
            || letter == '\u{feff}'
    };
    if name.contains(hidden) {
        return Err("has invisible characters");
    }
    Ok(())
}

/// Derives a name from the title of a feed: `Example News – World` becomes `example-news-world`. Empty if the
/// title has no usable characters.
#[must_use]
pub fn from_title(title: &str) -> String {
    slug(title.chars().take(400))
}

/// Derives a name from the address of a feed: host and path without the words that most feeds share.
///
/// ```
/// use revisor::feed_names::from_address;
/// assert_eq!(from_address("https://www.news.example/world/rss.xml"), "news-world");
/// assert_eq!(from_address("https://feeds.bbci.co.uk/news/politics/rss.xml"), "bbci-news-politics");
/// ```
#[must_use]
pub fn from_address(address: &str) -> String {
    let Ok(url) = Url::parse(address.trim()) else {
        return from_title(address);
    };
    let mut words = host_words(url.host_str().unwrap_or_default());
    let path = url.path().split('/').chain(url.query());
    for segment in path.take(20) {
        let segment = percent_decode_str(segment).decode_utf8_lossy();
        let stem = segment
            .rsplit_once('.')
            .map_or(
                &*segment,
                |(stem, ending)| {
                    if ending.len() <= 5 { stem } else { &segment }
                },
            );
        if !is_common(&stem.to_lowercase()) {
            words.push(stem.to_owned());
        }
    }
    let name = slug(words.join("-").chars());
    if name.is_empty() {
        "feed".to_owned()
    } else {
        name
    }
}

/// Names that are taken.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    names: HashSet<String>,
    /// The next number to try after a name, so that many feeds with the same name do not try every number.
    next_number: HashMap<String, u64>,
}

impl Taken {
    /// Takes a name; `false` if it was already taken.
    pub fn insert(&mut self, name: &str) -> bool {
        self.names.insert(name.to_owned())
    }

    /// Takes and returns the first free one of `name`, `name-2`, `name-3` …
    pub fn unique(&mut self, name: &str) -> String {
        if self.insert(name) {
            return name.to_owned();
        }
        let mut number = self.next_number.get(name).copied().unwrap_or(2);
        let mut candidate = format!("{name}-{number}");
        while !self.insert(&candidate) {
            number += 1;
            candidate = format!("{name}-{number}");
        }
        self.next_number.insert(name.to_owned(), number + 1);
        candidate
    }
}

/// The labels of a host that say whose it is: without `www`, `feeds` and the domain that it is registered under.
fn host_words(host: &str) -> Vec<String> {
    let is_number = host.starts_with('[')
        || host
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_number {
        return vec![host.to_owned()];
    }
    let mut labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    if labels.len() > 1 {
        let country = labels.pop().is_some_and(|label| label.len() == 2);
        let second = [
            "co", "com", "org", "net", "gov", "ac", "or", "ne", "go", "gob", "gouv", "edu",
        ];
        let under_country = labels.last().is_some_and(|label| second.contains(label));
        if country && labels.len() > 1 && under_country {
            labels.pop();
        }
    }
    while labels.len() > 1 && labels.first().is_some_and(|label| is_common(label)) {
        labels.remove(0);
    }
    labels.into_iter().map(str::to_owned).collect()
}

/// Words that only say that this is a feed.
fn is_common(word: &str) -> bool {
    matches!(
        word,
        "" | "www"
            | "feed"
            | "feeds"
            | "rss"
            | "rss2"
            | "atom"
            | "xml"
            | "json"
            | "index"
            | "rssfeed"
            | "default"
    )
}

/// Letters and digits in lower case; anything between them becomes one dash.
fn slug(text: impl Iterator<Item = char>) -> String {
    const LONGEST_SLUG: usize = 40;
    // If every second character were a dash, the name would exceed the limit; this also leaves room for a number.
    const LONGEST_IN_ALL: usize = LONGEST - 8;
    let mut out = String::new();
    let (mut letters, mut length) = (0, 0);
    for letter in text.flat_map(char::to_lowercase) {
        if letters == LONGEST_SLUG || length == LONGEST_IN_ALL {
            break;
        }
        if letter.is_alphanumeric() {
            out.push(letter);
            letters += 1;
            length += 1;
        } else if !out.is_empty() && !out.ends_with('-') && !matches!(letter, '\'' | '’') {
            out.push('-');
            length += 1;
        }
    }
    out.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_title_of_single_letters_makes_a_name_that_may_be_one() {
        // Mojibake, as seen in a feed list.
        let title = "Ø±Ø² ".repeat(40);
        let mut taken = Taken::default();
        for _ in 0..1200 {
            let name = taken.unique(&from_title(&title));
            assert_eq!(check(&name), Ok(()), "{name}");
        }
        assert_eq!(check(&from_title(&"a ".repeat(100))), Ok(()));
    }

    #[test]
    fn names_are_made_from_addresses() {
        for (address, name) in [
            ("https://www.theguardian.com/world/rss", "theguardian-world"),
            ("https://news.example/rss.xml", "news"),
            ("http://feeds.bbci.co.uk/news/rss.xml", "bbci-news"),
            ("https://blog.a.example/index.xml", "blog-a"),
            ("https://a.example/feed/?cat=7", "a-cat-7"),
            ("http://127.0.0.1:8000/feed/12", "127-0-0-1-12"),
            ("https://example.org/%C3%A9tat.xml", "example-état"),
            ("https://localhost/rss", "localhost"),
            ("https://gov.uk/rss", "gov"),
            ("nonsense", "nonsense"),
            ("", ""),
        ] {
            assert_eq!(from_address(address), name, "{address}");
        }
    }

    #[test]
    fn names_are_made_from_titles() {
        assert_eq!(from_title("Example News – World"), "example-news-world");
        assert_eq!(from_title("Today's News"), "todays-news");
        assert_eq!(from_title("日本経済新聞"), "日本経済新聞");
        assert_eq!(from_title("  !!! "), "");
    }

    #[test]
    fn taken_names_get_a_number() {
        let mut taken = Taken::default();
        let names: Vec<String> = (0..3).map(|_| taken.unique("news")).collect();
        assert_eq!(names, ["news", "news-2", "news-3"]);
    }

    proptest! {
        #[test]
        fn made_names_are_good_names(text in any::<String>()) {
            for name in [from_title(&text), from_address(&text), from_address(&format!("https://{text}"))] {
                prop_assert_eq!(check(&name), Ok(()));
            }
        }
    }
}
