//! The part of a page that a fragment of its address names.

use percent_encoding::percent_decode_str;
use scraper::{ElementRef, Html};

use super::fragment;

/// Elements that only start a part of a page: the part continues after them.
const HEADINGS: [&str; 6] = ["h1", "h2", "h3", "h4", "h5", "h6"];

/// The source of the part called `name`; `None` if nothing in the page has that name.
pub(super) fn of(page: &Html, name: &str) -> Option<String> {
    let decoded = percent_decode_str(name).decode_utf8_lossy();
    let is_it = |element: &ElementRef<'_>| {
        let has = |attribute: &str| {
            let value = element.value().attr(attribute);
            value.is_some_and(|value| value == name || value == decoded)
        };
        has("id") || (element.value().name() == "a" && has("name"))
    };
    let named = page.root_element().descendent_elements().find(is_it)?;
    let opener = opener_of(named);
    let Some(opener) = opener else {
        return Some(named.html());
    };
    let mut part = opener.html();
    for next in opener.next_siblings().filter_map(ElementRef::wrap) {
        if begins_another(&opener, &next) {
            break;
        }
        part.push_str(&next.html());
    }
    Some(part)
}

/// The element after which the part continues: a heading, or an anchor without text. `None` if the named element
/// itself is the part.
fn opener_of<'a>(named: ElementRef<'a>) -> Option<ElementRef<'a>> {
    let is_heading = |element: &ElementRef<'_>| {
        let name = element.value().name();
        HEADINGS.contains(&name) || matches!(name, "dt" | "legend" | "summary")
    };
    if is_heading(&named) {
        return Some(named);
    }
    let around = named.ancestors().filter_map(ElementRef::wrap).take(2);
    if let Some(heading) = around.into_iter().find(|element| is_heading(element)) {
        return Some(heading);
    }
    fragment::blocks(&named.html()).is_empty().then_some(named)
}

/// Whether another part starts: with a heading of the same or a higher rank, or with an element of the same kind
/// that has a name.
fn begins_another(opener: &ElementRef<'_>, next: &ElementRef<'_>) -> bool {
    let (own, name) = (opener.value().name(), next.value().name());
    let rank = |name: &str| HEADINGS.iter().position(|heading| *heading == name);
    match (rank(own), rank(name)) {
        (Some(own), Some(other)) => other <= own,
        (None, Some(_)) if own == "a" => {
            has_name(next) || next.descendent_elements().any(|e| has_name(&e))
        }
        _ => own == name && (has_name(next) || own == "dt"),
    }
}

fn has_name(element: &ElementRef<'_>) -> bool {
    let value = element.value();
    value.attr("id").is_some() || (value.name() == "a" && value.attr("name").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(page: &str, name: &str) -> Vec<String> {
        let part = of(&Html::parse_document(page), name).unwrap_or_default();
        fragment::blocks(&part)
            .into_iter()
            .map(|block| block.text)
            .collect()
    }

    #[test]
    fn a_part_is_an_element_or_what_follows_its_heading() {
        for page in [
            "<main><section id=one><h2>One</h2><p>First.</p></section><section id=two><p>Second.</p></section></main>",
            "<h1>All</h1><h2 id=one>One</h2><p>First.</p><h2 id=two>Two</h2><p>Second.</p>",
            "<h2><a name=one></a>One</h2><p>First.</p><h2><a name=two></a>Two</h2><p>Second.</p>",
            "<h2><span id=one>One</span></h2><p>First.</p><h2><span id=two>Two</span></h2><p>Second.</p>",
            "<a id=one></a><h3>One</h3><p>First.</p><a id=two></a><h3>Two</h3><p>Second.</p>",
            "<dl><dt id=one>One</dt><dd>First.</dd><dt id=two>Two</dt><dd>Second.</dd></dl>",
        ] {
            assert_eq!(texts(page, "one"), ["One", "First."], "{page}");
        }
        let page = "<h2 id=one>One</h2><p>First.</p><h3>More</h3><p>And more.</p><h2>Two</h2>";
        assert_eq!(texts(page, "one"), ["One", "First.", "More", "And more."]);
        assert_eq!(
            texts(
                "<p id=%C3%A9t%C3%A9>x</p><p id=été>Summer</p>",
                "%C3%A9t%C3%A9"
            )
            .len(),
            1
        );
        assert_eq!(texts(page, "three"), [""; 0]);
    }
}
