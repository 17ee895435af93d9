//! What elements say about their text by tag, role, class or id.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::extract::markup::Tag;

/// What an element says about its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::extract) enum Mark {
    /// `nav`, menus, breadcrumbs, pagers.
    Navigation,
    /// Not shown.
    Hidden,
    /// `aside`, side bars, widgets, footers.
    Aside,
    /// Advertisements and sponsored boxes.
    Advertisement,
    /// Lists of other articles.
    Related,
    /// Newsletter and subscription boxes.
    Newsletter,
    /// Share bars and counters.
    Share,
    /// Readers' comments.
    Comments,
    /// Forms and their controls.
    Control,
    /// Captions and credits of pictures.
    Caption,
    /// By-line, date, tags.
    Meta,
}

/// The marks of a tag for the text inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::extract) struct Marks {
    /// From its name: `nav`, `aside`, `footer`, `form`, `figcaption`.
    pub(in crate::extract) by_tag: Option<Mark>,
    /// From its role, or from a word in its class or id, with a hash of that word: a mark on most of the page's
    /// text means nothing.
    pub(in crate::extract) named: Option<(Mark, u64)>,
    /// Whether it is hidden until something happens.
    pub(in crate::extract) hidden: bool,
}

/// The marks of a tag for the text inside it.
pub(in crate::extract) fn marks_of(tag: &Tag<'_>) -> Marks {
    let by_tag = match tag.name {
        "nav" | "menu" => Some(Mark::Navigation),
        "aside" | "footer" => Some(Mark::Aside),
        "form" | "button" | "label" | "fieldset" | "dialog" => Some(Mark::Control),
        "figcaption" => Some(Mark::Caption),
        _ => None,
    };
    let mut marks = Marks {
        by_tag,
        ..Marks::default()
    };
    if tag.is_plain() {
        return marks;
    }
    for (key, value) in tag.attributes().take(32) {
        let found = match key {
            // Browsers show this as soon as a search on the page finds it.
            "hidden" if value != "until-found" => {
                marks.hidden = true;
                None
            }
            // Text that only screen readers skip is still text, but signs and ornaments are marked like this, too.
            "aria-hidden" if value == "true" && tag.name != "p" => {
                marks.hidden = true;
                None
            }
            "style" if hides(value) => {
                marks.hidden = true;
                None
            }
            "role" => mark_of_role(value).map(|mark| (mark, value)),
            "rel" if tag.name == "a" && is_sponsored(value) => Some((Mark::Advertisement, value)),
            "class" => mark_of_names(value, 2),
            // Ids are often generated: `u_0_2x_AD` is not an advertisement. The id of a heading or paragraph is
            // the target of links to it.
            "id" if !is_text(tag.name) => mark_of_names(value, 5),
            _ => None,
        };
        let found = found.map(|(mark, word)| (mark, word_key(word)));
        marks.named = marks.named.or(found);
    }
    marks
}

/// The surest mark of a tag in a feed's text for the text inside it.
pub(in crate::extract) fn mark_of(tag: &Tag<'_>) -> Option<Mark> {
    let marks = marks_of(tag);
    let hidden = marks.hidden.then_some(Mark::Hidden);
    let named = marks.named.map(|(mark, _)| mark);
    hidden.or(named).or(marks.by_tag)
}

/// Whether an element says that it contains a count: then a number alone inside it is one.
pub(in crate::extract) fn holds_a_count(tag: &Tag<'_>) -> bool {
    const WORDS: [&str; 5] = ["count", "counts", "counter", "likes", "votes"];
    let class = tag.attribute("class").unwrap_or_default();
    let mut words = class
        .split(|c: char| !c.is_ascii_alphanumeric())
        .flat_map(camel_words);
    words.any(|word| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

fn word_key(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.to_ascii_lowercase().hash(&mut hasher);
    hasher.finish()
}

fn is_text(name: &str) -> bool {
    matches!(
        name,
        "p" | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "li"
            | "dt"
            | "dd"
            | "tr"
            | "td"
            | "th"
            | "a"
            | "span"
    )
}

fn hides(style: &str) -> bool {
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
    style.contains("display:none") || style.contains("visibility:hidden")
}

/// `rel="sponsored"`: search engines require it of publishers.
fn is_sponsored(relations: &str) -> bool {
    relations
        .split_ascii_whitespace()
        .any(|relation| relation.eq_ignore_ascii_case("sponsored"))
}

fn mark_of_role(role: &str) -> Option<Mark> {
    match role {
        "navigation" | "menu" | "menubar" | "banner" => Some(Mark::Navigation),
        "complementary" | "contentinfo" => Some(Mark::Aside),
        "search" | "dialog" | "alertdialog" | "button" | "form" => Some(Mark::Control),
        _ => None,
    }
}

/// Words in class names and ids, and their meaning.
const WORDS: [(&str, Mark); 68] = [
    ("nav", Mark::Navigation),
    ("navbar", Mark::Navigation),
    ("navigation", Mark::Navigation),
    ("menu", Mark::Navigation),
    ("breadcrumb", Mark::Navigation),
    ("breadcrumbs", Mark::Navigation),
    ("pagination", Mark::Navigation),
    ("pager", Mark::Navigation),
    ("toc", Mark::Navigation),
    ("sidebar", Mark::Aside),
    ("footer", Mark::Aside),
    ("widget", Mark::Aside),
    ("weather", Mark::Aside),
    ("ticker", Mark::Aside),
    ("ad", Mark::Advertisement),
    ("ads", Mark::Advertisement),
    ("advert", Mark::Advertisement),
    ("advertisement", Mark::Advertisement),
    ("advertising", Mark::Advertisement),
    ("adslot", Mark::Advertisement),
    ("adunit", Mark::Advertisement),
    ("sponsor", Mark::Advertisement),
    ("sponsored", Mark::Advertisement),
    ("promo", Mark::Advertisement),
    ("promotion", Mark::Advertisement),
    ("taboola", Mark::Advertisement),
    ("outbrain", Mark::Advertisement),
    ("related", Mark::Related),
    ("recommended", Mark::Related),
    ("recommendations", Mark::Related),
    ("recirc", Mark::Related),
    ("readmore", Mark::Related),
    ("seealso", Mark::Related),
    ("trending", Mark::Related),
    ("popular", Mark::Related),
    ("mostread", Mark::Related),
    ("mostpopular", Mark::Related),
    ("teaser", Mark::Related),
    ("newsletter", Mark::Newsletter),
    ("subscribe", Mark::Newsletter),
    ("subscription", Mark::Newsletter),
    ("signup", Mark::Newsletter),
    ("paywall", Mark::Newsletter),
    ("share", Mark::Share),
    ("sharing", Mark::Share),
    ("sharebar", Mark::Share),
    ("social", Mark::Share),
    ("sharethis", Mark::Share),
    ("addthis", Mark::Share),
    ("comments", Mark::Comments),
    ("disqus", Mark::Comments),
    ("respond", Mark::Comments),
    ("cookie", Mark::Control),
    ("cookies", Mark::Control),
    ("consent", Mark::Control),
    ("gdpr", Mark::Control),
    ("modal", Mark::Control),
    ("popup", Mark::Control),
    ("tooltip", Mark::Control),
    ("toolbar", Mark::Control),
    ("caption", Mark::Caption),
    ("figcaption", Mark::Caption),
    ("photocredit", Mark::Caption),
    ("byline", Mark::Meta),
    ("dateline", Mark::Meta),
    ("timestamp", Mark::Meta),
    ("tags", Mark::Meta),
    ("taglist", Mark::Meta),
];

/// The first word of a class list or id that has a meaning. `article-body__related-links` has the words `article`,
/// `body`, `related`, `links`; `relatedLinks` has `related`, `links`.
fn mark_of_names(value: &str, shortest: usize) -> Option<(Mark, &str)> {
    value
        .split(|c: char| !c.is_ascii_alphanumeric())
        .flat_map(camel_words)
        .filter(|word| word.len() >= shortest)
        .find_map(|word| {
            WORDS
                .iter()
                .find(|(known, _)| word.eq_ignore_ascii_case(known))
                .map(|(_, mark)| (*mark, word))
        })
}

/// `relatedLinks` → `related`, `Links`.
fn camel_words(name: &str) -> impl Iterator<Item = &str> {
    let bytes = name.as_bytes();
    let mut from = 0;
    let mut ends: Vec<usize> = (1..bytes.len())
        .filter(|at| bytes[*at].is_ascii_uppercase() && bytes[*at - 1].is_ascii_lowercase())
        .collect();
    ends.push(bytes.len());
    ends.into_iter().filter_map(move |end| {
        let word = name.get(from..end);
        from = end;
        word
    })
}

/// Whether an element says that it contains the article.
pub(in crate::extract) fn claims_article(tag: &Tag<'_>) -> bool {
    matches!(tag.name, "article" | "main")
        || !tag.is_plain()
            && tag
                .attribute("itemprop")
                .is_some_and(|value| value == "articleBody")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_names_are_read_word_by_word() {
        assert_eq!(
            mark_of_names("article__related-links", 2),
            Some((Mark::Related, "related"))
        );
        assert_eq!(
            mark_of_names("relatedLinks", 5),
            Some((Mark::Related, "related"))
        );
        assert_eq!(
            mark_of_names("c-ad c-ad--mid", 2),
            Some((Mark::Advertisement, "ad"))
        );
        assert_eq!(mark_of_names("header shadow leadership", 2), None);
        assert_eq!(mark_of_names("u_0_2x_AD", 5), None);
    }
}
