use std::sync::LazyLock;

use proptest::prelude::*;

use super::Side::{Added, Both, Removed};
use super::text::is_rtl;
use super::*;
use crate::report::message::ChangedPassage;
use crate::time::Stopwatch;

/// Prints why a test is skipped, and fails where skipping is not allowed.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the environment of the test run says whether a skip is allowed, and a skip is printed"
)]
fn skip(reason: &str) {
    let required = std::env::var("REVISOR_TEST_REQUIRE").is_ok_and(|value| value == "all");
    assert!(!required, "nothing may be skipped here, but: {reason}");
    println!("skipped: {reason}");
}

fn fonts_of_this_machine() -> Option<Fonts> {
    let mut known = Database::new();
    known.load_system_fonts();
    (!known.is_empty()).then(|| Fonts::of(&known))
}
static FONTS: LazyLock<Option<Fonts>> = LazyLock::new(fonts_of_this_machine);

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

/// The pieces of a text; those after `|` may start a line.
fn pieces(words: &[(Side, &str)]) -> String {
    let words: Vec<Words> = words
        .iter()
        .map(|(side, text)| (*side, (*text).to_owned()))
        .collect();
    let (pieces, _) = text::pieces(&words);
    let show = |piece: &Piece| {
        let start = if piece.may_start() { "|" } else { "·" };
        format!("{start}{}", piece.text)
    };
    pieces.iter().map(show).collect()
}

#[test]
fn lines_are_broken_between_words_and_next_to_wide_characters() {
    for (text, expected) in [
        ("one two  <b>x</b> – y", "|one· |two· |<b>x</b>· |–· |y"),
        ("大臣が、x", "|大|臣|が、x"),
        ("won 🏆🎉!", "|won· |🏆|🎉·!"),
        ("👩‍👩‍👧‍👦🇫🇷 ❤️", "|👩‍👩‍👧‍👦|🇫🇷· |❤️"),
        ("", ""),
    ] {
        assert_eq!(pieces(&[(Both, text)]), expected);
    }
    assert_eq!(pieces(&[(Both, &"x".repeat(90))]).matches('|').count(), 3);
}

#[test]
fn old_and_new_words_do_not_touch() {
    let edit = [
        (Both, "Minister "),
        (Removed, "denies"),
        (Added, "confirms"),
        (Both, "!"),
    ];
    assert_eq!(pieces(&edit), "|Minister· |denies· |confirms·!");
    let edit = [(Both, "大臣"), (Removed, "否"), (Added, "認"), (Both, "。")];
    assert_eq!(pieces(&edit), "|大|臣|否· |認·。");
    let edit = [(Removed, "no "), (Added, "yes")];
    assert_eq!(pieces(&edit), "|no· |yes");
}

#[test]
fn words_are_in_the_order_of_their_script() {
    let Some(fonts) = FONTS.as_ref() else {
        return skip("this machine has no fonts");
    };
    for (text, expected) in [
        ("say שלום עולם now", "say| |עולם| |שלום| |now"),
        ("השר של BBC News.", ".|BBC| |News| |של| |השר"),
        ("הוא (15) בא", "בא| |)|15|(| |הוא"),
    ] {
        let text = Text::of(&[(Both, text.to_owned())], fonts).expect("a font for Hebrew");
        let wrapped = text.wrap(1000.0, 1);
        let line: Vec<&str> = wrapped.lines[0].iter().map(|piece| &*piece.text).collect();
        assert_eq!(line.join("|"), expected);
    }
}

#[test]
fn the_direction_is_that_of_the_first_letter() {
    assert_eq!(is_rtl("3 השר (BBC)"), Some(true));
    assert_eq!(is_rtl("BBC: الوزير"), Some(false));
    assert_eq!(is_rtl("3 %"), None);
}

/// Headlines that are long, hostile or both. Each becomes a picture of the right size in bounded time, or none.
#[test]
fn a_change_is_a_picture_of_the_right_size_whatever_it_says() {
    let Some(fonts) = FONTS.as_ref() else {
        return skip("this machine has no fonts");
    };
    let long = "The quick brown fox jumps over the lazy dog. ".repeat(300);
    let endless = "x".repeat(10_000);
    let zalgo = format!("a{}", "\u{301}".repeat(10_000));
    let turns = "aא".repeat(5_000);
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
        (
            "turns",
            vec![(Both, turns.as_str()), (Added, turns.as_str())],
        ),
        ("marks", vec![(Both, zalgo.as_str()), (Added, "x")]),
        ("hostile", vec![(Removed, hostile), (Added, hostile)]),
        ("spaces", vec![(Both, "   "), (Added, " ")]),
    ] {
        let watch = Stopwatch::start();
        let png = png(&message("The Courier changed a headline", &segments), fonts);
        let png = png.unwrap_or_else(|| panic!("{case}: no picture"));
        assert_eq!(&png[1..4], b"PNG", "{case}");
        assert_eq!(png[16..24], [0, 0, 4, 0xb0, 0, 0, 2, 0x76], "{case}");
        assert!(png.len() < 400_000, "{case}: {}", png.len());
        assert!(watch.elapsed_ms() < 30_000, "{case}");
    }
}

/// Markup in a text stays text: all elements of the picture come from our code.
#[test]
fn markup_in_a_headline_is_text() {
    let Some(fonts) = FONTS.as_ref() else {
        return skip("this machine has no fonts");
    };
    let said = "</tspan></text><image href=\"file:///etc/passwd\"/> & <b>";
    let svg = svg(&message("x", &[(Added, said)]), fonts).expect("a card");
    assert!(!svg.contains("<image") && !svg.contains("<b>"), "{svg}");
    assert!(svg.contains("&lt;image") && svg.contains("&amp;"), "{svg}");
}

#[test]
fn without_a_font_there_is_no_picture() {
    let none = Fonts::of(&Database::new());
    assert_eq!(png(&message("x", &[(Both, "Minister")]), &none), None);
    let Some(fonts) = FONTS.as_ref() else {
        return skip("this machine has no fonts");
    };
    // No font has glyphs for unassigned characters.
    assert_eq!(png(&message("x", &[(Both, "a\u{50005}")]), fonts), None);
    assert_eq!(png(&message("x", &[(Both, "a\u{378}")]), fonts), None);
}

/// An emoji is drawn, or left out if no font has it.
#[test]
fn an_emoji_costs_no_picture() {
    let Some(fonts) = FONTS.as_ref() else {
        return skip("this machine has no fonts");
    };
    let sans = fonts
        .0
        .fontdb
        .faces()
        .filter(|face| face.post_script_name == "DejaVuSans");
    let mut few = Database::new();
    sans.for_each(|face| {
        few.push_face_info(face.clone());
    });
    let message = message("x", &[(Both, "Won 🏆 👩‍👩‍👧‍👦🇫🇷 ❤️ 1️⃣ 👍🏽"), (Added, "🎉")]);
    assert!(png(&message, fonts).is_some());
    if !few.is_empty() {
        let svg = svg(&message, &Fonts::of(&few)).expect("a card");
        assert!(svg.contains("Won") && !svg.contains("🏆"), "{svg}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// No text from a feed makes the renderer panic, or a line wider than the card.
    #[test]
    fn any_text_is_drawn_or_has_no_picture(
        words in proptest::collection::vec(
            (0..3_usize, "([a-z]|[\u{5d0}-\u{5ea}]|[\u{621}-\u{64a}]|[\u{904}-\u{939}]|[\u{93c}-\u{94d}]|[あ-ん]|[\u{1F1E6}-\u{1F1FF}]|[\u{1F466}-\u{1F469}]|[\u{1F3FB}-\u{1F3FF}]|\u{200d}|\u{fe0f}|[0-9.,:()%–-]| |\\PC){0,24}"),
            1..8,
        ),
    ) {
        let Some(fonts) = FONTS.as_ref() else { return Ok(()) };
        let words: Vec<Words> = words
            .into_iter()
            .map(|(side, text)| ([Both, Removed, Added][side], clean::line(&text).into_owned()))
            .collect();
        if let Some(text) = Text::of(&words, fonts) {
            for line in text.wrap(10.0, 100).lines {
                let width: f32 = line.iter().map(|piece| piece.width).sum();
                prop_assert!(width <= 10.0 || line.len() < 3, "{width}: {line:?}");
            }
        }
        let segments: Vec<(Side, &str)> = words.iter().map(|(side, text)| (*side, &**text)).collect();
        let png = png(&message("x", &segments), fonts);
        prop_assert!(png.is_none_or(|png| png.len() < 400_000));
    }
}

/// Cards in several scripts, to look at: saved in the folder that `REVISOR_TEST_SHOTS` names. Scripts without fonts
/// are left out.
#[test]
fn scripts_in_their_own_direction() {
    let Some(fonts) = FONTS.as_ref() else {
        return skip("this machine has no fonts");
    };
    let cards: [(&str, &[(Side, &str)]); 10] = [
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
            "hebrew-emoji",
            &[
                (Both, "הקבוצה (מחיפה) 🏆 ניצחה "),
                (Removed, "1–2 😀"),
                (Added, "1–3 🎉🇮🇱"),
                (Both, ": \"ערב גדול\" ⚽!"),
            ],
        ),
        (
            "hindi-emoji",
            &[
                (Both, "भारत 🇮🇳 ने BBC को बताया: ₹15 करोड़ "),
                (Removed, "नहीं दिए"),
                (Added, "दिए 👍🏽"),
                (Both, " – मंत्री"),
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
    #[expect(clippy::disallowed_methods, reason = "for people who want to look")]
    let folder = std::env::var_os("REVISOR_TEST_SHOTS").map(std::path::PathBuf::from);
    for (name, segments) in cards {
        let mut message = message("The Courier changed a headline", segments);
        if name == "long" {
            message.title = Some("Swimming baths: what happens next".into());
            let again = message.changes[0].clone();
            message.changes.push(again);
        }
        match (png(&message, fonts), &folder) {
            (Some(png), Some(folder)) => {
                std::fs::write(folder.join(format!("card-{name}.png")), png).unwrap();
            }
            (Some(_), None) => {}
            (None, _) => skip(&format!("no font for {name}")),
        }
    }
}
