//! Compares the words of a change with the two texts between which it lies.

use std::collections::HashMap;

use crate::domain::diff::{BlockDiff, Segment};
use crate::domain::document::described;
use crate::domain::event::{BlocksInfo, ChangeInfo, DiffInfo, Field, HeadlineInfo};
use crate::domain::links::LinkChange;
use crate::domain::normalise::visible;
use crate::domain::state::{Block, EntryState, HeadlineSource, PageState};

/// The first field whose diff does not rebuild the old text from the one state and the new text from the other.
#[must_use]
pub fn wrong_field(
    diff: &DiffInfo,
    before: &EntryState,
    after: &EntryState,
) -> Option<&'static str> {
    let line = |segments: &Option<Vec<Segment>>, lines: &[Line]| {
        segments.as_ref().is_none_or(|segments| {
            let sides = sides(segments);
            lines
                .iter()
                .any(|line| sides == (line(before), line(after)))
        })
    };
    let text = |blocks: &Option<BlocksInfo>, texts: &[StoredText]| {
        blocks.as_ref().is_none_or(|info| {
            let (old, new) = rebuilt(&info.blocks);
            let left_out = &info.left_out;
            texts.iter().any(|text| {
                same(text(before), old.as_ref(), &left_out.before, &[])
                    && same(
                        text(after),
                        new.as_ref(),
                        &left_out.after,
                        &left_out.as_before,
                    )
            })
        })
    };
    if !line(&diff.title, &TITLES) {
        return Some("headline");
    }
    let other = |headline: &HeadlineInfo| {
        let sides = sides(&headline.segments);
        lines_of(headline.source)
            .iter()
            .any(|line| sides == (line(before), line(after)))
    };
    if !diff.headlines.iter().all(other) {
        return Some("headlines");
    }
    if !line(&diff.standfirst, &[|state| owned_str(state.standfirst())]) {
        return Some("standfirst");
    }
    if !line(&diff.byline, &BYLINES) {
        return Some("by-line");
    }
    if !text(&diff.summary, &[summary]) {
        return Some("description");
    }
    let documents = diff.body.as_ref().is_some_and(|info| {
        let (old, new) = rebuilt(&info.blocks);
        shows_documents(before, old.as_ref()) && shows_documents(after, new.as_ref())
    });
    if !documents && !text(&diff.body, &[page_body, feed_body]) {
        return Some("text");
    }
    if !diff.links.iter().all(|link| link_fits(link, before, after)) {
        return Some("links");
    }
    if let Some(moved) = &diff.address
        && !addresses_fit(moved, before, after)
    {
        return Some("address");
    }
    if let Some([old, new]) = &diff.guid {
        let guid = |state: &EntryState| state.feed.as_ref().and_then(|feed| feed.guid.clone());
        if guid(before).as_ref() != Some(old) || guid(after).as_ref() != Some(new) {
            return Some("guid");
        }
    }
    None
}

/// The first field that a change names without showing its words, or shows without naming it. A headline with a
/// different step from the one shown has words of its own.
pub(super) fn unshown_field(change: &ChangeInfo, diff: &DiffInfo) -> Option<Field> {
    let shown = |field| match field {
        Field::Title => diff.title.is_some(),
        Field::Standfirst => diff.standfirst.is_some(),
        Field::Summary => diff.summary.is_some(),
        Field::Body => diff.body.is_some() || !diff.links.is_empty(),
        Field::Byline => diff.byline.is_some(),
        Field::Address => diff.address.is_some(),
        Field::Guid => diff.guid.is_some(),
        // A date has no words.
        Field::Date => true,
    };
    [
        Field::Title,
        Field::Standfirst,
        Field::Summary,
        Field::Body,
        Field::Byline,
        Field::Address,
        Field::Guid,
    ]
    .into_iter()
    .find(|field| shown(*field) != change.fields.contains(field))
}

/// The first headline that a change names, whose step is neither that of the headline shown nor shown separately.
pub(super) fn unshown_headline(
    change: &ChangeInfo,
    diff: &DiffInfo,
    before: &EntryState,
    after: &EntryState,
) -> Option<HeadlineSource> {
    let title = diff.title.as_ref().map(|segments| sides(segments));
    change.headlines.iter().copied().find(|&source| {
        let alone = diff.headlines.iter().any(|info| info.source == source);
        let as_title = lines_of(source)
            .iter()
            .any(|line| title == Some((line(before), line(after))));
        !alone && !as_title
    })
}

fn sides(segments: &[Segment]) -> (String, String) {
    (Segment::old_side(segments), Segment::new_side(segments))
}

/// The feed's address, or the page's own canonical address. If a page was moved permanently and did not name an
/// address before, the old one is the requested address, which is not in any state.
fn addresses_fit([old, new]: &[String; 2], before: &EntryState, after: &EntryState) -> bool {
    let of_feed = |state: &EntryState| state.feed.as_ref().and_then(|feed| feed.address.clone());
    let of_page = |state: &EntryState| {
        let page = state.page.as_ref();
        page.and_then(|page| page.canonical.clone())
    };
    let by_feed = of_feed(before).as_ref() == Some(old) && of_feed(after).as_ref() == Some(new);
    let by_page = of_page(before).is_none_or(|address| address == *old)
        && of_page(after).as_ref() == Some(new);
    by_feed || by_page
}

type Line = fn(&EntryState) -> String;
type StoredText = fn(&EntryState) -> &[Block];

/// Whether the link with these words had the old address before, and has the new address now.
fn link_fits(change: &LinkChange, before: &EntryState, after: &EntryState) -> bool {
    let words = visible(&change.words);
    let leads = |state: &EntryState, address: &str| {
        let feed = state.feed.iter().flat_map(|feed| &feed.links);
        let mut links = feed.chain(state.page.iter().flat_map(|page| &page.links));
        links.any(|link| link.address == address && visible(&link.words) == words)
    };
    leads(before, &change.from) && leads(after, &change.to)
}

const TITLES: [Line; 6] = [
    |state| owned(state.feed.as_ref().and_then(|feed| feed.title.as_ref())),
    |state| owned(state.page.as_ref().and_then(|page| page.h1.as_ref())),
    |state| owned(state.page.as_ref().and_then(|page| page.og_title.as_ref())),
    |state| {
        owned(
            state
                .page
                .as_ref()
                .and_then(|page| page.ld_headline.as_ref()),
        )
    },
    // The headline that a page shows first, in case one of the two sides shows none.
    |state| {
        let page = state.page.as_ref();
        page.and_then(PageState::headline)
            .unwrap_or_default()
            .to_owned()
    },
    |state| owned_str(state.kicker()),
];

/// The texts that are reported under the name of a headline.
fn lines_of(source: HeadlineSource) -> &'static [Line] {
    match source {
        HeadlineSource::Feed => &TITLES[..1],
        HeadlineSource::H1 => &[TITLES[1], TITLES[4]],
        HeadlineSource::OgTitle => &TITLES[2..3],
        HeadlineSource::JsonLd => &TITLES[3..4],
        HeadlineSource::Kicker => &TITLES[5..6],
    }
}

const BYLINES: [Line; 2] = [
    |state| owned(state.page.as_ref().and_then(|page| page.byline.as_ref())),
    |state| owned(state.feed.as_ref().and_then(|feed| feed.byline.as_ref())),
];

fn owned_str(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn owned(text: Option<&String>) -> String {
    text.cloned().unwrap_or_default()
}

fn summary(state: &EntryState) -> &[Block] {
    state.feed.as_ref().map_or(&[], |feed| &feed.summary)
}

fn feed_body(state: &EntryState) -> &[Block] {
    state.feed.as_ref().map_or(&[], |feed| &feed.body)
}

fn page_body(state: &EntryState) -> &[Block] {
    state.page.as_ref().map_or(&[], |page| &page.body)
}

/// Whether a side of a diff is the description of a page whose document was replaced.
fn shows_documents(state: &EntryState, rebuilt: Option<&Vec<String>>) -> bool {
    let page = state.page.as_ref();
    page.is_some_and(|page| same(&described(page), rebuilt, &[], &[]))
}

/// Both texts of a diff that leaves nothing out, block by block; `None` if numbers are missing or used twice.
fn rebuilt(blocks: &[BlockDiff]) -> (Option<Vec<String>>, Option<Vec<String>>) {
    let side = |number: fn(&BlockDiff) -> Option<u32>, text: fn(&[Segment]) -> String| {
        let mut texts: HashMap<u32, String> = HashMap::new();
        for block in blocks {
            if let Some(number) = number(block)
                && texts.insert(number, text(&block.segments)).is_some()
            {
                return None;
            }
        }
        let count = u32::try_from(texts.len()).ok()?;
        (1..=count).map(|number| texts.remove(&number)).collect()
    };
    (
        side(|block| block.from, Segment::old_side),
        side(|block| block.to, Segment::new_side),
    )
}

/// Whether the stored blocks equal the rebuilt ones, except for the numbers left out of the comparison and those
/// shown with an older text.
fn same(
    blocks: &[Block],
    rebuilt: Option<&Vec<String>>,
    left_out: &[u32],
    otherwise: &[u32],
) -> bool {
    rebuilt.is_some_and(|rebuilt| {
        let mut rebuilt = rebuilt.iter();
        (1..)
            .zip(blocks)
            .filter(|(number, _)| left_out.binary_search(number).is_err())
            .all(|(number, block)| {
                rebuilt.next().is_some_and(|text| {
                    *text == block.text || otherwise.binary_search(&number).is_ok()
                })
            })
            && rebuilt.next().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::compare::compare;
    use crate::domain::state::{FeedState, Link};

    fn state(headline: &str, shared: &str, address: &str, guid: &str) -> EntryState {
        EntryState {
            feed: Some(FeedState {
                guid: Some(guid.to_owned()),
                address: Some(address.to_owned()),
                title: Some(headline.to_owned()),
                ..FeedState::default()
            }),
            page: Some(PageState {
                h1: Some(headline.to_owned()),
                og_title: Some(shared.to_owned()),
                ..PageState::default()
            }),
        }
    }

    fn both() -> (EntryState, EntryState) {
        (
            state("Talks denied", "Denied!", "https://n.example/a", "one"),
            state("Talks admitted", "Admitted!", "https://n.example/b", "two"),
        )
    }

    #[test]
    fn standfirst_kicker_and_links_are_held_against_both_texts() {
        let side = |text: &str, address: &str| EntryState {
            page: Some(PageState {
                kicker: Some(text.to_owned()),
                standfirst: Some(text.to_owned()),
                body: vec![Block::paragraph("Here is a report.")],
                links: vec![Link {
                    words: "report".to_owned(),
                    address: address.to_owned(),
                }],
                ..PageState::default()
            }),
            feed: None,
        };
        let (before, after) = (side("One", "/1"), side("Two", "/2"));
        let comparison = compare(&before, &after).unwrap();
        let whole = DiffInfo {
            title: comparison.title,
            standfirst: comparison.standfirst,
            links: comparison.links,
            ..DiffInfo::default()
        };
        assert_eq!(wrong_field(&whole, &before, &after), None);
        let mut wrong = whole.clone();
        wrong.standfirst = Some(vec![Segment::Insert("Two".into())]);
        assert_eq!(wrong_field(&wrong, &before, &after), Some("standfirst"));
        let mut wrong = whole.clone();
        wrong.links[0].from = "/2".into();
        assert_eq!(wrong_field(&wrong, &before, &after), Some("links"));
        let mut wrong = whole;
        wrong.title = Some(vec![Segment::Insert("Three".into())]);
        assert_eq!(wrong_field(&wrong, &before, &after), Some("headline"));
    }

    fn told(before: &EntryState, after: &EntryState) -> DiffInfo {
        let comparison = compare(before, after).unwrap();
        DiffInfo {
            headlines: comparison
                .headlines
                .iter()
                .filter(|change| Some(&change.segments) != comparison.title.as_ref())
                .map(|change| HeadlineInfo {
                    source: change.source,
                    segments: change.segments.clone(),
                })
                .collect(),
            title: comparison.title,
            address: comparison.address,
            guid: comparison.guid,
            ..DiffInfo::default()
        }
    }

    #[test]
    fn each_part_that_is_replaced_has_a_name() {
        let (before, after) = both();
        let whole = told(&before, &after);
        assert_eq!(whole.headlines.len(), 1, "{whole:?}");
        assert_eq!(wrong_field(&whole, &before, &after), None);

        let mut wrong = whole.clone();
        wrong.headlines[0].segments = wrong.title.clone().unwrap();
        assert_eq!(wrong_field(&wrong, &before, &after), Some("headlines"));
        let mut wrong = whole.clone();
        wrong.headlines[0].source = HeadlineSource::JsonLd;
        assert_eq!(wrong_field(&wrong, &before, &after), Some("headlines"));
        let mut wrong = whole.clone();
        wrong.address.as_mut().unwrap()[0].push('x');
        assert_eq!(wrong_field(&wrong, &before, &after), Some("address"));
        let mut wrong = whole.clone();
        wrong.guid.as_mut().unwrap().swap(0, 1);
        assert_eq!(wrong_field(&wrong, &before, &after), Some("guid"));
    }

    #[test]
    fn the_address_under_which_a_page_was_asked_for_may_be_the_old_one() {
        let (mut before, mut after) = both();
        let page = |state: &mut EntryState, address: Option<&str>| {
            state.page.as_mut().unwrap().canonical = address.map(str::to_owned);
        };
        let diff = DiffInfo {
            address: Some([
                "https://n.example/asked".into(),
                "https://n.example/new".into(),
            ]),
            ..DiffInfo::default()
        };
        page(&mut after, Some("https://n.example/new"));
        assert_eq!(wrong_field(&diff, &before, &after), None);
        page(&mut before, Some("https://n.example/named"));
        assert_eq!(wrong_field(&diff, &before, &after), Some("address"));
    }
}
