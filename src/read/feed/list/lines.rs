//! Lists with a line for each feed.

use super::{Items, ListForm, ListedFeed, NotListed, add_tag, no_address, put_address, tidy};

/// Reads the lines of `text`, of which the first has the number `line`. Blank lines and `#` comments are none.
pub(super) fn read(text: &str, line: usize, items: &mut Items) -> ListForm {
    if text.contains('\0') {
        items.add(line, "", Err(NotListed::NoList));
        return ListForm::Plain;
    }
    let mut form = ListForm::Plain;
    // Lines of old Macs end with a carriage return alone.
    let end = if text.contains('\n') { '\n' } else { '\r' };
    for (number, text) in text.split(end).enumerate() {
        let mut words = words(text);
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
        // Nobody's tag is an address: a line with several has several feeds.
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

/// A word that is an address, without what people put around it.
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
            // A tag that begins with `!` hides the feed from newsboat's own list.
            add_tag(&mut feed.tags, word);
        }
    }
    feed
}

/// The words of a line as newsboat reads them: between quotation marks white space belongs to the word and a backslash
/// stands before what is meant as it is; a word that begins with `#` begins a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut letters = line.chars().peekable();
    loop {
        while letters
            .next_if(|c| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
            .is_some()
        {}
        let mut word = String::new();
        match letters.next() {
            None | Some('#') => return words,
            Some('"') => {
                while let Some(letter) = letters.next() {
                    match letter {
                        '"' => break,
                        '\\' => word.extend(letters.next()),
                        letter => word.push(letter),
                    }
                }
            }
            Some(letter) => {
                word.push(letter);
                while let Some(letter) = letters.next_if(|c| !c.is_whitespace()) {
                    word.push(letter);
                }
            }
        }
        if !word.trim().is_empty() {
            words.push(word);
        }
    }
}
