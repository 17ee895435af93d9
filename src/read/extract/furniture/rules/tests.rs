use super::*;

fn check(rule: Option<IgnoreRule>, linked: f32, texts: &[&str]) {
    for text in texts {
        assert_eq!(rule_of(&Block::paragraph(*text), linked), rule, "{text}");
    }
}

#[test]
fn furniture_inside_of_the_text_is_known_by_name() {
    check(
        Some(IgnoreRule::Advertisement),
        0.0,
        &[
            "Advertisement",
            "ADVERTISEMENT",
            "Sponsored: 20 percent off every bridge",
            "Advertisement: save 9 percent on tariff insurance",
            "Anzeige",
        ],
    );
    check(
        Some(IgnoreRule::RelatedLink),
        0.8,
        &[
            "Related: The other story",
            "READ MORE: Something else",
            "Don’t miss",
            "Recommended Videos",
        ],
    );
    check(
        Some(IgnoreRule::Newsletter),
        0.0,
        &[
            "Sign up to get our daily briefing by e-mail, free of charge.",
            "Get the latest updates right in your inbox.",
        ],
    );
    check(
        Some(IgnoreRule::Share),
        0.0,
        &[
            "Share this article",
            "1,204 shares",
            "12 comments",
            "34.5K views",
            "Follow us on Twitter @x and on Facebook.",
        ],
    );
    check(
        Some(IgnoreRule::Clock),
        0.0,
        &[
            "5 min ago",
            "Updated 3 hours ago",
            "4 minute read",
            "2 days ago",
        ],
    );
    check(
        Some(IgnoreRule::Position),
        0.0,
        &["3 of 12", "Photo 3 of 12", "1/20"],
    );
    check(
        Some(IgnoreRule::Date),
        0.0,
        &["Nov 19, 2019 at 6:46 pm ET • 2 min read"],
    );
    check(
        Some(IgnoreRule::RelatedLink),
        0.0,
        &["More Great WIRED Stories", "Related:", "You may also like"],
    );
    check(
        Some(IgnoreRule::Caption),
        0.0,
        &["Photo: Jane Doe / Agency", "(Image credit: Agency)"],
    );
    check(
        Some(IgnoreRule::Contact),
        0.0,
        &["Write to Al Root at al.root@example.com"],
    );
    check(Some(IgnoreRule::Tags), 0.9, &["Tags: one, two, three"]);
    check(Some(IgnoreRule::Weather), 0.0, &["Tallinn 21°C Light rain"]);
}

#[test]
fn what_an_article_says_is_no_furniture() {
    check(
        None,
        0.0,
        &[
            "Related: he said the two cases had nothing to do with one another.",
            "Temperatures reached 41 °C in Seville on Monday, the weather service said.",
            "Three of 12 jurors disagreed.",
            "Share prices fell.",
            "More people read the news.",
            "Contact tracing began in May.",
            "Foto Klein wurde 1920 gegründet und hat heute zwölf Filialen.",
            "The minister said five minutes ago it was over.",
            "Sign up for the draft began on Monday.",
            "Advertisements for tobacco will be banned from May.",
            "12 people were hurt.",
            "12 March 2020 was a Thursday.",
            "Budget 2020: 12 March",
            "March 12",
            "12 March 2020: THE END",
            "Chapter 12, 2020",
            "Comments were not available.",
        ],
    );
    check(None, 1.0, &["The full report of the inquiry"]);
}
