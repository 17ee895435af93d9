//! What is being read at this moment, written down beside the database.
//!
//! A panic ends one piece of work and comes back as a value; a stack that overflows or memory that is used up ends the
//! process. The next start would read the same document and end again, for ever. So the address of each document is in
//! `<database>.reading` while it is read, and what stands there at a start was under way when the process ended. Twice
//! in a row may be chance no more: such a document is left alone for a day, and told as a failure.
//!
//! Memory may also be used up by many documents, of which none is to blame by itself. So the feed whose pages have the
//! most bytes in hand is noted as well, if they are many; after several ends its pages are left alone for a while.
//!
//! The file is one write for each document that is read anew and one after it, without waiting for the disk: it has to
//! outlive the process, not the machine. It is for whoever holds the [`InstanceLock`](super::InstanceLock).

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

/// Ends of the process with the same document under way, after which it is left alone.
const PATIENCE: u32 = 2;
/// How long it is left alone; then one more reading is tried.
const REST: Duration = Duration::from_hours(24);
/// Bytes of one feed's pages in hand that may use up the memory.
const CROWD: u64 = 16 << 20;
/// Ends of the process with so much of one feed in hand, after which its pages are left alone: something else may have
/// ended it.
const CROWD_PATIENCE: u32 = 3;
/// How long they are at first; twice as long each further time.
const CROWD_REST: Duration = Duration::from_hours(1);
/// A process that lives so long with them in hand is not ended by them.
const CROWD_LIVES: Duration = Duration::from_mins(10);
/// More is not read of the file, which is some lines long.
const MAX_BYTES: u64 = 1 << 20;
/// Longer addresses are told apart by their beginning.
const MAX_ADDRESS: usize = 2048;
/// What a suspicion is worth after an upgrade: nothing, the fault may be mended.
const HEAD: &str = concat!("revisor ", env!("CARGO_PKG_VERSION"));

/// What is under way; clones are the same. Without a file nothing is remembered.
#[derive(Debug, Clone, Default)]
pub struct Underway {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    file: Option<File>,
    reading: HashMap<u64, String>,
    suspects: HashMap<String, Suspect>,
    /// What is in hand of the pages of each feed.
    in_hand: HashMap<String, Crowd>,
    /// The feed that has the most, if that is much.
    worst: Option<String>,
    /// Feeds whose pages are suspected, as [`Self::suspects`].
    crowds: HashMap<String, Suspect>,
    next: u64,
}

/// Bytes in hand of the pages of one feed.
#[derive(Debug)]
struct Crowd {
    bytes: u64,
    since: Stopwatch,
}

/// What the last process left.
#[derive(Debug, Default)]
struct LeftBehind {
    suspects: HashMap<String, Suspect>,
    crowds: HashMap<String, Suspect>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Suspect {
    /// Ends of the process with this under way, in a row.
    ends: u32,
    /// The last of them, in seconds.
    since: i64,
}

impl Suspect {
    fn rest(self, now: Timestamp) -> Option<Quarantined> {
        self.rest_for(REST, PATIENCE, false, now)
    }

    /// The rest of the pages of a feed.
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
        // A clock that was set back must not make a rest of years.
        let resting = self.ends >= patience && now.since(since) < rest;
        let until = since.min(now) + rest;
        resting.then_some(Quarantined {
            ends: self.ends,
            until,
            crowd,
        })
    }
}

/// A document that is being read; its end, dropped, says that the process has come through.
#[derive(Debug)]
pub struct Mark {
    underway: Underway,
    id: u64,
}

/// Pages of one feed that are in hand, until it is dropped.
#[derive(Debug)]
pub struct InHand {
    underway: Underway,
    feed: String,
    bytes: u64,
}

/// A document, or the pages of a feed, that is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.words())]
pub struct Quarantined {
    /// Ends of the process.
    pub ends: u32,
    /// When one more reading is tried.
    pub until: Timestamp,
    /// Whether it is the pages of a feed, of which no single one is to blame.
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

/// The address of a document that is left alone, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftAlone {
    /// The address, as its feed or the configuration has it.
    pub address: String,
    /// Why and how long.
    pub rest: Quarantined,
}

impl Underway {
    /// Takes up what the last process left. Never fails: a file that cannot be read or written protects nobody, and
    /// is no reason not to start.
    #[must_use]
    pub fn open(database: &Path) -> Self {
        let path = beside(database, ".reading");
        // A link is not what the last process left.
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

    /// What another process that holds `database`, or held it last, leaves alone; nothing is written.
    #[must_use]
    pub fn of_others(database: &Path, is_held: bool) -> Self {
        let file = File::open(beside(database, ".reading")).ok();
        let mut inner = Inner::default();
        if let Some(file) = &file {
            // What a living process is reading has not ended it.
            let left = left_behind(file, !is_held);
            (inner.suspects, inner.crowds) = (left.suspects, left.crowds);
        }
        Self {
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    /// What is left alone now, by address; the pages of a feed stand under the address of the feed.
    #[must_use]
    pub fn left_alone(&self, now: Timestamp) -> Vec<LeftAlone> {
        let inner = self.lock();
        let documents = inner.suspects.iter().map(|(at, it)| (at, it.rest(now)));
        let crowds = inner.crowds.iter();
        let crowds = crowds.map(|(at, it)| (at, it.rest_of_crowd(now)));
        let mut found: Vec<LeftAlone> = documents
            .chain(crowds)
            .filter_map(|(address, rest)| {
                let address = address.clone();
                Some(LeftAlone {
                    address,
                    rest: rest?,
                })
            })
            .collect();
        found.sort_by(|one, other| one.address.cmp(&other.address));
        found
    }

    /// Whether a document is to be left alone, so that it need not even be asked for.
    pub fn may_read(&self, address: &str, now: Timestamp) -> Result<(), Quarantined> {
        let inner = self.lock();
        let suspect = inner.suspects.get(&key(address));
        suspect
            .and_then(|suspect| suspect.rest(now))
            .map_or(Ok(()), Err)
    }

    /// Whether the pages of a feed are to be left alone.
    pub fn may_have_pages(&self, feed: &str, now: Timestamp) -> Result<(), Quarantined> {
        let inner = self.lock();
        let suspect = inner.crowds.get(&key(feed));
        suspect
            .and_then(|suspect| suspect.rest_of_crowd(now))
            .map_or(Ok(()), Err)
    }

    /// Notes that so many bytes of the pages of a feed are in hand from now on.
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

    /// Notes that the document of an address is read now, unless it is one to leave alone.
    pub fn start(&self, address: &str, now: Timestamp) -> Result<Mark, Quarantined> {
        self.may_read(address, now)?;
        let mut inner = self.lock();
        let id = inner.next;
        inner.next += 1;
        inner.reading.insert(id, key(address));
        inner.write();
        Ok(Mark {
            underway: self.clone(),
            id,
        })
    }

    /// The process ends as it should: what is still under way is given up, not to blame.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.reading.clear();
        inner.worst = None;
        inner.write();
        // What ends after this has nothing more to say.
        inner.file = None;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Mark {
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
    /// Finds out which feed has the most in hand, and writes it down when that is another one.
    fn find_worst(&mut self) {
        let large = self.in_hand.iter().filter(|(_, it)| it.bytes >= CROWD);
        let worst = large.max_by_key(|(_, it)| it.bytes);
        let worst = worst.map(|(feed, _)| feed);
        if worst != self.worst.as_ref() {
            self.worst = worst.cloned();
            self.write();
        }
    }

    /// Writes the file in one go; the dot at its end tells what is left of a longer one before it.
    fn write(&mut self) {
        let Some(file) = &self.file else { return };
        let mut text = format!("{HEAD}\n");
        for (address, Suspect { ends, since }) in &self.suspects {
            let _ = writeln!(text, "suspect {ends} {since} {address}");
        }
        for address in self.reading.values() {
            let ends = self.suspects.get(address).map_or(0, |suspect| suspect.ends);
            let _ = writeln!(text, "reading {ends} 0 {address}");
        }
        for (feed, Suspect { ends, since }) in &self.crowds {
            let _ = writeln!(text, "crowd {ends} {since} {feed}");
        }
        if let Some(feed) = &self.worst {
            let before = self.crowds.get(feed);
            let (ends, since) = before.map_or((0, 0), |it| (it.ends, it.since));
            let _ = writeln!(text, "holding {ends} {since} {feed}");
        }
        text.push_str(".\n");
        // A disk that is full must not stop the reading.
        let _ = file.write_all_at(text.as_bytes(), 0);
    }
}

/// What was suspected before, and what the last process was reading, if `reading` is to be held against it.
fn left_behind(file: &File, reading: bool) -> LeftBehind {
    let mut bytes = Vec::new();
    let mut left = LeftBehind::default();
    if file.take(MAX_BYTES).read_to_end(&mut bytes).is_err() {
        return left;
    }
    // The file was written last when the reading began.
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
        let before = Suspect { ends, since };
        let again = |ends: u32| Suspect {
            ends: ends.saturating_add(1),
            since: written,
        };
        let day = i64::try_from(REST.as_secs()).unwrap_or(i64::MAX);
        // Suspicions come before what was under way in the file, so that what was read again counts.
        let (map, suspect) = match kind {
            Some("reading") if reading => (&mut left.suspects, again(ends)),
            Some("suspect") => (&mut left.suspects, before),
            // What lies further back than a day has nothing to do with it.
            Some("holding") if reading && written - since > day => (&mut left.crowds, again(0)),
            Some("holding") if reading => (&mut left.crowds, again(ends)),
            Some("crowd") => (&mut left.crowds, before),
            _ => continue,
        };
        map.insert(address.to_owned(), suspect);
    }
    left
}

/// An address as one line of bounded length.
fn key(address: &str) -> String {
    let line = address.chars().filter(|c| !c.is_control());
    line.take(MAX_ADDRESS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a document in a process that does not come through.
    fn die(database: &Path, address: &str, now: Timestamp) {
        std::mem::forget(Underway::open(database).start(address, now).unwrap());
    }

    fn ends(underway: &Underway, now: Timestamp) -> Vec<(String, u32)> {
        let left_alone = underway.left_alone(now).into_iter();
        left_alone.map(|one| (one.address, one.rest.ends)).collect()
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
        // Once may be chance, and whoever comes through is not to blame.
        let underway = Underway::open(&database);
        assert!(underway.left_alone(at).is_empty());
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
        // Others can see it, and write nothing; what a living process reads is not to blame.
        let other = Underway::of_others(&database, true);
        assert_eq!(ends(&other, written(1)), ends(&underway, written(1)));
        assert!(ends(&other, written(25)).is_empty());
        assert!(underway.start("http://a.example/good", written(1)).is_ok());
        // It outlives other starts, and after a day there is one more try.
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
        // After an hour it is tried once more; then they rest for twice as long.
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
        assert!(Underway::open(&database).left_alone(at).is_empty());
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
        // A folder that is not there.
        let nowhere = Underway::open(Path::new("/nowhere/at/all.db"));
        assert!(nowhere.start("http://a.example/", at).is_ok());
    }
}
