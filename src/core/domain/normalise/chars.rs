//! The classes of characters that the normalised forms are based on.

/// White space of any width, including characters that only look like it.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}'
}

/// Characters that are not visible on the page: soft hyphen, zero-width space, word joiners, direction marks,
/// variation selectors, annotations and control characters.
///
/// The joiners that shape letters (U+200C, U+200D) and the tags in flags are not among them: see [`is_joiner`] and
/// [`is_tag`].
pub(super) fn is_invisible(c: char) -> bool {
    match c {
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' => true,
        c => c.is_control() && !is_space(c),
    }
}

/// Joiners that change how letters of some scripts and some emoji are drawn; elsewhere they are invisible.
pub(super) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Whether a joiner after this character is visible: scripts from Hebrew on, emoji; not Latin, Greek, Cyrillic,
/// CJK.
pub(super) fn is_shaped_by_joiner(c: char) -> bool {
    let cjk = ('\u{2e80}'..='\u{9fff}').contains(&c) || ('\u{ac00}'..='\u{d7ff}').contains(&c);
    c >= '\u{590}' && !('\u{2000}'..='\u{206f}').contains(&c) && !cjk
}

/// Invisible letters that name a region in the flags of England, Scotland and Wales.
pub(super) fn is_tag(c: char) -> bool {
    ('\u{e0000}'..='\u{e007f}').contains(&c)
}

/// The emoji that tags follow: a black flag.
pub(super) const TAG_BASE: char = '\u{1f3f4}';

/// Whether NFC always leaves the character as it is, whatever is before it.
pub(super) fn is_nfc_stable(c: char) -> bool {
    matches!(c,
        '\0'..='\u{2ff}'
        | '\u{400}'..='\u{482}'
        | '\u{48a}'..='\u{52f}'
        | '\u{5d0}'..='\u{5ea}'
        | '\u{620}'..='\u{64a}'
        | '\u{660}'..='\u{66f}'
        | '\u{6d4}'
        | '\u{2010}'..='\u{205e}'
        | '\u{20a0}'..='\u{20cf}'
        | '\u{2100}'..='\u{2125}'
        | '\u{3000}'..='\u{3029}'
        | '\u{3030}'..='\u{3098}'
        | '\u{30a0}'..='\u{30ff}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{ff01}'..='\u{ffef}')
}
