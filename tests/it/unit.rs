//! The systemd unit: systemd understands all of it, and finds little exposure.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::skip;

fn unit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/revisor.service")
}

/// Runs `systemd-analyze`; `None` if it is not installed.
fn analyze(arguments: &[&str], unit: &Path) -> Option<Output> {
    match Command::new("systemd-analyze")
        .args(arguments)
        .arg(unit)
        .output()
    {
        Ok(output) => Some(output),
        Err(error) => {
            skip(&format!("systemd-analyze cannot be run: {error}"));
            None
        }
    }
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn unit_exposes_little() {
    let Some(output) = analyze(&["security", "--offline=yes", "--threshold=12"], &unit()) else {
        return;
    };
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn unit_has_no_option_that_systemd_does_not_know() {
    // The binary is not installed where tests run: a copy of the unit names an existing one.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let copy = folder.path().join("revisor.service");
    let source = std::fs::read_to_string(unit()).expect("the unit");
    let replaced = source.replace("/usr/bin/revisor", "/bin/sh");
    std::fs::write(&copy, replaced).expect("a copy of the unit");
    let Some(output) = analyze(&["verify", "--man=no"], &copy) else {
        return;
    };
    let said = text(&output);
    let ours: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("revisor.service"))
        .collect();
    assert!(ours.is_empty(), "{}", ours.join("\n"));
}

#[test]
fn reload_checks_the_configuration_and_waits_for_what_the_service_says() {
    let source = std::fs::read_to_string(unit()).expect("the unit");
    let reload: Vec<&str> = source
        .lines()
        .filter(|line| line.starts_with("ExecReload="))
        .collect();
    assert_eq!(
        reload,
        [
            "ExecReload=/usr/bin/revisor config check",
            "ExecReload=/usr/bin/revisor config reload"
        ]
    );
    let paths = source
        .lines()
        .find(|line| line.starts_with("ExecPaths="))
        .expect("ExecPaths");
    assert!(paths.contains("/usr/bin/revisor "), "{paths}");
}
