//! ntfy: published as JSON, because headers cannot carry titles in every script.

use serde_json::json;
use url::Url;

use super::style::{MessageStyle, bytes, plain, short};
use super::{Kind, Letter, Work};
use crate::fetch::PostRequest;

/// ntfy turns a longer message into a file (ntfy 2.13, `server/config.go`: 4,096 bytes).
const MESSAGE_MAX: usize = 4096;
/// Not documented; phones show one line.
const TITLE_MAX: usize = 250;

pub(super) struct Ntfy;

impl Kind for Ntfy {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        let mut url = Url::parse(letter.text("url"))
            .map_err(|_| "the address of the topic is not valid".to_owned())?;
        let topic = url
            .path_segments()
            .and_then(|mut parts| parts.next_back().map(str::to_owned));
        let topic = topic.filter(|topic| !topic.is_empty());
        let topic = topic
            .ok_or("the address has no topic; expected one such as https://ntfy.sh/my-topic")?;
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop();
        }
        url.set_query(None);
        let style = MessageStyle {
            write: plain,
            measure: bytes,
            line_break: "\n",
            plain: true,
            with_headline: false,
            with_address: true,
        };
        let usual = if letter.is_weighty() { 4 } else { 3 };
        let mut body = json!({
            "topic": topic,
            "title": short(&letter.message.headline, TITLE_MAX, bytes),
            "message": style.compose(letter.message, MESSAGE_MAX),
            "priority": letter.target.settings.number("priority").unwrap_or(usual),
            // A server since 2.16 replaces the first message with a repeated one; an older one ignores this.
            "sequence_id": letter.uid,
        });
        if let Some(click) = letter.message.click() {
            body["click"] = click.into();
        }
        let mut request = PostRequest::json(url.as_str(), &body);
        if let Some(token) = letter.target.settings.text("token") {
            request
                .headers
                .push(("authorization", format!("Bearer {token}")));
        }
        Ok(Work::Ask(request, "post"))
    }
}
