//! Items whose bytes are known, so that they are not read again.

use memchr::memmem;
use sha2::{Digest, Sha256};

use super::dialect::Space;
use super::{FeedError, Format, SCHEME};
use crate::domain::known_items::{ItemPrint, KnownItems};
use crate::domain::state::FeedState;

/// How to recognise an entry of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ItemMark {
    /// Its print; `None` if its bytes alone do not determine how it is read.
    pub print: Option<ItemPrint>,
    /// Whether it was known, and therefore skipped.
    pub is_known: bool,
}

impl ItemMark {
    /// The mark of an item that was read.
    pub(super) fn fresh(print: ItemPrint) -> Self {
        Self {
            print: Some(print),
            is_known: false,
        }
    }

    /// The mark of an item that was skipped.
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
    /// Where it must end.
    pub(super) end: usize,
    /// The number of entries before it.
    pub(super) before: usize,
    /// The number of repairs before it.
    pub(super) repairs: usize,
}

/// Everything besides its own bytes that affects how an item is read.
#[derive(Debug)]
pub(super) struct ReadingContext<'a> {
    pub(super) format: Option<Format>,
    /// The names of the elements around it.
    pub(super) around: &'a [&'a str],
    /// The namespaces in force.
    pub(super) names: &'a [(&'a str, Space)],
    pub(super) base: Option<&'a str>,
    /// The longest text of one field.
    pub(super) field_bytes: usize,
}

/// The bytes of an item from its start tag at `from` to the first end tag with its name, and where that ends. If a
/// different end tag belongs to the item, it ends elsewhere and is not recognised again.
pub(super) fn item_bytes<'a>(text: &'a str, from: usize, name: &str) -> Option<(&'a str, usize)> {
    let end_tag = format!("</{name}>");
    let rest = text.get(from..)?;
    let length = memmem::find(rest.as_bytes(), end_tag.as_bytes())? + end_tag.len();
    Some((rest.get(..length)?, from + length))
}

/// The print of an item.
pub(super) fn print(surroundings: &ReadingContext<'_>, bytes: &str) -> ItemPrint {
    let mut hash = Sha256::new();
    let mut part = |text: &[u8]| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    part(&SCHEME.to_le_bytes());
    part(surroundings.format.map_or("", Format::as_str).as_bytes());
    part(&(surroundings.field_bytes as u64).to_le_bytes());
    // A missing base and an empty one are different.
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

/// The items that were read and those that were skipped, in document order. Without `lasting`, the former are not
/// recognised again.
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
