//! What is counted while the service runs, for Prometheus.
//!
//! Names have their unit, as <https://prometheus.io/docs/practices/naming/> wants it; the values of labels are few and
//! fixed, or names of the configuration. Counters begin at zero with the process; what the database knows is read from
//! it when somebody asks, see [`Metrics::tell`].

use std::sync::Arc;
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec,
    IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::time::Timestamp;

/// What [`Metrics::text`] is.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// From a local answer to the longest that a request may take, in seconds.
const REQUEST_SECONDS: &[f64] = &[
    0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// From one small transaction to a wait for another program, in seconds.
const COMMIT_SECONDS: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0,
];

/// The metrics cannot be made: a fault in their names.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot set up the metrics: {0}; this is a bug in revisor, please report it")]
pub struct MetricsError(String);

impl From<prometheus::Error> for MetricsError {
    fn from(error: prometheus::Error) -> Self {
        Self(error.to_string())
    }
}

/// All metrics; clones count into the same ones.
#[derive(Clone)]
pub struct Metrics {
    shared: Arc<MetricSet>,
}

struct MetricSet {
    registry: Registry,
    fetches: IntCounterVec,
    fetch_seconds: HistogramVec,
    fetch_bytes: IntCounterVec,
    checks: IntCounterVec,
    check_errors: IntCounterVec,
    repairs: IntCounterVec,
    under_way: IntGaugeVec,
    attempts: IntCounterVec,
    attempt_seconds: Histogram,
    overflows: IntCounterVec,
    commits: IntCounterVec,
    commit_seconds: Histogram,
    stored: IntGauge,
    jobs: IntCounter,
    jobs_waiting: IntGauge,
    last_round: Gauge,
    reloads: IntCounterVec,
    reloaded: IntGauge,
    readable: IntGauge,
    changes: IntCounter,
    feeds: IntGaugeVec,
    feeds_due: IntGauge,
    feeds_late: IntGauge,
    feeds_latest: Gauge,
    offline: IntGauge,
    pages: IntGauge,
    pages_due: IntGauge,
    pages_late: IntGauge,
    pending: IntGaugeVec,
    oldest: GaugeVec,
    dead: IntGaugeVec,
    set_aside: IntGaugeVec,
    held: IntGaugeVec,
    gathered: IntGaugeVec,
    digest: GaugeVec,
    disabled: IntGaugeVec,
    database_bytes: IntGauge,
    wal_bytes: IntGauge,
}

/// What the database knows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DatabaseNumbers {
    /// The number of the newest change: so many have been found in all.
    pub changes: u64,
    /// Feeds by how they are.
    pub feeds: Vec<(&'static str, u64)>,
    /// Feeds that are due.
    pub feeds_due: u64,
    /// Those that should have been polled by now.
    pub feeds_late: u64,
    /// For how long the one that waits longest has been due.
    pub feeds_latest: Duration,
    /// Whether this machine cannot reach any site.
    pub offline: bool,
    /// Pages that are still being checked.
    pub pages: u64,
    /// Those that are due.
    pub pages_due: u64,
    /// Those that should have been checked by now.
    pub pages_late: u64,
    /// The targets.
    pub targets: Vec<KnownTarget>,
    /// Size of the database.
    pub database_bytes: u64,
    /// Size of its write-ahead log.
    pub wal_bytes: u64,
}

/// What the database knows of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownTarget {
    /// Its name.
    pub name: String,
    /// Deliveries that wait.
    pub pending: u64,
    /// When the event of the oldest of them happened.
    pub oldest: Option<Timestamp>,
    /// Deliveries that were given up.
    pub dead: u64,
    /// Deliveries whose events the receiver keeps refusing.
    pub set_aside: u64,
    /// Deliveries that wait for a person to release them.
    pub held: u64,
    /// Deliveries that wait to be sent together.
    pub gathered: u64,
    /// When that is.
    pub digest: Option<Timestamp>,
    /// Whether its receiver wants nothing any more.
    pub disabled: bool,
}

impl Metrics {
    /// All at zero; `version` is this program's, `started` is now.
    pub fn new(version: &str, started: Timestamp) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let make = Maker(&registry);
        let build = make.gauges("build_info", "Version of revisor; always 1.", "version")?;
        build.with_label_values(&[version]).set(1);
        // The one name that all programs share.
        let opts = Opts::new(
            "process_start_time_seconds",
            "Start time of the process, in Unix time.",
        );
        let start = make.registered(Gauge::with_opts(opts)?)?;
        start.set(unix_seconds(started));
        let shared = MetricSet {
            fetches: make.counters(
                "fetches_total",
                "Requests for feeds, pages and robots.txt, by result.",
                &["kind", "outcome"],
            )?,
            fetch_seconds: make.registered(HistogramVec::new(
                histogram(
                    "fetch_duration_seconds",
                    "Duration of requests.",
                    REQUEST_SECONDS,
                ),
                &["kind"],
            )?)?,
            fetch_bytes: make.counters(
                "fetch_decoded_bytes_total",
                "Size of responses in bytes, decompressed.",
                &["kind"],
            )?,
            checks: make.counters(
                "checks_total",
                "Checks of feeds and pages, by result.",
                &["kind", "result"],
            )?,
            check_errors: make.counters(
                "check_errors_total",
                "Checks that could not be completed: their result was not stored, and they are due \
                 again.",
                &["reason"],
            )?,
            repairs: make.counters(
                "feed_repairs_total",
                "Feed documents that needed a repair before they could be read, by repair.",
                &["repair"],
            )?,
            under_way: make.gauges("checks_under_way", "Checks in progress.", "kind")?,
            attempts: make.counters(
                "delivery_attempts_total",
                "Attempts to deliver an event, by result.",
                &["target", "result"],
            )?,
            attempt_seconds: make.registered(Histogram::with_opts(histogram(
                "delivery_duration_seconds",
                "Duration of delivery attempts.",
                REQUEST_SECONDS,
            ))?)?,
            overflows: make.counters(
                "deliveries_overflowed_total",
                "Events given up for a target because its queue was full.",
                &["target"],
            )?,
            commits: make.counters(
                "writer_commits_total",
                "Transactions of the database writer, by result.",
                &["result"],
            )?,
            commit_seconds: make.registered(Histogram::with_opts(histogram(
                "writer_commit_duration_seconds",
                "Duration of transactions of the database writer, including waiting for other programs.",
                COMMIT_SECONDS,
            ))?)?,
            stored: make.gauge(
                "writer_last_commit_stored",
                "Whether the last transaction of the database writer was stored.",
            )?,
            jobs: make.counter("writer_jobs_total", "Jobs completed by the database writer.")?,
            jobs_waiting: make.gauge("writer_jobs_waiting", "Jobs waiting for the database writer.")?,
            last_round: make.seconds(
                "scheduler_last_round_timestamp_seconds",
                "Last time the scheduler ran, in Unix time.",
            )?,
            reloads: make.counters(
                "config_reloads_total",
                "Reloads of the configuration, by result.",
                &["result"],
            )?,
            reloaded: make.gauge(
                "config_last_reload_successful",
                "Whether the last configuration that was read is in use.",
            )?,
            readable: make.gauge(
                "database_readable",
                "Whether the database could be read for this response; if not, values from it are stale.",
            )?,
            changes: make.counter(
                "changes_total",
                "Changes in the database: number of the newest change.",
            )?,
            feeds: make.gauges("feeds", "Configured feeds, by state.", "state")?,
            offline: make.gauge("offline", "Whether this machine cannot reach any site.")?,
            feeds_due: make.gauge("feeds_due", "Feeds due now.")?,
            feeds_late: make.gauge(
                "feeds_late",
                "Feeds overdue for a poll.",
            )?,
            feeds_latest: make.seconds(
                "feeds_overdue_seconds",
                "How long the most overdue feed has been due.",
            )?,
            pages: make.gauge("pages", "Pages that are still being checked.")?,
            pages_due: make.gauge("pages_due", "Pages due now.")?,
            pages_late: make.gauge(
                "pages_late",
                "Pages overdue for a check.",
            )?,
            pending: make.gauges(
                "deliveries_pending",
                "Pending deliveries, by target.",
                "target",
            )?,
            oldest: make.registered(GaugeVec::new(
                Opts::new(
                    "revisor_delivery_oldest_pending_timestamp_seconds",
                    "Time of the event of the oldest pending delivery, in Unix time.",
                ),
                &["target"],
            )?)?,
            dead: make.gauges(
                "deliveries_dead",
                "Deliveries given up, by target.",
                "target",
            )?,
            set_aside: make.gauges(
                "deliveries_set_aside",
                "Deliveries set aside because the receiver refuses their event, by target.",
                "target",
            )?,
            held: make.gauges(
                "deliveries_held",
                "Deliveries that wait for `revisor notify release`, by target.",
                "target",
            )?,
            gathered: make.gauges(
                "deliveries_gathered",
                "Deliveries that wait for a digest, by target.",
                "target",
            )?,
            digest: make.registered(GaugeVec::new(
                Opts::new(
                    "revisor_digest_due_timestamp_seconds",
                    "Time of the next digest, in Unix time.",
                ),
                &["target"],
            )?)?,
            disabled: make.gauges(
                "target_disabled",
                "Whether a target is disabled.",
                "target",
            )?,
            database_bytes: make.gauge("database_size_bytes", "Size of the database.")?,
            wal_bytes: make.gauge("wal_size_bytes", "Size of the write-ahead log of the database.")?,
            registry,
        };
        shared.reloaded.set(1);
        shared.stored.set(1);
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// A request for `kind` has ended as `outcome`, with so many decoded bytes.
    pub fn fetched(&self, kind: &str, outcome: &str, bytes: usize, took: Duration) {
        let of = &self.shared;
        of.fetches.with_label_values(&[kind, outcome]).inc();
        of.fetch_bytes
            .with_label_values(&[kind])
            .inc_by(bytes as u64);
        of.fetch_seconds
            .with_label_values(&[kind])
            .observe(took.as_secs_f64());
    }

    /// A check has brought `result`.
    pub fn checked(&self, kind: &str, result: &str) {
        self.shared.checks.with_label_values(&[kind, result]).inc();
    }

    /// A feed was read and needed this repair.
    pub fn repaired(&self, repair: &str) {
        self.shared.repairs.with_label_values(&[repair]).inc();
    }

    /// A check could not be carried to its end.
    pub fn check_failed(&self, reason: &str) {
        self.shared.check_errors.with_label_values(&[reason]).inc();
    }

    /// So many checks are under way.
    pub fn under_way(&self, kind: &str, count: usize) {
        let gauge = self.shared.under_way.with_label_values(&[kind]);
        gauge.set(whole(count as u64));
    }

    /// An attempt to deliver has ended.
    pub fn attempted(&self, target: &str, result: &str, took: Duration) {
        let of = &self.shared;
        of.attempts.with_label_values(&[target, result]).inc();
        of.attempt_seconds.observe(took.as_secs_f64());
    }

    /// An event found the queue of a target full.
    pub fn overflowed(&self, target: &str) {
        self.shared.overflows.with_label_values(&[target]).inc();
    }

    /// The writer has ended a transaction with so many jobs.
    pub fn committed(&self, stored: bool, jobs: usize, took: Duration) {
        let of = &self.shared;
        let result = if stored { "stored" } else { "failed" };
        of.commits.with_label_values(&[result]).inc();
        of.stored.set(i64::from(stored));
        of.jobs.inc_by(jobs as u64);
        of.commit_seconds.observe(took.as_secs_f64());
    }

    /// Whether the last transaction was stored; true before the first.
    #[must_use]
    pub fn last_commit_stored(&self) -> bool {
        self.shared.stored.get() != 0
    }

    /// The configuration was read again.
    pub fn reloaded(&self, taken: bool) {
        let result = if taken { "taken" } else { "refused" };
        self.shared.reloads.with_label_values(&[result]).inc();
        self.shared.reloaded.set(i64::from(taken));
    }

    /// What is known of the moment: jobs that wait for the writer, and when the scheduler came round.
    pub fn moment(&self, jobs_waiting: u64, last_round: Timestamp) {
        self.shared.jobs_waiting.set(whole(jobs_waiting));
        self.shared.last_round.set(unix_seconds(last_round));
    }

    /// What the database knows; `None` when it could not be read: then what it said last stays.
    pub fn tell(&self, known: Option<&DatabaseNumbers>) {
        let of = &self.shared;
        of.readable.set(i64::from(known.is_some()));
        let Some(known) = known else { return };
        of.changes
            .inc_by(known.changes.saturating_sub(of.changes.get()));
        for (state, count) in &known.feeds {
            of.feeds.with_label_values(&[*state]).set(whole(*count));
        }
        of.feeds_due.set(whole(known.feeds_due));
        of.feeds_late.set(whole(known.feeds_late));
        of.offline.set(i64::from(known.offline));
        of.feeds_latest.set(known.feeds_latest.as_secs_f64());
        of.pages.set(whole(known.pages));
        of.pages_due.set(whole(known.pages_due));
        of.pages_late.set(whole(known.pages_late));
        // A target that has left the configuration has no value any more.
        of.pending.reset();
        of.oldest.reset();
        of.dead.reset();
        of.set_aside.reset();
        of.held.reset();
        of.gathered.reset();
        of.digest.reset();
        of.disabled.reset();
        for target in &known.targets {
            let name = &[target.name.as_str()];
            of.pending
                .with_label_values(name)
                .set(whole(target.pending));
            of.dead.with_label_values(name).set(whole(target.dead));
            of.set_aside
                .with_label_values(name)
                .set(whole(target.set_aside));
            of.held.with_label_values(name).set(whole(target.held));
            of.gathered
                .with_label_values(name)
                .set(whole(target.gathered));
            if let Some(digest) = target.digest {
                of.digest.with_label_values(name).set(unix_seconds(digest));
            }
            let disabled = i64::from(target.disabled);
            of.disabled.with_label_values(name).set(disabled);
            if let Some(oldest) = target.oldest {
                of.oldest.with_label_values(name).set(unix_seconds(oldest));
            }
        }
        of.database_bytes.set(whole(known.database_bytes));
        of.wal_bytes.set(whole(known.wal_bytes));
    }

    /// All of them in the text format of Prometheus, see [`CONTENT_TYPE`].
    pub fn text(&self) -> Result<String, MetricsError> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.shared.registry.gather(), &mut text)?;
        String::from_utf8(text).map_err(|error| MetricsError(error.to_string()))
    }
}

/// Makes metrics of ours and registers them.
struct Maker<'r>(&'r Registry);

impl Maker<'_> {
    fn registered<M: Collector + Clone + 'static>(&self, metric: M) -> Result<M, MetricsError> {
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn counter(&self, name: &str, help: &str) -> Result<IntCounter, MetricsError> {
        self.registered(IntCounter::with_opts(opts(name, help))?)
    }

    fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntCounterVec, MetricsError> {
        self.registered(IntCounterVec::new(opts(name, help), labels)?)
    }

    fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, MetricsError> {
        self.registered(IntGauge::with_opts(opts(name, help))?)
    }

    fn gauges(&self, name: &str, help: &str, label: &str) -> Result<IntGaugeVec, MetricsError> {
        self.registered(IntGaugeVec::new(opts(name, help), &[label])?)
    }

    fn seconds(&self, name: &str, help: &str) -> Result<Gauge, MetricsError> {
        self.registered(Gauge::with_opts(opts(name, help))?)
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(format!("revisor_{name}"), help)
}

fn histogram(name: &str, help: &str, buckets: &[f64]) -> HistogramOpts {
    HistogramOpts::new(format!("revisor_{name}"), help).buckets(buckets.to_vec())
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn unix_seconds(at: Timestamp) -> f64 {
    at.as_millis() as f64 / 1000.0
}

#[cfg(test)]
mod tests;
