//! What differs between two states of an entry.
//!
//! Each text is compared with its own past: the feed's headline with the feed's, the page's `h1` with the page's `h1`,
//! a description with the description. What only one side has is no difference but a first sight or an absence:
//! [`first_sights`] tells whether the new state is worth storing for it, as a baseline without a change.
//!
//! Claimed dates are not compared; [`dates_moved`] looks at them.

use super::diff::{ProseDiff, Segment, WordCount, count_words, diff_blocks, diff_line};
use super::event::Field;
use super::fingerprint::address_key;
use super::normalise::{same_to_the_eye, same_to_the_reader, visible};
use super::state::{Block, Channel, EntryState, FeedState, PageState};

/// Where a headline stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HeadlineSource {
    /// The title of the item in the feed.
    Feed,
    /// The page's `h1`.
    H1,
    /// The page's `og:title`.
    OgTitle,
    /// The `headline` in the page's JSON-LD.
    JsonLd,
}

impl HeadlineSource {
    /// For people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::H1 => "h1",
            Self::OgTitle => "og:title",
            Self::JsonLd => "JSON-LD",
        }
    }

    /// The channel that it belongs to.
    #[must_use]
    pub fn channel(self) -> Channel {
        match self {
            Self::Feed => Channel::Feed,
            Self::H1 | Self::OgTitle | Self::JsonLd => Channel::Page,
        }
    }
}

/// A headline that moved.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadlineChange {
    /// Which one.
    pub source: HeadlineSource,
    /// Rebuilds both sides.
    pub segments: Vec<Segment>,
}

/// What differs; at least one field does.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The fields that moved, in the order of [`Field`].
    pub fields: Vec<Field>,
    /// The channels in which something moved, feed first.
    pub channels: Vec<Channel>,
    /// The headline: the feed's if that moved, else the first of `headlines`.
    pub title: Option<Vec<Segment>>,
    /// The channels in which the headline moved, feed first.
    pub title_channels: Vec<Channel>,
    /// Every headline that moved: the feed's, `h1`, `og:title`, JSON-LD.
    pub headlines: Vec<HeadlineChange>,
    /// The authors: the page's if those moved, else the feed's.
    pub byline: Option<Vec<Segment>>,
    /// The feed's description.
    pub summary: Option<ProseDiff>,
    /// The full text: the page's if that moved, else the feed's.
    pub body: Option<ProseDiff>,
    /// The feed's full text, when both moved and not alike.
    pub feed_body: Option<ProseDiff>,
    /// Old and new address, as given: the feed's if that moved, else the canonical one that the page names.
    pub address: Option<[String; 2]>,
    /// Old and new guid, as given.
    pub guid: Option<[String; 2]>,
    /// Words added and removed over the text fields, each text once.
    pub words: WordCount,
    /// 0–1, of the longest text that changed, rounded to two digits.
    pub similarity: f64,
    /// Whether all of it reads as before: the shape of quotation marks, apostrophes, dashes, ellipses.
    pub typographic_only: bool,
}

/// What a reader sees changed between two states of an entry; `None` when that is nothing.
#[must_use]
pub fn compare(old: &EntryState, new: &EntryState) -> Option<Comparison> {
    let mut found = Finder::default();
    if let (Some(old), Some(new)) = (&old.feed, &new.feed) {
        found.feed(old, new);
    }
    if let (Some(old), Some(new)) = (&old.page, &new.page) {
        found.page(old, new);
    }
    found.finish()
}

/// Whether the new state knows a channel, a headline or a full text that the old one does not know at all: stored as a
/// baseline, so that its later edits have a past, but no change by itself.
#[must_use]
pub fn first_sights(old: &EntryState, new: &EntryState) -> bool {
    let feed = match (&old.feed, &new.feed) {
        (None, Some(_)) => true,
        (Some(old), Some(new)) => {
            (is_blank_text(&old.body) && !is_blank_text(&new.body))
                || appears(old.guid.as_deref(), new.guid.as_deref())
                || appears(old.address.as_deref(), new.address.as_deref())
        }
        _ => false,
    };
    let page = match (&old.page, &new.page) {
        (None, Some(_)) => true,
        (Some(old), Some(new)) => {
            appears(old.h1.as_deref(), new.h1.as_deref())
                || appears(old.og_title.as_deref(), new.og_title.as_deref())
                || appears(old.ld_headline.as_deref(), new.ld_headline.as_deref())
                || appears(old.canonical.as_deref(), new.canonical.as_deref())
        }
        _ => false,
    };
    feed || page
}

/// Whether a claimed date of the last change moved, on a channel that both states know.
#[must_use]
pub fn dates_moved(old: &EntryState, new: &EntryState) -> bool {
    let feed = match (&old.feed, &new.feed) {
        (Some(old), Some(new)) => (old.published, old.updated) != (new.published, new.updated),
        _ => false,
    };
    let page = match (&old.page, &new.page) {
        (Some(old), Some(new)) => (old.published, old.modified) != (new.published, new.modified),
        _ => false,
    };
    feed || page
}

fn appears(old: Option<&str>, new: Option<&str>) -> bool {
    seen(old).is_empty() && !seen(new).is_empty()
}

fn seen(text: Option<&str>) -> std::borrow::Cow<'_, str> {
    visible(text.unwrap_or_default())
}

fn is_blank_text(blocks: &[Block]) -> bool {
    blocks.iter().all(|block| visible(&block.text).is_empty())
}

/// Whether two texts of blocks look the same, blocks without visible text left out.
fn same_blocks(old: &[Block], new: &[Block], same: fn(&str, &str) -> bool) -> bool {
    let shown = |blocks: &'_ [Block]| -> Vec<usize> {
        blocks
            .iter()
            .enumerate()
            .filter(|(_, block)| !visible(&block.text).is_empty())
            .map(|(index, _)| index)
            .collect()
    };
    if old == new {
        return true;
    }
    let (a, b) = (shown(old), shown(new));
    a.len() == b.len()
        && a.iter()
            .zip(&b)
            .all(|(&i, &j)| same(&old[i].text, &new[j].text))
}

/// A text that moved.
struct Moved<T> {
    channel: Channel,
    diff: T,
    typographic: bool,
}

#[derive(Default)]
struct Finder {
    headlines: Vec<(HeadlineChange, bool)>,
    bylines: Vec<Moved<Vec<Segment>>>,
    summary: Option<Moved<ProseDiff>>,
    bodies: Vec<Moved<ProseDiff>>,
    addresses: Vec<(Channel, [String; 2])>,
    guid: Option<[String; 2]>,
}

impl Finder {
    fn feed(&mut self, old: &FeedState, new: &FeedState) {
        self.headline(
            HeadlineSource::Feed,
            old.title.as_deref(),
            new.title.as_deref(),
        );
        self.byline(Channel::Feed, old.byline.as_deref(), new.byline.as_deref());
        self.summary = prose(Channel::Feed, &old.summary, &new.summary);
        // A feed that begins or ceases to carry full texts does so for all of its entries: that is no edit of any.
        if !is_blank_text(&old.body) && !is_blank_text(&new.body) {
            self.bodies
                .extend(prose(Channel::Feed, &old.body, &new.body));
        }
        self.address(
            Channel::Feed,
            old.address.as_deref(),
            new.address.as_deref(),
        );
        self.guid = key_change(old.guid.as_deref(), new.guid.as_deref());
    }

    fn page(&mut self, old: &PageState, new: &PageState) {
        let before = self.headlines.len();
        let sources = [
            (HeadlineSource::H1, &old.h1, &new.h1),
            (HeadlineSource::OgTitle, &old.og_title, &new.og_title),
            (HeadlineSource::JsonLd, &old.ld_headline, &new.ld_headline),
        ];
        for (source, old, new) in sources {
            if let (Some(old), Some(new)) = (old, new) {
                self.headline(source, Some(old), Some(new));
            }
        }
        if self.headlines.len() == before && (old.headline().is_none() || new.headline().is_none())
        {
            self.headline(HeadlineSource::H1, old.headline(), new.headline());
        }
        self.byline(Channel::Page, old.byline.as_deref(), new.byline.as_deref());
        self.bodies
            .extend(prose(Channel::Page, &old.body, &new.body));
        self.address(
            Channel::Page,
            old.canonical.as_deref(),
            new.canonical.as_deref(),
        );
    }

    fn headline(&mut self, source: HeadlineSource, old: Option<&str>, new: Option<&str>) {
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        if !same_to_the_eye(old, new) {
            let segments = diff_line(old, new);
            let change = HeadlineChange { source, segments };
            self.headlines.push((change, same_to_the_reader(old, new)));
        }
    }

    fn byline(&mut self, channel: Channel, old: Option<&str>, new: Option<&str>) {
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        if !same_to_the_eye(old, new) {
            self.bylines.push(Moved {
                channel,
                diff: diff_line(old, new),
                typographic: same_to_the_reader(old, new),
            });
        }
    }

    fn address(&mut self, channel: Channel, old: Option<&str>, new: Option<&str>) {
        self.addresses
            .extend(key_change(old, new).map(|change| (channel, change)));
    }

    fn finish(mut self) -> Option<Comparison> {
        // The page's text goes before the feed's, the feed's address before the page's.
        self.bodies
            .sort_by_key(|moved| moved.channel == Channel::Feed);
        self.bylines
            .sort_by_key(|moved| moved.channel == Channel::Feed);

        let mut channels: Vec<Channel> = self
            .headlines
            .iter()
            .map(|(change, _)| change.source.channel())
            .chain(self.bylines.iter().map(|moved| moved.channel))
            .chain(self.summary.iter().map(|moved| moved.channel))
            .chain(self.bodies.iter().map(|moved| moved.channel))
            .chain(self.addresses.iter().map(|(channel, _)| *channel))
            .chain(self.guid.iter().map(|_| Channel::Feed))
            .collect();
        channels.sort_unstable();
        channels.dedup();
        if channels.is_empty() {
            return None;
        }
        let typographic_only = self.headlines.iter().all(|(_, typographic)| *typographic)
            && self.bylines.iter().all(|moved| moved.typographic)
            && self.summary.iter().all(|moved| moved.typographic)
            && self.bodies.iter().all(|moved| moved.typographic)
            && self.addresses.is_empty()
            && self.guid.is_none();

        let headlines: Vec<HeadlineChange> = self
            .headlines
            .into_iter()
            .map(|(change, _)| change)
            .collect();
        let title = headlines.first().map(|change| change.segments.clone());
        let mut title_channels: Vec<Channel> = headlines
            .iter()
            .map(|change| change.source.channel())
            .collect();
        title_channels.dedup();
        let byline = self.bylines.into_iter().next().map(|moved| moved.diff);
        let summary = self.summary.map(|moved| moved.diff);
        let mut bodies = self.bodies.into_iter().map(|moved| moved.diff);
        let body = bodies.next();
        let feed_body = bodies.next().filter(|other| body.as_ref() != Some(other));
        let address = self.addresses.into_iter().next().map(|(_, change)| change);

        let mut fields = Vec::new();
        let moved = [
            (Field::Title, title.is_some()),
            (Field::Summary, summary.is_some()),
            (Field::Body, body.is_some()),
            (Field::Byline, byline.is_some()),
            (Field::Address, address.is_some()),
            (Field::Guid, self.guid.is_some()),
        ];
        fields.extend(
            moved
                .iter()
                .filter(|(_, moved)| *moved)
                .map(|(field, _)| *field),
        );
        let lines = [&title, &byline].into_iter().flatten();
        let texts = [&summary, &body].into_iter().flatten();
        let words = lines
            .map(|segments| count_words(segments))
            .chain(texts.map(|diff| diff.words))
            .fold(WordCount::default(), |sum, words| sum + words);
        let similarity = similarity(&title, &byline, &summary, &body);
        Some(Comparison {
            fields,
            channels,
            title,
            title_channels,
            headlines,
            byline,
            summary,
            body,
            feed_body,
            address,
            guid: self.guid,
            words,
            similarity,
            typographic_only,
        })
    }
}

/// Guids and addresses: what only one side has is no difference.
fn key_change(old: Option<&str>, new: Option<&str>) -> Option<[String; 2]> {
    let (old, new) = (old?, new?);
    let differs = old != new && address_key(old) != address_key(new);
    differs.then(|| [old.to_owned(), new.to_owned()])
}

fn prose(channel: Channel, old: &[Block], new: &[Block]) -> Option<Moved<ProseDiff>> {
    if same_blocks(old, new, same_to_the_eye) {
        return None;
    }
    Some(Moved {
        channel,
        diff: diff_blocks(old, new),
        typographic: same_blocks(old, new, same_to_the_reader),
    })
}

/// Of the longest text that changed, rounded to two digits; 1 when only guid or address did.
fn similarity(
    title: &Option<Vec<Segment>>,
    byline: &Option<Vec<Segment>>,
    summary: &Option<ProseDiff>,
    body: &Option<ProseDiff>,
) -> f64 {
    let lines = [title, byline].into_iter().flatten().map(|segments| {
        let words = count_words(segments);
        let all = super::diff::word_count(&Segment::old_side(segments))
            .saturating_add(super::diff::word_count(&Segment::new_side(segments)));
        let gone = words.added.saturating_add(words.removed);
        let similarity = if all == 0 {
            1.0
        } else {
            1.0 - f64::from(gone) / f64::from(all)
        };
        let length = segments
            .iter()
            .map(|segment| segment.text().len())
            .sum::<usize>();
        (length, similarity)
    });
    let texts = [summary, body].into_iter().flatten().map(|diff| {
        let length = diff
            .blocks
            .iter()
            .flat_map(|block| &block.segments)
            .map(|segment| segment.text().len())
            .sum::<usize>();
        (length, diff.similarity)
    });
    let longest = lines.chain(texts).max_by_key(|(length, _)| *length);
    let value = longest.map_or(1.0, |(_, similarity)| similarity);
    // Texts that differ are never shown as wholly equal, nor those that share a word as wholly different.
    ((value * 100.0).round() / 100.0).clamp(0.0, 1.0)
}
