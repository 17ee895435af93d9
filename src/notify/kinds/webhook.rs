//! A POST with the event, in the form of Standard Webhooks, of a `CloudEvent`, or of a template.

use serde_json::json;

use super::{Kind, Letter, Work};
use crate::fetch::PostRequest;
use crate::notify::payload;
use crate::notify::sign::sign;
use crate::notify::template;

/// The size limit of a `CloudEvent` (`CloudEvents` 1.0.2, "Size Limits").
const CLOUDEVENT_MAX: usize = 64 << 10;
/// Room for the envelope of a `CloudEvent`.
const FRAME: usize = 512;

pub(super) struct Webhook;

impl Kind for Webhook {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        let (content_type, body) = match (
            letter.target.settings.text("template"),
            letter.text("format"),
        ) {
            (Some(template), _) => {
                let body = template::render(template, letter.event, letter.message)?;
                (letter.text("content_type").to_owned(), body.into_bytes())
            }
            (None, "cloudevents") => (
                "application/cloudevents+json".to_owned(),
                cloudevent(letter),
            ),
            (None, _) => {
                return Ok(standard(
                    letter.target,
                    letter.stored,
                    letter.uid,
                    letter.at,
                ));
            }
        };
        Ok(signed(
            letter.target,
            letter.uid,
            letter.at,
            &content_type,
            body,
        ))
    }
}

/// The event as it is stored, shortened to fit. Anything that cannot be read as an event is sent unchanged.
pub(in crate::notify) fn standard(
    target: &crate::notify::Target,
    stored: &[u8],
    uid: &str,
    at: crate::time::Timestamp,
) -> Work {
    let body = payload::fit_json(stored.to_vec(), target.max_payload);
    signed(target, uid, at, "application/json", body)
}

fn signed(
    target: &crate::notify::Target,
    uid: &str,
    at: crate::time::Timestamp,
    content_type: &str,
    body: Vec<u8>,
) -> Work {
    let signed = sign(&target.secrets, uid, at, &body);
    let request = PostRequest {
        headers: signed.headers(),
        ..PostRequest::new(target.url.clone(), content_type, body)
    };
    Work::Ask(request, "post")
}

/// The structured form of `CloudEvents` 1.0.
fn cloudevent(letter: &Letter<'_>) -> Vec<u8> {
    let room = letter
        .target
        .max_payload
        .min(CLOUDEVENT_MAX)
        .saturating_sub(FRAME);
    let fitted = payload::fit_json(letter.stored.to_vec(), room);
    let event: serde_json::Value = serde_json::from_slice(&fitted).unwrap_or_default();
    let mut frame = json!({
        "specversion": "1.0",
        "id": letter.uid,
        "source": letter.target.source,
        "type": format!("dev.revisor.{}", letter.event.kind.as_str()),
        "time": letter.event.timestamp,
        "datacontenttype": "application/json",
        "data": event["data"],
    });
    if let Some(entry) = &letter.event.data.entry {
        frame["subject"] = entry.id.clone().into();
    }
    serde_json::to_vec(&frame).unwrap_or_default()
}
