//! `revisor show`: one change in full.

use serde::Serialize;

use super::CommandContext;
use super::args::{OutputFormat, ShowArgs};
use super::select;
use crate::domain::event::Event;
use crate::error::{Error, Exit};
use crate::queries::archive::archived;
use crate::report::log::LogRow;
use crate::report::show::{self, Archived, ShownChange, Told};
use crate::store::DeliveryRow;

/// The event, as `log` and the targets get it, with the state of its alerts.
#[derive(Serialize)]
struct ShownJson<'a> {
    #[serde(flatten)]
    event: &'a Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    quiet: Option<&'static str>,
    told: &'a [Told],
    #[serde(skip_serializing_if = "Option::is_none")]
    archived: Option<&'a Archived>,
}

pub(super) fn run(context: &mut CommandContext, args: &ShowArgs) -> Result<Exit, Error> {
    let format = context.format(&[OutputFormat::Full, OutputFormat::Short, OutputFormat::Json])?;
    let (config, reader) = context.reader()?;
    let change = select::change(args.change, &reader)?;
    let told = reader.deliveries_of(change.stored.id)?;
    let archived = match change.stored.event.data.number {
        Some(number) => archived(&reader, number)?,
        None => None,
    };
    let shown = ShownChange {
        archived,
        told: told.into_iter().map(told_of).collect(),
        row: LogRow {
            event: change
                .stored
                .event
                .with_permalink(config.web.base_url.as_deref()),
            quiet: change.quiet,
        },
    };
    if format == OutputFormat::Json {
        context.output.json(&ShownJson {
            event: &shown.row.event,
            quiet: shown.row.quiet.map(crate::domain::outcome::Quiet::as_str),
            told: &shown.told,
            archived: shown.archived.as_ref(),
        })?;
    } else {
        let view = context.view(&config);
        context.output.page();
        context
            .output
            .print(&show::full(&shown, args.full, &view))?;
    }
    Ok(Exit::DONE)
}

fn told_of(delivery: DeliveryRow) -> Told {
    Told {
        target: delivery.target,
        state: delivery.state.as_str().to_owned(),
        done: delivery.done,
        attempts: delivery.attempts,
        error: delivery.last_error,
    }
}
