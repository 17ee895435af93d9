//! The scheme under which a text was read from its bytes.
//!
//! If our own reading changes, the same bytes give another text, and that is not an edit. So each text is stored
//! with the scheme that it was read under, and texts of two schemes are never compared: the older one is read
//! again first.

use sha2::{Digest, Sha256};

use super::state::Channel;

/// The version of our reading of a channel, together with the active rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scheme(pub i64);

/// The version is stored in the lowest bits of a scheme.
const VERSION_BITS: u32 = 16;

impl Scheme {
    /// The scheme of texts that another program has read: never one of ours.
    pub const FOREIGN: Self = Self(0);

    /// A version without rules.
    #[must_use]
    pub fn version(version: u16) -> Self {
        Self(i64::from(version))
    }

    /// The same version with rules; without rules it stays the same. The order of the rules matters, because their
    /// effect may depend on it.
    #[must_use]
    pub fn with_rules<'a>(self, rules: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hasher = Sha256::new();
        let mut any = false;
        for rule in rules {
            any = true;
            hasher.update((rule.len() as u64).to_le_bytes());
            hasher.update(rule.as_bytes());
        }
        if !any {
            return self;
        }
        let digest = hasher.finalize();
        let hash = digest
            .iter()
            .take(4)
            .fold(0_i64, |hash, byte| (hash << 8) | i64::from(*byte));
        // Zero would mean that there are no rules.
        Self(self.0 | (hash.max(1) << VERSION_BITS))
    }
}

/// The schemes of both channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Schemes {
    /// The scheme of the feed.
    pub feed: Scheme,
    /// The scheme of the page.
    pub page: Scheme,
}

impl Default for Schemes {
    /// The first version on both channels.
    fn default() -> Self {
        Self {
            feed: Scheme::version(1),
            page: Scheme::version(1),
        }
    }
}

impl Schemes {
    /// The scheme of a channel.
    #[must_use]
    pub fn of(self, channel: Channel) -> Scheme {
        match channel {
            Channel::Feed => self.feed,
            Channel::Page => self.page,
        }
    }

    /// Replaces the scheme of a channel with that of `other`.
    #[must_use]
    pub fn take(self, channel: Channel, other: Self) -> Self {
        match channel {
            Channel::Feed => Self {
                feed: other.feed,
                ..self
            },
            Channel::Page => Self {
                page: other.page,
                ..self
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_tells_versions_rules_and_their_order_apart() {
        let one = Scheme::version(1);
        let mut schemes = vec![
            one,
            Scheme::version(2),
            one.with_rules(["a"]),
            one.with_rules(["a", "b"]),
            one.with_rules(["b", "a"]),
            one.with_rules(["ab"]),
            Scheme::version(2).with_rules(["a"]),
        ];
        assert_eq!(one.with_rules([]), one);
        assert_eq!(one.0, 1, "rows from before schemes have this number");
        let all = schemes.len();
        schemes.sort_unstable();
        schemes.dedup();
        assert_eq!(schemes.len(), all);
        assert!(schemes.iter().all(|scheme| scheme.0 > 0));
    }

    #[test]
    fn each_channel_has_its_own() {
        let new = Schemes {
            feed: Scheme(7),
            page: Scheme(8),
        };
        let mixed = Schemes::default().take(Channel::Page, new);
        assert_eq!(mixed.of(Channel::Page), Scheme(8));
        assert_eq!(mixed.of(Channel::Feed), Scheme(1));
    }
}
