//! Notes of corrections and updates, which belong to an article wherever they stand.

/// A note of a correction or an update: part of the article wherever it stands.
pub(in crate::extract) fn is_notice(text: &str) -> bool {
    const WORDS: [&str; 44] = [
        "correction",
        "corrected",
        "clarification",
        "clarified",
        "amended",
        "updated",
        "an earlier version",
        "editor's note",
        "editors' note",
        "a previous version",
        "this article was",
        "this story was",
        "rectificatif",
        "mis à jour",
        "mise à jour",
        "version précédente",
        "korrektur",
        "korrigiert",
        "berichtigung",
        "aktualisiert",
        "früheren version",
        "corrección",
        "corregido",
        "fe de errores",
        "actualizado",
        "versión anterior",
        "rettifica",
        "correzione",
        "aggiornamento",
        "correção",
        "errata",
        "atualizado",
        "versão anterior",
        "rectificatie",
        "gecorrigeerd",
        "bijgewerkt",
        "rättelse",
        "uppdaterad",
        "sprostowanie",
        "aktualizacja",
        "исправлен",
        "обновлен",
        "訂正",
        "更正",
    ];
    const ENDS: [char; 12] = ['.', '!', '?', '…', ':', '"', '”', '»', ')', '。', '！', '।'];
    let lower = text.to_lowercase().replace('’', "'");
    let sentence = text.trim_end().ends_with(ENDS) && text.split_whitespace().count() >= 3
        || text.contains('。');
    sentence && text.len() <= 1200 && WORDS.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_corrections_are_known_in_many_languages() {
        for text in [
            "Correction: an earlier version of this article misstated one point.",
            "This article was amended on 3 May 2026.",
            "Nous avons mis à jour notre politique.",
            "Dieser Artikel wurde aktualisiert.",
            "訂正：数字に誤りがありました。",
        ] {
            assert!(is_notice(text), "{text}");
        }
        assert!(!is_notice("Updated 3 hours ago"));
    }
}
