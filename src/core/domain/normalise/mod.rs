//! Text as it is compared; what is stored and shown is always the text as published.
//!
//! Two forms, each a coarser one than the one before:
//!
//! - [`visible`]: two texts with the same visible form look the same to a reader. White space runs, soft hyphens,
//!   invisible controls, entities that were escaped twice, NFC or NFD and text that was decoded in a wrong charset are
//!   put in one form.
//! - [`reading`]: two texts with the same reading form are read the same. On top of the above, the shape of quotation
//!   marks, apostrophes, dashes and ellipses is put in one form, and so are the width of letters and digits and the
//!   digits and letters that only another keyboard has.
//!
//! Neither touches the value of a digit, a sign, a decimal point, a letter (look-alikes of other scripts stay different) or the
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
    old == new || (may_be_same(old, new) && visible(old) == visible(new))
}

/// Whether a reader may see a difference, but reads the same.
#[must_use]
pub fn same_to_the_reader(old: &str, new: &str) -> bool {
    old == new || (may_be_same(old, new) && reading(old) == reading(new))
}

/// Whether two texts can have a form in common: a cheap test that ends at the first difference. No form touches ASCII
/// letters and digits, except those of entities, those that take an accent, and those that ligatures, the sign of the
/// kelvin, full-width letters and foreign digits stand for.
fn may_be_same(old: &str, new: &str) -> bool {
    let plain = |text: &str| -> bool {
        // 0xCC and 0xCD lead the accents that letters are composed with, 0xD9 to 0xDB the digits of Arabic scripts.
        !text
            .bytes()
            .any(|byte| matches!(byte, b'&' | 0xcc | 0xcd | 0xd9..=0xdb))
            && !text.contains(|c| {
                matches!(
                    c,
                    'ﬀ' | 'ﬁ' | 'ﬂ' | 'ﬃ' | 'ﬄ' | '\u{212a}' | '№' | '０'..='ｚ'
                )
            })
    };
    old.bytes()
        .filter(u8::is_ascii_alphanumeric)
        .eq(new.bytes().filter(u8::is_ascii_alphanumeric))
        || !plain(old)
        || !plain(new)
}

#[cfg(test)]
mod tests;
