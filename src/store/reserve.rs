//! A little reserved disk space for when the disk is full: deleting old data first requires writing to the
//! database.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::private;
use super::sidecar::beside;

/// The size: the log of a few thousand pages, many times what one step of pruning writes.
const BYTES: u64 = 8 << 20;

/// Keeps the reserve beside the database, in `<database>.reserve`. An error means trouble with the disk; only
/// pruning on a full disk depends on the reserve.
pub fn keep_reserve(database: &Path) -> io::Result<()> {
    let path = place(database);
    if fs::symlink_metadata(&path).is_ok_and(|file| file.is_file() && file.len() >= BYTES) {
        return Ok(());
    }
    let made = make(&path);
    if made.is_err() {
        // Half a reserve would only take space that others need.
        let _ = fs::remove_file(&path);
    }
    made
}

/// Releases the reserve; returns whether there was one.
#[must_use = "without reserved space there is no room to try again"]
pub fn give_reserve_up(database: &Path) -> bool {
    fs::remove_file(place(database)).is_ok()
}

fn make(path: &Path) -> io::Result<()> {
    let mut file = private::replace(path)?;
    // The data is written, since a file with holes takes no space. It is not zeros, which some file systems do not
    // store.
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
