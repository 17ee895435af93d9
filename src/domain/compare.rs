//! What differs between two states of an entry.
//!
//! Each text is compared with its own past: the feed's headline with the feed's, the page's `h1` with the page's `h1`,
//! a description with the description. What only one side has is no difference but a first sight or an absence:
//! [`first_sights`] tells whether the new state is worth storing for it, as a baseline without a change.
//!
//! Claimed dates are not compared; [`dates_moved`] looks at them.

use super::diff::{LeftOut, ProseDiff, Segment, WordCount, count_words, diff_blocks, diff_line};
use super::document::{self, Between, Replaced};
use super::event::Field;
use super::furniture::{Paired, Rules};
use super::normalise::{same_to_the_eye, same_to_the_reader, visible};
use super::state::{Block, Channel, EntryState, FeedState, HeadlineSource, PageState};
use super::url::canonical;
use crate::time::Timestamp;

/// A headline that moved.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadlineChange {
    /// Which one.
    pub source: HeadlineSource,
    /// Rebuilds both sides.
    pub segments: Vec<Segment>,
}

/// A claimed date that moved beside a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateMove {
    /// Where it is claimed.
    pub channel: Channel,
    /// The date of publication; else that of the last change.
    pub of_publication: bool,
    /// What was claimed before.
    pub old: Option<Timestamp>,
    /// What is claimed now.
    pub new: Option<Timestamp>,
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
    /// Set when the page's part of `body` is no text but what is known of a document on each side.
    pub replaced: Option<Replaced>,
    /// Old and new address, as given: the feed's if that moved, else the canonical one that the page names.
    pub address: Option<[String; 2]>,
    /// Old and new guid, as given.
    pub guid: Option<[String; 2]>,
    /// Claimed dates that differ, feed first; they alone make no difference.
    pub dates: Vec<DateMove>,
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
    compare_under(old, new, &Rules::default())
}

/// What a reader sees changed, but for what `rules` leave out.
#[must_use]
pub fn compare_under(old: &EntryState, new: &EntryState, rules: &Rules) -> Option<Comparison> {
    let Paired {
        old,
        new,
        summary,
        feed_body,
        page_body,
    } = rules.pair(old, new);
    let mut found = Finder::default();
    if let (Some(old), Some(new)) = (&old.feed, &new.feed) {
        found.feed(old, new, summary, feed_body);
    }
    if let (Some(old), Some(new)) = (&old.page, &new.page) {
        found.page(old, new, page_body);
    }
    let mut comparison = found.finish()?;
    comparison.dates = date_moves(&old, &new);
    Some(comparison)
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
                || document::gains_text(old, new)
        }
        _ => false,
    };
    feed || page
}

/// Whether a claimed date of the last change moved, on a channel that both states know.
#[must_use]
pub fn dates_moved(old: &EntryState, new: &EntryState) -> bool {
    !date_moves(old, new).is_empty()
}

fn date_moves(old: &EntryState, new: &EntryState) -> Vec<DateMove> {
    let mut found = Vec::new();
    let mut dates = |channel, of_publication, old: Option<Timestamp>, new: Option<Timestamp>| {
        if old != new {
            found.push(DateMove {
                channel,
                of_publication,
                old,
                new,
            });
        }
    };
    if let (Some(old), Some(new)) = (&old.feed, &new.feed) {
        dates(Channel::Feed, true, old.published, new.published);
        dates(Channel::Feed, false, old.updated, new.updated);
    }
    if let (Some(old), Some(new)) = (&old.page, &new.page) {
        dates(Channel::Page, true, old.published, new.published);
        dates(Channel::Page, false, old.modified, new.modified);
    }
    found
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
    replaced: Option<Replaced>,
    addresses: Vec<(Channel, [String; 2])>,
    guid: Option<[String; 2]>,
}

impl Finder {
    fn feed(&mut self, old: &FeedState, new: &FeedState, summary: LeftOut, body: LeftOut) {
        self.headline(
            HeadlineSource::Feed,
            old.title.as_deref(),
            new.title.as_deref(),
        );
        self.byline(Channel::Feed, old.byline.as_deref(), new.byline.as_deref());
        self.summary = prose(Channel::Feed, &old.summary, &new.summary, summary);
        // A feed that begins or ceases to carry full texts does so for all of its entries: that is no edit of any.
        if !is_blank_text(&old.body) && !is_blank_text(&new.body) {
            self.bodies
                .extend(prose(Channel::Feed, &old.body, &new.body, body));
        }
        self.address(
            Channel::Feed,
            old.address.as_deref(),
            new.address.as_deref(),
        );
        self.guid = key_change(old.guid.as_deref(), new.guid.as_deref());
    }

    fn page(&mut self, old: &PageState, new: &PageState, body: LeftOut) {
        self.address(
            Channel::Page,
            old.canonical.as_deref(),
            new.canonical.as_deref(),
        );
        match document::between(old, new) {
            Between::Texts => self.page_texts(old, new, body),
            Between::Nothing => {}
            Between::Replaced(replaced) => {
                self.replaced = Some(replaced);
                let (old, new) = (document::described(old), document::described(new));
                self.bodies
                    .extend(prose(Channel::Page, &old, &new, LeftOut::default()));
            }
        }
    }

    fn page_texts(&mut self, old: &PageState, new: &PageState, body: LeftOut) {
        let before = self.headlines.len();
        let sources = [
            (HeadlineSource::H1, &old.h1, &new.h1),
            (HeadlineSource::OgTitle, &old.og_title, &new.og_title),
            (HeadlineSource::JsonLd, &old.ld_headline, &new.ld_headline),
        ];
        for (source, old, new) in sources {
            let (old, new) = (old.as_deref(), new.as_deref());
            if !seen(old).is_empty() && !seen(new).is_empty() {
                self.headline(source, old, new);
            }
        }
        if self.headlines.len() == before && (old.headline().is_none() || new.headline().is_none())
        {
            self.headline(HeadlineSource::H1, old.headline(), new.headline());
        }
        self.byline(Channel::Page, old.byline.as_deref(), new.byline.as_deref());
        self.bodies
            .extend(prose(Channel::Page, &old.body, &new.body, body));
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
        let similarity = similarity(
            [title.as_ref(), byline.as_ref()],
            [summary.as_ref(), body.as_ref()],
        );
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
            replaced: self.replaced,
            address,
            guid: self.guid,
            dates: Vec::new(),
            words,
            similarity,
            typographic_only,
        })
    }
}

/// Guids and addresses: what only one side has is no difference.
fn key_change(old: Option<&str>, new: Option<&str>) -> Option<[String; 2]> {
    let (old, new) = (old?, new?);
    let differs = old != new && canonical(old) != canonical(new);
    differs.then(|| [old.to_owned(), new.to_owned()])
}

fn prose(
    channel: Channel,
    old: &[Block],
    new: &[Block],
    left_out: LeftOut,
) -> Option<Moved<ProseDiff>> {
    if same_blocks(old, new, same_to_the_eye) {
        return None;
    }
    Some(Moved {
        channel,
        diff: ProseDiff {
            left_out,
            ..diff_blocks(old, new)
        },
        typographic: same_blocks(old, new, same_to_the_reader),
    })
}

/// Of the longest text that changed, rounded to two digits; 1 when only guid or address did.
fn similarity(lines: [Option<&Vec<Segment>>; 2], texts: [Option<&ProseDiff>; 2]) -> f64 {
    let lines = lines.into_iter().flatten().map(|segments| {
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
    let texts = texts.into_iter().flatten().map(|diff| {
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
    ((value * 100.0).round() / 100.0).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::diff::BlockOp;
    use crate::domain::fingerprint::Fingerprints;

    fn feed(title: &str, summary: &str) -> FeedState {
        FeedState {
            guid: Some("urn:1".to_owned()),
            address: Some("https://n.example/a".to_owned()),
            title: Some(title.to_owned()),
            summary: vec![Block::paragraph(summary)],
            ..FeedState::default()
        }
    }

    fn page(h1: &str, body: &[&str]) -> PageState {
        PageState {
            h1: Some(h1.to_owned()),
            body: body.iter().map(|text| Block::paragraph(*text)).collect(),
            ..PageState::default()
        }
    }

    fn entry(feed: Option<FeedState>, page: Option<PageState>) -> EntryState {
        EntryState { feed, page }
    }

    #[test]
    fn the_same_state_is_no_change() {
        let state = entry(Some(feed("A", "b")), Some(page("A", &["c"])));
        assert_eq!(compare(&state, &state), None);
    }

    #[test]
    fn claimed_dates_are_not_compared_but_noticed() {
        let old = entry(Some(feed("A", "b")), None);
        let mut new = old.clone();
        new.feed.as_mut().unwrap().updated = Some(Timestamp::from_unix(1));
        assert_eq!(compare(&old, &new), None);
        assert!(dates_moved(&old, &new));
    }

    #[test]
    fn a_channel_of_one_side_only_is_a_first_sight() {
        let old = entry(Some(feed("A", "b")), None);
        let new = entry(Some(feed("A", "b")), Some(page("Z", &["other"])));
        assert_eq!(compare(&old, &new), None);
        assert!(first_sights(&old, &new));
        assert!(!first_sights(&new, &old));
    }

    #[test]
    fn the_feeds_summary_and_the_pages_text_are_never_compared() {
        let old = entry(Some(feed("A", "one")), Some(page("A", &["two"])));
        let new = entry(Some(feed("A", "one")), Some(page("A", &["three"])));
        let found = compare(&old, &new).unwrap();
        assert_eq!(found.fields, [Field::Body]);
        assert_eq!(found.channels, [Channel::Page]);
        assert_eq!(
            found.words,
            WordCount {
                added: 1,
                removed: 1
            }
        );
        assert_eq!(found.summary, None);
    }

    #[test]
    fn one_headline_on_two_channels_is_counted_once() {
        let old = entry(
            Some(feed("Minister denies talks", "b")),
            Some(page("Minister denies talks", &["c"])),
        );
        let new = entry(
            Some(feed("Minister admits talks", "b")),
            Some(page("Minister admits talks", &["c"])),
        );
        let found = compare(&old, &new).unwrap();
        assert_eq!(found.fields, [Field::Title]);
        assert_eq!(found.title_channels, [Channel::Feed, Channel::Page]);
        assert_eq!(found.headlines.len(), 2);
        assert_eq!(
            found.words,
            WordCount {
                added: 1,
                removed: 1
            }
        );
        assert!((found.similarity - 0.67).abs() < 1e-9);
    }

    #[test]
    fn a_page_title_that_appears_is_a_first_sight_and_one_that_changes_is_not() {
        let mut old = entry(None, Some(page("A", &["c"])));
        let mut new = old.clone();
        new.page.as_mut().unwrap().og_title = Some("Other".to_owned());
        assert_eq!(compare(&old, &new), None);
        assert!(first_sights(&old, &new));
        old.page.as_mut().unwrap().og_title = Some("Another".to_owned());
        let found = compare(&old, &new).unwrap();
        assert_eq!(found.headlines[0].source, HeadlineSource::OgTitle);
    }

    #[test]
    fn tracking_parameters_move_no_address() {
        let old = entry(Some(feed("A", "b")), None);
        let mut new = old.clone();
        new.feed.as_mut().unwrap().address =
            Some("http://n.example/a/?utm_source=rss#top".to_owned());
        assert_eq!(compare(&old, &new), None);
        new.feed.as_mut().unwrap().address = Some("https://n.example/b".to_owned());
        let found = compare(&old, &new).unwrap();
        assert_eq!(found.fields, [Field::Address]);
        assert!(!found.typographic_only);
    }

    #[test]
    fn the_shape_of_marks_is_typographic() {
        let old = entry(Some(feed("\"So\" it's", "b")), None);
        let new = entry(Some(feed("“So” it’s", "b")), None);
        let found = compare(&old, &new).unwrap();
        assert!(found.typographic_only);
        assert_eq!(found.words, WordCount::default());
    }

    #[test]
    fn feeds_that_begin_to_carry_full_texts_edit_nothing() {
        let old = entry(Some(feed("A", "b")), None);
        let mut new = old.clone();
        new.feed.as_mut().unwrap().body = vec![Block::paragraph("full text")];
        assert_eq!(compare(&old, &new), None);
        assert!(first_sights(&old, &new));
    }

    #[test]
    fn a_paragraph_split_in_two_is_seen() {
        let old = entry(None, Some(page("A", &["One is here. Two is there."])));
        let new = entry(None, Some(page("A", &["One is here.", "Two is there."])));
        let found = compare(&old, &new).unwrap();
        assert!(
            found
                .body
                .unwrap()
                .blocks
                .iter()
                .any(|block| block.op != BlockOp::Equal)
        );
    }

    fn line() -> impl Strategy<Value = Option<String>> {
        prop::option::of(
            prop::sample::select(vec![
                "", "A", "a", "A\u{ad}", "“A”", "\"A\"", "12", "21", " A ",
            ])
            .prop_map(str::to_owned),
        )
    }

    fn text() -> impl Strategy<Value = Vec<Block>> {
        let block = prop::sample::select(vec!["A b", "A  b", "12", "21", "\u{200b}", "“A”"])
            .prop_map(Block::paragraph);
        prop::collection::vec(block, 0..3)
    }

    fn state() -> impl Strategy<Value = EntryState> {
        let feed = (line(), line(), line(), text(), text()).prop_map(
            |(title, byline, guid, summary, body)| FeedState {
                guid,
                title,
                byline,
                summary,
                body,
                ..FeedState::default()
            },
        );
        let page = (line(), line(), line(), line(), text()).prop_map(
            |(h1, og_title, ld_headline, byline, body)| PageState {
                h1,
                og_title,
                ld_headline,
                byline,
                body,
                ..PageState::default()
            },
        );
        (prop::option::of(feed), prop::option::of(page))
            .prop_map(|(feed, page)| EntryState { feed, page })
    }

    proptest! {
        #[test]
        fn equal_fingerprints_mean_no_change(old in state(), new in state()) {
            let (a, b) = (Fingerprints::of(&old), Fingerprints::of(&new));
            if a.feed == b.feed && a.page == b.page {
                prop_assert_eq!(compare(&old, &new), None);
                prop_assert!(!first_sights(&old, &new));
            }
            prop_assert_eq!(compare(&old, &old), None);
        }

        #[test]
        fn a_change_names_its_fields_and_channels(old in state(), new in state()) {
            if let Some(found) = compare(&old, &new) {
                prop_assert!(!found.fields.is_empty() && !found.channels.is_empty());
                prop_assert!(found.fields.is_sorted() && found.channels.is_sorted());
                prop_assert_eq!(found.title.is_some(), found.fields.contains(&Field::Title));
                prop_assert_eq!(found.body.is_some(), found.fields.contains(&Field::Body));
                prop_assert!((0.0..=1.0).contains(&found.similarity));
                prop_assert!(!found.typographic_only || found.words == WordCount::default());
            }
        }
    }
}
