//! Reads the past of an entry before the decision on a new text of its page.

use crate::check::Reading;
use crate::check::events::revise::EntryKnowledge;
use crate::check::page::decide::windows_of;
use crate::check::page::interpret::Interpreted;
use crate::check::page::known::KnownPage;
use crate::check::past::{EntryPast, FeedPages};
use crate::check::waits::may_wait;
use crate::domain::furniture::TextStep;
use crate::domain::observation::{Observation, Observed};
use crate::domain::state::Channel;
use crate::store::{Reader, StoreError};

/// What is read from the past of an entry whose page shows an article.
#[derive(Default)]
pub(in crate::check) struct PagePast {
    pub(in crate::check) entry: EntryPast,
    /// The feed's other pages, if this one shows another text.
    pub(in crate::check) site: Option<FeedPages>,
}

impl PagePast {
    /// Reads it, and learns from the feed's other pages if the text moved as furniture moves.
    pub(in crate::check) fn read(
        reader: &Reader,
        reading: &Reading,
        before: &mut KnownPage,
        interpreted: &Interpreted,
    ) -> Result<Self, StoreError> {
        let (Some(full), Some(seen)) = (&before.full, interpreted.observed()) else {
            return Ok(Self::default());
        };
        let steps: Vec<TextStep<'_>> = step(full, seen).into_iter().collect();
        let learns = before.rules.may_learn(&steps);
        let site = if learns || may_wait(full, seen) {
            Some(FeedPages::read(reader, before.row.feed)?)
        } else {
            None
        };
        if let Some(site) = site.as_ref().filter(|_| learns) {
            before.rules.learn_from(&site.articles, Channel::Page);
        }
        let windows = windows_of(interpreted);
        let observations = std::slice::from_ref(seen);
        let entry = EntryPast::read(reader, reading, full, observations, &windows)?;
        Ok(Self { entry, site })
    }
}

/// The last text of the page, and the new one.
fn step<'a>(entry: &'a EntryKnowledge, seen: &'a Observation) -> Option<TextStep<'a>> {
    let before = entry.known.state.page.as_ref()?;
    match &seen.state {
        Observed::Page(page) => Some(TextStep {
            titles: [before.headline(), page.headline()],
            texts: [&before.body, &page.body],
        }),
        Observed::Feed(_) => None,
    }
}
