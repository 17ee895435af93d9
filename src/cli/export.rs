//! `revisor export`: the feeds of the configuration, for another reader or another configuration; a change, for
//! others to verify; the history in the formats of other programs.

mod history;
mod repository;
mod site;

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::CommandContext;
use super::args::{EvidenceArgs, ExportCommand, OutputFormat};
use super::select;
use super::setup::{now, reader_if_any};
use crate::config::{
    self, ConfigError, FeedConfig, FeedKind, Login, SecretSource, Secrets, feed_tables,
    listed_tables,
};
use crate::error::{Error, Exit};
use crate::report::evidence::{self, EvidenceReport};
use crate::report::opml::{self, OpmlOutline};

pub(super) fn run(context: &mut CommandContext, what: &ExportCommand) -> Result<Exit, Error> {
    context.format(&[OutputFormat::Short])?;
    let text = match what {
        ExportCommand::Opml => as_opml(context)?,
        ExportCommand::Toml => as_toml(context)?,
        ExportCommand::Evidence(args) => return evidence(context, args),
        ExportCommand::Csv(args) => return history::csv(context, args),
        ExportCommand::Ndjson(args) => return history::ndjson(context, args),
        ExportCommand::Git(args) => return history::git(context, args),
        ExportCommand::Warc(args) => return history::warc(context, args),
        ExportCommand::Site(args) => return site::run(context, args),
    };
    context.output.print(&text)?;
    Ok(Exit::DONE)
}

fn as_opml(context: &CommandContext) -> Result<String, Error> {
    let config = context.config(Secrets::WhereReadable)?;
    // Titles of feeds are useful, but a list works without them.
    let reader = reader_if_any(&config).ok().flatten();
    let known = reader.and_then(|reader| reader.feeds(true).ok());
    let mut titles: HashMap<String, String> = known
        .into_iter()
        .flatten()
        .filter_map(|feed| Some((feed.url, feed.title?)))
        .collect();
    let outlines: Vec<OpmlOutline> = config
        .feeds
        .iter()
        // Other readers cannot subscribe to a page.
        .filter(|feed| feed.kind == FeedKind::Feed)
        .map(|feed| OpmlOutline {
            name: feed.name.clone(),
            title: titles.remove(&feed.url),
            url: feed.url.clone(),
            tags: feed.tags.to_vec(),
        })
        .collect();
    let lost = |feed: &OpmlOutline| feed.tags.iter().skip(1).any(|tag| tag.contains(','));
    for feed in outlines.iter().filter(|feed| lost(feed)) {
        context.output.warning(&format!(
            "{} has a tag with a comma, which OPML cannot express: left out",
            feed.name
        ));
    }
    Ok(opml::document(&outlines))
}

fn as_toml(context: &CommandContext) -> Result<String, Error> {
    // Only a valid configuration is exported.
    let config = context.config(Secrets::WhereReadable)?;
    // Users who share a configuration may forget that it contains secrets.
    for feed in &config.feeds {
        for secret in inline_secrets(feed) {
            context.output.warning(&format!("{}: {secret}", feed.name));
        }
    }
    let mut out = String::new();
    for file in config.files() {
        let text = config::read(file)?;
        // Lists of feeds are the only files that are not TOML.
        let tables = match config.lists.contains(file) {
            true => listed_tables(&text),
            false => feed_tables(&text).map_err(ConfigError::from)?,
        };
        if !out.is_empty() && !tables.is_empty() {
            out.push('\n');
        }
        out.push_str(&tables);
    }
    Ok(out)
}

/// The secrets of a feed that are written in the configuration itself.
fn inline_secrets(feed: &FeedConfig) -> Vec<String> {
    let Some(access) = &feed.access else {
        return Vec::new();
    };
    let login = match &access.login {
        Some(Login::Basic { source, .. }) if *source == SecretSource::Inline => {
            Some("the output contains its `password`; use `password_file` to keep it out")
        }
        Some(Login::Bearer { source, .. }) if *source == SecretSource::Inline => {
            Some("the output contains its `token`; use `token_file` to keep it out")
        }
        Some(Login::Basic { .. } | Login::Bearer { .. }) | None => None,
    };
    let headers = access.headers.iter();
    let headers = headers.filter(|header| header.source == SecretSource::Inline);
    let headers = headers.map(|header| {
        let name = &header.name;
        format!(
            "the output contains the value of its header {name}; use `value_file` to keep it out"
        )
    });
    login
        .map(str::to_owned)
        .into_iter()
        .chain(headers)
        .collect()
}

fn evidence(context: &mut CommandContext, args: &EvidenceArgs) -> Result<Exit, Error> {
    let (_, reader) = context.reader()?;
    let number = select::change(args.change, &reader)?.number;
    let found = reader
        .evidence(number)?
        .ok_or_else(|| Error::usage(format!("no change #{number}")))?;
    let evidence = EvidenceReport {
        event: found.change.stored.event,
        links: found.links,
        captures: found.captures,
        made: now(),
        program: format!("revisor {}", env!("CARGO_PKG_VERSION")),
    };
    if evidence.captures.iter().any(|kept| !kept.body_kept) {
        context.output.warning(
            "some response bodies have been deleted (`keep.captures`); their hashes and headers are included",
        );
    }
    let texts = evidence.links.iter().filter(|link| link.state.is_some());
    if texts.count() < 2 {
        context.output.warning(
            "one or both texts have been deleted (`keep.revisions`); their hashes and the change are included",
        );
    }
    let page = evidence::document(&evidence);
    match &args.output {
        None => context.output.print(&page)?,
        Some(path) => {
            write_new(path, &page)?;
            context.output.note(&format!("Wrote {}", path.display()));
        }
    }
    Ok(Exit::DONE)
}

/// Writes a new file: evidence must not be replaced by mistake.
fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let mut file = create_new(path)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| {
            // A partial page is not evidence.
            let _ = std::fs::remove_file(path);
            cannot_write(path, error)
        })
}

/// Creates a file that must not exist yet.
fn create_new(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        // The owner decides who else may read it.
        .mode(0o640)
        .open(path)
        .map_err(|error| cannot_write(path, error))
}

fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    let hint = match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            "choose a new file name; existing files are never overwritten"
        }
        _ => "choose a file in a folder that you can write to",
    };
    Error::usage(format!("cannot write {}", path.display()))
        .because(error)
        .hint(hint)
}
