//! After the wall clock was set back, everything planned with the old clock is planned again.

use rusqlite::named_params;

use super::error::StoreError;
use super::reader::Reader;
use super::writer::{Write, Writer};
use crate::time::Timestamp;
use std::time::Duration;

/// Each plan made at a moment that is now in the future is moved by as much as the clock. So all plans keep their
/// distance from each other, nothing waits until the old time comes again, and nothing comes all at once. A moved
/// plan is earlier than the moment at which it was made, and is therefore not moved again.
const PLANS: [&str; 6] = [
    "UPDATE feeds SET next_poll_at = next_poll_at - :back \
     WHERE last_poll_at > :now AND next_poll_at >= last_poll_at",
    "UPDATE entries SET page_next_at = page_next_at - :back \
     WHERE page_next_at IS NOT NULL AND COALESCE(page_checked_at, first_seen_at) > :now \
       AND page_next_at >= COALESCE(page_checked_at, first_seen_at)",
    "UPDATE deliveries SET next_attempt_at = next_attempt_at - :back \
     WHERE done_at IS NULL AND next_attempt_at >= \
       (SELECT max(at) FROM attempts WHERE delivery_id = deliveries.id AND at > :now)",
    // A page checked while the clock was ahead may have seemed too old for another check. Spread over an hour, so
    // that they are not all checked together.
    "UPDATE entries SET page_next_at = :now + (id * 7919) % 3600000 \
     WHERE page_next_at IS NULL AND page_checked_at > :now AND :back > 0",
    // A pending change is judged now; if nothing has been checked since, it keeps waiting.
    "UPDATE waits SET since_at = min(since_at, :now), round_at = min(round_at, :now), due_at = :now \
     WHERE due_at > :now AND :back > 0",
    // A digest is sent early rather than late.
    "UPDATE targets SET digest_at = :now WHERE digest_at > :now AND :back > 0 AND EXISTS \
       (SELECT 1 FROM deliveries INDEXED BY deliveries_gathered WHERE target_id = targets.id \
         AND gathered_at > :now AND digest_id IS NULL)",
];

impl Writer {
    /// Records that the clock was set back by `back` and now shows `now`.
    pub fn clock_set_back(&self, now: Timestamp, back: Duration) -> Write<()> {
        let back = i64::try_from(back.as_millis()).unwrap_or(i64::MAX);
        self.write(move |tx| {
            for plan in PLANS {
                tx.conn
                    .prepare_cached(plan)?
                    .execute(named_params! {":now": now, ":back": back})?;
            }
            Ok(())
        })
    }
}

impl Reader {
    /// The last poll of any configured feed whose next poll is after it. If the clock was set back while no
    /// process ran, this is in the future.
    pub fn last_planned(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT max(last_poll_at) FROM feeds WHERE active = 1 AND next_poll_at >= last_poll_at",
            )?;
            Ok(statement.query_row([], |row| row.get(0))?)
        })
    }
}
