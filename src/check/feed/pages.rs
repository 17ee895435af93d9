//! Fetches pages together with their feed.

use crate::check::feed::decide::PageOfItem;
use crate::check::feed::identify::{IdentifiedFeed, IdentifiedItem, MatchedEntry, known_entry};
use crate::check::feed::poll::Poll;
use crate::check::keyed_lock::KeyGuard;
use crate::check::page::fetch::PageFetch;
use crate::check::page::interpret::{Interpreted, interpret};
use crate::check::page::known::KnownPage;
use crate::check::polite::journey::Hold;
use crate::check::schedule;
use crate::check::{CheckError, DocumentPermit, Reading, lane_of_pages};
use crate::config::PageMode;
use crate::domain::ids::EntryId;
use crate::domain::outcome::Validators;
use crate::fetch::Load;
use crate::store::StoreError;

/// The most pages of changed entries that are fetched with the feed. The rest wait for their own check schedule, so
/// that a bulk edit does not delay what the feed said.
const PAGES_WITH_FEED: usize = 10;

/// What the checks saw, what they hold until it is stored, and the document permit.
type PagesOfPoll<'h> = (
    Vec<Option<PageOfItem>>,
    Vec<HeldPage<'h>>,
    DocumentPermit<'h>,
);

/// The exclusive right to check a page, and the room for its response.
type HeldPage<'h> = (KeyGuard<'h, EntryId>, Option<Hold>);

impl Poll<'_> {
    /// Fetches the pages of known entries that moved in the feed, so that one edit is one change and not two.
    ///
    /// No other check of such a page runs until this one is stored; otherwise an older response could be stored
    /// after a newer one. What is known of the entry is read only once that is guaranteed.
    ///
    /// The document permit is given up meanwhile: a page waits for the turn of its host, and a check that holds
    /// that turn may be waiting for a permit. A feed that has exceeded its room does not fetch pages: others wait
    /// for it to end, and a page might wait for them.
    pub(in crate::check) async fn fetch_pages<'h>(
        &'h self,
        document: &mut IdentifiedFeed,
        hand: DocumentPermit<'h>,
        load: &Load,
    ) -> Result<PagesOfPoll<'h>, CheckError> {
        let moved = |item: &IdentifiedItem| item.known.as_ref().is_some_and(|known| known.moved);
        let count = document.items.iter().filter(|item| moved(item)).count();
        let no_pages = self.config.page.mode == PageMode::Off || load.is_over();
        if count == 0 || count > PAGES_WITH_FEED || no_pages {
            let none = document.items.iter().map(|_| None).collect();
            return Ok((none, Vec::new(), hand));
        }
        drop(hand);
        let mut pages = Vec::with_capacity(document.items.len());
        let mut held = Vec::new();
        for item in &mut document.items {
            let address = item.state.address.clone();
            let address = address.filter(|_| moved(item));
            let title = item.state.title.as_deref();
            let (Some(address), Some(known)) = (address, &mut item.known) else {
                pages.push(None);
                continue;
            };
            let only = self.checker.pages.only(known.row.id).await;
            self.refresh(known)?;
            let now = self.checker.now();
            let (page, room) = if schedule::page_check_now(&known.row.page, now) <= now {
                self.fetch_one(&address, title, known).await?
            } else {
                (None, None)
            };
            pages.push(page);
            held.push((only, room));
        }
        Ok((pages, held, self.checker.hand().await))
    }

    /// Reloads what another check has stored for the entry since the feed was compared with it.
    fn refresh(&self, known: &mut MatchedEntry) -> Result<(), StoreError> {
        self.checker.read(|reader| {
            if let Some(row) = reader.entry(known.row.id)? {
                if row.revision != known.row.revision {
                    known.full = reader.load_entry(row.id)?.map(known_entry);
                }
                known.row = row;
            }
            Ok(())
        })
    }

    /// Checks a page and interprets the result; `None` if the host was not asked.
    async fn fetch_one(
        &self,
        address: &str,
        title: Option<&str>,
        known: &MatchedEntry,
    ) -> Result<(Option<PageOfItem>, Option<Hold>), CheckError> {
        let mut row = known.row.page.clone();
        if row.url.as_deref() != Some(address) {
            // Validators belong to one address.
            row.validators = Validators::default();
        }
        let reading = Reading::of(self.config);
        let page = PageFetch {
            reading: &reading,
            entry: known.row.id,
            url: address,
            row: &row,
            title: title.or(known.row.title.as_deref()),
            feed: self.config,
        };
        let mut result = self.checker.fetch_page(&page, self.wait_limit).await;
        if !result.was_asked() {
            return Ok((None, None));
        }
        let hold = result.hold.take();
        let (at, report) = (result.check.at, result.report());
        let (readers, rule) = (self.checker.readers.clone(), self.config.detect.life);
        let (row, full) = (known.row.clone(), known.full.clone());
        let reading = reading.clone();
        let interpreted = self
            .checker
            .workers
            .run_for(
                lane_of_pages(self.config),
                0,
                move || -> Result<_, StoreError> {
                    let (result, mut before) = readers
                        .with(|reader| KnownPage::read(reader, row, full, result, &reading))?;
                    let scheme = reading.schemes().page;
                    Ok(PageOfItem {
                        interpreted: interpret(result, &mut before, &rule, scheme),
                        full: before.full,
                    })
                },
            )
            .await;
        match interpreted {
            Ok(interpreted) => Ok((Some(interpreted?), hold)),
            Err(crash) => {
                let along = PageOfItem {
                    interpreted: Interpreted::crashed(report, &known.row, at, &crash),
                    full: known.full.clone(),
                };
                Ok((Some(along), hold))
            }
        }
    }
}
