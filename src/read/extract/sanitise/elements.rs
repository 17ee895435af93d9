//! Elements by their effect on the text around them.

/// Elements that show no text, or only sometimes. They are left out with their content, or copied separately.
pub(super) const SILENT: [&str; 10] = [
    "script", "style", "noscript", "template", "svg", "iframe", "noembed", "noframes", "canvas",
    "object",
];

pub(super) const FORMATTING_NAMES: [&str; 14] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];

pub(super) const VOID: [&str; 18] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr", "param", "basefont", "bgsound", "frame", "keygen",
];

/// Elements that end an open paragraph.
pub(super) const ENDS_PARAGRAPH: [&str; 31] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "details",
    "dir",
    "div",
    "dl",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "ul",
];

/// Elements that directly contain text.
pub(super) const LEAF: [&str; 11] = [
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "li",
    "pre",
    "figcaption",
];

pub(super) const TABLE_PARTS: [&str; 6] = ["table", "tbody", "thead", "tr", "td", "th"];
