//! Every key of the configuration does something.

use std::collections::BTreeSet;

use crate::architecture::{code_lines, sources};
use crate::support::{Home, PATIENCE, Page, Server, eventually, rss};

/// A key that is read, checked and shown but used nowhere is a broken promise: every field of the resolved
/// configuration is read somewhere outside of `config`.
#[test]
fn every_value_of_the_configuration_is_used_outside_of_it() {
    let sources = sources();
    let inside = |module: &str| module == "config";
    let mut fields = BTreeSet::new();
    for (module, file, text) in &sources {
        let resolved = file.ends_with("resolved.rs") || file.ends_with("access.rs");
        if inside(module) && resolved {
            for (_, line) in code_lines(text) {
                let field = line
                    .strip_prefix("    pub ")
                    .and_then(|rest| rest.split_once(": "));
                let field = field.filter(|(name, _)| !name.contains(' '));
                fields.extend(field.map(|(name, _)| name.to_owned()));
            }
        }
    }
    assert!(
        fields.len() > 50,
        "fields are not found any more: {fields:?}"
    );
    // The file that was read, and the source of each secret: `config` itself uses these.
    fields.retain(|field| field != "file" && !field.ends_with("_source"));
    let mut idle = fields;
    for (_, _, text) in sources.iter().filter(|(module, ..)| !inside(module)) {
        for (_, line) in code_lines(text) {
            idle.retain(|field| !reads(line, field));
        }
    }
    assert!(idle.is_empty(), "nobody uses {idle:?}");
}

/// Whether a line reads a field: `.name`, but not a call of a method with that name.
fn reads(line: &str, field: &str) -> bool {
    line.match_indices(&format!(".{field}"))
        .any(|(place, found)| {
            let after = line[place + found.len()..].chars().next();
            !after.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '(')
        })
        || line.trim() == format!("{field},")
}

#[test]
fn the_log_is_as_configured_and_a_reload_changes_it() {
    let publisher = Server::start();
    let item = ("1", "https://e.example/1", "A headline", "A text.");
    publisher.set("/a.xml", Page::rss(rss(&[item])));
    let config = |log: &str| {
        let url = publisher.url("/a.xml");
        format!("{log}\n[page]\nfetch = \"off\"\n[[feed]]\nurl = \"{url}\"\n")
    };
    let home = Home::new(&config("[log]\nformat = \"json\""));
    let daemon = home.daemon();
    let log = || std::fs::read_to_string(home.path().join("daemon.log")).unwrap_or_default();
    eventually(PATIENCE, "the daemon is ready", || log().contains("ready"));
    for line in log().lines() {
        let line: serde_json::Value =
            serde_json::from_str(line).expect("JSON, from the first line on");
        assert!(line["message"].is_string());
    }
    home.configure(&config("[log]\nformat = \"text\"\nlevel = \"debug\""));
    daemon.signal("HUP");
    eventually(PATIENCE, "the next lines are text", || {
        log()
            .lines()
            .any(|line| line.contains(" INFO configuration loaded"))
    });
    home.configure(&config("[log]\nformat = \"text\"\nlevel = \"error\""));
    daemon.signal("HUP");
    eventually(PATIENCE, "the reload is done", || {
        home.run(&["config", "reload"]).code == Some(0)
    });
    let told = log().matches("configuration loaded").count();
    home.ok(&["config", "reload"]);
    assert_eq!(
        log().matches("configuration loaded").count(),
        told,
        "only errors are logged"
    );
}

#[test]
fn the_command_line_wins_over_the_configured_log() {
    let home = Home::new("[log]\nformat = \"json\"\nlevel = \"error\"\n");
    let mut child = home
        .command(&["run", "--log-format", "text", "-v", "-v"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the daemon starts");
    let mut first = String::new();
    let stderr = child.stderr.take().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stderr), &mut first).expect("a line");
    child.kill().expect("it runs");
    let _ = child.wait();
    assert!(first.contains("Z  INFO "), "{first}");
}
