//! Mattermost, by an incoming webhook, in its Markdown.

use serde_json::json;

use super::style::{MessageStyle, markdown, utf16};
use super::{Kind, Letter, Work};
use crate::fetch::PostRequest;

/// The length of a post (Mattermost since 5.0, `POST_MESSAGE_MAX_RUNES_V2`).
const POST_MAX: usize = 16_383;

pub(super) struct Mattermost;

impl Kind for Mattermost {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        let style = MessageStyle {
            write: markdown,
            measure: utf16,
            line_break: "  \n",
            plain: false,
            with_headline: true,
            with_address: true,
        };
        let mut body = json!({"text": style.compose(letter.message, POST_MAX)});
        if let Some(channel) = letter.target.settings.text("channel") {
            body["channel"] = channel.into();
        }
        Ok(Work::Ask(
            PostRequest::json(letter.text("url"), &body),
            "post",
        ))
    }
}
