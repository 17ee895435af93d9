use std::sync::Arc;

use super::*;
use crate::domain::schedule::{
    Every, Hints, LONGEST_HINT, Plan, PollEnd, Scheduled, catch_up, next_poll, spread,
};
use crate::fetch::Lane;
use crate::fetch::polite::host_queue::HostQueue;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(1_800_000_000) + Duration::from_secs(seconds)
}

fn page(entry: i64, host: &str, checked: Option<u64>, due: u64) -> DueKey {
    DueKey {
        entry: EntryId(entry),
        feed: FeedId(1),
        url: format!("https://{host}/{entry}"),
        checked: checked.map(at),
        due: at(due),
    }
}

fn due_at(now: u64, pages: &[DueKey]) -> DuePages {
    let mut gathering = Gathering::new(at(now));
    for page in pages {
        gathering.add(page);
    }
    DuePages::new(gathering)
}

fn taken(pages: &mut DuePages, room: usize, places: impl FnMut(&str) -> usize) -> Vec<i64> {
    let taken = pages.take(room, places, |_| usize::MAX);
    taken.into_iter().map(|((entry, _), _)| entry.0).collect()
}

#[test]
fn what_is_most_overdue_by_its_own_interval_comes_first() {
    let now = 100_000;
    let pages = vec![
        // An interval of a week, a day late.
        page(1, "a.example", Some(0), 60_000),
        // An interval of five minutes, ten minutes late.
        page(2, "a.example", Some(now - 900), now - 600),
        // An interval of half an hour, one minute late.
        page(3, "a.example", Some(now - 1860), now - 60),
        // Never checked, an hour late.
        page(4, "a.example", None, now - 3600),
    ];
    let mut due = due_at(now, &pages);
    assert_eq!(taken(&mut due, 9, |_| 9), [4, 2, 1, 3]);
    assert!(due.wants_more() && !due.has_more());
}

#[test]
fn a_host_with_many_pages_takes_no_places_from_the_others() {
    let mut pages: Vec<DueKey> = (0..1000)
        .map(|n| page(n, "big.example", Some(0), 10))
        .collect();
    pages.push(page(5000, "small.example", Some(0), 900));
    let mut due = due_at(1000, &pages);
    let places = |host: &str| if host == "big.example" { 2 } else { 9 };
    assert_eq!(taken(&mut due, 100, places), [0, 5000, 1]);
    assert_eq!(taken(&mut due, 100, |_| 0), [] as [i64; 0]);
    assert_eq!(taken(&mut due, 3, |_| 9), [2, 3, 4]);
}

#[test]
fn a_feed_with_pages_on_many_hosts_takes_no_places_from_the_others() {
    let mut pages: Vec<DueKey> = (0..1000)
        .map(|n| page(n, &format!("h{n}.example"), Some(0), 10))
        .collect();
    for (number, host) in (5000_i64..).zip(["h0.example", "other.example"]) {
        pages.push(DueKey {
            feed: FeedId(2),
            ..page(number, host, Some(0), 900)
        });
    }
    let mut due = due_at(1000, &pages);
    let share = |feed: FeedId| if feed == FeedId(1) { 3 } else { 9 };
    let taken = due.take(100, |_| 9, share);
    let taken: Vec<i64> = taken.into_iter().map(|((entry, _), _)| entry.0).collect();
    assert_eq!(taken, [0, 1, 2, 5001, 5000]);
    assert!(due.take(100, |_| 9, |_| 0).is_empty() && due.has_more());
}

#[test]
fn a_host_that_waits_hides_nobody_however_many_pages_it_has() {
    // All of them are due before the one on the other host; the last ones are the most overdue for their intervals.
    let mut pages: Vec<DueKey> = (0..30_000)
        .map(|n| {
            page(
                n,
                "slow.example",
                Some(0),
                40_000 - u64::try_from(n).unwrap(),
            )
        })
        .collect();
    pages.push(page(50_000, "other.example", Some(40_000), 49_999));
    let mut due = due_at(50_000, &pages);
    let slow = |host: &str| if host == "slow.example" { 0 } else { 4 };
    assert_eq!(taken(&mut due, 1024, slow), [50_000]);
    assert!(due.has_more() && !due.wants_more());
    assert_eq!(taken(&mut due, 3, |_| 9), [29_999, 29_998, 29_997]);
    assert_eq!(taken(&mut due, 1024, |_| 1024).len(), OF_A_HOST - 3);
    assert!(
        due.has_more() && due.wants_more(),
        "those that were not kept"
    );
}

#[test]
fn after_trouble_the_pause_doubles_and_ends() {
    let mut trouble = Trouble::new();
    let minute = Duration::from_mins(1);
    assert!(!trouble.holds(7, Duration::ZERO));
    trouble.note(7, Duration::ZERO);
    assert!(trouble.holds(7, minute / 2) && !trouble.holds(7, minute));
    trouble.note(7, minute);
    assert!(trouble.holds(7, minute * 2) && !trouble.holds(7, minute * 3));
    assert!(!trouble.holds(8, minute));
    trouble.clear(7);
    trouble.note(7, Duration::ZERO);
    assert!(!trouble.holds(7, minute));
}

/// Ten thousand feeds on two thousand hosts, after a night without polls. Simulates an hour, second by second, with
/// the parts of the daemon that decide: the schedule and the turns at hosts. A request takes two seconds.
#[test]
#[expect(clippy::print_stderr, reason = "figures that somebody wants to read")]
fn ten_thousand_feeds_after_a_night_off_make_no_stampede() {
    const FEEDS: usize = 10_000;
    const HOSTS: usize = 2_000;
    const REQUEST: u64 = 2;
    let quarter = Duration::from_mins(15);
    let night = Duration::from_hours(12);
    let plan = Plan {
        every: Every::Interval(quarter),
        jitter: 0.1,
        slowest: None,
        unconditional: None,
        longest_hint: LONGEST_HINT,
    };
    let address = |feed: usize| format!("https://host{}.example/{feed}.xml", feed % HOSTS);
    let start = at(0);
    let mut due: Vec<Timestamp> = (0..FEEDS)
        .map(|feed| {
            let due = start - night + spread(&address(feed), quarter);
            let was = Scheduled {
                due: Some(due),
                last_poll: Some(due - quarter),
                not_before: None,
            };
            catch_up(&plan, &address(feed), &was, start, night).unwrap()
        })
        .collect();
    let hosts: Vec<Arc<str>> = (0..FEEDS)
        .map(|feed| host_key(&address(feed)).into())
        .collect();

    let mut queue = HostQueue::new(1, Duration::from_secs(1), 64);
    let mut queued = vec![false; FEEDS];
    let mut running: VecDeque<(u64, usize)> = VecDeque::new();
    let mut starts = vec![0_u32; 3600];
    let mut per_host: HashMap<Arc<str>, (u64, u32)> = HashMap::new();
    let (mut most_at_once, mut shortest_pause) = (0, u64::MAX);
    for second in 0..3600_u64 {
        let now = start + Duration::from_secs(second);
        let clock = Duration::from_secs(second);
        while let Some(&(end, feed)) = running.front().filter(|(end, _)| *end <= second) {
            running.pop_front();
            queue.done(&hosts[feed], Lane::Feed, Duration::from_secs(end));
            per_host.get_mut(&hosts[feed]).unwrap().1 -= 1;
            let jitter = spread(&format!("{feed} {second}"), Duration::from_secs(1)).as_secs_f64();
            let next = next_poll(&plan, now, PollEnd::Ok, &Hints::default(), 0, jitter);
            due[feed] = next.at.unwrap();
            queued[feed] = false;
        }
        for feed in 0..FEEDS {
            if !queued[feed] && due[feed] <= now {
                queued[feed] = true;
                queue.push(&hosts[feed], Lane::Feed, feed);
            }
        }
        while let Some(started) = queue.pop_ready(clock) {
            starts[usize::try_from(second).unwrap()] += 1;
            let (last, at_once) = per_host.entry(Arc::clone(&started.host)).or_insert((0, 0));
            if *last > 0 {
                shortest_pause = shortest_pause.min(second - *last);
            }
            *last = second;
            *at_once += 1;
            most_at_once = most_at_once.max(*at_once);
            running.push_back((second + REQUEST, started.job));
        }
    }
    let steady = f64::from(u32::try_from(FEEDS).unwrap()) / quarter.as_secs_f64();
    let busiest_minute = starts
        .chunks(60)
        .map(|minute| minute.iter().sum::<u32>())
        .max()
        .unwrap();
    let rate = f64::from(busiest_minute) / 60.0;
    eprintln!(
        "steady {steady:.1}/s; busiest minute {rate:.1}/s; at once to one host {most_at_once}"
    );
    assert!(rate <= 2.0 * steady, "{rate} of {steady}");
    assert_eq!(most_at_once, 1);
    assert!(shortest_pause >= 1);
    let first_quarter: u32 = starts[..900].iter().sum();
    assert!(
        first_quarter >= 9_900,
        "all are caught up with after one interval: {first_quarter}"
    );
}
