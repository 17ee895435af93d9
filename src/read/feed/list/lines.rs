//! Lists with one feed per line.

use super::{ListForm, ListItems, ListedFeed, NotListed, add_tag, no_address, put_address, tidy};

/// Reads the lines of `text`, the first of which has the number `line`. Blank lines and `#` comments are skipped.
pub(super) fn read(text: &str, line: usize, items: &mut ListItems) -> ListForm {
    if text.contains('\0') {
        items.add(line, "", Err(NotListed::NoList));
        return ListForm::Plain;
    }
    let mut form = ListForm::Plain;
    // Lines of old Macs end with only a carriage return.
    let end = if text.contains('\n') { '\n' } else { '\r' };
    for (number, text) in text.split(end).enumerate() {
        let mut words: Vec<String> = words(text).into_iter().map(|word| word.text).collect();
        if words.len() > 1 && matches!(words.first().map(String::as_str), Some("-" | "*" | "•")) {
            words.remove(0);
        }
        let Some((first, more)) = words.split_first() else {
            continue;
        };
        if let Some(reason) = no_address(first) {
            form = ListForm::Newsboat;
            items.add(line + number, first, Err(reason));
            continue;
        }
        // Tags are never addresses: a line with several addresses has several feeds.
        let (others, more): (Vec<&str>, Vec<&str>) = more
            .iter()
            .map(|word| bare(word))
            .partition(|word| is_address(word));
        if !more.is_empty() {
            form = ListForm::Newsboat;
        }
        for address in std::iter::once(bare(first)).chain(others) {
            items.add(line + number, address, Ok(feed(address, &more)));
        }
        if items.full {
            break;
        }
    }
    form
}

fn is_address(word: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        word.get(..scheme.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
    })
}

/// A word that is an address, without punctuation around it.
fn bare(word: &str) -> &str {
    let inside = word
        .trim_start_matches(['<', '\''])
        .trim_end_matches([',', ';', '>', '\'']);
    if is_address(inside) { inside } else { word }
}

fn feed(first: &str, more: &[&str]) -> ListedFeed {
    let mut feed = ListedFeed::default();
    put_address(&mut feed, first);
    for word in more {
        if let Some(title) = word.strip_prefix('~') {
            let title = tidy(title.trim_start_matches('!'));
            feed.title = feed.title.or(Some(title).filter(|title| !title.is_empty()));
        } else if !word.starts_with('!') {
            // A tag that starts with `!` hides the feed from newsboat's own list.
            add_tag(&mut feed.tags, word);
        }
    }
    feed
}

/// A word in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineWord {
    /// The byte offset in the line at which it starts.
    pub at: usize,
    /// Its text, without quotation marks.
    pub text: String,
}

/// The words of a line as newsboat reads them. White space between quotation marks belongs to the word, a
/// backslash escapes the next character, and a word that starts with `#` starts a comment.
#[must_use]
pub fn words(line: &str) -> Vec<LineWord> {
    let mut words = Vec::new();
    let mut letters = line.char_indices().peekable();
    loop {
        while letters
            .next_if(|(_, c)| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
            .is_some()
        {}
        let mut text = String::new();
        let at = match letters.next() {
            None | Some((_, '#')) => return words,
            Some((at, '"')) => {
                while let Some((_, letter)) = letters.next() {
                    match letter {
                        '"' => break,
                        '\\' => text.extend(letters.next().map(|(_, letter)| letter)),
                        letter => text.push(letter),
                    }
                }
                at
            }
            Some((at, letter)) => {
                text.push(letter);
                while let Some((_, letter)) = letters.next_if(|(_, c)| !c.is_whitespace()) {
                    text.push(letter);
                }
                at
            }
        };
        if !text.trim().is_empty() {
            words.push(LineWord { at, text });
        }
    }
}
