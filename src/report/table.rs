//! Columns of text, as wide as their contents.

use super::style::{Line, Paint, TextRole};

/// The alignment of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellSide {
    Left,
    Right,
}

/// Lines of a table with a header; two spaces between columns, no trailing spaces.
pub(super) fn table(head: &[(&str, CellSide)], rows: &[Vec<Line>], paint: Paint) -> String {
    let head_line: Vec<Line> = head
        .iter()
        .map(|(name, _)| Line::new().with(TextRole::Faint, *name))
        .collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            std::iter::once(&head_line)
                .chain(rows)
                .filter_map(|row| row.get(column))
                .map(|cell| cell.width(paint))
                .max()
                .unwrap_or(0)
        })
        .collect();
    std::iter::once(&head_line)
        .chain(rows)
        .map(|row| {
            let mut line = String::new();
            let mut waiting = 0;
            for ((cell, (_, side)), width) in row.iter().zip(head).zip(&widths) {
                let room = width.saturating_sub(cell.width(paint));
                let (before, after) = match side {
                    CellSide::Left => (0, room),
                    CellSide::Right => (room, 0),
                };
                let text = cell.paint(paint);
                if text.is_empty() {
                    waiting += room + 2;
                    continue;
                }
                line.push_str(&" ".repeat(waiting + before));
                line.push_str(&text);
                waiting = after + 2;
            }
            line.push('\n');
            line
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |cells: [&str; 3]| cells.map(Line::plain).to_vec();
        let text = table(
            &[
                ("name", CellSide::Left),
                ("n", CellSide::Right),
                ("last", CellSide::Left),
            ],
            &[
                row(["日本語", "12", "ok"]),
                row(["a", "", "gone"]),
                row(["b", "3", ""]),
            ],
            Paint::default(),
        );
        assert_eq!(
            text,
            "name     n  last\n日本語  12  ok\na           gone\nb        3\n"
        );
    }
}
