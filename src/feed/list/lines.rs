//! Lists with a line for each feed.

use super::{Items, ListForm, ListedFeed, NotListed, add_tag, no_address, put_address, tidy};

/// Reads the lines of `text`, of which the first has the number `line`. Blank lines and `#` comments are none.
pub(super) fn read(text: &str, line: usize, items: &mut Items) -> ListForm {
    if text.contains('\0') {
        items.add(line, "", Err(NotListed::NoList));
        return ListForm::Plain;
    }
    let mut form = ListForm::Plain;
    for (number, text) in text.lines().enumerate() {
        let words = words(text);
        let Some((first, more)) = words.split_first() else {
            continue;
        };
        let read = match no_address(first) {
            Some(reason) => Err(reason),
            None => Ok(feed(first, more)),
        };
        if !more.is_empty() || read.is_err() {
            form = ListForm::Newsboat;
        }
        items.add(line + number, first, read);
        if items.full {
            break;
        }
    }
    form
}

fn feed(first: &str, more: &[String]) -> ListedFeed {
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
            .next_if(|c| c.is_whitespace() || *c == '\u{feff}')
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
