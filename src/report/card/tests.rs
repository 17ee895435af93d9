use super::Side::{Added, Both, Removed};
use super::*;
use crate::report::message::ChangedPassage;
use crate::time::Stopwatch;

/// The fonts of this machine; where the tests must not be skipped, there are some.
fn fonts() -> Option<Fonts> {
    let mut known = Database::new();
    known.load_system_fonts();
    if known.is_empty() {
        println!("skipped: this machine has no fonts");
        return None;
    }
    Some(Fonts::of(known))
}

fn message(headline: &str, segments: &[(Side, &str)]) -> Message {
    let segments = segments.iter().map(|(side, text)| {
        let text = (*text).to_owned();
        match side {
            Both => Segment::Equal(text),
            Removed => Segment::Delete(text),
            Added => Segment::Insert(text),
        }
    });
    Message {
        headline: headline.into(),
        title: None,
        changes: vec![ChangedPassage {
            name: String::new(),
            segments: clean::segments(&segments.collect::<Vec<_>>()),
            address: None,
        }],
        not_read: 0,
        detail: None,
        window: Some("changed between 2026-11-23 08:32 and 09:04 UTC".into()),
        address: None,
        change_address: None,
    }
}

#[test]
fn lines_are_broken_between_words_and_next_to_wide_characters() {
    assert_eq!(
        pieces("one two  <b>x</b> y"),
        ["one ", "two  ", "<b>x</b> ", "y"]
    );
    assert_eq!(pieces("大臣が、x"), ["大", "臣", "が、", "x"]);
    assert_eq!(pieces(&"x".repeat(90)).len(), 3);
    assert_eq!(pieces(""), [""]);
}

#[test]
fn the_direction_is_that_of_the_first_letter() {
    assert_eq!(is_rtl("3 השר (BBC)"), Some(true));
    assert_eq!(is_rtl("BBC: الوزير"), Some(false));
    assert_eq!(is_rtl("3 %"), None);
}

/// Headlines that are long, hostile or both. Each is a picture of the right size in bounded time, or none.
#[test]
fn a_change_is_a_picture_of_the_right_size_whatever_it_says() {
    let Some(fonts) = fonts() else { return };
    let long = "The quick brown fox jumps over the lazy dog. ".repeat(300);
    let endless = "x".repeat(10_000);
    let zalgo = format!("a{}", "\u{301}".repeat(10_000));
    let hostile = "</text><image href=\"file:///etc/passwd\"/>&amp;&lol;<![CDATA[ \u{202e}\u{2066}evil\u{0}\u{1b}[31m";
    for (case, segments) in [
        (
            "edit",
            vec![
                (Both, "Minister "),
                (Removed, "denies"),
                (Added, "confirms & <b>"),
            ],
        ),
        (
            "long",
            vec![(Removed, long.as_str()), (Added, long.as_str())],
        ),
        (
            "endless word",
            vec![(Removed, endless.as_str()), (Added, "x")],
        ),
        ("marks", vec![(Both, zalgo.as_str()), (Added, "x")]),
        ("hostile", vec![(Removed, hostile), (Added, hostile)]),
        ("spaces", vec![(Both, "   "), (Added, " ")]),
    ] {
        let watch = Stopwatch::start();
        let png = png(
            &message("The Courier changed a headline", &segments),
            &fonts,
        );
        let png = png.unwrap_or_else(|| panic!("{case}: no picture"));
        println!("{case}: {} ms, {} bytes", watch.elapsed_ms(), png.len());
        assert_eq!(&png[1..4], b"PNG", "{case}");
        assert_eq!(png[16..24], [0, 0, 4, 0xb0, 0, 0, 2, 0x76], "{case}");
        assert!(png.len() < 400_000, "{case}: {}", png.len());
        assert!(watch.elapsed_ms() < 30_000, "{case}");
    }
}

/// Markup in a text stays text: all that the picture is made of is written here.
#[test]
fn markup_in_a_headline_is_text() {
    let Some(fonts) = fonts() else { return };
    let said = "</tspan></text><image href=\"file:///etc/passwd\"/> & <b>";
    let svg = svg(&message("x", &[(Added, said)]), &fonts).expect("a card");
    assert!(!svg.contains("<image") && !svg.contains("<b>"), "{svg}");
    assert!(svg.contains("&lt;image") && svg.contains("&amp;"), "{svg}");
}

#[test]
fn without_a_font_there_is_no_picture() {
    let none = Fonts::of(Database::new());
    assert_eq!(png(&message("x", &[(Both, "Minister")]), &none), None);
    let Some(fonts) = fonts() else { return };
    // No font has a character that is not assigned.
    assert_eq!(png(&message("x", &[(Both, "a\u{50005}")]), &fonts), None);
    assert_eq!(png(&message("x", &[(Both, "a\u{378}")]), &fonts), None);
}

/// Cards in several scripts, to look at: `REVISOR_TEST_SHOTS` names a folder. Without fonts for a script it is left out.
#[test]
fn scripts_in_their_own_direction() {
    let Some(fonts) = fonts() else { return };
    let cards: [(&str, &[(Side, &str)]); 8] = [
        (
            "english",
            &[
                (Both, "Minister "),
                (Removed, "denies"),
                (Added, "confirms"),
                (Both, " report of talks with the port workers, £1.5m paid"),
            ],
        ),
        (
            "arabic",
            &[
                (Both, "الوزير "),
                (Removed, "ينفي"),
                (Added, "يؤكد"),
                (
                    Both,
                    " تقرير BBC عن محادثات مع عمال الميناء بقيمة 15 مليون دولار في القاهرة يوم الأحد",
                ),
            ],
        ),
        (
            "hebrew",
            &[
                (Both, "השר "),
                (Removed, "מכחיש"),
                (Added, "מאשר"),
                (
                    Both,
                    " את דיווח BBC News על שיחות עם עובדי הנמל בשווי 15 מיליון דולר בחיפה ביום ראשון",
                ),
            ],
        ),
        (
            "japanese",
            &[
                (Both, "大臣、港湾労働者との協議の報道を"),
                (Removed, "否定"),
                (Added, "認める"),
                (
                    Both,
                    "。協議は日曜日に東京で行われ、約15億円が支払われたという。",
                ),
            ],
        ),
        (
            "hindi",
            &[
                (Both, "मंत्री ने बंदरगाह कर्मियों से बातचीत की रिपोर्ट "),
                (Removed, "का खंडन किया"),
                (Added, "की पुष्टि की"),
            ],
        ),
        (
            "emoji",
            &[
                (Both, "Team 🏆 wins "),
                (Removed, "2–1 😀"),
                (Added, "3–1 🎉"),
                (Both, " in the final ⚽"),
            ],
        ),
        (
            "joined-emoji",
            &[
                (Both, "Team 🏆 wins "),
                (Removed, "2–1 😀"),
                (Added, "3–1 👩‍👩‍👧‍👦🇫🇷"),
                (Both, " in the final ❤️"),
            ],
        ),
        (
            "long",
            &[
                (Both, "The council "),
                (
                    Removed,
                    "will close the swimming baths in Mill Street at the end of the month because repairs to the roof would cost more than the building is worth, the treasurer said on Monday",
                ),
                (
                    Added,
                    "has postponed its decision on the swimming baths in Mill Street until the spring, after residents collected four thousand signatures against the plan in nine days",
                ),
                (Both, " in a statement."),
            ],
        ),
    ];
    let folder = std::env::var_os("REVISOR_TEST_SHOTS").map(std::path::PathBuf::from);
    for (name, segments) in cards {
        let mut message = message("The Courier changed a headline", segments);
        if name == "long" {
            message.title = Some("Swimming baths: what happens next".into());
            let again = message.changes[0].clone();
            message.changes.push(again);
        }
        let watch = Stopwatch::start();
        match png(&message, &fonts) {
            Some(png) => {
                println!("{name}: {} ms, {} bytes", watch.elapsed_ms(), png.len());
                if let Some(folder) = &folder {
                    std::fs::write(folder.join(format!("card-{name}.png")), png).unwrap();
                }
            }
            None => println!("{name}: skipped, no font for it"),
        }
    }
}
