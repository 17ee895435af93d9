//! Enums whose variants have a name, written only once: the same in the configuration, in the database, in JSON
//! and for people.

/// Makes an enum of `Variant = "name"` with `ALL`, `as_str` and `parse`; in JSON, a variant is its name.
#[macro_export]
macro_rules! names {
    ($(#[$about:meta])* pub enum $name:ident {
        $($(#[$doc:meta])* $variant:ident = $text:literal,)+
    }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All variants, in order.
            pub const ALL: [Self; [$(Self::$variant),+].len()] = [$(Self::$variant),+];

            /// Its name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The variant with this name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|one| one.as_str() == name)
            }
        }

        impl $crate::names::serde::Serialize for $name {
            fn serialize<S: $crate::names::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::names::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::names::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let name = <::std::borrow::Cow<'_, str> as $crate::names::serde::Deserialize>::deserialize(from)?;
                Self::parse(&name).ok_or_else(|| {
                    $crate::names::serde::de::Error::custom(format_args!("no {} is called {name:?}", stringify!($name)))
                })
            }
        }
    };
}

#[doc(hidden)]
pub use serde;
