//! Gotify, in Markdown.

use serde_json::json;

use super::style::{MessageStyle, bytes, markdown, short};
use super::{Kind, Letter, Work};
use crate::fetch::PostRequest;

/// Gotify has no limit of its own; a phone does not show more than this.
const MESSAGE_MAX: usize = 16_000;
const TITLE_MAX: usize = 250;

pub(super) struct Gotify;

impl Kind for Gotify {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        let style = MessageStyle {
            write: markdown,
            measure: bytes,
            line_break: "  \n",
            plain: false,
            with_headline: false,
            with_address: true,
        };
        let usual = if letter.is_weighty() { 7 } else { 5 };
        let mut extras = json!({"client::display": {"contentType": "text/markdown"}});
        if let Some(url) = letter.message.click() {
            extras["client::notification"] = json!({"click": {"url": url}});
        }
        let body = json!({
            "title": short(&letter.message.headline, TITLE_MAX, bytes),
            "message": style.compose(letter.message, MESSAGE_MAX),
            "priority": letter.target.settings.number("priority").unwrap_or(usual),
            "extras": extras,
        });
        let mut request = PostRequest::json(&format!("{}/message", letter.server()), &body);
        request
            .headers
            .push(("x-gotify-key", letter.text("token").to_owned()));
        Ok(Work::Ask(request, "post"))
    }
}
