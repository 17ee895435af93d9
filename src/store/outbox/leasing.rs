//! Leasing what is due. `policy` decides whose turn it is.

use std::time::Duration;

use rusqlite::{Connection, Row, named_params, params};

use super::super::error::StoreError;
use super::LeasedDelivery;
use crate::domain::ids::DeliveryId;
use crate::events;
use crate::policy::{self, Candidate, Due};
use crate::sql::{columns, row_list};
use crate::time::Timestamp;

/// The targets that are sent to.
macro_rules! sent_to {
    () => {
        "active = 1 AND paused_at IS NULL AND disabled_at IS NULL"
    };
}
pub(super) use sent_to;

/// The deliveries of target `t` that were set aside.
macro_rules! set_aside {
    () => {
        "deliveries INDEXED BY deliveries_open \
         WHERE target_id = t.id AND (set_aside_at IS NOT NULL) = 1 AND done_at IS NULL"
    };
}

columns!($ select_candidate, candidate, "d.", concat!(
    " FROM targets AS t JOIN deliveries AS d ON d.id IN ( \
       (SELECT id FROM ", set_aside!(), " AND state = 'leased' LIMIT 1), \
       (SELECT id FROM deliveries INDEXED BY deliveries_open \
         WHERE target_id = t.id AND (set_aside_at IS NOT NULL) = 0 AND done_at IS NULL ORDER BY id LIMIT 1), \
       (SELECT id FROM ", set_aside!()
), [target_id, id, state, lease_until, next_attempt_at, set_aside_at]);

/// Of each target what a sender has, the oldest in the order, and the oldest due one that was set aside.
const CANDIDATES: &str = select_candidate!(concat!(
    " AND COALESCE(next_attempt_at, 0) NOT BETWEEN :now + 1 AND :last_wait ORDER BY id LIMIT 1)) WHERE ",
    sent_to!(),
    " ORDER BY t.id"
));

/// The same, with the first due one that was set aside.
const NEXT_CANDIDATES: &str = select_candidate!(concat!(
    " ORDER BY COALESCE(next_attempt_at, 0) LIMIT 1)) WHERE ",
    sent_to!(),
    " ORDER BY t.id"
));

/// When the first digest is due.
const NEXT_DIGEST: &str = concat!("SELECT min(digest_at) FROM targets WHERE ", sent_to!());

fn candidate_row(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    let leased = row.get_ref(candidate::state)?.as_str()? == "leased";
    let until: Option<Timestamp> = row.get(candidate::lease_until)?;
    Ok(Candidate {
        target: row.get(candidate::target_id)?,
        id: row.get(candidate::id)?,
        leased_until: leased.then(|| until.unwrap_or_default()),
        next_attempt: row.get(candidate::next_attempt_at)?,
        set_aside: row
            .get::<_, Option<Timestamp>>(candidate::set_aside_at)?
            .is_some(),
    })
}

columns!($ select_leased, column, "d.",
    " FROM json_each(:ids) AS chosen CROSS JOIN deliveries AS d ON d.id = chosen.value \
     JOIN targets AS t ON t.id = d.target_id JOIN events AS v ON v.id = d.event_id ORDER BY chosen.key",
    [
        id, target = "t.name", event_id, uid = "v.uid", bytes = "v.bytes", body = "v.body", attempts,
        created_at = "v.created_at",
        refusals = "(SELECT count(*) FROM attempts AS a INDEXED BY attempts_by_delivery WHERE a.delivery_id = d.id \
          AND a.refused = 1)",
        has_members = "EXISTS (SELECT 1 FROM deliveries AS m INDEXED BY deliveries_in_digest WHERE m.digest_id = d.id)",
        unpacked = "d.digest_id IS NOT NULL",
        thread = "(SELECT p.post FROM events AS pv INDEXED BY events_by_entry JOIN deliveries AS p ON p.event_id = pv.id \
          WHERE pv.entry_id = v.entry_id AND p.target_id = d.target_id AND p.id < d.id AND p.post IS NOT NULL \
          ORDER BY p.id LIMIT 1)",
    ]
);

pub(super) fn lease(
    conn: &Connection,
    now: Timestamp,
    lease_for: Duration,
    limit: usize,
) -> Result<Vec<LeasedDelivery>, StoreError> {
    let due = Due::new(now, lease_for);
    let candidates: Vec<Candidate> = conn
        .prepare_cached(CANDIDATES)?
        .query_map(
            named_params! {":now": due.now, ":last_wait": due.last_wait},
            candidate_row,
        )?
        .collect::<Result<_, _>>()?;
    let chosen = policy::to_lease(&candidates, &due, limit);
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let leased = read(conn, &chosen)?;
    let mut take = conn.prepare_cached(
        "UPDATE deliveries SET state = 'leased', lease_until = ?2, next_attempt_at = NULL WHERE id = ?1",
    )?;
    for delivery in &leased {
        take.execute(params![delivery.id, now + lease_for])?;
    }
    Ok(leased)
}

fn read(conn: &Connection, chosen: &[DeliveryId]) -> Result<Vec<LeasedDelivery>, StoreError> {
    let ids = row_list(chosen.iter().map(|id| id.0));
    let mut leased = Vec::with_capacity(chosen.len());
    let mut statement = conn.prepare_cached(select_leased!())?;
    let mut rows = statement.query(named_params! {":ids": ids})?;
    while let Some(row) = rows.next()? {
        leased.push(LeasedDelivery {
            id: row.get(column::id)?,
            target: row.get(column::target)?,
            event: row.get(column::event_id)?,
            uid: row.get(column::uid)?,
            body: match events::event_json(row, column::bytes, column::body) {
                Ok(json) => Some(json),
                // Only this event is damaged: other targets do not wait for it.
                Err(StoreError::Damaged { .. }) => None,
                Err(error) => return Err(error),
            },
            attempt: row.get::<_, u32>(column::attempts)?.saturating_add(1),
            refusals: row.get(column::refusals)?,
            created: row.get(column::created_at)?,
            has_members: row.get(column::has_members)?,
            unpacked: row.get(column::unpacked)?,
            thread: row.get(column::thread)?,
        });
    }
    Ok(leased)
}

/// When [`lease`] next has something, or a digest is due: a time that may have passed, and the beginning of time for
/// immediately.
pub(super) fn next(conn: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let candidates: Vec<Candidate> = conn
        .prepare_cached(NEXT_CANDIDATES)?
        .query_map([], candidate_row)?
        .collect::<Result<_, _>>()?;
    let digest: Option<Timestamp> = conn
        .prepare_cached(NEXT_DIGEST)?
        .query_row([], |row| row.get(0))?;
    let lease = policy::next_lease(&candidates);
    Ok([lease, digest].into_iter().flatten().min())
}
