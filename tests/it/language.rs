//! Plain English: phrases that read as translated word for word must not come back.

use std::fs;
use std::path::{Path, PathBuf};

/// Phrases that nobody would say; write the usual word of the trade instead.
const TELL_TALE: [&str; 23] = [
    "anew",
    "as they should be",
    "asked for until",
    "beside it,",
    "belongs into",
    "fault in revisor",
    "is left alone",
    "is no address",
    "is no feed",
    "is no time zone",
    "is taken up",
    "is told",
    "left alone for",
    "makes room",
    "nobody is told",
    "nothing waits",
    "not asked: ",
    "seldom",
    "stands in",
    "sent to again",
    "the defaults hold",
    "the whole is",
    "wants to be left alone",
];

#[test]
fn no_tell_tale_phrase_is_in_a_message_the_manual_or_the_configuration() {
    let mut texts: Vec<(PathBuf, String)> = Vec::new();
    for name in [
        "README.md",
        "CHANGELOG.md",
        "src/ARCHITECTURE.md",
        "config/default.toml",
        "config/starter.toml",
        "systemd/revisor.service",
    ] {
        texts.push((name.into(), read(Path::new(name))));
    }
    collect(Path::new("src"), &mut texts);
    assert!(texts.len() > 200, "{} files", texts.len());
    let mut found = Vec::new();
    for (path, text) in &texts {
        for line in text.lines() {
            let lower = line.to_lowercase();
            found.extend(
                TELL_TALE
                    .iter()
                    .filter(|phrase| has_phrase(&lower, phrase))
                    .map(|phrase| format!("{}: {phrase:?} in {line}", path.display())),
            );
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Whether the line has the phrase as words, not inside another word.
fn has_phrase(line: &str, phrase: &str) -> bool {
    line.match_indices(phrase).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + phrase.len()..].chars().next();
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
        !is_letter(before) && !is_letter(after)
    })
}

/// The guide, and the string literals of the code outside tests.
fn collect(folder: &Path, texts: &mut Vec<(PathBuf, String)>) {
    let entries = fs::read_dir(root().join(folder)).expect("a folder");
    for entry in entries {
        let entry = entry.expect("an entry");
        let name = entry.file_name().display().to_string();
        let path = folder.join(&name);
        if entry.path().is_dir() {
            if name != "tests" {
                collect(&path, texts);
            }
        } else if is_a(&path, "md") && name != "ARCHITECTURE.md" {
            texts.push((path.clone(), read(&path)));
        } else if is_a(&path, "rs") && name != "tests.rs" {
            texts.push((path.clone(), literals(&read(&path))));
        }
    }
}

/// Whether a path has this extension.
fn is_a(path: &Path, end: &str) -> bool {
    path.extension().is_some_and(|found| found == end)
}

/// The string literals of code up to its tests, one per line, without comments and reasons of lints.
fn literals(code: &str) -> String {
    let code = code.split("mod tests {").next().unwrap_or_default();
    let mut out = String::new();
    for line in code.lines() {
        let line = line.trim_start();
        if line.starts_with("//") || line.contains("reason = \"") || line.contains("expect(\"") {
            continue;
        }
        if let (Some(start), Some(end)) = (line.find('"'), line.rfind('"')) {
            let piece = match start == end {
                true => line,
                false => &line[start..end],
            };
            out.push_str(piece);
            out.push('\n');
        } else if line.ends_with('\\') {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).expect("a text")
}

#[test]
fn a_phrase_is_found_as_words_only() {
    assert!(has_phrase("a rule is told.", "is told"));
    assert!(!has_phrase("this told", "is told"));
    assert!(literals("let a = \"nobody is told\"; // is told\n").contains("nobody is told"));
    assert!(literals("// \"nobody is told\"\n").is_empty());
}
