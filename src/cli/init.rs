//! `revisor init`: a configuration to start from.

use super::Context;
use super::args::InitArgs;
use crate::config::{Environment, STARTER_TOML, locate};
use crate::error::{Error, Exit};

pub(super) fn run(context: &mut Context, args: &InitArgs) -> Result<Exit, Error> {
    let file = locate(context.global.config.as_deref(), &Environment::of_process());
    if file.exists && !args.force {
        return Err(
            Error::usage(format!("{} exists already", file.path.display()))
                .hint("--force writes over it; `revisor config show` says what is in force"),
        );
    }
    context.edit(&file.path, |_| Ok(Some(STARTER_TOML.to_owned())))?;
    context
        .output
        .line(&format!("Wrote {}", file.path.display()))?;
    context
        .output
        .hint("`revisor add URL` adds a feed, `revisor check` looks for the first time");
    Ok(Exit::DONE)
}
