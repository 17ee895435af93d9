//! Stable hashes of what a reader sees, to tell "the same" without loading the text.

/// The version of normalising and hashing. An upgrade of it is never an edit: a fingerprint of another version is
/// computed anew from the stored state before anything is compared.
pub const SCHEME: u8 = 1;

/// A hash of normalised content; its first byte is [`SCHEME`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// The version that it was computed under.
    #[must_use]
    pub fn scheme(self) -> u8 {
        self.0[0]
    }
}

/// The fingerprints of a state: one for each channel as a whole, and one for each text, to recognise a return.
/// Absent where there is no such text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fingerprints {
    /// All of the feed's compared fields (claimed dates are not compared).
    pub feed: Option<Fingerprint>,
    /// All of the page's compared fields.
    pub page: Option<Fingerprint>,
    /// The feed's headline.
    pub feed_title: Option<Fingerprint>,
    /// The feed's description.
    pub feed_summary: Option<Fingerprint>,
    /// The feed's full text.
    pub feed_body: Option<Fingerprint>,
    /// The page's headline.
    pub page_title: Option<Fingerprint>,
    /// The page's text.
    pub page_body: Option<Fingerprint>,
}
