//! One process polls at a time: a lock on `<database>.lock`, held as long as the process lives.
//!
//! The lock is the system's, so it goes with the process however that ends; the file stays and means nothing by
//! itself. Commands that write a row now and then do not need it.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::error::StoreError;
use super::private;
use super::sidecar::beside;

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(5);

/// Who wants the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The service: has it for as long as it runs.
    Service,
    /// A command: has it for its work.
    Command,
}

impl Holder {
    /// How often the lock is tried while a command has it, or somebody only asks. The service is started once, and a
    /// command that happens to run then must not keep it down.
    fn patience(self) -> u32 {
        match self {
            Self::Service => 9000,
            Self::Command => 1000,
        }
    }
}

/// Where the service is that polls with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The process with this number has the lock: the system says so, by the numbers of whoever asks.
    Process(u32),
    /// Some process has it that cannot be named from here, of another container say.
    Elsewhere,
}

/// The right to poll with a database; given back on drop.
#[derive(Debug)]
pub struct InstanceLock {
    /// Keeps the lock.
    _file: File,
}

impl InstanceLock {
    /// Takes the lock, or says who has it: at once when that is the service, else after a while (45 s for the service, 5 s
    /// for a command).
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
        // The lock above has no name. This one has, for `service`; where there is none, nothing else is missing. It is
        // lost when this process opens and closes the file once more, which it never does.
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

    /// The process that polls with this database now, if any. Takes nothing and leaves no trace.
    #[must_use]
    pub fn holder(database: &Path) -> Option<u32> {
        let mut file = File::open(beside(database, ".lock")).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => read_pid(&mut file),
            _ => None,
        }
    }

    /// As [`Self::holder`], for whoever wants to send it a signal: when it is the service, since a command takes none.
    /// The number in the file is only what the holder calls itself: in another container it is another process.
    #[must_use]
    pub fn service(database: &Path) -> Option<Reach> {
        let mut file = File::open(beside(database, ".lock")).ok()?;
        match (file.try_lock_shared(), read(&mut file)) {
            (Err(TryLockError::WouldBlock), Some((_, Holder::Service))) => Some(reach(&file)),
            _ => None,
        }
    }
}

/// Who has the lock that has a name.
fn reach(file: &File) -> Reach {
    let found = fcntl_getlk(file, &Flock::from(FlockType::WriteLock));
    let pid = found.ok().flatten().and_then(|lock| lock.pid);
    // Neither 0 nor a negative number is a process: a signal to one of those goes to many.
    let pid = pid.and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
    pid.map_or(Reach::Elsewhere, Reach::Process)
}

/// What stands behind the pid of the service.
const SERVICE: &str = " service";

/// Somebody who asks for the holder has a shared lock meanwhile: for microseconds, or for as long as a busy machine
/// lets him wait for his turn. That is nobody who polls, and the lock is tried again; so it is while a command has it.
fn try_lock_patiently(file: &mut File, wanted_by: Holder) -> Result<(), TryLockError> {
    let mut found = 0;
    for _ in 0..wanted_by.patience() {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {}
            answer => return answer,
        }
        if read(file).is_some_and(|(_, holder)| holder == Holder::Service) {
            match file.try_lock_shared() {
                // Both have one: nobody has the other, and what is written is old.
                Ok(()) => file.unlock().map_err(TryLockError::Error)?,
                // Nor is it new in the moment before the next holder writes.
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

/// What the holder wrote; `None` in the moment before it has.
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
        // To itself a process is not in its way.
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
        // As `holder` has it while its process waits for a turn on the processor.
        let asking = File::open(beside(&database, ".lock")).unwrap();
        asking.try_lock_shared().unwrap();
        let starting =
            std::thread::spawn(move || InstanceLock::acquire(&database, Holder::Service));
        // Long enough to be seen, and never too short for the test to hold.
        let (_keep, never) = std::sync::mpsc::channel::<()>();
        let _ = never.recv_timeout(Duration::from_millis(50));
        drop(asking);
        starting.join().unwrap().unwrap();
    }

    #[test]
    fn a_command_keeps_nobody_from_starting() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("revisor.db");
        // A service that has ended leaves its name.
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
