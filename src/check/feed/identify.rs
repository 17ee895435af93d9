//! Matches the items of a feed to known entries: which entry each item is, and whether it moved.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::check::events::revise::EntryKnowledge;
use crate::check::feed::known::{DocumentReading, SameItem};
use crate::check::furniture::FeedRules;
use crate::check::reread::rebase::is_stale;
use crate::domain::decide::{Known, feed_after};
use crate::domain::diff::word_count;
use crate::domain::fingerprint::{Fingerprint, SCHEME, of_feed_state};
use crate::domain::furniture::InForce;
use crate::domain::identity::{
    Candidate, Identified, Matching, Names, Owner, addresses_of, marks_of, name_items,
    name_items_at, same_story,
};
use crate::domain::ids::EntryId;
use crate::domain::known_items::{KnownItem, KnownItems, stand_alone};
use crate::domain::life::leaving::{Came, how_it_left};
use crate::domain::outcome::{
    AliasKey, AliasKind, EntryRef, Left, NewAlias, RevisionOrigin, SeenPrints,
};
use crate::domain::past::PastRevision;
use crate::domain::scheme::Schemes;
use crate::domain::state::{Block, Channel, FeedState};
use crate::feed::ItemMark;
use crate::store::{self, Bearer, FeedRow, KnownEntryFull, Reader, StoreError};

/// An item that matches no name may be an entry that was in the feed at most this long ago.
const RECENT_FOR: Duration = Duration::from_hours(14 * 24);

/// The most such entries to search.
const RECENT: usize = 500;

/// Entries that have just vanished are compared word by word if there are at most this many.
const VANISHED: usize = 200;

/// A feed changes its guids if at least this many of its entries were found again under new guids.
const KNOWN_TO_RENAME: usize = 3;

/// One item of the feed, identified.
#[derive(Debug)]
pub(in crate::check) struct IdentifiedItem {
    /// What the feed says.
    pub(in crate::check) state: FeedState,
    /// What is known of the entry; `None` for a new one.
    pub(in crate::check) known: Option<Box<MatchedEntry>>,
    /// Names to add to the entry.
    pub(in crate::check) aliases: Vec<NewAlias>,
    /// How it is recognised the next time.
    pub(in crate::check) settles: Option<KnownItem>,
}

/// The known entry of an item.
#[derive(Debug)]
pub(in crate::check) struct MatchedEntry {
    /// Its row.
    pub(in crate::check) row: store::KnownEntry,
    /// Its state and past, loaded only if a reader may see a difference, or a date moved.
    pub(in crate::check) full: Option<EntryKnowledge>,
    /// Whether the feed's text differs from the last one, judged by fingerprints.
    pub(in crate::check) moved: bool,
}

/// All items of a feed document, identified.
#[derive(Debug)]
pub(in crate::check) struct IdentifiedFeed {
    /// In feed order, without repeated items.
    pub(in crate::check) items: Vec<IdentifiedItem>,
    /// Items that were not read, because their bytes are known.
    pub(in crate::check) same: Vec<SameItem>,
    /// Whether those are all still the same; otherwise the whole document has to be read.
    pub(in crate::check) fits: bool,
    /// What was known of the items before; `None` for the first document.
    pub(in crate::check) known_before: Option<KnownItems>,
    /// Entries that the feed listed before but no longer lists, and how they left it.
    pub(in crate::check) left: Vec<(EntryId, Left)>,
    /// Whether the feed's guids identify entries, as far as is known now.
    pub(in crate::check) guids_trusted: bool,
    /// What is ignored in comparisons.
    pub(in crate::check) rules: FeedRules,
}

impl IdentifiedFeed {
    /// Leaves out new items beyond `most`, in feed order, and returns how many there were. They are still new at
    /// the next poll.
    pub(in crate::check) fn postpone_beyond(&mut self, most: usize) -> usize {
        let before = self.items.len();
        let mut new = 0;
        self.items.retain(|item| {
            new += usize::from(item.known.is_none());
            item.known.is_some() || new <= most
        });
        before - self.items.len()
    }

    /// The items that need not be read again, each with its entry; `None` for a new one.
    pub(in crate::check) fn settling(&mut self) -> Vec<(Option<EntryId>, KnownItem)> {
        let settles = |item: &mut IdentifiedItem| {
            let id = item.known.as_ref().map(|known| known.row.id);
            Some((id, item.settles.take()?))
        };
        self.items.iter_mut().filter_map(settles).collect()
    }

    /// Whether most texts of the document, or most of each text, are suddenly missing: the feed's system may have
    /// lost its articles or started to cut them.
    pub(in crate::check) fn emptied(&self) -> Option<String> {
        let known = self.items.iter().filter_map(|item| item.known.as_ref());
        if known.filter(|known| known.full.is_some()).count() < GONE_AT_LEAST {
            return None;
        }
        let (mut gone, mut all) = (0_usize, 0_usize);
        let mut unchanged = Vec::new();
        for item in &self.items {
            let Some(known) = &item.known else { continue };
            let before = known
                .full
                .as_ref()
                .and_then(|full| full.known.state.feed.as_ref());
            let Some(before) = before else {
                unchanged.push(&item.state);
                continue;
            };
            // A text that only changed its format is not missing.
            let now = words(&feed_after(Some(before), &item.state));
            let before = words(before);
            if before >= NOTICED_WORDS {
                all += 1;
                gone += usize::from(now * 2 < before);
            }
        }
        if gone < GONE_AT_LEAST {
            return None;
        }
        all += self.same.iter().filter(|same| same.item.has_text).count();
        all += unchanged
            .into_iter()
            .filter(|state| has_words(state))
            .count();
        (gone * 5 >= all * 4)
            .then(|| format!("unconfirmed until a second poll: the texts of {gone} entries are gone, or most of them"))
    }
}

/// Fewer texts that are suddenly missing may be edits.
const GONE_AT_LEAST: usize = 3;

/// A text of fewer words can disappear without counting as missing.
const NOTICED_WORDS: u32 = 5;

fn words(state: &FeedState) -> u32 {
    let blocks = state.summary.iter().chain(&state.body);
    blocks.map(|block| word_count(&block.text)).sum()
}

/// Whether the item has at least [`NOTICED_WORDS`] words, without counting all of them.
fn has_words(state: &FeedState) -> bool {
    // Twice as many words at the beginning are enough, even if the cut falls within a word.
    let beginning = |block: &Block| {
        let end = block.text.floor_char_boundary(256);
        word_count(block.text.get(..end).unwrap_or_default())
    };
    let mut blocks = state.summary.iter().chain(&state.body);
    blocks.any(|block| beginning(block) >= 2 * NOTICED_WORDS) || words(state) >= NOTICED_WORDS
}

/// The items of a document, and what was known of items before.
pub(in crate::check) struct DocumentItems<'a> {
    pub(in crate::check) items: Vec<FeedState>,
    /// How each item is recognised; empty if that is not known.
    pub(in crate::check) marks: Vec<ItemMark>,
    pub(in crate::check) known: &'a KnownItems,
}

/// Identifies the items of a document against the database.
pub(in crate::check) fn identify(
    reader: &Reader,
    document_reading: &DocumentReading<'_>,
    document: DocumentItems<'_>,
    rules: FeedRules,
) -> Result<IdentifiedFeed, StoreError> {
    let (feed, now) = (document_reading.row, document_reading.now);
    let schemes = document_reading.schemes();
    let DocumentItems {
        mut items,
        marks: item_marks,
        known: known_items,
    } = document;
    let addresses = addresses_of(&items);
    let alone = if item_marks.is_empty() {
        Vec::new()
    } else {
        stand_alone(&items, &addresses)
    };
    // An item that needs its text to be told from others cannot be recognised by its bytes.
    let mark_of = |index: usize| {
        let alone = alone.get(index).copied().unwrap_or(false);
        let mark = item_marks.get(index).copied().unwrap_or_default();
        (mark.print.filter(|_| alone), mark.is_known)
    };
    let trusted_before = feed.guids_trusted.unwrap_or(true);
    // Before its first snapshot, a feed has only entries whose history was imported.
    let first = feed.baseline.is_none();
    let marks: HashSet<AliasKey> = match first {
        true => HashSet::new(),
        false => {
            let known = reader.known_entries(feed.id, &marks_of(&addresses))?;
            known.into_iter().map(|bearer| bearer.key).collect()
        }
    };
    let Names {
        items: named,
        mut guids_trusted,
    } = name_items_at(&items, &addresses, trusted_before, &marks);
    let keys: Vec<AliasKey> = named
        .iter()
        .flat_map(|item| item.keys.iter().cloned())
        .collect();
    let mut rows: HashMap<EntryId, Arc<store::KnownEntry>> = HashMap::new();
    let mut owners: HashMap<AliasKey, Owner> = HashMap::new();
    let bearers = reader.known_entries(feed.id, &keys)?;
    let in_force = rules.in_force(feed.last_ok);
    for Bearer { key, entry, pinned } in bearers {
        let owner = Owner {
            entry: entry.id,
            pinned,
        };
        owners.insert(key, owner);
        rows.insert(entry.id, entry);
    }
    let mut matching = Matching::by_name(&named, &owners);
    if !first && !matching.unnamed().is_empty() {
        let renames = reader.renamed_entries(feed.id)? >= KNOWN_TO_RENAME;
        matching = matching.renaming(renames);
        let recent = reader.recent_entries(feed.id, now - RECENT_FOR, RECENT)?;
        let recent: Vec<Candidate> = recent
            .into_iter()
            .map(|recent| recent_candidate(recent, &mut rows))
            .collect();
        matching.by_content(&recent, |index| candidate(items.get(index), &in_force));
        let vanished = vanished(reader, &matching, &recent)?;
        matching.by_likeness(&items, &vanished);
    }
    let identified = matching.finish();

    // A copy that was left out has another copy beside it, and neither is recognised by its bytes.
    let mut fits = (0..items.len()).all(|index| !matches!(mark_of(index), (None, true)));
    let mut same = Vec::new();
    let mut came = Vec::with_capacity(identified.len());
    let mut sighted = Vec::with_capacity(identified.len());
    let mut listed: HashSet<EntryId> = HashSet::new();
    for Identified {
        index,
        entry,
        new_aliases,
        doubtful,
    } in identified
    {
        let Some(state) = items.get_mut(index).map(std::mem::take) else {
            continue;
        };
        let row = match entry {
            EntryRef::Known(id) => rows.get(&id).cloned(),
            EntryRef::New => None,
        };
        let (print, is_known) = mark_of(index);
        if is_known {
            let item = print.and_then(|print| known_items.get(print));
            match item.zip(row.filter(|_| new_aliases.is_empty())) {
                Some((item, row)) if document_reading.is_settled(item, &row) => {
                    listed.insert(row.id);
                    let (item, first_seen) = (item.clone(), row.first_seen);
                    came.push(Came {
                        published: state.published,
                        first_seen: Some(first_seen),
                    });
                    same.push(SameItem { item, first_seen });
                }
                _ => fits = false,
            }
            continue;
        }
        let mut item = IdentifiedItem {
            state,
            known: None,
            aliases: new_aliases,
            settles: None,
        };
        let mut text_print = None;
        if let Some(row) = row {
            let row = Arc::unwrap_or_clone(row);
            let (matched, print_of_text) = matched(reader, row, &item.state, schemes, &in_force)?;
            text_print = Some(print_of_text);
            if doubtful && another_story(&matched, &item.state) {
                // A publisher reuses a guid or an address: what it names now is a new entry.
                let new_guid = |alias: &NewAlias| alias.key.kind == AliasKind::Guid;
                if item.aliases.iter().any(new_guid) {
                    // The address was misleading: the guid is the item's own.
                    item.aliases.retain(new_guid);
                } else {
                    guids_trusted = false;
                    item.aliases = fresh_names(&item.state);
                }
            } else {
                listed.insert(matched.row.id);
                item.known = Some(Box::new(matched));
            }
        }
        // A first document has nothing to be compared with; the next one shows what stays.
        if let Some(print) = print.filter(|_| !first) {
            let text = text_print.unwrap_or_else(|| print_under(&item.state, &in_force));
            let has_text = has_words(&item.state);
            item.settles = Some(KnownItem::of(print, &item.state, text, has_text));
        }
        let known = item.known.as_ref();
        came.push(Came {
            published: item.state.published,
            first_seen: Some(known.map_or(now, |known| known.row.first_seen)),
        });
        sighted.push(item);
    }
    let left = match first {
        true => Vec::new(),
        false => left(reader, feed, &came, &listed)?,
    };
    Ok(IdentifiedFeed {
        items: sighted,
        same,
        fits,
        known_before: None,
        left,
        guids_trusted,
        rules,
    })
}

fn recent_candidate(
    recent: store::EntryCandidate,
    rows: &mut HashMap<EntryId, Arc<store::KnownEntry>>,
) -> Candidate {
    let prints = recent.fingerprints;
    let entry = recent.entry;
    let candidate = Candidate {
        id: entry.id,
        title: prints.feed_title,
        text: prints.feed_body.or(prints.feed_summary),
        telling: false,
        published: entry.claimed.feed_published,
        listed: entry.in_feed,
    };
    rows.insert(entry.id, Arc::new(entry));
    candidate
}

/// What the feed last said about entries that it listed until now and that match no item of this document.
fn vanished(
    reader: &Reader,
    matching: &Matching<'_>,
    recent: &[Candidate],
) -> Result<Vec<(EntryId, FeedState)>, StoreError> {
    let gone = || {
        recent
            .iter()
            .filter(|entry| entry.listed && !matching.is_claimed(entry.id))
    };
    let mut vanished = Vec::new();
    if matching.unnamed().is_empty() || gone().count() > VANISHED {
        return Ok(vanished);
    }
    for entry in gone() {
        let full = reader.load_entry(entry.id)?;
        let state = full.and_then(|full| full.state.feed);
        vanished.extend(state.map(|state| (entry.id, state)));
    }
    Ok(vanished)
}

/// The entries that the feed no longer lists, each with how it left.
fn left(
    reader: &Reader,
    feed: &FeedRow,
    came: &[Came],
    listed: &HashSet<EntryId>,
) -> Result<Vec<(EntryId, Left)>, StoreError> {
    let mut left = Vec::new();
    for id in reader.entries_in_feed(feed.id)? {
        if !listed.contains(&id)
            && let Some(entry) = reader.entry(id)?
        {
            let gone = Came {
                published: entry.claimed.feed_published,
                first_seen: Some(entry.first_seen),
            };
            left.push((id, how_it_left(gone, came)));
        }
    }
    Ok(left)
}

/// The state and past of an entry, in the form that decisions need.
pub(in crate::check) fn known_entry(full: KnownEntryFull) -> EntryKnowledge {
    let KnownEntryFull {
        entry,
        state,
        seen,
        history,
        changes,
    } = full;
    let mut past: Vec<PastRevision> = Vec::with_capacity(history.len());
    for row in history {
        let number = row.number;
        let change = changes.iter().find(|change| change.after == number);
        let mut additive = change.is_some_and(|change| change.additive);
        let mut quiet = change.and_then(|change| change.quiet);
        if row.origin == RevisionOrigin::Reread
            && let Some(read_before) = past.pop()
        {
            // The same response under two schemes is one state to return to.
            (additive, quiet) = (read_before.additive, read_before.quiet);
        }
        past.push(PastRevision {
            number,
            seen: row.seen,
            fingerprints: row.fingerprints,
            links: row.links,
            additive,
            quiet,
        });
    }
    EntryKnowledge {
        id: entry.id,
        public_id: entry.public_id,
        first_seen: entry.first_seen,
        revision_seen: seen,
        schemes: entry.schemes,
        last: SeenPrints {
            feed: entry.feed_fp,
            page: entry.page_fp,
            streaks: entry.streaks,
        },
        prints_of_today: [entry.feed_fp, entry.page_fp]
            .into_iter()
            .flatten()
            .all(|print| print.scheme() == SCHEME),
        known: Known {
            state,
            revision: entry.revision,
            claimed: entry.claimed,
            past,
        },
    }
}

fn matched(
    reader: &Reader,
    row: store::KnownEntry,
    state: &FeedState,
    schemes: Schemes,
    rules: &InForce,
) -> Result<(MatchedEntry, Fingerprint), StoreError> {
    let print = print_under(state, rules);
    let differs = row.feed_fp != Some(print);
    let dates =
        row.claimed.feed_published != state.published || row.claimed.feed_updated != state.updated;
    let stale = is_stale(&row, Channel::Feed, schemes);
    let full = match differs || dates || stale {
        true => reader.load_entry(row.id)?.map(known_entry),
        false => None,
    };
    // A fingerprint from another scheme cannot be compared: the text is brought to today's scheme first, and until
    // then the entry has not moved. Also, the fingerprint in the row may be from a check in which the feed left out
    // a text that is remembered, so the texts themselves decide.
    let moved = differs && !stale && full.as_ref().is_none_or(|full| moves(full, state, rules));
    Ok((MatchedEntry { row, full, moved }, print))
}

/// The fingerprint that shows whether the text of an item differs from the last one.
fn print_under(state: &FeedState, rules: &InForce) -> Fingerprint {
    of_feed_state(&rules.now.counted_feed(state)).whole
}

/// Whether a reader may see a difference between what is known and what the feed says now.
fn moves(full: &EntryKnowledge, state: &FeedState, rules: &InForce) -> bool {
    let rules = rules.for_comparing();
    let print = |state: &FeedState| of_feed_state(&rules.counted_feed(state)).whole;
    let Some(known) = &full.known.state.feed else {
        return true;
    };
    let now = feed_after(Some(known), state);
    print(known) != print(&now)
}

fn another_story(matched: &MatchedEntry, state: &FeedState) -> bool {
    let known = matched
        .full
        .as_ref()
        .and_then(|full| full.known.state.feed.as_ref());
    known.is_some_and(|known| !same_story(known, state))
}

/// The names of an item whose guid is no longer a name.
fn fresh_names(state: &FeedState) -> Vec<NewAlias> {
    let named = name_items(std::slice::from_ref(state), false, &HashSet::new());
    let keys = named.items.into_iter().flat_map(|item| item.keys);
    keys.filter(|key| key.kind != AliasKind::Guid)
        .map(|key| NewAlias {
            key,
            reason: "first seen, under a name used before".to_owned(),
            if_free: false,
        })
        .collect()
}

fn candidate(item: Option<&FeedState>, rules: &InForce) -> Candidate {
    let prints = item.map(|item| of_feed_state(&rules.now.counted_feed(item)));
    Candidate {
        id: EntryId(0),
        title: prints.as_ref().and_then(|prints| prints.title),
        text: prints
            .as_ref()
            .and_then(|prints| prints.body.or(prints.summary)),
        telling: item.is_some_and(is_telling),
        published: item.and_then(|item| item.published),
        listed: true,
    }
}

/// Whether the text of an item is long enough to be unique.
fn is_telling(item: &FeedState) -> bool {
    const BYTES: usize = 400;
    let texts = item.text().iter();
    texts.map(|block| block.text.len()).sum::<usize>() >= BYTES
}
