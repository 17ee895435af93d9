//! The documents that are being read at this moment, recorded beside the database.
//!
//! A panic ends one piece of work and is returned as a value. A stack overflow or lack of memory ends the process.
//! The next start would read the same document and end again, forever. So the address of each document is in
//! `<database>.reading` while it is read; an address found there at a start was being read when the process ended.
//! If that happens twice in a row, it may not be chance: the document is quarantined for a day and reported as a
//! failure.
//!
//! Many documents together may also use up the memory, without any single one being to blame. So the feed whose
//! pages take the most bytes in memory is recorded as well, if they are many. After several crashes, its pages are
//! quarantined for a while.
//!
//! Reading a new document costs one write to the file before it and one after it, without waiting for the disk:
//! the file has to survive a crash of the process, not of the machine. Only the holder of the
//! [`InstanceLock`](super::InstanceLock) may use it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use super::private;
use super::sidecar::beside;
use crate::time::{Stopwatch, Timestamp};

/// Crashes while reading the same document after which it is quarantined.
const PATIENCE: u32 = 2;
/// How long it is quarantined before it is read once more.
const REST: Duration = Duration::from_hours(24);
/// Bytes of one feed's pages in memory that may exhaust it.
const CROWD: u64 = 16 << 20;
/// Crashes with this much of one feed in memory after which its pages are quarantined. Something else may have
/// caused a crash.
const CROWD_PATIENCE: u32 = 3;
/// How long they are quarantined the first time; twice as long each further time.
const CROWD_REST: Duration = Duration::from_hours(1);
/// If a process lives this long with them in memory, they do not cause its end.
const CROWD_LIVES: Duration = Duration::from_mins(10);
/// The most that is read of the file, which is normally a few lines long.
const MAX_BYTES: u64 = 1 << 20;
/// Longer addresses are distinguished by their first bytes.
const MAX_ADDRESS: usize = 2048;
/// The first line of the file. After an upgrade, suspicions do not count, since the fault may be fixed.
const HEAD: &str = concat!("revisor ", env!("CARGO_PKG_VERSION"));

/// The documents in progress; clones share them. Without a file, nothing is remembered.
#[derive(Debug, Clone, Default)]
pub struct Underway {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    file: Option<File>,
    reading: HashMap<u64, String>,
    suspects: HashMap<String, SuspectDocument>,
    /// The pages of each feed in memory.
    in_hand: HashMap<String, Crowd>,
    /// The feed with the most bytes, if they are many.
    worst: Option<String>,
    /// Feeds whose pages are suspected, in the same form as `suspects`.
    crowds: HashMap<String, SuspectDocument>,
    next: u64,
}

/// The pages of one feed in memory.
#[derive(Debug)]
struct Crowd {
    bytes: u64,
    since: Stopwatch,
}

/// The suspicions that the last process left.
#[derive(Debug, Default)]
struct LeftBehind {
    suspects: HashMap<String, SuspectDocument>,
    crowds: HashMap<String, SuspectDocument>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SuspectDocument {
    /// Consecutive crashes with this in progress.
    ends: u32,
    /// The time of the last one, in seconds.
    since: i64,
}

impl SuspectDocument {
    fn rest(self, now: Timestamp) -> Option<Quarantined> {
        self.rest_for(REST, PATIENCE, false, now)
    }

    /// The quarantine for the pages of a feed.
    fn rest_of_crowd(self, now: Timestamp) -> Option<Quarantined> {
        let times = self.ends.saturating_sub(CROWD_PATIENCE).min(8);
        let rest = REST.min(CROWD_REST * 2_u32.pow(times));
        self.rest_for(rest, CROWD_PATIENCE, true, now)
    }

    fn rest_for(
        self,
        rest: Duration,
        patience: u32,
        crowd: bool,
        now: Timestamp,
    ) -> Option<Quarantined> {
        let since = Timestamp::from_unix(self.since);
        // Setting the clock back must not turn this into a quarantine of years.
        let resting = self.ends >= patience && now.since(since) < rest;
        let until = since.min(now) + rest;
        resting.then_some(Quarantined {
            ends: self.ends,
            until,
            crowd,
        })
    }
}

/// A document that is being read. Dropping it records that the process has survived.
#[derive(Debug)]
pub struct ReadingMark {
    underway: Underway,
    id: u64,
}

/// Pages of one feed in memory, until it is dropped.
#[derive(Debug)]
pub struct InHand {
    underway: Underway,
    feed: String,
    bytes: u64,
}

/// A quarantine for a document, or for the pages of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.words())]
pub struct Quarantined {
    /// The number of crashes.
    pub ends: u32,
    /// When it is read once more.
    pub until: Timestamp,
    /// Whether it covers the pages of a feed, of which no single one is to blame.
    pub crowd: bool,
}

impl Quarantined {
    fn words(&self) -> String {
        let ends = self.ends;
        match self.crowd {
            false => format!(
                "skipped for a day: revisor crashed {ends} times while reading this; this is a bug in revisor, please \
                 report it"
            ),
            true => format!(
                "skipped for a while: revisor was killed {ends} times while reading pages of this feed; give it more \
                 memory, or lower fetch.memory"
            ),
        }
    }
}

/// The address of a quarantined document, and the quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedAddress {
    /// The address, as in its feed or the configuration.
    pub address: String,
    /// The reason and duration.
    pub rest: Quarantined,
}

impl Underway {
    /// Loads what the last process left. Never fails: a file that cannot be read or written does not protect
    /// anything, but that is not a reason to refuse to start.
    #[must_use]
    pub fn open(database: &Path) -> Self {
        let path = beside(database, ".reading");
        // A link cannot come from the last process.
        let file = match fs::symlink_metadata(&path) {
            Ok(found) if !found.is_file() => private::replace(&path),
            _ => private::open(&path),
        };
        let file = file.ok();
        let left = file.as_ref().map(|file| left_behind(file, true));
        let left = left.unwrap_or_default();
        let mut inner = Inner {
            suspects: left.suspects,
            crowds: left.crowds,
            file,
            ..Inner::default()
        };
        inner.write();
        Self {
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    /// The quarantines of another process that has `database` open, or was the last to have it open. Does not
    /// write.
    #[must_use]
    pub fn of_others(database: &Path, is_held: bool) -> Self {
        let file = File::open(beside(database, ".reading")).ok();
        let mut inner = Inner::default();
        if let Some(file) = &file {
            // A process that is still alive has not crashed on what it is reading.
            let left = left_behind(file, !is_held);
            (inner.suspects, inner.crowds) = (left.suspects, left.crowds);
        }
        Self {
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    /// The current quarantines by address; those for the pages of a feed have the address of the feed.
    #[must_use]
    pub fn quarantined(&self, now: Timestamp) -> Vec<QuarantinedAddress> {
        let inner = self.lock();
        let documents = inner.suspects.iter().map(|(at, it)| (at, it.rest(now)));
        let crowds = inner.crowds.iter();
        let crowds = crowds.map(|(at, it)| (at, it.rest_of_crowd(now)));
        let mut found: Vec<QuarantinedAddress> = documents
            .chain(crowds)
            .filter_map(|(address, rest)| {
                let address = address.clone();
                Some(QuarantinedAddress {
                    address,
                    rest: rest?,
                })
            })
            .collect();
        found.sort_by(|one, other| one.address.cmp(&other.address));
        found
    }

    /// Returns an error if a document is quarantined, so that it need not even be fetched.
    pub fn may_read(&self, address: &str, now: Timestamp) -> Result<(), Quarantined> {
        let inner = self.lock();
        let suspect = inner.suspects.get(&key(address));
        suspect
            .and_then(|suspect| suspect.rest(now))
            .map_or(Ok(()), Err)
    }

    /// Returns an error if the pages of a feed are quarantined.
    pub fn may_have_pages(&self, feed: &str, now: Timestamp) -> Result<(), Quarantined> {
        let inner = self.lock();
        let suspect = inner.crowds.get(&key(feed));
        suspect
            .and_then(|suspect| suspect.rest_of_crowd(now))
            .map_or(Ok(()), Err)
    }

    /// Records that this many more bytes of a feed's pages are in memory.
    #[must_use]
    pub fn have(&self, feed: &str, bytes: u64) -> InHand {
        let feed = key(feed);
        let mut inner = self.lock();
        let crowd = inner.in_hand.entry(feed.clone()).or_insert_with(|| Crowd {
            bytes: 0,
            since: Stopwatch::start(),
        });
        crowd.bytes += bytes;
        inner.find_worst();
        InHand {
            underway: self.clone(),
            feed,
            bytes,
        }
    }

    /// Records that the document at an address is being read, unless it is quarantined.
    pub fn start(&self, address: &str, now: Timestamp) -> Result<ReadingMark, Quarantined> {
        self.may_read(address, now)?;
        let mut inner = self.lock();
        let id = inner.next;
        inner.next += 1;
        inner.reading.insert(id, key(address));
        inner.write();
        Ok(ReadingMark {
            underway: self.clone(),
            id,
        })
    }

    /// The process ends normally: documents in progress are abandoned, not to blame.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.reading.clear();
        inner.worst = None;
        inner.write();
        // Anything that ends after this is not recorded any more.
        inner.file = None;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ReadingMark {
    fn drop(&mut self) {
        let mut inner = self.underway.lock();
        if let Some(address) = inner.reading.remove(&self.id) {
            inner.suspects.remove(&address);
        }
        inner.write();
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        let mut inner = self.underway.lock();
        let Some(crowd) = inner.in_hand.get_mut(&self.feed) else {
            return;
        };
        crowd.bytes = crowd.bytes.saturating_sub(self.bytes);
        let (is_empty, lived) = (crowd.bytes == 0, crowd.since.elapsed());
        if is_empty {
            inner.in_hand.remove(&self.feed);
        }
        if lived >= CROWD_LIVES && inner.crowds.remove(&self.feed).is_some() {
            inner.write();
        }
        inner.find_worst();
    }
}

impl Inner {
    /// Finds the feed with the most bytes in memory, and records it if it has changed.
    fn find_worst(&mut self) {
        let large = self.in_hand.iter().filter(|(_, it)| it.bytes >= CROWD);
        let worst = large.max_by_key(|(_, it)| it.bytes);
        let worst = worst.map(|(feed, _)| feed);
        if worst != self.worst.as_ref() {
            self.worst = worst.cloned();
            self.write();
        }
    }

    /// Writes the file in one go. The dot at its end marks where the remains of a longer file begin.
    fn write(&mut self) {
        let Some(file) = &self.file else { return };
        let mut text = format!("{HEAD}\n");
        for (address, SuspectDocument { ends, since }) in &self.suspects {
            let _ = writeln!(text, "suspect {ends} {since} {address}");
        }
        for address in self.reading.values() {
            let ends = self.suspects.get(address).map_or(0, |suspect| suspect.ends);
            let _ = writeln!(text, "reading {ends} 0 {address}");
        }
        for (feed, SuspectDocument { ends, since }) in &self.crowds {
            let _ = writeln!(text, "crowd {ends} {since} {feed}");
        }
        if let Some(feed) = &self.worst {
            let before = self.crowds.get(feed);
            let (ends, since) = before.map_or((0, 0), |it| (it.ends, it.since));
            let _ = writeln!(text, "holding {ends} {since} {feed}");
        }
        text.push_str(".\n");
        // A full disk must not prevent reading.
        let _ = file.write_all_at(text.as_bytes(), 0);
    }
}

/// Earlier suspicions, and the documents that the last process was reading, if `reading` says that those count.
fn left_behind(file: &File, reading: bool) -> LeftBehind {
    let mut bytes = Vec::new();
    let mut left = LeftBehind::default();
    if file.take(MAX_BYTES).read_to_end(&mut bytes).is_err() {
        return left;
    }
    // The file was last written when reading started.
    let written = file.metadata().and_then(|about| about.modified()).ok();
    let written = written.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let written = written.map_or(0, |at| i64::try_from(at.as_secs()).unwrap_or(0));
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        return left;
    }
    for line in lines.take_while(|line| *line != ".") {
        let mut words = line.splitn(4, ' ');
        let (kind, ends, since) = (words.next(), words.next(), words.next());
        let ends: u32 = ends.and_then(|word| word.parse().ok()).unwrap_or(0);
        let since = since.and_then(|word| word.parse().ok()).unwrap_or(0);
        let Some(address) = words.next() else {
            continue;
        };
        let before = SuspectDocument { ends, since };
        let again = |ends: u32| SuspectDocument {
            ends: ends.saturating_add(1),
            since: written,
        };
        let day = i64::try_from(REST.as_secs()).unwrap_or(i64::MAX);
        // In the file, suspicions come before documents in progress, so that a document that was read again
        // counts.
        let (map, suspect) = match kind {
            Some("reading") if reading => (&mut left.suspects, again(ends)),
            Some("suspect") => (&mut left.suspects, before),
            // Crashes more than a day before this one have nothing to do with it.
            Some("holding") if reading && written - since > day => (&mut left.crowds, again(0)),
            Some("holding") if reading => (&mut left.crowds, again(ends)),
            Some("crowd") => (&mut left.crowds, before),
            _ => continue,
        };
        map.insert(address.to_owned(), suspect);
    }
    left
}

/// An address as one line of limited length.
fn key(address: &str) -> String {
    let line = address.chars().filter(|c| !c.is_control());
    line.take(MAX_ADDRESS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a document in a process that crashes.
    fn die(database: &Path, address: &str, now: Timestamp) {
        std::mem::forget(Underway::open(database).start(address, now).unwrap());
    }

    fn ends(underway: &Underway, now: Timestamp) -> Vec<(String, u32)> {
        let quarantined = underway.quarantined(now).into_iter();
        quarantined
            .map(|one| (one.address, one.rest.ends))
            .collect()
    }

    #[test]
    fn what_ends_the_process_twice_is_left_alone_for_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("revisor.db");
        let written = |hours: u64| {
            let about = fs::metadata(folder.path().join("revisor.db.reading")).unwrap();
            let at = about
                .modified()
                .unwrap()
                .duration_since(UNIX_EPOCH)
                .unwrap();
            Timestamp::from_unix(i64::try_from(at.as_secs()).unwrap()) + Duration::from_hours(hours)
        };
        let at = Timestamp::from_unix(0);
        die(&database, "http://a.example/bad", at);
        // A single crash may be chance, and a document that was read to the end is not to blame.
        let underway = Underway::open(&database);
        assert!(underway.quarantined(at).is_empty());
        drop(underway.start("http://a.example/bad", at).unwrap());
        die(&database, "http://a.example/bad", at);
        die(&database, "http://a.example/bad\n", at);
        let underway = Underway::open(&database);
        assert_eq!(
            ends(&underway, written(1)),
            [("http://a.example/bad".to_owned(), 2)]
        );
        let refused = underway.start("http://a.example/bad", written(1));
        let rest = refused.unwrap_err();
        assert_eq!(rest.ends, 2);
        assert!(written(23) < rest.until && rest.until <= written(24));
        // Other programs can see it without writing anything; a document that a living process is reading is not to
        // blame.
        let other = Underway::of_others(&database, true);
        assert_eq!(ends(&other, written(1)), ends(&underway, written(1)));
        assert!(ends(&other, written(25)).is_empty());
        assert!(underway.start("http://a.example/good", written(1)).is_ok());
        // The block survives other starts, and after a day there is one more attempt.
        let underway = Underway::open(&database);
        assert!(underway.start("http://a.example/bad", written(1)).is_err());
        die(&database, "http://a.example/bad", written(25));
        let living = Underway::of_others(&database, true);
        assert!(ends(&living, written(25)).is_empty());
        let dead = Underway::of_others(&database, false);
        assert_eq!(ends(&dead, written(1))[0].1, 3);
        assert_eq!(ends(&Underway::open(&database), written(1))[0].1, 3);
        drop(Underway::open(&database).start("http://a.example/bad", written(25)));
        assert!(ends(&Underway::open(&database), at).is_empty());
    }

    #[test]
    fn the_feed_whose_pages_are_in_hand_at_several_ends_is_left_alone_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("revisor.db");
        let now =
            Timestamp::from_unix(i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap());
        let (crowd, small) = ("http://a.example/feed", "http://b.example/feed");
        let die = || {
            let underway = Underway::open(&database);
            for _ in 0..3 {
                std::mem::forget(underway.have(crowd, CROWD / 2));
                std::mem::forget(underway.have(small, CROWD / 4));
            }
        };
        for _ in 0..CROWD_PATIENCE {
            assert!(Underway::open(&database).may_have_pages(crowd, now).is_ok());
            die();
        }
        let underway = Underway::open(&database);
        let rest = underway.may_have_pages(crowd, now).unwrap_err();
        assert!(rest.crowd && rest.ends == CROWD_PATIENCE);
        assert!(rest.to_string().contains("pages of this feed"), "{rest}");
        assert!(underway.may_have_pages(small, now).is_ok());
        assert!(
            underway.may_read(crowd, now).is_ok(),
            "the feed itself is read"
        );
        let other = Underway::of_others(&database, true);
        assert_eq!(ends(&other, now), [(crowd.to_owned(), CROWD_PATIENCE)]);
        // After an hour there is one more attempt; after that they rest twice as long.
        let later = now + CROWD_REST + Duration::from_mins(1);
        assert!(underway.may_have_pages(crowd, later).is_ok());
        drop(underway);
        die();
        let underway = Underway::open(&database);
        assert!(underway.may_have_pages(crowd, later).is_err());
        assert!(underway.may_have_pages(crowd, now + CROWD_REST * 3).is_ok());
    }

    #[test]
    fn who_has_little_in_hand_or_comes_through_is_not_to_blame() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("revisor.db");
        let at = Timestamp::from_unix(0);
        for _ in 0..2 * CROWD_PATIENCE {
            let underway = Underway::open(&database);
            let held = [
                underway.have("http://a.example/", CROWD),
                underway.have("http://a.example/", 1),
            ];
            drop(held);
            std::mem::forget(underway.have("http://a.example/", CROWD - 1));
        }
        for _ in 0..2 * CROWD_PATIENCE {
            let underway = Underway::open(&database);
            std::mem::forget(underway.have("http://a.example/", CROWD));
            underway.close();
        }
        assert!(Underway::open(&database).lock().crowds.is_empty());
        assert!(Underway::open(&database).quarantined(at).is_empty());
    }

    #[test]
    fn a_stop_blames_nobody_and_neither_does_another_version() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("revisor.db");
        let at = Timestamp::from_unix(0);
        for _ in 0..3 {
            let underway = Underway::open(&database);
            let mark = underway.start("http://a.example/", at).unwrap();
            underway.close();
            std::mem::forget(mark);
        }
        assert!(ends(&Underway::open(&database), at).is_empty());
        let file = folder.path().join("revisor.db.reading");
        for text in [
            "revisor 0.0.0\nsuspect 7 0 http://a.example/\n.\n",
            "\u{0}\u{1}",
            "revisor",
        ] {
            fs::write(&file, text).unwrap();
            assert!(ends(&Underway::open(&database), at).is_empty());
        }
        // A folder that does not exist.
        let nowhere = Underway::open(Path::new("/nowhere/at/all.db"));
        assert!(nowhere.start("http://a.example/", at).is_ok());
    }
}
