//! `revisor help`: the help of a command, or a page of the guide.

use clap::CommandFactory as _;

use super::CommandContext;
use super::args::{Cli, HelpArgs};
use crate::config::did_you_mean;
use crate::error::{Error, Exit};
use crate::report::guide::{TOPICS, page};

pub(super) fn run(context: &mut CommandContext, args: &HelpArgs) -> Result<Exit, Error> {
    let [first, rest @ ..] = args.of.as_slice() else {
        let text = Cli::command().render_long_help().to_string();
        context.output.print(&text)?;
        return Ok(Exit::DONE);
    };
    if let Some(topic) = TOPICS
        .iter()
        .find(|topic| topic.name == first.as_str() && rest.is_empty())
    {
        context.output.page();
        let text = page(topic, context.output.paint());
        context.output.print(&text)?;
        return Ok(Exit::DONE);
    }
    // Built, so that the help of a command shows its full name and the global options.
    let mut tree = Cli::command();
    tree.build();
    let mut command = &mut tree;
    for name in &args.of {
        if command.find_subcommand(name).is_none() {
            return Err(unknown(command, &args.of, name));
        }
        command = command
            .find_subcommand_mut(name)
            .ok_or_else(|| Error::usage(format!("no command `{name}`")))?;
    }
    let text = command.render_long_help().to_string();
    context.output.print(&text)?;
    Ok(Exit::DONE)
}

fn unknown(parent: &clap::Command, all: &[String], name: &str) -> Error {
    let is_first = all.first().is_some_and(|first| first == name);
    let commands = parent.get_subcommands().map(clap::Command::get_name);
    let topics = TOPICS.iter().map(|topic| topic.name).filter(|_| is_first);
    let known: Vec<&str> = commands.chain(topics).collect();
    let names: Vec<&str> = TOPICS.iter().map(|topic| topic.name).collect();
    let near = did_you_mean(name, known.iter().copied())
        .map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    Error::usage(format!("no command or topic `{}`", all.join(" "))).hint(format!(
        "{near}topics: {}; `revisor help` lists the commands",
        names.join(", ")
    ))
}
