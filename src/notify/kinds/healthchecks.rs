//! A check that raises an alarm when revisor stops pinging it (Healthchecks and services like it).
//!
//! It receives no events. The service pings it while it makes progress, and otherwise reports what is wrong.

use super::style::{bytes, short};
use super::{Kind, Letter, Work};
use crate::fetch::PostRequest;
use crate::notify::target::Target;

/// How much of a ping's body is kept (Healthchecks, `PING_BODY_LIMIT`).
const BODY_MAX: usize = 10_000;

pub(super) struct Healthchecks;

impl Kind for Healthchecks {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        Ok(Work::Ask(
            heartbeat(letter.target, true, &letter.message.headline),
            "ping",
        ))
    }
}

/// A ping, or a report that something is wrong.
pub(in crate::notify) fn heartbeat(target: &Target, well: bool, status: &str) -> PostRequest {
    let url = target
        .settings
        .text("url")
        .unwrap_or_default()
        .trim_end_matches('/');
    let url = if well {
        url.to_owned()
    } else {
        format!("{url}/fail")
    };
    PostRequest::new(
        url,
        "text/plain; charset=utf-8",
        short(status, BODY_MAX, bytes).into_bytes(),
    )
}
