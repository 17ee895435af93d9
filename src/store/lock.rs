//! One process polls at a time: a lock on `<database>.lock`, held as long as the process lives.
//!
//! The lock is the system's, so it goes with the process however that ends; the file stays and means nothing by
//! itself. Commands that write a row now and then do not need it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::StoreError;

/// How often the lock is tried while it is only asked about, and the pause in between: five seconds in all.
const PATIENCE: u32 = 1000;
const PAUSE: Duration = Duration::from_millis(5);

/// The right to poll with a database; given back on drop.
#[derive(Debug)]
pub struct InstanceLock {
    /// Keeps the lock.
    _file: File,
}

impl InstanceLock {
    /// Takes the lock, or says who has it.
    pub fn acquire(database: &Path) -> Result<Self, StoreError> {
        let path = lock_path(database);
        let failed = |error: std::io::Error| StoreError::io(&path, error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match try_lock_patiently(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::AlreadyRunning {
                    path: database.to_path_buf(),
                    pid: read_pid(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }

    /// The process that polls with this database now, if any. Takes nothing and leaves no trace.
    #[must_use]
    pub fn holder(database: &Path) -> Option<u32> {
        let mut file = File::open(lock_path(database)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => read_pid(&mut file),
            _ => None,
        }
    }
}

/// Somebody who asks for the holder has a shared lock meanwhile: for microseconds, or for as long as a busy machine
/// lets him wait for his turn. That is no other daemon: with a shared lock as well, both would have one.
fn try_lock_patiently(file: &File) -> Result<(), TryLockError> {
    let mut tries = 0;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if tries < PATIENCE => {}
            answer => return answer,
        }
        file.try_lock_shared()?;
        file.unlock().map_err(TryLockError::Error)?;
        tries += 1;
        #[expect(
            clippy::disallowed_methods,
            reason = "a lock of the system is waited for once, at the start, before anything else runs"
        )]
        std::thread::sleep(PAUSE);
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(".lock");
    PathBuf::from(name)
}

/// The pid that the holder wrote; `None` in the moment before it has.
fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_with_the_pid_until_the_first_lets_go() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("revisor.db");
        assert_eq!(InstanceLock::holder(&database), None);
        let first = InstanceLock::acquire(&database).unwrap();
        assert_eq!(InstanceLock::holder(&database), Some(std::process::id()));
        let error = InstanceLock::acquire(&database).unwrap_err();
        assert!(
            matches!(error, StoreError::AlreadyRunning { pid: Some(pid), .. } if pid == std::process::id())
        );
        drop(first);
        assert_eq!(InstanceLock::holder(&database), None);
        drop(InstanceLock::acquire(&database).unwrap());
    }

    #[test]
    fn who_only_asks_keeps_nobody_from_starting() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("revisor.db");
        drop(InstanceLock::acquire(&database).unwrap());
        // As `holder` has it while its process waits for a turn on the processor.
        let asking = File::open(lock_path(&database)).unwrap();
        asking.try_lock_shared().unwrap();
        let starting = std::thread::spawn(move || InstanceLock::acquire(&database));
        // Long enough to be seen, and never too short for the test to hold.
        let (_keep, never) = std::sync::mpsc::channel::<()>();
        let _ = never.recv_timeout(Duration::from_millis(50));
        drop(asking);
        starting.join().unwrap().unwrap();
    }
}
