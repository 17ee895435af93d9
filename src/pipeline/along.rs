//! Pages that are looked at along with their feed.

use super::busy::Only;
use super::clocks;
use super::feed::Poll;
use super::known::{Matched, Sighted, Sighting, known_entry};
use super::look::Look;
use super::plan::Along;
use super::settle::{Before, Settled, settle};
use super::visit::Hold;
use super::{CheckError, Hand, Reading, lane_of_pages};
use crate::config::PageMode;
use crate::domain::ids::EntryId;
use crate::domain::outcome::Validators;
use crate::fetch::Load;
use crate::store::StoreError;

/// Pages of changed entries that are looked at along with the feed. More wait for the article clock, so that a bulk
/// edit does not hold up what the feed said.
const PAGES_ALONG: usize = 10;

/// What the looks saw, what they hold until it is stored, and the hand.
type LooksAlong<'h> = (Vec<Option<Along>>, Vec<HeldPage<'h>>, Hand<'h>);

/// The right to look at a page, and the room for what it showed.
type HeldPage<'h> = (Only<'h, EntryId>, Option<Hold>);

impl Poll<'_> {
    /// Looks at the pages of the known entries that moved in the feed, so that one edit is one change and not two.
    ///
    /// Nobody else looks at such a page until what it shows is stored, or an older answer could be stored after a newer
    /// one; and what is known of the entry is read once that holds.
    ///
    /// The hand is laid down meanwhile: a page waits for a turn, and whoever holds that may be waiting for a hand. A feed
    /// that has gone over the limit of the room does not look at pages: others wait for its end, and a page might wait
    /// for theirs.
    pub(super) async fn look_along<'h>(
        &'h self,
        sighting: &mut Sighting,
        hand: Hand<'h>,
        load: &Load,
    ) -> Result<LooksAlong<'h>, CheckError> {
        let moved = |item: &Sighted| item.known.as_ref().is_some_and(|known| known.moved);
        let count = sighting.items.iter().filter(|item| moved(item)).count();
        let no_pages = self.config.page.mode == PageMode::Off || load.is_over();
        if count == 0 || count > PAGES_ALONG || no_pages {
            let none = sighting.items.iter().map(|_| None).collect();
            return Ok((none, Vec::new(), hand));
        }
        drop(hand);
        let mut looks = Vec::with_capacity(sighting.items.len());
        let mut held = Vec::new();
        for item in &mut sighting.items {
            let address = item.state.address.clone();
            let address = address.filter(|_| moved(item));
            let title = item.state.title.as_deref();
            let (Some(address), Some(known)) = (address, &mut item.known) else {
                looks.push(None);
                continue;
            };
            let only = self.pipeline.pages.only(known.row.id).await;
            self.refresh(known)?;
            let now = self.pipeline.now();
            let (look, room) = match clocks::look_now(&known.row.page, now) <= now {
                true => self.look_at(&address, title, known).await?,
                false => (None, None),
            };
            looks.push(look);
            held.push((only, room));
        }
        Ok((looks, held, self.pipeline.hand().await))
    }

    /// Takes up what somebody else has stored of the entry since the feed was compared with it.
    fn refresh(&self, known: &mut Matched) -> Result<(), StoreError> {
        self.pipeline.read(|reader| {
            if let Some(row) = reader.entry(known.row.id)? {
                if row.revision != known.row.revision {
                    known.full = reader.load_entry(row.id)?.map(known_entry);
                }
                known.row = row;
            }
            Ok(())
        })
    }

    /// Looks at a page and settles what the look means; `None` when the host was not asked.
    async fn look_at(
        &self,
        address: &str,
        title: Option<&str>,
        known: &Matched,
    ) -> Result<(Option<Along>, Option<Hold>), CheckError> {
        let mut row = known.row.page.clone();
        if row.url.as_deref() != Some(address) {
            // Validators belong to an address.
            row.validators = Validators::default();
        }
        let reading = Reading::of(self.config);
        let look = Look {
            reading: &reading,
            entry: known.row.id,
            url: address,
            row: &row,
            title: title.or(known.row.title.as_deref()),
            feed: self.config,
        };
        let mut looked = self.pipeline.look(&look, self.patience).await;
        if !looked.was_asked() {
            return Ok((None, None));
        }
        let hold = looked.hold.take();
        let (at, report) = (looked.check.at, looked.report());
        let (readers, rule) = (self.pipeline.readers.clone(), self.config.detect.life);
        let (row, full) = (known.row.clone(), known.full.clone());
        let reading = reading.clone();
        let settled = self
            .pipeline
            .workers
            .run_for(
                lane_of_pages(self.config),
                0,
                move || -> Result<_, StoreError> {
                    let mut before = Before::load(&readers, row, full, &looked, &reading)?;
                    let settled = settle(looked, &mut before, &rule, &readers, &reading)?;
                    Ok(Along {
                        settled,
                        full: before.full,
                    })
                },
            )
            .await;
        match settled {
            Ok(settled) => Ok((Some(settled?), hold)),
            Err(crash) => {
                let along = Along {
                    settled: Settled::crashed(report, &known.row, at, &crash),
                    full: known.full.clone(),
                };
                Ok((Some(along), hold))
            }
        }
    }
}
