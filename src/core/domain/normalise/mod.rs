//! Text in the forms used for comparisons. Texts are always stored and shown as published.
//!
//! There are two forms, the second one coarser than the first:
//!
//! - [`visible`]: two texts with the same visible form look the same to a reader. It unifies runs of white space,
//!   soft hyphens, invisible controls, entities that were escaped twice, NFC and NFD, and text that was decoded
//!   with the wrong charset.
//! - [`reading`]: two texts with the same reading form read the same. It also unifies the shape of quotation
//!   marks, apostrophes, dashes and ellipses, the width of letters and digits, and digits and letters that depend
//!   on the keyboard.
//!
//! Neither form changes the value of a digit, a sign, a decimal point or a letter (look-alikes from other scripts
//! stay different), nor whether there is a quotation mark. Both are idempotent and never fail.

mod chars;
mod entities;
mod mojibake;
mod reading;
mod visible;

pub use reading::reading;
pub use visible::visible;

/// Whether the texts look the same to a reader.
#[must_use]
pub fn same_to_the_eye(old: &str, new: &str) -> bool {
    old == new || (may_be_same(old, new) && visible(old) == visible(new))
}

/// Whether the texts read the same, even if they look different.
#[must_use]
pub fn same_to_the_reader(old: &str, new: &str) -> bool {
    old == new || (may_be_same(old, new) && reading(old) == reading(new))
}

/// Whether two texts can have a form in common: a cheap test that ends at the first difference. The forms keep
/// ASCII letters and digits as they are, except in entities, before combining accents, and where ligatures, the
/// kelvin sign, full-width letters and foreign digits become ASCII.
fn may_be_same(old: &str, new: &str) -> bool {
    let plain = |text: &str| -> bool {
        // 0xCC and 0xCD begin combining accents, 0xD9 to 0xDB the digits of Arabic scripts.
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
