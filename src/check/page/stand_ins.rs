//! Texts that several pages of a host show in the place of their articles: the rules of `domain::life::stand_in` with
//! what the store knows of other pages.

use crate::check::page::fetch::{self, FoundPage};
use crate::check::page::interpret::{KnownPage, PageSight};
use crate::domain::fingerprint::{address_key, of_blocks};
use crate::domain::life::stand_in::{PageText, stands_in};
use crate::domain::life::{Reason, Sight};
use crate::domain::outcome::PageCheck;
use crate::domain::state::PageState;
use crate::store::{Readers, StoreError};
use crate::time::Timestamp;

/// The page is the one that was read. Meanwhile others of its host may have turned out to show the same text; or it has
/// shown another one in between.
pub(in crate::check) fn see_the_same(
    check: PageCheck,
    before: &KnownPage,
    readers: &Readers,
) -> Result<PageSight, StoreError> {
    let (entry, title) = (before.row.id, before.row.title.as_deref());
    let there = PageSight::unread(check, Sight::There);
    let found = readers.with(|reader| {
        let Some(text) = reader.page_text(entry)? else {
            return Ok::<_, StoreError>(None);
        };
        let alike = reader.pages_alike(&text, entry, title)?;
        if !alike.is_common() && before.row.page.reason.is_none() {
            return Ok(None);
        }
        let full = reader
            .load_entry(entry)?
            .map(crate::check::feed::identify::known_entry);
        Ok(full.and_then(|full| Some((text, alike, full.known.state.page?))))
    })?;
    let Some((text, alike, page)) = found else {
        return Ok(there);
    };
    let Some(body) = of_blocks(&page.body) else {
        return Ok(there);
    };
    if body != text.body {
        let seen = there.check.at;
        return Ok(there.with(Some(PageText { body, seen, ..text })));
    }
    Ok(match stands_in(alike, Some(&page), title, &page) {
        true => nobodys(text, &there.check),
        false => there,
    })
}

/// A look that saw a text that is not the article's.
pub(in crate::check) fn nobodys(text: PageText, check: &PageCheck) -> PageSight {
    let error = format!("{} shows this text instead of several articles", text.host);
    let check = fetch::failed_check(check.at, check.status, error, Reason::NotArticle);
    PageSight::stand_in(check, text)
}

/// The text that a page shows, to be compared with those of other pages.
pub(in crate::check) fn page_text(url: &str, page: &FoundPage, at: Timestamp) -> Option<PageText> {
    let answered = url::Url::parse(&page.capture.url).ok()?;
    Some(PageText {
        host: answered.host_str()?.to_owned(),
        address: address_key(url),
        body: of_blocks(&page.state.body)?,
        seen: at,
    })
}

/// Whether a text is one that several pages of the host show in the place of their articles. `known` is what the page
/// said before, unless it says the same now.
pub(in crate::check) fn is_nobodys(
    text: &PageText,
    before: &KnownPage,
    (is_known, known): (bool, Option<&PageState>),
    seen: &PageState,
    readers: &Readers,
) -> Result<bool, StoreError> {
    let title = before.row.title.as_deref();
    let alike = readers.with(|reader| reader.pages_alike(text, before.row.id, title))?;
    let known = if is_known { Some(seen) } else { known };
    Ok(stands_in(alike, known, title, seen))
}

/// What is known of the article's text. A text that has turned out to be nobody's is forgotten, so that the article's
/// own is seen for the first time.
pub(in crate::check) fn article_of(
    known: Option<PageState>,
    before: &mut KnownPage,
    now: Option<&PageText>,
    readers: &Readers,
) -> Result<Option<PageState>, StoreError> {
    let (Some(page), Some(now)) = (&known, now) else {
        return Ok(known);
    };
    let Some(print) = of_blocks(&page.body) else {
        return Ok(known);
    };
    if !readers.with(|reader| reader.is_stand_in(&now.host, print))? {
        return Ok(known);
    }
    if let Some(full) = &mut before.full {
        full.known.state.page = None;
    }
    Ok(None)
}
