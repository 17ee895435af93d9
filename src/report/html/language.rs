//! The language of a text, as far as its letters show it.

/// Characters that are checked.
const LOOKED_AT: usize = 2000;

/// The letters of one language, or of several that share them.
const SCRIPTS: [(&str, &[(u32, u32)]); 9] = [
    ("ja", &[(0x3040, 0x30ff), (0x31f0, 0x31ff)]),
    (
        "ko",
        &[(0xac00, 0xd7af), (0x1100, 0x11ff), (0x3130, 0x318f)],
    ),
    ("zh", &[(0x4e00, 0x9fff), (0x3400, 0x4dbf)]),
    ("th", &[(0x0e00, 0x0e7f)]),
    ("el", &[(0x0370, 0x03ff), (0x1f00, 0x1fff)]),
    ("he", &[(0x0590, 0x05ff)]),
    ("ka", &[(0x10a0, 0x10ff)]),
    ("hy", &[(0x0530, 0x058f)]),
    ("km", &[(0x1780, 0x17ff)]),
];

/// The value of `lang`: a language with letters of its own, else empty, which means unknown. Without it a text
/// would count as English, like the page around it: a screen reader would mispronounce it, and a browser would
/// show Japanese with Chinese characters.
#[must_use]
pub(crate) fn language(text: &str) -> &'static str {
    let mut counts = [0_usize; SCRIPTS.len()];
    let mut others = 0_usize;
    for letter in text.chars().filter(|c| c.is_alphabetic()).take(LOOKED_AT) {
        let code = u32::from(letter);
        let within = |(_, ranges): &(&str, &[(u32, u32)])| {
            ranges
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&code))
        };
        match SCRIPTS.iter().position(within) {
            Some(place) => counts[place] += 1,
            None => others += 1,
        }
    }
    let [kana, _, han, ..] = counts;
    // Japanese also uses Chinese characters, but Chinese has no kana.
    if kana * 20 > han && kana + han > others {
        return "ja";
    }
    let most = SCRIPTS.iter().zip(counts).max_by_key(|(_, count)| *count);
    match most {
        Some(((name, _), count)) if count > others => name,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_letters_tell_is_said() {
        for (text, expected) in [
            ("日本の首相が会談を否定した", "ja"),
            ("首相否认会谈报道", "zh"),
            ("장관이 회담 보도를 부인했다", "ko"),
            ("รัฐมนตรีปฏิเสธข่าวการเจรจา", "th"),
            ("Ο υπουργός διαψεύδει", "el"),
            ("השר מכחיש", "he"),
            ("Minister denies report of talks", ""),
            ("Министр отрицает", ""),
            ("iPhone 在中国", ""),
            ("", ""),
        ] {
            assert_eq!(language(text), expected, "{text}");
        }
    }
}
