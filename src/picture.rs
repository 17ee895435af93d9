//! Pictures of changes with the fonts of this machine: the edge of `report::card`.
//!
//! Only with the cargo feature `cards`; without it there are no pictures, and nothing else differs.

use crate::report::message::Message;

/// Whether this program can draw.
pub(crate) const AVAILABLE: bool = cfg!(feature = "cards");

/// The change as PNG; `None` if it has no text that changed, or the machine no font for it. Takes up to a second,
/// and once some time to find the fonts.
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

/// Without the feature there is none.
#[cfg(not(feature = "cards"))]
#[must_use]
pub(crate) fn of(_message: &Message) -> Option<Vec<u8>> {
    None
}
