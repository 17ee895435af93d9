//! Measures, with `cargo test --release --lib store::tests::speed -- --ignored --nocapture`.

use super::*;
use crate::time::Stopwatch as Wall;

/// A state with a text of about 2.5 kB.
fn long_state(name: &str) -> EntryState {
    let mut state = state(name, &format!("Headline of {name}"));
    let words = [
        "minister",
        "report",
        "talks",
        "budget",
        "council",
        "denied",
        "river",
        "figures",
        "police",
        "market",
        "seventeen",
        "quarter",
        "weather",
        "league",
    ];
    let mut pick = name
        .bytes()
        .fold(7_usize, |sum, byte| sum * 31 % 65_521 + usize::from(byte));
    let body = &mut state.feed.as_mut().unwrap().body;
    body.clear();
    for _ in 0..5 {
        let mut text = String::new();
        while text.len() < 500 {
            pick = (pick * 1_103 + 12_345) % 65_521;
            text.push_str(words[pick % words.len()]);
            text.push(' ');
        }
        body.push(Block::paragraph(text));
    }
    state
}

/// Wall time and CPU time of all threads, because the machine may be busy with other things.
struct Stopwatch {
    wall: Wall,
    cpu_ns: u64,
}

impl Stopwatch {
    fn start() -> Self {
        Self {
            wall: Wall::start(),
            cpu_ns: cpu_ns(),
        }
    }

    fn report(&self, what: &str, rounds: u32) {
        let wall = self.wall.elapsed().as_secs_f64() * 1e3 / f64::from(rounds);
        let cpu = (cpu_ns() - self.cpu_ns) as f64 / 1e6 / f64::from(rounds);
        say(&format!("{what}: {wall:.3} ms, CPU {cpu:.3} ms"));
    }
}

/// The CPU time that the kernel counted for the threads of this process; zero where it does not count any.
fn cpu_ns() -> u64 {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return 0;
    };
    threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")).ok())
        .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok())
        .sum()
}

/// The output is the purpose of this test.
fn say(line: &str) {
    std::io::Write::write_all(&mut std::io::stderr(), format!("{line}\n").as_bytes()).unwrap();
}

#[test]
#[ignore = "measures; run in release"]
fn figures() {
    let bench = Bench::new();
    let mut feeds: Vec<_> = (0..1000)
        .map(|number| {
            configured(
                &format!("https://news.example/{number}"),
                &format!("f{number}"),
            )
        })
        .collect();
    feeds.push(configured("https://news.example/rss.xml", "news"));
    bench
        .writer()
        .sync_feeds(feeds, None, at(0))
        .blocking()
        .unwrap();
    let ids: Vec<FeedId> = bench
        .reader()
        .feeds(false)
        .unwrap()
        .iter()
        .map(|feed| feed.id)
        .collect();

    let make = |round: u32| {
        let mut look = outcome(bench.feed);
        look.feed_capture = Some(capture(&format!(
            "{}{round}",
            "<item>x</item>".repeat(3000)
        )));
        for number in 0..30 {
            let name = format!("r{round}e{number}");
            let mut entry = first_sight(&name, "", at(1));
            entry.revision.as_mut().unwrap().state = long_state(&name);
            entry.aliases.push(NewAlias {
                key: AliasKey {
                    kind: AliasKind::Address,
                    value: format!("news.example/{name}"),
                },
                reason: "first seen".into(),
                if_free: false,
            });
            look.entries.push(entry);
        }
        look
    };
    let alone: Vec<_> = (0..50).map(make).collect();
    let watch = Stopwatch::start();
    for look in alone {
        bench.commit(look).unwrap();
    }
    watch.report("commit of 30 entries, alone", 50);

    let gathered: Vec<_> = (100..612).map(make).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let watch = Stopwatch::start();
    runtime.block_on(async {
        let tasks: Vec<_> = gathered
            .into_iter()
            .map(|look| tokio::spawn(bench.writer().commit(look).into_future()))
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    });
    watch.report("commit of 30 entries, gathered", 512);

    let polls = |round: i64| -> Vec<FeedPoll> {
        ids.iter()
            .take(1000)
            .map(|id| poll(*id, at(round), PollResult::Ok))
            .collect()
    };
    bench.writer().record_polls(polls(1)).blocking().unwrap();
    let rounds: Vec<_> = (2..52).map(polls).collect();
    let watch = Stopwatch::start();
    for round in rounds {
        bench.writer().record_polls(round).blocking().unwrap();
    }
    watch.report("record_polls of 1000 feeds", 50);

    let reader = bench.reader();
    let keys: Vec<AliasKey> = (0..30)
        .map(|number| guid(&format!("r7e{number}")))
        .collect();
    reader.known_entries(bench.feed, &keys).unwrap();
    let watch = Stopwatch::start();
    for _ in 0..200 {
        assert_eq!(reader.known_entries(bench.feed, &keys).unwrap().len(), 30);
    }
    watch.report("known_entries of 30 keys", 200);

    let watch = Stopwatch::start();
    for id in 1..=200 {
        reader.load_entry(EntryId(id)).unwrap().unwrap();
    }
    watch.report("load_entry", 200);

    let watch = Stopwatch::start();
    for _ in 0..20 {
        assert_eq!(reader.due_feeds(at(99_999), 1000).unwrap().len(), 1000);
    }
    watch.report("due_feeds of 1000", 20);
    let bytes = reader.counts(at(0), at(0)).unwrap().bytes;
    say(&format!(
        "file of {} entries: {} kB",
        562 * 30,
        bytes / 1000
    ));
}
