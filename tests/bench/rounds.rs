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

/// Where the feeds are.
pub(crate) struct World {
    address: String,
    hosts: usize,
    built_in: Option<BuiltIn>,
}

impl World {
    /// The server of the benchmark itself.
    pub(crate) fn built_in(server: BuiltIn) -> Self {
        Self {
            address: server.address.clone(),
            hosts: 1,
            built_in: Some(server),
        }
    }

    /// A server of synthetic feeds on 65 loopback hosts.
    pub(crate) fn synthetic(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            hosts: 64,
            built_in: None,
        }
    }

    fn feed_url(&self, number: usize) -> String {
        let port = self.address.rsplit(':').next().unwrap_or("80");
        match self.hosts {
            1 => format!("http://{}/feed/{number}.xml", self.address),
            hosts => format!(
                "http://127.1.0.{}:{port}/feed/{number}.xml",
                1 + number % hosts
            ),
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

    /// Begins a round in which these shares of the feeds have one edited entry, and other bytes that are no edit.
    fn round(&self, number: usize, edited: f64, noise: f64) {
        self.post(&format!(
            "/__round/{number}?new=0&edit={edited}&edits_per_feed=1&noise={noise}&noise_per_feed=1"
        ));
    }

    fn conditional(&self, on: bool) {
        self.post(&format!("/__set?conditional={}", u8::from(on)));
    }
}

/// Runs all kinds of rounds and prints a table.
pub(crate) fn run(world: &World, feeds: usize) {
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
    let poll = |name: &str| {
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
        let per_feed = |time: std::time::Duration| time.as_secs_f64() * 1000.0 / feeds as f64;
        let peak = meter::peak_mib();
        println!(
            "{name:<24} {:>12.3} {:>12.3} {peak:>10.1} {:>10}",
            per_feed(cpu),
            per_feed(wall),
            report.changes.len()
        );
        per_feed(cpu).max(0.000_1)
            * if failed(&report) == 0 {
                1.0
            } else {
                panic!("{} feeds failed", failed(&report))
            }
    };
    let cold = poll("cold");
    let not_modified = poll("all 304");
    poll("all 304 again");
    world.conditional(false);
    let same = poll("all 200, same bytes");
    world.conditional(true);
    world.round(1, 0.0, 1.0);
    // The first document is not compared with anything; this one teaches the items whose bytes are known from now on.
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
    runtime.block_on(assembly.close()).unwrap();
}

fn failed(report: &CheckReport) -> usize {
    report
        .feeds
        .iter()
        .filter(|feed| feed.error.is_some())
        .count()
}
