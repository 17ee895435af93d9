//! `revisor import`: adds the feeds of a list to the configuration, without fetching any of them.

use super::CommandContext;
use super::args::ImportArgs;
use super::input;
use crate::config::{
    ConfigError, ConfigTexts, EditError, Environment, ImportedFeed, NewFeed, STARTER_TOML, Secrets,
    from_texts, import_feeds, locate, names,
};
use crate::domain::url::without_login;
use crate::error::{Error, Exit};
use crate::feed::list::{self, FeedList, ListItem};
use crate::fetch::RequestKind;
use crate::report::clean;
use crate::report::import::{self, ImportLine, ImportReport, ImportResult};
use crate::store::InstanceLock;

pub(super) fn run(context: &mut CommandContext, args: &ImportArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let source = args.source.as_deref().unwrap_or("-");
    if input::is_address(source) {
        return Err(Error::usage(format!(
            "{}: import reads files, not addresses",
            clean::address(source)
        ))
        .hint("`curl -s URL | revisor import -` imports a list from the web"));
    }
    let document = context.document(source, RequestKind::Feed)?;
    let list = list::parse(&document.body);
    let results = write(context, args, &list)?;
    let report = report(args, list, results);
    if as_json {
        context.output.json(&report)?;
    } else {
        let paint = context.output.paint();
        context.output.print(&import::text(&report, paint))?;
        context.output.finish()?;
        context.output.note(&import::summary(&report));
    }
    if report.added > 0 && !args.dry_run {
        tell_what_follows(context);
    }
    Ok(if report.failed > 0 {
        Exit::PARTIAL
    } else {
        Exit::DONE
    })
}

/// Writes all new feeds to the configuration in one go, unless that would make it invalid. Returns what happened
/// to each feed of the list.
fn write(
    context: &CommandContext,
    args: &ImportArgs,
    list: &FeedList,
) -> Result<Vec<ImportedFeed>, Error> {
    let feeds: Vec<NewFeed> = list
        .items
        .iter()
        .filter_map(|item| item.read.as_ref().ok())
        .map(|feed| {
            let mut tags = feed.tags.clone();
            for tag in &args.tag {
                if !tags.contains(tag) {
                    tags.push(tag.clone());
                }
            }
            NewFeed {
                url: feed.url.clone(),
                name: feed
                    .title
                    .as_deref()
                    .map_or_else(String::new, names::from_title),
                tags,
                ..NewFeed::default()
            }
        })
        .collect();
    let environment = Environment::of_process();
    let file = locate(context.global.config.as_deref(), &environment);
    let mut results = Vec::new();
    let texts = ConfigTexts::read(&file)?;
    let use_it = |text: &str| {
        let texts = texts.clone().with(&file.path, text);
        from_texts(
            &texts,
            context.flags(),
            &environment,
            Secrets::WhereReadable,
        )
    };
    let mut change = |text: &str| {
        let before = if text.is_empty() { STARTER_TOML } else { text };
        let there = use_it(before)?.config.feeds;
        let (after, imported) = import_feeds(before, &feeds, &there)?;
        use_it(&after)?;
        let added = imported
            .iter()
            .any(|one| matches!(one, ImportedFeed::Added(_)));
        results = imported;
        Ok(Some(after).filter(|_| added))
    };
    if args.dry_run {
        let text = texts.iter().next().map_or("", |(_, text)| text);
        change(text).map_err(|error: EditError| ConfigError::from(error))?;
    } else {
        context.edit(&file.path, change)?;
    }
    Ok(results)
}

fn report(args: &ImportArgs, list: FeedList, results: Vec<ImportedFeed>) -> ImportReport {
    let lines_of_feeds: Vec<usize> = list
        .items
        .iter()
        .filter(|item| item.read.is_ok())
        .map(|item| item.line)
        .collect();
    let mut results = results.into_iter();
    let lines = list.items.into_iter().map(|item| {
        let ListItem { line, what, read } = item;
        let (result, what, name, why) = match read {
            Err(reason) if reason.is_failure() => {
                (ImportResult::Failed, what, None, Some(reason.to_string()))
            }
            Err(reason) => (ImportResult::Skipped, what, None, Some(reason.to_string())),
            Ok(feed) => match results.next() {
                Some(ImportedFeed::Added(name)) => (
                    ImportResult::Added,
                    feed.url,
                    Some(name),
                    feed.left_aside.map(str::to_owned),
                ),
                Some(ImportedFeed::There(name)) => {
                    (ImportResult::Present, feed.url, Some(name), None)
                }
                Some(ImportedFeed::Repeated(first)) => {
                    let first = lines_of_feeds.get(first).copied().unwrap_or_default();
                    let why = format!("the same as line {first}");
                    (ImportResult::Repeated, feed.url, None, Some(why))
                }
                Some(ImportedFeed::Wrong(why)) => (
                    ImportResult::Failed,
                    without_login(&what).into_owned(),
                    None,
                    Some(format!("address {why}")),
                ),
                None => (ImportResult::Failed, what, None, None),
            },
        };
        ImportLine {
            line,
            result,
            what,
            name,
            why,
        }
    });
    ImportReport::new(list.form, args.dry_run, lines.collect())
}

fn tell_what_follows(context: &CommandContext) {
    let loaded = context.load(Secrets::WhereReadable);
    let daemon = loaded
        .ok()
        .and_then(|loaded| InstanceLock::holder(&loaded.config.database));
    match daemon {
        Some(pid) => context.output.note(&format!(
            "the daemon (pid {pid}) picks them up and takes their first snapshots within a minute"
        )),
        None => context
            .output
            .hint("`revisor check` takes their first snapshots"),
    }
}
