//! Text that is struck out or superscript: readers see it, so plain text has to show it.
//!
//! Struck text is put between `~~`, as in Markdown: `the ~~old~~ new mayor`. Superscript figures get a `^`, or
//! `10⁶` would read `106`. A superscript link is a footnote, and superscript letters (`1st`) read the same without
//! a mark.

use super::markup::Tag;

/// Around struck text.
pub(super) const STRUCK: &str = "~~";

/// The most elements that are remembered inside struck text.
const DEEPEST: usize = 32;

/// The effect of the open elements on text.
#[derive(Debug, Default)]
pub(super) struct Style {
    /// The elements open since the first one that strikes: the name in lower case, and whether it strikes itself.
    open: Vec<(String, bool)>,
    /// The text so far ends inside `~~`.
    inside: bool,
    /// Directly after `<sup>`.
    raised: bool,
}

impl Style {
    pub(super) fn is_struck(&self) -> bool {
        self.open.iter().any(|(_, strikes)| *strikes)
    }

    /// Processes the start tag of an inline element.
    pub(super) fn start(&mut self, tag: &Tag<'_>) {
        let is = |name: &str| tag.name.eq_ignore_ascii_case(name);
        self.raised = is("sup");
        if tag.self_closing || is("wbr") || is("input") {
            return;
        }
        let strikes = is("del") || is("s") || is("strike") || is_struck_by_style(tag);
        if (strikes || !self.open.is_empty()) && self.open.len() < DEEPEST {
            self.open.push((tag.name.to_ascii_lowercase(), strikes));
        }
    }

    /// Processes the end tag of an inline element.
    pub(super) fn end(&mut self, name: &str) {
        self.raised = false;
        let at = self
            .open
            .iter()
            .rposition(|(open, _)| open.eq_ignore_ascii_case(name));
        if let Some(at) = at {
            self.open.truncate(at);
        }
    }

    /// The mark between the text so far, which ends with `before`, and the next text.
    pub(super) fn mark_before(&mut self, before: Option<char>, text: &str) -> &'static str {
        let struck = self.is_struck();
        if struck != self.inside {
            self.inside = struck;
            self.raised = false;
            return STRUCK;
        }
        let raised = std::mem::take(&mut self.raised);
        let figure = text
            .trim_start()
            .starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '−' | '+'));
        let on_something = before.is_some_and(|c| c.is_alphanumeric() || c == ')');
        if raised && figure && on_something {
            "^"
        } else {
            ""
        }
    }

    /// The mark that ends a block; struck text in the next one is marked again.
    pub(super) fn mark_at_end(&mut self) -> &'static str {
        self.raised = false;
        if std::mem::take(&mut self.inside) {
            STRUCK
        } else {
            ""
        }
    }
}

fn is_struck_by_style(tag: &Tag<'_>) -> bool {
    !tag.is_plain()
        && tag
            .attribute("style")
            .is_some_and(|style| style.contains("line-through"))
}

#[cfg(test)]
mod tests {
    use crate::extract::fragment::blocks;

    fn check(html: &str, expected: &str) {
        let texts: Vec<String> = blocks(html).into_iter().map(|block| block.text).collect();
        assert_eq!(texts.join(" / "), expected, "{html}");
    }

    #[test]
    fn struck_and_raised_text_reads_unlike_plain_text() {
        check(
            "<p>The <del>old</del> new mayor</p>",
            "The ~~old~~ new mayor",
        );
        check(
            "<p>all <s>of <b>it</b> is</s>, now</p>",
            "all ~~of it is~~, now",
        );
        check(
            "<p><span style='text-decoration: line-through'>gone</span></p>",
            "~~gone~~",
        );
        check("<p>a <strike>b</p><p>c</strike> d</p>", "a ~~b~~ / ~~c~~ d");
        check(
            "<p>about 10<sup>6</sup> of them, 3 m<sup>2</sup> each</p>",
            "about 10^6 of them, 3 m^2 each",
        );
        check(
            "<p>x<sup>-1</sup> and the 1<sup>st</sup></p>",
            "x^-1 and the 1st",
        );
        check(
            "<p>as he said<sup><a href='#n1'>1</a></sup> then</p>",
            "as he said1 then",
        );
        check(
            "<p>Done <img class=emoji alt='✅' src=x> and <img alt='A chart' src=y> shown</p>",
            "Done ✅ and shown",
        );
    }
}
