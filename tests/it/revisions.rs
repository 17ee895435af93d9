//! Edits as editors make them, one per text file: `tests/fixtures/revisions/README.md` explains the format.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use revisor::domain::assess::{Context, assess};
use revisor::domain::classify::Assessment;
use revisor::domain::compare::{Comparison, compare};
use revisor::domain::diff::{BlockDiff, BlockOp, Segment};
use revisor::domain::ids::RevisionNumber;
use revisor::domain::state::{Block, BlockKind, EntryState, FeedState, Link, PageState};
use revisor::time::Timestamp;

/// The contents of a file.
struct Case {
    name: String,
    /// The expectations in the order of the file: key and value.
    expected: Vec<(String, String)>,
    old: EntryState,
    new: EntryState,
    context: Context,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/revisions")
}

/// All cases in the folder and its subfolders, in order of their names.
fn cases() -> Vec<Case> {
    let mut files = Vec::new();
    let mut folders = vec![folder()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of cases") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "txt") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
        .iter()
        .map(|path| {
            let name = path.strip_prefix(folder()).unwrap_or(path);
            let name = name.display().to_string();
            let text = std::fs::read_to_string(path).expect("a case is UTF-8");
            parse(&name, &text).unwrap_or_else(|error| panic!("{name}: {error}"))
        })
        .collect()
}

const KEYS: [&str; 8] = [
    "labels",
    "significance",
    "ops",
    "words",
    "sentences",
    "score",
    "reason",
    "diff",
];

fn parse(name: &str, text: &str) -> Result<Case, String> {
    let (head, rest) = text
        .split_once("\n--- old\n")
        .ok_or("there is no line `--- old`")?;
    let (old, new) = rest
        .split_once("\n--- new\n")
        .ok_or("there is no line `--- new`")?;
    let mut expected = Vec::new();
    let mut context = Context {
        revert_of: None,
        dates_moved: true,
        partly_back_to: None,
        dates_stayed: false,
    };
    for line in head
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (key, value) = line
            .split_once(':')
            .ok_or_else(|| format!("`{line}` is no `key: value`"))?;
        let value = value.trim();
        match key {
            "dates" => {
                context.dates_moved = !matches!(value, "still" | "none");
                context.dates_stayed = value == "still";
            }
            "revert" => {
                let number = value.parse().map_err(|_| "`revert` takes a number")?;
                context.revert_of = Some(RevisionNumber(number));
            }
            key if KEYS.contains(&key) => expected.push((key.to_owned(), value.to_owned())),
            other => {
                return Err(format!(
                    "`{other}` is not known; there are dates, revert, {}",
                    KEYS.join(", ")
                ));
            }
        }
    }
    for key in ["labels", "significance"] {
        if !expected.iter().any(|(known, _)| known == key) {
            return Err(format!("`{key}:` is missing"));
        }
    }
    Ok(Case {
        name: name.to_owned(),
        expected,
        old: state(old)?,
        new: state(new)?,
        context,
    })
}

/// One side: lines with `@` are fields, all others are text.
fn state(text: &str) -> Result<EntryState, String> {
    let mut page = PageState::default();
    let mut feed = None::<FeedState>;
    let mut rest = Vec::new();
    for line in text.lines() {
        let Some(field) = line.strip_prefix('@') else {
            rest.push(line);
            continue;
        };
        let (key, value) = field.split_once(' ').unwrap_or((field, ""));
        let value = value.trim().to_owned();
        match key {
            "headline" => page.h1 = Some(value),
            "published" => page.published = Some(moment(&value)?),
            "updated" => page.modified = Some(moment(&value)?),
            "og:title" => page.og_title = Some(value),
            "byline" => page.byline = Some(value),
            "kicker" => page.kicker = Some(value),
            "standfirst" => page.standfirst = Some(value),
            "link" => {
                let (words, address) = value
                    .split_once(" -> ")
                    .ok_or_else(|| format!("`@link {value}` has no ` -> `"))?;
                page.links.push(Link {
                    words: words.to_owned(),
                    address: address.to_owned(),
                });
            }
            "feed-title" => feed.get_or_insert_default().title = Some(value),
            "summary" => feed.get_or_insert_default().summary = vec![Block::paragraph(value)],
            "address" => feed.get_or_insert_default().address = Some(value),
            "guid" => feed.get_or_insert_default().guid = Some(value),
            _ => return Err(format!("`@{key}` is no field")),
        }
    }
    page.body = blocks(&rest);
    Ok(EntryState {
        feed,
        page: Some(page),
    })
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| format!("`{text}` is no moment of RFC 3339"))
}

/// A blank line ends a block; every `- ` begins one, and text between two lines of three backticks is code.
fn blocks(lines: &[&str]) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    let mut open = false;
    let mut code: Option<Vec<&str>> = None;
    for line in lines {
        if line.starts_with("```") {
            match code.take() {
                None => code = Some(Vec::new()),
                Some(lines) => out.push(Block {
                    kind: BlockKind::Code,
                    text: lines.join("\n"),
                }),
            }
            open = false;
        } else if let Some(lines) = &mut code {
            lines.push(line);
        } else if line.trim().is_empty() {
            open = false;
        } else {
            let kinds = [
                ("# ", BlockKind::Heading),
                ("- ", BlockKind::ListItem),
                ("> ", BlockKind::Quote),
                ("! ", BlockKind::Caption),
                ("| ", BlockKind::TableRow),
            ];
            let marked = kinds
                .into_iter()
                .find_map(|(mark, kind)| Some((kind, line.strip_prefix(mark)?)));
            match (marked, out.last_mut().filter(|_| open)) {
                (Some((kind, text)), _) => out.push(Block {
                    kind,
                    text: text.to_owned(),
                }),
                (None, Some(block)) => {
                    block.text.push(' ');
                    block.text.push_str(line);
                }
                (None, None) => out.push(Block::paragraph(*line)),
            }
            open = true;
        }
    }
    out
}

/// The name of a value in JSON.
fn named(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        other => format!("{other:?}"),
    }
}

fn shown(segments: &[Segment]) -> String {
    segments
        .iter()
        .map(|segment| match segment {
            Segment::Equal(text) => text.clone(),
            Segment::Delete(text) => format!("[-{text}-]"),
            Segment::Insert(text) => format!("{{+{text}+}}"),
        })
        .collect()
}

/// `edit 2:3`, `insert :4 of 2`; equal blocks are left out.
fn ops(blocks: &[BlockDiff]) -> String {
    let number = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
    let ops: Vec<String> = blocks
        .iter()
        .filter(|block| block.op != BlockOp::Equal)
        .map(|block| {
            let part = block
                .part_of
                .map_or_else(String::new, |whole| format!(" of {whole}"));
            format!(
                "{} {}:{}{part}",
                named(&block.op),
                number(block.from),
                number(block.to)
            )
        })
        .collect();
    ops.join(", ")
}

/// The results, under the keys of a file.
struct Found {
    comparison: Option<Comparison>,
    assessment: Option<Assessment>,
}

impl Found {
    fn of(case: &Case) -> Self {
        let comparison = compare(&case.old, &case.new);
        let assessment = comparison
            .as_ref()
            .map(|comparison| assess(comparison, &case.context));
        Self {
            comparison,
            assessment,
        }
    }

    fn blocks(&self) -> &[BlockDiff] {
        self.comparison
            .as_ref()
            .and_then(|found| found.body.as_ref().or(found.summary.as_ref()))
            .map_or(&[], |diff| &diff.blocks)
    }

    fn reasons(&self) -> Vec<String> {
        let reasons = self.assessment.iter().flat_map(|found| &found.reasons);
        reasons
            .map(|reason| format!("{}: {}", named(&reason.label), reason.text))
            .collect()
    }

    /// All edits, one per line, the headline's first.
    fn diffs(&self) -> Vec<String> {
        let title = self
            .comparison
            .iter()
            .filter_map(|found| found.title.as_deref());
        title
            .chain(
                self.blocks()
                    .iter()
                    .filter(|block| block.op != BlockOp::Equal)
                    .map(|block| block.segments.as_slice()),
            )
            .map(shown)
            .collect()
    }

    fn value(&self, key: &str) -> String {
        let Some((comparison, assessment)) = self.comparison.as_ref().zip(self.assessment.as_ref())
        else {
            return if key == "significance" { "equal" } else { "" }.to_owned();
        };
        match key {
            "labels" => {
                let labels: Vec<String> = assessment.labels.iter().map(named).collect();
                labels.join(" ")
            }
            "significance" => named(&assessment.significance),
            "score" => assessment.score.to_string(),
            "ops" => ops(self.blocks()),
            "words" => format!("+{} -{}", comparison.words.added, comparison.words.removed),
            "sentences" => {
                let body = comparison.body.as_ref().or(comparison.summary.as_ref());
                let found = body.map(|diff| diff.sentences).unwrap_or_default();
                format!(
                    "added {}, removed {}, edited {}, moved {}",
                    found.added, found.removed, found.edited, found.moved
                )
            }
            _ => String::new(),
        }
    }

    /// Why a line of the file is not met; `None` if it is.
    fn complaint(&self, key: &str, expected: &str) -> Option<String> {
        let holds = match key {
            "reason" => self.reasons().iter().any(|reason| reason == expected),
            "diff" => self.diffs().iter().any(|diff| diff == expected),
            "score" => {
                let (least, most) = expected.split_once('-').unwrap_or((expected, expected));
                let bound = |text: &str| text.trim().parse::<u8>().ok();
                let score = self.assessment.as_ref().map(|found| found.score);
                score.is_some_and(|score| bound(least) <= Some(score) && Some(score) <= bound(most))
            }
            _ => self.value(key) == expected,
        };
        (!holds).then(|| match key {
            "reason" | "diff" => format!("  no such {key}: {expected}"),
            _ => format!(
                "  {key}: {}\n    (the file says: {expected})",
                self.value(key)
            ),
        })
    }
}

#[test]
fn every_edit_is_called_what_its_file_says() {
    let cases = cases();
    assert!(cases.len() >= 80, "only {} cases", cases.len());
    let mut report = String::new();
    let mut wrong = 0;
    for case in &cases {
        let found = Found::of(case);
        let complaints: Vec<String> = case
            .expected
            .iter()
            .filter_map(|(key, expected)| found.complaint(key, expected))
            .collect();
        if complaints.is_empty() {
            continue;
        }
        wrong += 1;
        let _ = writeln!(report, "\n{}\n{}", case.name, complaints.join("\n"));
        for reason in found.reasons() {
            let _ = writeln!(report, "  reason: {reason}");
        }
        let _ = writeln!(report, "  ops: {}", found.value("ops"));
        for diff in found.diffs() {
            let _ = writeln!(report, "  diff: {diff}");
        }
    }
    assert!(
        wrong == 0,
        "{wrong} of {} cases differ; what was found, as it would stand in the file:\n{report}",
        cases.len()
    );
}

#[test]
fn every_diff_rebuilds_both_sides() {
    for case in cases() {
        let found = Found::of(&case);
        let Some(diff) = found.comparison.and_then(|found| found.body) else {
            continue;
        };
        for block in &diff.blocks {
            let side = |blocks: &[Block], number: Option<u32>| -> String {
                number
                    .and_then(|number| blocks.get(number as usize - 1))
                    .map_or_else(String::new, |block| block.text.clone())
            };
            let (old, new) = (
                Segment::old_side(&block.segments),
                Segment::new_side(&block.segments),
            );
            assert_eq!(old, side(case.old.body(), block.from), "{}", case.name);
            assert_eq!(new, side(case.new.body(), block.to), "{}", case.name);
        }
    }
}
