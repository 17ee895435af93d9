//! `revisor inspect`: what revisor reads in a feed or in a page. Needs no configuration and no database.

use super::Context;
use super::args::{Format, InspectArticleArgs, InspectCommand, InspectFeedArgs};
use crate::error::{Error, Exit};
use crate::extract;
use crate::feed;
use crate::fetch::Kind;
use crate::report::inspect;

pub(super) fn run(context: &mut Context, what: &InspectCommand) -> Result<Exit, Error> {
    match what {
        InspectCommand::Feed(args) => inspect_feed(context, args),
        InspectCommand::Article(args) => inspect_article(context, args),
    }
}

fn inspect_feed(context: &mut Context, args: &InspectFeedArgs) -> Result<Exit, Error> {
    let format = context.format(&[Format::Short, Format::Json])?;
    let document = context.document(&args.source, Kind::Feed)?;
    let content_type = args.content_type.as_deref();
    let parsed = feed::parse(
        &document.body,
        content_type.or(document.content_type.as_deref()),
        document.url.as_deref().unwrap_or_default(),
        &feed::Limits::default(),
    )
    .map_err(|error| Error::usage(format!("{}: {error}", args.source)))?;
    if format == Format::Json {
        context.output.json(&inspect::feed_json(&parsed))?;
    } else {
        context.output.page();
        context.output.print(&inspect::feed_text(&parsed))?;
    }
    Ok(Exit::DONE)
}

fn inspect_article(context: &mut Context, args: &InspectArticleArgs) -> Result<Exit, Error> {
    let format = context.format(&[Format::Short, Format::Json])?;
    let document = context.document(&args.source, Kind::Page)?;
    if let Some(rule) = context.barred(&args.source)? {
        let remark = format!("robots.txt forbids this page ({rule}): the service does not read it");
        context.output.warning(&remark);
    }
    let url = args.url.as_deref().or(document.url.as_deref());
    let article = extract::article(&document.body, document.content_type.as_deref(), url);
    if format == Format::Json {
        context.output.json(&inspect::article_json(&article))?;
    } else {
        context.output.page();
        context.output.print(&inspect::article_text(&article))?;
    }
    Ok(Exit::DONE)
}
