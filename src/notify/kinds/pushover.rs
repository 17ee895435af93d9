//! Pushover, as plain text: its HTML has no strikethrough.

use super::style::{MessageStyle, plain, short, utf16};
use super::{Kind, Letter, Work};
use crate::fetch::PostRequest;

/// Limits of message, title and address (Pushover, "Message API", 2026-08).
const MESSAGE_MAX: usize = 1024;
const TITLE_MAX: usize = 250;
const ADDRESS_MAX: usize = 512;

pub(super) struct Pushover;

impl Kind for Pushover {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        let style = MessageStyle {
            write: plain,
            measure: utf16,
            line_break: "\n",
            plain: true,
            with_headline: false,
            with_address: false,
        };
        let mut text = style.compose(letter.message, MESSAGE_MAX);
        if text.is_empty() {
            // A message must not be empty.
            text = short(&letter.message.headline, MESSAGE_MAX, utf16);
        }
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", letter.text("token"))
            .append_pair("user", letter.text("user"))
            .append_pair("title", &short(&letter.message.headline, TITLE_MAX, utf16))
            .append_pair("message", &text)
            .append_pair("timestamp", &letter.event.timestamp.as_unix().to_string());
        if let Some(priority) = letter.target.settings.number("priority") {
            form.append_pair("priority", &priority.to_string());
        }
        if let Some(url) = letter
            .message
            .click()
            .filter(|url| url.len() <= ADDRESS_MAX)
        {
            form.append_pair("url", url);
        }
        let url = format!("{}/1/messages.json", letter.server());
        let kind = "application/x-www-form-urlencoded";
        Ok(Work::Ask(
            PostRequest::new(url, kind, form.finish().into_bytes()),
            "post",
        ))
    }
}
