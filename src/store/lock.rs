//! Only one process polls at a time: it holds a lock on `<database>.lock` for as long as it lives.
//!
//! The system releases the lock however the process ends. The file remains and means nothing by itself. Commands
//! that write a row now and then do not need the lock.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::error::StoreError;
use super::private;
use super::sidecar::beside;

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(5);

/// Who requests the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The service holds it for as long as it runs.
    Service,
    /// A command holds it during its work.
    Command,
}

impl Holder {
    /// How often to try the lock while a command holds it, or another process is only checking it. The service is
    /// started once, and a command that happens to be running must not prevent that.
    fn patience(self) -> u32 {
        match self {
            Self::Service => 9000,
            Self::Command => 1000,
        }
    }
}

/// Where the service that polls with a database can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The process with this pid, in the caller's pid namespace, holds the lock.
    Process(u32),
    /// The lock is held by a process without a pid here, for example in another container.
    Elsewhere,
}

/// The right to poll with a database; released on drop.
#[derive(Debug)]
pub struct InstanceLock {
    /// Holds the lock.
    _file: File,
}

impl InstanceLock {
    /// Takes the lock, or returns an error with its holder: immediately if that is the service, or else after a
    /// while (45 s for the service, 5 s for a command).
    pub fn acquire(database: &Path, wanted_by: Holder) -> Result<Self, StoreError> {
        let path = beside(database, ".lock");
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::StorageFull => StoreError::Full {
                path: database.to_path_buf(),
            },
            _ => StoreError::io(&path, error),
        };
        let mut file = private::open(&path).map_err(failed)?;
        match try_lock_patiently(&mut file, wanted_by) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::AlreadyRunning {
                    path: database.to_path_buf(),
                    pid: read_pid(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // The lock above does not show its holder. This one does, for `service`; nothing else depends on it. It
        // would be lost if this process opened and closed the file again, which it never does.
        let _ = fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive);
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        let service = match wanted_by {
            Holder::Service => SERVICE,
            Holder::Command => "",
        };
        writeln!(file, "{}{service}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }

    /// The process that polls with this database now, if any. Leaves no lock or other trace.
    #[must_use]
    pub fn holder(database: &Path) -> Option<u32> {
        let mut file = File::open(beside(database, ".lock")).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => read_pid(&mut file),
            _ => None,
        }
    }

    /// Like [`Self::holder`], for sending a signal to the service; commands do not take signals. The number in the
    /// file is only the holder's own pid, which is a different process in another container.
    #[must_use]
    pub fn service(database: &Path) -> Option<Reach> {
        let mut file = File::open(beside(database, ".lock")).ok()?;
        match (file.try_lock_shared(), read(&mut file)) {
            (Err(TryLockError::WouldBlock), Some((_, Holder::Service))) => Some(reach(&file)),
            _ => None,
        }
    }
}

/// The holder of the lock that shows its holder.
fn reach(file: &File) -> Reach {
    let found = fcntl_getlk(file, &Flock::from(FlockType::WriteLock));
    let pid = found.ok().flatten().and_then(|lock| lock.pid);
    // Neither 0 nor a negative number is a single process: a signal to it goes to many.
    let pid = pid.and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
    pid.map_or(Reach::Elsewhere, Reach::Process)
}

/// Written after the pid of the service.
const SERVICE: &str = " service";

/// A process that queries the holder has a shared lock for a moment: microseconds, or longer on a busy machine. It
/// does not poll, so the lock is tried again. The same goes for a lock held by a command.
fn try_lock_patiently(file: &mut File, wanted_by: Holder) -> Result<(), TryLockError> {
    let mut found = 0;
    for _ in 0..wanted_by.patience() {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {}
            answer => return answer,
        }
        if read(file).is_some_and(|(_, holder)| holder == Holder::Service) {
            match file.try_lock_shared() {
                // A shared lock succeeds, so nobody holds the exclusive one, and the file is out of date.
                Ok(()) => file.unlock().map_err(TryLockError::Error)?,
                // It is also out of date in the moment before the next holder writes.
                Err(TryLockError::WouldBlock) if found < 3 => found += 1,
                Err(error) => return Err(error),
            }
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a lock of the system is waited for once, at the start, before anything else runs"
        )]
        std::thread::sleep(PAUSE);
    }
    file.try_lock()
}

/// What the holder wrote; `None` if it has not written yet.
fn read(file: &mut File) -> Option<(u32, Holder)> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    let text = text.trim();
    Some(match text.strip_suffix(SERVICE) {
        Some(pid) => (pid.parse().ok()?, Holder::Service),
        None => (text.parse().ok()?, Holder::Command),
    })
}

fn read_pid(file: &mut File) -> Option<u32> {
    read(file).map(|(pid, _)| pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_with_the_pid_until_the_first_lets_go() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("revisor.db");
        assert_eq!(InstanceLock::holder(&database), None);
        let first = InstanceLock::acquire(&database, Holder::Service).unwrap();
        assert_eq!(InstanceLock::holder(&database), Some(std::process::id()));
        // A process is not blocked by its own lock.
        assert_eq!(InstanceLock::service(&database), Some(Reach::Elsewhere));
        let error = InstanceLock::acquire(&database, Holder::Service).unwrap_err();
        assert!(
            matches!(error, StoreError::AlreadyRunning { pid: Some(pid), .. } if pid == std::process::id())
        );
        drop(first);
        assert_eq!(InstanceLock::holder(&database), None);
        drop(InstanceLock::acquire(&database, Holder::Service).unwrap());
        let _command = InstanceLock::acquire(&database, Holder::Command).unwrap();
        assert_eq!(InstanceLock::service(&database), None);
    }

    #[test]
    fn who_only_asks_keeps_nobody_from_starting() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("revisor.db");
        drop(InstanceLock::acquire(&database, Holder::Service).unwrap());
        // What `holder` does while its process waits for CPU time.
        let asking = File::open(beside(&database, ".lock")).unwrap();
        asking.try_lock_shared().unwrap();
        let starting =
            std::thread::spawn(move || InstanceLock::acquire(&database, Holder::Service));
        // Long enough to be noticed, and never too short for the test to pass.
        let (_keep, never) = std::sync::mpsc::channel::<()>();
        let _ = never.recv_timeout(Duration::from_millis(50));
        drop(asking);
        starting.join().unwrap().unwrap();
    }

    #[test]
    fn a_command_keeps_nobody_from_starting() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("revisor.db");
        // A service that has ended leaves its name in the file.
        drop(InstanceLock::acquire(&database, Holder::Service).unwrap());
        let command = InstanceLock::acquire(&database, Holder::Command).unwrap();
        let starting =
            std::thread::spawn(move || InstanceLock::acquire(&database, Holder::Service));
        let (_keep, never) = std::sync::mpsc::channel::<()>();
        let _ = never.recv_timeout(Duration::from_millis(50));
        assert!(!starting.is_finished());
        drop(command);
        starting.join().unwrap().unwrap();
    }
}
