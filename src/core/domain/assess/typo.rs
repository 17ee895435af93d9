//! Whether two words differ only by a typo.

/// Pairs of English words that differ by one typo and mean different things. Such a change is never a typo.
const CONFUSABLE: &[(&str, &str)] = &[
    ("angel", "angle"),
    ("casual", "causal"),
    ("county", "country"),
    ("diary", "dairy"),
    ("marital", "martial"),
    ("public", "pubic"),
    ("quiet", "quite"),
    ("trail", "trial"),
    ("united", "untied"),
    ("contact", "contract"),
    ("defuse", "diffuse"),
    ("desert", "dessert"),
    ("killed", "kissed"),
    ("moral", "morale"),
    ("personal", "personnel"),
    ("prosecute", "persecute"),
    ("prosecuted", "persecuted"),
    ("statue", "statute"),
    ("accept", "except"),
    ("affect", "effect"),
    ("aloud", "allowed"),
    ("averse", "adverse"),
    ("beside", "besides"),
    ("immigrant", "emigrant"),
    ("immigrants", "emigrants"),
    ("interment", "internment"),
    ("suspected", "suspended"),
    ("convicted", "convicts"),
    ("reported", "deported"),
    ("ordered", "offered"),
    ("injured", "insured"),
    ("through", "though"),
    ("thorough", "through"),
    ("message", "massage"),
    ("princes", "princess"),
    ("election", "erection"),
    ("dessert", "desert"),
    ("breath", "breathe"),
    ("loose", "lose"),
    ("marshal", "martial"),
    ("militant", "militia"),
    ("minister", "ministry"),
    ("secretary", "secretariat"),
];

/// Prefixes that turn a word into its opposite.
const OPPOSITES: &[&str] = &[
    "un", "in", "im", "il", "ir", "dis", "non", "non-", "anti", "anti-", "не", "без", "ne",
];

/// Whether one word is the other with a negating prefix. Both are in lower case.
pub(super) fn are_opposites(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    short.chars().count() >= 4
        && OPPOSITES
            .iter()
            .any(|prefix| long.strip_prefix(prefix) == Some(short))
}

fn are_confusable(a: &str, b: &str) -> bool {
    CONFUSABLE
        .iter()
        .any(|pair| *pair == (a, b) || *pair == (b, a))
}

/// Whether two words, in lower case, differ like a typo and its correction.
///
/// Without a dictionary this is a guess, so it is a narrow one: letters swapped, doubled or not, or one letter
/// inside a long word. A different ending is grammar, and a different beginning is another word.
pub(super) fn is_slip(a: &str, b: &str) -> bool {
    if a == b || !a.chars().chain(b.chars()).all(char::is_alphabetic) {
        return false;
    }
    if are_confusable(a, b) || are_opposites(a, b) {
        return false;
    }
    let old: Vec<char> = a.chars().collect();
    let new: Vec<char> = b.chars().collect();
    let shorter = old.len().min(new.len());
    let longer = old.len().max(new.len());
    if shorter < 3 || longer - shorter > 1 {
        return false;
    }
    let same = |pair: &(&char, &char)| pair.0 == pair.1;
    let head = old.iter().zip(&new).take_while(same).count();
    let tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(same)
        .count()
        .min(shorter - head);
    match (&old[head..old.len() - tail], &new[head..new.len() - tail]) {
        // `teh`, `recieve`
        ([first, second], [third, fourth]) => first == fourth && second == third,
        // `occured`; and one letter that is missing inside a long word.
        ([extra], []) | ([], [extra]) => {
            let long = if old.len() > new.len() { &old } else { &new };
            let doubled = head.checked_sub(1).and_then(|at| long.get(at)) == Some(extra)
                || long.get(head + 1) == Some(extra);
            (doubled && longer >= 5 && (tail > 0 || longer >= 8))
                || (longer >= 7 && head > 1 && tail > 0)
        }
        ([_], [_]) => longer >= 7 && head > 1 && tail > 2,
        _ => false,
    }
}

/// Whether the words, in lower case, are forms of the same word: only the ending differs.
pub(super) fn are_forms(a: &str, b: &str) -> bool {
    let head = a.chars().zip(b.chars()).take_while(|(p, q)| p == q).count();
    let (n, m) = (a.chars().count(), b.chars().count());
    !are_confusable(a, b) && head >= 3 && n - head <= 3 && m - head <= 3 && head * 2 >= n.max(m)
}
