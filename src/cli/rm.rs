//! `revisor rm`: takes feeds out of the configuration. Their history stays.

use serde_json::json;

use super::Context;
use super::args::{Format, RmArgs};
use crate::config::{ConfigError, EditError, Environment, Secrets, edit_file, locate, remove_feed};
use crate::error::{Error, Exit};
use crate::store::InstanceLock;

pub(super) fn run(context: &mut Context, args: &RmArgs) -> Result<Exit, Error> {
    let format = context.format(&[Format::Short, Format::Json])?;
    let file = locate(context.global.config.as_deref(), &Environment::of_process());
    if !file.exists {
        return Err(Error::usage(format!(
            "there is no configuration at {}",
            file.path.display()
        )));
    }
    let mut unknown = None;
    // All or none: a name that is misspelt takes nothing away.
    let taken_out = |text: &str| -> Result<Option<String>, EditError> {
        let mut text = text.to_owned();
        for feed in &args.feeds {
            let Some(without) = remove_feed(&text, feed)? else {
                unknown = Some(feed.clone());
                return Ok(None);
            };
            text = without;
        }
        Ok(Some(text))
    };
    edit_file(&file.path, taken_out).map_err(ConfigError::from)?;
    if let Some(feed) = unknown {
        return Err(
            Error::usage(format!("no feed `{feed}` in {}", file.path.display()))
                .hint("`revisor feeds` lists them; nothing was removed"),
        );
    }
    if format == Format::Json {
        context.output.json(&json!({"removed": args.feeds}))?;
    } else {
        for feed in &args.feeds {
            context
                .output
                .line(&format!("Removed {feed}. Its history stays."))?;
        }
    }
    let loaded = context.load(Secrets::WhereReadable);
    let daemon = loaded
        .ok()
        .and_then(|l| InstanceLock::holder(&l.config.database));
    if let Some(pid) = daemon {
        context.output.note(&format!(
            "the daemon (pid {pid}) stops polling within a minute"
        ));
    }
    Ok(Exit::DONE)
}
