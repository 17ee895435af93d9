//! Fetches an article page and reads the response.

use std::time::Duration;

use crate::check::page::shared::Share;
use crate::check::polite::journey::Hold;
use crate::check::polite::robots::NotAsked;
use crate::check::report::{PageReport, PageResult};
use crate::check::reread::reading::article_kind;
use crate::check::reread::rebase::is_stale;
use crate::check::{Checker, Reading, WaitLimit, lane_of_pages};
use crate::config::FeedConfig;
use crate::document;
use crate::domain::document::is_unread;
use crate::domain::fingerprint::{SCHEME, address_key, of_page_state};
use crate::domain::furniture::InForce;
use crate::domain::ids::EntryId;
use crate::domain::ignored::Piece;
use crate::domain::life::Reason;
use crate::domain::outcome::{Capture, PageCheck, Validators};
use crate::domain::scheme::Schemes;
use crate::domain::state::{Channel, PageState};
use crate::extract::PageKind;
use crate::fetch::{Answer, FetchRequest, Fetched, own_headers};
use crate::store::{self, PageRow, Quarantined};
use crate::time::Timestamp;

/// A page to fetch.
#[derive(Debug, Clone, Copy)]
pub(in crate::check) struct PageFetch<'a> {
    pub(in crate::check) reading: &'a Reading,
    pub(in crate::check) entry: EntryId,
    pub(in crate::check) url: &'a str,
    pub(in crate::check) row: &'a PageRow,
    /// The known headline of the entry.
    pub(in crate::check) title: Option<&'a str>,
    /// How pages of its feed are fetched.
    pub(in crate::check) feed: &'a FeedConfig,
}

/// The result of a fetch.
#[derive(Debug)]
pub(in crate::check) struct FetchResult {
    pub(in crate::check) entry: EntryId,
    pub(in crate::check) url: String,
    pub(in crate::check) check: PageCheck,
    pub(in crate::check) found: FetchedPage,
    /// The earliest time of the next fetch: its server, or the one that it redirects to, asked for a pause, or the page is
    /// quarantined.
    pub(in crate::check) not_before: Option<Timestamp>,
    /// The room for the response, until everything is stored.
    pub(in crate::check) hold: Option<Hold>,
}

#[derive(Debug)]
pub(in crate::check) enum FetchedPage {
    /// A page with a text.
    Page(Box<FoundPage>),
    /// The same as before, because the server says so or byte for byte.
    Same,
    /// Nothing that could be compared; the check says why.
    Nothing,
    /// The host was not asked, or only for where the page has moved; the check says why.
    NotAsked,
    /// robots.txt forbids it, or the page belongs to other entries, at least until this time; the check says which.
    Barred(Timestamp),
}

/// A page that was read.
#[derive(Debug)]
pub(in crate::check) struct FoundPage {
    pub(in crate::check) state: PageState,
    /// What it shows besides the article.
    pub(in crate::check) ignored: Vec<Piece>,
    /// Whether it is a list of other stories.
    pub(in crate::check) is_listing: bool,
    /// The response, with the address that sent it.
    pub(in crate::check) capture: Capture,
    /// `Content-Type`.
    pub(in crate::check) content_type: Option<String>,
    /// Where the address has moved permanently.
    pub(in crate::check) permanent: Option<String>,
    /// It is a document without a text because reading it reached a limit.
    pub(in crate::check) over_limit: bool,
}

impl FoundPage {
    /// Whether its address now redirects elsewhere permanently, and the page does not name the old one as its own.
    pub(in crate::check) fn may_have_moved(&self, url: &str) -> bool {
        let ends = [&self.permanent, &self.state.canonical];
        ends.iter()
            .all(|end| end.as_ref().is_some_and(|end| is_another(end, url)))
    }
}

impl Checker {
    /// Fetches a page and reads it; every failure is part of the result. If a page has no text and sends its
    /// readers to another page, that one is read.
    pub(in crate::check) async fn fetch_page(
        &self,
        fetch: &PageFetch<'_>,
        wait_limit: WaitLimit,
    ) -> FetchResult {
        let validators = fetch.row.validators.clone();
        let (result, refresh) = self
            .fetch_from(fetch, fetch.url, validators, wait_limit)
            .await;
        let Some(to) = refresh else {
            return result;
        };
        // Whatever waits for room must not hold any.
        drop(result);
        let (mut result, _) = self
            .fetch_from(fetch, &to, Validators::default(), wait_limit)
            .await;
        if let Some(validators) = &mut result.check.validators {
            // These belong to the other address, and the next request goes to this one.
            (validators.etag, validators.last_modified) = (None, None);
        }
        result
    }

    /// Fetches one address; also returns where its page sends its readers.
    async fn fetch_from(
        &self,
        fetch: &PageFetch<'_>,
        url: &str,
        validators: Validators,
        wait_limit: WaitLimit,
    ) -> (FetchResult, Option<String>) {
        if let Err(rest) = self.underway.may_read(fetch.url, self.now()) {
            return (quarantined(fetch, self.now(), None, rest), None);
        }
        if let Err(rest) = self.underway.may_have_pages(&fetch.feed.url, self.now()) {
            let found = FetchedPage::NotAsked;
            let result = quarantined(fetch, self.now(), None, rest);
            return (FetchResult { found, ..result }, None);
        }
        let part = match self.share(fetch) {
            Share::All => None,
            Share::Part(fragment) => Some(fragment),
            Share::Nothing(why) => return (not_its_own(fetch, self.now(), why), None),
        };
        let mut request = FetchRequest::page(url, validators);
        if fetch.row.ok.is_none() {
            // The page is needed even if it is the same.
            request.validators.packed_sha256 = None;
        }
        request.headers = own_headers(fetch.feed, url);
        let fetched = self.ask_page(request, fetch.feed, wait_limit).await;
        let at = self.now();
        let result = |check: PageCheck, found: FetchedPage| FetchResult {
            entry: fetch.entry,
            url: fetch.url.to_owned(),
            check,
            found,
            not_before: None,
            hold: None,
        };
        let failed = |status: Option<u16>, error: String, reason: Reason| {
            result(
                failed_check(at, status, error, reason),
                FetchedPage::Nothing,
            )
        };
        // The turn is held until the page is read.
        let (fetched, (_turn, hold)) = match fetched {
            Ok(asked) => asked,
            Err(not_asked) => {
                let why = not_asked.to_string();
                let not_before = not_asked.pause().map(|pause| at + pause);
                let found = match not_asked {
                    NotAsked::Barred { until, .. } => FetchedPage::Barred(until),
                    NotAsked::Resting(_)
                    | NotAsked::OverBudget(_)
                    | NotAsked::Elsewhere { .. }
                    | NotAsked::Trouble(_) => FetchedPage::NotAsked,
                };
                let result = FetchResult {
                    found,
                    not_before,
                    ..failed(None, why, Reason::Failed)
                };
                return (result, None);
            }
        };
        let result = match fetched {
            Fetched::NotModified(answer) => {
                let validators = answer.validators;
                let check = PageCheck {
                    validators,
                    reason: as_before(fetch.row),
                    ..well(at, 304)
                };
                result(check, FetchedPage::Same)
            }
            Fetched::Body(answer)
                if same_bytes(fetch.row, &answer.validators) && !self.has_moved(fetch, &answer) =>
            {
                let check = PageCheck {
                    validators: Some(answer.validators.clone()),
                    reason: as_before(fetch.row),
                    ..well(at, answer.status)
                };
                result(check, FetchedPage::Same)
            }
            Fetched::Body(answer) => {
                let (result, refresh) = Box::pin(self.read_page(fetch, at, *answer, part)).await;
                let hold = Some(hold);
                return (FetchResult { hold, ..result }, refresh);
            }
            Fetched::Gone(_) => {
                let error = "returned 410 Gone".to_owned();
                failed(Some(410), error, Reason::NotFound)
            }
            Fetched::Failed(failure) => {
                let reason = match failure.status {
                    Some(404 | 410) => Reason::NotFound,
                    _ => Reason::Failed,
                };
                FetchResult {
                    not_before: failure.retry_after.map(|wait| at + wait),
                    ..failed(failure.status, failure.to_string(), reason)
                }
            }
        };
        (result, None)
    }

    /// Whether a page has moved permanently to another address since it was last read. If the database cannot be
    /// read, it has not moved: a check that stores something will report the error.
    fn has_moved(&self, fetch: &PageFetch<'_>, answer: &Answer) -> bool {
        let moved = answer
            .permanent_url
            .as_ref()
            .is_some_and(|to| is_another(to, fetch.url));
        moved && {
            let last = self.read(|reader| reader.last_page_address(fetch.entry));
            last.ok()
                .flatten()
                .is_some_and(|last| is_another(&last, &answer.final_url))
        }
    }

    /// Reads a page, or the `part` of it that belongs to the entry.
    async fn read_page(
        &self,
        fetch: &PageFetch<'_>,
        at: Timestamp,
        mut answer: Answer,
        part: Option<String>,
    ) -> (FetchResult, Option<String>) {
        if let Some(part) = part {
            // So that the stored response is read in the same way later.
            answer.final_url = format!("{}#{part}", answer.final_url);
        }
        let reading = fetch.reading.clone();
        let _mark = match self.underway.start(fetch.url, at) {
            Ok(mark) => mark,
            Err(rest) => return (quarantined(fetch, at, Some(answer.status), rest), None),
        };
        let title = fetch.title.map(str::to_owned);
        let memory = document::memory(&answer.body);
        let lane = lane_of_pages(fetch.feed);
        let read = self.workers.run_for(lane, memory, move || {
            let content_type = answer.content_type.as_deref();
            let read = reading.page(
                &answer.body,
                content_type,
                &answer.final_url,
                title.as_deref(),
            );
            (answer, read)
        });
        let mut refresh = None;
        let (check, found) = match read.await {
            Ok((answer, Err(error))) => {
                let error = causes(&error);
                let check = failed_check(at, Some(answer.status), error, Reason::Failed);
                (check, FetchedPage::Nothing)
            }
            Ok((
                answer,
                Ok(document::Read {
                    article: read,
                    over_limit,
                }),
            )) => {
                refresh.clone_from(&read.refresh);
                let kind = article_kind(&read);
                let check = match kind.notice() {
                    None => PageCheck {
                        validators: Some(answer.validators.clone()),
                        reason: is_unread(&read.state).then_some(Reason::Document),
                        ..well(at, answer.status)
                    },
                    Some(notice) => {
                        let error = match read.said {
                            Some(phrase) => format!("{notice}: “{phrase}”"),
                            None => notice.to_owned(),
                        };
                        failed_check(at, Some(answer.status), error, reason_of(kind))
                    }
                };
                let ignored = read.ignored_pieces();
                let mut state = read.state;
                let permanent = answer.permanent_url.clone();
                if let Some(to) = permanent.as_ref().filter(|to| is_another(to, fetch.url)) {
                    // A page without a canonical address gets the one that its old address permanently redirects to.
                    state.canonical.get_or_insert_with(|| to.clone());
                }
                let page = FoundPage {
                    state,
                    ignored,
                    is_listing: read.is_listing,
                    content_type: answer.content_type.clone(),
                    permanent,
                    over_limit,
                    capture: capture(answer, at),
                };
                (check, FetchedPage::Page(Box::new(page)))
            }
            Err(crash) => {
                let check = failed_check(at, None, crash.to_string(), Reason::Failed);
                (check, FetchedPage::Nothing)
            }
        };
        let result = FetchResult {
            entry: fetch.entry,
            url: fetch.url.to_owned(),
            check,
            found,
            not_before: None,
            hold: None,
        };
        (result, refresh)
    }
}

/// How long until the next check whether a page still belongs to other entries.
const SHARED_FOR: Duration = Duration::from_hours(7 * 24);

/// A page is not fetched if no part of it belongs to the entry.
fn not_its_own(fetch: &PageFetch<'_>, at: Timestamp, why: String) -> FetchResult {
    FetchResult {
        entry: fetch.entry,
        url: fetch.url.to_owned(),
        check: failed_check(at, None, why, Reason::Failed),
        found: FetchedPage::Barred(at + SHARED_FOR),
        not_before: None,
        hold: None,
    }
}

/// A page that crashed the process before is quarantined and not even fetched.
fn quarantined(
    fetch: &PageFetch<'_>,
    at: Timestamp,
    status: Option<u16>,
    rest: Quarantined,
) -> FetchResult {
    FetchResult {
        entry: fetch.entry,
        url: fetch.url.to_owned(),
        check: failed_check(at, status, rest.to_string(), Reason::Failed),
        found: FetchedPage::Nothing,
        not_before: Some(rest.until),
        hold: None,
    }
}

impl FetchResult {
    /// The report, as far as it is known before the decision.
    pub(in crate::check) fn report(&self) -> PageReport {
        report(
            self.entry,
            &self.url,
            &self.check,
            matches!(self.found, FetchedPage::Same),
        )
    }

    /// Whether the host was asked at all; if not, the page is as due as before.
    pub(in crate::check) fn was_asked(&self) -> bool {
        !matches!(self.found, FetchedPage::NotAsked | FetchedPage::Barred(_))
    }

    /// Whether a reader may see a difference, or a claimed date moved.
    pub(in crate::check) fn moves(
        &self,
        row: &store::KnownEntry,
        schemes: Schemes,
        rules: &InForce,
    ) -> bool {
        let FetchedPage::Page(page) = &self.found else {
            return false;
        };
        let state = &page.state;
        !shows_the_known(row, state, rules)
            || rules.before.is_some()
            || is_stale(row, Channel::Page, schemes)
            || row.claimed.page_published != state.published
            || row.claimed.page_modified != state.modified
    }
}

/// Whether two addresses lead to different places.
pub(in crate::check) fn is_another(address: &str, other: &str) -> bool {
    address_key(address) != address_key(other)
}

/// Whether a reader sees the known page, judged by its fingerprint.
pub(in crate::check) fn shows_the_known(
    row: &store::KnownEntry,
    state: &PageState,
    rules: &InForce,
) -> bool {
    let print = of_page_state(&rules.now.counted_page(state)).whole;
    row.page_fp == Some(print) && print.scheme() == SCHEME
}

/// The report of a check.
pub(in crate::check) fn report(
    entry: EntryId,
    url: &str,
    check: &PageCheck,
    same: bool,
) -> PageReport {
    let result = match (&check.error, same) {
        (Some(error), _) => PageResult::Failed(error.clone()),
        (None, true) => PageResult::NotModified,
        (None, false) => PageResult::Unchanged,
    };
    PageReport {
        entry,
        url: url.to_owned(),
        result,
        changes: Vec::new(),
    }
}

fn same_bytes(row: &PageRow, now: &Validators) -> bool {
    row.ok.is_some()
        && row.validators.body_sha256.is_some()
        && row.validators.body_sha256 == now.body_sha256
}

/// An unchanged page is still a document without a text if it was one before.
fn as_before(row: &PageRow) -> Option<Reason> {
    row.reason.filter(|reason| *reason == Reason::Document)
}

/// An error with its causes, on one line.
fn causes(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", causes(source)),
        None => error.to_string(),
    }
}

/// The reason for a page that is not an article.
pub(in crate::check) fn reason_of(kind: PageKind) -> Reason {
    match kind {
        PageKind::Article | PageKind::NoText => Reason::NoText,
        PageKind::Document => Reason::Document,
        PageKind::Soft404 => Reason::Soft404,
        PageKind::Paywall => Reason::Paywall,
        PageKind::Consent => Reason::Consent,
        PageKind::BotCheck => Reason::BotCheck,
        PageKind::Maintenance => Reason::Maintenance,
    }
}

/// A check that read the page, or found it unchanged.
pub(in crate::check) fn well(at: Timestamp, status: u16) -> PageCheck {
    PageCheck {
        at,
        ok: true,
        status: Some(status),
        error: None,
        reason: None,
        validators: None,
    }
}

/// A check that got no text.
pub(in crate::check) fn failed_check(
    at: Timestamp,
    status: Option<u16>,
    error: String,
    reason: Reason,
) -> PageCheck {
    PageCheck {
        at,
        ok: false,
        status,
        error: Some(error),
        reason: Some(reason),
        validators: None,
    }
}

fn capture(answer: Answer, at: Timestamp) -> Capture {
    Capture {
        channel: Channel::Page,
        url: answer.final_url,
        fetched: at,
        status: answer.status,
        headers: answer.headers,
        request: Some(answer.sent),
        body: answer.body,
    }
}
