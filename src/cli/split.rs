//! `revisor split`: undoes a merge of two entries.

use serde_json::json;

use super::CommandContext;
use super::args::SplitArgs;
use super::select;
use super::setup::now;
use crate::domain::outcome::AliasKey;
use crate::domain::url::canonical;
use crate::error::{Error, Exit};
use crate::report::clean;
use crate::store::{AliasRow, OpenOptions, Store};

pub(super) fn run(context: &mut CommandContext, args: &SplitArgs) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let (config, reader) = context.reader()?;
    let entry = select::entry(&args.entry, &reader)?;
    let names = reader.aliases(entry.id)?;
    let name = find(&names, &args.name).ok_or_else(|| not_a_name(&names, args))?;
    if names.len() < 2 {
        return Err(Error::usage(format!(
            "`{}` is the only name of {}: nothing to split",
            args.name, entry.public_id
        )));
    }
    let store = Store::open(
        &config.database,
        &OpenOptions {
            create: false,
            ..OpenOptions::default()
        },
    )?;
    let split = store.writer().split(entry.id, name, now()).blocking();
    store.close()?;
    let split = split?;
    let listed: Vec<_> = split
        .names
        .iter()
        .map(|name| json!({"kind": name.kind.as_str(), "value": name.value}))
        .collect();
    if as_json {
        let answer = json!({"entry": entry.public_id, "new": split.public_id, "names": listed});
        context.output.json(&answer)?;
    } else {
        context.output.line(&format!(
            "Split {} from {}. It starts with the newest state that had:",
            split.public_id, entry.public_id
        ))?;
        for name in &split.names {
            let value = clean::excerpt(&name.value, 300);
            context
                .output
                .line(&format!("  {} {value}", name.kind.as_str()))?;
        }
    }
    Ok(Exit::DONE)
}

/// The name that the user means: as stored, or an address in another form.
fn find(names: &[AliasRow], what: &str) -> Option<AliasKey> {
    let same = |value: &str| names.iter().find(|row| row.key.value == value);
    let found = same(what).or_else(|| same(&canonical(what)))?;
    Some(found.key.clone())
}

fn not_a_name(names: &[AliasRow], args: &SplitArgs) -> Error {
    let known: String = names
        .iter()
        .map(|row| {
            let value = clean::excerpt(&row.key.value, 200);
            format!("\n    {}  {value}", row.key.kind.as_str())
        })
        .collect();
    Error::usage(format!("`{}` is not a name of that entry", args.name))
        .hint(format!("it is known by:{known}"))
}
