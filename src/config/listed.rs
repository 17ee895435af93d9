//! `feeds_file`: a list with one feed per line, for configurations with a very large number of feeds.
//!
//! A line is an address, followed by tags and by a name with `~` before it: the format of newsboat's `urls` file,
//! which `revisor import` reads as well. Nothing is guessed here: any other line is an error with its place.

use std::collections::HashSet;

use super::edit::NewFeed;
use super::file::read;
use super::layers::RawFeed;
use super::load::Layered;
use super::places::path_of;
use super::problem::ValueSource;
use super::raw::{RawDetect, RawFeedOwn, RawFetch, RawPage};
use super::reader::At;
use super::resolve::{Building, Common, Resolver};
use super::texts::SourceText;
use crate::feed::list::words;

impl Resolver<'_> {
    /// Reads the lists that the layers name, each once, and adds their feeds.
    pub(super) fn lists(&mut self, layered: &Layered, common: &Common, building: &mut Building) {
        for named in &layered.lists {
            let path = path_of(&named.value, self.file, self.environment);
            if self.lists.contains(&path) {
                let message = format!("feeds_file {} is set twice", path.display());
                self.problems.add(&named.place, message);
                continue;
            }
            match read(&path) {
                Err(error) => {
                    self.problems
                        .add(&named.place, format!("feeds_file: {error}"));
                }
                Ok(text) => {
                    let source = SourceText::new(&path, &text);
                    let text = std::sync::Arc::clone(&source.text);
                    let file = self.problems.take_source(source);
                    self.list(&text, file, common, building);
                }
            }
            self.lists.push(path);
        }
    }

    fn list(&mut self, text: &str, file: usize, common: &Common, building: &mut Building) {
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let at = |offset: usize| ValueSource::File(file, start + offset);
            let mut words = words(line).into_iter();
            if let Some(url) = words.next() {
                let mut own = RawFeedOwn::default();
                let place = at(url.at);
                own.url = Some(At {
                    value: url.text,
                    place: place.clone(),
                });
                let mut tags = Vec::new();
                for word in words {
                    let place = at(word.at);
                    match word.text.strip_prefix('~').map(str::trim) {
                        None => tags.push(At {
                            value: word.text,
                            place,
                        }),
                        Some(_) if own.name.is_some() => {
                            let message = "a second name; expected one word with ~ before it";
                            self.problems.add(&place, message);
                        }
                        Some("") => {
                            let message =
                                "~ without a name; expected one such as ~news or \"~World news\"";
                            self.problems.add(&place, message);
                        }
                        Some(name) => {
                            own.name = Some(At {
                                value: name.to_owned(),
                                place,
                            });
                        }
                    }
                }
                if !tags.is_empty() {
                    own.tags = Some(At {
                        value: tags,
                        place: place.clone(),
                    });
                }
                let raw = RawFeed {
                    own,
                    fetch: RawFetch::default(),
                    page: RawPage::default(),
                    detect: RawDetect::default(),
                    place,
                };
                self.feed(raw, common, building);
            }
            start += line.len();
        }
    }
}

/// The feeds of a list; the loader reports words that are not valid.
pub(super) fn feeds(text: &str) -> impl Iterator<Item = NewFeed> {
    text.lines().filter_map(|line| {
        let mut words = words(line).into_iter().map(|word| word.text);
        let mut feed = NewFeed {
            url: words.next()?,
            ..NewFeed::default()
        };
        for word in words {
            match word.strip_prefix('~') {
                Some(name) => name.trim().clone_into(&mut feed.name),
                None => feed.tags.push(word),
            }
        }
        Some(feed)
    })
}

/// Removes the feeds with these addresses from the list. Returns the new list and the feeds that were found.
#[must_use]
pub(crate) fn remove_listed(text: &str, urls: &HashSet<String>) -> (String, Vec<String>) {
    let (mut out, mut removed) = (String::with_capacity(text.len()), Vec::new());
    for line in text.split_inclusive('\n') {
        match words(line).into_iter().next() {
            Some(url) if urls.contains(&url.text) => removed.push(url.text),
            _ => out.push_str(line),
        }
    }
    (out, removed)
}

/// Changes the address of the feed with this address; `None` if there is no such feed.
#[must_use]
pub(crate) fn move_listed(text: &str, url: &str, new: &str) -> Option<String> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(word) = words(line)
            .into_iter()
            .next()
            .filter(|word| word.text == url)
        {
            let at = start + word.at;
            let rest = text.get(at..)?;
            // A quoted address can be written in more than one way.
            let written = match rest.starts_with('"') {
                true => rest.get(1..)?.find('"')? + 2,
                false => word.text.len(),
            };
            let mut out = text.to_owned();
            out.replace_range(at..at + written, new);
            return Some(out);
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# Ours\nhttps://a.example/rss ~one news # the first\n\n\"https://b.example/x\" \"~Two words\"\n";

    #[test]
    fn lines_are_taken_out_and_changed_in_place() {
        let urls = HashSet::from(["https://a.example/rss".to_owned()]);
        let (text, removed) = remove_listed(LIST, &urls);
        assert_eq!(removed, ["https://a.example/rss"]);
        assert_eq!(text, "# Ours\n\n\"https://b.example/x\" \"~Two words\"\n");
        let moved = move_listed(LIST, "https://b.example/x", "https://b.example/y").unwrap();
        assert!(
            moved.ends_with("\nhttps://b.example/y \"~Two words\"\n"),
            "{moved}"
        );
        assert_eq!(
            move_listed(LIST, "https://c.example/", "https://d.example/"),
            None
        );
        let tables = super::super::edit::listed_tables(LIST);
        assert_eq!(
            tables,
            "[[feed]]\nurl = \"https://a.example/rss\"\nname = \"one\"\ntags = [\"news\"]\n\n\
             [[feed]]\nurl = \"https://b.example/x\"\nname = \"Two words\"\n"
        );
    }
}
