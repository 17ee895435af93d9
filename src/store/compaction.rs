//! Compaction: of answers that resemble one another, one is kept whole and the others as what differs from it.
//!
//! The pages of a site share their furniture, and the answers of a feed most of their entries, so a body is packed
//! against another of the same feed and channel, the next newer one of the same page where there is one. Newer, because
//! retention takes the oldest first (as RCS keeps the newest revision whole: Tichy 1985). A body that was looked at is
//! never packed anew, so what others are based on does not move, and no body needs more than `MAX_DEPTH` others.
//!
//! It is done apart from the looks: a new body is always stored whole.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::bodies::{self, MAX_DEPTH};
use super::codec::{pack_against, unpack_against};
use super::error::StoreError;
use super::reader::Reader;
use super::sql::count;
use super::writer::{Write, Writer};

/// Fewer of a feed and channel wait for more: each batch has one that stays whole.
const FEWEST: usize = 16;
const MOST: usize = 32;

/// What [`Compaction::next`] reads at once, in bytes of bodies, so that its memory and the transactions stay small.
const AT_ONCE: usize = 4 * 1024 * 1024;

/// What is to be looked at; each part is packed by [`Compaction::next`] and stored by [`Writer::compact`].
#[derive(Debug)]
pub struct Compaction {
    steps: std::vec::IntoIter<Step>,
}

/// A body, and the one that it is to be packed against; `None` for one that is to stay whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    body: i64,
    base: Option<i64>,
}

/// A body in the form in which it is to stay.
#[derive(Debug)]
pub struct Packed {
    body: i64,
    /// The base, and what differs from it; `None` when the body stays whole.
    delta: Option<(i64, Vec<u8>)>,
    /// Length of the stored form until now.
    before: u64,
}

/// What was achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compacted {
    /// Bodies that are kept as a difference now.
    pub bodies: u64,
    /// Bytes that these took, compressed each by itself.
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
    /// What there is to compact.
    pub fn compaction(&self) -> Result<Compaction, StoreError> {
        self.read(|conn| {
            // Of a body that several answers share, the newest of these counts: the columns beside a max() are of its row.
            let mut statement = conn.prepare(
                "SELECT c.feed_id, c.channel, b.id, r.entry_id, max(c.id) FROM bodies AS b \
                 JOIN captures AS c ON c.body_id = b.id LEFT JOIN revisions AS r ON r.page_capture_id = c.id \
                 WHERE b.compacted = 0 GROUP BY b.id ORDER BY c.feed_id, c.channel, b.id",
            )?;
            let mut rows = statement.query([])?;
            let mut steps = Vec::new();
            let mut group: Vec<Waiting> = Vec::new();
            let mut of: Option<(i64, String)> = None;
            while let Some(row) = rows.next()? {
                let here = Some((row.get(0)?, row.get(1)?));
                if here != of {
                    steps.extend(plan(&group));
                    group.clear();
                    of = here;
                }
                group.push(Waiting {
                    body: row.get(2)?,
                    entry: row.get(3)?,
                });
            }
            steps.extend(plan(&group));
            Ok(Compaction {
                steps: steps.into_iter(),
            })
        })
    }
}

/// A body that was not looked at yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    body: i64,
    /// The entry whose page it is; `None` for the answers of the feed itself.
    entry: Option<i64>,
}

/// What is packed against what, of the bodies of one feed and channel, oldest first. A base comes before what is based
/// on it.
fn plan(group: &[Waiting]) -> Vec<Step> {
    let mut steps = Vec::new();
    // Batches of about the same size, so that few are left over.
    let size = group.len().div_ceil(group.len().div_ceil(MOST).max(1));
    let batches = group.chunks(size.max(1));
    for batch in batches.filter(|batch| batch.len() >= FEWEST) {
        let mut newest_first = batch.iter().rev();
        let Some(whole) = newest_first.next() else {
            continue;
        };
        steps.push(Step {
            body: whole.body,
            base: None,
        });
        // Of each page the last body planned, and how many others it needs.
        let mut last = HashMap::from([(whole.entry, (whole.body, 0))]);
        for waiting in newest_first {
            let (base, depth) = match last.get(&waiting.entry) {
                Some(&(newer, depth)) if depth < MAX_DEPTH => (newer, depth + 1),
                _ => (whole.body, 1),
            };
            steps.push(Step {
                body: waiting.body,
                base: Some(base),
            });
            last.insert(waiting.entry, (waiting.body, depth));
        }
    }
    steps
}

impl Compaction {
    /// How many bodies would be packed against another.
    #[must_use]
    pub fn left(&self) -> u64 {
        let steps = self.steps.as_slice().iter();
        steps.filter(|step| step.base.is_some()).count() as u64
    }

    /// Packs some bodies; `None` when all were looked at. Takes time for computing, and no lock.
    pub fn next(&mut self, reader: &Reader) -> Result<Option<Vec<Packed>>, StoreError> {
        let mut packed = Vec::new();
        let mut read = 0;
        while read < AT_ONCE {
            let Some(step) = self.steps.next() else { break };
            if let Some((bytes, form)) = reader.read(|conn| pack(conn, step))? {
                read += bytes;
                packed.push(form);
            }
        }
        let done = packed.is_empty() && self.steps.len() == 0;
        Ok((!done).then_some(packed))
    }
}

/// The new form, and how many bytes were read for it; `None` when retention has taken the body or its base meanwhile,
/// or somebody else has packed it.
fn pack(conn: &Connection, step: Step) -> Result<Option<(usize, Packed)>, StoreError> {
    // One moment for the body and all that it is based on.
    let conn = conn.unchecked_transaction()?;
    let length = |id: i64, compacted: bool| -> Result<Option<u64>, StoreError> {
        Ok(conn
            .prepare_cached(
                "SELECT length(body) FROM bodies WHERE id = ?1 AND (?2 OR compacted = 0)",
            )?
            .query_row(params![id, compacted], |row| count(row, 0))
            .optional()?)
    };
    let Some(before) = length(step.body, false)? else {
        return Ok(None);
    };
    let whole = |read| {
        let form = Packed {
            body: step.body,
            delta: None,
            before,
        };
        Ok(Some((read, form)))
    };
    let Some(base) = step.base else {
        return whole(0);
    };
    if length(base, true)?.is_none() {
        return Ok(None);
    }
    let (body, other) = (bodies::get(&conn, step.body)?, bodies::get(&conn, base)?);
    let read = body.len() + other.len();
    let delta = pack_against(&other, &body)?;
    // A difference that saves little is not worth a base. And what does not come back is no form to keep.
    let bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
    if delta.len() as u64 > before / 4 * 3
        || unpack_against(&other, &delta, bytes).ok().as_ref() != Some(&body)
    {
        return whole(read);
    }
    let form = Packed {
        body: step.body,
        delta: Some((base, delta)),
        before,
    };
    Ok(Some((read, form)))
}

impl Writer {
    /// Stores what [`Compaction::next`] has packed, as far as the bodies are still there as it found them.
    pub fn compact(&self, packed: Vec<Packed>) -> Write<Compacted> {
        self.write(move |tx| {
            let mut keep = tx.conn.prepare_cached(
                "UPDATE bodies SET compacted = 1 WHERE id = ?1 AND compacted = 0",
            )?;
            let mut replace = tx.conn.prepare_cached(
                "UPDATE bodies SET body = ?2, base_id = ?3, compacted = 1 WHERE id = ?1 AND compacted = 0 \
                 AND EXISTS (SELECT 1 FROM bodies WHERE id = ?3 AND compacted = 1)",
            )?;
            let mut done = Compacted::default();
            for form in &packed {
                let Some((base, delta)) = &form.delta else {
                    keep.execute([form.body])?;
                    continue;
                };
                if replace.execute(params![form.body, delta, base])? == 1 {
                    done += Compacted {
                        bodies: 1,
                        before: form.before,
                        after: delta.len() as u64,
                    };
                }
            }
            Ok(done)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn waiting(entries: &[Option<i64>]) -> Vec<Waiting> {
        let numbered = entries.iter().zip(1..);
        numbered
            .map(|(entry, body)| Waiting {
                body,
                entry: *entry,
            })
            .collect()
    }

    #[test]
    fn few_wait_for_more() {
        assert_eq!(plan(&waiting(&[None; FEWEST - 1])), []);
        assert_eq!(plan(&waiting(&[None; FEWEST])).len(), FEWEST);
        assert_eq!(plan(&waiting(&[None; MOST + 1])).len(), MOST + 1);
    }

    #[test]
    fn a_page_is_based_on_its_next_newer_answer_and_else_on_the_newest_of_the_site() {
        let mut entries = vec![Some(9); FEWEST];
        entries[2] = Some(1);
        entries[5] = Some(1);
        let steps = plan(&waiting(&entries));
        let base = |body| steps.iter().find(|step| step.body == body).unwrap().base;
        assert_eq!(base(16), None);
        assert_eq!(base(6), Some(16));
        assert_eq!(base(3), Some(6));
    }

    proptest! {
        #[test]
        fn bases_are_newer_come_first_and_are_few(entries in prop::collection::vec(prop::option::of(0..4_i64), 0..100)) {
            let group = waiting(&entries);
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
