use proptest::prelude::*;

use super::*;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn pop(queue: &mut HostQueue<u32>, now: u64) -> Option<(String, u32)> {
    queue
        .pop_ready(ms(now))
        .map(|start| (start.host.to_string(), start.job))
}

#[test]
fn hosts_take_turns_and_jobs_of_a_host_keep_their_order() {
    let mut queue = HostQueue::new(1, Duration::ZERO, usize::MAX);
    for job in 0..6 {
        queue.push(if job < 4 { "a" } else { "b" }, Lane::Feed, job);
    }
    let mut order = Vec::new();
    while let Some((host, job)) = pop(&mut queue, 5) {
        order.push(job);
        queue.done(&host, Lane::Feed, ms(5));
    }
    assert_eq!(order, [0, 4, 1, 5, 2, 3]);
}

#[test]
fn a_host_is_left_alone_from_start_to_start_and_until_the_end() {
    let mut queue = HostQueue::new(1, ms(1000), usize::MAX);
    for job in 1..4 {
        queue.push("a", Lane::Feed, job);
    }
    assert_eq!(pop(&mut queue, 0), Some(("a".into(), 1)));
    assert_eq!(pop(&mut queue, 5000), None);
    assert_eq!(queue.next_ready_at(), None);
    queue.done("a", Lane::Feed, ms(5000));
    assert_eq!(pop(&mut queue, 5000), Some(("a".into(), 2)));
    queue.done("a", Lane::Feed, ms(5100));
    assert_eq!(queue.next_ready_at(), Some(ms(6000)));
    assert_eq!(pop(&mut queue, 5999), None);
    assert_eq!(pop(&mut queue, 6000), Some(("a".into(), 3)));
    queue.done("a", Lane::Feed, ms(6100));
    assert!(queue.is_empty());
    // The pause is kept even if nothing was waiting when it started.
    queue.push("a", Lane::Feed, 4);
    assert_eq!(pop(&mut queue, 6999), None);
    assert_eq!(pop(&mut queue, 7000), Some(("a".into(), 4)));
}

#[test]
fn the_limit_over_all_hosts_is_given_out_in_the_order_of_asking() {
    let mut queue = HostQueue::new(1, Duration::ZERO, 2);
    for (job, host) in ["a", "b", "c", "d"].into_iter().enumerate() {
        queue.push(host, Lane::Feed, u32::try_from(job).unwrap());
    }
    assert_eq!(pop(&mut queue, 0), Some(("a".into(), 0)));
    assert_eq!(pop(&mut queue, 0), Some(("b".into(), 1)));
    assert_eq!((pop(&mut queue, 0), queue.next_ready_at()), (None, None));
    queue.done("b", Lane::Feed, ms(1));
    assert_eq!(pop(&mut queue, 1), Some(("c".into(), 2)));
    queue.set_limits(1, Duration::ZERO, 3);
    assert_eq!(pop(&mut queue, 1), Some(("d".into(), 3)));
    queue.push("e", Lane::Feed, 4);
    queue.set_limits(1, Duration::ZERO, 1);
    queue.done("a", Lane::Feed, ms(1));
    queue.done("c", Lane::Feed, ms(1));
    assert_eq!(pop(&mut queue, 1), None);
    queue.done("d", Lane::Feed, ms(1));
    assert_eq!(pop(&mut queue, 1), Some(("e".into(), 4)));
}

#[test]
fn who_gives_up_leaves_no_trace() {
    let mut queue = HostQueue::new(1, ms(1000), usize::MAX);
    let first = queue.push("a", Lane::Feed, 1);
    queue.push("a", Lane::Feed, 2);
    assert_eq!(queue.cancel("a", first), Some(1));
    assert_eq!(queue.cancel("a", first), None);
    let start = queue.pop_ready(ms(10)).unwrap();
    assert_eq!(start.job, 2);
    queue.push("a", Lane::Feed, 3);
    queue.take_back("a", start.lane, start.pause);
    let start = queue.pop_ready(ms(10)).unwrap();
    assert_eq!(start.job, 3);
    // A hold that was set in the meantime stays.
    queue.hold_until("a", ms(5000));
    queue.take_back("a", start.lane, start.pause);
    let alone = queue.push("a", Lane::Feed, 4);
    assert_eq!(queue.next_ready_at(), Some(ms(5000)));
    assert_eq!(queue.cancel("a", alone), Some(4));
    queue.done("a", Lane::Feed, ms(5000));
    queue.forget(ms(5000));
    assert!(queue.hosts.is_empty());
    assert!(queue.is_empty() && queue.feeds.is_empty() && queue.resting.is_empty());
}

#[test]
fn starts_are_apart_when_several_may_run() {
    let mut queue = HostQueue::new(2, ms(10), usize::MAX);
    for job in 0..3 {
        queue.push("a", Lane::Feed, job);
    }
    assert!(pop(&mut queue, 0).is_some());
    assert!(pop(&mut queue, 9).is_none());
    assert!(pop(&mut queue, 10).is_some());
    assert!(pop(&mut queue, 100).is_none());
    assert_eq!((queue.waiting(), queue.running()), (1, 2));
}

#[test]
fn a_held_host_waits_and_the_others_do_not() {
    let mut queue = HostQueue::new(1, Duration::ZERO, usize::MAX);
    queue.push("a", Lane::Feed, 1);
    queue.hold_until("a", ms(60_000));
    queue.push("b", Lane::Feed, 2);
    assert_eq!(pop(&mut queue, 0), Some(("b".into(), 2)));
    assert_eq!(pop(&mut queue, 0), None);
    assert_eq!(queue.next_ready_at(), Some(ms(60_000)));
    // A shorter hold does not replace a longer one, and a hold on a host without jobs is remembered.
    queue.hold_until("a", ms(1));
    queue.hold_until("c", ms(70_000));
    queue.push("c", Lane::Feed, 3);
    assert_eq!(pop(&mut queue, 60_000), Some(("a".into(), 1)));
    assert_eq!(pop(&mut queue, 60_000), None);
    assert_eq!(pop(&mut queue, 70_000), Some(("c".into(), 3)));
}

#[test]
fn hosts_without_anything_to_do_are_forgotten() {
    let mut queue = HostQueue::new(1, ms(10), usize::MAX);
    for job in 0..1000 {
        let host = format!("h{job}");
        queue.push(&host, Lane::Feed, job);
        assert!(pop(&mut queue, u64::from(job)).is_some());
        queue.done(&host, Lane::Feed, ms(u64::from(job)));
    }
    assert!(queue.hosts.len() <= 12, "{}", queue.hosts.len());
    queue.done("never started", Lane::Feed, ms(0));
    assert!(queue.is_empty());
}

#[test]
fn tens_of_thousands_of_jobs_are_cheap() {
    let mut queue = HostQueue::new(1, ms(1), usize::MAX);
    for job in 0..50_000_u32 {
        queue.push(&format!("h{}", job % 20_000), Lane::Feed, job);
    }
    let mut now = 0;
    let mut taken = 0;
    while !queue.is_empty() {
        while let Some(start) = queue.pop_ready(ms(now)) {
            taken += 1;
            queue.done(&start.host, Lane::Feed, ms(now));
        }
        now += 1;
    }
    assert_eq!((taken, now), (50_000, 3));
}

#[test]
fn the_key_of_a_host_is_its_name() {
    for (url, key) in [
        ("https://News.Example:8443/a?b", "news.example"),
        ("http://news.example./", "news.example"),
        ("http://0x7f.1/", "127.0.0.1"),
        ("http://[::1]:80/", "[::1]"),
        ("nonsense", "nonsense"),
        ("mailto:a@b.example", "mailto:a@b.example"),
    ] {
        assert_eq!(host_key(url), key);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Push(u8, u8),
    Pop,
    Done(usize),
    TakeBack(usize),
    Cancel(usize),
    Hold(u8, u16),
    Limits(usize, u8, usize),
    Wait(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..5_u8, 0..4_u8).prop_map(|(host, lane)| Step::Push(host, lane)),
        4 => Just(Step::Pop),
        3 => (0..8_usize).prop_map(Step::Done),
        1 => (0..8_usize).prop_map(Step::TakeBack),
        1 => (0..8_usize).prop_map(Step::Cancel),
        1 => (0..5_u8, 0..500_u16).prop_map(|(host, wait)| Step::Hold(host, wait)),
        1 => (0..4_usize, 0..100_u8, 0..6_usize).prop_map(|(a, b, c)| Step::Limits(a, b, c)),
        2 => (0..200_u16).prop_map(Step::Wait),
    ]
}

/// A running job: its host, its lane, and its pause.
type Running = (Arc<str>, Lane, Pause);

proptest! {
    #[test]
    fn limits_hold_and_every_job_comes_out_once(
        steps in proptest::collection::vec(step(), 0..200),
        per_host in 1..4_usize,
        delay in 0..100_u64,
        concurrency in 1..16_usize,
    ) {
        let (mut per_host, mut delay, mut concurrency) = (per_host, delay, concurrency);
        let mut queue = HostQueue::new(per_host, ms(delay), concurrency);
        let mut now = 0_u64;
        let mut running: Vec<(Arc<str>, Lane, Pause)> = Vec::new();
        let mut waiting: Vec<(String, Lane, Ticket)> = Vec::new();
        // The model knows when a host is free again; after a start that was taken back, that is only a lower bound.
        let mut free_at: HashMap<String, u64> = HashMap::new();
        let (mut pushed, mut popped) = (0_u32, Vec::new());
        for step in steps {
            match step {
                Step::Push(host, lane) => {
                    let host = format!("h{host}");
                    let lane = match lane {
                        0 => Lane::Feed,
                        feed => Lane::Page(u64::from(feed)),
                    };
                    let ticket = queue.push(&host, lane, pushed);
                    waiting.push((host, lane, ticket));
                    pushed += 1;
                }
                Step::Pop => {
                    let ready = queue.next_ready_at().is_some_and(|at| at <= ms(now));
                    let Some(start) = queue.pop_ready(ms(now)) else {
                        // The ready jobs had too many running pages of their feed, and are parked now.
                        prop_assert!(queue.next_ready_at().is_none_or(|at| at > ms(now)));
                        continue;
                    };
                    prop_assert!(ready);
                    prop_assert!(running.len() < concurrency);
                    let count = |of: &dyn Fn(&Running) -> bool| {
                        running.iter().filter(|job| of(job)).count()
                    };
                    prop_assert!(count(&|(host, _, _)| *host == start.host) < per_host);
                    if start.lane != Lane::Feed {
                        let for_feeds = (concurrency / 4).max(usize::from(concurrency > 1));
                        let pages = count(&|(_, lane, _)| *lane != Lane::Feed);
                        prop_assert!(pages < concurrency - for_feeds);
                        let share = (concurrency - for_feeds).div_ceil(4).max(4);
                        prop_assert!(count(&|(_, lane, _)| *lane == start.lane) < share);
                        let is_feed = |(host, lane, _): &(String, Lane, Ticket)| {
                            **host == *start.host && *lane == Lane::Feed
                        };
                        prop_assert!(!waiting.iter().any(is_feed), "feeds come first at their host");
                    }
                    prop_assert!(free_at.get(&*start.host).is_none_or(|at| *at <= now));
                    // First in, first out for each host and feed.
                    let first = waiting
                        .iter()
                        .position(|(host, lane, _)| **host == *start.host && *lane == start.lane);
                    prop_assert!(first.is_some());
                    waiting.remove(first.unwrap_or_default());
                    free_at.insert(start.host.to_string(), now + delay);
                    running.push((start.host, start.lane, start.pause));
                    popped.push(start.job);
                }
                Step::Done(index) if !running.is_empty() => {
                    let (host, lane, _) = running.swap_remove(index % running.len());
                    queue.done(&host, lane, ms(now));
                }
                Step::TakeBack(index) if !running.is_empty() => {
                    let (host, lane, pause) = running.swap_remove(index % running.len());
                    queue.take_back(&host, lane, pause);
                    free_at.remove(&*host);
                }
                Step::Cancel(index) if !waiting.is_empty() => {
                    let (host, _, ticket) = waiting.remove(index % waiting.len());
                    let job = queue.cancel(&host, ticket);
                    prop_assert!(job.is_some());
                    prop_assert!(queue.cancel(&host, ticket).is_none());
                    popped.extend(job);
                }
                Step::Done(_) | Step::TakeBack(_) | Step::Cancel(_) => {}
                Step::Hold(host, wait) => {
                    let until = now + u64::from(wait);
                    queue.hold_until(&format!("h{host}"), ms(until));
                    let at = free_at.entry(format!("h{host}")).or_default();
                    *at = (*at).max(until);
                }
                Step::Limits(host, pause, all) => {
                    queue.set_limits(host, ms(u64::from(pause)), all);
                    (per_host, delay, concurrency) = (host.max(1), u64::from(pause), all.max(1));
                }
                Step::Wait(wait) => now += u64::from(wait),
            }
            prop_assert_eq!((queue.waiting(), queue.running()), (waiting.len(), running.len()));
        }
        for (host, lane, _) in running.drain(..) {
            queue.done(&host, lane, ms(now));
        }
        while queue.waiting() > 0 {
            let at = queue.next_ready_at();
            prop_assert!(at.is_some(), "jobs wait for nothing");
            let at = at.unwrap_or_default().max(ms(now));
            let Some(start) = queue.pop_ready(at) else {
                return Err(TestCaseError::fail("the moment named gives nothing"));
            };
            queue.done(&start.host, start.lane, at);
            popped.push(start.job);
        }
        popped.sort_unstable();
        prop_assert_eq!(popped, (0..pushed).collect::<Vec<_>>());
        prop_assert!(queue.is_empty());
        queue.forget(Duration::MAX);
        prop_assert!(queue.hosts.is_empty() && queue.shares.is_empty());
    }
}

/// Starts all jobs that can start now.
fn start_all(queue: &mut HostQueue<u32>) -> Vec<(Arc<str>, Lane)> {
    let start = |queue: &mut HostQueue<u32>| queue.pop_ready(Duration::ZERO);
    std::iter::from_fn(|| start(queue).map(|start| (start.host, start.lane))).collect()
}

#[test]
fn pages_leave_places_to_feeds_and_those_of_one_feed_to_those_of_others() {
    let mut queue = HostQueue::new(1, Duration::ZERO, 64);
    for job in 0..2000 {
        queue.push(&format!("page{job}"), Lane::Page(1), job);
    }
    let of_one = start_all(&mut queue);
    assert_eq!(of_one.len(), 12, "a quarter of what feeds leave");
    for job in 0..2000 {
        queue.push(
            &format!("other{job}"),
            Lane::Page(2 + u64::from(job) % 10),
            job,
        );
    }
    assert_eq!(start_all(&mut queue).len(), 36);
    for job in 0..50 {
        queue.push(&format!("feed{job}"), Lane::Feed, job);
    }
    let feeds = start_all(&mut queue);
    assert_eq!(feeds.len(), 16);
    assert!(feeds.iter().all(|(_, lane)| *lane == Lane::Feed));
    // When a page ends, a feed comes next; only if there is none could another page of the same feed start.
    let (host, lane) = &of_one[0];
    queue.done(host, *lane, Duration::ZERO);
    let next = start_all(&mut queue);
    assert_eq!((next.len(), next[0].1), (1, Lane::Feed));
}

#[test]
fn who_waits_for_a_page_of_its_feed_to_end_is_not_forgotten_when_others_give_up() {
    let mut queue = HostQueue::new(1, Duration::ZERO, 2);
    let mut pushed = Vec::new();
    for job in 0..6 {
        let host = format!("h{job}");
        let ticket = queue.push(&host, Lane::Page(1), job);
        pushed.push((host, ticket));
    }
    let mut running = start_all(&mut queue);
    assert_eq!(running.len(), 1);
    // The next job gives up and the one after it is held: all others start nevertheless.
    queue.cancel(&pushed[1].0, pushed[1].1);
    queue.hold_until(&pushed[2].0, ms(1000));
    let mut started = running.len();
    while let Some((host, lane)) = running.pop() {
        queue.done(&host, lane, Duration::ZERO);
        running.extend(start_all(&mut queue));
        started += running.len();
    }
    assert_eq!((started, queue.next_ready_at()), (4, Some(ms(1000))));
}

#[test]
fn a_start_that_asks_late_begins_the_pause_anew() {
    let mut queue = HostQueue::new(2, ms(100), 8);
    queue.push("a", Lane::Feed, 1);
    queue.push("a", Lane::Feed, 2);
    assert_eq!(pop(&mut queue, 0), Some(("a".into(), 1)));
    queue.restart("a", ms(90));
    assert_eq!(pop(&mut queue, 150), None);
    assert_eq!(pop(&mut queue, 190), Some(("a".into(), 2)));
}

#[test]
fn a_host_with_limits_of_its_own_keeps_them_and_no_other_host_does() {
    let second = Duration::from_secs(1);
    let mut queue = HostQueue::new(1, second, 100);
    let own = |per_host, host_delay| HostLimits {
        per_host,
        host_delay,
    };
    queue.set_hosts(HashMap::from([
        ("fast".to_owned(), own(3, Duration::ZERO)),
        ("slow".to_owned(), own(1, second * 10)),
    ]));
    for host in ["fast", "slow", "any"] {
        for job in 0..3 {
            queue.push(host, Lane::Feed, (host, job));
        }
    }
    let mut started = Vec::new();
    while let Some(start) = queue.pop_ready(Duration::ZERO) {
        started.push(start.job);
    }
    started.sort_unstable();
    let at_once = [
        ("any", 0),
        ("fast", 0),
        ("fast", 1),
        ("fast", 2),
        ("slow", 0),
    ];
    assert_eq!(started, at_once);
    queue.done("any", Lane::Feed, second);
    queue.done("slow", Lane::Feed, second);
    let next = |queue: &mut HostQueue<(&'static str, i32)>, now| {
        queue.pop_ready(now).map(|start| start.job)
    };
    assert_eq!(next(&mut queue, second), Some(("any", 1)));
    assert_eq!(next(&mut queue, second * 9), None);
    assert_eq!(next(&mut queue, second * 10), Some(("slow", 1)));
    // Without its own limits, a host gets the default limits again.
    queue.set_hosts(HashMap::new());
    queue.done("slow", Lane::Feed, second * 10);
    assert_eq!(queue.held_for("slow", second * 10), second * 9);
    let gentle = own(3, Duration::ZERO).and(own(1, second));
    assert_eq!(gentle, own(1, second));
}
