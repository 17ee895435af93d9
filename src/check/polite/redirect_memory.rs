//! Where redirects have led that could not be followed at once, as the host there has to wait: the next look goes on
//! from there, and the address that redirects is not asked again each time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::fetch::{Fetched, RedirectChain};
use crate::time::Stopwatch;

/// Pages whose ways are remembered. Those of any more are asked for again from their beginning.
const MOST: usize = 4096;

/// For how long a way is remembered: a redirect may be meant for a while only.
const LONGEST: Duration = Duration::from_hours(2);

/// The ways of pages, by their addresses.
#[derive(Debug, Default)]
pub(in crate::check) struct RedirectMemory {
    kept: Mutex<HashMap<String, KeptRedirects>>,
}

/// How far a page was followed.
#[derive(Debug)]
pub(in crate::check) struct KeptRedirects {
    pub(in crate::check) way: Box<RedirectChain>,
    /// When the page's own address was asked.
    pub(in crate::check) since: Stopwatch,
}

impl RedirectMemory {
    /// Remembers how far a page was followed.
    pub(in crate::check) fn keep(&self, page: &str, way: KeptRedirects) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.retain(|_, kept| kept.since.elapsed() < LONGEST);
        }
        if kept.len() < MOST && way.since.elapsed() < LONGEST {
            kept.insert(page.to_owned(), way);
        }
    }

    /// The way of a page, for whoever goes on with it.
    pub(in crate::check) fn take(&self, page: &str) -> Option<KeptRedirects> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.remove(page);
        found.filter(|kept| kept.since.elapsed() < LONGEST)
    }
}

/// Whether an answer may only say that a way does not hold any more. What asks for patience says nothing of the way.
pub(in crate::check) fn leads_nowhere(fetched: &Fetched) -> bool {
    match fetched {
        Fetched::Body(_) | Fetched::NotModified(_) => false,
        Fetched::Gone(_) => true,
        Fetched::Failed(failure) => {
            failure.retry_after.is_none() && !matches!(failure.status, Some(429 | 500..))
        }
    }
}
