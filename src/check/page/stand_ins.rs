//! Texts that several pages of a host show instead of their articles: the rules of `domain::life::stand_in` with
//! what the store knows of other pages.

use crate::check::page::fetch::{self, FoundPage};
use crate::check::page::interpret::PageSight;
use crate::check::page::known::{ComparedPage, KnownPage, TextAmongOthers};
use crate::domain::fingerprint::{address_key, of_blocks};
use crate::domain::life::stand_in::{PageText, stands_in};
use crate::domain::life::{Reason, Sight};
use crate::domain::outcome::PageCheck;
use crate::domain::state::PageState;
use crate::time::Timestamp;

/// The page is unchanged. Meanwhile, other pages of its host may have turned out to show the same text, or it has
/// shown another one in between.
pub(in crate::check) fn see_the_same(check: PageCheck, before: &KnownPage) -> PageSight {
    let there = PageSight::unread(check, Sight::There);
    let full = before.full.as_ref();
    let page = full.and_then(|full| full.known.state.page.as_ref());
    let (Some(TextAmongOthers { text, alike }), Some(page)) = (&before.among, page) else {
        return there;
    };
    if !alike.is_common() && before.row.page.reason.is_none() {
        return there;
    }
    let Some(body) = of_blocks(&page.body) else {
        return there;
    };
    let text = text.clone();
    if body != text.body {
        let seen = there.check.at;
        return there.with(Some(PageText { body, seen, ..text }));
    }
    if stands_in(*alike, Some(page), before.row.title.as_deref(), page) {
        nobodys(text, &there.check)
    } else {
        there
    }
}

/// A check that saw a text that is not the article's.
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

/// The text of a page, if several pages of the host show it instead of their articles.
pub(in crate::check) fn text_of_nobody<'k>(
    before: &'k KnownPage,
    seen: &PageState,
) -> Option<&'k PageText> {
    let TextAmongOthers { text, alike } = before.among.as_ref()?;
    let compared = before.compared.as_ref().map(|compared| &compared.state);
    let known = if before.is_the_same {
        Some(seen)
    } else {
        compared
    };
    stands_in(*alike, known, before.row.title.as_deref(), seen).then_some(text)
}

/// What is known of the article's text. A text that has turned out to be a stand-in is dropped, so that the
/// article's own text is seen for the first time.
pub(in crate::check) fn unless_stand_in(
    compared: Option<ComparedPage>,
    before: &mut KnownPage,
) -> Option<ComparedPage> {
    let compared = compared?;
    if !compared.is_stand_in {
        return Some(compared);
    }
    if let Some(full) = &mut before.full {
        full.known.state.page = None;
    }
    None
}
