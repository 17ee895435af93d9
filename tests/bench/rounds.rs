//! Rounds of polls through the real checker, with the real database.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use revisor::Assembly;
use revisor::CheckReport;
use revisor::RoundRequest;
use revisor::time::{Stopwatch, System};
use revisor::{Environment, Flags, Secrets, from_text};

use crate::meter;
use crate::server::BuiltIn;

/// The server of the feeds.
pub(crate) struct World {
    address: String,
    hosts: usize,
    /// The first part of the path of a feed.
    prefix: &'static str,
    built_in: Option<BuiltIn>,
}

impl World {
    /// The built-in server.
    pub(crate) fn built_in(server: BuiltIn) -> Self {
        Self {
            address: server.address.clone(),
            hosts: 1,
            prefix: "feed",
            built_in: Some(server),
        }
    }

    /// A server of synthetic feeds on 65 loopback hosts, with whole texts or only summaries.
    pub(crate) fn synthetic(address: &str, summaries: bool) -> Self {
        Self {
            address: address.to_owned(),
            hosts: 64,
            prefix: if summaries { "sfeed" } else { "feed" },
            built_in: None,
        }
    }

    fn feed_url(&self, number: usize) -> String {
        let port = self.address.rsplit(':').next().unwrap_or("80");
        let path = format!("{}/{number}.xml", self.prefix);
        match self.hosts {
            1 => format!("http://{}/{path}", self.address),
            hosts => format!("http://127.1.0.{}:{port}/{path}", 1 + number % hosts),
        }
    }

    fn post(&self, path: &str) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
    }

    /// Starts a round in which these shares of the feeds have one edited entry, and changed bytes without an edit.
    fn round(&self, number: usize, edited: f64, noise: f64) {
        self.post(&format!(
            "/__round/{number}?new=0&edit={edited}&edits_per_feed=1&noise={noise}&noise_per_feed=1"
        ));
    }

    fn conditional(&self, on: bool) {
        self.post(&format!("/__set?conditional={}", u8::from(on)));
    }
}

/// Runs all kinds of rounds and prints a table, then repeats the last two kinds `repeats` times.
pub(crate) fn run(world: &World, feeds: usize, repeats: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from(
        "[fetch]\nhost_delay = \"0s\"\nper_host = 8\njitter = \"0%\"\nallow_private = [\"127.0.0.0/8\"]\n[page]\nfetch = \"off\"\n",
    );
    for number in 0..feeds {
        let _ = write!(
            text,
            "[[feed]]\nurl = \"{}\"\nname = \"f{number}\"\n",
            world.feed_url(number)
        );
    }
    world.conditional(true);
    world.round(0, 0.0, 0.0);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .thread_stack_size(8 << 20)
        .enable_all()
        .build()
        .unwrap();
    let database = folder.path().join("revisor.db");
    let flags = Flags {
        config: None,
        database: Some(&database),
    };
    let loaded = from_text(
        &text,
        None,
        flags,
        &Environment::default(),
        Secrets::Required,
    )
    .unwrap();
    drop(text);
    let kind = if world.built_in.is_some() {
        "built-in server"
    } else {
        "synthetic server"
    };
    println!("\n{feeds} feeds of 30 entries, {kind}, no pages");
    println!(
        "{:<24} {:>12} {:>12} {:>10} {:>10}",
        "round", "CPU ms/feed", "wall ms/feed", "peak MiB", "changes"
    );
    let clock = Arc::new(System);
    let assembly = runtime
        .block_on(Assembly::open(loaded.config, clock))
        .unwrap();
    let measured = || {
        meter::reset_peak();
        let (before, watch) = (meter::cpu(), Stopwatch::start());
        let wish = RoundRequest {
            feeds: None,
            force: true,
        };
        let report = runtime
            .block_on(assembly.checker.round(&wish, |_| {}))
            .unwrap();
        let (cpu, wall) = (meter::cpu().checked_sub(before).unwrap(), watch.elapsed());
        assert_eq!(failed(&report), 0, "feeds failed");
        let per_feed = |time: std::time::Duration| time.as_secs_f64() * 1000.0 / feeds as f64;
        Round {
            cpu: per_feed(cpu).max(0.000_1),
            wall: per_feed(wall),
            peak: meter::peak_mib(),
            changes: report.changes.len(),
        }
    };
    let poll = |name: &str| {
        let round = measured();
        println!(
            "{name:<24} {:>12.3} {:>12.3} {:>10.1} {:>10}",
            round.cpu, round.wall, round.peak, round.changes
        );
        round.cpu
    };
    let cold = poll("cold");
    let not_modified = poll("all 304");
    poll("all 304 again");
    world.conditional(false);
    let same = poll("all 200, same bytes");
    world.conditional(true);
    world.round(1, 0.0, 1.0);
    // The first document is not compared with anything; this one stores the items whose bytes will be recognised from
    // now on.
    poll("other bytes, first time");
    world.round(2, 0.0, 1.0);
    poll("other bytes, no edit");
    world.round(3, 0.01, 0.0);
    let changed = poll("1 % of feeds changed");
    world.round(4, 1.0, 0.0);
    poll("1 of 30 entries changed");
    println!(
        "ratios: cold/304 {:.0}, 200/304 {:.1}, 1 % changed/304 {:.1}",
        cold / not_modified,
        same / not_modified,
        changed / not_modified
    );
    let bytes = std::fs::metadata(&database).map_or(0, |data| data.len());
    println!(
        "database: {:.1} kB a feed",
        bytes as f64 / 1000.0 / feeds as f64
    );
    let shares = [("noise", 0.0, 1.0), ("edit", 1.0, 0.0)];
    for (nth, (name, edited, noise)) in shares.into_iter().enumerate() {
        let first = 5 + nth * repeats;
        let rounds: Vec<Round> = (first..first + repeats)
            .map(|number| {
                world.round(number, edited, noise);
                measured()
            })
            .collect();
        print_repeated(name, &rounds);
    }
    runtime.block_on(assembly.close()).unwrap();
}

/// The cost of one round.
struct Round {
    /// CPU time per feed in ms.
    cpu: f64,
    /// Wall time per feed in ms.
    wall: f64,
    /// In MiB.
    peak: f64,
    changes: usize,
}

/// Prints the median and the range of equal rounds, and those of the first and the last quarter, which should not
/// grow.
fn print_repeated(name: &str, rounds: &[Round]) {
    let each = rounds.iter().map(|round| format!("{:.2}", round.cpu));
    println!("{name}: {}", each.collect::<Vec<_>>().join(" "));
    let quarter = (rounds.len() / 4).max(1);
    let parts = [
        ("all", rounds),
        ("first", rounds.get(..quarter).unwrap_or(rounds)),
        (
            "last",
            rounds
                .get(rounds.len().saturating_sub(quarter)..)
                .unwrap_or(rounds),
        ),
    ];
    for (part, rounds) in parts {
        let mut costs: Vec<f64> = rounds.iter().map(|round| round.cpu).collect();
        costs.sort_by(f64::total_cmp);
        let (Some(least), Some(most)) = (costs.first(), costs.last()) else {
            return;
        };
        let median = costs.get(costs.len() / 2).unwrap_or(least);
        let peak = rounds.iter().map(|round| round.peak).fold(0.0, f64::max);
        println!(
            "{name}, {part} {} rounds: {median:.3} ms CPU a feed ({least:.3} to {most:.3}), peak {peak:.1} MiB",
            rounds.len()
        );
    }
}

fn failed(report: &CheckReport) -> usize {
    report
        .feeds
        .iter()
        .filter(|feed| feed.error.is_some())
        .count()
}
