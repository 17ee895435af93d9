//! Returns to earlier states, and texts that go back and forth.
//!
//! Each text of an entry has its own past. If a headline alternates in an A/B test, an edit of the text does not
//! become part of the back and forth, and the edit does not make the next turn of the headline news.

use std::collections::HashSet;
use std::time::Duration;

use super::compare::Comparison;
use super::event::Field;
use super::fingerprint::{Fingerprint, Fingerprints};
use super::ids::RevisionNumber;
use super::links::{LinkChange, LinkPrint, rotates};
use super::past::PastRevision;
use super::state::HeadlineSource;
use crate::time::Timestamp;

/// One of the texts of a state.
#[derive(Debug, Clone, Copy)]
pub(super) struct StateText {
    of: fn(&Fingerprints) -> Option<Fingerprint>,
    /// Whether an empty text is a normal state of this text. If not, an absent text was not checked, or was not
    /// recorded by the revisor of that time.
    may_be_empty: bool,
}

impl StateText {
    /// Its fingerprint in a state.
    pub(super) fn of(self, prints: &Fingerprints) -> Option<Fingerprint> {
        (self.of)(prints)
    }

    const fn new(of: fn(&Fingerprints) -> Option<Fingerprint>, may_be_empty: bool) -> Self {
        Self { of, may_be_empty }
    }
}

const FEED_TITLE: StateText = StateText::new(|prints| prints.feed_title, true);
const PAGE_TITLE: StateText = StateText::new(|prints| prints.page_title, false);
const OG_TITLE: StateText = StateText::new(|prints| prints.beside.og_title, false);
const LD_HEADLINE: StateText = StateText::new(|prints| prints.beside.ld_headline, false);

const KICKER: StateText = StateText::new(|prints| prints.around.map(|around| around.kicker), false);
const STANDFIRST: StateText = StateText::new(
    |prints| prints.around.map(|around| around.standfirst),
    false,
);
const LINKS: StateText = StateText::new(|prints| prints.around.map(|around| around.links), false);
const FEED_LINKS: StateText = StateText::new(|prints| prints.feed_links, false);
const FEED_ADDRESS: StateText = StateText::new(|prints| prints.beside.feed_address, false);
const PAGE_ADDRESS: StateText = StateText::new(|prints| prints.beside.page_address, false);
const GUID: StateText = StateText::new(|prints| prints.beside.guid, false);

/// The first entries of [`ALL`], up to this many, are the texts that readers read.
const READ: usize = 7;

const ALL: [StateText; 14] = [
    FEED_TITLE,
    StateText::new(|prints| prints.feed_summary, true),
    StateText::new(|prints| prints.feed_body, false),
    PAGE_TITLE,
    StateText::new(|prints| prints.page_body, false),
    KICKER,
    STANDFIRST,
    OG_TITLE,
    LD_HEADLINE,
    StateText::new(|prints| prints.beside.feed_byline, false),
    StateText::new(|prints| prints.beside.page_byline, false),
    FEED_ADDRESS,
    PAGE_ADDRESS,
    GUID,
];

/// The headlines of a state.
pub(super) const HEADLINES: [StateText; 4] = [FEED_TITLE, PAGE_TITLE, OG_TITLE, LD_HEADLINE];

/// The headline of a channel.
pub(super) fn headline(source: HeadlineSource) -> StateText {
    match source {
        HeadlineSource::Feed => FEED_TITLE,
        HeadlineSource::H1 => PAGE_TITLE,
        HeadlineSource::OgTitle => OG_TITLE,
        HeadlineSource::JsonLd => LD_HEADLINE,
        HeadlineSource::Kicker => KICKER,
    }
}

/// The texts that changed between two states. Link targets count only if nothing else changed: links go with their
/// text.
fn moved(before: &Fingerprints, now: &Fingerprints) -> Vec<StateText> {
    let differs = |text: &StateText| {
        let (before, now) = (text.of(before), text.of(now));
        before != now && (text.may_be_empty || (before.is_some() && now.is_some()))
    };
    let moved: Vec<StateText> = ALL.into_iter().filter(differs).collect();
    if moved.is_empty() {
        return [LINKS, FEED_LINKS].into_iter().filter(differs).collect();
    }
    moved
}

/// Whether the target of a link was different in each of the last states: see [`rotates`].
pub(super) fn is_rotating(past: &[PastRevision], change: &LinkChange) -> bool {
    // Changes besides the texts leave their links unchanged.
    let mut last = None;
    let texts = past.iter().filter(|past| {
        let print = Some((past.fingerprints.feed, past.fingerprints.page));
        std::mem::replace(&mut last, print) != print
    });
    let texts: Vec<&[LinkPrint]> = texts.map(|past| past.links.as_slice()).collect();
    rotates(change, texts.into_iter())
}

/// The latest earlier revision in which every text that has changed now was the same as it is now.
///
/// `past` ends with the revision before the change; the change moves away from that one, so it cannot be a return
/// to it. Fingerprints that an old revision lacks do not count against it.
pub(super) fn revert_of(
    past: &[PastRevision],
    before: &Fingerprints,
    now: &Fingerprints,
) -> Option<RevisionNumber> {
    let (_, earlier) = past.split_last()?;
    let moved = moved(before, now);
    let is_back = |past: &PastRevision| {
        let mut known = false;
        moved.iter().all(|text| {
            let then = text.of(&past.fingerprints);
            let same = then == text.of(now);
            known |= same;
            same || (then.is_none() && !text.may_be_empty)
        }) && known
    };
    earlier
        .iter()
        .rev()
        .find(|past| is_back(past))
        .map(|past| past.number)
}

/// The latest earlier revision in which one of the texts that readers read, and that has changed now, was the same
/// as it is now.
pub(super) fn partly_back_to(
    past: &[PastRevision],
    before: &Fingerprints,
    now: &Fingerprints,
) -> Option<RevisionNumber> {
    let (_, earlier) = past.split_last()?;
    let read = ALL.into_iter().take(READ);
    let moved = read.filter(|text| text.of(now).is_some() && text.of(before) != text.of(now));
    let back = |text: StateText| {
        let mut earlier = earlier.iter().rev();
        let found = earlier.find(|past| text.of(&past.fingerprints) == text.of(now));
        found.map(|past| past.number)
    };
    moved.filter_map(back).max()
}

/// How often in a row the texts that have changed now returned to an earlier state, including this time. The result
/// is the minimum over these texts, so that a text that is new, or has returned for the first time, is noticed.
/// Steps further apart than `window` do not form a series.
pub(super) fn returns(
    past: &[PastRevision],
    before: &Fingerprints,
    now: &Fingerprints,
    window: Duration,
    at: Timestamp,
) -> usize {
    moved(before, now)
        .into_iter()
        .map(|text| returns_of(text, past, text.of(now), window, at))
        .min()
        .unwrap_or(0)
}

fn returns_of(
    text: StateText,
    past: &[PastRevision],
    now: Option<Fingerprint>,
    window: Duration,
    at: Timestamp,
) -> usize {
    let mut seen = HashSet::new();
    let mut current = None;
    // The times at which the text changed, and whether it was a return.
    let mut steps = Vec::new();
    let known = past
        .iter()
        .map(|past| (text.of(&past.fingerprints), past.seen))
        .filter(|(print, _)| print.is_some() || text.may_be_empty);
    for (print, seen_at) in known.chain([(now, at)]) {
        if current != Some(print) {
            let returned = !seen.insert(print);
            steps.push((seen_at, returned));
            current = Some(print);
        }
    }
    let mut until = at;
    steps
        .into_iter()
        .rev()
        .take_while(|(seen_at, returned)| {
            let near = *returned && until.since(*seen_at) <= window;
            until = *seen_at;
            near
        })
        .count()
}

/// This many changes of only an address or a guid, soon after each other, are kept as revisions; after that, they
/// are taken as normal for this feed.
const MOVES_KEPT: usize = 4;

/// Two changes that are further apart are not a rotation.
const SOON: Duration = Duration::from_hours(24);

/// Whether only an address or a guid changed, in an entry whose address or guid is different at each check, as the
/// stored revisions show.
pub(super) fn keys_rotate(past: &[PastRevision], comparison: &Comparison) -> bool {
    let is_move = |pair: &[PastRevision]| {
        let [one, other] = pair else { return false };
        let moved = moved(&one.fingerprints, &other.fingerprints);
        let keys = |text: &StateText| {
            [FEED_ADDRESS, PAGE_ADDRESS, GUID].iter().any(|key| {
                [one, other]
                    .iter()
                    .all(|past| key.of(&past.fingerprints) == text.of(&past.fingerprints))
            })
        };
        !moved.is_empty() && moved.iter().all(keys) && other.seen.since(one.seen) <= SOON
    };
    is_of_keys(comparison)
        && past.windows(2).rev().filter(|pair| is_move(pair)).count() >= MOVES_KEPT
}

/// Whether only an address or a guid changed.
pub(super) fn is_of_keys(comparison: &Comparison) -> bool {
    let is_key = |field: &Field| matches!(field, Field::Address | Field::Guid);
    comparison.fields.iter().all(is_key)
}

/// Whether only an address or a guid changed, and it already changed at least once shortly before: some feeds give
/// different ones to every reader, or at every poll.
pub(super) fn never_stays(
    past: &[PastRevision],
    before: &Fingerprints,
    now: &Fingerprints,
    comparison: &Comparison,
    window: Duration,
    at: Timestamp,
) -> bool {
    let moved = moved(before, now);
    is_of_keys(comparison)
        && !moved.is_empty()
        && moved.into_iter().all(|text| {
            let mut later = text.of(now);
            let mut until = at;
            let mut steps = 0;
            for past in past.iter().rev() {
                let then = text.of(&past.fingerprints);
                if then.is_some() && then != later {
                    steps += 1;
                    later = then;
                }
                if steps > 1 || until.since(past.seen) > window {
                    break;
                }
                until = past.seen;
            }
            steps > 1
        })
}

/// Whether headlines only repeat what another headline already said, and that was reported: a page that adopts the
/// headline that the feed has had for a while, or an `og:title` that is updated later than the `h1`.
pub(super) fn is_echo(
    past: &[PastRevision],
    before: &Fingerprints,
    comparison: &Comparison,
    now: &Fingerprints,
) -> bool {
    let Some((_, earlier)) = past.split_last() else {
        return false;
    };
    let made_before = |source: HeadlineSource| {
        let mine = headline(source);
        let (old, new) = (mine.of(before), mine.of(now));
        let others = HEADLINES.into_iter().filter(|other| {
            // A headline that changes at the same time has not said it before.
            other.of(before) == new && other.of(now) == new
        });
        new.is_some()
            && old.is_some()
            && old != new
            && others.into_iter().any(|other| {
                earlier
                    .iter()
                    .any(|past| other.of(&past.fingerprints) == old)
            })
    };
    comparison.fields == [Field::Title]
        && comparison
            .headlines
            .iter()
            .all(|change| made_before(change.source))
}
