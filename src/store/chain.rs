//! The hash chain: it binds a revision to those before it, to its text, and to the responses from which it was
//! read.
//!
//! `tests/verify_evidence.py` computes the same from an evidence file, without any of our code.

use data_encoding::HEXLOWER;
use rusqlite::Connection;

use super::captures;
use super::codec::sha256;
use super::error::StoreError;
use crate::domain::chain::StoredCapture;
use crate::domain::ids::{CaptureId, RevisionNumber};
use crate::domain::state::Channel;
use crate::time::Timestamp;

/// The chain link of a revision. Links stored by older programs do not include `captures`.
pub(super) fn link(
    previous: &[u8; 32],
    state: &[u8; 32],
    number: RevisionNumber,
    seen: Timestamp,
    captures: Option<&[u8; 32]>,
) -> [u8; 32] {
    sha256(&[
        previous,
        state,
        &i64::from(number.0).to_be_bytes(),
        &seen.as_millis().to_be_bytes(),
        captures.map_or(&[], |hash| hash),
    ])
}

/// The hashes of responses, of which the last is kept: all new entries of a poll have the same response behind
/// them. For one transaction, in which responses do not change once they are stored.
#[derive(Debug, Default)]
pub(super) struct CaptureHashes {
    last: Option<(CaptureId, [u8; 32])>,
}

impl CaptureHashes {
    /// The hash of the responses behind a revision, whether or not their bodies are kept.
    pub(super) fn behind(
        &mut self,
        conn: &Connection,
        feed: Option<CaptureId>,
        page: Option<CaptureId>,
    ) -> Result<[u8; 32], StoreError> {
        let mut hashes = Vec::with_capacity(64);
        for id in [feed, page].into_iter().flatten() {
            hashes.extend(self.of(conn, id)?);
        }
        Ok(sha256(&[&hashes]))
    }

    fn of(&mut self, conn: &Connection, id: CaptureId) -> Result<[u8; 32], StoreError> {
        if let Some((_, hash)) = self.last.filter(|(last, _)| *last == id) {
            return Ok(hash);
        }
        let capture = captures::without_body(conn, id)?
            .ok_or_else(|| StoreError::damaged(format!("capture {id} is missing")))?;
        let hash = of_capture(&capture);
        self.last = Some((id, hash));
        Ok(hash)
    }
}

/// The hash of one response: the request, its time, and the response itself.
fn of_capture(stored: &StoredCapture) -> [u8; 32] {
    let capture = &stored.capture;
    let mut bytes = Vec::with_capacity(1024);
    let mut field = |text: &str| {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    };
    field(match capture.channel {
        Channel::Feed => "feed",
        Channel::Page => "page",
    });
    field(&capture.url);
    field(&capture.fetched.as_millis().to_string());
    field(&capture.status.to_string());
    field(&HEXLOWER.encode(&stored.body_sha256));
    for headers in [Some(&capture.headers), capture.request.as_ref()] {
        match headers {
            None => field("-"),
            Some(headers) => {
                field(&headers.len().to_string());
                for (name, value) in headers {
                    field(name);
                    field(value);
                }
            }
        }
    }
    sha256(&[&bytes])
}
