//! Discord, by a webhook of a channel: one embed; mentions do not work.

use serde_json::json;

use super::style::{MessageStyle, markdown, short, utf16};
use super::{Kind, Letter, Step, Work, body, gone, judge, pause};
use crate::domain::classify::Significance;
use crate::fetch::{PostAnswer, PostRequest};

/// Title and description of an embed; all embeds together have 6,000 (Discord, "Embed Limits", 2026-08).
const TITLE_MAX: usize = 256;
const DESCRIPTION_MAX: usize = 4096;

pub(super) struct Discord;

impl Kind for Discord {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        let style = MessageStyle {
            write: markdown,
            measure: utf16,
            line_break: "\n",
            plain: false,
            with_headline: false,
            with_address: true,
        };
        let significance = letter
            .event
            .data
            .change
            .as_ref()
            .map(|change| change.significance);
        let colour = match significance {
            Some(Significance::Substantive) => 0xCF_22_2E,
            Some(Significance::Minor) => 0xBF_87_00,
            _ => 0x57_60_6A,
        };
        let title =
            super::style::escape_markdown(&short(&letter.message.headline, TITLE_MAX / 2, utf16));
        let mut embed = json!({
            "title": short(&title, TITLE_MAX, utf16),
            "description": style.compose(letter.message, DESCRIPTION_MAX),
            "color": colour,
            "timestamp": letter.event.timestamp,
        });
        if let Some(url) = letter.message.click() {
            embed["url"] = url.into();
        }
        let message = json!({"embeds": [embed], "allowed_mentions": {"parse": []}});
        // With `wait`, the response comes only when the message has been created.
        let url = letter.text("url");
        let url = format!(
            "{url}{}wait=true",
            if url.contains('?') { '&' } else { '?' }
        );
        Ok(Work::Ask(
            PostRequest::json(&url, &message).reading(512),
            "post",
        ))
    }

    /// 404 means that the webhook is gone, and further requests are punished; `retry_after` is in seconds with a
    /// fraction (Discord, "Rate Limits", 2026-08).
    fn judge(&self, _: &Letter<'_>, _: &'static str, answer: &PostAnswer) -> Step {
        Step::Done(match answer.status {
            404 => gone(answer, "the webhook of Discord is gone"),
            429 => pause(answer, body(answer)["retry_after"].as_f64()),
            _ => judge(answer),
        })
    }
}
