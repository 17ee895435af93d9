//! The contracts of the machine formats, as JSON Schema.

/// The schema of an event: a line of `log --format ndjson`, the body of a webhook.
pub(crate) const EVENT_SCHEMA: &str = include_str!("event.schema.json");

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::diff::{BlockOp, LeftOut, SentenceOps};
    use crate::domain::event::{
        BlocksInfo, DigestInfo, Event, EventKind, HeadlineInfo, ReportInfo,
    };
    use crate::domain::ids::{ChangeNumber, RevisionNumber};
    use crate::domain::links::LinkChange;
    use crate::domain::state::{Document, HeadlineSource};
    use crate::report::event_text;
    use crate::report::sample::{at, bare, block, delete, insert, revised};

    /// The part of JSON Schema that the schema uses; any other keyword fails the test.
    fn check(schema: &Value, root: &Value, value: &Value, path: &str, problems: &mut Vec<String>) {
        let mut wrong = |what: String| problems.push(format!("{path}: {what}"));
        let Some(keywords) = schema.as_object() else {
            return;
        };
        for (keyword, rule) in keywords {
            match keyword.as_str() {
                "$ref" => {
                    let target = rule.as_str().and_then(|at| root.pointer(&at[1..])).unwrap();
                    check(target, root, value, path, problems);
                    return rest(schema, root, value, path, problems);
                }
                "type" => {
                    let fits = match rule.as_str().unwrap() {
                        "object" => value.is_object(),
                        "array" => value.is_array(),
                        "string" => value.is_string(),
                        "integer" => value.is_i64() || value.is_u64(),
                        "number" => value.is_number(),
                        "boolean" => value.is_boolean(),
                        other => panic!("unknown type {other}"),
                    };
                    if !fits {
                        wrong(format!("{value} is no {rule}"));
                    }
                }
                "const" if value != rule => wrong(format!("{value} is not {rule}")),
                "enum" if !rule.as_array().unwrap().contains(value) => {
                    wrong(format!("{value} is not among {rule}"));
                }
                "minimum" if value.as_f64() < rule.as_f64() => wrong(format!("{value} < {rule}")),
                "maximum" if value.as_f64() > rule.as_f64() => wrong(format!("{value} > {rule}")),
                "minItems" if (value.as_array().unwrap().len() as u64) < rule.as_u64().unwrap() => {
                    wrong("too few".into());
                }
                "maxItems" if (value.as_array().unwrap().len() as u64) > rule.as_u64().unwrap() => {
                    wrong("too many".into());
                }
                "format" => {
                    let text = value.as_str().unwrap_or_default();
                    if crate::time::Timestamp::parse_rfc3339(text).is_none() || !text.ends_with('Z')
                    {
                        wrong(format!("{value} is no time in UTC"));
                    }
                }
                "pattern" => {
                    let pattern = regex::Regex::new(rule.as_str().unwrap()).unwrap();
                    if !pattern.is_match(value.as_str().unwrap_or_default()) {
                        wrong(format!("{value} does not match {rule}"));
                    }
                }
                "required" => {
                    for name in rule.as_array().unwrap() {
                        if value.get(name.as_str().unwrap()).is_none() {
                            wrong(format!("{name} is missing"));
                        }
                    }
                }
                // Annotations, and keywords that are checked elsewhere.
                "$schema" | "$id" | "$defs" | "title" | "description" | "properties" | "items"
                | "prefixItems" | "const" | "enum" | "minimum" | "maximum" | "minItems"
                | "maxItems" => {}
                other => panic!("unknown keyword {other}"),
            }
        }
        rest(schema, root, value, path, problems);
    }

    /// Checks nested values. Readers must accept members that the schema does not name, but we must not write any.
    fn rest(schema: &Value, root: &Value, value: &Value, path: &str, problems: &mut Vec<String>) {
        if let Some(properties) = schema.get("properties") {
            for (name, member) in value.as_object().into_iter().flatten() {
                let path = format!("{path}.{name}");
                match properties.get(name) {
                    Some(rule) => check(rule, root, member, &path, problems),
                    None => problems.push(format!("{path} is not in the schema")),
                }
            }
        }
        let first = schema.get("prefixItems").and_then(Value::as_array);
        for (at, item) in value.as_array().into_iter().flatten().enumerate() {
            let path = format!("{path}[{at}]");
            match (first.and_then(|first| first.get(at)), schema.get("items")) {
                (Some(rule), _) | (None, Some(rule)) if !rule.is_boolean() => {
                    check(rule, root, item, &path, problems);
                }
                (None, Some(Value::Bool(false))) => {
                    problems.push(format!("{path} is one too many"));
                }
                _ => {}
            }
        }
    }

    fn problems(value: &Value) -> Vec<String> {
        let schema: Value = serde_json::from_str(EVENT_SCHEMA).unwrap();
        let mut problems = Vec::new();
        check(&schema, &schema, value, "$", &mut problems);
        problems
    }

    fn everything() -> Event {
        let mut event = revised();
        let data = &mut event.data;
        data.detail = Some("detail".into());
        data.test = true;
        data.permalink = Some("https://changes.example/c/412".into());
        data.digest = Some(DigestInfo {
            changes: 7,
            first: ChangeNumber(3),
            last: ChangeNumber(11),
            paragraphs: 5,
            told_alone: 2,
        });
        if let Some(after) = &mut data.after {
            after.document = Some(Document {
                media_type: "application/pdf".into(),
                bytes: 7,
                sha256: "0".repeat(64),
                text: true,
            });
        }
        data.window = data.change.as_ref().map(|change| change.window);
        data.change.as_mut().unwrap().revert_of = Some(RevisionNumber(1));
        let mut split = block(BlockOp::Insert, 0, 2, vec![insert("y")]);
        split.part_of = Some(1);
        let blocks = BlocksInfo {
            blocks: vec![split, block(BlockOp::Insert, 0, 1, vec![insert("x")])],
            truncated: true,
            coarse: true,
            sentences: SentenceOps {
                added: 1,
                ..SentenceOps::default()
            },
            left_out: LeftOut {
                before: vec![1],
                after: vec![2, 4],
                as_before: vec![3],
            },
        };
        let diff = data.diff.as_mut().unwrap();
        diff.summary = Some(blocks);
        diff.byline = Some(vec![delete("a"), insert("b")]);
        diff.standfirst = Some(vec![delete("a"), insert("b")]);
        diff.links = vec![LinkChange {
            words: "a report".into(),
            from: "https://a.example/1".into(),
            to: "https://a.example/2".into(),
        }];
        diff.headlines = vec![HeadlineInfo {
            source: HeadlineSource::OgTitle,
            segments: vec![delete("c"), insert("d")],
        }];
        diff.address = Some(["https://a.example/1".into(), "https://a.example/2".into()]);
        diff.guid = Some(["1".into(), "2".into()]);
        data.report = Some(ReportInfo {
            events: 2,
            since: at("2026-11-23T09:00:00Z"),
            until: at("2026-11-23T10:00:00Z"),
            members: vec![bare(EventKind::EntryRevised)],
        });
        event.data.text = event_text(&event);
        event
    }

    #[test]
    fn an_event_with_every_member_fits_the_schema() {
        let value = serde_json::to_value(everything()).unwrap();
        assert_eq!(problems(&value), [""; 0]);
        let back: Event = serde_json::from_value(value).unwrap();
        assert_eq!(back, everything());
    }

    #[test]
    fn every_kind_of_event_fits_the_schema() {
        for kind in EventKind::ALL {
            let value = serde_json::to_value(bare(kind)).unwrap();
            assert_eq!(problems(&value), [""; 0], "{kind:?}");
        }
    }

    #[test]
    fn the_schema_names_every_member_that_an_event_can_have() {
        fn names(value: &Value, into: &mut std::collections::BTreeSet<String>) {
            for (name, member) in value.as_object().into_iter().flatten() {
                into.insert(name.clone());
                names(member, into);
            }
            for member in value.as_array().into_iter().flatten() {
                names(member, into);
            }
        }
        fn properties(schema: &Value, into: &mut std::collections::BTreeSet<String>) {
            for (keyword, rule) in schema.as_object().into_iter().flatten() {
                if keyword == "properties" {
                    into.extend(
                        rule.as_object()
                            .into_iter()
                            .flatten()
                            .map(|(name, _)| name.clone()),
                    );
                }
                properties(rule, into);
            }
            for rule in schema.as_array().into_iter().flatten() {
                properties(rule, into);
            }
        }
        let (mut written, mut known) = Default::default();
        names(&serde_json::to_value(everything()).unwrap(), &mut written);
        properties(&serde_json::from_str(EVENT_SCHEMA).unwrap(), &mut known);
        assert_eq!(written, known);
    }

    #[test]
    fn the_schema_refuses_what_is_no_event() {
        let good = serde_json::to_value(everything()).unwrap();
        let spoil = |at: &str, value: Value| {
            let mut event = good.clone();
            *event.pointer_mut(at).unwrap() = value;
            problems(&event).len()
        };
        assert_eq!(spoil("/type", "entry.edited".into()), 1);
        assert_eq!(spoil("/timestamp", "yesterday".into()), 1);
        assert_eq!(spoil("/data/change/score", 101.into()), 1);
        assert_eq!(spoil("/data/diff/title/0/0", "~".into()), 1);
        assert_eq!(spoil("/data/entry", serde_json::json!({})), 2);
    }
}
