//! Bodies of webhooks: an event, shortened to the size limit of its receiver.
//!
//! An event that fits is sent byte for byte as it was stored. One that does not fit loses, in this order:
//! unchanged blocks, the end of a long plain text, the later blocks of the diff (`truncated: true`). The first
//! changed block always stays; if it is too large by itself, it is shortened inside. Other members are shortened
//! only if the event is large for another reason than its diff. A shortened text ends with `…`.
//!
//! Pure, and the result is always a valid event of [`crate::domain::event`].

mod cut;
mod sample;

pub use sample::test_event;

use serde_json::{Map, Value};

pub(super) use self::cut::text_len;
use self::cut::{clamp, clamp_strings, cut_block, cut_segments, json_len};
use crate::domain::event::Event;

/// Smaller limits are raised to this: the frame of an event needs room.
pub(crate) const SMALLEST_LIMIT: usize = 2048;

/// The members of a diff that contain lists of blocks.
const BLOCK_FIELDS: [&str; 2] = ["summary", "body"];

/// The members of a diff that contain lists of segments.
const SEGMENT_FIELDS: [&str; 3] = ["title", "standfirst", "byline"];

/// Adds the address of its page to the stored event of a change. Other events, and all events without a base
/// address, are returned unchanged.
#[must_use]
pub(crate) fn linked(stored: Vec<u8>, base_url: Option<&str>) -> Vec<u8> {
    let Some(base) = base_url else { return stored };
    let Ok(mut event) = serde_json::from_slice::<Value>(&stored) else {
        return stored;
    };
    let members = event.pointer_mut("/data/report/members");
    let members = members.and_then(Value::as_array_mut);
    let linked = members.map_or(0, |members| {
        let linked = members.iter_mut().map(|member| link(member, base));
        linked.filter(|linked| *linked).count()
    });
    if !link(&mut event, base) && linked == 0 {
        return stored;
    }
    serde_json::to_vec(&event).unwrap_or(stored)
}

/// Adds the address of its page to an event; `false` if it has none.
fn link(event: &mut Value, base: &str) -> bool {
    let number = event.pointer("/data/number").and_then(Value::as_u64);
    let data = event.get_mut("data").and_then(Value::as_object_mut);
    let (Some(number), Some(data)) = (number, data) else {
        return false;
    };
    let permalink = format!("{}/c/{number}", base.trim_end_matches('/'));
    data.insert("permalink".to_owned(), permalink.into());
    true
}

/// Removes what exceeds the limit from a digest: first the diffs, which are available elsewhere, then the last
/// events.
fn shrink_members(event: &mut Value, limit: usize) {
    let size = json_len(event);
    let members = event.pointer_mut("/data/report/members");
    let Some(members) = members.and_then(Value::as_array_mut) else {
        return;
    };
    let mut over = size.saturating_sub(limit);
    for member in members.iter_mut().rev() {
        let data = member.get_mut("data").and_then(Value::as_object_mut);
        if over > 0
            && let Some(diff) = data.and_then(|data| data.remove("diff"))
        {
            over = over.saturating_sub(json_len(&diff));
        }
    }
    while over > 0
        && let Some(last) = members.pop()
    {
        over = over.saturating_sub(json_len(&last));
    }
}

/// Like [`fit`], but for an event stored as JSON; members that this version does not know are kept. Anything other
/// than an event is returned unchanged: it cannot be shortened without breaking its form.
#[must_use]
pub(crate) fn fit_json(stored: Vec<u8>, max_bytes: usize) -> Vec<u8> {
    let limit = max_bytes.max(SMALLEST_LIMIT);
    if stored.len() <= limit || serde_json::from_slice::<Event>(&stored).is_err() {
        return stored;
    }
    match serde_json::from_slice::<Value>(&stored) {
        Ok(event) => serde_json::to_vec(&shrunk(event, limit)).unwrap_or(stored),
        Err(_) => stored,
    }
}

fn shrunk(mut event: Value, limit: usize) -> Value {
    shrink_members(&mut event, limit);
    if json_len(&event) <= limit {
        return event;
    }
    drop_equal_blocks(&mut event);
    if json_len(&event) <= limit {
        return event;
    }
    shorten_text(&mut event, limit / 4);
    if json_len(&event) <= limit {
        return event;
    }
    // The diff gets the room that the rest leaves. If the rest has to be shortened, that is at least a quarter.
    let lists = take_block_lists(&mut event);
    let room_for_rest = if lists.is_empty() {
        limit
    } else {
        limit - limit / 4
    };
    if json_len(&event) > room_for_rest {
        shorten_rest(&mut event, room_for_rest);
    }
    let room = limit.saturating_sub(json_len(&event));
    put_block_lists(&mut event, lists, room);
    event
}

fn diff_mut(event: &mut Value) -> Option<&mut Map<String, Value>> {
    event.get_mut("data")?.get_mut("diff")?.as_object_mut()
}

fn drop_equal_blocks(event: &mut Value) {
    let Some(diff) = diff_mut(event) else { return };
    for field in BLOCK_FIELDS {
        let blocks = diff.get_mut(field).and_then(|info| info.get_mut("blocks"));
        if let Some(Value::Array(blocks)) = blocks {
            blocks.retain(|block| block.get("op").and_then(Value::as_str) != Some("equal"));
        }
    }
}

fn shorten_text(event: &mut Value, room: usize) {
    if let Some(Value::String(text)) = event.get_mut("data").and_then(|data| data.get_mut("text")) {
        clamp(text, room);
    }
}

/// Takes the blocks out of the diff, and leaves empty lists marked as truncated.
fn take_block_lists(event: &mut Value) -> Vec<(&'static str, Vec<Value>)> {
    let mut lists = Vec::new();
    let Some(diff) = diff_mut(event) else {
        return lists;
    };
    for field in BLOCK_FIELDS {
        let Some(info) = diff.get_mut(field).and_then(Value::as_object_mut) else {
            continue;
        };
        let Some(blocks) = info.get_mut("blocks").and_then(Value::as_array_mut) else {
            continue;
        };
        let blocks = std::mem::take(blocks);
        if !blocks.is_empty() {
            // `true` is shorter than `false`: a list that turns out complete needs one more byte, which is
            // reserved.
            info.insert("truncated".into(), Value::Bool(true));
            lists.push((field, blocks));
        }
    }
    lists
}

/// Puts back as many blocks as fit: the first block of each list, shortened if necessary, then the others in
/// order.
fn put_block_lists(event: &mut Value, lists: Vec<(&'static str, Vec<Value>)>, room: usize) {
    // Reserve one byte for each `false`, which is longer than `true`.
    let mut room = room.saturating_sub(lists.len());
    let mut waiting = lists.len();
    let mut filled = Vec::new();
    for (field, blocks) in lists {
        let share = room / waiting.max(1);
        waiting -= 1;
        let mut whole = true;
        let mut blocks = blocks.into_iter();
        let mut kept = Vec::new();
        if let Some(mut first) = blocks.next() {
            if json_len(&first) > share {
                cut_block(&mut first, share);
                whole = false;
            }
            room = room.saturating_sub(json_len(&first));
            kept.push(first);
        }
        filled.push((field, kept, blocks, whole));
    }
    for (field, mut kept, blocks, mut whole) in filled {
        for block in blocks {
            let size = json_len(&block) + 1;
            if !whole || size > room {
                whole = false;
                break;
            }
            room -= size;
            kept.push(block);
        }
        let info = diff_mut(event)
            .and_then(|diff| diff.get_mut(field))
            .and_then(Value::as_object_mut);
        if let Some(info) = info {
            info.insert("blocks".into(), Value::Array(kept));
            info.insert("truncated".into(), Value::Bool(!whole));
        }
    }
}

/// Shortens everything except the blocks, more and more, until it fits.
fn shorten_rest(event: &mut Value, room: usize) {
    for longest in [4096, 2048, 1024, 512, 256, 128] {
        if let Some(diff) = diff_mut(event) {
            for field in SEGMENT_FIELDS {
                if let Some(Value::Array(segments)) = diff.get_mut(field)
                    && segments.iter().map(json_len).sum::<usize>() > longest
                {
                    *segments = cut_segments(std::mem::take(segments), longest);
                }
            }
        }
        clamp_strings(event, longest);
        if json_len(event) <= room {
            return;
        }
    }
    keep_only_the_frame(event);
}

/// The last resort for an event that is large because of the number of its members: only what a reader needs to
/// find the change.
fn keep_only_the_frame(event: &mut Value) {
    let Some(data) = event.get_mut("data").and_then(Value::as_object_mut) else {
        return;
    };
    data.retain(|name, _| {
        matches!(
            name.as_str(),
            "number" | "change" | "feed" | "diff" | "test" | "text"
        )
    });
    if let Some(Value::Object(change)) = data.get_mut("change") {
        change.retain(|name, _| {
            matches!(
                name.as_str(),
                "fields"
                    | "significance"
                    | "score"
                    | "labels"
                    | "words"
                    | "similarity"
                    | "channel"
                    | "window"
            )
        });
        for list in ["fields", "labels", "channel"] {
            if let Some(Value::Array(list)) = change.get_mut(list) {
                list.truncate(16);
            }
        }
    }
    if let Some(Value::Object(feed)) = data.get_mut("feed") {
        feed.retain(|name, _| matches!(name.as_str(), "name" | "url"));
    }
    if let Some(Value::Object(diff)) = data.get_mut("diff") {
        diff.retain(|name, _| BLOCK_FIELDS.contains(&name.as_str()));
        for info in diff.values_mut() {
            if let Value::Object(info) = info {
                info.retain(|name, _| matches!(name.as_str(), "blocks" | "truncated"));
            }
        }
    }
    if let Value::Object(frame) = event {
        frame.retain(|name, _| {
            matches!(
                name.as_str(),
                "type" | "timestamp" | "schema_version" | "data"
            )
        });
    }
}

#[cfg(test)]
mod tests;
