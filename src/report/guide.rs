//! The guide: one page per topic, embedded, and formatted for a terminal.

use super::style::{Line, Paint, TextRole};

/// A page of the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// Its name in `revisor help`.
    pub name: &'static str,
    /// The page, as Markdown: headings, paragraphs of one line each, lists and code.
    pub text: &'static str,
}

/// All pages, in the order of the list of topics.
pub const TOPICS: [Topic; 10] = [
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
    Topic {
        name: "web",
        text: include_str!("../guide/web.md"),
    },
];

/// A page for people: prose is wrapped, code is indented and otherwise unchanged.
#[must_use]
pub(crate) fn page(topic: &Topic, paint: Paint) -> String {
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
            let heading = Line::new().with(TextRole::Strong, heading);
            out.push_str(&heading.wrap("", "", paint));
        } else if let Some(item) = line.strip_prefix("- ") {
            out.push_str(&prose(item).wrap("- ", "  ", paint));
        } else {
            out.push_str(&prose(line).wrap("", "", paint));
        }
    }
    out
}

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// A heading and its level.
    Heading(usize, &'a str),
    /// A paragraph.
    Prose(&'a str),
    /// A list.
    Items(Vec<&'a str>),
    /// Lines that stay unchanged.
    Code(Vec<&'a str>),
}

/// The parts of a page, for output other than a terminal.
#[must_use]
pub(crate) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
            if is_code {
                parts.push(Part::Code(Vec::new()));
            }
            continue;
        }
        match parts.last_mut() {
            Some(Part::Code(lines)) if is_code => {
                lines.push(line);
                continue;
            }
            _ if line.is_empty() || line.starts_with("<!--") => continue,
            Some(Part::Items(items)) if line.starts_with("- ") => {
                items.push(&line[2..]);
                continue;
            }
            _ => {}
        }
        let heading = line.trim_start_matches('#');
        parts.push(
            match (line.len() - heading.len(), line.strip_prefix("- ")) {
                (0, Some(item)) => Part::Items(vec![item]),
                (0, None) => Part::Prose(line),
                (level, _) => Part::Heading(level, heading.trim_start()),
            },
        );
    }
    parts
}

/// A piece of running text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Words.
    Text(&'a str),
    /// Text that is typed or is in a file.
    Code(&'a str),
}

impl<'a> Piece<'a> {
    /// The pieces of a paragraph.
    pub(crate) fn of(text: &'a str) -> impl Iterator<Item = Self> {
        text.split('`').enumerate().map(|(place, piece)| {
            if place % 2 == 1 {
                Self::Code(piece)
            } else {
                Self::Text(piece)
            }
        })
    }
}

/// Running text, with code in another role.
fn prose(text: &str) -> Line {
    Piece::of(text).fold(Line::new(), |line, piece| match piece {
        Piece::Code(code) => line.with(TextRole::Strong, format!("`{code}`")),
        Piece::Text(text) => line.with(TextRole::Plain, text),
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
