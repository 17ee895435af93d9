//! `revisor init`: a configuration to start from.

use super::CommandContext;
use super::args::InitArgs;
use crate::config::{Environment, STARTER_TOML, locate};
use crate::error::{Error, Exit};

pub(super) fn run(context: &mut CommandContext, args: &InitArgs) -> Result<Exit, Error> {
    let file = locate(context.global.config.as_deref(), &Environment::of_process());
    if file.exists && !args.force {
        return Err(
            Error::usage(format!("{} already exists", file.path.display()))
                .hint("--force overwrites it; `revisor config show` prints the settings in effect"),
        );
    }
    context.edit(&file.path, |_| Ok(Some(STARTER_TOML.to_owned())))?;
    context
        .output
        .line(&format!("Wrote {}", file.path.display()))?;
    context
        .output
        .hint("add a feed with `revisor add URL`, then run `revisor check`");
    Ok(Exit::DONE)
}
