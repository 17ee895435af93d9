//! `revisor inspect`: what revisor reads in a feed or page. It needs neither a configuration nor a database,
//! unless the settings of a feed are requested.

use super::CommandContext;
use super::args::{InspectArticleArgs, InspectCommand, InspectFeedArgs};
use super::rules::rules_now;
use super::setup::reader_if_any;
use crate::config::Secrets;
use crate::document;
use crate::domain::furniture::{Rule, RuleOrigin, Rules};
use crate::error::{Error, Exit};
use crate::extract::{self, Article, Explained, PageSelectors, Role};
use crate::feed;
use crate::fetch::RequestKind;
use crate::report::inspect;

pub(super) fn run(context: &mut CommandContext, what: &InspectCommand) -> Result<Exit, Error> {
    match what {
        InspectCommand::Feed(args) => inspect_feed(context, args),
        InspectCommand::Article(args) => inspect_article(context, args),
    }
}

fn inspect_feed(context: &mut CommandContext, args: &InspectFeedArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let document = context.document(&args.source, RequestKind::Feed)?;
    let content_type = args.content_type.as_deref();
    let parsed = feed::parse(
        &document.body,
        content_type.or(document.content_type.as_deref()),
        document.url.as_deref().unwrap_or_default(),
        &feed::Limits::default(),
    )
    .map_err(|error| Error::usage(format!("{}: {error}", args.source)))?;
    if as_json {
        context.output.json(&inspect::feed_json(&parsed))?;
    } else {
        context.output.page();
        context.output.print(&inspect::feed_text(&parsed))?;
    }
    Ok(Exit::DONE)
}

fn inspect_article(context: &mut CommandContext, args: &InspectArticleArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let document = context.document(&args.source, RequestKind::Page)?;
    if let Some(rule) = context.barred(&args.source)? {
        let remark =
            format!("robots.txt forbids this page ({rule}): the service would not fetch it");
        context.output.warning(&remark);
    }
    let url = args.url.as_deref().or(document.url.as_deref());
    let (view, rules) = match &args.feed {
        Some(feed) => of_feed(context, feed)?,
        None => (PageSelectors::default(), Vec::new()),
    };
    let content_type = document.content_type.as_deref();
    let article = read(&document.body, content_type, url, &view)?;
    if args.explain {
        let explained = match article.state.document.is_some() {
            true => of_document(&article),
            false => extract::explain(&document.body, content_type, url, &view),
        };
        let explained = under_rules(explained, &rules);
        if as_json {
            let article = inspect::article_json(&article);
            context
                .output
                .json(&inspect::explained_json(article, &explained))?;
        } else {
            context.output.page();
            context.output.print(&inspect::explained_text(&explained))?;
        }
    } else if as_json {
        context.output.json(&inspect::article_json(&article))?;
    } else {
        context.output.page();
        context.output.print(&inspect::article_text(&article))?;
    }
    Ok(Exit::DONE)
}

/// Reads a page or document.
pub(super) fn read(
    body: &[u8],
    content_type: Option<&str>,
    url: Option<&str>,
    view: &PageSelectors,
) -> Result<Article, Error> {
    let read = document::read(body, content_type, url, view);
    read.map(|read| read.article)
        .map_err(|error| Error::usage("cannot read the document").because(error))
}

/// The blocks of a document, all of which count.
fn of_document(article: &Article) -> Vec<Explained> {
    let blocks = article.state.body.iter().cloned();
    let explained = blocks.map(|block| Explained {
        role: Role::of_text(block.kind, false),
        counts: true,
        hidden: false,
        why: "the text of the document".to_owned(),
        block,
    });
    explained.collect()
}

/// The selectors for the pages of a feed, and the rules for text to ignore.
fn of_feed(context: &CommandContext, name: &str) -> Result<(PageSelectors, Vec<Rule>), Error> {
    let config = context.config(Secrets::WhereReadable)?;
    let mut feeds = config.feeds.iter();
    let feed = feeds
        .find(|feed| feed.name == name || feed.url == name)
        .ok_or_else(|| {
            Error::usage(format!("no feed `{name}` in the configuration"))
                .hint("`revisor feeds` lists them")
        })?;
    let view = PageSelectors::new(&feed.page.select, &feed.page.remove);
    // A feed that was never polled has no learned rules.
    let reader = reader_if_any(&config)?;
    let known = match &reader {
        Some(reader) => reader.feed_by_url(&feed.url)?.map(|row| (reader, row.id)),
        None => None,
    };
    let rules = match known {
        Some((reader, id)) => rules_now(feed, id, reader)?,
        None => Vec::new(),
    };
    Ok((view, rules))
}

/// The verdicts on blocks, combined with the rules of a feed.
fn under_rules(mut explained: Vec<Explained>, rules: &[Rule]) -> Vec<Explained> {
    let applied = Rules::of(rules);
    for block in explained.iter_mut().filter(|block| block.counts) {
        let Some(id) = applied.rule_of(&block.block.text) else {
            let part = applied.parts(&block.block.text).next();
            if let Some((_, part)) = part {
                block.why = format!(
                    "{}; without “{part}”, by detect.ignore or a rule",
                    block.why
                );
            }
            continue;
        };
        let rule = rules.iter().find(|rule| rule.id == id);
        block.counts = false;
        block.why = match rule.map(|rule| rule.origin) {
            Some(RuleOrigin::Config) => "left out by detect.ignore".to_owned(),
            Some(RuleOrigin::Learned) => format!("left out by rule {id}, which was learned"),
            _ => format!("left out by rule {id}"),
        };
    }
    explained
}
