//! Kinds of pages in many shapes: what is an edit of the article is told, whatever the page calls its boxes, and what
//! is none stays silent. All names of classes, words and languages are examples of a kind.

use super::*;
use crate::domain::compare::compare;
use crate::domain::state::EntryState;

const TEXT: [&str; 6] = [
    "The town council voted on Monday to close the ferry landing for eleven weeks while engineers replace the piles.",
    "Officials said the work would cost 2.4 million crowns and that no boat would sail before the end of August.",
    "Shop owners on the quay asked for a footbridge, but the council declined because the channel is in use all day.",
    "The landing was last repaired in 1987, when a storm tore away part of the pier and stranded two barges.",
    "Harbour pilots will moor at the south basin until the work is done, and the county has promised two more buses.",
    "A second vote on the money is due in the spring, when the council decides whether cars may use the ramp.",
];

fn prose(range: std::ops::Range<usize>) -> String {
    TEXT[range]
        .iter()
        .map(|text| format!("<p>{text}</p>\n"))
        .collect()
}

fn page(inside: &str) -> String {
    page_with("", inside, "")
}

fn page_with(head: &str, inside: &str, after: &str) -> String {
    format!(
        "<!doctype html><html lang=en><head><title>Ferry landing to close | The Courier</title>{head}</head><body>\
         <header><nav><a href=/>Home</a> <a href=/local>Local</a></nav></header><main><article>{inside}</article></main>\
         {after}<footer><p>All rights reserved.</p></footer></body></html>"
    )
}

const H1: &str = "<h1>Ferry landing to close</h1>";

fn state(html: &str) -> EntryState {
    EntryState {
        feed: None,
        page: Some(article(html.as_bytes(), None, None).state),
    }
}

fn is_told(old: &str, new: &str) -> bool {
    let (old, new) = (state(old), state(new));
    compare(&old, &new).is_some_and(|found| !found.typographic_only)
}

/// `html` with `a` is another article than with `b`.
fn told(html: &str, a: &str, b: &str) {
    assert!(html.contains('§'), "{html}");
    assert!(
        is_told(&html.replace('§', a), &html.replace('§', b)),
        "missed {a} → {b} in {html}"
    );
}

fn silent(html: &str, a: &str, b: &str) {
    assert!(html.contains('§'), "{html}");
    assert!(
        !is_told(&html.replace('§', a), &html.replace('§', b)),
        "told {a} → {b} in {html}"
    );
}

#[test]
fn the_standfirst_is_watched_wherever_it_is() {
    let all = prose(0..6);
    let says = "Ministry § that the ferry money was spent on the regatta of last summer.";
    for opening in [
        format!("<header>{H1}<p class=standfirst>{says}</p></header><div class=body>{all}</div>"),
        format!("{H1}<p class=x1>{says}</p><div class=x2>{all}</div>"),
        format!("{H1}<h2>{says}</h2><div class=story>{all}</div>"),
        format!(
            "<header>{H1}<div>{says}</div></header><p>By Ana Reyes</p><div class=body>{all}</div>"
        ),
        format!(
            "<div class=top>{H1}<div class=vorspann><p>{says}</p></div></div><div class=text>{all}</div>"
        ),
    ] {
        let html = page(&opening);
        let read = article(html.replace('§', "denies").as_bytes(), None, None);
        let standfirst = read.state.standfirst.as_deref().unwrap_or_default();
        let in_text = read
            .state
            .body
            .iter()
            .any(|block| block.text.contains("denies"));
        assert!(standfirst.contains("denies") || in_text, "{opening}");
        told(&html, "denies", "confirms");
    }
}

#[test]
fn a_name_hides_no_prose() {
    for name in [
        "paywall",
        "teaser",
        "promo-text",
        "share-price",
        "newsletter-body",
        "popup",
        "related-facts",
        "metadata",
        "subscriber-only",
        "toolbar-text",
    ] {
        let text = format!(
            "{H1}{}<div class={name}><p>The offer is § pence for each of the shares, in cash.</p></div>{}",
            prose(0..3),
            prose(3..6)
        );
        told(&page(&text), "410", "140");
        let all: String = TEXT
            .iter()
            .map(|text| format!("<p class={name}>{text}</p>"))
            .collect();
        let all = all.replace("2.4 million", "§ million");
        told(&page(&format!("{H1}{all}")), "2.4", "4.2");
    }
    for id in [
        "sharing",
        "advertising",
        "comments",
        "cookies",
        "subscription",
        "newsletter",
        "social",
        "recommendations",
    ] {
        let clause = |at: usize, id: &str, verb: &str| {
            format!(
                "<section id={id}><h2>{at}. Clause {at}</h2><p>Clause {at}. We {verb} your name and your address with eleven partners who help us to run the ferry, and you may object at any time.</p></section>"
            )
        };
        let clauses: String = (1..8)
            .map(|at| {
                if at == 3 {
                    clause(at, id, "§")
                } else {
                    clause(at, &format!("s{at}"), "share")
                }
            })
            .collect();
        told(
            &page(&format!("<h1>Privacy policy</h1>{clauses}")),
            "share",
            "sell",
        );
    }
}

#[test]
fn text_in_tabs_boxes_and_details_is_one_article() {
    let (first, rest) = (prose(0..3), prose(3..6).replace("two barges", "§ barges"));
    for html in [
        format!("{H1}{first}<div role=tabpanel hidden>{rest}</div>"),
        format!("{H1}{first}<details><summary>More</summary>{rest}</details>"),
        format!("{H1}<div class=entry-content>{first}</div><div class=entry-content>{rest}</div>"),
        format!("{H1}{first}<div hidden=until-found>{rest}</div>"),
        format!(
            "{H1}{first}<aside class=facts><p>The storm of that winter left § barges on the bank.</p></aside>{}",
            prose(3..6)
        ),
        format!(
            "{H1}{first}{}<aside class=notes><p>The engineers counted § barges on the bank that year.</p></aside>",
            prose(3..6)
        ),
        format!(
            "{H1}{first}<table><tr><th>Year</th><th>Barges</th></tr><tr><td>1987</td><td>§</td></tr></table>{}",
            prose(3..6)
        ),
        format!(
            "{H1}{first}<ul><li>§ barges on the bank</li><li>One pier that is gone</li></ul>{}",
            prose(3..6)
        ),
        format!(
            "{H1}{first}<figure><img src=a><figcaption>The § barges on the bank after the storm.</figcaption></figure>{}",
            prose(3..6)
        ),
        format!(
            "{H1}{first}<blockquote><p>“We saw § barges and nobody came to help us.”</p></blockquote>{}",
            prose(3..6)
        ),
    ] {
        told(&page(&html), "two", "nine");
    }
}

#[test]
fn what_a_reader_sees_inside_of_words_counts() {
    for (a, b) in [
        ("the old mayor", "the <del>old</del> mayor"),
        ("10<sup>6</sup> tons", "106 tons"),
        (
            "done <img class=emoji alt='✅' src=a>",
            "done <img class=emoji alt='❌' src=b>",
        ),
        (
            "see <a href='https://a.example/one.pdf'>the report</a>",
            "see <a href='https://a.example/two.pdf'>the report</a>",
        ),
        (
            "<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>",
            "<ruby>漢<rp>(</rp><rt>から</rt><rp>)</rp></ruby>",
        ),
    ] {
        told(
            &page(&format!(
                "{H1}{}<p>The council says: § and nothing else.</p>{}",
                prose(0..3),
                prose(3..6)
            )),
            a,
            b,
        );
    }
    silent(
        &page(&format!(
            "{H1}{}<p>Read <a href='§'>the report</a> of the council.</p>{}",
            prose(0..3),
            prose(3..6)
        )),
        "https://a.example/r?utm_source=x",
        "https://a.example/r",
    );
}

#[test]
fn corrections_count_wherever_they_are() {
    let all = prose(0..6);
    for note in [
        "<footer><p class=small>Editor's note: the name of the mayor was misspelt in an earlier version.</p></footer>",
        "<aside class=box><p>Correction: an earlier version of this article misstated the cost of the work.</p></aside>",
        "<p class=footer-note>Korrektur: In einer früheren Version stand eine falsche Zahl.</p>",
    ] {
        told(&page(&format!("{H1}{all}§")), "", note);
    }
}

#[test]
fn lines_about_the_page_are_no_news() {
    let all = prose(0..6);
    for (a, b) in [
        (
            "UPDATED: December 23, 2023 at 10:54 a.m.",
            "UPDATED: December 23, 2023 at 11:30 a.m.",
        ),
        (
            "Stand: 22.12.2023, 11:48 Uhr",
            "Stand: 22.12.2023, 13:12 Uhr",
        ),
        (
            "Publié le 22 décembre 2023 à 11h48",
            "Publié le 22 décembre 2023 à 13h02",
        ),
        (
            "© 2026 The Courier. This text may not be sold.",
            "© 2027 The Courier. This text may not be sold.",
        ),
        ("22 December 2023", "23 December 2023"),
    ] {
        silent(
            &page(&format!("{H1}<p>§</p><div class=body>{all}</div>")),
            a,
            b,
        );
    }
    told(
        &page(&format!("{H1}<div>{all}<p>Hearing: §</p></div>")),
        "29.02.2024, 19:00",
        "28.02.2024, 19:00",
    );
    let calendar = format!(
        "{H1}{all}<h2>Hearings</h2><ul><li>§</li><li>12 April 2024</li><li>3 May 2024</li></ul>"
    );
    told(&page(&calendar), "12 March 2024", "14 March 2024");
}

#[test]
fn other_stories_menus_and_boxes_stay_silent() {
    let all = prose(0..6);
    let other = "<article><h2>§</h2><p>§: the mayor said that the fair would be held on the meadow in June, whatever the weather.</p>\
                 <p>Visitors from three valleys are expected, and the railway has promised four more trains.</p></article>";
    let endless = format!(
        "<!doctype html><title>Ferry landing to close</title><main><article>{H1}{all}</article>{other}</main>"
    );
    silent(&endless, "Fair", "Flood");
    silent(
        &page(&format!("{H1}§{all}")),
        "",
        "<div><p>In this story</p><ul><li><a href='#a'>The cracks</a></li><li><a href='#b'>The cost</a></li></ul></div>",
    );
    for boxed in [
        "<aside><h2>Most read</h2><ul><li><a href=/1>Story § of the day</a></li><li><a href=/2>A second story</a></li></ul></aside>",
        "<div role=dialog><h2>Consent</h2><p>We and our § partners use cookies to make your visits more personal and to count visits.</p><button>Accept</button></div>",
        "<div class=comments><div class=comment><p>I was there and it was nothing like what you write, § times over.</p></div></div>",
        "<section class=related><h2>Related</h2><div><a href=/r><h3>Another story §</h3></a></div><div><a href=/s><h3>A third one</h3></a></div></section>",
    ] {
        silent(&page_with("", &format!("{H1}{all}"), boxed), "842", "851");
    }
    let twice = format!("{H1}{all}");
    assert!(
        !is_told(&page(&twice), &page(&format!("{H1}{all}{all}"))),
        "the text twice is the text"
    );
}

#[test]
fn a_gallery_is_told_by_its_captions() {
    let told_under = |tag: &str| {
        let slides: String = (0..9)
            .map(|at| {
                let text = format!(
                    "In picture {at} the ferry lies at the north bank, where § men were mending its hull that week."
                );
                format!("<li><img src={at}.jpg><{tag}>{text}</{tag}></li>")
                    .replacen('§', if at == 7 { "§" } else { "four" }, 1)
            })
            .collect();
        page(&format!(
            "{H1}<p>Nine pictures from the last summer of the ferry between the banks.</p><ul>{slides}</ul>"
        ))
    };
    told(&told_under("figcaption"), "six", "nine");
    told(&told_under("p"), "six", "nine");
}

#[test]
fn a_line_in_bold_among_paragraphs_is_a_heading() {
    let (first, rest) = (prose(0..3), prose(3..6));
    for line in [
        "<p><strong>What the § engineers found</strong></p>",
        "<p><b>Wie viele § Pfähle sind morsch</b></p>",
    ] {
        told(&page(&format!("{H1}{first}{line}{rest}")), "two", "nine");
    }
}

#[test]
fn boxes_that_lead_away_stay_silent_without_a_mark() {
    let (first, rest) = (prose(0..3), prose(3..6));
    for boxed in [
        // Links below a heading that is no part of the article.
        "<section><h3>Related stories</h3><ul><li><a href=/1>The § pictures of the flood</a></li><li><a href=/2>A walk along the quay</a></li></ul></section>",
        // A letter to subscribers, with its field.
        "<div><h4>Our newsletter</h4><p>The § things to know, every morning in your inbox</p><input name=mail><button>Join</button></div>",
    ] {
        let html = page(&format!("{H1}{first}{boxed}{rest}"));
        silent(&html, "ten", "nine");
    }
    // Who wrote it and how often it was read, between headline and text.
    silent(
        &page(&format!("{H1}<div>Ana Reyes · § reads</div>{first}{rest}")),
        "1,204",
        "98,311",
    );
}

/// A page as a broadcaster has it: weather above, a gallery and recommended stories between the paragraphs.
const STATION: &str = "<!doctype html><html lang=en><head><title>River station - River Radio</title>\
    <meta property=og:title content='Flood gates stay shut'></head><body>\
    <div class=top><span>{weather}</span> <span>{clock}</span></div><nav><a href=/>Home</a><a href=/w>Weather</a></nav>\
    <main><article><header><p>River</p><h1>{title}</h1><p class=lead>{standfirst}</p><p>By <span class=author>{author}</span> <span>{views} views</span></p></header>\
    <figure><img src=a.jpg><figcaption>{caption}</figcaption><span>{position}</span></figure>\
    <p>The flood gates at the river{quote}s mouth {stay} shut until Friday, the water board said on Monday evening.</p>\
    <p>The river stood {height} metres above its mean at the old bridge, and forty cellars in the harbour quarter are under water.</p>\
    <section><h3>Recommended</h3><ul><li><a href=/1>{first}</a></li><li><a href=/2>{second}</a></li></ul></section>\
    <p>Nobody was {hurt} by the water, but two firemen slipped on the quay and were taken home.</p>\
    <h2>{heading}</h2><ul><li>Old bridge: {bridge} cm</li><li>Mill: 310 cm</li></ul>\
    <table><tr><th>Day</th><th>Level</th></tr><tr><td>Monday</td><td>{level}</td></tr></table>\
    <blockquote><p>“We {will} open the gates before the storm,” said the head of the board.</p></blockquote>\
    <p>The next report is due at noon, and the schools on the quay stay closed for the {rest} of the week.</p>\
    <p>Updated: {updated}</p></article></main><div class=more><h2>Most read</h2><a href=/9>{read}</a> <a href=/8>Other</a></div>\
    <footer>© {year} River Radio</footer></body></html>";

const STATION_NOW: [(&str, &str); 23] = [
    ("weather", "Netherby 12°C Rain"),
    ("clock", "14:05"),
    ("title", "Flood gates stay shut"),
    (
        "standfirst",
        "The board expects the river to fall on Friday, and not before.",
    ),
    ("author", "Ana Reyes"),
    ("views", "1,204"),
    ("caption", "The gates at the mouth of the river on Monday."),
    ("position", "1 of 12"),
    ("quote", "’"),
    ("stay", "will stay"),
    ("height", "2.4"),
    ("first", "How the gates work"),
    ("second", "A walk along the quay"),
    ("hurt", "hurt"),
    ("heading", "Levels at noon"),
    ("bridge", "412"),
    ("level", "4.12 m"),
    ("will", "will not"),
    ("rest", "rest"),
    ("updated", "22 December 2026, 14:05"),
    ("read", "Ten recipes for winter"),
    ("year", "2026"),
    ("none", ""),
];

fn station(name: &str, text: &str) -> String {
    STATION_NOW
        .iter()
        .fold(STATION.to_owned(), |page, (known, now)| {
            let now = if *known == name { text } else { now };
            page.replace(&format!("{{{known}}}"), now)
        })
}

#[test]
fn the_page_of_a_station_tells_twelve_edits_and_no_more() {
    let old = station("none", "");
    for (name, text) in [
        ("title", "Flood gates are opened"),
        (
            "standfirst",
            "The board expects the river to fall on Sunday, and not before.",
        ),
        ("author", "Tom Birkett"),
        ("caption", "The gates at the mouth of the river in 2019."),
        ("stay", "may stay"),
        ("height", "4.2"),
        ("hurt", "killed"),
        ("heading", "Levels at midnight"),
        ("bridge", "421"),
        ("level", "1.42 m"),
        ("will", "will"),
        ("rest", "first half"),
    ] {
        assert!(
            is_told(&old, &station(name, text)),
            "{name}: {text} is missed"
        );
    }
    for (name, text) in [
        ("weather", "Netherby 7°C Cloudy"),
        ("clock", "15:20"),
        ("views", "98,311"),
        ("position", "2 of 12"),
        ("quote", "'"),
        ("quote", "&rsquo;"),
        ("first", "Why the bridge is closed"),
        ("second", "Ten pictures of the flood"),
        ("updated", "22 December 2026, 15:20"),
        ("updated", "23 December 2026, 09:00"),
        ("read", "What to do with old bread"),
        ("year", "2027"),
    ] {
        assert!(
            !is_told(&old, &station(name, text)),
            "{name}: {text} is reported"
        );
    }
}

/// Boxes that lead to other stories, in a layout of many: `{stories}` stands where it puts them.
const TEASER_LAYOUTS: [(&str, &str); 4] = [
    (
        "<main><article><h1>The gates stay shut</h1>{text}</article><section class=x1><h2>From the region</h2>{stories}</section></main>",
        "<div class='c c-{n}'><a href='/s/{n}'><img src=x><h3>{title}</h3></a><p class=t>{said}</p></div>",
    ),
    (
        "<div id=a><div id=b><h1>The gates stay shut</h1><div>{text}</div></div><div id=q>{stories}</div></div>",
        "<div class=k><p><a href='https://paper.example/{n}'>{title}</a></p><p>{said}</p></div>",
    ),
    (
        "<section><div class=story><header><h1>The gates stay shut</h1></header>{text}</div><ul>{stories}</ul></section>",
        "<li><h4><a href='/s/{n}'>{title}</a></h4><div>{said}</div></li>",
    ),
    (
        "<main><div class=rows>{stories}</div><div class=w><h1>The gates stay shut</h1>{text}</div></main>",
        "<article class=mini><h2><a href='/s/{n}'>{title}</a></h2><p>{said}</p></article>",
    ),
];

#[test]
fn boxes_that_lead_to_other_stories_are_none_of_the_article() {
    let text: String = (1..=5)
        .map(|n| format!("<p>The board of the river heard report {n} on Friday and decided that the gates will stay \
                          shut until the water at bridge {n} has fallen by half a metre.</p>"))
        .collect();
    for (layout, story) in TEASER_LAYOUTS {
        let page = |turn: usize| {
            let stories: String = (1..=6)
                .map(|n| {
                    story
                        .replace("{n}", &n.to_string())
                        .replace("{title}", &format!("Why the market of town {} moves", n * turn))
                        .replace("{said}", &format!("Traders in street {} have asked the council for more time, and it will answer them in {turn} days.", n * turn))
                })
                .collect();
            let body = layout
                .replace("{text}", &text)
                .replace("{stories}", &stories);
            format!(
                "<!doctype html><html><head><title>The gates stay shut</title></head><body>{body}</body></html>"
            )
        };
        assert!(!is_told(&page(1), &page(3)), "{layout}");
        let edited = page(1).replace("report 3 on Friday", "report 3 on Monday");
        assert!(is_told(&page(1), &edited), "{layout}");
    }
}

#[test]
fn a_briefing_of_many_stories_is_an_article() {
    let page = |said: &str| {
        let stories: String = (1..=6)
            .map(|n| format!("<div class=k><h3><a href='/s/{n}'>Why town {n} moves its market</a></h3><p>Traders in street {n} have asked for {said}.</p></div>"))
            .collect();
        format!(
            "<!doctype html><html><head><title>Briefing of the day</title></head><body><article><h1>Briefing of the \
             day</h1><p>Good morning: these are the stories that the region will speak of today, chosen by the desk \
             before the sun was up and the trams were running.</p>{stories}</article></body></html>"
        )
    };
    assert!(is_told(&page("more time"), &page("less rent")));
}

#[test]
fn a_label_with_a_date_or_a_figure_is_a_fact_wherever_the_text_ends() {
    let text: String = (1..=6)
        .map(|n| format!("<p>You may use part {n} of the service as long as you keep to these terms, and we may end \
                          it when you do not, after a notice of thirty days.</p>"))
        .collect();
    for (old, new) in [
        ("Revised: 4 January 2022", "Revised: 26 July 2022"),
        (
            "Révisé : 4 janvier 2022",
            "Date de révision : 26 juillet 2022",
        ),
        ("Wirksam ab: 1. Mai 2026", "Wirksam ab: 1. Juni 2026"),
        ("Monthly fee: 4.99", "Monthly fee: 6.99"),
    ] {
        let page = |line: &str| {
            format!(
                "<!doctype html><html><head><title>Terms</title></head><body><main><div><h1>Terms of the service</h1>\
                 {text}<p>{line}</p></div></main></body></html>"
            )
        };
        assert!(is_told(&page(old), &page(new)), "{old}");
    }
}

#[test]
fn the_last_line_of_a_text_is_no_label_of_the_links_in_the_next_box() {
    let text: String = (1..=6)
        .map(|n| format!("<p>On day {n} we walked along the river again, and the ferry man told us of the winter \
                          in which the water stood in his kitchen.</p>"))
        .collect();
    for (old, new) in [
        ("Your Marta Lind", "Your Marta Holm"),
        ("Deine Ilse Brandt", "Deine Ilse Kramer"),
        ("Votre Luc Moreau", "Votre Luc Garnier"),
    ] {
        for links in [
            "<ul class=tags><li><a href='/t/ferry'>Ferries of the north</a></li><li><a href='/t/river'>Rivers</a></li></ul>",
            "<div><p><a href='/a/1'>Why the bridge is late</a></p><p><a href='/a/2'>A winter on the quay</a></p></div>",
            "<nav><a href='/prev'>The day before</a> <a href='/next'>The day after</a></nav>",
        ] {
            let page = |line: &str| {
                format!(
                    "<!doctype html><html><head><title>Along the river</title></head><body><main><div><h1>Along the \
                     river</h1>{text}<p>{line}</p></div>{links}</main></body></html>"
                )
            };
            assert!(is_told(&page(old), &page(new)), "{old} {links}");
        }
    }
}
