//! Slack, by an incoming webhook. Text is in styled elements, which do not support markup or mentions.

use serde_json::{Value, json};

use super::style::{short, utf16};
use super::{Kind, Letter, Step, Work, gone, judge, not_taken};
use crate::fetch::{PostAnswer, PostRequest};
use crate::report::message::Layout;
use crate::report::runs::{Face, Run};

/// The limit of a header block (Slack, Block Kit reference, 2026-08).
const HEADER_MAX: usize = 150;
/// The limit of all blocks together is not documented; `msg_blocks_too_long` occurred at about 13,200, and earlier
/// with more blocks (slackapi/bolt-js issue 2509).
const BLOCKS_MAX: usize = 10_000;
/// The limit of one block, the same as for the text of a section (Block Kit reference, 2026-08).
const BLOCK_MAX: usize = 3000;
/// The most blocks in a message (Block Kit reference, 2026-08).
const COUNT_MAX: usize = 50;
/// The text that notifications show; Slack cuts it at 40,000 (chat.postMessage, 2026-08).
const TEXT_MAX: usize = 3000;

pub(super) struct Slack;

impl Kind for Slack {
    fn request(&self, letter: &Letter<'_>) -> Result<Work, String> {
        let size = |run: &Run| {
            let link = if matches!(run.face, Face::Link(_)) {
                2
            } else {
                1
            };
            utf16(&run.text) * link
        };
        let lines = letter.message.fit(&Layout {
            size: &size,
            line_break: 1,
            room: BLOCKS_MAX - HEADER_MAX,
            two_lines: false,
            with_headline: false,
            with_address: true,
        });
        let mut blocks = vec![json!({
            "type": "header",
            "text": {"type": "plain_text", "text": short(&letter.message.headline, HEADER_MAX, utf16), "emoji": false},
        })];
        blocks.extend(sections(&lines, &size));
        let body = json!({"text": fallback(letter), "blocks": blocks, "unfurl_links": false, "unfurl_media": false});
        Ok(Work::Ask(
            PostRequest::json(letter.text("url"), &body).reading(256),
            "post",
        ))
    }

    /// `ok` is success. If a webhook was removed, or its channel or team is gone, the status is 403, 404 or 410
    /// (docs.slack.dev, "Handling errors", 2026-08).
    fn judge(&self, _: &Letter<'_>, _: &'static str, answer: &PostAnswer) -> Step {
        let said = answer.body.trim();
        Step::Done(match answer.status {
            200..=299 if said.is_empty() || said.starts_with("ok") => judge(answer),
            200..=299 => not_taken(answer, &format!("Slack did not take it: {said}")),
            404 | 410 => gone(answer, "the webhook of Slack is gone"),
            403 if said.contains("action_prohibited") || said.contains("no_service") => {
                gone(answer, "the webhook of Slack is gone")
            }
            _ => judge(answer),
        })
    }
}

/// Lines as blocks of rich text. No block is longer than [`BLOCK_MAX`], unless a single line is.
fn sections(lines: &[Vec<Run>], size: &dyn Fn(&Run) -> usize) -> Vec<Value> {
    let mut blocks: Vec<(usize, Vec<Value>)> = Vec::new();
    for line in lines {
        let length = line.iter().map(size).sum::<usize>() + 1;
        let mut elements: Vec<Value> = line
            .iter()
            .filter(|run| !run.text.is_empty())
            .map(element)
            .collect();
        if elements.is_empty() {
            continue;
        }
        // Slack does not separate the sections of a block by line breaks.
        elements.push(json!({"type": "text", "text": "\n"}));
        let section = json!({"type": "rich_text_section", "elements": elements});
        let full = blocks
            .last()
            .is_none_or(|(used, _)| used + length > BLOCK_MAX);
        if full {
            if blocks.len() + 1 == COUNT_MAX {
                break;
            }
            blocks.push((0, Vec::new()));
        }
        if let Some((used, sections)) = blocks.last_mut() {
            *used += length;
            sections.push(section);
        }
    }
    let block = |(_, elements)| json!({"type": "rich_text", "elements": elements});
    blocks.into_iter().map(block).collect()
}

fn element(run: &Run) -> Value {
    let styled = |style: &str| json!({"type": "text", "text": run.text, "style": {style: true}});
    match &run.face {
        Face::Plain => json!({"type": "text", "text": run.text}),
        Face::Strong | Face::Added => styled("bold"),
        Face::Removed => styled("strike"),
        Face::Faint => styled("italic"),
        Face::Link(url) => json!({"type": "link", "url": url, "text": run.text}),
    }
}

/// The text for notifications. Only `&`, `<` and `>` are escaped (docs.slack.dev, "Formatting message text",
/// 2026-08).
fn fallback(letter: &Letter<'_>) -> String {
    let style = super::style::MessageStyle {
        write: |run| {
            super::style::plain(run)
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
        },
        measure: utf16,
        line_break: "\n",
        plain: true,
        with_headline: true,
        with_address: true,
    };
    style.compose(letter.message, TEXT_MAX)
}
