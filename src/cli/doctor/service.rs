//! Whether anything polls, and what systemd reports about the service.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::config::Config;
use crate::report::doctor::DoctorFinding;

const CHECK: &str = "service";
/// Exists if the machine runs systemd.
const BOOTED: &str = "/run/systemd/system";

pub(super) fn look(daemon: Option<u32>, config: &Config) -> DoctorFinding {
    judge(daemon, unit().as_ref(), &config.database)
}

/// What systemd knows of the unit; `None` without systemd or without the unit.
fn unit() -> Option<HashMap<String, String>> {
    if !Path::new(BOOTED).exists() {
        return None;
    }
    let output = Command::new("systemctl")
        .args([
            "show",
            "revisor.service",
            "--property=LoadState,ActiveState,SubState,Result,NRestarts,UnitFileState",
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let properties: HashMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    properties
        .get("LoadState")
        .is_some_and(|state| state == "loaded")
        .then_some(properties)
}

fn judge(
    daemon: Option<u32>,
    unit: Option<&HashMap<String, String>>,
    database: &Path,
) -> DoctorFinding {
    let property = |name: &str| {
        unit.and_then(|unit| unit.get(name))
            .map(String::as_str)
            .unwrap_or_default()
    };
    let restarts = match property("NRestarts") {
        "" | "0" => None,
        count => Some(format!("systemd has restarted it {count} times")),
    };
    match daemon {
        Some(pid) => {
            let text = format!("a daemon is running (pid {pid})");
            match restarts {
                Some(restarts) => DoctorFinding::warn(
                    CHECK,
                    format!("{text}; {restarts}"),
                    "run `journalctl -u revisor -p warning` to see why",
                ),
                None => DoctorFinding::ok(CHECK, text),
            }
        }
        None if property("ActiveState") == "failed" => DoctorFinding::fail(
            CHECK,
            format!("systemd gave up on it: {}", property("Result")),
            "run `journalctl -u revisor -n 50` to see why, then `systemctl restart revisor`",
        ),
        None if property("ActiveState") == "active" => DoctorFinding::warn(
            CHECK,
            format!(
                "running, but with another database than {}",
                database.display()
            ),
            "`--db` or `--config` points to another database than the one the service uses",
        ),
        None if unit.is_some() => DoctorFinding::fail(
            CHECK,
            format!(
                "the service is {}, so nothing is polled",
                property("ActiveState")
            ),
            "`systemctl enable --now revisor` starts it now and at every boot",
        ),
        None => DoctorFinding::warn(
            CHECK,
            "no daemon is running on this database",
            "run `revisor run` as a service, or `revisor check` from time to time",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::doctor::FindingLevel;

    #[test]
    fn a_service_is_judged_by_what_runs_and_by_what_systemd_says() {
        let path = Path::new("/var/lib/revisor/revisor.db");
        let unit = |state: &str, restarts: &str| -> HashMap<String, String> {
            [
                ("ActiveState", state),
                ("NRestarts", restarts),
                ("Result", "exit-code"),
            ]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
        };
        for (daemon, unit, level, says) in [
            (Some(7), None, FindingLevel::Ok, "pid 7"),
            (
                Some(7),
                Some(unit("active", "0")),
                FindingLevel::Ok,
                "pid 7",
            ),
            (
                Some(7),
                Some(unit("active", "3")),
                FindingLevel::Warn,
                "3 times",
            ),
            (None, None, FindingLevel::Warn, "no daemon"),
            (
                None,
                Some(unit("failed", "5")),
                FindingLevel::Fail,
                "exit-code",
            ),
            (
                None,
                Some(unit("inactive", "0")),
                FindingLevel::Fail,
                "inactive",
            ),
            (
                None,
                Some(unit("active", "0")),
                FindingLevel::Warn,
                "another database",
            ),
        ] {
            let found = judge(daemon, unit.as_ref(), path);
            assert_eq!(found.level, level, "{found:?}");
            assert!(found.text.contains(says), "{found:?}");
        }
    }
}
