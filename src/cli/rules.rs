//! `revisor rules`: what is ignored when comparing, why, and with what effect.

use std::collections::HashMap;

use serde_json::json;

use super::CommandContext;
use super::args::{RulesAddArgs, RulesArgs, RulesCommand, RulesTestArgs};
use super::select;
use super::setup::now;
use crate::check::{Reading, replay};
use crate::config::{Config, FeedConfig, Secrets};
use crate::domain::furniture::{Rule, RuleKind, RuleOrigin, Rules, check_pattern};
use crate::domain::ids::{FeedId, RuleId};
use crate::error::{Error, Exit};
use crate::report::rules::{self, Replay, ReplayedChange, RuleMoves, RuleView};
use crate::store::{ChangeFilter, FeedRow, IgnoredFilter, OpenOptions, Reader, RuleRow, Store};
use crate::time::Timestamp;

pub(super) fn run(context: &mut CommandContext, args: &RulesArgs) -> Result<Exit, Error> {
    match &args.what {
        None => list(context, args),
        Some(RulesCommand::Keep { rules }) => set(context, rules, true),
        Some(RulesCommand::Drop { rules }) => set(context, rules, false),
        Some(RulesCommand::Add(args)) => add(context, args),
        Some(RulesCommand::Test(args)) => test(context, args),
    }
}

fn list(context: &mut CommandContext, args: &RulesArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let (config, reader) = context.reader()?;
    let feed = args.feed.as_deref().map(|name| feed(name, &reader));
    let rows = reader.rules(feed.transpose()?.map(|feed| feed.id))?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows.into_iter().filter(|row| args.all || row.rule.on) {
        let left_out = left_out(row.rule.id, &reader)?;
        views.push(RuleView {
            left_out,
            ..view_of(row)
        });
    }
    if as_json {
        context.output.json(&views)?;
    } else if views.is_empty() {
        context
            .output
            .note("no rules: only text that the page itself marks is ignored");
        context
            .output
            .hint("rules are learned from several checks; add one with `revisor rules add`");
    } else {
        let view = context.view(&config);
        context.output.page();
        context.output.print(&rules::text(&views, &view))?;
    }
    Ok(Exit::DONE)
}

fn view_of(row: RuleRow) -> RuleView {
    RuleView {
        number: row.rule.id,
        feed: row.feed_name,
        kind: row.rule.kind.as_str(),
        pattern: row.rule.pattern,
        origin: row.rule.origin.as_str(),
        active: row.rule.on,
        since: row.rule.since,
        kept: row.kept,
        evidence: row.rule.evidence,
        left_out: None,
    }
}

/// Ignored text of a rule that moved.
fn left_out(rule: RuleId, reader: &Reader) -> Result<Option<RuleMoves>, Error> {
    let filter = IgnoredFilter {
        rule: Some(rule),
        limit: Some(1),
        ..IgnoredFilter::default()
    };
    let mut last = None;
    reader.each_ignored(&filter, |moved| {
        last = Some(moved);
        true
    })?;
    let Some(last) = last else { return Ok(None) };
    let totals = reader.ignored_totals(&filter)?;
    Ok(Some(RuleMoves {
        times: totals.times,
        entries: totals.entries,
        last_at: last.last_at,
        before: last.before,
        after: last.after,
    }))
}

fn feed(name: &str, reader: &Reader) -> Result<FeedRow, Error> {
    let row = match reader.feed_by_name(name)? {
        Some(row) => Some(row),
        None => reader.feed_by_url(name)?,
    };
    row.ok_or_else(|| {
        Error::usage(format!("the feed `{name}` has not been checked yet"))
            .hint("`revisor feeds` lists the feeds, `revisor check` checks them")
    })
}

/// The database for a short write, with or without a running daemon.
fn store(config: &Config) -> Result<Store, Error> {
    let options = OpenOptions {
        create: false,
        ..OpenOptions::default()
    };
    Ok(Store::open(&config.database, &options)?)
}

fn set(context: &mut CommandContext, numbers: &[i64], on: bool) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let config = context.config(Secrets::WhereReadable)?;
    let store = store(&config)?;
    let reader = store.reader()?;
    for number in numbers {
        let row = reader.rule(RuleId(*number))?.ok_or_else(|| {
            Error::usage(format!("no rule {number}")).hint("`revisor rules --all` lists them")
        })?;
        if row.rule.origin == RuleOrigin::Config {
            return Err(
                Error::usage(format!("rule {number} is set in the configuration"))
                    .hint("change detect.ignore there"),
            );
        }
    }
    for number in numbers {
        store
            .writer()
            .set_rule(RuleId(*number), on, now())
            .blocking()?;
    }
    let mut views = Vec::new();
    for number in numbers {
        views.extend(reader.rule(RuleId(*number))?.map(view_of));
    }
    drop(reader);
    store.close()?;
    if as_json {
        context.output.json(&views)?;
    } else {
        for view in &views {
            context.output.line(&rules::set(view))?;
        }
    }
    Ok(Exit::DONE)
}

fn add(context: &mut CommandContext, args: &RulesAddArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let config = context.config(Secrets::WhereReadable)?;
    let kind = match (args.like, args.ignore) {
        (true, _) => RuleKind::Template,
        (false, true) => RuleKind::Ignore,
        (false, false) => RuleKind::Text,
    };
    check_pattern(kind, &args.text)
        .map_err(|error| Error::usage("cannot use this rule").because(error))?;
    let store = store(&config)?;
    let reader = store.reader()?;
    let feed = args.feed.as_deref().map(|name| feed(name, &reader));
    let feed = feed.transpose()?.map(|feed| feed.id);
    let text = args.text.trim().to_owned();
    let id = store
        .writer()
        .add_rule(feed, kind, text, now())
        .blocking()?;
    let added = reader.rule(id)?.map(view_of);
    drop(reader);
    store.close()?;
    let Some(added) = added else {
        return Ok(Exit::DONE);
    };
    if as_json {
        context.output.json(&added)?;
    } else {
        context.output.line(&rules::set(&added))?;
    }
    Ok(Exit::DONE)
}

/// The settings for the entries of a feed in the current configuration file, reloaded or not.
struct InForceNow {
    reading: Reading,
    rules: Rules,
    config: FeedConfig,
}

fn in_force(config: &Config, row: &FeedRow, reader: &Reader) -> Result<Option<InForceNow>, Error> {
    let Some(feed) = config.feed(&row.url) else {
        return Ok(None);
    };
    Ok(Some(InForceNow {
        reading: Reading::with(&feed.fetch, &feed.page),
        rules: Rules::of(&rules_now(feed, row.id, reader)?),
        config: feed.clone(),
    }))
}

/// The rules of a feed, including those in the configuration file.
pub(super) fn rules_now(
    config: &FeedConfig,
    feed: FeedId,
    reader: &Reader,
) -> Result<Vec<Rule>, Error> {
    let stored = reader.rules(Some(feed))?.into_iter().map(|row| row.rule);
    let mut rules: Vec<Rule> = stored
        .filter(|rule| rule.on && rule.origin != RuleOrigin::Config)
        .collect();
    rules.extend(config.detect.ignore.iter().map(|pattern| Rule {
        id: RuleId(0),
        kind: RuleKind::Ignore,
        pattern: pattern.clone(),
        origin: RuleOrigin::Config,
        on: true,
        since: Timestamp::default(),
        evidence: None,
    }));
    Ok(rules)
}

fn test(context: &mut CommandContext, args: &RulesTestArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let (config, reader) = context.reader()?;
    let since = select::moment("--since", Some(&args.since), &config)?;
    let feeds = match &args.feed {
        Some(name) => Some(vec![feed(name, &reader)?.id]),
        None => None,
    };
    let filter = ChangeFilter {
        since,
        feeds,
        oldest_first: true,
        ..ChangeFilter::default()
    };
    let mut changes = Vec::new();
    reader.each_change(&filter, |change| {
        // Events are large: only the listed parts of each are kept.
        let data = change.stored.event.data;
        let title = data.after.and_then(|after| after.title);
        let name = data.feed.map(|feed| feed.name).unwrap_or_default();
        changes.push((
            change.number,
            change.feed,
            change.entry,
            change.before,
            change.after,
            title,
            name,
        ));
        true
    })?;
    let mut known: HashMap<FeedId, Option<InForceNow>> = HashMap::new();
    let mut replayed = Vec::with_capacity(changes.len());
    for (number, feed, entry, before, after, title, name) in changes {
        if let std::collections::hash_map::Entry::Vacant(vacant) = known.entry(feed) {
            let row = reader.feed(feed)?;
            vacant.insert(match row {
                Some(row) => in_force(&config, &row, &reader)?,
                None => None,
            });
        }
        // Changes of a feed that was removed from the configuration still count as reported.
        let told = match known.get(&feed).and_then(Option::as_ref) {
            Some(now) => {
                let least = now.config.detect.significance;
                replay(
                    &reader,
                    &now.reading,
                    &now.rules,
                    entry,
                    [before, after],
                    least,
                )?
            }
            None => true,
        };
        replayed.push(ReplayedChange {
            number,
            feed: name,
            title,
            told,
        });
    }
    let replay = Replay::of(since, replayed);
    if as_json {
        context.output.json(&json!(replay))?;
    } else {
        let view = context.view(&config);
        context.output.page();
        context.output.print(&rules::replay_text(&replay, &view))?;
    }
    Ok(Exit::DONE)
}
