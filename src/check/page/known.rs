//! What is known of an entry whose page was fetched: everything that its interpretation needs from the database.

use crate::check::Reading;
use crate::check::events::revise::EntryKnowledge;
use crate::check::feed::identify::known_entry;
use crate::check::furniture::FeedRules;
use crate::check::ignored::{self, with_clean_edges};
use crate::check::page::fetch::{self, FetchResult, FetchedPage, FoundPage};
use crate::check::page::stand_ins::page_text;
use crate::check::reread::reading::unless_damaged;
use crate::check::reread::rebase::{is_stale, read_again, rebase, seen_channels};
use crate::domain::chain::StoredCapture;
use crate::domain::fingerprint::of_blocks;
use crate::domain::life::doubt::{Doubt, doubt, lost_its_end};
use crate::domain::life::stand_in::{Alike, PageText};
use crate::domain::life::{PageLife, Reason};
use crate::domain::observation::{Observation, Observed};
use crate::domain::state::{Channel, PageState};
use crate::store::{self, Reader, StoreError, StoredIgnored};

/// How many words identify the text that they begin.
const A_PART: u32 = 15;

/// What is known of an entry whose page was fetched.
#[derive(Debug)]
pub(in crate::check) struct KnownPage {
    /// Its row.
    pub(in crate::check) row: store::KnownEntry,
    /// Its state and past; absent if neither the text nor the life of the page has moved.
    pub(in crate::check) full: Option<EntryKnowledge>,
    /// Series that checks of its page have begun.
    pub(in crate::check) life: PageLife,
    /// What is ignored in comparisons.
    pub(in crate::check) rules: FeedRules,
    /// What is remembered of the ignored text of the page; absent when no page was read.
    pub(in crate::check) ignored: Option<StoredIgnored>,
    /// Whether the page shows what it showed before, by fingerprint.
    pub(in crate::check) is_the_same: bool,
    /// What it said before, unless it says the same now.
    pub(in crate::check) compared: Option<ComparedPage>,
    /// Its text among those of other pages; absent if it shows none.
    pub(in crate::check) among: Option<TextAmongOthers>,
    /// The response behind the last revision of the page, if the interpretation needs it.
    pub(in crate::check) last_answer: Option<StoredCapture>,
}

/// What a page said before, compared with what it says now.
#[derive(Debug)]
pub(in crate::check) struct ComparedPage {
    /// The text, brought to the scheme that pages are read under today: a difference caused by our own reading is not a
    /// doubt. Only for comparing; when the check is stored, the stored state is brought to that scheme as well.
    pub(in crate::check) state: PageState,
    /// Whether it has turned out not to be an article's text.
    pub(in crate::check) is_stand_in: bool,
    /// The doubt, if any, whether what the page says now is the same article.
    pub(in crate::check) doubt: Option<Doubt>,
    /// Whether the end of the text is missing.
    pub(in crate::check) lost_its_end: bool,
}

impl ComparedPage {
    /// Whether what the page says now may be the beginning of the article, in front of a wall.
    pub(in crate::check) fn is_part(&self) -> bool {
        self.doubt
            .is_some_and(|doubt| doubt.is_part() && doubt.now >= A_PART)
    }
}

/// The text of a page, and how many other pages of its host show the same.
#[derive(Debug)]
pub(in crate::check) struct TextAmongOthers {
    /// What it shows; if the page was not sent again, what it showed last.
    pub(in crate::check) text: PageText,
    /// The other pages.
    pub(in crate::check) alike: Alike,
}

impl KnownPage {
    /// Reads what is known of an entry, as far as the check needs it. Returns the check with the last verdicts on
    /// blocks that nobody has edited.
    pub(in crate::check) fn read(
        reader: &Reader,
        row: store::KnownEntry,
        full: Option<EntryKnowledge>,
        result: FetchResult,
        reading: &Reading,
    ) -> Result<(FetchResult, Self), StoreError> {
        let life = reader.page_life(row.id)?;
        let rules = FeedRules::read(reader, row.feed, result.check.at)?;
        let in_force = rules.in_force(row.page.ok);
        let moves = || result.moves(&row, reading.schemes(), &in_force);
        let is_absent = result.check.reason.is_some_and(Reason::is_absence);
        let full = match full {
            None if is_absent || life.removed || moves() => {
                reader.load_entry(row.id)?.map(known_entry)
            }
            full => full,
        };
        let mut known = Self {
            row,
            full,
            life,
            rules,
            ignored: None,
            is_the_same: false,
            compared: None,
            among: None,
            last_answer: None,
        };
        match result.found {
            FetchedPage::Same => known.read_for_the_same(reader)?,
            FetchedPage::Page(_) => {
                let (id, channel) = (known.row.id, Channel::Page);
                known.ignored = ignored::remembered(reader, &[id], channel)?.remove(&id);
                let result = with_clean_edges(result, &known, reading.schemes());
                if let FetchedPage::Page(page) = &result.found {
                    known.read_for_a_page(reader, reading, &result, page)?;
                }
                return Ok((result, known));
            }
            FetchedPage::Nothing | FetchedPage::NotAsked | FetchedPage::Barred(_) => {}
        }
        Ok((result, known))
    }

    /// For a page that is unchanged: other pages of its host may have turned out to show the same text.
    fn read_for_the_same(&mut self, reader: &Reader) -> Result<(), StoreError> {
        let Some(text) = reader.page_text(self.row.id)? else {
            return Ok(());
        };
        let alike = reader.pages_alike(&text, self.row.id, self.row.title.as_deref())?;
        if self.full.is_none() && (alike.is_common() || self.row.page.reason.is_some()) {
            self.full = reader.load_entry(self.row.id)?.map(known_entry);
        }
        self.among = Some(TextAmongOthers { text, alike });
        Ok(())
    }

    fn read_for_a_page(
        &mut self,
        reader: &Reader,
        reading: &Reading,
        result: &FetchResult,
        page: &FoundPage,
    ) -> Result<(), StoreError> {
        if result.check.ok
            && let Some(text) = page_text(&result.url, page, result.check.at)
        {
            let alike = reader.pages_alike(&text, self.row.id, self.row.title.as_deref())?;
            self.among = Some(TextAmongOthers { text, alike });
        }
        let in_force = self.rules.in_force(self.row.page.ok);
        self.is_the_same = fetch::shows_the_known(&self.row, &page.state, &in_force);
        if !self.is_the_same {
            self.compared = self.compare(reader, reading, result, page)?;
        }
        let cut = |compared: &ComparedPage| compared.is_part() || compared.lost_its_end;
        if self.compared.as_ref().is_some_and(cut) || page.may_have_moved(&result.url) {
            let capture = reader.last_page_capture(self.row.id);
            let what = format_args!("the page of entry {}", self.row.id);
            self.last_answer = unless_damaged(what, capture)?;
        }
        Ok(())
    }

    fn compare(
        &self,
        reader: &Reader,
        reading: &Reading,
        result: &FetchResult,
        page: &FoundPage,
    ) -> Result<Option<ComparedPage>, StoreError> {
        let Some(full) = &self.full else {
            return Ok(None);
        };
        let state = if is_stale(&self.row, Channel::Page, reading.schemes()) {
            let (at, last) = (result.check.at, self.row.page.validators.body_sha256);
            let seen = [Observation {
                seen: at,
                state: Observed::Page(page.state.clone()),
            }];
            let again = read_again(reader, reading, full, &seen)?;
            let (mut full, seen) = (full.clone(), seen_channels(&seen));
            rebase(&mut full, &seen, reading.schemes(), at, &again, |_| last);
            full.known.state.page
        } else {
            full.known.state.page.clone()
        };
        let Some(state) = state else { return Ok(None) };
        let host = self.among.as_ref().map(|among| &among.text.host);
        let is_stand_in = match host.zip(of_blocks(&state.body)) {
            Some((host, print)) => reader.is_stand_in(host, print)?,
            None => false,
        };
        Ok(Some(ComparedPage {
            is_stand_in,
            doubt: doubt(&state.body, &page.state.body),
            lost_its_end: lost_its_end(&state.body, &page.state.body),
            state,
        }))
    }
}
