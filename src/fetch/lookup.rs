//! Looks up names on separate threads. Callers that wait for the same name share one lookup, and its result is
//! remembered for a short time.
//!
//! The system's resolver is used (`getaddrinfo`), so `nsswitch.conf`, `/etc/hosts` and search domains apply. A call
//! cannot be cancelled: a silent name server occupies a thread for as long as `resolv.conf` says, but never one that
//! parses, serves `/readyz` or closes the database. Names that were silent before get at most half of the threads.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::failure::is_out_of_descriptors;
use crate::time::Stopwatch;

/// Limits and times.
#[derive(Debug, Clone, Copy)]
struct LookupLimits {
    /// Lookups at the same time.
    threads: usize,
    /// How long a caller waits: long enough for two dead name servers before one that responds.
    wait: Duration,
    /// If a lookup failed after this long, the name server was silent.
    silence: Duration,
    /// How long addresses are remembered; the system does not say how long they are valid.
    found: Duration,
    /// How long a failed lookup is remembered.
    missing: Duration,
    /// How long a thread waits for work.
    idle: Duration,
    /// How many names are remembered before old ones are dropped.
    names: usize,
}

const LIMITS: LookupLimits = LookupLimits {
    threads: 128,
    wait: Duration::from_secs(20),
    silence: Duration::from_secs(4),
    found: Duration::from_mins(1),
    missing: Duration::from_secs(5),
    idle: Duration::from_secs(10),
    names: 10_000,
};

/// `getaddrinfo` puts its results on the stack.
const STACK_BYTES: usize = 512 * 1024;

/// How the system is asked.
type Ask = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// Addresses, or why there are none.
type Addresses = Result<Arc<[IpAddr]>, Unresolved>;

/// Why a name has no address, for all callers.
#[derive(Debug, Clone)]
struct Unresolved {
    why: Arc<str>,
    /// The number of the system's error, if there was one.
    code: Option<i32>,
}

impl From<&str> for Unresolved {
    fn from(why: &str) -> Self {
        Self {
            why: why.into(),
            code: None,
        }
    }
}

impl From<&io::Error> for Unresolved {
    fn from(error: &io::Error) -> Self {
        Self {
            why: error.to_string().into(),
            code: error.raw_os_error(),
        }
    }
}

impl From<Unresolved> for io::Error {
    fn from(unresolved: Unresolved) -> Self {
        match unresolved.code {
            Some(code) => Self::from_raw_os_error(code),
            None => Self::other(unresolved.why.to_string()),
        }
    }
}

/// The resolver of the process; clones are the same one.
#[derive(Clone)]
pub(super) struct Lookups {
    shared: Arc<LookupState>,
}

struct LookupState {
    ask: Box<Ask>,
    limits: LookupLimits,
    state: Mutex<NameState>,
    work: Condvar,
}

#[derive(Default)]
struct NameState {
    known: HashMap<String, KnownName>,
    /// Callers that wait, by name; also before the lookup starts.
    waiting: HashMap<String, Vec<oneshot::Sender<Addresses>>>,
    queue: VecDeque<String>,
    /// Names that were silent the last time.
    slow_queue: VecDeque<String>,
    threads: usize,
    idle: usize,
    slow_running: usize,
}

/// The result of the last lookup of a name.
struct KnownName {
    answer: Addresses,
    at: Stopwatch,
    slow: bool,
}

impl Lookups {
    /// The resolver of the process: there is only one system to ask.
    pub(super) fn of_system() -> Self {
        static SYSTEM: LazyLock<Lookups> = LazyLock::new(|| {
            let ask = |host: &str| {
                let found = (host, 0).to_socket_addrs()?;
                Ok(found.map(|address| address.ip()).collect())
            };
            Lookups::new(Box::new(ask), LIMITS)
        });
        SYSTEM.clone()
    }

    fn new(ask: Box<Ask>, limits: LookupLimits) -> Self {
        Self {
            shared: Arc::new(LookupState {
                ask,
                limits,
                state: Mutex::default(),
                work: Condvar::new(),
            }),
        }
    }

    /// The addresses of a name. The future may be dropped: a lookup that has not started is skipped if no caller
    /// waits for it any more.
    pub(super) async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let limit = self.shared.limits.wait;
        let answer = match self.request(host) {
            LookupAnswer::Known(answer) => answer,
            LookupAnswer::Wait(answer) => match tokio::time::timeout(limit, answer).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err("the name lookup was aborted".into()),
                Err(_) => {
                    let message =
                        format!("no name server responded within {} s", limit.as_secs_f64());
                    return Err(io::Error::new(io::ErrorKind::TimedOut, message));
                }
            },
        };
        Ok(answer?.to_vec())
    }

    fn request(&self, host: &str) -> LookupAnswer {
        let mut state = self.shared.lock();
        let limits = &self.shared.limits;
        let mut slow = false;
        if let Some(known) = state.known.get(host) {
            if known.is_fresh(limits) {
                return LookupAnswer::Known(known.answer.clone());
            }
            slow = known.slow;
        }
        let (sender, receiver) = oneshot::channel();
        if let Some(waiting) = state.waiting.get_mut(host) {
            waiting.retain(|one| !one.is_closed());
            waiting.push(sender);
            return LookupAnswer::Wait(receiver);
        }
        state.waiting.insert(host.to_owned(), vec![sender]);
        let queue = match slow {
            true => &mut state.slow_queue,
            false => &mut state.queue,
        };
        queue.push_back(host.to_owned());
        let queued = state.queue.len() + state.slow_queue.len();
        if state.idle < queued && state.threads < limits.threads {
            self.start_thread(&mut state);
        }
        drop(state);
        self.shared.work.notify_one();
        LookupAnswer::Wait(receiver)
    }

    /// Starts another thread. If the system refuses, the existing threads do the work; if there are none, all
    /// waiting lookups fail.
    fn start_thread(&self, state: &mut NameState) {
        let shared = Arc::clone(&self.shared);
        let started = std::thread::Builder::new()
            .name("lookup".into())
            .stack_size(STACK_BYTES)
            .spawn(move || shared.work_on());
        match started {
            Ok(_) => state.threads += 1,
            Err(error) if state.threads == 0 => {
                let why = format!("cannot start a thread for name lookups: {error}");
                for (_, waiting) in state.waiting.drain() {
                    answer(waiting, &Err(why.as_str().into()));
                }
                state.queue.clear();
                state.slow_queue.clear();
            }
            Err(_) => {}
        }
    }
}

enum LookupAnswer {
    Known(Addresses),
    Wait(oneshot::Receiver<Addresses>),
}

impl KnownName {
    fn is_fresh(&self, limits: &LookupLimits) -> bool {
        let lasts = match self.answer {
            Ok(_) => limits.found,
            Err(_) => limits.missing,
        };
        self.at.elapsed() < lasts
    }
}

impl LookupState {
    fn lock(&self) -> MutexGuard<'_, NameState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a thread: it does lookups until there have been none for a while.
    fn work_on(&self) {
        let mut state = self.lock();
        loop {
            if let Some((host, slow)) = state.take(self.limits.threads / 2) {
                state.slow_running += usize::from(slow);
                drop(state);
                let known = self.look_up(&host);
                state = self.lock();
                state.slow_running -= usize::from(slow);
                let waiting = state.waiting.remove(&host).unwrap_or_default();
                answer(waiting, &known.answer);
                state.remember(host, known, &self.limits);
                continue;
            }
            state.idle += 1;
            let (next, ended) = self
                .work
                .wait_timeout(state, self.limits.idle)
                .unwrap_or_else(PoisonError::into_inner);
            state = next;
            state.idle -= 1;
            if ended.timed_out() && !state.has_work(self.limits.threads / 2) {
                state.threads -= 1;
                return;
            }
        }
    }

    fn look_up(&self, host: &str) -> KnownName {
        let watch = Stopwatch::start();
        let ask = std::panic::AssertUnwindSafe(|| (self.ask)(host));
        let answer = match std::panic::catch_unwind(ask) {
            Ok(Ok(found)) => Ok(found.into()),
            // The system's resolver hides that it could not open a file or a socket.
            Ok(Err(error)) => Err(match File::open("/dev/null") {
                Err(cause) if is_out_of_descriptors(&cause) => (&cause).into(),
                _ => (&error).into(),
            }),
            Err(_) => Err("the name lookup was aborted".into()),
        };
        KnownName {
            slow: answer.is_err() && watch.elapsed() >= self.limits.silence,
            answer,
            at: Stopwatch::start(),
        }
    }
}

impl NameState {
    /// Whether [`Self::take`] has a name to look up.
    fn has_work(&self, slow: usize) -> bool {
        !self.queue.is_empty() || (self.slow_running < slow && !self.slow_queue.is_empty())
    }

    /// The next name that a caller still waits for, and whether it was silent the last time. At most `slow` such
    /// names are looked up at the same time.
    fn take(&mut self, slow: usize) -> Option<(String, bool)> {
        loop {
            let (host, was_slow) = match self.queue.pop_front() {
                Some(host) => (host, false),
                None if self.slow_running < slow => (self.slow_queue.pop_front()?, true),
                None => return None,
            };
            let waiting = self.waiting.get(&host);
            if waiting.is_some_and(|all| all.iter().any(|one| !one.is_closed())) {
                return Some((host, was_slow));
            }
            self.waiting.remove(&host);
        }
    }

    fn remember(&mut self, host: String, known: KnownName, limits: &LookupLimits) {
        if self.known.len() >= limits.names {
            self.known.retain(|_, known| known.is_fresh(limits));
        }
        if self.known.len() < limits.names {
            self.known.insert(host, known);
        }
    }
}

fn answer(waiting: Vec<oneshot::Sender<Addresses>>, with: &Addresses) {
    for one in waiting {
        // A caller that has given up does not need it.
        let _ = one.send(with.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    /// Names that begin with `silent` are resolved only when the sender is dropped; counts the queries to the system.
    fn lookups(limits: LookupLimits) -> (Lookups, mpsc::Sender<()>, Arc<AtomicUsize>) {
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let ask = move |host: &str| {
            count.fetch_add(1, Ordering::SeqCst);
            if host.starts_with("silent") {
                let _ = held.lock().map(|held| held.recv());
                return Err(io::Error::other("no server could be reached"));
            }
            Ok(vec![IpAddr::from([192, 0, 2, 1])])
        };
        (Lookups::new(Box::new(ask), limits), release, asked)
    }

    fn quick() -> LookupLimits {
        LookupLimits {
            wait: Duration::from_millis(50),
            silence: Duration::ZERO,
            missing: Duration::ZERO,
            ..LIMITS
        }
    }

    #[tokio::test]
    async fn a_name_is_looked_up_once_for_all_who_wait_and_then_remembered() {
        let (lookups, release, asked) = lookups(LIMITS);
        let waiting: Vec<_> = (0..20)
            .map(|_| {
                let lookups = lookups.clone();
                tokio::spawn(async move { lookups.lookup("silent.example").await })
            })
            .collect();
        tokio::task::yield_now().await;
        drop(release);
        for one in waiting {
            let error = one.await.unwrap().unwrap_err();
            assert_eq!(error.to_string(), "no server could be reached");
        }
        for _ in 0..3 {
            let found = lookups.lookup("news.example").await.unwrap();
            assert_eq!(found, [IpAddr::from([192, 0, 2, 1])]);
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn silent_names_have_a_limit_of_their_own_and_keep_no_other_waiting() {
        let (lookups, release, _) = lookups(quick());
        let silent: Vec<_> = (0..100)
            .map(|number| {
                let lookups = lookups.clone();
                tokio::spawn(
                    async move { lookups.lookup(&format!("silent{number}.example")).await },
                )
            })
            .collect();
        for one in silent {
            let error = one.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert_eq!(error.to_string(), "no name server responded within 0.05 s");
        }
        // All of those threads are still busy.
        let found = tokio::time::timeout(SOON, lookups.lookup("news.example"));
        found.await.unwrap().unwrap();
        drop(release);
    }

    #[tokio::test]
    async fn what_was_given_up_before_it_began_is_not_looked_up() {
        let limits = LookupLimits {
            threads: 1,
            ..quick()
        };
        let (lookups, release, asked) = lookups(limits);
        for name in ["silent.example", "given.example", "up.example"] {
            lookups.lookup(name).await.unwrap_err();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        drop(release);
        // The thread is free again: the next name is looked up, and the two before it are not.
        let mut tries = 1;
        while lookups.lookup("news.example").await.is_err() {
            tries += 1;
        }
        // A busy machine may need several attempts, each of which may cause a lookup.
        assert!(asked.load(Ordering::SeqCst) <= 1 + tries);
        assert!(lookups.shared.lock().waiting.is_empty());
    }

    #[tokio::test]
    async fn names_that_were_silent_have_half_of_the_threads() {
        let limits = LookupLimits {
            threads: 4,
            ..quick()
        };
        let (lookups, release, _) = lookups(limits);
        for number in 0..4 {
            let host = format!("silent{number}.example");
            let known = KnownName {
                answer: Err("silent".into()),
                at: Stopwatch::start(),
                slow: true,
            };
            lookups.shared.lock().remember(host.clone(), known, &limits);
            let lookups = lookups.clone();
            tokio::spawn(async move { lookups.lookup(&host).await });
        }
        let found = tokio::time::timeout(SOON, async {
            while lookups.lookup("news.example").await.is_err() {}
        });
        found.await.unwrap();
        assert!(lookups.shared.lock().slow_running <= 2);
        drop(release);
    }
}
