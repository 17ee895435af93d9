use proptest::prelude::*;

use super::*;
use crate::extract::fragment;

#[test]
fn ordinary_markup_stays() {
    let html = "<html lang=\"en\"><body class=\"a\"><p>x <b>y</b> &amp; z</p><ul><li>1</li></ul></body></html>";
    assert_eq!(copy(html).html, html);
}

#[test]
fn misnested_markup_is_nested() {
    assert_eq!(
        copy("<div><p>a<p>b<b><i>c</b>d</div>e<LI>1<li>2").html,
        "<div><p>a</p><p>b<b><i>c</i></b>d</p></div>e<li>1</li><li>2</li>"
    );
}

#[test]
fn what_shows_no_text_is_left_out() {
    let html = "<script>a</script><style>b</style><script type='application/ld+json'>{\"a\":\"<p>\"}</script><!-- c -->x<svg><text>y</text></svg>";
    assert_eq!(
        copy(html).html,
        "<script type=\"application/ld+json\">{\"a\":\"<p>\"}</script>x"
    );
}

#[test]
fn every_limit_holds() {
    let depth = |html: &str| {
        let (mut depth, mut most) = (0i64, 0);
        for token in Tokens::new(html) {
            match token {
                MarkupToken::Start(tag) if !VOID.contains(&tag.name) => depth += 1,
                MarkupToken::End(_) => depth -= 1,
                _ => {}
            }
            most = most.max(depth);
        }
        assert_eq!(depth, 0, "every element is closed");
        most
    };
    assert!(depth(&copy(&"<div>".repeat(200_000)).html) <= 256);
    assert!(depth(&copy(&"<a><b><i>".repeat(30_000)).html) <= 32);
    assert!(depth(&copy(&"<table><tr><td>".repeat(10_000)).html) <= 8 * 3);
    assert!(depth(&copy(&"<p><b id=x><font>".repeat(20_000)).html) <= 300);
    let long = copy(&"<p>text</p>".repeat(500_000));
    assert!(long.truncated && long.html.len() < BYTES + 100);
    assert!(copy(&"<br>".repeat(100_000)).html.len() <= ELEMENTS * 4);
}

#[test]
fn many_deep_elements_are_bounded_as_well() {
    let depths = |html: &str| {
        let (mut depth, mut sum) = (0_usize, 0);
        for token in Tokens::new(html) {
            match token {
                MarkupToken::Start(_) => {
                    sum += depth;
                    depth += 1;
                }
                MarkupToken::End(_) => depth -= 1,
                _ => {}
            }
        }
        sum
    };
    let figures = "<figure><figcaption>a</figcaption><p>b".repeat(30_000);
    let lists = "<ul><li>a".repeat(30_000);
    let paragraphs = format!("{}{}", "<div>".repeat(250), "<p>a".repeat(30_000));
    for html in [figures, lists, paragraphs] {
        let copied = copy(&html).html;
        assert!(depths(&copied) <= DEPTHS, "{}", depths(&copied));
        let letters = |html: &str| fragment::line(html).matches(['a', 'b']).count();
        assert_eq!(letters(&copied), letters(&html), "no text is lost");
    }
}

#[test]
fn long_text_deep_down_is_brought_up() {
    let deep = "<div>".repeat(200);
    for text in ["word <br>".repeat(100_000), "word ".repeat(400_000)] {
        let (mut depth, mut sum, mut words) = (0_usize, 0, 0);
        for token in Tokens::new(&copy(&format!("{deep}{text}")).html) {
            match token {
                MarkupToken::Start(tag) if !VOID.contains(&tag.name) => depth += 1,
                MarkupToken::End(_) => depth -= 1,
                MarkupToken::Text(text) => {
                    sum += text.len() * depth;
                    words += text.matches("word").count();
                }
                _ => {}
            }
        }
        assert_eq!(words, text.matches("word").count(), "no text is lost");
        assert!(sum <= TEXT_DEPTHS + BYTES * SHALLOW, "{sum}");
    }
}

proptest! {
    #[test]
    fn a_copy_of_a_copy_is_the_same(html in "(<p>|</p>|<b>|</b>|<i>|</i>|<li>|<ul>|</ul>|<table>|<td>|</table>|<div>|</div>|<|>|&|&lt;|a|\"| |<a href='x\"y'>|</a>){0,30}") {
        let once = copy(&html).html;
        prop_assert_eq!(copy(&once).html, once);
    }
}
