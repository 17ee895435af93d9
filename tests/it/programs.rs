//! Programs that some tests need, but that are not installed everywhere.

use std::path::PathBuf;
use std::process::Command;

/// Runs a script; returns whether it succeeded, and its output.
pub(crate) fn script(name: &str, arguments: &[String]) -> (bool, String) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests");
    let output = Command::new("python3")
        .arg(folder.join(name))
        .args(arguments)
        .output();
    match output {
        Ok(output) => {
            let said =
                String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            (output.status.success(), said.into_owned())
        }
        Err(error) => (false, error.to_string()),
    }
}

/// Whether a program is installed.
pub(crate) fn has(program: &str, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Flags for `web_pages.py` that the environment sets: `REVISOR_TEST_SHOTS` stands for `--shots`, for example.
pub(crate) fn wishes(names: &[&str]) -> Vec<String> {
    let wish = |name: &&str| {
        #[expect(
            clippy::disallowed_methods,
            reason = "the test runner is told by its environment"
        )]
        let value = std::env::var(format!("REVISOR_TEST_{}", name.to_uppercase())).ok()?;
        Some([format!("--{name}"), value])
    };
    names.iter().filter_map(wish).flatten().collect()
}
