use proptest::prelude::*;

use super::*;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn pop(queue: &mut HostQueue<u32>, now: u64) -> Option<(String, u32)> {
    queue
        .pop_ready(ms(now))
        .map(|(host, job)| (host.to_string(), job))
}

#[test]
fn hosts_take_turns_and_jobs_of_a_host_keep_their_order() {
    let mut queue = HostQueue::new(1, Duration::ZERO);
    for job in 0..6 {
        queue.push(if job < 4 { "a" } else { "b" }, job);
    }
    let mut order = Vec::new();
    while let Some((host, job)) = pop(&mut queue, 5) {
        order.push(job);
        queue.done(&host, ms(5));
    }
    assert_eq!(order, [0, 4, 1, 5, 2, 3]);
}

#[test]
fn a_host_is_left_alone_for_the_pause_after_each_request() {
    let mut queue = HostQueue::new(1, ms(1000));
    queue.push("a", 1);
    queue.push("a", 2);
    assert_eq!(pop(&mut queue, 0), Some(("a".into(), 1)));
    assert_eq!(pop(&mut queue, 5000), None);
    assert_eq!(queue.next_ready_at(), None);
    queue.done("a", ms(5000));
    assert_eq!(queue.next_ready_at(), Some(ms(6000)));
    assert_eq!(pop(&mut queue, 5999), None);
    assert_eq!(pop(&mut queue, 6000), Some(("a".into(), 2)));
    queue.done("a", ms(6100));
    assert!(queue.is_empty());
    // The pause is kept even if nothing was waiting when it began.
    queue.push("a", 3);
    assert_eq!(pop(&mut queue, 7099), None);
    assert_eq!(pop(&mut queue, 7100), Some(("a".into(), 3)));
}

#[test]
fn starts_are_apart_when_several_may_run() {
    let mut queue = HostQueue::new(2, ms(10));
    for job in 0..3 {
        queue.push("a", job);
    }
    assert!(pop(&mut queue, 0).is_some());
    assert!(pop(&mut queue, 9).is_none());
    assert!(pop(&mut queue, 10).is_some());
    assert!(pop(&mut queue, 100).is_none());
    assert_eq!((queue.waiting(), queue.running()), (1, 2));
}

#[test]
fn a_held_host_waits_and_the_others_do_not() {
    let mut queue = HostQueue::new(1, Duration::ZERO);
    queue.push("a", 1);
    queue.hold_until("a", ms(60_000));
    queue.push("b", 2);
    assert_eq!(pop(&mut queue, 0), Some(("b".into(), 2)));
    assert_eq!(pop(&mut queue, 0), None);
    assert_eq!(queue.next_ready_at(), Some(ms(60_000)));
    // A shorter hold does not take the longer one back, and one on a host without jobs is remembered.
    queue.hold_until("a", ms(1));
    queue.hold_until("c", ms(70_000));
    queue.push("c", 3);
    assert_eq!(pop(&mut queue, 60_000), Some(("a".into(), 1)));
    assert_eq!(pop(&mut queue, 60_000), None);
    assert_eq!(pop(&mut queue, 70_000), Some(("c".into(), 3)));
}

#[test]
fn hosts_without_anything_to_do_are_forgotten() {
    let mut queue = HostQueue::new(1, ms(10));
    for job in 0..1000 {
        let host = format!("h{job}");
        queue.push(&host, job);
        assert!(pop(&mut queue, u64::from(job)).is_some());
        queue.done(&host, ms(u64::from(job)));
    }
    assert!(queue.hosts.len() <= 12, "{}", queue.hosts.len());
    queue.push("x", 1);
    assert_eq!(queue.take_waiting(), [1]);
    assert!(queue.is_empty());
    queue.done("never started", ms(0));
    assert!(queue.is_empty());
}

#[test]
fn tens_of_thousands_of_jobs_are_cheap() {
    let mut queue = HostQueue::new(1, ms(1));
    for job in 0..50_000_u32 {
        queue.push(&format!("h{}", job % 20_000), job);
    }
    let mut now = 0;
    let mut taken = 0;
    while !queue.is_empty() {
        while let Some((host, _)) = queue.pop_ready(ms(now)) {
            taken += 1;
            queue.done(&host, ms(now));
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
    Push(u8),
    Pop,
    Done(usize),
    Hold(u8, u16),
    Wait(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..5_u8).prop_map(Step::Push),
        3 => Just(Step::Pop),
        2 => (0..8_usize).prop_map(Step::Done),
        1 => (0..5_u8, 0..500_u16).prop_map(|(host, wait)| Step::Hold(host, wait)),
        2 => (0..200_u16).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn limits_hold_and_every_job_comes_out_once(
        steps in proptest::collection::vec(step(), 0..200),
        per_host in 1..4_usize,
        delay in 0..100_u64,
    ) {
        let mut queue = HostQueue::new(per_host, ms(delay));
        let mut now = 0_u64;
        let mut running: Vec<Arc<str>> = Vec::new();
        let mut free_at: HashMap<String, u64> = HashMap::new();
        let (mut pushed, mut popped) = (0_u32, Vec::new());
        for step in steps {
            match step {
                Step::Push(host) => {
                    queue.push(&format!("h{host}"), pushed);
                    pushed += 1;
                }
                Step::Pop => {
                    let ready = queue.next_ready_at().is_some_and(|at| at <= ms(now));
                    let Some((host, job)) = queue.pop_ready(ms(now)) else {
                        prop_assert!(!ready);
                        continue;
                    };
                    prop_assert!(ready);
                    prop_assert!(free_at.get(&*host).is_none_or(|at| *at <= now));
                    free_at.insert(host.to_string(), now + delay);
                    running.push(host);
                    popped.push(job);
                }
                Step::Done(index) if !running.is_empty() => {
                    let host = running.swap_remove(index % running.len());
                    queue.done(&host, ms(now));
                    let at = free_at.entry(host.to_string()).or_default();
                    *at = (*at).max(now + delay);
                }
                Step::Done(_) => {}
                Step::Hold(host, wait) => {
                    let until = now + u64::from(wait);
                    queue.hold_until(&format!("h{host}"), ms(until));
                    let at = free_at.entry(format!("h{host}")).or_default();
                    *at = (*at).max(until);
                }
                Step::Wait(wait) => now += u64::from(wait),
            }
            for host in &running {
                let same = running.iter().filter(|other| *other == host).count();
                prop_assert!(same <= per_host);
            }
            prop_assert_eq!(queue.running(), running.len());
        }
        for host in running.drain(..) {
            queue.done(&host, ms(now));
        }
        while queue.waiting() > 0 {
            let at = queue.next_ready_at();
            prop_assert!(at.is_some(), "jobs wait for nothing");
            let at = at.unwrap_or_default().max(ms(now));
            let Some((host, job)) = queue.pop_ready(at) else {
                return Err(TestCaseError::fail("the moment named gives nothing"));
            };
            queue.done(&host, at);
            popped.push(job);
        }
        popped.sort_unstable();
        prop_assert_eq!(popped, (0..pushed).collect::<Vec<_>>());
        prop_assert!(queue.is_empty());
    }
}
