//! The number at the beginning of a list item.

/// The most digits of a list number: a longer number is a year or an amount.
const DIGITS: usize = 3;

/// The list number at the start of a text, and the text after it: `3. Refunds`, `3) Refunds`, `(3) Refunds`.
pub(crate) fn list_number(text: &str) -> Option<(u32, &str)> {
    let (open, rest) = match text.strip_prefix('(') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let (digits, rest) = rest.split_at(end);
    if digits.is_empty() || digits.len() > DIGITS {
        return None;
    }
    let rest = match rest.strip_prefix(')') {
        Some(rest) => rest,
        None if open => return None,
        None => {
            let rest = rest.strip_prefix('.')?;
            rest.strip_prefix(')').unwrap_or(rest)
        }
    };
    let item = rest.trim_start();
    // `1.5 million` and `3.` at the end of a line are not items.
    (item.len() < rest.len() && !item.is_empty()).then_some((digits.parse().ok()?, item))
}

#[cfg(test)]
mod tests {
    use super::list_number;

    #[test]
    fn items_have_a_number_and_figures_are_none() {
        for text in ["3. Refunds", "3) Refunds", "(3) Refunds", "3.) Refunds"] {
            assert_eq!(list_number(text), Some((3, "Refunds")), "{text}");
        }
        for text in [
            "",
            "3",
            "3.",
            "3. ",
            "3.5 million",
            "2026. A year",
            "(3 Refunds",
            "III. Refunds",
            "3 Refunds",
            "Refunds",
        ] {
            assert_eq!(list_number(text), None, "{text}");
        }
    }
}
