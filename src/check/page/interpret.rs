//! What the response for a page means, given what is known: the rules of `domain::life`, applied to its texts.
//!
//! Pure: [`KnownPage`] has everything that it needs. Runs on a worker, because it compares texts.

use crate::check::Crashed;
use crate::check::events::revise::{self, EntryKnowledge, EventContext};
use crate::check::ignored::ReadPage;
use crate::check::page::documents::see_document;
use crate::check::page::fetch::{self, FetchResult, FetchedPage, FoundPage};
use crate::check::page::known::{ComparedPage, KnownPage};
use crate::check::page::stand_ins::{nobodys, see_the_same, text_of_nobody, unless_stand_in};
use crate::check::report::{PageReport, PageResult};
use crate::check::schedule::PageCheckEnd;
use crate::domain::chain::StoredCapture;
use crate::domain::durations::format_duration;
use crate::domain::event::{EventKind, Window};
use crate::domain::fingerprint::{address_key, of_page_state, of_text};
use crate::domain::life::redirect::{Elsewhere, elsewhere};
use crate::domain::life::stand_in::{PageText, another_page, bears, is_replaced};
use crate::domain::life::{
    Held, LifeRule, LifeStep, Looks, PageLife, Reason, Sight, doubt::doubt, judge,
};
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::{AliasKey, AliasKind, Capture, EntryOutcome, NewAlias, PageCheck};
use crate::domain::scheme::Scheme;
use crate::domain::state::PageState;
use crate::extract::{Sign, Signs, signs};
use crate::store;
use crate::time::Timestamp;

/// A check of a page, and what it means.
#[derive(Debug)]
pub(in crate::check) struct Interpreted {
    /// The report of the check.
    pub(in crate::check) report: PageReport,
    /// How the check ended, as far as the next one is concerned; whether the page has changed is known later.
    pub(in crate::check) ended: PageCheckEnd,
    /// The window between checks in which a change on the page was made.
    pub(in crate::check) window: Window,
    check: PageCheck,
    life: Option<PageLife>,
    step: LifeStep,
    observation: Option<Observation>,
    /// What was read from the page, for the record of ignored text.
    read: Option<ReadPage>,
    page_capture: Option<Capture>,
    held_capture: Option<Capture>,
    alias: Option<NewAlias>,
    text: Option<PageText>,
    stands_in: bool,
    /// Since when a restored article was missing.
    missing_since: Option<Timestamp>,
}

/// What a check of a page found, once the texts are compared.
pub(in crate::check) struct PageSight {
    pub(in crate::check) sight: Sight,
    pub(in crate::check) check: PageCheck,
    pub(in crate::check) page: Option<Box<FoundPage>>,
    pub(in crate::check) alias: Option<NewAlias>,
    /// The text that the page shows, and whether it is not from an article.
    pub(in crate::check) text: Option<PageText>,
    pub(in crate::check) stands_in: bool,
}

impl PageSight {
    /// A check whose text is not read.
    pub(in crate::check) fn unread(check: PageCheck, sight: Sight) -> Self {
        Self {
            sight,
            check,
            page: None,
            alias: None,
            text: None,
            stands_in: false,
        }
    }

    /// A check whose text is not that of the article.
    pub(in crate::check) fn stand_in(check: PageCheck, text: PageText) -> Self {
        Self {
            stands_in: true,
            ..Self::unread(check, Sight::Unclear).with(Some(text))
        }
    }

    /// The same, with the text that the page shows.
    pub(in crate::check) fn with(self, text: Option<PageText>) -> Self {
        Self { text, ..self }
    }
}

/// Decides what a check means. If the page has moved permanently, the known state in `before` is amended. `scheme`
/// is the one that the page was read under.
pub(in crate::check) fn interpret(
    result: FetchResult,
    before: &mut KnownPage,
    rule: &LifeRule,
    scheme: Scheme,
) -> Interpreted {
    let now = result.check.at;
    let same = matches!(result.found, FetchedPage::Same);
    let (entry, url, not_before) = (result.entry, result.url.clone(), result.not_before);
    let mut seen = see(result, before);
    let checks = Looks {
        ok: before.row.page.ok,
        failures: before.row.page.failures,
    };
    let verdict = judge(&before.life, checks, seen.sight, rule, now);
    let (mut confirmed, mut observation, mut read) = (None, None, None);
    let (mut page_capture, mut held_capture) = (None, None);
    match (verdict.step, seen.page) {
        (
            LifeStep::Read {
                confirmed: held, ..
            },
            Some(page),
        ) => {
            confirmed = held;
            page_capture = Some(page.capture);
            read = Some(ReadPage {
                state: page.state.clone(),
                ignored: page.ignored,
                remembered: before.ignored.take(),
                scheme,
            });
            observation = Some(Observation {
                seen: now,
                state: Observed::Page(page.state),
            });
        }
        // No response is kept for text that is only counted; the next check reads it again to see whether it stays.
        (LifeStep::Counted, _) => seen.check.validators = None,
        (LifeStep::Held, Some(page)) => {
            let what = seen.check.error.take().unwrap_or_default();
            let error = format!("unconfirmed until a second check: {what}");
            seen.check = fetch::failed_check(now, seen.check.status, error, Reason::Held);
            held_capture = Some(page.capture);
        }
        _ => {}
    }
    if matches!(verdict.step, LifeStep::Read { .. }) {
        seen.check.ok = true;
        seen.check.error = None;
        seen.check.reason = seen
            .check
            .reason
            .filter(|reason| *reason == Reason::Document);
    }
    Interpreted {
        report: fetch::report(entry, &url, &seen.check, same),
        ended: PageCheckEnd {
            changed: false,
            well: seen.check.ok,
            again: verdict.again,
            not_before,
        },
        window: window(&before.row, confirmed, now),
        check: seen.check,
        life: (verdict.life != before.life).then_some(verdict.life),
        step: verdict.step,
        observation,
        read,
        page_capture,
        held_capture,
        alias: seen.alias,
        text: seen.text,
        stands_in: seen.stands_in,
        missing_since: before.life.missing.map(|missing| missing.since),
    }
}

impl Interpreted {
    /// If the program fails during a check, the check has failed: otherwise the page would be due immediately,
    /// again and again.
    pub(in crate::check) fn crashed(
        report: PageReport,
        row: &store::KnownEntry,
        at: Timestamp,
        crash: &Crashed,
    ) -> Self {
        let check = fetch::failed_check(at, None, crash.to_string(), Reason::Failed);
        Self {
            report: PageReport {
                result: PageResult::Failed(crash.to_string()),
                ..report
            },
            ended: PageCheckEnd::FAILED,
            window: window(row, None, at),
            check,
            life: None,
            step: LifeStep::Nothing,
            observation: None,
            read: None,
            page_capture: None,
            held_capture: None,
            alias: None,
            text: None,
            stands_in: false,
            missing_since: None,
        }
    }

    /// The time of the check.
    pub(in crate::check) fn at(&self) -> Timestamp {
        self.check.at
    }

    /// What the page shows of the article, to be compared.
    pub(in crate::check) fn observed(&self) -> Option<&Observation> {
        self.observation.as_ref()
    }

    /// Removes the observation and returns it.
    pub(in crate::check) fn take_observation(&mut self) -> Option<Observation> {
        self.observation.take()
    }

    /// Puts the check into what is stored of the entry, with the event if an article was removed or restored.
    pub(in crate::check) fn put(
        self,
        outcome: &mut EntryOutcome,
        full: Option<&EntryKnowledge>,
        event_context: &EventContext<'_>,
    ) {
        let now = self.check.at;
        let why = self.check.error.clone().unwrap_or_default();
        let told = match self.step {
            LifeStep::Removed(window) => {
                let missing = self.life.as_ref().and_then(|life| life.missing);
                let detail = missing.map(|missing| {
                    let checks = match missing.looks {
                        1 => "1 check".to_owned(),
                        checks => format!("{checks} checks over {}", span(missing.since, now)),
                    };
                    format!("{why}; {checks} found it missing")
                });
                Some((EventKind::EntryRemoved, window, detail.unwrap_or(why)))
            }
            LifeStep::Read {
                restored: Some(window),
                ..
            } => {
                let since = self.missing_since.unwrap_or(now);
                let detail = format!("it was missing for {}", span(since, window.first_changed));
                Some((EventKind::EntryRestored, window, detail))
            }
            _ => None,
        };
        if let (Some((kind, window, detail)), Some(full)) = (told, full) {
            revise::life_event(outcome, full, kind, window, detail, event_context, now);
        }
        let known = full.and_then(|full| full.known.state.page.as_ref());
        let read = self.read;
        let noted = read.and_then(|read| read.noted(known, event_context.rules.for_record()));
        outcome.ignored.extend(noted);
        outcome.page = Some(self.check);
        outcome.life = self.life;
        outcome.page_capture = self.page_capture;
        outcome.held_capture = self.held_capture;
        outcome.page_text = self.text;
        outcome.stands_in = self.stands_in;
        outcome.aliases.extend(self.alias);
    }
}

/// In whole minutes, or seconds if it is less than one.
fn span(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.since(from).as_secs();
    let whole = if seconds < 60 {
        seconds
    } else {
        seconds / 60 * 60
    };
    format_duration(std::time::Duration::from_secs(whole))
}

fn see(result: FetchResult, before: &mut KnownPage) -> PageSight {
    let FetchResult {
        url, check, found, ..
    } = result;
    let is_absent = check.reason.is_some_and(Reason::is_absence);
    let page = match found {
        FetchedPage::Same => return see_the_same(check, before),
        FetchedPage::Page(page) => page,
        FetchedPage::Nothing if is_absent => return PageSight::unread(check, Sight::Missing),
        FetchedPage::Nothing | FetchedPage::NotAsked | FetchedPage::Barred(_) => {
            return PageSight::unread(check, Sight::Unclear);
        }
    };
    let (at, status) = (check.at, check.status);
    let unread = |error: String, reason: Reason, sight: Sight| {
        PageSight::unread(fetch::failed_check(at, status, error, reason), sight)
    };
    if let Some(text) = text_of_nobody(before, &page.state) {
        return nobodys(text.clone(), &check);
    }
    let text = before.among.as_ref().map(|among| among.text.clone());
    if before.is_the_same {
        // However the rules classify the page now, it is still the same article.
        return PageSight {
            page: Some(page),
            ..PageSight::unread(check, Sight::There).with(text)
        };
    }
    let compared = before.compared.take();
    let known = compared.as_ref().map(|compared| &compared.state);
    if let Some(place) = elsewhere(&url, &page.capture.url)
        && !same_story(before, known, &page.state)
    {
        let error = format!("redirects to {}, {}", place.as_str(), page.capture.url);
        let (reason, sight) = match place {
            Elsewhere::Login => (Reason::Paywall, Sight::Unclear),
            Elsewhere::Consent => (Reason::Consent, Sight::Unclear),
            Elsewhere::FrontPage | Elsewhere::Section | Elsewhere::ErrorPage => {
                (Reason::RedirectedAway, Sight::Missing)
            }
        };
        return unread(error, reason, sight);
    }
    let Some(compared) = unless_stand_in(compared, before) else {
        if !check.ok {
            return PageSight::unread(check, absent_or_unclear(is_absent));
        }
        let alias = moved_for_good(&url, &page, before);
        return PageSight {
            page: Some(page),
            alias,
            ..PageSight::unread(check, Sight::There).with(text)
        };
    };
    let known = &compared.state;
    if check.ok && (known.document.is_some() || page.state.document.is_some()) {
        return see_document(&url, page, check, &compared, before);
    }
    let title = before.row.title.as_deref();
    let is_replaced = is_replaced(&known.body, &page.state.body);
    let has_headline = bears(title, Some(known), &page.state);
    let check = match weigh(&page, check, &compared, before.last_answer.as_ref()) {
        Ok(check) => check,
        Err(check) => return PageSight::unread(*check, Sight::Unclear),
    };
    if !check.ok {
        // Words alone do not make an article missing: its text and its headline have to be gone as well.
        let is_gone = is_absent && (is_replaced || page.state.body.is_empty()) && !has_headline;
        return PageSight::unread(check, absent_or_unclear(is_gone));
    }
    if let Some(why) = another_page(known, title, &page.state, page.is_listing) {
        let seen = unread(why.to_owned(), Reason::NotArticle, Sight::Unclear);
        return seen.with(text);
    }
    let (sight, error) = match compared.doubt {
        Some(doubt) => (
            Sight::Doubtful(of_page_state(&page.state).whole),
            Some(doubt.to_string()),
        ),
        None if is_replaced && !has_headline => (
            Sight::Doubtful(of_page_state(&page.state).whole),
            Some("neither the text nor the headline is left".to_owned()),
        ),
        None => (Sight::There, None),
    };
    let check = PageCheck { error, ..check };
    let alias = moved_for_good(&url, &page, before);
    PageSight {
        page: Some(page),
        alias,
        ..PageSight::unread(check, sight).with(text)
    }
}

/// Checks a text for walls, truncated pages and notices. Returns the check to continue with, or the one that ends here.
fn weigh(
    page: &FoundPage,
    check: PageCheck,
    compared: &ComparedPage,
    last_answer: Option<&StoredCapture>,
) -> Result<PageCheck, Box<PageCheck>> {
    let known = &compared.state;
    let failed = |error: String, reason: Reason| {
        let check = fetch::failed_check(check.at, check.status, error, reason);
        Err(Box::new(check))
    };
    let (is_part, lost_its_end) = (compared.is_part(), compared.lost_its_end);
    let goes_on = |check: &PageCheck| fetch::well(check.at, page.capture.status);
    if is_part || lost_its_end {
        let now = signs(&page.capture.body, page.content_type.as_deref());
        let sign = now.new_since(last_answer.and_then(signs_of).as_ref());
        match sign {
            Some(Sign::BreaksOff) if lost_its_end => {
                let error = "the page breaks off, and the end of the text is missing".to_owned();
                return failed(error, Reason::Truncated);
            }
            Some(Sign::Wall(kind)) if is_part => {
                let notice = kind.notice().unwrap_or_default();
                return failed(
                    format!("{notice}, or of most of it"),
                    fetch::reason_of(kind),
                );
            }
            // Too little of the text is left to tell a wall from a page that has always asked readers to subscribe.
            // What is left is the article's, and nothing else is new.
            None if is_part && matches!(check.reason, Some(Reason::Paywall | Reason::Consent)) => {
                return Ok(goes_on(&check));
            }
            _ => {}
        }
    }
    // A short article may mention pages that are not found, or maintenance; comparing it with its known text decides.
    let by_words = matches!(
        check.reason,
        Some(Reason::Soft404 | Reason::BotCheck | Reason::Maintenance)
    );
    let shares = !page.state.body.is_empty()
        && !known.body.is_empty()
        && !is_replaced(&known.body, &page.state.body);
    Ok(if by_words && shares {
        goes_on(&check)
    } else {
        check
    })
}

fn absent_or_unclear(is_absent: bool) -> Sight {
    if is_absent {
        Sight::Missing
    } else {
        Sight::Unclear
    }
}

/// Whether a page tells the story of the entry: it has the entry's headline or most of its text.
fn same_story(before: &KnownPage, known: Option<&PageState>, seen: &PageState) -> bool {
    let titles = [
        before.row.title.as_deref(),
        known.and_then(PageState::headline),
    ];
    let headline = of_text(seen.headline());
    let same_headline =
        headline.is_some() && titles.iter().any(|title| of_text(*title) == headline);
    let same_text = known.is_some_and(|known| {
        !known.body.is_empty() && !seen.body.is_empty() && {
            let words = |state: &PageState| {
                state
                    .body
                    .iter()
                    .map(|block| block.text.len())
                    .sum::<usize>()
            };
            words(known) > 200 && doubt(&known.body, &seen.body).is_none()
        }
    });
    same_headline || same_text
}

/// What a page showed besides its text; `None` if its bytes are not kept.
fn signs_of(stored: &StoredCapture) -> Option<Signs> {
    let named = |(name, _): &&(String, String)| name == "content-type";
    let content_type = stored.capture.headers.iter().find(named);
    let content_type = content_type.map(|(_, value)| value.as_str());
    let body = &stored.capture.body;
    stored.body_kept.then(|| signs(body, content_type))
}

/// Records that the page has moved permanently to an address in the form of another article's: in the state, so
/// that it is reported, and as a name of the entry if no other entry has it.
pub(in crate::check) fn moved_for_good(
    url: &str,
    page: &FoundPage,
    before: &mut KnownPage,
) -> Option<NewAlias> {
    let to = page.permanent.as_ref()?;
    // A redirect that was always there is not a move; the response behind the last revision shows that.
    let stayed = |stored: &StoredCapture| !fetch::is_another(&stored.capture.url, url);
    if !page.may_have_moved(url) || !before.last_answer.as_ref().is_some_and(stayed) {
        return None;
    }
    if let Some(known) = before
        .full
        .as_mut()
        .and_then(|full| full.known.state.page.as_mut())
    {
        known.canonical.get_or_insert_with(|| url.to_owned());
    }
    let key = AliasKey {
        kind: AliasKind::Address,
        value: address_key(to),
    };
    Some(NewAlias {
        key,
        reason: "its page has moved there permanently".to_owned(),
        if_free: true,
    })
}

/// The window between checks of the page in which an entry was changed.
fn window(entry: &store::KnownEntry, confirmed: Option<Held>, now: Timestamp) -> Window {
    let last_unchanged = entry.page.ok.unwrap_or(entry.first_seen);
    let (first_changed, failed_checks) = match confirmed {
        Some(held) => (held.since.min(now), held.failed_before),
        None => (now, entry.page.failures),
    };
    Window {
        last_unchanged: last_unchanged.min(first_changed),
        first_changed,
        checks: failed_checks.saturating_add(1),
        failed_checks,
    }
}
