//! Taking what is due.

use std::time::Duration;

use rusqlite::{Connection, named_params, params};

use super::super::error::StoreError;
use super::LeasedDelivery;
use crate::events;
use crate::sql::limit_of;
use crate::time::Timestamp;

/// No wait is longer on purpose (the ladder ends with 24 h, and `Retry-After` is capped): what is further away was left
/// by a clock that had leapt forward and came back.
const LONGEST_WAIT: Duration = Duration::from_hours(72);

/// The same for leases, which last minutes.
const LONGEST_LEASE: Duration = Duration::from_hours(24);

/// The deliveries of target `t` that have their place in the order, oldest first.
macro_rules! in_order {
    () => {
        "deliveries INDEXED BY deliveries_open \
         WHERE target_id = t.id AND (set_aside_at IS NOT NULL) = 0 AND done_at IS NULL ORDER BY id LIMIT 1"
    };
}

/// Those that were set aside.
macro_rules! set_aside {
    () => {
        "deliveries INDEXED BY deliveries_open \
         WHERE target_id = t.id AND (set_aside_at IS NOT NULL) = 1 AND done_at IS NULL"
    };
}

/// Of each target the delivery that somebody has, else one that was set aside and is due, else the oldest in the order.
const NEXT: &str = concat!(
    "SELECT d.id, t.name, v.id, v.uid, v.bytes, v.body, d.attempts, v.created_at, \
       (SELECT count(*) FROM attempts AS a INDEXED BY attempts_by_delivery WHERE a.delivery_id = d.id \
          AND a.refused = 1), \
       EXISTS (SELECT 1 FROM deliveries AS m INDEXED BY deliveries_in_digest WHERE m.digest_id = d.id), \
       d.digest_id IS NOT NULL, \
       (SELECT p.post FROM events AS pv INDEXED BY events_by_entry JOIN deliveries AS p ON p.event_id = pv.id \
          WHERE pv.entry_id = v.entry_id AND p.target_id = d.target_id AND p.id < d.id AND p.post IS NOT NULL \
          ORDER BY p.id LIMIT 1) \
     FROM targets AS t \
     JOIN deliveries AS d ON d.id = COALESCE((SELECT id FROM ",
    set_aside!(),
    " AND state = 'leased' LIMIT 1), (SELECT iif(state = 'leased', id, NULL) FROM ",
    in_order!(),
    "), (SELECT id FROM ",
    set_aside!(),
    " AND COALESCE(next_attempt_at, 0) NOT BETWEEN :now + 1 AND :no_wait ORDER BY id LIMIT 1), (SELECT id FROM ",
    in_order!(),
    ")) \
     JOIN events AS v ON v.id = d.event_id \
     WHERE t.active = 1 AND t.paused_at IS NULL AND t.disabled_at IS NULL \
       AND CASE d.state \
         WHEN 'leased' THEN d.lease_until <= :now OR d.lease_until > :no_lease \
         ELSE d.next_attempt_at IS NULL OR d.next_attempt_at <= :now OR d.next_attempt_at > :no_wait END \
     ORDER BY COALESCE(d.next_attempt_at, 0), d.id LIMIT :limit"
);

/// When [`lease`] has something to give at the earliest: of each target when the lease of what somebody has ends, else
/// when the next one is due, and when a digest is to be made.
pub(super) const NEXT_AT: &str = concat!(
    "SELECT min(at) FROM (SELECT COALESCE((SELECT lease_until FROM ",
    set_aside!(),
    " AND state = 'leased' LIMIT 1), (SELECT lease_until FROM ",
    in_order!(),
    "), (SELECT min(at) FROM (SELECT COALESCE(next_attempt_at, 0) AS at FROM ",
    set_aside!(),
    " UNION ALL SELECT * FROM (SELECT COALESCE(next_attempt_at, 0) FROM ",
    in_order!(),
    ")))) AS at FROM targets AS t WHERE t.active = 1 AND t.paused_at IS NULL AND t.disabled_at IS NULL \
     UNION ALL SELECT digest_at FROM targets WHERE active = 1 AND paused_at IS NULL AND disabled_at IS NULL)"
);

pub(super) fn lease(
    conn: &Connection,
    now: Timestamp,
    lease_for: Duration,
    limit: usize,
) -> Result<Vec<LeasedDelivery>, StoreError> {
    let mut leased = Vec::new();
    let mut statement = conn.prepare_cached(NEXT)?;
    let mut rows = statement.query(named_params! {
        ":now": now,
        ":no_lease": now + lease_for + LONGEST_LEASE,
        ":no_wait": now + LONGEST_WAIT,
        ":limit": limit_of(limit),
    })?;
    while let Some(row) = rows.next()? {
        leased.push(LeasedDelivery {
            id: row.get(0)?,
            target: row.get(1)?,
            event: row.get(2)?,
            uid: row.get(3)?,
            body: match events::event_json(row, 4) {
                Ok(json) => Some(json),
                // It is at fault alone: the targets of other events do not wait for it.
                Err(StoreError::Damaged { .. }) => None,
                Err(error) => return Err(error),
            },
            attempt: row.get::<_, u32>(6)?.saturating_add(1),
            refusals: row.get(8)?,
            created: row.get(7)?,
            has_members: row.get(9)?,
            unpacked: row.get(10)?,
            thread: row.get(11)?,
        });
    }
    let mut take = conn.prepare_cached(
        "UPDATE deliveries SET state = 'leased', lease_until = ?2, next_attempt_at = NULL WHERE id = ?1",
    )?;
    for delivery in &leased {
        take.execute(params![delivery.id, now + lease_for])?;
    }
    Ok(leased)
}
