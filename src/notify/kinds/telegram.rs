//! Telegram, by a bot, in its HTML.

use serde_json::{Value, json};

use super::style::{MessageStyle, around, escape_html, utf16};
use super::{Kind, Letter, Step, Work, body, gone, judge, not_taken, pause};
use crate::fetch::{PostAnswer, PostRequest};
use crate::report::runs::{Face, Run};

/// The limit of a message after its entities are parsed (Bot API, `sendMessage`, 2026-06). We count before
/// parsing, so a message is never longer.
const TEXT_MAX: usize = 4096;

pub(super) struct Telegram;

impl Kind for Telegram {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        Ok(Work::Ask(
            message(letter, &letter.text("chat").into()),
            "post",
        ))
    }

    /// The pause is in `parameters.retry_after`. A group that became a supergroup has a new id. A bot that was
    /// removed gets 403 (Bot API, "Making requests" and `ResponseParameters`, 2026-06).
    fn judge(&self, letter: &Letter<'_>, step: &'static str, answer: &PostAnswer) -> Step {
        let said = body(answer);
        let moved = &said["parameters"]["migrate_to_chat_id"];
        if moved.is_number() && step != "moved" {
            return Step::Next(message(letter, moved), "moved", None);
        }
        Step::Done(match answer.status {
            200..=299 if said["ok"] == Value::Bool(false) => {
                not_taken(answer, "Telegram did not take it")
            }
            403 => gone(answer, "the bot may no longer write to the chat"),
            429 => pause(answer, said["parameters"]["retry_after"].as_f64()),
            _ => judge(answer),
        })
    }
}

fn message(letter: &Letter<'_>, chat: &Value) -> PostRequest {
    let style = MessageStyle {
        write: html,
        measure: utf16,
        line_break: "\n",
        plain: false,
        with_headline: true,
        with_address: true,
    };
    let mut body = json!({
        "chat_id": chat,
        "text": style.compose(letter.message, TEXT_MAX),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": true},
    });
    if let Some(thread) = letter.target.settings.number("thread") {
        body["message_thread_id"] = thread.into();
    }
    let url = format!(
        "{}/bot{}/sendMessage",
        letter.server(),
        letter.text("token")
    );
    PostRequest::json(&url, &body).reading(1024)
}

fn html(run: &Run) -> String {
    match &run.face {
        Face::Plain => escape_html(&run.text),
        Face::Strong => around(&run.text, "<b>", escape_html, "</b>"),
        Face::Removed => around(&run.text, "<s>", escape_html, "</s>"),
        Face::Added => around(&run.text, "<u>", escape_html, "</u>"),
        Face::Faint => around(&run.text, "<i>", escape_html, "</i>"),
        Face::Link(url) => format!(
            "<a href=\"{}\">{}</a>",
            escape_html(url),
            escape_html(&run.text)
        ),
    }
}
