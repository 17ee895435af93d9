//! Compaction: of several similar responses, one is stored whole and the others as their difference from it.
//!
//! The pages of a site share their furniture, and the responses of a feed share most of their entries. So a body
//! is packed against another of the same feed and channel: if there is one, the next newer body of the same
//! address. It is a newer one because retention deletes the oldest first (as RCS keeps the newest revision whole:
//! Tichy 1985). A body is processed only once, so the base of other bodies stays as it is.
//!
//! This is separate from checks: a new body is always stored whole. Two processes may compact at the same time; a
//! packed body is stored only if the rows are still those that were read.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::bodies;
use super::codec::{pack_against, sha256, unpack_against};
use super::error::StoreError;
use super::reader::Reader;
use super::sql::count;
use super::writer::{Write, Writer};

/// The most other bodies needed to read a body.
pub(super) const MAX_DEPTH: usize = 8;

/// A feed and channel with fewer bodies waits for more, since one body of each batch stays whole.
const FEWEST: usize = 16;
const MOST: usize = 128;

/// How much [`Compaction::next`] reads in one go, in bytes of bodies, so that transactions stay small.
const AT_ONCE: u64 = 4 * 1024 * 1024;

/// Larger bodies stay whole: packing takes several times their size in memory.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The bodies to process. [`Compaction::next`] packs each part and [`Writer::compact`] stores it.
#[derive(Debug)]
pub struct Compaction {
    pub(super) steps: std::vec::IntoIter<CompactionStep>,
}

/// A body, and the one that it is to be packed against; `None` if it stays whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CompactionStep {
    pub(super) body: i64,
    pub(super) base: Option<i64>,
}

/// A body in its final form.
#[derive(Debug)]
pub struct Packed {
    body: BodyRow,
    /// The base, and the difference from it; `None` if the body stays whole.
    delta: Option<(BodyRow, Vec<u8>)>,
}

/// A row of `bodies` as it was read. The id alone does not identify it: `SQLite` reuses the id of a deleted row.
#[derive(Debug, Clone, Copy)]
struct BodyRow {
    id: i64,
    sha256: [u8; 32],
    /// The length of the body, and of its stored form.
    bytes: u64,
    stored: u64,
}

/// The result of compaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compacted {
    /// Bodies that are now stored as a difference.
    pub bodies: u64,
    /// Bytes that they took when each was compressed separately.
    pub before: u64,
    /// Bytes that they take now.
    pub after: u64,
}

impl std::ops::AddAssign for Compacted {
    fn add_assign(&mut self, more: Self) {
        self.bodies += more.bodies;
        self.before += more.before;
        self.after += more.after;
    }
}

impl Reader {
    /// The bodies that can be compacted.
    pub fn compaction(&self) -> Result<Compaction, StoreError> {
        self.read(|conn| {
            // If several responses share a body, the newest of them counts: the columns beside a max() come from
            // its row.
            let mut statement = conn.prepare(
                "SELECT c.feed_id, c.channel, b.id, c.url, max(c.id) FROM bodies AS b \
                 JOIN captures AS c ON c.body_id = b.id WHERE b.base_id IS NULL \
                 GROUP BY b.id ORDER BY c.feed_id, c.channel, b.id",
            )?;
            let mut rows = statement.query([])?;
            let mut steps = Vec::new();
            let mut group: Vec<PendingBody> = Vec::new();
            let mut of: Option<(i64, String)> = None;
            while let Some(row) = rows.next()? {
                let here = Some((row.get(0)?, row.get(1)?));
                if here != of {
                    steps.extend(plan(&group));
                    group.clear();
                    of = here;
                }
                group.push(PendingBody {
                    body: row.get(2)?,
                    url: row.get(3)?,
                });
            }
            steps.extend(plan(&group));
            Ok(Compaction {
                steps: steps.into_iter(),
            })
        })
    }
}

/// A body that has not been processed yet, and the address of its response.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PendingBody {
    body: i64,
    url: String,
}

/// Plans what is packed against what, for the bodies of one feed and channel, oldest first. A base comes before
/// the bodies based on it.
fn plan(group: &[PendingBody]) -> Vec<CompactionStep> {
    let mut steps = Vec::new();
    // Batches of about the same size, so that few are left over.
    let size = group.len().div_ceil(group.len().div_ceil(MOST).max(1));
    let batches = group.chunks(size.max(1));
    for batch in batches.filter(|batch| batch.len() >= FEWEST) {
        let mut newest_first = batch.iter().rev();
        let Some(whole) = newest_first.next() else {
            continue;
        };
        steps.push(CompactionStep {
            body: whole.body,
            base: None,
        });
        // For each address, the newest body and the last one planned, each with the number of others that it
        // needs.
        let mut known = HashMap::from([(&whole.url, [(whole.body, 0); 2])]);
        for waiting in newest_first {
            let (base, depth) = match known.get(&waiting.url) {
                Some(&[_, last]) if last.1 < MAX_DEPTH => last,
                Some(&[newest, _]) => newest,
                None => (whole.body, 0),
            };
            steps.push(CompactionStep {
                body: waiting.body,
                base: Some(base),
            });
            let this = (waiting.body, depth + 1);
            known.entry(&waiting.url).or_insert([this; 2])[1] = this;
        }
    }
    steps
}

impl Compaction {
    /// How many bodies would be packed against another; those that would save little stay whole.
    #[must_use]
    pub fn left(&self) -> u64 {
        let steps = self.steps.as_slice().iter();
        steps.filter(|step| step.base.is_some()).count() as u64
    }

    /// Packs some bodies; `None` if all have been processed. It takes CPU time, but no lock.
    pub fn next(&mut self, reader: &Reader) -> Result<Option<Vec<Packed>>, StoreError> {
        let mut packed = Vec::new();
        let mut read = 0;
        while read < AT_ONCE {
            let Some(step) = self.steps.next() else { break };
            if let Some(form) = reader.read(|conn| pack(conn, step))? {
                read += form.body.bytes + form.delta.as_ref().map_or(0, |(base, _)| base.bytes);
                packed.push(form);
            }
        }
        let done = packed.is_empty() && self.steps.len() == 0;
        Ok((!done).then_some(packed))
    }
}

/// The new form; `None` for a body that should stay as it is: retention has deleted it or its base, another
/// process has packed it, or the base is damaged.
fn pack(conn: &Connection, step: CompactionStep) -> Result<Option<Packed>, StoreError> {
    // One snapshot for the body and all of its bases.
    let conn = conn.unchecked_transaction()?;
    let Some((body, false)) = known(&conn, step.body)? else {
        return Ok(None);
    };
    let whole = Ok(Some(Packed { body, delta: None }));
    let Some(base) = step.base else {
        return whole;
    };
    let Some((base, _)) = known(&conn, base)? else {
        return Ok(None);
    };
    if body.bytes.max(base.bytes) > LARGEST {
        return whole;
    }
    let Some(bytes) = undamaged(&conn, &body)? else {
        return whole;
    };
    let Some(other) = undamaged(&conn, &base)? else {
        return Ok(None);
    };
    let delta = pack_against(&other, &bytes)?;
    // A difference that saves little is not worth a base. And a form that cannot be unpacked must not be stored.
    if delta.len() as u64 > body.stored / 4 * 3 || !unpacks_to(&other, &delta, &bytes) {
        return whole;
    }
    Ok(Some(Packed {
        body,
        delta: Some((base, delta)),
    }))
}

/// The data of a row, and whether it has been processed.
fn known(conn: &Connection, id: i64) -> Result<Option<(BodyRow, bool)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT sha256, bytes, length(body), base_id IS NOT NULL FROM bodies WHERE id = ?1",
    )?;
    let row = statement.query_row([id], |row| {
        let known = BodyRow {
            id,
            sha256: row.get(0)?,
            bytes: count(row, 1)?,
            stored: count(row, 2)?,
        };
        Ok((known, row.get(3)?))
    });
    Ok(row.optional()?)
}

fn unpacks_to(base: &[u8], delta: &[u8], bytes: &[u8]) -> bool {
    let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    unpack_against(base, delta, length).is_ok_and(|unpacked| unpacked == bytes)
}

fn undamaged(conn: &Connection, body: &BodyRow) -> Result<Option<Vec<u8>>, StoreError> {
    match bodies::get(conn, body.id) {
        Ok(bytes) => Ok((sha256(&[&bytes]) == body.sha256).then_some(bytes)),
        Err(StoreError::Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Writer {
    /// Stores what [`Compaction::next`] has packed, for the bodies that have not changed in the meantime.
    pub fn compact(&self, packed: Vec<Packed>) -> Write<Compacted> {
        self.write(move |tx| {
            let mut done = Compacted::default();
            for Packed { body, delta } in &packed {
                match delta {
                    None => keep(tx.conn, body)?,
                    Some((base, delta)) if replace(tx.conn, body, base, delta)? => {
                        done += Compacted {
                            bodies: 1,
                            before: body.stored,
                            after: delta.len() as u64,
                        };
                    }
                    Some(_) => {}
                }
            }
            Ok(done)
        })
    }
}

fn keep(conn: &Connection, body: &BodyRow) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE bodies SET base_id = id WHERE id = ?1 AND sha256 = ?2 AND base_id IS NULL",
    )?
    .execute(params![body.id, body.sha256])?;
    Ok(())
}

/// Returns whether it was done. Another process may have based the base on more bodies than our plan knew.
fn replace(
    conn: &Connection,
    body: &BodyRow,
    base: &BodyRow,
    delta: &[u8],
) -> Result<bool, StoreError> {
    if bodies::depth(conn, base.id)? >= MAX_DEPTH {
        return Ok(false);
    }
    let replaced = conn
        .prepare_cached(
            "UPDATE bodies SET body = :delta, base_id = :base \
             WHERE id = :id AND sha256 = :sha256 AND base_id IS NULL AND :base > id \
             AND EXISTS (SELECT 1 FROM bodies WHERE id = :base AND sha256 = :base_sha256 AND base_id IS NOT NULL)",
        )?
        .execute(named_params! {
            ":delta": delta,
            ":base": base.id,
            ":id": body.id,
            ":sha256": body.sha256,
            ":base_sha256": base.sha256,
        })?;
    Ok(replaced == 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn waiting(urls: &[u8]) -> Vec<PendingBody> {
        let numbered = urls.iter().zip(1..);
        numbered
            .map(|(url, body)| PendingBody {
                body,
                url: format!("https://news.example/{url}"),
            })
            .collect()
    }

    #[test]
    fn few_wait_for_more() {
        assert_eq!(plan(&waiting(&[1; FEWEST - 1])), []);
        assert_eq!(plan(&waiting(&[1; FEWEST])).len(), FEWEST);
        assert_eq!(plan(&waiting(&[1; MOST + 1])).len(), MOST + 1);
    }

    #[test]
    fn a_page_is_based_on_its_next_newer_answer_and_else_on_the_newest_of_the_site() {
        let mut urls = vec![1; FEWEST];
        urls[FEWEST - 1] = 9;
        let steps = plan(&waiting(&urls));
        let base = |body| steps.iter().find(|step| step.body == body).unwrap().base;
        assert_eq!(base(16), None);
        assert_eq!(base(15), Some(16));
        assert_eq!(base(14), Some(15));
        let deepest = 16 - i64::try_from(MAX_DEPTH).unwrap();
        assert_eq!(base(deepest), Some(deepest + 1));
        assert_eq!(base(deepest - 1), Some(15), "from there on anew");
    }

    proptest! {
        #[test]
        fn bases_are_newer_come_first_and_are_few(urls in prop::collection::vec(0..5_u8, 0..300)) {
            let group = waiting(&urls);
            let mut depths: HashMap<i64, usize> = HashMap::new();
            let mut whole = 0;
            for step in plan(&group) {
                let depth = match step.base {
                    None => 0,
                    Some(base) => {
                        prop_assert!(base > step.body);
                        depths[&base] + 1
                    }
                };
                whole += usize::from(depth == 0);
                prop_assert!(depth <= MAX_DEPTH);
                prop_assert!(depths.insert(step.body, depth).is_none());
            }
            prop_assert!(depths.len() + FEWEST > group.len());
            prop_assert!(whole * FEWEST <= depths.len());
        }
    }
}
