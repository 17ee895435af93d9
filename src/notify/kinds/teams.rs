//! Microsoft Teams, by the address of a workflow ("When a Teams webhook request is received").

use serde_json::{Value, json};

use super::style::json as json_size;
use super::{Kind, Letter, Step, Work, judge, not_taken};
use crate::fetch::{PostAnswer, PostRequest};
use crate::report::message::Layout;
use crate::report::runs::{Face, Run};

/// A message may have about 28 KB (Microsoft, "Create incoming webhooks", 2025), including the frame and the
/// members of each run.
const CARD_MAX: usize = 24_000;
/// The bytes around the text of a run in the card.
const RUN: usize = 110;
/// The bytes around a line.
const LINE: usize = 60;

pub(super) struct Teams;

impl Kind for Teams {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        let size = |run: &Run| {
            let link = if let Face::Link(url) = &run.face {
                json_size(url) + 80
            } else {
                0
            };
            json_size(&run.text) + RUN + link
        };
        let lines = letter.message.fit(&Layout {
            size: &size,
            line_break: LINE,
            room: CARD_MAX,
            two_lines: false,
            with_headline: true,
            with_address: true,
        });
        let blocks: Vec<Value> = lines
            .iter()
            .map(|line| {
                let inlines: Vec<Value> = line.iter().map(inline).collect();
                json!({"type": "RichTextBlock", "inlines": inlines})
            })
            .collect();
        let body = json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": blocks,
                },
            }],
        });
        Ok(Work::Ask(
            PostRequest::json(letter.text("url"), &body).reading(1024),
            "post",
        ))
    }

    /// A 2xx status proves nothing: the old connectors responded with 200 and `HTTP error 429` in the body, and a
    /// workflow responds with 202 before it runs.
    fn judge(&self, _: &Letter<'_>, _: &'static str, answer: &PostAnswer) -> Step {
        let refused = (200..300).contains(&answer.status) && answer.body.contains("HTTP error");
        Step::Done(if refused {
            not_taken(answer, &format!("Teams did not take it: {}", answer.body))
        } else {
            judge(answer)
        })
    }
}

/// The text of a run is literal, and a `RichTextBlock` is the only element with strikethrough.
fn inline(run: &Run) -> Value {
    let mut inline = json!({"type": "TextRun", "text": run.text});
    match &run.face {
        Face::Plain => {}
        Face::Strong => inline["weight"] = "Bolder".into(),
        Face::Removed => {
            inline["strikethrough"] = true.into();
            inline["color"] = "Attention".into();
        }
        Face::Added => {
            inline["underline"] = true.into();
            inline["weight"] = "Bolder".into();
        }
        Face::Faint => inline["isSubtle"] = true.into(),
        Face::Link(url) => inline["selectAction"] = json!({"type": "Action.OpenUrl", "url": url}),
    }
    inline
}
