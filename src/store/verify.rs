//! Verifies everything that is stored: the file, the references, the hashes, the chain, and the diffs.
//!
//! Nothing in the file is trusted: a row that cannot be read is reported as a fault, and the next row is checked.

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

/// The most faults that are listed; further ones are only counted.
const LISTED: usize = 100;

/// What was checked, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Links of the chain.
    pub revisions: u64,
    /// Changes whose diff was applied to both texts.
    pub changes: u64,
    /// Responses whose body was hashed.
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
    /// Checks everything. `step` gets the number of rows checked so far, and the total. An error means that the
    /// file cannot be read at all; faults in it are part of the result.
    pub fn verify(&self, mut step: impl FnMut(u64, u64)) -> Result<Verified, StoreError> {
        let mut found = Verified::default();
        for fault in self.integrity()? {
            found.fault(format!("file: {fault}"));
        }
        self.read(|conn| {
            // One snapshot for everything, even while a daemon continues.
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
