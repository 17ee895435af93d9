//! `revisor tokens`: manages access to the web pages. A token is shown once, when it is created; only its hash is
//! stored.

use data_encoding::HEXLOWER;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::CommandContext;
use super::args::TokensCommand;
use super::setup::{now, reader_if_any, store_to_write};
use crate::config::{Auth, Secrets};
use crate::error::{Error, Exit};
use crate::report::clean;

/// The longest name.
const LONGEST: usize = 64;

pub(super) fn run(context: &mut CommandContext, what: &TokensCommand) -> Result<Exit, Error> {
    match what {
        TokensCommand::List => list(context),
        TokensCommand::Add { name } => add(context, name),
        TokensCommand::Rm { name } => remove(context, name),
    }
}

fn list(context: &mut CommandContext) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let config = context.config(Secrets::WhereReadable)?;
    let view = context.view(&config);
    let tokens = match reader_if_any(&config)? {
        Some(reader) => reader.tokens()?,
        None => Vec::new(),
    };
    if as_json {
        let tokens: Vec<_> = tokens
            .iter()
            .map(|token| json!({"name": token.name, "created": token.created}))
            .collect();
        context.output.json(&tokens)?;
        return Ok(Exit::DONE);
    }
    for token in &tokens {
        let line = format!(
            "{}  {}\n",
            view.exact(token.created),
            clean::line(&token.name)
        );
        context.output.print(&line)?;
    }
    if tokens.is_empty() {
        context.output.note("no tokens");
        context
            .output
            .hint("`revisor tokens add NAME` makes one for a person or a program");
    }
    Ok(Exit::DONE)
}

fn add(context: &mut CommandContext, name: &str) -> Result<Exit, Error> {
    let as_json = context.wants_json()?;
    let config = context.config(Secrets::WhereReadable)?;
    let bad =
        name.trim().is_empty() || name.chars().count() > LONGEST || name.contains(char::is_control);
    if bad {
        return Err(Error::usage(
            "the name of a token is empty, longer than 64 characters or has control characters",
        ));
    }
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random)
        .map_err(|error| Error::usage("the system gives no random numbers").because(error))?;
    let token = format!("rvt_{}", HEXLOWER.encode(&random));
    let store = store_to_write(&config)?;
    let hash: [u8; 32] = Sha256::digest(&token).into();
    let added = store.writer().add_token(name, hash, now()).blocking();
    store.close()?;
    if !added? {
        return Err(Error::usage(format!("there is already a token `{name}`"))
            .hint("choose another name, or delete it with `revisor tokens rm`"));
    }
    if as_json {
        context
            .output
            .json(&json!({"name": name, "token": token}))?;
    } else {
        context.output.print(&format!("{token}\n"))?;
    }
    context.output.note(
        "Shown only now: keep it. Use it as the password of a login, as a bearer token, or as ?token=… in the address of a feed",
    );
    if config.web.auth != Auth::Tokens {
        context
            .output
            .hint("set `auth = \"tokens\"` in [web]; until then no token is needed");
    }
    Ok(Exit::DONE)
}

fn remove(context: &mut CommandContext, name: &str) -> Result<Exit, Error> {
    let config = context.config(Secrets::WhereReadable)?;
    let store = store_to_write(&config)?;
    let dropped = store.writer().drop_token(name).blocking();
    store.close()?;
    if !dropped? {
        return Err(
            Error::usage(format!("no token `{name}`")).hint("`revisor tokens list` lists them")
        );
    }
    context.output.note(&format!(
        "Deleted the token {name}; it is refused from now on"
    ));
    Ok(Exit::DONE)
}
