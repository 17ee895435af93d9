//! From TOML to typed values, each with its place; mistakes are collected instead of returned.

use std::collections::BTreeSet;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problems, ValueSource, did_you_mean};
use super::secret::Secret;

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) place: ValueSource,
}

/// The layer that is being read.
#[derive(Debug, Clone)]
pub(super) enum Layer {
    Default,
    /// A file of the configuration, by index.
    File(usize),
    Environment(Arc<str>),
}

/// Reads one layer.
pub(super) struct LayerReader<'p> {
    pub(super) layer: Layer,
    pub(super) problems: &'p mut Problems,
}

impl LayerReader<'_> {
    pub(super) fn place<T>(&self, spanned: &Spanned<T>) -> ValueSource {
        match &self.layer {
            Layer::Default => ValueSource::Default,
            Layer::File(file) => ValueSource::File(*file, spanned.span().start),
            Layer::Environment(name) => ValueSource::Environment(Arc::clone(name)),
        }
    }

    /// The value of a key, or `None` with a problem reported. An empty string counts as no value.
    pub(super) fn value<T: FromToml>(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        expected: &str,
    ) -> Option<At<T>> {
        let place = self.place(value);
        if value
            .get_ref()
            .as_str()
            .is_some_and(|text| text.trim().is_empty())
        {
            return None;
        }
        if let Some(value) = T::from_toml(value.get_ref(), self) {
            return Some(At { value, place });
        }
        let found = value.get_ref().type_str();
        let article = if found.starts_with(['a', 'i']) {
            "an"
        } else {
            "a"
        };
        self.problems.add(
            &place,
            format!("{key} is {article} {found}; expected {expected}"),
        );
        None
    }

    /// The table of a key, or `None` with a problem reported.
    pub(super) fn table<'t, 'i>(
        &mut self,
        key: &str,
        value: &'t Spanned<DeValue<'i>>,
    ) -> Option<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let place = self.place(value);
            let found = value.get_ref().type_str();
            let message = format!("{key} must be a table, not one {found}; write [{key}]");
            self.problems.add(&place, message);
        }
        table
    }

    /// Reports an unknown key. `elsewhere` lists tables with their keys, to say where it belongs.
    pub(super) fn unknown_key(
        &mut self,
        place: &ValueSource,
        key: &str,
        within: &str,
        known: &[&str],
        elsewhere: &[(&str, &[&str])],
    ) {
        let hint = if let Some(near) = did_you_mean(key, known.iter().copied()) {
            format!("did you mean {near:?}?")
        } else if let Some((table, _)) = elsewhere.iter().find(|(_, keys)| keys.contains(&key)) {
            format!("move it to [{table}]")
        } else {
            let known: BTreeSet<&str> = known.iter().copied().collect();
            let known: Vec<&str> = known.into_iter().collect();
            format!("expected one of {}", known.join(", "))
        };
        let key = crate::domain::durations::shortened(key);
        self.problems
            .add(place, format!("unknown key {key:?} in {within}; {hint}"));
    }
}

/// What a key can hold.
pub(super) trait FromToml: Sized {
    fn from_toml(value: &DeValue<'_>, reader: &mut LayerReader<'_>) -> Option<Self>;
}

impl FromToml for String {
    fn from_toml(value: &DeValue<'_>, _: &mut LayerReader<'_>) -> Option<Self> {
        value.as_str().map(|text| text.trim().to_owned())
    }
}

impl FromToml for Secret {
    fn from_toml(value: &DeValue<'_>, _: &mut LayerReader<'_>) -> Option<Self> {
        value.as_str().map(|text| Self::new(text.trim()))
    }
}

impl FromToml for i64 {
    fn from_toml(value: &DeValue<'_>, _: &mut LayerReader<'_>) -> Option<Self> {
        let integer = value.as_integer()?;
        Self::from_str_radix(integer.as_str(), integer.radix()).ok()
    }
}

impl FromToml for bool {
    fn from_toml(value: &DeValue<'_>, _: &mut LayerReader<'_>) -> Option<Self> {
        value.as_bool()
    }
}

impl FromToml for Vec<At<String>> {
    fn from_toml(value: &DeValue<'_>, reader: &mut LayerReader<'_>) -> Option<Self> {
        let items = value.as_array()?.iter();
        items
            .map(|item| {
                let value = String::from_toml(item.get_ref(), reader)?;
                Some(At {
                    value,
                    place: reader.place(item),
                })
            })
            .collect()
    }
}

/// The name of a ladder, or its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RawLadder {
    Name(String),
    Steps(Vec<(At<String>, At<String>)>),
}

impl FromToml for RawLadder {
    fn from_toml(value: &DeValue<'_>, reader: &mut LayerReader<'_>) -> Option<Self> {
        if let Some(name) = value.as_str() {
            return Some(Self::Name(name.trim().to_owned()));
        }
        let steps = value.as_array()?.iter().map(|step| {
            let pair: Vec<At<String>> = FromToml::from_toml(step.get_ref(), reader)?;
            let [age, interval] = <[At<String>; 2]>::try_from(pair).ok()?;
            Some((age, interval))
        });
        Some(Self::Steps(steps.collect::<Option<Vec<_>>>()?))
    }
}
