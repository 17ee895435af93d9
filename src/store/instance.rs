//! Public ids. That of an event is random, so that it is never used twice, whatever happens to the file. That of
//! an entry is derived from its row and the database's own number, `meta.instance`. A copy of the file gets a new
//! number when it is first opened for writing in its new place.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use super::codec::sha256;
use super::error::StoreError;
use super::reader::Reader;
use super::writer::{Tx, Write, Writer};

/// A source of random bytes.
pub type Random = fn(&mut [u8]) -> io::Result<()>;

/// The system's source.
pub(super) fn system_random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(io::Error::other)
}

/// `msg_…` for a new event.
pub(super) fn event_name(random: Random) -> Result<String, StoreError> {
    let bytes = sixteen(random)?;
    Ok(name("msg_", &bytes))
}

/// `ent_…` for a new row of `entries`.
pub(super) fn entry_name(conn: &Connection, row: i64) -> Result<String, StoreError> {
    let instance: [u8; 16] = conn
        .prepare_cached("SELECT instance FROM meta WHERE id = 1")?
        .query_row([], |row| row.get(0))?;
    let digest = sha256(&[&instance, b"entry", &row.to_be_bytes()]);
    Ok(name("ent_", &digest[..16]))
}

/// Gives the database its own number, unless it has been opened in this place before.
pub(super) fn settle(conn: &mut Connection, path: &Path, random: Random) -> Result<(), StoreError> {
    let home = home(path).map_err(|error| StoreError::io(path, error))?;
    if known_home(conn)? == Some(home) {
        return Ok(());
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if known_home(&tx)? != Some(home) {
        renew(&tx, Some(home), random)?;
    }
    tx.commit()?;
    Ok(())
}

/// Removes the home of a file, so that it counts as a copy wherever it is opened.
pub(super) fn forget_home(conn: &Connection) -> rusqlite::Result<()> {
    // Older schemas do not have the column.
    let knows = conn
        .prepare("SELECT 1 FROM pragma_table_info('meta') WHERE name = 'home'")?
        .exists([])?;
    if knows {
        conn.execute("UPDATE meta SET home = NULL", [])?;
    }
    Ok(())
}

impl Writer {
    /// Gives the database a new number, for a copy that cannot be recognised as one. Existing ids are kept.
    pub fn renew_instance(&self) -> Write<()> {
        self.write(|tx: &mut Tx<'_>| {
            let home = known_home(tx.conn)?;
            renew(tx.conn, home, tx.random)
        })
    }
}

impl Reader {
    /// Whether the file is where it was when it was last opened for writing. If not, opening it for writing gives
    /// it a new number.
    pub fn is_at_home(&self, path: &Path) -> Result<bool, StoreError> {
        let home = home(path).map_err(|error| StoreError::io(path, error))?;
        self.read(|conn| Ok(known_home(conn)? == Some(home)))
    }
}

fn known_home(conn: &Connection) -> Result<Option<[u8; 32]>, StoreError> {
    Ok(conn.query_row("SELECT home FROM meta WHERE id = 1", [], |row| row.get(0))?)
}

fn renew(conn: &Connection, home: Option<[u8; 32]>, random: Random) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE meta SET instance = ?1, home = ?2 WHERE id = 1",
        params![sixteen(random)?, home],
    )?;
    Ok(())
}

/// A hash of the machine and the file's inode, which a copy never shares with its original. The device is left
/// out, since its number may change at each boot.
fn home(path: &Path) -> io::Result<[u8; 32]> {
    // A container may not have one.
    let machine = std::fs::read("/etc/machine-id").unwrap_or_default();
    let file = std::fs::metadata(path)?.ino();
    Ok(sha256(&[machine.trim_ascii(), b"/", &file.to_be_bytes()]))
}

fn sixteen(random: Random) -> Result<[u8; 16], StoreError> {
    let mut bytes = [0; 16];
    random(&mut bytes).map_err(|error| StoreError::io(Path::new(""), error))?;
    Ok(bytes)
}

/// RFC 4648 in lower case, without padding, after a prefix.
fn name(prefix: &str, bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut out = prefix.to_owned();
    let mut bits = 0_u32;
    let mut held = 0;
    let mut push = |value: u32| out.push(char::from(ALPHABET[(value & 31) as usize]));
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            push(bits >> held);
        }
    }
    if held > 0 {
        push(bits << (5 - held));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OpenOptions, Store};

    #[test]
    fn base32_is_that_of_the_standard() {
        assert_eq!(name("", b"foobar"), "mzxw6ytboi");
    }

    fn entry(path: &Path) -> String {
        let store = Store::open(path, &OpenOptions::default()).unwrap();
        let named = store.writer().write(|tx| entry_name(tx.conn, 7));
        let named = named.blocking().unwrap();
        store.close().unwrap();
        named
    }

    #[test]
    fn a_database_keeps_its_names_and_a_copy_gets_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let [first, moved, backup, copied] =
            ["a.db", "b.db", "c.db", "d.db"].map(|name| dir.path().join(name));
        let named = entry(&first);
        assert_eq!(named.len(), 30);
        assert_eq!(entry(&first), named);
        std::fs::rename(&first, &moved).unwrap();
        assert_eq!(entry(&moved), named, "it is the same file");
        let reader = Reader::open(&moved).unwrap();
        assert!(reader.is_at_home(&moved).unwrap());
        reader.backup(&backup).unwrap();
        drop(reader);
        std::fs::copy(&moved, &copied).unwrap();
        assert!(!Reader::open(&copied).unwrap().is_at_home(&copied).unwrap());
        let [backup_named, copied_named] = [&backup, &copied].map(|path| entry(path));
        assert_ne!(backup_named, named);
        assert_ne!(copied_named, named);
        // A backup still counts as another file if it is restored in place, byte for byte.
        let again = dir.path().join("again.db");
        Reader::open(&moved).unwrap().backup(&again).unwrap();
        std::fs::write(&moved, std::fs::read(&again).unwrap()).unwrap();
        assert_ne!(entry(&moved), named);
    }

    #[test]
    fn a_new_number_can_be_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let named = entry(&path);
        let store = Store::open(&path, &OpenOptions::default()).unwrap();
        store.writer().renew_instance().blocking().unwrap();
        store.close().unwrap();
        let renewed = entry(&path);
        assert_ne!(renewed, named);
        assert_eq!(entry(&path), renewed);
    }
}
