//! CPU time and memory of this process, from `/proc`.

use std::time::Duration;

/// CPU time of all threads since the process started, in steps of a hundredth of a second.
pub(crate) fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field, in brackets, may contain spaces; user and system time are fields 14 and 15.
    let rest = text.rsplit(") ").next().unwrap_or_default();
    let ticks: u64 = rest
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}

/// The peak of resident memory since [`reset_peak`], in MiB.
pub(crate) fn peak_mib() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap_or_default();
    let kib: f64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(0.0);
    kib / 1024.0
}

/// Starts measuring a new peak.
pub(crate) fn reset_peak() {
    // Where this is not permitted, the peak covers the whole run.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
