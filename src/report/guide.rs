//! The guide: one page for each topic, embedded, and set for a terminal.

use super::style::{Line, Paint, Role};

/// A page of the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// What `revisor help` calls it.
    pub name: &'static str,
    /// The page, as Markdown: headings, paragraphs of one line each, lists and code.
    pub text: &'static str,
}

/// All pages, in the order of the list of topics.
pub const TOPICS: [Topic; 9] = [
    Topic {
        name: "alerts",
        text: include_str!("../guide/alerts.md"),
    },
    Topic {
        name: "configuration",
        text: include_str!("../guide/configuration.md"),
    },
    Topic {
        name: "evidence",
        text: include_str!("../guide/evidence.md"),
    },
    Topic {
        name: "export",
        text: include_str!("../guide/export.md"),
    },
    Topic {
        name: "files",
        text: include_str!("../guide/files.md"),
    },
    Topic {
        name: "ignored",
        text: include_str!("../guide/ignored.md"),
    },
    Topic {
        name: "limits",
        text: include_str!("../guide/limits.md"),
    },
    Topic {
        name: "options",
        text: include_str!("../guide/options.md"),
    },
    Topic {
        name: "service",
        text: include_str!("../guide/service.md"),
    },
];

/// A page for people: prose is wrapped, code is indented and stays as it is.
#[must_use]
pub fn page(topic: &Topic, paint: Paint) -> String {
    let mut out = String::new();
    let mut is_code = false;
    for line in topic.text.lines() {
        if line.starts_with("<!--") {
            continue;
        }
        if line.starts_with("```") {
            is_code = !is_code;
            continue;
        }
        if line.is_empty() {
            out.push('\n');
        } else if is_code {
            out.push_str("    ");
            out.push_str(line);
            out.push('\n');
        } else if let Some(heading) = line.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim_start();
            let heading = Line::new().with(Role::Strong, heading);
            out.push_str(&heading.wrap("", "", paint));
        } else if let Some(item) = line.strip_prefix("- ") {
            out.push_str(&prose(item).wrap("- ", "  ", paint));
        } else {
            out.push_str(&prose(line).wrap("", "", paint));
        }
    }
    out
}

/// Running text, with code in another role.
fn prose(text: &str) -> Line {
    text.split('`')
        .enumerate()
        .fold(Line::new(), |line, (place, piece)| {
            let is_code = place % 2 == 1;
            match is_code {
                true => line.with(Role::Strong, format!("`{piece}`")),
                false => line.with(Role::Plain, piece),
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_wrapped_and_code_is_not() {
        let topic = Topic {
            name: "sample",
            text: "# A heading\n\nOne two three four five six seven.\n- an item that is longer\n\n```sh\nrevisor log --since yesterday --all\n```\n",
        };
        let paint = Paint {
            colour: false,
            width: Some(20),
        };
        assert_eq!(
            page(&topic, paint),
            "A heading\n\nOne two three four\nfive six seven.\n- an item that is\n  longer\n\n    revisor log --since yesterday --all\n"
        );
    }

    #[test]
    fn every_topic_begins_with_a_heading_and_closes_its_code() {
        for topic in TOPICS {
            assert!(topic.text.starts_with("# "), "{}", topic.name);
            let fences = topic.text.lines().filter(|line| line.starts_with("```"));
            assert_eq!(fences.count() % 2, 0, "{}", topic.name);
            let width = Paint {
                colour: false,
                width: Some(80),
            };
            assert!(page(&topic, width).len() > 200, "{}", topic.name);
        }
    }
}
