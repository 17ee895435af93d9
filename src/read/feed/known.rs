//! Items that are known by their bytes, and are not read again.

use sha2::{Digest, Sha256};

use super::dialect::Space;
use super::{FeedError, Format, SCHEME};
use crate::domain::known_items::{ItemPrint, KnownItems};
use crate::domain::state::FeedState;

/// By what an entry of a document is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ItemMark {
    /// Its print; `None` when its bytes alone do not say what it is read as.
    pub print: Option<ItemPrint>,
    /// Whether it was known, and not read.
    pub is_known: bool,
}

impl ItemMark {
    /// Of an item that was read.
    pub(super) fn fresh(print: ItemPrint) -> Self {
        Self {
            print: Some(print),
            is_known: false,
        }
    }

    /// Of an item that was passed over.
    pub(super) fn known(print: ItemPrint) -> Self {
        Self {
            print: Some(print),
            is_known: true,
        }
    }
}

/// The item that is being read.
#[derive(Debug)]
pub(super) struct ItemSpan {
    pub(super) print: ItemPrint,
    /// Where it has to end.
    pub(super) end: usize,
    /// How many entries there were before it.
    pub(super) before: usize,
    /// How often something had been put right before it.
    pub(super) repairs: usize,
}

/// All that reading an item depends on beside its own bytes.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) format: Option<Format>,
    /// The names of the elements around it.
    pub(super) around: &'a [&'a str],
    /// The name spaces in force.
    pub(super) names: &'a [(&'a str, Space)],
    pub(super) base: Option<&'a str>,
    /// The longest text of one field.
    pub(super) field_bytes: usize,
}

/// The bytes of an item from its start tag, which stands at `from`, to the first end tag of its name, and where that
/// ends. Where another end tag belongs to it, the item ends elsewhere, and is not known again.
pub(super) fn item_bytes<'a>(text: &'a str, from: usize, name: &str) -> Option<(&'a str, usize)> {
    let end_tag = format!("</{name}>");
    let rest = text.get(from..)?;
    let length = rest.find(&end_tag)? + end_tag.len();
    Some((rest.get(..length)?, from + length))
}

/// The print of an item.
pub(super) fn print(surroundings: &Surroundings<'_>, bytes: &str) -> ItemPrint {
    let mut hash = Sha256::new();
    let mut part = |text: &[u8]| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    part(&SCHEME.to_le_bytes());
    part(surroundings.format.map_or("", Format::as_str).as_bytes());
    part(&(surroundings.field_bytes as u64).to_le_bytes());
    // No base, and an empty one, are two things.
    part(&[u8::from(surroundings.base.is_some())]);
    part(surroundings.base.unwrap_or_default().as_bytes());
    part(&(surroundings.around.len() as u64).to_le_bytes());
    for name in surroundings.around {
        part(name.as_bytes());
    }
    for (prefix, space) in surroundings.names {
        part(prefix.as_bytes());
        part(&[*space as u8]);
    }
    part(bytes.as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let mut print = [0; 16];
    for (to, from) in print.iter_mut().zip(digest) {
        *to = from;
    }
    ItemPrint(u128::from_be_bytes(print))
}

/// The items that were read and those that were passed over, in the order of the document. Without `lasting` those that
/// were read are not known again.
pub(super) fn with_known(
    read: Vec<FeedState>,
    mut marks: Vec<ItemMark>,
    known: &KnownItems,
    lasting: bool,
) -> Result<(Vec<FeedState>, Vec<ItemMark>), FeedError> {
    let wanted = marks.iter().filter(|mark| !mark.is_known).count();
    if wanted != read.len() {
        if wanted != marks.len() {
            return Err(FeedError::Broken {
                line: None,
                column: None,
                why: "its items cannot be told apart".to_owned(),
            });
        }
        return Ok((read, Vec::new()));
    }
    let mut read = read.into_iter();
    let mut entries = Vec::with_capacity(marks.len());
    for mark in &mut marks {
        let passed_over = mark.print.filter(|_| mark.is_known);
        match passed_over.and_then(|print| known.get(print)) {
            Some(item) => entries.push(item.state()),
            None => {
                mark.print = mark.print.filter(|_| lasting);
                entries.extend(read.next());
            }
        }
    }
    Ok((entries, marks))
}
