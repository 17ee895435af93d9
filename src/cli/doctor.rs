//! `revisor doctor`: checks everything that the service needs to do its work.
//!
//! Each problem is a line of the output, and the remaining checks are still made as far as possible. Nothing is
//! changed and nothing is sent over the network.

use std::path::Path;
use std::time::Duration;

use super::CommandContext;
use super::args::DoctorArgs;
use super::setup::{now, reader_if_any};
use super::{feeds, late, status};
use crate::config::{Config, ConfigError, Loaded, Secrets};
use crate::error::{Error, Exit};
use crate::report::doctor::{self, DoctorFinding, DoctorReport, FindingLevel};
use crate::report::feeds::FeedStatus;
use crate::report::names;
use crate::report::when::{TimeView, duration};
use crate::store::{InstanceLock, Reader, StoreError, TargetHealth, beside, free_room};

mod clock;
mod service;

/// With less free space, nothing is sure to be stored.
const ROOM_LEAST: u64 = 64 << 20;
/// With less free space than this, or than the size of the database, someone should act.
const ROOM_GOOD: u64 = 512 << 20;
/// A larger WAL cannot be checkpointed.
const WAL_LARGE: u64 = 64 << 20;
/// Databases up to this size are read completely.
const QUICK_MAX: u64 = 2 << 30;
/// How many feeds and targets in trouble are listed; the rest is counted.
const LISTED: usize = 5;
/// A delivery that waits longer needs attention.
const WAITS_LONG: Duration = Duration::from_hours(1);

pub(super) fn run(context: &mut CommandContext, _args: &DoctorArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let now = now();
    let (findings, view) = match context.load(Secrets::WhereReadable) {
        Err(error) => {
            let view = TimeView {
                paint: context.output.paint(),
                zone: chrono_tz::UTC,
                now,
            };
            (vec![broken(&error)], view)
        }
        Ok(loaded) => {
            let view = context.view(&loaded.config);
            (look(&loaded, &view), view)
        }
    };
    let report = DoctorReport::of(findings);
    if as_json {
        context.output.json(&report)?;
    } else {
        context.output.print(&doctor::text(&report, &view))?;
    }
    Ok(match report.level {
        FindingLevel::Fail => Exit::PARTIAL,
        FindingLevel::Ok | FindingLevel::Warn => Exit::DONE,
    })
}

fn look(loaded: &Loaded, view: &TimeView) -> Vec<DoctorFinding> {
    let config = &loaded.config;
    let mut found = configuration(loaded);
    let (database, reader) = database(config);
    let reader = reader.as_ref();
    found.extend(alike(config, reader));
    found.push(clock::look(reader, view.now));
    found.push(disk(&config.database));
    found.extend(database);
    let daemon = InstanceLock::holder(&config.database);
    found.push(service::look(daemon, config));
    found.extend(quarantined(config, daemon.is_some(), view));
    for looked in [
        feeds_found(config, reader, daemon.is_some(), view),
        targets(config, reader, view),
    ] {
        found.extend(looked.unwrap_or_else(|error| {
            vec![DoctorFinding::fail(
                "database",
                error.chain(),
                error
                    .hint_text()
                    .unwrap_or("run `revisor db verify` to see what is wrong"),
            )]
        }));
    }
    found
}

fn broken(error: &ConfigError) -> DoctorFinding {
    DoctorFinding::fail(
        "configuration",
        error.to_string(),
        "`revisor config check` lists all mistakes; a running service keeps using the old configuration",
    )
}

fn configuration(loaded: &Loaded) -> Vec<DoctorFinding> {
    const CHECK: &str = "configuration";
    let config = &loaded.config;
    let mut found = vec![match &config.file {
        Some(_) => DoctorFinding::ok(
            CHECK,
            format!(
                "{}: {}, {}",
                names_of_files(config),
                names::count(config.feeds.len() as u64, "feed"),
                names::count(config.targets.len() as u64, "target")
            ),
        ),
        None => DoctorFinding::warn(
            CHECK,
            "no configuration file, using the defaults",
            "`revisor init` writes a starter configuration",
        ),
    }];
    found.extend(loaded.warnings.iter().map(|warning| {
        DoctorFinding::warn(
            CHECK,
            warning.clone(),
            "`revisor config show` prints the settings in effect",
        )
    }));
    if !loaded.unread.is_empty() {
        found.push(DoctorFinding::warn(
            CHECK,
            format!(
                "cannot read a secret from here: {}",
                loaded.unread.join("\n")
            ),
            "the service may still be able to read it; check `systemctl status revisor`",
        ));
    }
    found
}

/// Feeds whose address was probably edited by hand, which starts a new history.
fn alike(config: &Config, reader: Option<&Reader>) -> Vec<DoctorFinding> {
    const CHECK: &str = "addresses";
    // A database that cannot be read is reported by its own check.
    let left = reader.and_then(|reader| reader.left_addresses().ok());
    let left = left.unwrap_or_default();
    let mut found: Vec<DoctorFinding> = config
        .alike(&left)
        .into_iter()
        .map(|(feed, old)| {
            DoctorFinding::warn(
                CHECK,
                format!("{}: {} has a history as {old}", feed.name, feed.url),
                format!("`revisor mv {old} {}` continues it", feed.url),
            )
        })
        .collect();
    cut(&mut found, CHECK, "`revisor mv OLD NEW` moves a history");
    found
}

/// The files of the configuration; if there are many, only the first ones.
fn names_of_files(config: &Config) -> String {
    let files = config.files().map(|file| file.display().to_string());
    let mut names: Vec<String> = files.take(LISTED).collect();
    let more = config.files().count().saturating_sub(LISTED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

fn disk(database: &Path) -> DoctorFinding {
    const CHECK: &str = "disk";
    let size = std::fs::metadata(database).map_or(0, |file| file.len());
    let hint = "free some space, or lower `keep.captures` and run `revisor db prune`";
    match free_room(database) {
        None => DoctorFinding::warn(
            CHECK,
            format!("cannot read the folder of {}", database.display()),
            "create it, or set another path with `database` in the configuration",
        ),
        Some(free) => {
            let text = format!("{} free, the database uses {}", mib(free), mib(size));
            if free < ROOM_LEAST {
                DoctorFinding::fail(CHECK, text, hint)
            } else if free < ROOM_GOOD.max(size) {
                DoctorFinding::warn(CHECK, text, hint)
            } else {
                DoctorFinding::ok(CHECK, text)
            }
        }
    }
}

fn mib(bytes: u64) -> String {
    match bytes >> 20 {
        mib @ 0..=9999 => format!("{mib} MiB"),
        mib => format!("{} GiB", mib >> 10),
    }
}

fn database(config: &Config) -> (Vec<DoctorFinding>, Option<Reader>) {
    const CHECK: &str = "database";
    let path = &config.database;
    let failed = |error: &Error| {
        DoctorFinding::fail(
            CHECK,
            error.chain(),
            error
                .hint_text()
                .unwrap_or("run `revisor db verify` to see what is wrong"),
        )
    };
    let reader = match reader_if_any(config) {
        Ok(Some(reader)) => reader,
        Ok(None) => {
            let text = format!("no database at {} yet", path.display());
            let none =
                DoctorFinding::warn(CHECK, text, "`revisor check` or the service creates it");
            return (vec![none], None);
        }
        Err(error) => return (vec![failed(&error)], None),
    };
    let mut found = match whole(&reader, path) {
        Ok(finding) => vec![finding],
        Err(error) => vec![failed(&error.into())],
    };
    found.push(identity(&reader, path));
    let wal = std::fs::metadata(beside(path, "-wal")).map_or(0, |file| file.len());
    if wal > WAL_LARGE {
        found.push(DoctorFinding::warn(
            CHECK,
            format!("{} waiting in its WAL", mib(wal)),
            "a program that has been reading the database for a long time blocks the checkpoint; stop that program",
        ));
    }
    (found, Some(reader))
}

fn identity(reader: &Reader, path: &Path) -> DoctorFinding {
    const CHECK: &str = "identity";
    match reader.is_at_home(path) {
        Ok(true) => DoctorFinding::ok(
            CHECK,
            "the database has its own identity; after restoring an older copy over it, run `revisor db renew`",
        ),
        Ok(false) => DoctorFinding::warn(
            CHECK,
            "the database was copied or moved: it gets a new identity at the next write",
            "`revisor db renew` does that now; two services with the same feeds would both send alerts",
        ),
        Err(error) => DoctorFinding::fail(
            CHECK,
            error.to_string(),
            "`revisor db verify` shows details",
        ),
    }
}

fn whole(reader: &Reader, path: &Path) -> Result<DoctorFinding, StoreError> {
    const CHECK: &str = "database";
    let size = std::fs::metadata(path).map_or(0, |file| file.len());
    if size > QUICK_MAX {
        return Ok(DoctorFinding::ok(
            CHECK,
            format!("{}; `revisor db verify` checks everything", path.display()),
        ));
    }
    let faults = reader.quick_check()?;
    Ok(match faults.first() {
        None => DoctorFinding::ok(
            CHECK,
            format!(
                "{}; `revisor db verify` checks the chain as well",
                path.display()
            ),
        ),
        Some(fault) => DoctorFinding::fail(
            CHECK,
            format!("{} is damaged: {fault}", path.display()),
            "keep the file as it is, and restore a backup that passes `revisor db verify`",
        ),
    })
}

fn feeds_found(
    config: &Config,
    reader: Option<&Reader>,
    daemon: bool,
    view: &TimeView,
) -> Result<Vec<DoctorFinding>, Error> {
    const CHECK: &str = "feeds";
    if config.feeds.is_empty() {
        let none = DoctorFinding::warn(CHECK, "no feeds", "`revisor add URL` adds one");
        return Ok(vec![none]);
    }
    let rows = feeds::states(config, reader)?;
    let mut found = Vec::new();
    for row in &rows {
        let error = row.error.as_deref().unwrap_or("the last poll failed");
        match row.state {
            FeedStatus::Failing => {
                let since = row.last_ok.map_or_else(
                    || "never read".to_owned(),
                    |at| format!("last read {}", view.moment(at)),
                );
                found.push(DoctorFinding::warn(
                    CHECK,
                    format!("{}: {error}; {since}", row.name),
                    format!(
                        "`revisor inspect feed {}` shows what the address returns",
                        row.url
                    ),
                ));
            }
            FeedStatus::Gone => found.push(DoctorFinding::warn(
                CHECK,
                format!("{} is gone: its address returned 410", row.name),
                format!(
                    "`revisor rm {0}` removes it, `revisor resume {0}` tries again",
                    row.name
                ),
            )),
            FeedStatus::Paused => found.push(DoctorFinding::warn(
                CHECK,
                format!("{} is paused", row.name),
                format!("`revisor resume {}` starts polling again", row.name),
            )),
            _ => {}
        }
    }
    // Without a daemon all of them are late, which the check of the service reports.
    if daemon {
        for feed in late::feeds(&rows, config, daemon, view.now) {
            found.push(DoctorFinding::warn(
                CHECK,
                format!("{} is late, due {}", feed.feed, view.moment(feed.due)),
                feed.why,
            ));
        }
    }
    let troubled = found.len();
    cut(&mut found, CHECK, "`revisor feeds` lists them");
    found.insert(
        0,
        DoctorFinding::ok(
            CHECK,
            format!(
                "{} of {} OK",
                rows.len().saturating_sub(troubled),
                rows.len()
            ),
        ),
    );
    Ok(found)
}

/// Documents that revisor itself cannot read.
fn quarantined(config: &Config, daemon: bool, view: &TimeView) -> Vec<DoctorFinding> {
    const CHECK: &str = "quarantine";
    let noted = status::quarantined(config, daemon, view.now).into_iter();
    let mut found: Vec<DoctorFinding> = noted
        .map(|one| {
            DoctorFinding::warn(
                CHECK,
                format!("{} until {}", one.words(&one.url), view.moment(one.until)),
                one.hint(),
            )
        })
        .collect();
    cut(&mut found, CHECK, "`revisor status --json` lists them");
    found
}

/// Keeps the first few findings, and counts the others.
fn cut(found: &mut Vec<DoctorFinding>, check: &'static str, hint: &str) {
    let more = found.len().saturating_sub(LISTED);
    if more > 0 {
        found.truncate(LISTED);
        found.push(DoctorFinding::warn(check, format!("and {more} more"), hint));
    }
}

fn targets(
    config: &Config,
    reader: Option<&Reader>,
    view: &TimeView,
) -> Result<Vec<DoctorFinding>, Error> {
    const CHECK: &str = "targets";
    if config.targets.is_empty() {
        return Ok(vec![DoctorFinding::warn(
            CHECK,
            "no targets: no alerts will be sent",
            "a [[target]] table in the configuration adds one",
        )]);
    }
    let health = match reader {
        Some(reader) => reader.target_health()?,
        None => Vec::new(),
    };
    let mut found: Vec<DoctorFinding> = config
        .targets
        .iter()
        .map(|target| {
            let known = health.iter().find(|known| known.target.name == target.name);
            match known {
                Some(known) => target_found(known, view),
                None => DoctorFinding::ok(CHECK, format!("{}: nothing sent yet", target.name)),
            }
        })
        .collect();
    let stranded = health.iter().filter(|known| {
        known.open > 0
            && !config
                .targets
                .iter()
                .any(|target| target.name == known.target.name)
    });
    found.extend(stranded.map(|known| {
        DoctorFinding::warn(
            CHECK,
            format!(
                "{} deliveries are pending for {}, which is not in the configuration",
                known.open, known.target.name
            ),
            "add it back to send them",
        )
    }));
    Ok(found)
}

fn target_found(known: &TargetHealth, view: &TimeView) -> DoctorFinding {
    const CHECK: &str = "targets";
    let name = &known.target.name;
    let mut waiting = format!("{} pending, {} given up", known.open, known.dead);
    if known.set_aside > 0 {
        waiting = format!("{waiting}, {} set aside as refused", known.set_aside);
    }
    if known.overflowed > 0 {
        waiting = format!(
            "{waiting} ({} because the queue was full)",
            known.overflowed
        );
    }
    let error = known.last_attempt.as_ref().and_then(|last| last.2.clone());
    if let Some((since, why)) = &known.target.disabled {
        return DoctorFinding::fail(
            CHECK,
            format!(
                "{name} has been disabled since {}: {why}",
                view.moment(*since)
            ),
            format!("once its receiver works again: `revisor notify retry {name}`"),
        );
    }
    if known.target.paused.is_some() {
        return DoctorFinding::warn(
            CHECK,
            format!("{name} is paused: {waiting}"),
            format!("`revisor notify resume {name}` resumes sending"),
        );
    }
    let oldest = known.oldest_open.map(|at| view.now.since(at));
    if let Some(age) = oldest.filter(|age| *age > WAITS_LONG) {
        let error = error.unwrap_or_else(|| "not attempted yet".to_owned());
        return DoctorFinding::fail(
            CHECK,
            format!(
                "{name}: {} pending, the oldest for {}: {error}",
                known.open,
                duration(age)
            ),
            format!("`revisor notify test {name}` sends a test and prints the response"),
        );
    }
    if known.set_aside > 0 && known.dead == 0 {
        return DoctorFinding::warn(
            CHECK,
            format!("{name}: {waiting}"),
            "`revisor notify list` shows which events its receiver refuses, and why",
        );
    }
    if known.dead > 0 {
        return DoctorFinding::warn(
            CHECK,
            format!("{name}: {waiting}"),
            format!("`revisor notify retry {name}` sends them now"),
        );
    }
    DoctorFinding::ok(CHECK, format!("{name}: {waiting}"))
}
