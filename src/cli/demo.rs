//! `revisor demo`: the real checker against a small built-in site that changes while the user watches.

use std::path::Path;

use super::CommandContext;
use super::args::DemoArgs;
use super::setup::{clock, runtime};
use crate::check::RoundRequest;
use crate::config::{Config, Environment, Flags, Secrets, from_text};
use crate::daemon::Assembly;
use crate::demo::{DemoSite, ROUNDS, Received, Receiver};
use crate::domain::ids::ChangeNumber;
use crate::error::{Error, Exit};
use crate::notify::SigningSecret;
use crate::report::clean;
use crate::report::log::{LogRow, short};

pub(super) fn run(context: &mut CommandContext, _args: &DemoArgs) -> Result<Exit, Error> {
    let folder = tempfile::tempdir().map_err(|error| {
        Error::new(Exit::PARTIAL, "cannot create a temporary folder").because(error)
    })?;
    let runtime = runtime(2)?;
    let received = runtime.block_on(play(context, folder.path()))?;
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    tell_webhooks(context, &received)
}

/// Plays all rounds and returns the webhooks that the receiver accepted.
async fn play(context: &mut CommandContext, folder: &Path) -> Result<Vec<Received>, Error> {
    let mut key = [0_u8; 32];
    getrandom::fill(&mut key)
        .map_err(|error| Error::new(Exit::PARTIAL, "cannot create a secret").because(error))?;
    let secret = SigningSecret::from_bytes(&key)
        .map_err(|error| Error::new(Exit::PARTIAL, "cannot create a secret").because(error))?;
    let cannot = |error| Error::new(Exit::PARTIAL, "cannot run the demo").because(error);
    let clock = clock();
    let site = DemoSite::open(clock.now()).await.map_err(cannot)?;
    let receiver = Receiver::open(secret.clone()).await.map_err(cannot)?;
    let config = configuration(&site, &receiver, &secret, &folder.join("revisor.db"))?;
    let view = context.view(&config);
    let assembly = Assembly::open(config, clock).await?;
    let everything = RoundRequest {
        feeds: None,
        force: true,
    };

    let first = assembly.checker.round(&everything, |_| {}).await?;
    let entries: u64 = first.feeds.iter().map(|feed| feed.new).sum();
    let baseline = format!(
        "First snapshot of The Demo Courier: {entries} entries, {} pages, no alerts sent.",
        first.pages.checked
    );
    context.output.line(&baseline)?;
    for (place, what) in ROUNDS.iter().enumerate() {
        site.set_round(place + 1);
        context.output.line(&format!("\nThe publisher {what}."))?;
        let report = assembly.checker.round(&everything, |_| {}).await?;
        if report.changes.is_empty() {
            context.output.line("No change.")?;
        }
        for number in report.changes {
            let row = row(&assembly, number)?;
            context.output.print(&short(&row, &view))?;
        }
        assembly.drain.drain_once().await;
        context.output.flush()?;
    }
    assembly.close().await?;
    Ok(receiver.received())
}

fn row(assembly: &Assembly, number: ChangeNumber) -> Result<LogRow, Error> {
    let change = assembly.checker.read(|reader| reader.change(number))?;
    let change = change.ok_or_else(|| {
        Error::new(
            Exit::DATABASE,
            format!("change #{number} is missing from the database"),
        )
    })?;
    Ok(LogRow {
        event: change.stored.event,
        quiet: change.quiet,
    })
}

fn configuration(
    site: &DemoSite,
    receiver: &Receiver,
    secret: &SigningSecret,
    database: &Path,
) -> Result<Config, Error> {
    let text = format!(
        "[fetch]\nhost_delay = \"0s\"\njitter = \"0%\"\nallow_private = [\"127.0.0.0/8\"]\n\
         [page]\nfetch = \"always\"\n\
         [[feed]]\nurl = \"{}\"\nname = \"demo-courier\"\ntags = [\"demo\"]\n\
         [[target]]\nname = \"demo-desk\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{}\"\n\
         events = [\"entry.*\"]\n",
        site.feed_url(),
        receiver.url(),
        secret.reveal(),
    );
    let flags = Flags {
        config: None,
        database: Some(database),
    };
    // The user's environment must not affect the demo.
    let loaded = from_text(
        &text,
        None,
        flags,
        &Environment::default(),
        Secrets::Required,
    )?;
    Ok(loaded.config)
}

/// Shows the last webhook and reports whether all signatures were valid.
fn tell_webhooks(context: &mut CommandContext, received: &[Received]) -> Result<Exit, Error> {
    let Some(last) = received.last() else {
        return Err(Error::new(
            Exit::TARGET,
            "the receiver did not get a webhook",
        ));
    };
    let verified = received.iter().filter(|hook| hook.verified).count();
    let output = &mut context.output;
    output.line(&format!(
        "\nThe receiver got {} webhooks. This is the last one:",
        received.len()
    ))?;
    output.line(&format!("  webhook-id: {}", clean::line(&last.id)))?;
    output.line(&format!("  {}", clean::excerpt(&last.body, 400)))?;
    if verified < received.len() {
        let unsigned = received.len() - verified;
        return Err(Error::new(
            Exit::TARGET,
            format!("{unsigned} webhooks had a wrong signature"),
        ));
    }
    output.line(&format!(
        "{verified} of {} signatures verified",
        received.len()
    ))?;
    output.line("webhook verified")?;
    Ok(Exit::DONE)
}
