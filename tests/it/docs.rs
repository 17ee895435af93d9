//! README.md and src/ARCHITECTURE.md against the program: what they mention exists.
//!
//! The capture in README is what `revisor demo` prints today; if it differs, the test prints the new block.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use revisor::TOPICS;
use revisor::time::{Clock as _, System};
use revisor::{DEFAULT_TOML, Environment, Flags, Secrets, from_text};
use revisor::{SigningSecret, sign};

use crate::architecture::MAY_IMPORT;
use crate::support::{SECRET, skip};

/// Commands of two words, by the first.
const GROUPS: [&str; 6] = ["inspect", "notify", "config", "rules", "db", "export"];

/// Words before a command in a shell line.
const BEFORE: [&str; 2] = ["sudo", "$"];

#[test]
fn the_capture_is_what_the_demonstration_prints() {
    let expected = capture(&demo());
    let shown = block_after(&readme(), "<!-- capture -->");
    assert!(
        shown == expected,
        "README.md shows something else than `revisor demo` prints. The block is to be:\n\n<!-- capture -->\n```text\n{expected}```\n"
    );
}

#[test]
fn the_two_commands_stand_on_the_first_screen() {
    let readme = readme();
    let first_screen: Vec<&str> = readme.lines().take(45).collect();
    for command in ["cargo run --release -- demo", "cargo test"] {
        assert!(
            first_screen.iter().any(|line| line.starts_with(command)),
            "`{command}` is not among the first lines"
        );
    }
}

#[test]
fn every_command_and_option_in_the_readme_exists() {
    let mut checked = BTreeSet::new();
    for line in code(&manual()) {
        let Some((path, options)) = command_in(&line) else {
            continue;
        };
        let mut help = vec!["help"];
        help.extend(path.iter().map(String::as_str));
        let output = revisor(&help);
        assert!(output.status.success(), "`{line}`: no such command");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for option in options {
            let known = text
                .split(|c: char| c.is_whitespace() || c == ',' || c == '.')
                .any(|word| word == option);
            assert!(known, "`{line}`: no option {option} in\n{text}");
        }
        checked.insert(path.join(" "));
    }
    for must in ["init", "add", "check", "log", "show", "history", "diff"] {
        assert!(
            checked.contains(must),
            "README and guide do not show `revisor {must}`"
        );
    }
    for must in ["notify list", "notify test", "notify retry", "config check"] {
        assert!(
            checked.contains(must),
            "README and guide do not show `revisor {must}`"
        );
    }
}

#[test]
fn every_option_that_stands_alone_belongs_to_a_command() {
    let helps: String = [
        &["--help"][..],
        &["help", "log"],
        &["help", "check"],
        &["help", "diff"],
        &["help", "add"],
        &["help", "report"],
        &["help", "export", "ndjson"],
    ]
    .iter()
    .map(|arguments| String::from_utf8_lossy(&revisor(arguments).stdout).into_owned())
    .collect();
    for span in spans(&manual()) {
        let Some(option) = span.split(' ').next().filter(|word| word.starts_with("--")) else {
            continue;
        };
        assert!(helps.contains(option), "no command has {option}");
    }
}

#[test]
fn the_configurations_in_the_readme_are_right() {
    let blocks = fenced(&manual(), "toml");
    assert!(blocks.len() >= 5, "README and guide show feeds and targets");
    for block in blocks {
        let loaded = from_text(
            &block,
            None,
            Flags::default(),
            &Environment::default(),
            Secrets::WhereReadable,
        );
        if let Err(error) = loaded {
            panic!("{error}\nin\n{block}");
        }
    }
}

#[test]
fn every_configuration_key_in_the_readme_exists() {
    let keys: BTreeSet<&str> = DEFAULT_TOML
        .lines()
        .filter_map(|line| line.trim_start_matches(['#', ' ']).split_once(" = "))
        .map(|(key, _)| key)
        .filter(|key| !key.contains(' '))
        .collect();
    let mut seen = 0;
    for span in spans(&manual()) {
        let key = match span.split_once(" = ") {
            Some((key, _)) => key,
            None if span.starts_with("secret_") || span.starts_with("max_") => span.as_str(),
            None => match span.split_once('.') {
                Some(("fetch" | "page" | "detect" | "keep" | "log", key)) => key,
                _ => continue,
            },
        };
        assert!(
            keys.contains(key),
            "`{span}`: config/default.toml has no {key}"
        );
        seen += 1;
    }
    assert!(seen >= 5, "only {seen} keys were recognised");
}

#[test]
fn the_python_example_accepts_our_signatures_and_no_others() {
    let example = block_after(&read("src/guide/alerts.md"), "<!-- verify -->");
    let body = "{\"type\":\"ping.test\",\"text\":\"Grüße\"}";
    let secret = SigningSecret::parse(SECRET).expect("the tests' secret is one");
    let other = SigningSecret::from_bytes(&[7; 32]).expect("32 bytes are a secret");
    let now = System.now();
    let headers = |secrets: &[SigningSecret], at| {
        let headers: serde_json::Map<String, serde_json::Value> =
            sign(secrets, "msg_1", at, body.as_bytes())
                .headers()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect();
        serde_json::Value::Object(headers).to_string()
    };
    let cases = [
        (headers(std::slice::from_ref(&secret), now), "True"),
        (headers(&[other.clone(), secret.clone()], now), "True"),
        (headers(&[other], now), "False"),
        (
            headers(&[secret], now - std::time::Duration::from_mins(10)),
            "False",
        ),
    ];
    let mut script = example;
    script.push_str("\nimport json, sys\nbody = sys.argv[1].encode()\n");
    for (headers, expected) in &cases {
        writeln!(
            script,
            "assert verify({SECRET:?}, json.loads({headers:?}), body) is {expected}\n\
             assert verify({SECRET:?}, json.loads({headers:?}), body + b'.') is False"
        )
        .expect("a string takes all");
    }
    let output = Command::new("python3").args(["-c", &script, body]).output();
    let Ok(output) = output else {
        skip("there is no python3");
        return;
    };
    assert!(
        output.status.success(),
        "{}\n{script}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn files_that_the_documents_name_exist() {
    let places = ["config/", "systemd/", "migrations/", "tests/", "src/"];
    for (document, text) in [
        ("README and guide", manual()),
        ("src/ARCHITECTURE.md", read("src/ARCHITECTURE.md")),
    ] {
        for span in spans(&text) {
            if places.iter().any(|place| span.starts_with(place)) && !span.contains(' ') {
                assert!(root().join(&span).exists(), "{document}: no {span}");
            }
        }
    }
}

#[test]
fn the_readme_is_short() {
    let words = readme().split_whitespace().count();
    assert!(words <= 1200, "README.md has {words} words");
}

#[test]
fn every_topic_of_the_guide_is_printed_and_listed() {
    let folder = std::fs::read_dir(root().join("src/guide")).expect("src/guide");
    let files: BTreeSet<String> = folder
        .map(|file| file.expect("a file").file_name().display().to_string())
        .collect();
    let topics = TOPICS.iter().map(|topic| format!("{}.md", topic.name));
    assert_eq!(files, topics.collect(), "src/guide against the topics");
    let overview = String::from_utf8_lossy(&revisor(&["help"]).stdout).into_owned();
    for topic in TOPICS {
        assert!(
            overview.contains(topic.name),
            "no {} in the help",
            topic.name
        );
        let output = revisor(&["help", topic.name]);
        assert!(output.status.success(), "{}", topic.name);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let heading = topic.text.lines().next().expect("a heading");
        assert!(text.starts_with(heading.trim_start_matches("# ")), "{text}");
        assert!(!text.contains("```") && !text.contains("<!--"), "{text}");
    }
    let output = revisor(&["help", "alert"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("did you mean `alerts`?"), "{said}");
    assert!(said.contains("evidence, export, files, ignored"), "{said}");
    let help = revisor(&["help", "notify", "replay"]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("revisor notify replay"));
}

#[test]
fn the_architecture_shows_the_table_that_is_held() {
    let text = read("src/ARCHITECTURE.md");
    let shown: Vec<(String, BTreeSet<String>)> = text
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|');
            let module = cells.next()?.trim().trim_end_matches('`').to_owned();
            let imports = cells.next()?;
            let names = imports.split_whitespace().filter(|name| *name != "–");
            Some((
                module,
                names
                    .map(|name| name.trim_matches('`').to_owned())
                    .collect(),
            ))
        })
        .collect();
    let held: BTreeSet<(String, BTreeSet<String>)> = MAY_IMPORT
        .iter()
        .map(|(module, imports)| {
            let imports = imports.iter().map(|name| (*name).to_owned()).collect();
            ((*module).to_owned(), imports)
        })
        .collect();
    for row in &shown {
        assert!(held.contains(row), "not what the test holds: {row:?}");
    }
    assert_eq!(
        shown.len(),
        held.len(),
        "a module is missing or shown twice"
    );
    // Reading order: package by package, each in the order of its lib.rs.
    let inside = ["core", "read"].map(|package| read(&format!("src/{package}/lib.rs")));
    let declared = format!("{}\nmod store;\n{}", inside.concat(), read("src/lib.rs"));
    let place = |module: &str| {
        declared
            .lines()
            .position(|line| line.trim_start_matches("pub ") == format!("mod {module};"))
            .unwrap_or_else(|| panic!("no lib.rs declares {module}"))
    };
    let order: Vec<usize> = shown.iter().map(|(module, _)| place(module)).collect();
    assert!(order.is_sorted(), "the map is not in the order of lib.rs");
}

#[test]
fn the_architecture_says_what_each_dependency_is_for() {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("Cargo.toml is TOML");
    let names = |table: &toml::Value| -> BTreeSet<String> {
        let table = table.as_table().expect("a table of dependencies");
        table.keys().cloned().collect()
    };
    let mut wanted = BTreeSet::new();
    let mut for_tests = BTreeSet::new();
    for folder in ["", "src/core/", "src/read/", "src/store/"] {
        let package: toml::Table = read(&format!("{folder}Cargo.toml")).parse().expect("TOML");
        wanted.extend(names(&package["dependencies"]));
        for_tests.extend(names(&package["dev-dependencies"]));
    }
    wanted.retain(|name| !name.starts_with("revisor-"));
    let listed = names(&manifest["workspace"]["dependencies"]);
    assert_eq!(
        listed,
        &wanted | &for_tests,
        "the workspace's list is another one"
    );
    let text = read("src/ARCHITECTURE.md");
    let (_, list) = text
        .split_once("## Dependencies")
        .expect("a section on dependencies");
    let told: BTreeSet<String> = list
        .lines()
        .filter_map(|line| line.strip_prefix("- `")?.split_once("`: "))
        .filter(|(_, reason)| reason.len() > 10)
        .map(|(name, _)| name.to_owned())
        .collect();
    let missing: Vec<&String> = wanted.difference(&told).collect();
    let left: Vec<&String> = told.difference(&wanted).collect();
    assert!(missing.is_empty(), "no line for {missing:?}");
    assert!(left.is_empty(), "not in Cargo.toml any more: {left:?}");
}

#[test]
fn the_architecture_stays_short_and_its_invariants_numbered() {
    let text = read("src/ARCHITECTURE.md");
    assert!(text.lines().count() <= 320, "more than 320 lines");
    let (_, rest) = text.split_once("## Invariants").expect("invariants");
    let (invariants, _) = rest.split_once("\n## ").expect("a section after it");
    for (place, line) in invariants
        .lines()
        .filter(|line| !line.is_empty())
        .enumerate()
    {
        assert!(
            line.starts_with(&format!("{}. ", place + 1)),
            "expected number {}: {line}",
            place + 1
        );
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect(path)
}

fn readme() -> String {
    read("README.md")
}

/// README and all pages of the guide.
fn manual() -> String {
    let pages = TOPICS.iter().map(|topic| topic.text);
    let pages: Vec<&str> = pages.collect();
    format!("{}\n{}", readme(), pages.join("\n"))
}

/// Runs the binary in an empty environment.
fn revisor(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_revisor"))
        .env_clear()
        .stdin(Stdio::null())
        .args(arguments)
        .output()
        .expect("the binary runs")
}

fn demo() -> String {
    let output = revisor(&["demo", "--color", "never"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// The beginning and the end of the demo, with a fixed time and port.
fn capture(demo: &str) -> String {
    let rounds: Vec<&str> = demo.split("\n\n").collect();
    let [baseline, first, second, .., last] = rounds.as_slice() else {
        panic!("the demonstration is too short:\n{demo}");
    };
    let verdict = last.lines().last().unwrap_or_default();
    let parts = [baseline, first, second, "…", verdict];
    let mut text = format!("$ cargo run --release -- demo\n{}\n", parts.join("\n\n"));
    text = text.lines().map(fixed_time).collect();
    for address in ports(&text) {
        text = text.replace(&address, "127.0.0.1:40000");
    }
    text
}

/// Replaces the time of a change in a list with a fixed one: it is between the number and the name of the feed.
fn fixed_time(line: &str) -> String {
    let name = "The Demo Courier";
    match line.find(name) {
        Some(place) if line.starts_with('#') => {
            let number = line.split(' ').next().unwrap_or_default();
            format!("{number:<5} {:<18}  {}\n", "today 09:32", &line[place..])
        }
        _ => format!("{}\n", line.trim_end()),
    }
}

/// The loopback addresses in a text, with ports.
fn ports(text: &str) -> BTreeSet<String> {
    text.match_indices("127.0.0.1:")
        .map(|(place, host)| {
            let rest = &text[place + host.len()..];
            let digits = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            format!("{host}{}", &rest[..digits])
        })
        .collect()
}

/// The fenced block after a mark.
fn block_after(text: &str, mark: &str) -> String {
    let (_, rest) = text.split_once(mark).expect(mark);
    let (_, rest) = rest.split_once("```").expect("a fenced block");
    let (_, rest) = rest.split_once('\n').expect("a line of its own");
    let (block, _) = rest.split_once("```").expect("the end of the block");
    block.to_owned()
}

/// The fenced blocks in a language.
fn fenced(text: &str, language: &str) -> Vec<String> {
    let open = format!("```{language}\n");
    text.split(&open)
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(block, _)| block.to_owned())
        .collect()
}

/// Inline code.
fn spans(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    prose
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

/// Every shell line, and all inline code.
fn code(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = fenced(text, "sh")
        .iter()
        .flat_map(|block| block.lines())
        .map(|line| line.split('#').next().unwrap_or_default().trim().to_owned())
        .collect();
    lines.extend(spans(text));
    lines
}

/// The command of revisor in a line, of one or two words, and its long options.
fn command_in(line: &str) -> Option<(Vec<String>, Vec<String>)> {
    let mut words = line
        .split_whitespace()
        .skip_while(|word| BEFORE.contains(word));
    if words.next() != Some("revisor") {
        return None;
    }
    let words: Vec<&str> = words.collect();
    let mut path: Vec<String> = Vec::new();
    let mut after_option = false;
    for word in &words {
        let is_name = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
        let more = path.is_empty() || (path.len() == 1 && GROUPS.contains(&path[0].as_str()));
        if word.starts_with('-') {
            after_option = *word != "--json" && *word != "--force";
        } else if is_name && more && !after_option {
            path.push((*word).to_owned());
        } else {
            after_option = false;
        }
    }
    let options = words
        .iter()
        .filter(|word| word.starts_with("--"))
        .map(|word| (*word).to_owned())
        .collect();
    (!path.is_empty()).then_some((path, options))
}
