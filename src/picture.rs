//! Pictures of changes with the fonts of this machine: the edge of `report::card`.
//!
//! They need the cargo feature `cards`. Without it, only the pictures are missing.

use crate::report::message::Message;

/// Whether this program can draw.
pub(crate) const AVAILABLE: bool = cfg!(feature = "cards");

/// The change as PNG; `None` if no text has changed, or the machine has no font for it. Takes up to a second; the
/// first call also searches for the fonts.
#[cfg(feature = "cards")]
#[must_use]
pub(crate) fn of(message: &Message) -> Option<Vec<u8>> {
    use crate::report::card::{self, Fonts};
    use resvg::usvg::fontdb::Database;
    use std::sync::LazyLock;

    // A font that is installed later is found after a restart.
    static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
        let mut fonts = Database::new();
        fonts.load_system_fonts();
        Fonts::of(&fonts)
    });
    card::png(message, &FONTS)
}

/// Always `None` without the feature.
#[cfg(not(feature = "cards"))]
#[must_use]
pub(crate) fn of(_message: &Message) -> Option<Vec<u8>> {
    None
}
