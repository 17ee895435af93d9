//! Whether everything that is stored is whole: the file, the references, the hashes, the chain, and the diffs.
//!
//! The file is taken for nothing: what cannot be read is a fault with a name, and the next row is looked at.

mod answers;
mod changes;
mod diff;
mod events;
mod links;
mod told;

use rusqlite::Connection;

use super::error::StoreError;
use super::reader::Reader;

pub use diff::wrong_field;

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
            let mut work = VerifyTask {
                all: count(&conn)?,
                done: 0,
                step: &mut step,
            };
            answers::states(&conn, &mut found, &mut work)?;
            answers::bodies(&conn, &mut found, &mut work)?;
            links::chain(&conn, &mut found, &mut work)?;
            changes::changes(&conn, &mut found, &mut work)?;
            events::events(&conn, &mut found, &mut work)
        })?;
        Ok(found)
    }
}

struct VerifyTask<'a> {
    all: u64,
    done: u64,
    step: &'a mut dyn FnMut(u64, u64),
}

impl VerifyTask<'_> {
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
         + (SELECT count(*) FROM events)",
        [],
        |row| super::sql::count(row, 0),
    )?)
}
