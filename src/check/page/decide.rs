//! Decides on a page that was fetched.
//!
//! Pure: [`KnownPage`] and [`PagePast`] have everything needed from the database. Runs on a worker, as it compares
//! texts.

use std::time::Duration;

use crate::check::Crashed;
use crate::check::events::revise::{self, Became, EventContext, Windows};
use crate::check::page::fetch::failed_check;
use crate::check::page::interpret::Interpreted;
use crate::check::page::known::KnownPage;
use crate::check::page::past::PagePast;
use crate::check::report::PageReport;
use crate::check::reread::rebase::{rebase, seen_channels};
use crate::check::schedule::PageCheckEnd;
use crate::check::waits::{self, Kept};
use crate::domain::life::Reason;
use crate::domain::outcome::{EntryOutcome, EntryRef, NewRule};
use crate::domain::scheme::Schemes;
use crate::store::KnownEntry;
use crate::time::Timestamp;

/// The result of a check.
pub(in crate::check) struct DecidedPage {
    pub(in crate::check) write: EntryOutcome,
    pub(in crate::check) became: Became,
    pub(in crate::check) ended: PageCheckEnd,
    pub(in crate::check) report: Option<PageReport>,
    pub(in crate::check) rules: Vec<NewRule>,
}

/// The windows if only the page was checked.
pub(in crate::check) fn windows_of(interpreted: &Interpreted) -> Windows {
    Windows {
        feed: None,
        page: Some(interpreted.window),
    }
}

/// Decides what the check of a page means.
pub(in crate::check) fn decide(
    mut interpreted: Interpreted,
    before: KnownPage,
    past: &PagePast,
    event_context: EventContext<'_>,
    schemes: Schemes,
    confirm: Duration,
) -> DecidedPage {
    let now = interpreted.at();
    let mut write = EntryOutcome::of(EntryRef::Known(before.row.id));
    let mut windows = windows_of(&interpreted);
    let observations: Vec<_> = interpreted.take_observation().into_iter().collect();
    let (ended, report) = (interpreted.ended, interpreted.report.clone());
    let mut full = before.full;
    let mut in_force = before.rules.in_force(before.row.page.ok);
    if let Some(full) = full.as_ref().filter(|_| !observations.is_empty()) {
        in_force = past.entry.rules(&in_force, full, now);
    }
    let event_context = &event_context.under(in_force);
    interpreted.put(&mut write, full.as_ref(), event_context);
    let mut became = Became::Same;
    if let Some(full) = full.as_mut().filter(|_| !observations.is_empty()) {
        let (seen, again) = (seen_channels(&observations), &past.entry.again);
        let last = before.row.page.validators.body_sha256;
        let rebasing = rebase(full, &seen, schemes, now, again, |_| last);
        rebasing.put(&mut write, &mut windows);
        became = revise::known_entry(
            &mut write,
            full,
            &observations,
            &windows,
            event_context,
            now,
        );
        let kept = Kept {
            entry: full,
            site: past.site.as_ref(),
            event_context,
            confirm,
        };
        waits::begin(&mut write, &kept, now);
    }
    DecidedPage {
        ended: PageCheckEnd {
            changed: revise::sets_clock(&write),
            ..ended
        },
        write,
        became,
        report: Some(report),
        rules: before.rules.into_learned(),
    }
}

/// If the program fails during a check, the check has failed: otherwise the page would be due immediately, again
/// and again.
pub(in crate::check) fn crashed(row: &KnownEntry, at: Timestamp, crash: &Crashed) -> DecidedPage {
    let mut write = EntryOutcome::of(EntryRef::Known(row.id));
    write.page = Some(failed_check(at, None, crash.to_string(), Reason::Failed));
    DecidedPage {
        write,
        became: Became::Same,
        ended: PageCheckEnd::FAILED,
        report: None,
        rules: Vec::new(),
    }
}
