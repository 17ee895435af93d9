use super::*;

fn metrics() -> Metrics {
    Metrics::new("1.2.3", Timestamp::from_millis(1_700_000_000_500)).unwrap()
}

fn known() -> DatabaseNumbers {
    DatabaseNumbers {
        changes: 412,
        feeds: vec![("ok", 10), ("failing", 1), ("paused", 0)],
        feeds_due: 2,
        feeds_late: 1,
        offline: false,
        feeds_latest: Duration::from_millis(125_500),
        targets: vec![KnownTarget {
            set_aside: 1,
            held: 2,
            gathered: 4,
            digest: Some(Timestamp::from_unix(1_700_000_200)),
            name: "desk \"one\"\\\n".to_owned(),
            pending: 3,
            oldest: Some(Timestamp::from_unix(1_700_000_100)),
            dead: 1,
            disabled: true,
        }],
        wal_bytes: 4096,
        ..DatabaseNumbers::default()
    }
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "no {line}\n{text}");
}

#[test]
fn what_was_counted_is_told() {
    let metrics = metrics();
    metrics.fetched("feed", "not_modified", 0, Duration::from_millis(30));
    metrics.fetched("feed", "body", 1000, Duration::from_secs(2));
    metrics.checked("feed", "new_content");
    metrics.check_failed("database");
    metrics.repaired("bare-less-than");
    metrics.attempted("desk", "delivered", Duration::from_millis(4));
    metrics.overflowed("desk");
    metrics.committed(true, 7, Duration::from_millis(3));
    metrics.committed(false, 1, Duration::from_secs(20));
    metrics.reloaded(false);
    metrics.tell(Some(&known()));
    let text = metrics.text().unwrap();
    for line in [
        "revisor_build_info{version=\"1.2.3\"} 1",
        "process_start_time_seconds 1700000000.5",
        "revisor_fetches_total{kind=\"feed\",outcome=\"body\"} 1",
        "revisor_fetch_decoded_bytes_total{kind=\"feed\"} 1000",
        "revisor_fetch_duration_seconds_bucket{kind=\"feed\",le=\"0.1\"} 1",
        "revisor_fetch_duration_seconds_count{kind=\"feed\"} 2",
        "revisor_checks_total{kind=\"feed\",result=\"new_content\"} 1",
        "revisor_check_errors_total{reason=\"database\"} 1",
        "revisor_feed_repairs_total{repair=\"bare-less-than\"} 1",
        "revisor_delivery_attempts_total{result=\"delivered\",target=\"desk\"} 1",
        "revisor_deliveries_overflowed_total{target=\"desk\"} 1",
        "revisor_writer_commits_total{result=\"failed\"} 1",
        "revisor_writer_jobs_total 8",
        "revisor_writer_commit_duration_seconds_bucket{le=\"+Inf\"} 2",
        "revisor_config_last_reload_successful 0",
        "revisor_changes_total 412",
        "revisor_feeds{state=\"failing\"} 1",
        "revisor_feeds_overdue_seconds 125.5",
        "revisor_deliveries_pending{target=\"desk \\\"one\\\"\\\\\\n\"} 3",
        "revisor_deliveries_held{target=\"desk \\\"one\\\"\\\\\\n\"} 2",
        "revisor_deliveries_gathered{target=\"desk \\\"one\\\"\\\\\\n\"} 4",
        "revisor_digest_due_timestamp_seconds{target=\"desk \\\"one\\\"\\\\\\n\"} 1700000200",
        "revisor_wal_size_bytes 4096",
        "revisor_database_readable 1",
    ] {
        has(&text, line);
    }
}

#[test]
fn a_target_that_has_left_is_not_told_of() {
    let metrics = metrics();
    metrics.tell(Some(&known()));
    metrics.tell(Some(&DatabaseNumbers::default()));
    let text = metrics.text().unwrap();
    assert!(!text.contains("revisor_deliveries_pending{"), "{text}");
    // Counters never decrease.
    has(&text, "revisor_changes_total 412");
}

#[test]
fn a_database_that_cannot_be_read_is_said_to_be() {
    let metrics = metrics();
    metrics.tell(Some(&known()));
    metrics.tell(None);
    let text = metrics.text().unwrap();
    has(&text, "revisor_database_readable 0");
    has(&text, "revisor_feeds{state=\"ok\"} 10");
}

#[test]
fn every_metric_has_a_help_a_type_and_a_name_of_ours() {
    let metrics = metrics();
    metrics.tell(Some(&known()));
    let text = metrics.text().unwrap();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert!(name.starts_with("revisor_") || name == "process_start_time_seconds");
        assert!(text.contains(&format!("# HELP {name} ")), "{name}");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
    }
}
