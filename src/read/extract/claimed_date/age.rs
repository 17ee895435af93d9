//! Ages instead of dates: `3 hours ago`.

/// Units of time, and the words after them that turn "3 hours" into "3 hours ago". Such a text is never a date,
/// whenever it is read.
#[rustfmt::skip]
const UNITS: &[&str] = &[
    "s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute", "minutes", "h", "hr", "hrs", "hour",
    "hours", "d", "day", "days", "w", "wk", "wks", "week", "weeks", "mo", "mos", "month", "months", "y", "yr", "yrs",
    "year", "years",
    "secondi", "secondo", "minuti", "minuto", "ora", "ore", "giorno", "giorni", "settimana", "settimane", "mese", "mesi",
    "anno", "anni",
    "seconden", "minuut", "minuten", "uur", "uren", "dag", "dagen", "weken", "maand", "maanden", "jaar", "jaren",
    "minutę", "minuty", "minut", "godzinę", "godziny", "godzin", "dzień", "dni", "tydzień", "tygodnie", "tygodni",
    "miesiąc", "miesiące", "miesięcy", "rok", "lata", "lat",
    "minuter", "timme", "timmar", "dagar", "vecka", "veckor", "månad", "månader", "år", "minutter", "time", "timer",
    "dage", "dager", "uge", "uger", "uke", "uker", "måned", "måneder",
    "dakika", "saat", "gün", "hafta", "ay", "yıl",
    "минуту", "минуты", "минут", "час", "часа", "часов", "день", "дня", "дней", "неделю", "недели", "недель", "месяц",
    "месяца", "месяцев", "год", "года", "лет",
    "segundos", "minutos", "hora", "horas", "dia", "dias", "semana", "semanas", "mês", "meses", "ano", "anos",
];
const AGO: &[&str] = &[
    "ago",
    "fa",
    "geleden",
    "temu",
    "sedan",
    "siden",
    "önce",
    "назад",
    "atrás",
];

/// Whether a word, in lower case, can be part of an age.
pub(super) fn is_of_age(word: &str) -> bool {
    UNITS.contains(&word) || AGO.contains(&word)
}

/// Whether a unit is directly followed by `ago`, in lower case.
pub(super) fn tells_an_age(text: &str) -> bool {
    let word = |word: &'_ str| word.trim_matches(|c: char| !c.is_alphabetic()).to_owned();
    let words: Vec<String> = text.split_whitespace().map(word).collect();
    words.windows(2).any(|pair| {
        let [unit, ago] = pair else { return false };
        UNITS.contains(&unit.as_str()) && AGO.contains(&ago.as_str())
    })
}
