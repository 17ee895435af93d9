//! The difference between two states of an entry.
//!
//! Each text is compared with its own past: the feed's headline with the feed's, the page's `h1` with the page's
//! `h1`, a description with the description. Text that only one side has is not a difference but a first sight or
//! an absence: [`first_sights`] says whether the new state is worth storing for it, as a first snapshot without a
//! change.
//!
//! Claimed dates are not compared; [`dates_moved`] checks them.

use std::borrow::Cow;

use super::diff::{
    LeftOut, ProseDiff, Segment, WordCount, WordTally, count_words, diff_blocks, diff_line,
};
use super::document::{self, Between, Replaced};
use super::event::Field;
use super::form;
use super::furniture::{Paired, Rules};
use super::links::{self, LinkChange, Linked};
use super::normalise::{same_to_the_eye, same_to_the_reader, visible};
use super::state::{Block, Channel, EntryState, FeedState, HeadlineSource, PageState};
use super::url::canonical;
use crate::time::Timestamp;

/// A headline that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadlineChange {
    /// The headline.
    pub source: HeadlineSource,
    /// The segments, from which both sides can be rebuilt.
    pub segments: Vec<Segment>,
}

/// A claimed date that changed besides a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateMove {
    /// Where it is claimed.
    pub channel: Channel,
    /// Whether it is the publication date; otherwise it is the date of the last change.
    pub of_publication: bool,
    /// What was claimed before.
    pub old: Option<Timestamp>,
    /// What is claimed now.
    pub new: Option<Timestamp>,
}

/// What differs; at least one field does.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The fields that changed, in the order of [`Field`].
    pub fields: Vec<Field>,
    /// The channels in which something changed, feed first.
    pub channels: Vec<Channel>,
    /// The headline: the feed's if that changed, else the first of `headlines`.
    pub title: Option<Vec<Segment>>,
    /// The channels in which the headline changed, feed first.
    pub title_channels: Vec<Channel>,
    /// Every headline that changed: the feed's, `h1`, `og:title`, JSON-LD, and last the kicker.
    pub headlines: Vec<HeadlineChange>,
    /// The page's standfirst.
    pub standfirst: Option<Vec<Segment>>,
    /// The authors: the page's if those changed, else the feed's.
    pub byline: Option<Vec<Segment>>,
    /// The feed's description.
    pub summary: Option<ProseDiff>,
    /// The full text: the page's if that changed, else the feed's.
    pub body: Option<ProseDiff>,
    /// The feed's full text, if both changed in different ways.
    pub feed_body: Option<ProseDiff>,
    /// Links in the texts whose words stayed the same but whose target changed.
    pub links: Vec<LinkChange>,
    /// Set if the page's part of `body` is not text but what is known about a document on each side.
    pub replaced: Option<Replaced>,
    /// Old and new address, as given: the feed's if that changed, else the canonical address that the page names.
    pub address: Option<[String; 2]>,
    /// Old and new guid, as given.
    pub guid: Option<[String; 2]>,
    /// Claimed dates that differ, feed first; on their own they are not a difference.
    pub dates: Vec<DateMove>,
    /// Words added and removed over all texts. An edit counts once, however many texts repeat it.
    pub words: WordCount,
    /// From 0 to 1, for the longest text that changed, rounded to two digits.
    pub similarity: f64,
    /// Whether only typography changed: the shape of quotation marks, apostrophes, dashes, ellipses.
    pub typographic_only: bool,
}

/// The changes between two states of an entry that a reader sees; `None` if there are none.
#[must_use]
pub fn compare(old: &EntryState, new: &EntryState) -> Option<Comparison> {
    compare_under(old, new, &Rules::default())
}

/// The changes that a reader sees, except those that `rules` leave out.
#[must_use]
pub fn compare_under(old: &EntryState, new: &EntryState, rules: &Rules) -> Option<Comparison> {
    compare_but(old, new, rules, |_| false)
}

/// The changes that a reader sees, except those that `rules` leave out and the links in `passed_over`.
#[must_use]
pub fn compare_but(
    old: &EntryState,
    new: &EntryState,
    rules: &Rules,
    passed_over: impl Fn(&LinkChange) -> bool,
) -> Option<Comparison> {
    let Paired {
        old,
        new,
        summary,
        feed_body,
        page_body,
    } = rules.pair(old, new);
    let mut found = MoveFinder::default();
    if let (Some(old), Some(new)) = (&old.feed, &new.feed) {
        found.feed(old, new, summary, feed_body);
        found.links(Channel::Feed, Linked::Feed(old), Linked::Feed(new));
    }
    if let (Some(old), Some(new)) = (&old.page, &new.page) {
        found.page(old, new, page_body);
    }
    found.links.retain(|(_, link)| !passed_over(link));
    let mut comparison = found.finish()?;
    comparison.dates = date_moves(&old, &new);
    Some(comparison)
}

/// Whether the new state has a channel, a headline or a full text that the old one lacks completely. It is then
/// stored as a first snapshot, so that later edits have a past, but on its own it is not a change.
#[must_use]
pub fn first_sights(old: &EntryState, new: &EntryState) -> bool {
    let feed = match (&old.feed, &new.feed) {
        (None, Some(_)) => true,
        (Some(old), Some(new)) => {
            (is_blank_text(&old.body) && !is_blank_text(&new.body))
                || form::is_longer_body(old, new)
                || form::is_other_summary(old, new)
                || form::is_other_byline(old, new)
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
                // So far known as a paragraph: comparing would have found an edit.
                || appears(old.standfirst.as_deref(), new.standfirst.as_deref())
                || document::gains_text(old, new)
        }
        _ => false,
    };
    feed || page
}

/// Whether a claimed date changed on a channel that both states have.
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

fn seen(text: Option<&str>) -> Cow<'_, str> {
    visible(text.unwrap_or_default())
}

fn is_blank_text(blocks: &[Block]) -> bool {
    blocks.iter().all(|block| visible(&block.text).is_empty())
}

/// Whether two texts of blocks look the same, ignoring blocks without visible text.
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

/// A text that changed.
struct MovedText<T> {
    channel: Channel,
    diff: T,
    typographic: bool,
}

#[derive(Default)]
struct MoveFinder {
    headlines: Vec<(HeadlineChange, bool)>,
    bylines: Vec<MovedText<Vec<Segment>>>,
    standfirst: Option<MovedText<Vec<Segment>>>,
    summary: Option<MovedText<ProseDiff>>,
    bodies: Vec<MovedText<ProseDiff>>,
    links: Vec<(Channel, LinkChange)>,
    replaced: Option<Replaced>,
    addresses: Vec<(Channel, [String; 2])>,
    guid: Option<[String; 2]>,
}

impl MoveFinder {
    fn feed(&mut self, old: &FeedState, new: &FeedState, summary: LeftOut, body: LeftOut) {
        self.headline(
            HeadlineSource::Feed,
            old.title.as_deref(),
            new.title.as_deref(),
        );
        if !form::is_other_byline(old, new) {
            self.bylines
                .extend(line(Channel::Feed, &old.byline, &new.byline));
        }
        if !form::is_other_summary(old, new) {
            self.summary = prose(Channel::Feed, &old.summary, &new.summary, summary);
        }
        // A feed that starts or stops carrying full texts does so for all of its entries, so none of them was
        // edited.
        let both = !is_blank_text(&old.body) && !is_blank_text(&new.body);
        if both && !form::is_longer_body(old, new) {
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
        self.headline(
            HeadlineSource::Kicker,
            old.kicker.as_deref(),
            new.kicker.as_deref(),
        );
        self.bylines
            .extend(line(Channel::Page, &old.byline, &new.byline));
        self.links(Channel::Page, Linked::Page(old), Linked::Page(new));
        let (mut body, [before, after]) = (body, moved_into_text(old, new));
        let old_body = without(&old.body, before, &mut body.before);
        let new_body = without(&new.body, after, &mut body.after);
        self.bodies
            .extend(prose(Channel::Page, &old_body, &new_body, body));
        if before.is_none() && after.is_none() {
            self.standfirst = line(Channel::Page, &old.standfirst, &new.standfirst);
        }
    }

    fn links(&mut self, channel: Channel, old: Linked<'_>, new: Linked<'_>) {
        let changes = links::changes(old, new).into_iter();
        self.links.extend(changes.map(|change| (channel, change)));
    }

    fn headline(&mut self, source: HeadlineSource, old: Option<&str>, new: Option<&str>) {
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        if !same_to_the_eye(old, new) {
            let segments = diff_line(old, new);
            let change = HeadlineChange { source, segments };
            self.headlines.push((change, same_to_the_reader(old, new)));
        }
    }

    fn address(&mut self, channel: Channel, old: Option<&str>, new: Option<&str>) {
        self.addresses
            .extend(key_change(old, new).map(|change| (channel, change)));
    }

    fn finish(mut self) -> Option<Comparison> {
        // For texts the page goes before the feed, for addresses the feed before the page.
        self.bodies
            .sort_by_key(|moved| moved.channel == Channel::Feed);
        self.bylines
            .sort_by_key(|moved| moved.channel == Channel::Feed);

        let channels = self.channels();
        if channels.is_empty() {
            return None;
        }
        let typographic_only = self.is_typographic();
        // A link that both feed and page show is one link.
        let mut links: Vec<LinkChange> = Vec::new();
        for (_, link) in self.links {
            if !links.contains(&link) {
                links.push(link);
            }
        }
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
        let standfirst = self.standfirst.map(|moved| moved.diff);
        let byline = self.bylines.into_iter().next().map(|moved| moved.diff);
        let summary = self.summary.map(|moved| moved.diff);
        let mut bodies = self.bodies.into_iter().map(|moved| moved.diff);
        let body = bodies.next();
        let feed_body = bodies.next().filter(|other| body.as_ref() != Some(other));
        let address = self.addresses.into_iter().next().map(|(_, change)| change);

        let moved = [
            (Field::Title, title.is_some()),
            (Field::Standfirst, standfirst.is_some()),
            (Field::Summary, summary.is_some()),
            (Field::Body, body.is_some() || !links.is_empty()),
            (Field::Byline, byline.is_some()),
            (Field::Address, address.is_some()),
            (Field::Guid, self.guid.is_some()),
        ];
        let moved = moved.into_iter().filter(|(_, moved)| *moved);
        let fields = moved.map(|(field, _)| field).collect();
        let mut tally = WordTally::default();
        let lines = headlines.iter().map(|change| &change.segments);
        for segments in lines.chain(&standfirst).chain(&byline) {
            tally.line(segments);
        }
        for diff in [&body, &feed_body, &summary].into_iter().flatten() {
            tally.prose(diff);
        }
        let similarity = similarity(
            [title.as_ref(), standfirst.as_ref(), byline.as_ref()],
            [summary.as_ref(), body.as_ref()],
        );
        Some(Comparison {
            fields,
            channels,
            title,
            title_channels,
            headlines,
            standfirst,
            byline,
            summary,
            body,
            feed_body,
            links,
            replaced: self.replaced,
            address,
            guid: self.guid,
            dates: Vec::new(),
            words: tally.words(),
            similarity,
            typographic_only,
        })
    }

    /// The channels in which something changed, feed first.
    fn channels(&self) -> Vec<Channel> {
        let mut channels: Vec<Channel> = self
            .headlines
            .iter()
            .map(|(change, _)| change.source.channel())
            .chain(self.standfirst.iter().map(|moved| moved.channel))
            .chain(self.bylines.iter().map(|moved| moved.channel))
            .chain(self.summary.iter().map(|moved| moved.channel))
            .chain(self.bodies.iter().map(|moved| moved.channel))
            .chain(self.links.iter().map(|(channel, _)| *channel))
            .chain(self.addresses.iter().map(|(channel, _)| *channel))
            .chain(self.guid.iter().map(|_| Channel::Feed))
            .collect();
        channels.sort_unstable();
        channels.dedup();
        channels
    }

    /// Whether all changes are only typographic.
    fn is_typographic(&self) -> bool {
        self.headlines.iter().all(|(_, typographic)| *typographic)
            && self.standfirst.iter().all(|moved| moved.typographic)
            && self.bylines.iter().all(|moved| moved.typographic)
            && self.summary.iter().all(|moved| moved.typographic)
            && self.bodies.iter().all(|moved| moved.typographic)
            && self.links.is_empty()
            && self.addresses.is_empty()
            && self.guid.is_none()
    }
}

/// The positions, as `[old, new]`, of a text that is the standfirst on one side and a paragraph on the other: a
/// layout that shows the same words in another role is not an edit.
fn moved_into_text(old: &PageState, new: &PageState) -> [Option<usize>; 2] {
    let place = |line: &str, body: &[Block], other: &[Block]| {
        let is_it = |block: &Block| visible(&block.text) == line;
        let at = body.iter().position(is_it)?;
        (!other.iter().any(is_it)).then_some(at)
    };
    let (was, is) = (
        seen(old.standfirst.as_deref()),
        seen(new.standfirst.as_deref()),
    );
    match (was.is_empty(), is.is_empty()) {
        (true, false) => [place(&is, &old.body, &new.body), None],
        (false, true) => [None, place(&was, &new.body, &old.body)],
        _ => [None, None],
    }
}

/// The blocks without one of them; its number among all blocks is added to those left out.
fn without<'a>(
    blocks: &'a [Block],
    at: Option<usize>,
    left_out: &mut Vec<u32>,
) -> Cow<'a, [Block]> {
    let Some(at) = at else {
        return Cow::Borrowed(blocks);
    };
    let mut rest = blocks.to_vec();
    rest.remove(at);
    let number = (1..)
        .filter(|number| left_out.binary_search(number).is_err())
        .nth(at);
    left_out.extend(number);
    left_out.sort_unstable();
    Cow::Owned(rest)
}

/// A line that changed; a missing line and an invisible one are the same.
fn line(
    channel: Channel,
    old: &Option<String>,
    new: &Option<String>,
) -> Option<MovedText<Vec<Segment>>> {
    let [old, new] = [old, new].map(|line| line.as_deref().unwrap_or_default());
    (!same_to_the_eye(old, new)).then(|| MovedText {
        channel,
        diff: diff_line(old, new),
        typographic: same_to_the_reader(old, new),
    })
}

/// Compares guids or addresses: a value that only one side has is not a difference.
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
) -> Option<MovedText<ProseDiff>> {
    if same_blocks(old, new, same_to_the_eye) {
        return None;
    }
    Some(MovedText {
        channel,
        diff: ProseDiff {
            left_out,
            ..diff_blocks(old, new)
        },
        typographic: same_blocks(old, new, same_to_the_reader),
    })
}

/// The similarity of the longest text that changed, rounded to two digits; 1 if only the guid or address changed.
fn similarity(lines: [Option<&Vec<Segment>>; 3], texts: [Option<&ProseDiff>; 2]) -> f64 {
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
mod tests;
