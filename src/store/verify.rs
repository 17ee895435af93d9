//! Whether everything that is stored is whole: the file, the references, the hashes, the chain, and the diffs.
//!
//! The file is taken for nothing: what cannot be read is a fault with a name, and the next row is looked at.

use std::collections::HashMap;

use rusqlite::Connection;

use super::bodies;
use super::chain;
use super::codec::{sha256, unpack};
use super::error::StoreError;
use super::reader::Reader;
use crate::domain::diff::{BlockDiff, Segment};
use crate::domain::event::{BlocksInfo, DiffInfo, Event};
use crate::domain::ids::{ChangeNumber, RevisionNumber};
use crate::domain::state::{Block, EntryState};
use crate::time::Timestamp;

/// Faults that are listed; more are only counted.
const LISTED: usize = 100;

/// What was looked at, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Links of the chain.
    pub revisions: u64,
    /// Changes whose diff was applied to both sides.
    pub changes: u64,
    /// Answers whose body was hashed.
    pub bodies: u64,
    /// States that were read and hashed.
    pub states: u64,
    /// States whose text is not kept any more.
    pub dropped: u64,
    /// What is wrong, in words; at most a hundred.
    pub faults: Vec<String>,
    /// How many faults there are.
    pub fault_count: u64,
}

impl Verified {
    fn fault(&mut self, fault: String) {
        self.fault_count += 1;
        if self.faults.len() < LISTED {
            self.faults.push(fault);
        }
    }
}

impl Reader {
    /// Looks at everything. `step` is told how many rows were looked at so far, of how many. An error is trouble with
    /// reading the file at all; what is wrong in it is part of the answer.
    pub fn verify(&self, mut step: impl FnMut(u64, u64)) -> Result<Verified, StoreError> {
        let mut found = Verified::default();
        for fault in self.integrity()? {
            found.fault(format!("file: {fault}"));
        }
        self.read(|conn| {
            // One moment for all of it, although a daemon goes on.
            let conn = conn.unchecked_transaction()?;
            let mut work = Work {
                all: count(&conn)?,
                done: 0,
                step: &mut step,
            };
            verify_states(&conn, &mut found, &mut work)?;
            verify_bodies(&conn, &mut found, &mut work)?;
            verify_chain(&conn, &mut found, &mut work)?;
            verify_changes(&conn, &mut found, &mut work)
        })?;
        Ok(found)
    }
}

struct Work<'a> {
    all: u64,
    done: u64,
    step: &'a mut dyn FnMut(u64, u64),
}

impl Work<'_> {
    fn one(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(64) {
            (self.step)(self.done, self.all);
        }
    }
}

fn count(conn: &Connection) -> Result<u64, StoreError> {
    Ok(conn.query_row(
        "SELECT (SELECT count(*) FROM states) + (SELECT count(*) FROM bodies) + (SELECT count(*) FROM revisions) \
         + (SELECT count(*) FROM changes)",
        [],
        |row| super::sql::count(row, 0),
    )?)
}

fn verify_states(
    conn: &Connection,
    found: &mut Verified,
    work: &mut Work<'_>,
) -> Result<(), StoreError> {
    let mut statement =
        conn.prepare("SELECT id, sha256, bytes, body, dropped_at IS NULL FROM states ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, hash, bytes): (i64, [u8; 32], i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        work.one();
        let body = row.get_ref(3)?.as_blob().unwrap_or_default();
        if !row.get::<_, bool>(4)? {
            found.dropped += 1;
            if !body.is_empty() {
                found.fault(format!("state {id}: is said to be dropped, and is there"));
            }
            continue;
        }
        found.states += 1;
        match unpack(body, bytes) {
            Err(error) => found.fault(format!("state {id}: {error}")),
            Ok(json) if sha256(&[&json]) != hash => {
                found.fault(format!("state {id}: its text does not have its hash"));
            }
            Ok(json) => {
                if let Err(error) = serde_json::from_slice::<EntryState>(&json) {
                    found.fault(format!("state {id}: cannot be read: {error}"));
                }
            }
        }
    }
    Ok(())
}

fn verify_bodies(
    conn: &Connection,
    found: &mut Verified,
    work: &mut Work<'_>,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare("SELECT id, sha256 FROM bodies ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, hash): (i64, [u8; 32]) = (row.get(0)?, row.get(1)?);
        found.bodies += 1;
        work.one();
        match bodies::get(conn, id) {
            Err(error) => found.fault(format!("body {id}: {error}")),
            Ok(body) if sha256(&[&body]) != hash => {
                found.fault(format!("body {id}: its bytes do not have its hash"));
            }
            Ok(_) => {}
        }
    }
    let mut statement = conn.prepare(
        "SELECT c.id FROM captures AS c JOIN bodies AS b ON b.id = c.body_id WHERE b.sha256 <> c.body_sha256",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        found.fault(format!(
            "capture {id}: its body has another hash than noted"
        ));
    }
    Ok(())
}

fn verify_chain(
    conn: &Connection,
    found: &mut Verified,
    work: &mut Work<'_>,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare(
        "SELECT r.entry_id, r.number, r.seen_at, r.previous_hash, r.hash, s.sha256, r.captures_hash, \
         r.feed_capture_id, r.page_capture_id \
         FROM revisions AS r LEFT JOIN states AS s ON s.id = r.state_id ORDER BY r.entry_id, r.number",
    )?;
    let mut rows = statement.query([])?;
    let mut last: Option<(i64, RevisionNumber, [u8; 32])> = None;
    while let Some(row) = rows.next()? {
        let (entry, number): (i64, RevisionNumber) = (row.get(0)?, row.get(1)?);
        let (seen, previous, hash): (Timestamp, [u8; 32], [u8; 32]) =
            (row.get(2)?, row.get(3)?, row.get(4)?);
        let captures: Option<[u8; 32]> = row.get(6)?;
        found.revisions += 1;
        work.one();
        let name = format!("revision {number} of entry {entry}");
        let before = last.filter(|(known, ..)| *known == entry);
        let (expected_number, expected) = match before {
            Some((_, number, hash)) => (number.next(), hash),
            None => (RevisionNumber::FIRST, [0; 32]),
        };
        if number != expected_number {
            found.fault(format!(
                "{name}: revision {expected_number} is missing before it"
            ));
        } else if previous != expected {
            found.fault(format!("{name}: does not follow the revision before it"));
        }
        match row.get::<_, Option<[u8; 32]>>(5)? {
            None => found.fault(format!("{name}: its state is missing")),
            Some(state)
                if chain::link(&previous, &state, number, seen, captures.as_ref()) != hash =>
            {
                found.fault(format!(
                    "{name}: its hash is not that of its state, number, time and answers"
                ));
            }
            Some(_) => {}
        }
        if let Some(captures) = captures {
            match chain::of_captures(conn, row.get(7)?, row.get(8)?) {
                Ok(hash) if hash == captures => {}
                Ok(_) => found.fault(format!(
                    "{name}: the answers behind it are not those that it was stored with"
                )),
                Err(error) => found.fault(format!("{name}: {error}")),
            }
        }
        last = Some((entry, number, hash));
    }
    let mut statement = conn.prepare(
        "SELECT e.id FROM entries AS e WHERE e.revision IS NOT \
         (SELECT max(number) FROM revisions AS r WHERE r.entry_id = e.id)",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let entry: i64 = row.get(0)?;
        found.fault(format!(
            "entry {entry}: its newest revision is not the one noted"
        ));
    }
    Ok(())
}

fn verify_changes(
    conn: &Connection,
    found: &mut Verified,
    work: &mut Work<'_>,
) -> Result<(), StoreError> {
    let mut statement = conn.prepare(
        "SELECT c.number, v.bytes, v.body, c.before_revision, c.after_revision, \
         (SELECT state_id FROM revisions WHERE entry_id = c.entry_id AND number = c.before_revision), \
         (SELECT state_id FROM revisions WHERE entry_id = c.entry_id AND number = c.after_revision) \
         FROM changes AS c LEFT JOIN events AS v ON v.id = c.event_id ORDER BY c.number",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let number: ChangeNumber = row.get(0)?;
        work.one();
        let event = (|| {
            let bytes: i64 = row.get(1).ok()?;
            let body = row.get_ref(2).ok()?.as_blob().ok()?;
            let json = unpack(body, bytes).ok()?;
            serde_json::from_slice::<Event>(&json).ok()
        })();
        let Some(event) = event else {
            found.fault(format!("change #{number}: its event cannot be read"));
            continue;
        };
        if event.data.number != Some(number) {
            found.fault(format!("change #{number}: its event has another number"));
        }
        let state = |column: usize| -> Option<Option<EntryState>> {
            let id: i64 = row.get(column).ok()?;
            super::states::find(conn, id).ok()
        };
        let (Some(before), Some(after)) = (state(5), state(6)) else {
            found.fault(format!("change #{number}: a revision of it cannot be read"));
            continue;
        };
        // There is nothing to hold it against when retention took one of the texts.
        let (Some(before), Some(after)) = (before, after) else {
            continue;
        };
        found.changes += 1;
        let diff = event.data.diff.unwrap_or_default();
        if let Some(field) = wrong_field(&diff, &before, &after) {
            found.fault(format!(
                "change #{number}: its {field} does not rebuild both revisions"
            ));
        }
    }
    Ok(())
}

/// The first field whose diff does not rebuild a text of the one state and the same text of the other.
#[must_use]
pub fn wrong_field(
    diff: &DiffInfo,
    before: &EntryState,
    after: &EntryState,
) -> Option<&'static str> {
    let line = |segments: &Option<Vec<Segment>>, lines: &[Line]| {
        segments.as_ref().is_none_or(|segments| {
            let sides = (Segment::old_side(segments), Segment::new_side(segments));
            lines
                .iter()
                .any(|line| sides == (line(before), line(after)))
        })
    };
    let text = |blocks: &Option<BlocksInfo>, texts: &[Text]| {
        blocks.as_ref().is_none_or(|info| {
            let (old, new) = rebuilt(&info.blocks);
            let left_out = &info.left_out;
            texts.iter().any(|text| {
                same(text(before), old.as_ref(), &left_out.before, &[])
                    && same(
                        text(after),
                        new.as_ref(),
                        &left_out.after,
                        &left_out.as_before,
                    )
            })
        })
    };
    if !line(&diff.title, &TITLES) {
        return Some("headline");
    }
    if !line(&diff.byline, &BYLINES) {
        return Some("by-line");
    }
    if !text(&diff.summary, &[summary]) {
        return Some("description");
    }
    if !text(&diff.body, &[page_body, feed_body]) {
        return Some("text");
    }
    None
}

type Line = fn(&EntryState) -> String;
type Text = fn(&EntryState) -> &[Block];

const TITLES: [Line; 4] = [
    |state| owned(state.feed.as_ref().and_then(|feed| feed.title.as_ref())),
    |state| owned(state.page.as_ref().and_then(|page| page.h1.as_ref())),
    |state| owned(state.page.as_ref().and_then(|page| page.og_title.as_ref())),
    |state| {
        owned(
            state
                .page
                .as_ref()
                .and_then(|page| page.ld_headline.as_ref()),
        )
    },
];

const BYLINES: [Line; 2] = [
    |state| owned(state.page.as_ref().and_then(|page| page.byline.as_ref())),
    |state| owned(state.feed.as_ref().and_then(|feed| feed.byline.as_ref())),
];

fn owned(text: Option<&String>) -> String {
    text.cloned().unwrap_or_default()
}

fn summary(state: &EntryState) -> &[Block] {
    state.feed.as_ref().map_or(&[], |feed| &feed.summary)
}

fn feed_body(state: &EntryState) -> &[Block] {
    state.feed.as_ref().map_or(&[], |feed| &feed.body)
}

fn page_body(state: &EntryState) -> &[Block] {
    state.page.as_ref().map_or(&[], |page| &page.body)
}

/// Both texts of a diff that leaves nothing out, block by block; `None` where numbers are missing or used twice.
fn rebuilt(blocks: &[BlockDiff]) -> (Option<Vec<String>>, Option<Vec<String>>) {
    let side = |number: fn(&BlockDiff) -> Option<u32>, text: fn(&[Segment]) -> String| {
        let mut texts: HashMap<u32, String> = HashMap::new();
        for block in blocks {
            if let Some(number) = number(block)
                && texts.insert(number, text(&block.segments)).is_some()
            {
                return None;
            }
        }
        let count = u32::try_from(texts.len()).ok()?;
        (1..=count).map(|number| texts.remove(&number)).collect()
    };
    (
        side(|block| block.from, Segment::old_side),
        side(|block| block.to, Segment::new_side),
    )
}

/// Whether the stored blocks are those that were rebuilt, but for the numbers that were left out of the comparison and
/// those that are shown with an older text.
fn same(
    blocks: &[Block],
    rebuilt: Option<&Vec<String>>,
    left_out: &[u32],
    otherwise: &[u32],
) -> bool {
    rebuilt.is_some_and(|rebuilt| {
        let mut rebuilt = rebuilt.iter();
        (1..)
            .zip(blocks)
            .filter(|(number, _)| left_out.binary_search(number).is_err())
            .all(|(number, block)| {
                rebuilt.next().is_some_and(|text| {
                    *text == block.text || otherwise.binary_search(&number).is_ok()
                })
            })
            && rebuilt.next().is_none()
    })
}
