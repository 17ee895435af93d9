//! Redirects that could not be followed immediately because the next host has to wait. The next check continues
//! from there, so the address that redirects is not fetched again each time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::fetch::{Fetched, RedirectChain};
use crate::time::Stopwatch;

/// The most pages whose redirects are remembered; others start again from their own address.
const MOST: usize = 4096;

/// How long redirects are remembered: one may be temporary.
const LONGEST: Duration = Duration::from_hours(2);

/// The redirects of pages, by page address.
#[derive(Debug, Default)]
pub(in crate::check) struct RedirectMemory {
    kept: Mutex<HashMap<String, KeptRedirects>>,
}

/// How far the redirects of a page were followed.
#[derive(Debug)]
pub(in crate::check) struct KeptRedirects {
    pub(in crate::check) way: Box<RedirectChain>,
    /// When the page's own address was fetched.
    pub(in crate::check) since: Stopwatch,
}

impl RedirectMemory {
    /// Remembers how far the redirects of a page were followed.
    pub(in crate::check) fn keep(&self, page: &str, way: KeptRedirects) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.retain(|_, kept| kept.since.elapsed() < LONGEST);
        }
        if kept.len() < MOST && way.since.elapsed() < LONGEST {
            kept.insert(page.to_owned(), way);
        }
    }

    /// Removes and returns the redirects of a page, for the check that continues with them.
    pub(in crate::check) fn take(&self, page: &str) -> Option<KeptRedirects> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.remove(page);
        found.filter(|kept| kept.since.elapsed() < LONGEST)
    }
}

/// Whether a response may only mean that the redirects no longer lead to the page. A host that asks us to wait says
/// nothing about that.
pub(in crate::check) fn leads_nowhere(fetched: &Fetched) -> bool {
    match fetched {
        Fetched::Body(_) | Fetched::NotModified(_) => false,
        Fetched::Gone(_) => true,
        Fetched::Failed(failure) => {
            failure.retry_after.is_none() && !matches!(failure.status, Some(429 | 500..))
        }
    }
}
