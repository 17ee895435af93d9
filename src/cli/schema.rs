//! `revisor schema`: the contracts of the machine formats.

use super::CommandContext;
use super::args::{SchemaArgs, SchemaOf};
use crate::error::{Error, Exit};
use crate::report::EVENT_SCHEMA;

pub(super) fn run(context: &mut CommandContext, args: &SchemaArgs) -> Result<Exit, Error> {
    let text = match args.of {
        SchemaOf::Event => EVENT_SCHEMA,
    };
    context.output.print(text)?;
    Ok(Exit::DONE)
}
