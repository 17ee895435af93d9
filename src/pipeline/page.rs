//! The look at an article page, from the request to what is stored.

use super::known::known_entry;
use super::rebase::{is_stale, rebase_for};
use super::report::{PageReport, PageResult};
use super::revise::{self, Became, Teller};
use super::robots::NotAsked;
use super::{CheckError, Patience, Pipeline, Reading, clocks};
use crate::config::PageMode;
use crate::domain::event::Window;
use crate::domain::fingerprint::of_page_state;
use crate::domain::ids::EntryId;
use crate::domain::observation::{Observation, Observed};
use crate::domain::outcome::{Capture, EntryOutcome, EntryRef, Outcome, PageCheck, Validators};
use crate::domain::scheme::Schemes;
use crate::domain::state::{Channel, PageState};
use crate::extract::PageKind;
use crate::fetch::{Answer, FetchRequest, Fetched};
use crate::store::{self, PageRow, StoreError};
use crate::time::Timestamp;

/// A page to look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) entry: EntryId,
    pub(super) url: &'a str,
    pub(super) row: &'a PageRow,
    /// Whether robots.txt is obeyed.
    pub(super) robots: bool,
}

/// What a look saw.
#[derive(Debug)]
pub(super) struct Looked {
    entry: EntryId,
    url: String,
    check: PageCheck,
    found: Found,
}

#[derive(Debug)]
enum Found {
    /// An article.
    Article {
        state: Box<PageState>,
        capture: Capture,
    },
    /// The same as before, by the server's word or byte by byte.
    Same,
    /// Nothing that could be compared; the check says why.
    Nothing,
    /// The host was not asked; the check says why.
    NotAsked,
    /// robots.txt forbids it, until then at least; the check says how.
    Barred(Timestamp),
}

impl Pipeline {
    /// Looks at the page of an entry and stores what came of it.
    pub async fn check_page(
        &self,
        entry: EntryId,
        patience: Patience,
    ) -> Result<PageReport, CheckError> {
        let _only = self.pages.only(entry).await;
        let row = self
            .read(|reader| reader.entry(entry))?
            .ok_or(CheckError::NoSuchEntry(entry))?;
        let feed = self.read(|reader| reader.feed(row.feed))?;
        let feed = feed.ok_or(CheckError::NoSuchFeed(row.feed))?;
        let settings = self.settings();
        let config = settings
            .feed(&feed.url)
            .ok_or(CheckError::NoSuchFeed(row.feed))?;
        if config.page.mode == PageMode::Off {
            // It was on the clock when pages were turned off.
            let mut outcome = Outcome::of(row.feed);
            outcome.entries.push(EntryOutcome {
                page_next: Some(None),
                ..EntryOutcome::of(EntryRef::Known(entry))
            });
            self.writer.commit(outcome).await?;
            return Err(CheckError::NoSuchEntry(entry));
        }
        let url = row.page.url.clone().ok_or(CheckError::NoSuchEntry(entry))?;
        let is_due = row.page.next.is_some_and(|next| next <= self.now());
        if patience == Patience::Endless && !is_due {
            // It was due when it was chosen, and has been looked at since: along with its feed, or by a person's wish.
            return Ok(PageReport {
                entry,
                url,
                result: PageResult::Unchanged,
                changes: Vec::new(),
            });
        }
        let looked = self
            .look(
                &Look {
                    entry,
                    url: &url,
                    row: &row.page,
                    robots: config.page.robots,
                },
                patience,
            )
            .await;
        let mut report = looked.report();
        if let Found::Barred(until) = looked.found {
            let next = clocks::look_at_barred(&config, &row, until, looked.check.at);
            let why = looked.check.error.unwrap_or_default();
            let bar = self.writer.bar_page(entry, why, looked.check.at, next);
            bar.await?;
            return Ok(report);
        }
        if !looked.was_asked() {
            return Ok(report);
        }
        let now = looked.check.at;
        let well = looked.check.ok;

        let mut outcome = Outcome::of(row.feed);
        let mut write = EntryOutcome::of(EntryRef::Known(entry));
        let mut observations = Vec::new();
        let reading = Reading::of(&settings);
        let moved = looked.moves(&row, reading.schemes());
        looked.put(&mut write, &mut observations);
        let mut became = Became::Same;
        if moved && let Some(full) = self.read(|reader| reader.load_entry(entry))? {
            let mut window = window(&row, now);
            let (readers, last) = (self.readers.clone(), row.page.validators.body_sha256);
            (write, became) = self
                .workers
                .run(move || -> Result<_, StoreError> {
                    let teller = Teller::new(&feed, &config, &settings);
                    let mut full = known_entry(full);
                    let rebasing = readers.with(|reader| {
                        rebase_for(reader, &reading, &mut full, &observations, now, |_| last)
                    })?;
                    rebasing.put(&mut write, &mut window);
                    let became =
                        revise::known_entry(&mut write, &full, &observations, window, &teller, now);
                    Ok((write, became))
                })
                .await??;
            report.result = match became {
                Became::Changed => PageResult::Changed,
                Became::Same | Became::Baseline => PageResult::Unchanged,
            };
        }
        let mut bulk = None;
        if write.revision.is_some() {
            bulk = Some(self.bulk.only(row.feed).await);
        }
        write.drop_needless_capture();
        let settings = self.settings();
        if let Some(feed) = self.read(|reader| reader.feed(row.feed))?
            && let Some(config) = settings.feed(&feed.url)
        {
            let changed = became == Became::Changed;
            write.page_next = Some(clocks::next_look(&config, &row, changed, well, now));
            outcome.entries.push(write);
            let teller = Teller::new(&feed, &config, &settings);
            self.fold_page(&mut outcome, row.feed, &config, &teller, now)?;
        } else {
            outcome.entries.push(write);
        }
        report.changes = self.writer.commit(outcome).await?.changes;
        drop(bulk);
        Ok(report)
    }

    /// Asks for a page and reads it; every failure is part of the answer.
    pub(super) async fn look(&self, look: &Look<'_>, patience: Patience) -> Looked {
        let request = FetchRequest::page(look.url, look.row.validators.clone());
        let fetched = self.ask_page(request, look.robots, patience).await;
        let at = self.now();
        let looked = |check: PageCheck, found: Found| Looked {
            entry: look.entry,
            url: look.url.to_owned(),
            check,
            found,
        };
        let failed = |status: Option<u16>, error: String| {
            let check = PageCheck {
                at,
                ok: false,
                status,
                error: Some(error),
                validators: None,
            };
            looked(check, Found::Nothing)
        };
        // The turn is held until the page is read.
        let (fetched, _turn) = match fetched {
            Ok(asked) => asked,
            Err(not_asked) => {
                let why = not_asked.to_string();
                let found = match not_asked {
                    NotAsked::Barred { until, .. } => Found::Barred(until),
                    NotAsked::Resting(_) | NotAsked::OverBudget(_) | NotAsked::Trouble(_) => {
                        Found::NotAsked
                    }
                };
                return Looked {
                    found,
                    ..failed(None, why)
                };
            }
        };
        match fetched {
            Fetched::NotModified(answer) => {
                let validators = answer.validators;
                let check = PageCheck {
                    at,
                    ok: true,
                    status: Some(304),
                    error: None,
                    validators,
                };
                looked(check, Found::Same)
            }
            Fetched::Body(answer) if same_bytes(look.row, &answer.validators) => {
                let check = well(at, &answer);
                looked(check, Found::Same)
            }
            Fetched::Body(answer) => self.read_page(look, at, *answer).await,
            Fetched::Gone(_) => failed(Some(410), "answered 410 Gone".to_owned()),
            Fetched::Failed(failure) => failed(failure.status, failure.to_string()),
        }
    }

    async fn read_page(&self, look: &Look<'_>, at: Timestamp, answer: Answer) -> Looked {
        let reading = Reading::of(&self.settings());
        let read = self.workers.run(move || {
            let content_type = answer.content_type.as_deref();
            let read = reading.page(&answer.body, content_type, &answer.final_url);
            (answer, read)
        });
        let (check, found) = match read.await {
            Ok((answer, read)) if is_article(read.kind, &read.state) => {
                let check = well(at, &answer);
                let capture = capture(answer, at);
                (
                    check,
                    Found::Article {
                        state: Box::new(read.state),
                        capture,
                    },
                )
            }
            Ok((answer, read)) => {
                let error = Some(no_article(read.kind).to_owned());
                let status = Some(answer.status);
                (
                    PageCheck {
                        at,
                        ok: false,
                        status,
                        error,
                        validators: None,
                    },
                    Found::Nothing,
                )
            }
            Err(crash) => {
                let error = Some(crash.to_string());
                (
                    PageCheck {
                        at,
                        ok: false,
                        status: None,
                        error,
                        validators: None,
                    },
                    Found::Nothing,
                )
            }
        };
        Looked {
            entry: look.entry,
            url: look.url.to_owned(),
            check,
            found,
        }
    }
}

impl Looked {
    /// What the look has to say for itself, as far as it is known before deciding.
    pub(super) fn report(&self) -> PageReport {
        let result = match (&self.found, &self.check.error) {
            (Found::Article { .. }, _) => PageResult::Unchanged,
            (Found::Same, _) => PageResult::NotModified,
            (Found::Nothing | Found::NotAsked | Found::Barred(_), error) => {
                PageResult::Failed(error.clone().unwrap_or_default())
            }
        };
        PageReport {
            entry: self.entry,
            url: self.url.clone(),
            result,
            changes: Vec::new(),
        }
    }

    /// Whether the host was asked at all; if not, the page is as due as before.
    pub(super) fn was_asked(&self) -> bool {
        !matches!(self.found, Found::NotAsked | Found::Barred(_))
    }

    /// Whether a reader may see a difference, or a claimed date moved.
    fn moves(&self, row: &store::KnownEntry, schemes: Schemes) -> bool {
        let Found::Article { state, .. } = &self.found else {
            return false;
        };
        let print = of_page_state(state).whole;
        row.page_fp != Some(print)
            || is_stale(row, Channel::Page, schemes)
            || row.claimed.page_published != state.published
            || row.claimed.page_modified != state.modified
    }

    /// Puts the look into what is stored of the entry, and the article into what was observed.
    pub(super) fn put(self, entry: &mut EntryOutcome, observations: &mut Vec<Observation>) {
        let seen = self.check.at;
        entry.page = Some(self.check);
        if let Found::Article { state, capture } = self.found {
            entry.page_capture = Some(capture);
            observations.push(Observation {
                seen,
                state: Observed::Page(*state),
            });
        }
    }
}

/// Between which looks at the page an entry was changed.
fn window(entry: &store::KnownEntry, now: Timestamp) -> Window {
    let last_unchanged = entry.page.ok.unwrap_or(entry.first_seen);
    let failed_checks = entry.page.failures;
    Window {
        last_unchanged,
        first_changed: now,
        checks: failed_checks + 1,
        failed_checks,
    }
}

fn same_bytes(row: &PageRow, now: &Validators) -> bool {
    row.ok.is_some()
        && row.validators.body_sha256.is_some()
        && row.validators.body_sha256 == now.body_sha256
}

/// A page without a text is never taken for one whose text was taken away.
pub(super) fn is_article(kind: PageKind, state: &PageState) -> bool {
    kind == PageKind::Article && !state.body.is_empty()
}

pub(super) fn no_article(kind: PageKind) -> &'static str {
    match kind {
        PageKind::Article | PageKind::NotArticle => "no main text was found on the page",
        PageKind::Soft404 => "the page says that it was not found",
        PageKind::Paywall => "the page shows a paywall instead of the text",
        PageKind::Consent => "the page asks for consent instead of showing the text",
        PageKind::BotCheck => "the page asks whether the reader is a robot",
    }
}

fn well(at: Timestamp, answer: &Answer) -> PageCheck {
    PageCheck {
        at,
        ok: true,
        status: Some(answer.status),
        error: None,
        validators: Some(answer.validators.clone()),
    }
}

fn capture(answer: Answer, at: Timestamp) -> Capture {
    Capture {
        channel: Channel::Page,
        url: answer.final_url,
        fetched: at,
        status: answer.status,
        headers: answer.headers,
        body: answer.body,
    }
}
