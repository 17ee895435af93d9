//! Where the material is, how it is unpacked, and how its scorers are run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::skip;

/// The folder of the material.
#[derive(Debug)]
pub(super) struct Corpora {
    root: PathBuf,
}

impl Corpora {
    /// The folder from the environment. Without it, the test is skipped with a message, or fails if skipping is
    /// not allowed.
    pub(super) fn find() -> Option<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the test runner is told by its environment"
        )]
        let named = std::env::var_os("REVISOR_CORPORA").filter(|name| !name.is_empty());
        let Some(named) = named else {
            skip("REVISOR_CORPORA names no folder of real feeds and pages");
            return None;
        };
        let root = PathBuf::from(named);
        if !root.join("data").is_dir() {
            skip(&format!(
                "there is no folder {}",
                root.join("data").display()
            ));
            return None;
        }
        Some(Self { root })
    }

    /// A file or folder of the material.
    pub(super) fn data(&self, name: &str) -> PathBuf {
        self.root.join("data").join(name)
    }

    /// A file of the kits.
    pub(super) fn kit(&self, name: &str) -> PathBuf {
        self.root.join("kits").join(name)
    }

    /// The content of an archive of the material.
    pub(super) fn unpacked(&self, archive: &str) -> TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let status = Command::new("tar")
            .arg("xf")
            .arg(self.data(archive))
            .arg("-C")
            .arg(folder.path())
            .status()
            .expect("tar runs");
        assert!(status.success(), "cannot unpack {archive}");
        folder
    }

    /// The objects of a file that has one per line.
    pub(super) fn lines(&self, name: &str) -> Vec<Value> {
        text(&self.data(name))
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line is JSON"))
            .collect()
    }

    /// The output of a scorer.
    pub(super) fn score(&self, script: &str, arguments: &[&OsStr]) -> String {
        let script = self.root.join("kits/score").join(script);
        let output = Command::new("python3")
            .arg(&script)
            .args(arguments)
            .output()
            .expect("python3 runs");
        assert!(
            output.status.success(),
            "{}: {}",
            script.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Writes one object per line, for a scorer.
pub(super) fn write_lines(path: &Path, objects: &[Value]) {
    let lines: Vec<String> = objects.iter().map(|object| format!("{object}\n")).collect();
    std::fs::write(path, lines.concat()).expect("a file in a temporary folder");
}

/// The text of a file.
pub(super) fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The bytes of a file.
pub(super) fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below a folder, sorted by name.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry of a folder").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
