//! Checks imports against the table of allowed imports, and pure modules against the names that they must not use.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module with the modules that it may import. `main.rs` and `lib.rs` are missing: one imports `cli`, the
/// other declares everything.
pub(crate) const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("names", &[]),
    ("time", &[]),
    ("domain", &["names", "time"]),
    ("columns", &["domain", "time"]),
    ("extract", &["domain", "time"]),
    ("feed", &["domain", "extract", "time"]),
    ("document", &["domain", "extract"]),
    ("report", &["domain", "feed", "extract", "time"]),
    ("config", &["domain", "extract", "feed", "names", "time"]),
    ("metrics", &["time"]),
    ("queries", &["config", "domain", "report", "store", "time"]),
    ("picture", &["report"]),
    (
        "web",
        &[
            "config", "domain", "metrics", "picture", "queries", "report", "store", "time",
        ],
    ),
    ("fetch", &["domain", "config", "names", "time"]),
    ("store", &["domain", "names", "time"]),
    (
        "notify",
        &[
            "domain", "store", "report", "picture", "fetch", "config", "time",
        ],
    ),
    (
        "check",
        &[
            "domain", "feed", "extract", "document", "report", "fetch", "store", "config",
            "metrics", "time",
        ],
    ),
    (
        "daemon",
        &[
            "check", "notify", "store", "fetch", "config", "domain", "metrics", "web", "time",
            "logging",
        ],
    ),
    ("demo", &["domain", "report", "notify", "config", "time"]),
    ("logging", &["names", "report", "time"]),
    ("memory", &[]),
    ("error", &["config", "store"]),
    (
        "cli",
        &[
            "config", "daemon", "demo", "document", "domain", "error", "extract", "feed", "fetch",
            "logging", "memory", "names", "notify", "check", "queries", "report", "store", "time",
        ],
    ),
];

/// Modules without IO, clock, randomness or logging.
const PURE: &[&str] = &["domain", "feed", "extract", "report"];

/// The decisions of a check. They are outside the pure modules because they depend on the settings, but everything
/// that they need is read before.
const DECISIONS: &[&str] = &[
    "check/feed/decide.rs",
    "check/page/interpret.rs",
    "check/page/stand_ins.rs",
    "check/page/documents.rs",
    "check/page/decide.rs",
    "check/events/revise.rs",
];

/// Names that must not occur in a pure module.
const IMPURE: &[&str] = &[
    "tokio",
    "rusqlite",
    "reqwest",
    "std::fs",
    "std::net::Tcp",
    "std::env",
    "std::io::stdout",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant",
    "Stopwatch",
    "getrandom",
    "tracing",
];

/// A crate, and the only modules that may use it.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("rusqlite", &["store", "columns"]),
    ("reqwest", &["fetch", "notify"]),
    ("feed_rs", &["feed"]),
    ("trafilatura", &["extract"]),
    ("hayro_interpret", &["extract"]),
    ("infer", &["extract"]),
    ("clap", &["cli"]),
    ("cron", &["domain"]),
    ("sd_notify", &["daemon"]),
    ("prometheus", &["metrics"]),
    ("hyper_util", &["web"]),
    ("lettre", &["notify"]),
    ("rumqttc", &["notify"]),
    ("minijinja", &["notify", "config"]),
    ("resvg", &["report", "picture"]),
];

#[test]
fn modules_import_only_what_the_table_allows() {
    let mut wrong = Vec::new();
    for (module, file, text) in sources() {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!(
                "{}: the module `{module}` is not in the table",
                file.display()
            ));
            continue;
        };
        for (number, line) in code_lines(&text) {
            for imported in crate_paths(line) {
                let is_module = MAY_IMPORT.iter().any(|(name, _)| *name == imported);
                if is_module && imported != module && !allowed.contains(&imported) {
                    wrong.push(format!(
                        "{}:{number}: `{module}` may not import `{imported}`",
                        file.display()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn pure_modules_name_nothing_impure() {
    let mut wrong = Vec::new();
    for (module, file, text) in sources() {
        // A test may use threads and files; the code that it tests may not.
        if !PURE.contains(&module.as_str()) || file.ends_with("tests.rs") {
            continue;
        }
        for (number, line) in code_lines(&text) {
            for name in IMPURE.iter().filter(|name| names(line, name)) {
                wrong.push(format!(
                    "{}:{number}: `{name}` in the pure `{module}`",
                    file.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn decisions_ask_nobody() {
    let mut wrong = Vec::new();
    for (_, file, text) in sources() {
        if !DECISIONS.iter().any(|decision| file.ends_with(decision)) {
            continue;
        }
        for (number, line) in code_lines(&text) {
            let asks = ["Reader", "Readers", "Writer", "Store", "Checker", "now()"];
            for name in asks.iter().chain(IMPURE).filter(|name| names(line, name)) {
                wrong.push(format!("{}:{number}: `{name}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn edge_crates_stay_behind_their_doors() {
    let mut wrong = Vec::new();
    for (module, file, text) in sources() {
        // A test may see private items.
        if file.ends_with("tests.rs") {
            continue;
        }
        for (number, line) in code_lines(&text) {
            for (name, _) in ONLY_IN.iter().filter(|(name, homes)| {
                !homes.contains(&module.as_str()) && names_crate(line, name)
            }) {
                wrong.push(format!(
                    "{}:{number}: `{name}` in `{module}`",
                    file.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn files_stay_readable_on_a_few_screens() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter_map(|(_, file, text)| {
            // The length of a file of tests depends on the number of cases.
            let tests = file.ends_with("tests.rs");
            let lines = if tests { 0 } else { code_lines(&text).count() };
            (lines > 600).then(|| format!("{}: {lines} lines, split it", file.display()))
        })
        .collect();
    assert!(long.is_empty(), "\n{}", long.join("\n"));
}

#[test]
fn the_table_has_no_circle() {
    for (module, allowed) in MAY_IMPORT {
        for other in *allowed {
            let back = MAY_IMPORT
                .iter()
                .find(|(name, _)| name == other)
                .map(|(_, list)| *list);
            assert!(
                !back.unwrap_or_default().contains(module),
                "{module} and {other}"
            );
        }
    }
}

/// Folders of `src/` that are packages of several modules.
const PACKAGES: &[&str] = &["core", "read"];

/// Module, path and text of every file in `src/`, without those that only declare modules (`main.rs`, `lib.rs`).
pub(crate) fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(&folder).expect("src can be read") {
            let path = item.expect("src can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
        .into_iter()
        .filter_map(|path| {
            let inside = path.strip_prefix(&root).ok()?.to_owned();
            let mut parts = inside.iter().filter_map(|part| part.to_str());
            let first = parts.next()?;
            let package = PACKAGES.contains(&first);
            let name = if package { parts.next()? } else { first };
            let module = name.trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).expect("a source file is text");
            (!["main", "lib"].contains(&module.as_str())).then_some((module, inside, text))
        })
        .collect()
}

/// Lines of production code with their numbers: up to the tests, without comments.
pub(crate) fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(place, line)| (place + 1, line))
}

/// The first segment of every `crate::…` path in a line, including all of `use crate::{a, b}`.
fn crate_paths(line: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for (place, _) in line.match_indices("crate::") {
        let rest = &line[place + "crate::".len()..];
        let list = rest
            .strip_prefix('{')
            .map_or(rest, |inside| inside.split('}').next().unwrap_or(""));
        let many = rest.starts_with('{');
        for part in list.split(',').take(if many { usize::MAX } else { 1 }) {
            let end = part.trim().find(|c: char| !c.is_alphanumeric() && c != '_');
            let name = &part.trim()[..end.unwrap_or(part.trim().len())];
            if !name.is_empty() {
                found.insert(name);
            }
        }
    }
    found
}

/// Whether a line uses a crate, by the beginning of a path. A module of ours with the same name has a path before
/// it.
fn names_crate(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    line.match_indices(&path).any(|(place, _)| {
        let before = line[..place].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

/// Whether a line names something as a whole word.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(place, _)| {
        let before = line[..place].chars().next_back();
        let after = line[place + name.len()..].chars().next();
        let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !inside(before) && (name.ends_with("::") || !inside(after))
    })
}
