//! Markup that makes no difference to a reader, and markup that does: `tests/fixtures/normalise/markup.tsv`, each
//! pair inside an article.

use revisor::domain::compare::compare;
use revisor::domain::state::EntryState;
use revisor::extract;

/// An article with the fragment in its middle.
fn state(fragment: &str) -> EntryState {
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>The ferry to the islands</title></head>\
         <body><article><h1>The ferry to the islands</h1>\
         <p>The council of Harrow Bay met on Monday evening to vote on the new harbour plan, and the hall was full.</p>\
         {fragment}\
         <p>Residents had asked for a ferry to the islands for more than a decade, the chair of the council said.</p>\
         </article></body></html>"
    );
    EntryState {
        feed: None,
        page: Some(extract::article(page.as_bytes(), None, None).state),
    }
}

#[test]
fn markup_is_judged_as_the_table_says() {
    let table = include_str!("../fixtures/normalise/markup.tsv");
    let mut wrong = Vec::new();
    for (index, line) in table.lines().enumerate() {
        if line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.splitn(4, '\t').collect();
        let [verdict, about, old, new] = fields.as_slice() else {
            panic!("line {} has no four fields", index + 1);
        };
        // The fragment may contain a tab itself: the last field keeps it.
        for (old, new) in [(old, new), (new, old)] {
            let (old, new) = (state(old), state(new));
            let found = if compare(&old, &new).is_none() {
                "same"
            } else {
                "other"
            };
            if found != *verdict {
                wrong.push(format!(
                    "line {} ({about}): {verdict}, found {found}\n  {:?}\n  {:?}",
                    index + 1,
                    old.body(),
                    new.body()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
