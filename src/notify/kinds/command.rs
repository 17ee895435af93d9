//! A program on this machine: the event as JSON on its standard input, a few facts in its environment, no shell.

use std::time::Duration;

use super::{Kind, Letter, Work};
use crate::notify::payload;

/// The program to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandRun {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Additional environment variables.
    pub environment: Vec<(&'static str, String)>,
    /// Its standard input.
    pub input: Vec<u8>,
    /// After this time it is killed.
    pub timeout: Duration,
}

pub(super) struct CommandTarget;

impl Kind for CommandTarget {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        let data = &letter.event.data;
        let text = |text: &str| text.replace('\0', "");
        let environment = vec![
            ("REVISOR_EVENT", letter.event.kind.as_str().to_owned()),
            ("REVISOR_ID", letter.uid.to_owned()),
            (
                "REVISOR_FEED",
                text(data.feed.as_ref().map_or("", |feed| feed.name.as_str())),
            ),
            (
                "REVISOR_CHANGE",
                data.number
                    .map(|number| number.to_string())
                    .unwrap_or_default(),
            ),
            ("REVISOR_HEADLINE", text(&letter.message.headline)),
            (
                "REVISOR_LINK",
                text(letter.message.click().unwrap_or_default()),
            ),
        ];
        let seconds = letter.target.settings.number("timeout").unwrap_or(15);
        Ok(Work::Run(CommandRun {
            command: letter.target.settings.list("command").to_vec(),
            environment,
            input: payload::fit_json(letter.stored.to_vec(), letter.target.max_payload),
            timeout: Duration::from_secs(u64::try_from(seconds).unwrap_or(15)),
        }))
    }
}
