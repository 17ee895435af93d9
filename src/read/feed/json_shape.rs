//! JSON → values, but only those that a feed can use.
//!
//! As values, JSON takes a hundred times the size of its text: `[0],` is a list with a number in it. Anything that
//! is never used is skipped during parsing: unknown members, lists and objects in place of a text, and entries
//! over the limit.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Which parts of a value are kept.
struct JsonShape {
    /// For an object, these members.
    members: &'static [(&'static str, &'static JsonShape)],
    /// For a list, its first elements.
    elements: Option<(Most, &'static JsonShape)>,
}

/// How many elements of a list are kept.
#[derive(Clone, Copy)]
enum Most {
    Few(usize),
    /// As many as the limit for entries.
    Entries,
}

const TEXT: &JsonShape = &JsonShape {
    members: &[],
    elements: None,
};

const PERSON: &JsonShape = &JsonShape {
    members: &[("name", TEXT), ("url", TEXT)],
    elements: None,
};

/// A list of people, or a single one without a list.
const PERSONS: &JsonShape = &JsonShape {
    members: PERSON.members,
    elements: Some((Most::Few(32), PERSON)),
};

const ENTRY: &JsonShape = &JsonShape {
    members: &[
        ("id", TEXT),
        ("url", TEXT),
        ("external_url", TEXT),
        ("title", TEXT),
        ("content_html", TEXT),
        ("content_text", TEXT),
        ("summary", TEXT),
        ("date_published", TEXT),
        ("date_modified", TEXT),
        ("authors", PERSONS),
        ("author", PERSONS),
    ],
    elements: None,
};

const HUB: &JsonShape = &JsonShape {
    members: &[("url", TEXT)],
    elements: None,
};

const FEED: &JsonShape = &JsonShape {
    members: &[
        ("version", TEXT),
        ("title", TEXT),
        ("home_page_url", TEXT),
        ("feed_url", TEXT),
        (
            "hubs",
            &JsonShape {
                members: &[],
                elements: Some((Most::Few(1), HUB)),
            },
        ),
        (
            "items",
            &JsonShape {
                members: &[],
                elements: Some((Most::Entries, ENTRY)),
            },
        ),
    ],
    elements: None,
};

/// Reads the content of a feed: the document, and how many entries over the limit were skipped. A list or object
/// in place of something else is present, but empty.
pub(super) fn read(text: &str, entries: usize) -> Result<(Value, usize), serde_json::Error> {
    let dropped = Cell::new(0);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = ShapeReader {
        shape: FEED,
        entries,
        dropped: &dropped,
    }
    .deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, dropped.get()))
}

#[derive(Clone, Copy)]
struct ShapeReader<'a> {
    shape: &'static JsonShape,
    entries: usize,
    dropped: &'a Cell<usize>,
}

impl ShapeReader<'_> {
    fn of(self, shape: &'static JsonShape) -> Self {
        Self { shape, ..self }
    }

    fn list_of<'de, A: MapAccess<'de>>(
        self,
        mut object: A,
        shape: &'static JsonShape,
    ) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        let mut over = 0;
        while object.next_key::<Name<'_>>()?.is_some() {
            if kept.len() < self.entries {
                kept.push(object.next_value_seed(self.of(shape))?);
            } else {
                object.next_value::<Passed>()?;
                over += 1;
            }
        }
        self.dropped.set(over);
        Ok(Value::Array(kept))
    }
}

impl<'de> DeserializeSeed<'de> for ShapeReader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ShapeReader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        if let Some((most, shape)) = self.shape.elements {
            let most = match most {
                Most::Few(most) => most,
                Most::Entries => self.entries,
            };
            while kept.len() < most {
                match list.next_element_seed(self.of(shape))? {
                    Some(value) => kept.push(value),
                    None => break,
                }
            }
        }
        let mut over = 0;
        while list.next_element::<Passed>()?.is_some() {
            over += 1;
        }
        if let Some((Most::Entries, _)) = self.shape.elements {
            self.dropped.set(over);
        }
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        if let (Some((Most::Entries, shape)), []) = (self.shape.elements, self.shape.members) {
            // PHP writes a list with gaps as an object with numbers for names.
            return self.list_of(object, shape);
        }
        let mut kept = Map::new();
        while let Some(Name(name)) = object.next_key()? {
            match self.shape.members.iter().find(|(known, _)| *known == name) {
                Some((known, shape)) => {
                    // If members have the same name, the last one counts, as in other JSON parsers.
                    let value = object.next_value_seed(self.of(shape))?;
                    kept.insert((*known).to_owned(), value);
                }
                None => {
                    object.next_value::<Passed>()?;
                }
            }
        }
        Ok(Value::Object(kept))
    }
}

/// A value that is read, but not kept. `IgnoredAny` would also ignore excessive depth and mistakes.
struct Passed;

impl<'de> Deserialize<'de> for Passed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Passed {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<Name<'_>, Self>()?.is_some() {}
        Ok(self)
    }
}

/// The name of a member, borrowed if possible.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_feed_says_is_kept() {
        let text = r#"{"version": "1", "title": "T", "items": [
            {"id": 7, "title": null, "authors": [{"name": "Ann"}], "author": {"name": "Bo"}, "x": 1}, 5]}"#;
        let items = json!([
            {"id": 7, "title": null, "authors": [{"name": "Ann"}], "author": {"name": "Bo"}}, 5]);
        let expected = json!({"version": "1", "title": "T", "items": items});
        assert_eq!(read(text, 10).unwrap(), (expected, 0));
    }

    #[test]
    fn what_nobody_reads_takes_no_room() {
        let nested = format!("{}{}", "[".repeat(100), "]".repeat(100));
        let text = format!(
            r#"{{"_x": {nested}, "items": [{{"id": [0, 0], "tags": [1, 2], "title": {{"id": 1}}}}, {nested}, 1, 2]}}"#
        );
        let expected = json!({"items": [{"id": [], "title": {}}, []]});
        assert_eq!(read(&text, 2).unwrap(), (expected, 2));
        assert_eq!(read("[1, 2]", 2).unwrap(), (json!([]), 0));
    }

    #[test]
    fn a_list_with_holes_is_a_list() {
        let text = r#"{"items": {"0": {"id": "a"}, "2": {"id": "b"}, "3": {"id": "c"}}}"#;
        let expected = json!({"items": [{"id": "a"}, {"id": "b"}]});
        assert_eq!(read(text, 2).unwrap(), (expected, 1));
    }

    #[test]
    fn what_is_no_json_is_an_error_also_where_it_is_passed_over() {
        for text in [
            "",
            "{\"_x\": [1,]}",
            "{\"items\": [1, 2",
            "{} {}",
            "{\"a\": tru}",
        ] {
            assert!(read(text, 1).is_err(), "{text}");
        }
    }
}
