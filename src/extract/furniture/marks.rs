//! What elements say of themselves.

use crate::extract::markup::Tag;

/// What an element says of its text.
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

impl Mark {
    /// Whether what stands inside is no part of the article even if the extractor takes it for one.
    pub(in crate::extract) fn is_certain(self) -> bool {
        !matches!(self, Self::Meta | Self::Aside | Self::Control)
    }

    /// For people.
    pub(in crate::extract) fn as_str(self) -> &'static str {
        match self {
            Self::Navigation => "navigation",
            Self::Hidden => "hidden",
            Self::Aside => "an aside",
            Self::Advertisement => "an advertisement",
            Self::Related => "related articles",
            Self::Newsletter => "a newsletter box",
            Self::Share => "a share bar",
            Self::Comments => "comments",
            Self::Control => "a form or dialogue",
            Self::Caption => "a caption",
            Self::Meta => "by-line, date or tags",
        }
    }
}

/// What a tag says of the text inside.
pub(in crate::extract) fn mark_of(tag: &Tag<'_>) -> Option<Mark> {
    let by_name = match tag.name {
        "nav" | "menu" => Some(Mark::Navigation),
        "aside" | "footer" => Some(Mark::Aside),
        "form" | "button" | "label" | "fieldset" | "dialog" => Some(Mark::Control),
        "figcaption" => Some(Mark::Caption),
        _ => None,
    };
    if tag.is_plain() {
        return by_name;
    }
    let mut named = None;
    for (key, value) in tag.attributes().take(32) {
        let found = match key {
            "hidden" => Some(Mark::Hidden),
            "aria-hidden" if value == "true" => Some(Mark::Hidden),
            "style" if hides(value) => Some(Mark::Hidden),
            "role" => mark_of_role(value),
            "rel" if tag.name == "a" && is_sponsored(value) => Some(Mark::Advertisement),
            "class" => mark_of_names(value, 2),
            // Ids are often made up by machines: `u_0_2x_AD` is no advertisement.
            "id" => mark_of_names(value, 5),
            _ => None,
        };
        named = named.or(found);
        if named == Some(Mark::Hidden) {
            break;
        }
    }
    named.or(by_name)
}

fn hides(style: &str) -> bool {
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
    style.contains("display:none") || style.contains("visibility:hidden")
}

/// `rel="sponsored"`: what publishers owe the search engines.
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

/// Words of class names and ids, and what they stand for.
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

/// The first word of a class list or id that stands for something. `article-body__related-links` has the words
/// `article`, `body`, `related`, `links`; `relatedLinks` has `related`, `links`.
fn mark_of_names(value: &str, shortest: usize) -> Option<Mark> {
    value
        .split(|c: char| !c.is_ascii_alphanumeric())
        .flat_map(camel_words)
        .filter(|word| word.len() >= shortest)
        .find_map(|word| {
            WORDS
                .iter()
                .find(|(known, _)| word.eq_ignore_ascii_case(known))
                .map(|(_, mark)| *mark)
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

/// Whether an element says that it holds the article.
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
            Some(Mark::Related)
        );
        assert_eq!(mark_of_names("relatedLinks", 5), Some(Mark::Related));
        assert_eq!(
            mark_of_names("c-ad c-ad--mid", 2),
            Some(Mark::Advertisement)
        );
        assert_eq!(mark_of_names("header shadow leadership", 2), None);
        assert_eq!(mark_of_names("u_0_2x_AD", 5), None);
    }
}
