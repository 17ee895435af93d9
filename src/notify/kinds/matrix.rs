//! A Matrix room, in the HTML that clients show and in plain text.

use serde_json::json;

use super::style::{MessageStyle, around, escape_html, json as json_size, plain};
use super::{Kind, Letter, Step, Work, body, judge, pause};
use crate::fetch::{PostAnswer, PostMethod, PostRequest};
use crate::report::runs::{Face, Run};

/// An event may have 65,536 bytes including what servers add (Matrix 1.18, "Size limits"); both forms of the text
/// share them.
const BODY_MAX: usize = 20_000;
const HTML_MAX: usize = 36_000;

pub(super) struct Matrix;

impl Kind for Matrix {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        let text = MessageStyle {
            write: plain,
            measure: json_size,
            line_break: "\n",
            plain: true,
            with_headline: true,
            with_address: true,
        };
        let html = MessageStyle {
            write: html,
            line_break: "<br>",
            plain: false,
            ..text
        };
        let body = json!({
            "msgtype": "m.notice",
            "body": text.compose(letter.message, BODY_MAX),
            "format": "org.matrix.custom.html",
            "formatted_body": html.compose(letter.message, HTML_MAX),
            // Mentions nobody, whatever the text says.
            "m.mentions": {},
        });
        let part = |text: &str| -> String {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
        };
        // The same transaction id means the same event, however often it is sent.
        let url = format!(
            "{}/_matrix/client/v3/rooms/{}/send/m.room.message/{}",
            letter.server(),
            part(letter.text("room")),
            part(letter.uid)
        );
        let mut request = PostRequest::json(&url, &body).reading(1024);
        request.method = PostMethod::Put;
        request
            .headers
            .push(("authorization", format!("Bearer {}", letter.text("token"))));
        Ok(Work::Ask(request, "post"))
    }

    /// The pause of `M_LIMIT_EXCEEDED` is in milliseconds (Matrix 1.18, "Rate limiting").
    fn judge(&self, _: &Letter<'_>, _: &'static str, answer: &PostAnswer) -> Step {
        Step::Done(match answer.status {
            429 => pause(
                answer,
                body(answer)["retry_after_ms"]
                    .as_f64()
                    .map(|ms| ms / 1000.0),
            ),
            _ => judge(answer),
        })
    }
}

/// `ins` is not one of the elements that clients show (Matrix 1.18, `m.room.message`).
fn html(run: &Run) -> String {
    match &run.face {
        Face::Plain => escape_html(&run.text),
        Face::Strong | Face::Added => around(&run.text, "<strong>", escape_html, "</strong>"),
        Face::Removed => around(&run.text, "<del>", escape_html, "</del>"),
        Face::Faint => around(&run.text, "<em>", escape_html, "</em>"),
        Face::Link(url) => format!(
            "<a href=\"{}\">{}</a>",
            escape_html(url),
            escape_html(&run.text)
        ),
    }
}
