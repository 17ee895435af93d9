//! A little room on the disk, kept for the moment when there is no other: to drop what is not kept any more, the
//! database has to be written first.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::private;
use super::sidecar::beside;

/// How much: the log of some thousand pages, which is what a step of pruning writes many times over.
const BYTES: u64 = 8 << 20;

/// Keeps the reserve beside the database, in `<database>.reserve`. An error is trouble with the disk; nothing depends
/// on the reserve but pruning on a full one.
pub fn keep_reserve(database: &Path) -> io::Result<()> {
    let path = place(database);
    if fs::symlink_metadata(&path).is_ok_and(|file| file.is_file() && file.len() >= BYTES) {
        return Ok(());
    }
    let made = make(&path);
    if made.is_err() {
        // Half of a reserve would only take the room that others need.
        let _ = fs::remove_file(&path);
    }
    made
}

/// Gives the reserve up; whether there was one.
#[must_use = "without reserved space there is no room to try again"]
pub fn give_reserve_up(database: &Path) -> bool {
    fs::remove_file(place(database)).is_ok()
}

fn make(path: &Path) -> io::Result<()> {
    let mut file = private::replace(path)?;
    // Written and not only made long: a file with holes takes no room. Nor are they zeros, which some file systems
    // do not store.
    let block: Vec<u8> = (0..=u8::MAX).cycle().take(64 << 10).collect();
    let mut left = BYTES;
    while left > 0 {
        file.write_all(&block)?;
        left = left.saturating_sub(block.len() as u64);
    }
    file.sync_all()
}

fn place(database: &Path) -> PathBuf {
    beside(database, ".reserve")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_once_and_given_up_once() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("revisor.db");
        assert!(!give_reserve_up(&database));
        keep_reserve(&database).unwrap();
        keep_reserve(&database).unwrap();
        assert_eq!(fs::metadata(place(&database)).unwrap().len(), BYTES);
        assert!(give_reserve_up(&database));
        assert!(!give_reserve_up(&database));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_link_in_its_place_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (database, other) = (folder.path().join("revisor.db"), folder.path().join("x"));
        fs::write(&other, vec![1; usize::try_from(BYTES).unwrap()]).unwrap();
        std::os::unix::fs::symlink(&other, place(&database)).unwrap();
        keep_reserve(&database).unwrap();
        assert!(fs::symlink_metadata(place(&database)).unwrap().is_file());
        assert_eq!(fs::read(&other).unwrap()[..3], [1; 3]);
    }
}
