//! Text as it is compared; what is stored and shown is always the text as published.
//!
//! Two forms, each a coarser one than the one before:
//!
//! - [`visible`]: two texts with the same visible form look the same to a reader. White space runs, soft hyphens,
//!   invisible controls, entities that were escaped twice, NFC or NFD and text that was decoded in a wrong charset are
//!   put in one form.
//! - [`reading`]: two texts with the same reading form are read the same. On top of the above, the shape of quotation
//!   marks, apostrophes, dashes and ellipses is put in one form.
//!
//! Neither touches a digit, a sign, a decimal point, a letter (look-alikes of other scripts stay different) or the
//! presence of a quotation mark. Both are idempotent and never fail.

mod chars;
mod entities;
mod mojibake;
mod reading;
mod visible;

pub use reading::reading;
pub use visible::visible;

/// Whether a reader sees no difference.
#[must_use]
pub fn same_to_the_eye(old: &str, new: &str) -> bool {
    old == new || visible(old) == visible(new)
}

/// Whether a reader may see a difference, but reads the same.
#[must_use]
pub fn same_to_the_reader(old: &str, new: &str) -> bool {
    old == new || reading(old) == reading(new)
}

#[cfg(test)]
mod tests;
