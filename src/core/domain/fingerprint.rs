//! Stable hashes of what a reader sees, to recognise the same content without loading the text.
//!
//! Equal fingerprints mean that [`compare`](super::compare::compare) finds nothing. They do not include claimed
//! dates or the kind of a block. They include the borders of blocks, since a reader sees them. Every text is hashed
//! with its length, so that no two states produce the same stream of bytes.

use sha2::{Digest, Sha256};

use super::compare::Comparison;
use super::diff::Segment;
use super::document;
use super::links::{self, target};
use super::normalise::visible;
use super::state::{Block, BlockKind, EntryState, FeedState, Link, PageState};

/// The version of normalising and hashing. An upgrade of it is never an edit: a fingerprint of another version is
/// recomputed from the stored state before anything is compared.
pub const SCHEME: u8 = 1;

/// A hash of normalised content; its first byte is [`SCHEME`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// The version that it was computed under.
    #[must_use]
    pub fn scheme(self) -> u8 {
        self.0[0]
    }
}

/// The fingerprints of a state: one for each channel as a whole, and one for each text, to recognise a return to
/// it. `None` if there is no such text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fingerprints {
    /// All of the feed's compared fields (claimed dates are not compared).
    pub feed: Option<Fingerprint>,
    /// All of the page's compared fields.
    pub page: Option<Fingerprint>,
    /// The feed's headline.
    pub feed_title: Option<Fingerprint>,
    /// The feed's description.
    pub feed_summary: Option<Fingerprint>,
    /// The feed's full text.
    pub feed_body: Option<Fingerprint>,
    /// The page's headline.
    pub page_title: Option<Fingerprint>,
    /// The page's text.
    pub page_body: Option<Fingerprint>,
    /// What changes besides the texts; all absent if it was not recorded.
    pub beside: OtherPrints,
    /// What surrounds the page's text; `None` if there is no page, or if only stored fingerprints are known.
    pub around: Option<Around>,
    /// The links in the feed's texts; `None` if there is no such text, or if only stored fingerprints are known.
    pub feed_links: Option<Fingerprint>,
}

/// The fingerprints of what surrounds the text of a page. They are computed from a state when needed and never
/// stored. A missing part has a fingerprint of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Around {
    /// The line above the headline.
    pub kicker: Fingerprint,
    /// The sentences under the headline.
    pub standfirst: Fingerprint,
    /// The links of the text, with words and targets.
    pub links: Fingerprint,
}

/// The fingerprints of what changes besides the texts. `None` if it is not known, as in revisions of old databases.
/// An empty by-line has a fingerprint of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OtherPrints {
    /// The page's `og:title`.
    pub og_title: Option<Fingerprint>,
    /// The headline in the page's JSON-LD.
    pub ld_headline: Option<Fingerprint>,
    /// The feed's by-line, even if it is empty.
    pub feed_byline: Option<Fingerprint>,
    /// The page's by-line, even if it is empty.
    pub page_byline: Option<Fingerprint>,
    /// The address in the feed.
    pub feed_address: Option<Fingerprint>,
    /// The canonical address that the page names.
    pub page_address: Option<Fingerprint>,
    /// The feed's guid.
    pub guid: Option<Fingerprint>,
}

/// The fingerprints of what a feed says about an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedPrints {
    /// All compared fields.
    pub whole: Fingerprint,
    /// The headline.
    pub title: Option<Fingerprint>,
    /// The description.
    pub summary: Option<Fingerprint>,
    /// The full text.
    pub body: Option<Fingerprint>,
}

/// The fingerprints of what a page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PagePrints {
    /// All compared fields.
    pub whole: Fingerprint,
    /// The headline that a reader sees, see [`PageState::headline`].
    pub title: Option<Fingerprint>,
    /// The text.
    pub body: Option<Fingerprint>,
}

impl Fingerprints {
    /// The fingerprints of both channels of a state.
    #[must_use]
    pub fn of(state: &EntryState) -> Self {
        let feed = state.feed.as_ref().map(of_feed_state);
        let page_state = state.page.as_ref();
        let page = page_state.map(of_page_state);
        Self {
            feed: feed.map(|prints| prints.whole),
            page: page.map(|prints| prints.whole),
            feed_title: feed.and_then(|prints| prints.title),
            feed_summary: feed.and_then(|prints| prints.summary),
            feed_body: feed.and_then(|prints| prints.body),
            page_title: page.and_then(|prints| prints.title),
            page_body: page.and_then(|prints| prints.body),
            beside: OtherPrints::of(state),
            around: page_state.map(Around::of),
            feed_links: state.feed.as_ref().map(of_feed_links),
        }
    }

    /// The fingerprints that are stored.
    #[must_use]
    pub fn stored(self) -> Self {
        Self {
            around: None,
            feed_links: None,
            ..self
        }
    }
}

impl Around {
    /// The fingerprints for a page.
    #[must_use]
    pub fn of(page: &PageState) -> Self {
        let mut links = Hasher::new(*b"link");
        links.links(&page.links);
        Self {
            kicker: of_line(page.kicker.as_deref()),
            standfirst: of_line(page.standfirst.as_deref()),
            links: links.finish(),
        }
    }
}

impl OtherPrints {
    fn of(state: &EntryState) -> Self {
        let (feed, page) = (state.feed.as_ref(), state.page.as_ref());
        Self {
            og_title: page.and_then(|page| of_text(page.og_title.as_deref())),
            ld_headline: page.and_then(|page| of_text(page.ld_headline.as_deref())),
            feed_byline: feed.map(|feed| of_line(feed.byline.as_deref())),
            page_byline: page.map(|page| of_line(page.byline.as_deref())),
            feed_address: feed.and_then(|feed| of_key(feed.address.as_deref())),
            page_address: page.and_then(|page| of_key(page.canonical.as_deref())),
            guid: feed.and_then(|feed| of_key(feed.guid.as_deref())),
        }
    }
}

/// The fingerprint of the links of a feed's entry.
#[must_use]
pub fn of_feed_links(feed: &FeedState) -> Fingerprint {
    let mut links = Hasher::new(*b"link");
    links.links(&feed.links);
    links.finish()
}

/// The fingerprints of a feed's entry.
#[must_use]
pub fn of_feed_state(state: &FeedState) -> FeedPrints {
    let title = of_text(state.title.as_deref());
    let summary = of_blocks(&state.summary);
    let body = of_blocks(&state.body);
    let mut whole = Hasher::new(*b"feed");
    whole.key(state.guid.as_deref());
    whole.key(state.address.as_deref());
    whole.line(state.byline.as_deref());
    whole.print(title);
    whole.print(summary);
    whole.print(body);
    if !state.links.is_empty() {
        whole.bytes(b"links");
        whole.links(&state.links);
    }
    FeedPrints {
        whole: whole.finish(),
        title,
        summary,
        body,
    }
}

/// The fingerprints of a page.
#[must_use]
pub fn of_page_state(state: &PageState) -> PagePrints {
    let body = match document::is_unread(state) {
        true => of_blocks(&document::described(state)),
        false => of_blocks(&state.body),
    };
    let mut whole = Hasher::new(*b"page");
    whole.key(state.canonical.as_deref());
    whole.line(state.byline.as_deref());
    whole.line(state.h1.as_deref());
    whole.line(state.og_title.as_deref());
    whole.line(state.ld_headline.as_deref());
    whole.print(body);
    // Left out if empty, so that a page without them keeps the fingerprint that it always had.
    for (what, line) in [(b"kicker", &state.kicker), (b"standf", &state.standfirst)] {
        if let Some(line) = line.as_deref().filter(|line| !visible(line).is_empty()) {
            whole.bytes(what);
            whole.line(Some(line));
        }
    }
    if !state.links.is_empty() {
        whole.bytes(b"links");
        whole.links(&state.links);
    }
    if let Some(document) = &state.document {
        whole.bytes(document.media_type.as_bytes());
    }
    PagePrints {
        whole: whole.finish(),
        title: of_text(state.headline()),
        body,
    }
}

/// The fingerprint of one line of text; `None` if a reader sees nothing.
#[must_use]
pub fn of_text(text: Option<&str>) -> Option<Fingerprint> {
    let seen = visible(text?);
    if seen.is_empty() {
        return None;
    }
    let mut hasher = Hasher::new(*b"text");
    hasher.bytes(seen.as_bytes());
    Some(hasher.finish())
}

/// The fingerprint of one line of text; a missing line and an invisible one are the same.
fn of_line(text: Option<&str>) -> Fingerprint {
    let mut hasher = Hasher::new(*b"line");
    hasher.line(text);
    hasher.finish()
}

/// The fingerprint of a guid or an address, in the form in which they are compared.
fn of_key(address: Option<&str>) -> Option<Fingerprint> {
    let mut hasher = Hasher::new(*b"keys");
    hasher.key(Some(address?));
    Some(hasher.finish())
}

/// The fingerprint of a text of blocks; `None` if a reader sees nothing.
#[must_use]
pub fn of_blocks(blocks: &[Block]) -> Option<Fingerprint> {
    let mut hasher = Hasher::new(*b"body");
    let mut empty = true;
    for block in blocks
        .iter()
        .filter(|block| block.kind != BlockKind::Furniture)
    {
        let seen = visible(&block.text);
        if !seen.is_empty() {
            empty = false;
            hasher.bytes(seen.as_bytes());
        }
    }
    (!empty).then(|| hasher.finish())
}

/// The fingerprint of the words that an edit removed and added, wherever they are: many pages that are changed in
/// the same way get the same one. `None` if no words changed.
#[must_use]
pub fn of_edit(comparison: &Comparison) -> Option<Fingerprint> {
    let lines = comparison.headlines.iter().map(|change| &change.segments);
    let lines = lines
        .chain(&comparison.standfirst)
        .chain(&comparison.byline);
    let texts = [&comparison.summary, &comparison.body, &comparison.feed_body];
    let blocks = texts.into_iter().flatten().flat_map(|diff| &diff.blocks);
    let segments = lines.chain(blocks.map(|block| &block.segments)).flatten();
    let mut words: Vec<(bool, String)> = segments
        .filter_map(|segment| match segment {
            Segment::Equal(_) => None,
            Segment::Delete(text) => Some((false, visible(text).trim().to_owned())),
            Segment::Insert(text) => Some((true, visible(text).trim().to_owned())),
        })
        .filter(|(_, text)| !text.is_empty())
        .collect();
    for link in &comparison.links {
        words.push((false, target(&link.from)));
        words.push((true, target(&link.to)));
    }
    words.sort_unstable();
    words.dedup();
    let mut hasher = Hasher::new(*b"edit");
    for (came, text) in &words {
        hasher.bytes(&[u8::from(*came)]);
        hasher.bytes(text.as_bytes());
    }
    (!words.is_empty()).then(|| hasher.finish())
}

/// The form in which guids and addresses are compared: tracking parameters, fragment, scheme and trailing slashes
/// do not count. A guid that is not an address is compared unchanged.
#[must_use]
pub fn address_key(address: &str) -> String {
    super::url::canonical(address)
}

/// SHA-256 over parts, each with its length.
struct Hasher(Sha256);

impl Hasher {
    fn new(what: [u8; 4]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update([SCHEME]);
        hasher.update(what);
        Self(hasher)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// A line of text. A missing line and an invisible one are the same.
    fn line(&mut self, text: Option<&str>) {
        self.bytes(visible(text.unwrap_or_default()).as_bytes());
    }

    /// A guid or an address.
    fn key(&mut self, address: Option<&str>) {
        self.bytes(address.map(address_key).unwrap_or_default().as_bytes());
    }

    /// Words and targets of links.
    fn links(&mut self, links: &[Link]) {
        for link in links::compared(links) {
            self.bytes(visible(&link.words).as_bytes());
            self.bytes(target(&link.address).as_bytes());
        }
    }

    fn print(&mut self, print: Option<Fingerprint>) {
        self.bytes(print.as_ref().map_or(&[], |print| print.0.as_slice()));
    }

    fn finish(self) -> Fingerprint {
        let hash = self.0.finalize();
        let mut print = [0; 16];
        for (to, from) in print.iter_mut().zip(hash.iter()) {
            *to = *from;
        }
        print[0] = SCHEME;
        Fingerprint(print)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::state::Link;
    use crate::time::Timestamp;

    fn feed(summary: &[&str]) -> FeedState {
        FeedState {
            title: Some("A headline".to_owned()),
            guid: Some("urn:1".to_owned()),
            address: Some("https://n.example/a".to_owned()),
            summary: summary.iter().map(|text| Block::paragraph(*text)).collect(),
            ..FeedState::default()
        }
    }

    fn link(words: &str, address: &str) -> Link {
        Link {
            words: words.to_owned(),
            address: address.to_owned(),
        }
    }

    #[test]
    fn the_first_byte_is_the_scheme() {
        assert_eq!(of_feed_state(&feed(&["a"])).whole.scheme(), SCHEME);
    }

    #[test]
    fn what_a_reader_does_not_see_is_not_hashed() {
        let old = feed(&["a cafe\u{301}  here"]);
        let mut new = feed(&["a café here\u{200b}", "\u{200b}"]);
        new.updated = Some(Timestamp::from_unix(7));
        new.address = Some("http://n.example/a/?utm_source=rss#x".to_owned());
        new.summary[0].kind = BlockKind::Heading;
        assert_eq!(of_feed_state(&old), of_feed_state(&new));
    }

    #[test]
    fn borders_order_and_places_of_text_count() {
        let one = of_feed_state(&feed(&["ab", "c"])).whole;
        assert_ne!(one, of_feed_state(&feed(&["a", "bc"])).whole);
        assert_ne!(one, of_feed_state(&feed(&["c", "ab"])).whole);
        let mut moved = feed(&[]);
        moved.body = feed(&["ab", "c"]).summary;
        assert_ne!(one, of_feed_state(&moved).whole);
    }

    #[test]
    fn every_compared_field_counts() {
        let page = PageState::default();
        let with = |change: fn(&mut PageState)| {
            let mut changed = page.clone();
            change(&mut changed);
            of_page_state(&changed).whole
        };
        let mut seen = vec![of_page_state(&page).whole];
        seen.push(with(|page| page.h1 = Some("a".to_owned())));
        seen.push(with(|page| page.og_title = Some("a".to_owned())));
        seen.push(with(|page| page.ld_headline = Some("a".to_owned())));
        seen.push(with(|page| page.byline = Some("a".to_owned())));
        seen.push(with(|page| page.canonical = Some("a".to_owned())));
        seen.push(with(|page| page.body = vec![Block::paragraph("a")]));
        seen.push(with(|page| page.kicker = Some("a".to_owned())));
        seen.push(with(|page| page.standfirst = Some("a".to_owned())));
        seen.push(with(|page| page.links = vec![link("a", "/b")]));
        seen.push(with(|page| page.links = vec![link("a", "/c")]));
        seen.push(with(|page| {
            page.links = vec![link("", "/b"), link("a", "/b")];
        }));
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), all);
    }

    #[test]
    fn scheme_one_is_fixed() {
        // A later build has to find stored fingerprints again: if this value changes, SCHEME must change too.
        let print = of_feed_state(&feed(&["A summary."])).whole;
        assert_eq!(
            u128::from_be_bytes(print.0),
            0x0198_868f_d93e_a9fc_f884_3d97_c874_0104
        );
    }

    #[test]
    fn nothing_around_a_text_has_one_print_and_is_not_stored() {
        let page = |standfirst: Option<&str>| EntryState {
            page: Some(PageState {
                standfirst: standfirst.map(str::to_owned),
                ..PageState::default()
            }),
            feed: None,
        };
        let without = Fingerprints::of(&page(None));
        assert_eq!(without, Fingerprints::of(&page(Some(" \u{ad}"))));
        assert_ne!(without.around, Fingerprints::of(&page(Some("a"))).around);
        assert_eq!(without.stored().around, None);
        assert_eq!(without.stored().page, without.page);
    }
}
