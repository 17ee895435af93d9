//! An Apprise API server, which passes messages on to more than a hundred services.

use serde_json::json;

use super::style::{MessageStyle, plain, short, utf16};
use super::{Kind, Letter, Step, Work, judge, not_taken};
use crate::fetch::{PostAnswer, PostRequest};

/// Apprise shortens texts for each service itself (Apprise 2.3); it accepts a body of at most 32,768 characters.
const BODY_MAX: usize = 30_000;
const TITLE_MAX: usize = 250;

pub(super) struct Apprise;

impl Kind for Apprise {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        let style = MessageStyle {
            write: plain,
            measure: utf16,
            line_break: "\n",
            plain: true,
            with_headline: false,
            with_address: true,
        };
        let title = short(&letter.message.headline, TITLE_MAX, utf16);
        let text = style.compose(letter.message, BODY_MAX);
        let mut body = json!({
            "title": title,
            "body": if text.is_empty() { title.clone() } else { text },
            "type": if letter.is_weighty() { "warning" } else { "info" },
            "format": "text",
        });
        if let Some(tag) = letter.target.settings.text("tag") {
            body["tag"] = tag.into();
        }
        Ok(Work::Ask(
            PostRequest::json(letter.text("url"), &body),
            "post",
        ))
    }

    /// 204 means that the key has no configuration, so nothing was sent (Apprise API, "API Details").
    fn judge(&self, _: &Letter<'_>, _: &'static str, answer: &PostAnswer) -> Step {
        Step::Done(match answer.status {
            204 => not_taken(
                answer,
                "Apprise has no configuration under this key, and sent nothing",
            ),
            _ => judge(answer),
        })
    }
}
