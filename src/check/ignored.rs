//! The record of ignored text in a check: what is remembered, what moved, and verdicts that changed without an edit.

use std::collections::HashMap;

use crate::check::page::fetch::{FetchResult, FetchedPage};
use crate::check::page::known::KnownPage;
use crate::check::reread::reading::unless_damaged;
use crate::check::reread::rebase::is_stale;
use crate::domain::furniture::Rules;
use crate::domain::ids::EntryId;
use crate::domain::ignored::{Bodies, Piece, Snapshot, clean_edges};
use crate::domain::outcome::IgnoredText;
use crate::domain::scheme::{Scheme, Schemes};
use crate::domain::state::{Block, BlockKind, Channel, FeedState, PageState};
use crate::store::{Reader, StoreError, StoredIgnored};

/// What is remembered of the ignored text of these entries. A record that cannot be read is dropped and starts again.
pub(super) fn remembered(
    reader: &Reader,
    entries: &[EntryId],
    channel: Channel,
) -> Result<HashMap<EntryId, StoredIgnored>, StoreError> {
    let mut remembered = HashMap::new();
    for (entry, text) in reader.ignored_texts(entries, channel)? {
        let what = format_args!("the ignored text of entry {entry}");
        let text = unless_damaged(what, text.map(Some))?;
        remembered.extend(text.map(|text| (entry, text)));
    }
    Ok(remembered)
}

/// The observation with the last verdicts on blocks that nobody has edited. A block that counts now, but was
/// ignored before in the same place with the same words, was not added by the publisher; and the reverse.
pub(super) fn with_clean_edges(
    mut result: FetchResult,
    before: &KnownPage,
    schemes: Schemes,
) -> FetchResult {
    let known = before.full.as_ref();
    let known = known.and_then(|full| full.known.state.page.as_ref());
    let (FetchedPage::Page(page), Some(known), Some(ignored)) =
        (&mut result.found, known, &before.ignored)
    else {
        return result;
    };
    if ignored.scheme != schemes.page || is_stale(&before.row, Channel::Page, schemes) {
        return result;
    }
    let cleaned = clean_edges(
        &known.body,
        &ignored.snapshot,
        &page.state.body,
        &page.ignored,
    );
    if let Some(cleaned) = cleaned {
        cleaned.put_links(&known.links, &mut page.state.links);
        page.state.body = cleaned.body;
        page.ignored = cleaned.ignored;
    }
    result
}

/// A page that was read, as the record of ignored text needs it.
#[derive(Debug)]
pub(super) struct ReadPage {
    pub(super) state: PageState,
    pub(super) ignored: Vec<Piece>,
    /// What is remembered from the last check.
    pub(super) remembered: Option<StoredIgnored>,
    pub(super) scheme: Scheme,
}

impl ReadPage {
    /// What to store; `None` if it is the same as what is remembered. `known` is the text of the last check, if
    /// this one differs from it.
    pub(super) fn noted(self, known: Option<&PageState>, rules: &Rules) -> Option<IgnoredText> {
        let by_rules = rules.swallowed_page(&self.state);
        let mut pieces = self.ignored;
        pieces.extend(by_rules);
        // Text ignored before a block of the article comes before text that a rule ignores inside that block.
        pieces.sort_by_key(|piece| piece.after);
        let now = Snapshot::of(pieces, self.state.body.len());
        let bodies = known.map(|known| Bodies {
            old: &known.body,
            new: &self.state.body,
        });
        let past = known.map(|known| rules.swallowed_page(known));
        let seen = IgnoredNow {
            channel: Channel::Page,
            scheme: self.scheme,
            now,
            past: past.unwrap_or_default(),
        };
        seen.noted(self.remembered, bodies, rules)
    }
}

/// What to store of the ignored text of a feed's item; see [`ReadPage::noted`].
pub(super) fn noted_of_item(
    state: &FeedState,
    known: Option<&FeedState>,
    remembered: Option<StoredIgnored>,
    scheme: Scheme,
    rules: &Rules,
) -> Option<IgnoredText> {
    let pieces = |state| Snapshot::of(rules.swallowed_feed(state), blocks(state).count());
    let now = pieces(state);
    if now.is_empty() && remembered.is_none() {
        return None;
    }
    let counted = |state| -> Vec<Block> {
        let counted = blocks(state).filter(|block| block.kind != BlockKind::Furniture);
        counted.cloned().collect()
    };
    let known_and_new = known.map(|known| (counted(known), counted(state)));
    let bodies = known_and_new.as_ref().map(|(old, new)| Bodies { old, new });
    // Nothing is remembered of an item as long as all of its text counts.
    let remembered = remembered.or_else(|| {
        let snapshot = pieces(known?);
        Some(StoredIgnored { scheme, snapshot })
    });
    let past = known.map(|known| rules.swallowed_feed(known));
    let seen = IgnoredNow {
        channel: Channel::Feed,
        scheme,
        now,
        past: past.unwrap_or_default(),
    };
    seen.noted(remembered, bodies, rules)
}

fn blocks(state: &FeedState) -> impl Iterator<Item = &Block> {
    state.summary.iter().chain(&state.body)
}

/// The ignored text of a document.
struct IgnoredNow {
    channel: Channel,
    scheme: Scheme,
    now: Snapshot,
    /// What today's rules would have left out of the last text.
    past: Vec<Piece>,
}

impl IgnoredNow {
    fn noted(
        self,
        remembered: Option<StoredIgnored>,
        bodies: Option<Bodies<'_>>,
        rules: &Rules,
    ) -> Option<IgnoredText> {
        let (snapshot, movements) = match &remembered {
            Some(last) if last.scheme == self.scheme => {
                let last = last.snapshot.clone();
                let last = last.without_rules(|rule| !rules.has(rule));
                let last = last.with_new_rules(self.past);
                self.now.following(&last, bodies)
            }
            Some(last) => (self.now.replacing(&last.snapshot), Vec::new()),
            None => (self.now, Vec::new()),
        };
        let same =
            remembered.is_some_and(|last| last.scheme == self.scheme && last.snapshot == snapshot);
        (!same || !movements.is_empty()).then_some(IgnoredText {
            channel: self.channel,
            scheme: self.scheme,
            snapshot,
            movements,
        })
    }
}
