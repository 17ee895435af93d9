//! Links in the text: links whose words stayed the same but whose target changed.
//!
//! If the words of a link change, that is a change of the text. This module finds changes that no reader of the
//! words can see: the same words have another target. Words that become a link, or stop being one, are not a
//! change. Neither are differences that lead to the same target (tracking parameters, fragment, scheme, `www.`,
//! trailing slash).

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};
use url::Url;

use super::normalise::visible;
use super::state::{EntryState, FeedState, Link, PageState};
use super::url::{canonical, host_of};

/// The maximum number of links of a page that are compared.
const MOST: usize = 2_000;

/// The links that are compared.
pub(super) fn compared(links: &[Link]) -> impl Iterator<Item = &Link> {
    links.iter().take(MOST)
}

/// A link whose target changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkChange {
    /// The linked words, as in the new text.
    pub words: String,
    /// The old target.
    pub from: String,
    /// The new target.
    pub to: String,
}

impl LinkChange {
    /// Whether the new target is on another host.
    #[must_use]
    pub fn moves_host(&self) -> bool {
        host(&self.from) != host(&self.to)
    }
}

/// The form in which targets are compared. A relative address is resolved against a placeholder site.
#[must_use]
pub fn target(address: &str) -> String {
    match Url::parse(address.trim()) {
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let base = Url::parse("https://relative.invalid/");
            let joined = base.and_then(|base| base.join(address.trim()));
            joined.map_or_else(|_| canonical(address), |url| canonical(url.as_str()))
        }
        Ok(_) | Err(_) => canonical(address),
    }
}

fn host(address: &str) -> Option<String> {
    host_of(&target(address))
}

/// A text with its links, from a page or from a feed's item.
#[derive(Debug, Clone, Copy)]
pub enum Linked<'a> {
    /// The texts in a feed.
    Feed(&'a FeedState),
    /// An article page.
    Page(&'a PageState),
}

impl<'a> Linked<'a> {
    fn links(self) -> &'a [Link] {
        match self {
            Self::Feed(feed) => &feed.links,
            Self::Page(page) => &page.links,
        }
    }

    /// The address of the article.
    fn address(self) -> Option<&'a str> {
        match self {
            Self::Feed(feed) => feed.address.as_deref(),
            Self::Page(page) => page.canonical.as_deref(),
        }
    }

    /// Everything that a reader of the article sees, except its headline.
    fn text(self) -> String {
        let (line, texts) = match self {
            Self::Feed(feed) => (None, [feed.summary.as_slice(), &feed.body]),
            Self::Page(page) => (page.standfirst.as_deref(), [page.body.as_slice(), &[]]),
        };
        let blocks = texts.into_iter().flatten().map(|block| block.text.as_str());
        let all: Vec<_> = line.into_iter().chain(blocks).map(visible).collect();
        all.join("\n")
    }
}

/// The links whose words are in both texts and whose target changed.
///
/// Links with the same words are paired in order, those with the same target first. If the words are in only one of
/// the texts, or in a part that does not count, the link came or went with its text.
#[must_use]
pub fn changes(old: Linked<'_>, new: Linked<'_>) -> Vec<LinkChange> {
    if old.links() == new.links() {
        return Vec::new();
    }
    let mut found = candidates(old.links(), new.links());
    found.retain(|change| !moved_with_page(change, old, new));
    if found.is_empty() {
        return found;
    }
    let (before, after) = (old.text(), new.text());
    found.retain(|change| {
        let words = visible(&change.words);
        before.contains(&*words) && after.contains(&*words)
    });
    found
}

/// Links with the same words and another target, wherever they are.
fn candidates(old: &[Link], new: &[Link]) -> Vec<LinkChange> {
    #[derive(Default)]
    struct Same<'a> {
        old: Vec<(&'a Link, String)>,
        new: Vec<(&'a Link, String)>,
    }
    let mut by_words: HashMap<String, Same<'_>> = HashMap::new();
    let mut order: Vec<String> = Vec::new();
    for (links, is_new) in [(new, true), (old, false)] {
        for link in compared(links) {
            let words = visible(&link.words).into_owned();
            let same = by_words.entry(words.clone()).or_insert_with(|| {
                order.push(words);
                Same::default()
            });
            let side = if is_new { &mut same.new } else { &mut same.old };
            side.push((link, target(&link.address)));
        }
    }
    let mut found = Vec::new();
    for words in order {
        let Some(mut same) = by_words.remove(&words).filter(|_| !words.is_empty()) else {
            continue;
        };
        same.old.retain(|(_, target)| {
            let twin = same.new.iter().position(|(_, other)| other == target);
            twin.map(|at| same.new.remove(at)).is_none()
        });
        // Words that become a link, or stop being one, lead a reader nowhere else.
        found.extend(
            same.old
                .iter()
                .zip(&same.new)
                .map(|((from, _), (to, _))| LinkChange {
                    words: to.words.clone(),
                    from: from.address.clone(),
                    to: to.address.clone(),
                }),
        );
    }
    found
}

/// Whether a target changed only because the page has another address: a link to the page itself or within its
/// site.
fn moved_with_page(change: &LinkChange, old: Linked<'_>, new: Linked<'_>) -> bool {
    let (Some(was), Some(is)) = (old.address(), new.address()) else {
        return false;
    };
    let [from, to, was, is] = [change.from.as_str(), &change.to, was, is].map(target);
    if was == is {
        return false;
    }
    if from == was && to == is {
        return true;
    }
    let parts = |address: &str| {
        let host = host_of(address)?;
        let rest = address.strip_prefix("https://")?;
        Some((rest.strip_prefix(&host)?.to_owned(), host))
    };
    match (parts(&from), parts(&to), host_of(&was), host_of(&is)) {
        (Some((path, from)), Some((same, to)), Some(was), Some(is)) => {
            path == same && was != is && from == was && to == is
        }
        _ => false,
    }
}

/// The links whose words are in the text.
#[must_use]
pub fn within(linked: Linked<'_>) -> Vec<Link> {
    if linked.links().is_empty() {
        return Vec::new();
    }
    let text = linked.text();
    compared(linked.links())
        .filter(|link| text.contains(&*visible(&link.words)))
        .cloned()
        .collect()
}

/// The part of a link that is remembered to follow its changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkPrint {
    words: u64,
    host: u64,
    target: u64,
}

/// The fingerprints of links, in order.
fn prints(links: &[Link]) -> Vec<LinkPrint> {
    let print = |link: &Link| LinkPrint {
        words: hash(&*visible(&link.words)),
        host: hash(&host(&link.address)),
        target: hash(&target(&link.address)),
    };
    compared(links).map(print).collect()
}

/// Whether the target of a link changed at each of the two previous steps, always on the same host: its address is
/// generated for each reader or at each check. `past` has the links of the page's last states, oldest first.
#[must_use]
pub fn rotates<'a>(
    change: &LinkChange,
    past: impl DoubleEndedIterator<Item = &'a [LinkPrint]>,
) -> bool {
    let there = host(&change.to);
    if there.is_none() || host(&change.from) != there {
        return false;
    }
    let (words, there) = (hash(&*visible(&change.words)), hash(&there));
    let mut later: Option<Vec<u64>> = None;
    let mut moves = 0;
    for links in past.rev() {
        let targets: Vec<u64> = links
            .iter()
            .filter(|link| link.words == words && link.host == there)
            .map(|link| link.target)
            .collect();
        if targets.is_empty() || later.as_ref() == Some(&targets) {
            return false;
        }
        moves += u32::from(later.is_some());
        if moves == 2 {
            return true;
        }
        later = Some(targets);
    }
    false
}

/// The links of all texts of a state.
#[must_use]
pub fn prints_of(state: &EntryState) -> Vec<LinkPrint> {
    let feed = state.feed.iter().flat_map(|feed| prints(&feed.links));
    let page = state.page.iter().flat_map(|page| prints(&page.links));
    feed.chain(page).collect()
}

/// A hash that is valid only within this run of the program: it is never stored.
fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::state::Block;

    fn link(words: &str, address: &str) -> Link {
        Link {
            words: words.to_owned(),
            address: address.to_owned(),
        }
    }

    fn page(text: &str, links: &[(&str, &str)]) -> PageState {
        PageState {
            body: vec![Block::paragraph(text)],
            links: links
                .iter()
                .map(|(words, address)| link(words, address))
                .collect(),
            ..PageState::default()
        }
    }

    fn changes(old: &PageState, new: &PageState) -> Vec<LinkChange> {
        super::changes(Linked::Page(old), Linked::Page(new))
    }

    const TEXT: &str = "The ministry published the report, the union its answer.";

    #[test]
    fn words_that_lead_elsewhere_are_found() {
        let old = page(
            TEXT,
            &[
                ("the report", "https://a.example/r"),
                ("its answer", "https://u.example/1"),
            ],
        );
        let new = page(
            TEXT,
            &[
                ("the report", "https://b.example/r"),
                ("its answer", "https://u.example/2"),
            ],
        );
        let found = changes(&old, &new);
        assert_eq!(found.len(), 2);
        assert!(found[0].moves_host() && !found[1].moves_host());
        assert_eq!(found[1].from, "https://u.example/1");
        assert_eq!(found[1].to, "https://u.example/2");
    }

    #[test]
    fn other_spellings_of_a_target_are_the_same_target() {
        for (one, other) in [
            (
                "https://a.example/r",
                "http://www.a.example/r/?utm_source=x#part",
            ),
            ("/r", "/r/#part"),
            ("../r?fbclid=1", "../r"),
            ("#note-1", "#note-2"),
            ("mailto:desk@a.example", " mailto:desk@a.example"),
        ] {
            let (old, new) = (
                page(TEXT, &[("the report", one)]),
                page(TEXT, &[("the report", other)]),
            );
            assert_eq!(changes(&old, &new), [], "{one} {other}");
        }
        let (old, new) = (
            page(TEXT, &[("the report", "/r")]),
            page(TEXT, &[("the report", "/s")]),
        );
        assert_eq!(changes(&old, &new).len(), 1);
    }

    #[test]
    fn words_that_become_a_link_or_stop_being_one_lead_nowhere_else() {
        let old = page(TEXT, &[("the report", "https://a.example/r")]);
        assert_eq!(changes(&old, &page(TEXT, &[])), []);
        assert_eq!(changes(&page(TEXT, &[]), &old), []);
        assert_eq!(changes(&old, &page("The union gave its answer.", &[])), []);
    }

    #[test]
    fn links_of_the_same_words_change_places_without_a_change() {
        let old = page(
            "here and here and here",
            &[("here", "/1"), ("here", "/2"), ("here", "/3")],
        );
        let turned = page(
            "here and here and here",
            &[("here", "/3"), ("here", "/1"), ("here", "/2")],
        );
        assert_eq!(changes(&old, &turned), []);
        let other = page(
            "here and here and here",
            &[("here", "/1"), ("here", "/9"), ("here", "/3")],
        );
        let found = changes(&old, &other);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].from.as_str(), found[0].to.as_str()), ("/2", "/9"));
    }

    #[test]
    fn links_outside_of_the_text_that_counts_are_not_compared() {
        let old = page(TEXT, &[("More stories", "https://a.example/1")]);
        let new = page(TEXT, &[("More stories", "https://a.example/2")]);
        assert_eq!(changes(&old, &new), []);
        assert_eq!(within(Linked::Page(&old)), []);
    }

    #[test]
    fn a_site_that_moves_edits_no_link_inside_of_it() {
        let mut old = page(
            TEXT,
            &[
                ("the report", "https://old.example/r?id=1"),
                ("its answer", "https://old.example/a#n"),
            ],
        );
        let mut new = page(
            TEXT,
            &[
                ("the report", "https://new.example/r?id=1"),
                ("its answer", "https://new.example/b#n"),
            ],
        );
        old.canonical = Some("https://old.example/a".to_owned());
        new.canonical = Some("https://new.example/b".to_owned());
        assert_eq!(changes(&old, &new), []);
        new.links[0].address = "https://new.example/r?id=2".to_owned();
        assert_eq!(changes(&old, &new).len(), 1);
    }

    #[test]
    fn an_address_that_moves_each_time_rotates_unless_its_host_does() {
        let at = |address: &str| prints(&[link("the report", address)]);
        let change = |from: &str, to: &str| LinkChange {
            words: "the report".to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let states = [
            "https://r.example/1",
            "https://r.example/2",
            "https://r.example/3",
        ]
        .map(at);
        let past = || states.iter().map(Vec::as_slice);
        assert!(rotates(
            &change("https://r.example/3", "https://r.example/4"),
            past()
        ));
        assert!(!rotates(
            &change("https://r.example/3", "https://evil.example/4"),
            past()
        ));
        assert!(!rotates(
            &change("https://r.example/3", "https://r.example/4"),
            past().skip(1)
        ));
        let stayed = [
            "https://r.example/1",
            "https://r.example/1",
            "https://r.example/3",
        ]
        .map(at);
        let past = stayed.iter().map(Vec::as_slice);
        assert!(!rotates(
            &change("https://r.example/3", "https://r.example/4"),
            past
        ));
    }

    proptest! {
        #[test]
        fn any_links_are_compared_and_a_page_with_itself_is_the_same(
            old in proptest::collection::vec(("[ab]{0,2}", "(/|https://[ab].example/|#)?[a-c]{0,2}"), 0..6),
            new in proptest::collection::vec(("[ab]{0,2}", "(/|https://[ab].example/|#)?[a-c]{0,2}"), 0..6),
        ) {
            let state = |links: &[(String, String)]| PageState {
                body: vec![Block::paragraph("a b ab ba aa bb")],
                links: links.iter().map(|(words, address)| link(words, address)).collect(),
                ..PageState::default()
            };
            let (old, new) = (state(&old), state(&new));
            prop_assert_eq!(changes(&old, &old), []);
            for change in changes(&old, &new) {
                let [from, to] = [&change.from, &change.to].map(|side| target(side));
                prop_assert_ne!(from, to);
            }
        }
    }
}
