//! Matches items to entries, the most reliable way first.
//!
//! Every step considers all items before it decides, so the order of the feed does not matter: if two items share a
//! name, or two entries are alike, the decision depends on their content and not on which comes first.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::Named;
use super::likeness::WordSet;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::ids::EntryId;
use crate::domain::outcome::{AliasKey, AliasKind, EntryRef, NewAlias};
use crate::domain::state::FeedState;
use crate::time::Timestamp;

/// Articles whose publication dates are further apart are different: a column has the same headline every day.
const SAME_DAY: Duration = Duration::from_hours(12);

/// If this many items reappear word for word under new names, the whole feed has moved.
const A_MOVE: usize = 3;

/// Above this number, pairs are not compared word by word.
const PAIRS: usize = 40_000;

/// A pair matches only if it is more alike than any other pair of the two, by at least this much.
const CLEARLY: f64 = 0.15;

/// The entry that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The entry.
    pub entry: EntryId,
    /// Whether a person said so.
    pub pinned: bool,
}

/// What is known about an entry that an item may be, or about the item itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The entry.
    pub id: EntryId,
    /// The fingerprint of its headline in the feed.
    pub title: Option<Fingerprint>,
    /// The fingerprint of its full text in the feed, or of its description if there is no full text.
    pub text: Option<Fingerprint>,
    /// Whether that text is long enough to be unique: a short description or a headline may be the same on a new
    /// article every day.
    pub telling: bool,
    /// The claimed publication date.
    pub published: Option<Timestamp>,
    /// Whether the feed listed it at the last poll.
    pub listed: bool,
}

/// The entry that an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The place of the item in the feed.
    pub index: usize,
    /// The entry.
    pub entry: EntryRef,
    /// Names that the entry did not have yet.
    pub new_aliases: Vec<NewAlias>,
    /// Set if only one of the item's names led to the entry and another one is new: once the text is loaded, it
    /// should be checked with [`same_story`](super::same_story).
    pub doubtful: bool,
}

/// The items of a document while they are matched to entries. No two items get the same entry.
#[derive(Debug)]
pub struct Matching<'a> {
    named: &'a [Named],
    known: &'a HashMap<AliasKey, Owner>,
    found: Vec<Option<EntryId>>,
    /// The reason for the match, if no name led to the entry.
    why: Vec<Option<&'static str>>,
    claimed: HashSet<EntryId>,
    /// Whether the feed gives its items new guids and addresses from time to time, or has just done so.
    renames: bool,
}

impl<'a> Matching<'a> {
    /// Finds entries by name: names that a person assigned first, then guids, addresses and contents.
    #[must_use]
    pub fn by_name(named: &'a [Named], known: &'a HashMap<AliasKey, Owner>) -> Self {
        let mut matching = Self {
            named,
            known,
            renames: false,
            found: vec![None; named.len()],
            why: vec![None; named.len()],
            claimed: HashSet::new(),
        };
        let pinned = |_: usize, key: &AliasKey| known.get(key).is_some_and(|owner| owner.pinned);
        matching.claim(pinned);
        let ranks = named.iter().map(|item| item.keys.len()).max().unwrap_or(0);
        for kind in [AliasKind::Guid, AliasKind::Address, AliasKind::Content] {
            for rank in 0..ranks {
                matching.claim(|at, key| at == rank && key.kind == kind);
            }
        }
        matching
    }

    /// Assigns each entry that one of the wanted names leads to, to one item.
    fn claim(&mut self, wanted: impl Fn(usize, &AliasKey) -> bool) {
        let mut claims: HashMap<EntryId, Vec<(usize, &AliasKey)>> = HashMap::new();
        for (place, item) in self.named.iter().enumerate() {
            if self.found[place].is_some() {
                continue;
            }
            let keys = item.keys.iter().enumerate();
            let lead = keys
                .filter(|(at, key)| wanted(*at, key))
                .find_map(|(_, key)| Some((self.known.get(key)?.entry, key)));
            if let Some((entry, key)) = lead.filter(|(entry, _)| !self.claimed.contains(entry)) {
                claims.entry(entry).or_default().push((place, key));
            }
        }
        for (entry, claims) in claims {
            // If two items have names of one entry, the one with more of its names gets it.
            let best = claims.into_iter().max_by_key(|(place, key)| {
                let keys = &self.named[*place].keys;
                let names = keys.iter().filter(|key| self.owner(key) == Some(entry));
                (names.count(), std::cmp::Reverse(*key))
            });
            if let Some((place, _)) = best {
                self.found[place] = Some(entry);
                self.claimed.insert(entry);
            }
        }
    }

    fn owner(&self, key: &AliasKey) -> Option<EntryId> {
        self.known.get(key).map(|owner| owner.entry)
    }

    /// The items that no name leads to, as positions among the named ones.
    #[must_use]
    pub fn unnamed(&self) -> Vec<usize> {
        let lost = |place: &usize| {
            let keys = &self.named[*place].keys;
            self.found[*place].is_none() && !keys.iter().any(|key| self.known.contains_key(key))
        };
        (0..self.named.len()).filter(lost).collect()
    }

    /// Sets whether the feed is known to give its items new guids. Unless it is, or several items have moved in one
    /// check, an item whose guid, address and date are all new is a new entry, no matter how similar it is to
    /// another: think of two bulletins, two job advertisements, two warnings.
    #[must_use]
    pub fn renaming(self, renames: bool) -> Self {
        Self { renames, ..self }
    }

    /// Whether an item has claimed this entry.
    #[must_use]
    pub fn is_claimed(&self, entry: EntryId) -> bool {
        self.claimed.contains(&entry)
    }

    /// Matches the unnamed items to entries with the same headline and text, or with the same long text. `recent`
    /// has all entries that the feed has listed recently: a text that two of them share identifies neither.
    pub fn by_content(&mut self, recent: &[Candidate], item: impl Fn(usize) -> Candidate) {
        let unnamed = self.unnamed();
        if unnamed.is_empty() || recent.is_empty() {
            return;
        }
        let items: Vec<(usize, Candidate)> = unnamed
            .iter()
            .map(|&place| (place, item(self.named[place].index)))
            .collect();
        let why = "same headline, text and date, new guid and address";
        let dated = |c: &Candidate| Some((c.title?, Some(c.text?), Some(c.published?)));
        let moved = self.adopt(&items, recent, dated, false, why);

        let why = "same headline and text, new guid and address";
        let whole = |c: &Candidate| Some((c.title?, Some(c.text?), None));
        let still = self.still(&items, |_| true);
        let found = moved + self.free_pairs(&still, recent, whole).len();
        let is_move = found >= A_MOVE && found * 2 >= items.len();
        self.renames |= is_move;
        self.adopt(&still, recent, whole, is_move, why);

        let long = |c: &Candidate| Some((c.text?, None, None));
        let still = self.still(&items, |item| item.telling);
        let why = "same text, new guid and address";
        self.adopt(&still, recent, long, is_move, why);
    }

    /// The given items that have no entry yet.
    fn still(
        &self,
        items: &[(usize, Candidate)],
        wanted: impl Fn(&Candidate) -> bool,
    ) -> Vec<(usize, Candidate)> {
        let open =
            |(place, item): &&(usize, Candidate)| self.found[*place].is_none() && wanted(item);
        items.iter().filter(open).cloned().collect()
    }

    /// Pairs of an item and a free entry with the same content, if no other item or entry has that content.
    fn free_pairs<'c>(
        &self,
        items: &[(usize, Candidate)],
        recent: &'c [Candidate],
        content: impl Fn(&Candidate) -> Option<Content>,
    ) -> Vec<(usize, &'c Candidate)> {
        let mut pairs = unique_pairs(items, recent, content);
        pairs.retain(|(_, entry)| !self.is_claimed(entry.id));
        pairs
    }

    /// Assigns entries to the items with the same content, and returns how many.
    fn adopt(
        &mut self,
        items: &[(usize, Candidate)],
        recent: &[Candidate],
        content: impl Fn(&Candidate) -> Option<Content>,
        is_move: bool,
        why: &'static str,
    ) -> usize {
        let mut count = 0;
        for (at, entry) in self.free_pairs(items, recent, content) {
            let (place, item) = &items[at];
            let fits = is_move || self.dates_fit(item.published, entry.published, entry.listed);
            if fits && self.claimed.insert(entry.id) {
                self.found[*place] = Some(entry.id);
                self.why[*place] = Some(why);
                count += 1;
            }
        }
        count
    }

    /// Matches the unnamed items to similar entries that have vanished from the feed in this poll: much the same
    /// text, with the same headline or publication time. `vanished` has the last feed state of each.
    pub fn by_likeness(&mut self, items: &[FeedState], vanished: &[(EntryId, FeedState)]) {
        let unnamed = self.unnamed();
        if unnamed.len().saturating_mul(vanished.len()) > PAIRS {
            return;
        }
        let looks: Vec<(usize, ItemText<'_>)> = unnamed
            .into_iter()
            .filter_map(|place| Some((place, ItemText::of(items.get(self.named[place].index)?))))
            .collect();
        let known: Vec<(EntryId, ItemText<'_>)> = vanished
            .iter()
            .filter(|(id, _)| !self.is_claimed(*id))
            .map(|(id, state)| (*id, ItemText::of(state)))
            .collect();
        let scores: Vec<Vec<f64>> = looks
            .iter()
            .map(|(place, item)| {
                let renames = self.renames || self.is_nameless(*place);
                known
                    .iter()
                    .map(|(_, entry)| item.likeness(entry, renames))
                    .collect()
            })
            .collect();
        let others = |row: usize, column: usize| {
            let in_row = scores[row]
                .iter()
                .enumerate()
                .filter(move |(at, _)| *at != column);
            let in_column = scores.iter().enumerate().filter(move |(at, _)| *at != row);
            in_row
                .map(|(_, score)| *score)
                .chain(in_column.map(move |(_, scores)| scores[column]))
                .fold(0.0, f64::max)
        };
        let mut pairs = Vec::new();
        for (row, (place, _)) in looks.iter().enumerate() {
            for (column, (entry, _)) in known.iter().enumerate() {
                let score = scores[row][column];
                if score > 0.0 && score >= others(row, column) + CLEARLY {
                    pairs.push((*place, *entry));
                }
            }
        }
        for (place, entry) in pairs {
            if self.claimed.insert(entry) {
                self.found[place] = Some(entry);
                self.why[place] = Some("nearly the same headline and text, new guid and address");
            }
        }
    }

    /// Whether two publication dates can belong to one article; without dates, only an entry that has just vanished
    /// fits.
    fn dates_fit(&self, item: Option<Timestamp>, entry: Option<Timestamp>, listed: bool) -> bool {
        match (item, entry) {
            (Some(a), Some(b)) => a == b || (self.renames && same_day(item, entry)),
            _ => listed,
        }
    }

    /// Whether an item has neither a guid nor an address of its own; then a new name means nothing.
    fn is_nameless(&self, place: usize) -> bool {
        let own = |key: &AliasKey| key.kind != AliasKind::Content;
        !self.named[place].keys.iter().any(own)
    }

    /// The entry of each item, in the order of the feed.
    #[must_use]
    pub fn finish(self) -> Vec<Identified> {
        let each = |(place, item): (usize, &Named)| {
            let entry = self.found[place];
            let mut new_aliases = Vec::new();
            let mut led = false;
            for (at, key) in item.keys.iter().enumerate() {
                let reason = match self.owner(key) {
                    Some(owner) if Some(owner) == entry => {
                        led = true;
                        continue;
                    }
                    // Another item is that entry, and this one would be new at every poll.
                    Some(_) if entry.is_none() && at == 0 => {
                        "named like another entry in the same feed"
                    }
                    // The name belongs to another entry: a guess never takes a name away.
                    Some(_) => continue,
                    None => alias_reason(entry.is_some(), self.why[place], key.kind),
                };
                new_aliases.push(NewAlias {
                    key: key.clone(),
                    reason: reason.to_owned(),
                    if_free: false,
                });
            }
            let doubtful = led && !new_aliases.is_empty();
            new_aliases.extend(item.marks.iter().map(|key| NewAlias {
                key: key.clone(),
                reason: "several items have this address".to_owned(),
                if_free: true,
            }));
            Identified {
                index: item.index,
                entry: entry.map_or(EntryRef::New, EntryRef::Known),
                doubtful,
                new_aliases,
            }
        };
        self.named.iter().enumerate().map(each).collect()
    }
}

/// The content that has to be the same.
type Content = (Fingerprint, Option<Fingerprint>, Option<Timestamp>);

/// Pairs of an item and an entry with the same content, if no other item or entry has that content.
fn unique_pairs<'c>(
    items: &[(usize, Candidate)],
    recent: &'c [Candidate],
    content: impl Fn(&Candidate) -> Option<Content>,
) -> Vec<(usize, &'c Candidate)> {
    #[derive(Default)]
    struct Bearers<'c> {
        items: Vec<usize>,
        entries: Vec<&'c Candidate>,
    }
    let mut bearers: HashMap<_, Bearers<'c>> = HashMap::new();
    for (at, (_, item)) in items.iter().enumerate() {
        if let Some(content) = content(item) {
            bearers.entry(content).or_default().items.push(at);
        }
    }
    for entry in recent {
        if let Some(bearers) = content(entry).and_then(|content| bearers.get_mut(&content)) {
            bearers.entries.push(entry);
        }
    }
    let mut pairs: Vec<_> = bearers
        .into_values()
        .filter_map(|bearers| match (&*bearers.items, &*bearers.entries) {
            ([item], [entry]) => Some((*item, *entry)),
            _ => None,
        })
        .collect();
    pairs.sort_unstable_by_key(|(item, _)| *item);
    pairs
}

/// Whether two publication dates are close together.
fn same_day(a: Option<Timestamp>, b: Option<Timestamp>) -> bool {
    a.zip(b)
        .is_some_and(|(a, b)| a.since(b).max(b.since(a)) <= SAME_DAY)
}

/// The parts of an item that are compared.
struct ItemText<'s> {
    state: &'s FeedState,
    title: WordSet,
    text: WordSet,
}

impl<'s> ItemText<'s> {
    fn of(state: &'s FeedState) -> Self {
        Self {
            state,
            title: WordSet::of(state.title.as_deref()),
            text: WordSet::of_texts(state),
        }
    }

    /// 0 if they are two articles; otherwise their similarity, up to 2.
    ///
    /// Two bulletins may differ in one word, so similarity alone is not enough: the publication time or the
    /// headline must be exactly the same. `renames` says that a new name with a new date may belong to a known
    /// item.
    fn likeness(&self, other: &Self, renames: bool) -> f64 {
        let (mine, theirs) = (self.state.published, other.state.published);
        let dated = mine.is_some() && theirs.is_some();
        // A date without a time becomes midnight.
        let is_moment = |at: &Timestamp| at.as_millis() % (24 * 60 * 60 * 1000) != 0;
        let same_moment = mine == theirs && mine.as_ref().is_some_and(is_moment);
        let title = self.title.likeness(&other.title);
        let text = match self.text.is_empty() && other.text.is_empty() {
            true => 1.0,
            false => self.text.likeness(&other.text),
        };
        // Many articles may share a headline of two words.
        let same_title = title >= 0.999 && self.title.len() >= 4;
        let same_headline = match dated {
            true => {
                same_title && text >= 0.5 && (mine == theirs || (renames && same_day(mine, theirs)))
            }
            false => same_title && text >= 0.8 && renames,
        };
        if same_headline || (same_moment && title >= 0.5 && text >= 0.5) {
            title + text
        } else {
            0.0
        }
    }
}

fn alias_reason(known: bool, adopted: Option<&'static str>, kind: AliasKind) -> &'static str {
    match (known, adopted, kind) {
        (false, ..) => "first sight",
        (true, Some(why), _) => why,
        (true, None, AliasKind::Guid) => "same address, new guid",
        (true, None, AliasKind::Address) => "same guid, new address",
        (true, None, AliasKind::Content) => "same entry, new text",
    }
}
