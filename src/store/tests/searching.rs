//! The search index: every stored text can be found, as current or as removed.

use proptest::prelude::*;

use super::*;
use crate::domain::search::Query;

/// Sentences in ten languages, four of which are written without spaces between words.
const BEFORE: [&str; 10] = [
    "No injuries have been reported near that naïve café",
    "Der Minister bestätigte die Straßensperrung am Dienstag",
    "Le préfet a démenti toute négociation secrète",
    "El gobierno negó los sobornos según la fiscalía",
    "Министр опроверг сообщения о задержании чиновника",
    "وزير الداخلية نفى خبر الاستقالة",
    "政府は増税の方針を否定した",
    "警方否認逮捕行動造成傷亡",
    "รัฐมนตรีปฏิเสธข่าวการลาออก",
    "मंत्री ने इस्तीफे की खबर को नकारा",
];
const AFTER: &str = "It was revised";

fn query(text: &str) -> Query {
    Query::parse(text).unwrap()
}

fn filter(texts: SearchIn) -> SearchFilter {
    SearchFilter {
        texts,
        limit: 10,
        ..SearchFilter::default()
    }
}

/// What finds a text when typed: each of its words, or each of its characters if it has no words.
fn words(text: &str) -> Vec<String> {
    let words = text.split_whitespace().map(str::to_owned);
    if text.split_whitespace().count() > 1 {
        return words.collect();
    }
    text.chars()
        .filter(|c| c.is_alphabetic())
        .map(String::from)
        .collect()
}

#[test]
fn every_word_is_found_where_it_is_and_once_it_is_gone_by_the_change_that_took_it() {
    let bench = Bench::new();
    for (place, title) in BEFORE.iter().enumerate() {
        let entry = bench.entry(&format!("a{place}"), title);
        let reader = bench.reader();
        for word in words(title) {
            let found = reader
                .search_articles(&query(&word), &filter(SearchIn::All))
                .unwrap();
            assert!(found.contains(&entry), "{word} of {title}");
        }
        let number = bench
            .revise(entry, &format!("{AFTER} {place}"), &[])
            .changes[0];
        let reader = bench.reader();
        for word in words(title) {
            let articles = reader
                .search_articles(&query(&word), &filter(SearchIn::All))
                .unwrap();
            assert!(!articles.contains(&entry), "{word} of {title} is gone");
            for texts in [SearchIn::All, SearchIn::Removed, SearchIn::Headlines] {
                let changes = reader
                    .search_changes(&query(&word), &filter(texts))
                    .unwrap();
                assert!(changes.contains(&number), "{word} of {title} in {texts:?}");
            }
            let added = reader
                .search_changes(&query(&word), &filter(SearchIn::Added))
                .unwrap();
            assert!(!added.contains(&number), "{word} of {title}");
        }
        let added = reader
            .search_changes(&query("revised"), &filter(SearchIn::Added))
            .unwrap();
        assert!(added.contains(&number));
    }
}

#[test]
fn phrases_prefixes_exclusions_and_filters_hold() {
    let bench = Bench::new();
    let first = bench.entry("a", "Talks about the old bridge");
    let second = bench.entry("b", "The bridge about old talks");
    let reader = bench.reader();
    let found = |text: &str| {
        reader
            .search_articles(&query(text), &filter(SearchIn::All))
            .unwrap()
    };
    assert_eq!(found("bridge talks"), [second, first]);
    assert_eq!(found("\"old bridge\""), [first]);
    assert_eq!(found("\"old talks\" brid*"), [second]);
    assert_eq!(found("bridge -\"old bridge\""), [second]);
    assert_eq!(found("absent"), []);
    let only = SearchFilter {
        entry: Some(first),
        ..filter(SearchIn::All)
    };
    assert_eq!(
        reader.search_articles(&query("bridge"), &only).unwrap(),
        [first]
    );
    let elsewhere = SearchFilter {
        feeds: Some(vec![FeedId(99)]),
        ..filter(SearchIn::All)
    };
    assert_eq!(
        reader
            .search_articles(&query("bridge"), &elsewhere)
            .unwrap(),
        []
    );
}

#[test]
fn what_was_stored_without_an_index_is_indexed_from_the_newest_down() {
    let bench = Bench::new();
    let (first, second) = (
        bench.entry("a", "The first headline"),
        bench.entry("b", "The second headline"),
    );
    let number = bench.revise(first, "Another one", &[]).changes[0];
    bench.writer().forget_search().blocking().unwrap();
    let found = |text: &str| {
        let reader = bench.reader();
        let articles = reader
            .search_articles(&query(text), &filter(SearchIn::All))
            .unwrap();
        (
            articles,
            reader
                .search_changes(&query(text), &filter(SearchIn::All))
                .unwrap(),
        )
    };
    assert_eq!(found("headline"), (vec![], vec![]));
    assert!(!bench.reader().search_progress().unwrap().is_complete());
    // New entries are found immediately.
    let third = bench.entry("c", "The third headline");
    assert_eq!(found("headline"), (vec![third], vec![]));
    assert!(bench.writer().index_for_search(1).blocking().unwrap());
    assert_eq!(found("headline"), (vec![third], vec![number]));
    while bench.writer().index_for_search(1).blocking().unwrap() {}
    assert_eq!(found("headline"), (vec![third, second], vec![number]));
    assert!(bench.reader().search_progress().unwrap().is_complete());
    bench.writer().tidy_search().blocking().unwrap();
    assert_eq!(found("headline"), (vec![third, second], vec![number]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_query_is_an_error_of_the_database(text in prop_oneof!["\\PC{0,40}", "[-\"*(){}:^+ANDORNEAR ]{1,30}x"]) {
        let bench = Bench::new();
        bench.entry("a", "A headline");
        if let Ok(query) = Query::parse(&text) {
            let reader = bench.reader();
            for texts in [SearchIn::All, SearchIn::Removed, SearchIn::Added, SearchIn::Headlines] {
                prop_assert!(reader.search_articles(&query, &filter(texts)).is_ok(), "{}", query.expression());
                prop_assert!(reader.search_changes(&query, &filter(texts)).is_ok(), "{}", query.expression());
            }
        }
    }
}
