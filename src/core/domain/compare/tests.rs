use proptest::prelude::*;

use super::*;
use crate::domain::diff::BlockOp;
use crate::domain::fingerprint::Fingerprints;
use crate::domain::state::Link;

fn feed(title: &str, summary: &str) -> FeedState {
    FeedState {
        guid: Some("urn:1".to_owned()),
        address: Some("https://n.example/a".to_owned()),
        title: Some(title.to_owned()),
        summary: vec![Block::paragraph(summary)],
        ..FeedState::default()
    }
}

fn page(h1: &str, body: &[&str]) -> PageState {
    PageState {
        h1: Some(h1.to_owned()),
        body: body.iter().map(|text| Block::paragraph(*text)).collect(),
        ..PageState::default()
    }
}

fn entry(feed: Option<FeedState>, page: Option<PageState>) -> EntryState {
    EntryState { feed, page }
}

#[test]
fn the_same_state_is_no_change() {
    let state = entry(Some(feed("A", "b")), Some(page("A", &["c"])));
    assert_eq!(compare(&state, &state), None);
}

#[test]
fn claimed_dates_are_not_compared_but_noticed() {
    let old = entry(Some(feed("A", "b")), None);
    let mut new = old.clone();
    new.feed.as_mut().unwrap().updated = Some(Timestamp::from_unix(1));
    assert_eq!(compare(&old, &new), None);
    assert!(dates_moved(&old, &new));
}

#[test]
fn a_channel_of_one_side_only_is_a_first_sight() {
    let old = entry(Some(feed("A", "b")), None);
    let new = entry(Some(feed("A", "b")), Some(page("Z", &["other"])));
    assert_eq!(compare(&old, &new), None);
    assert!(first_sights(&old, &new));
    assert!(!first_sights(&new, &old));
}

#[test]
fn the_feeds_summary_and_the_pages_text_are_never_compared() {
    let old = entry(Some(feed("A", "one")), Some(page("A", &["two"])));
    let new = entry(Some(feed("A", "one")), Some(page("A", &["three"])));
    let found = compare(&old, &new).unwrap();
    assert_eq!(found.fields, [Field::Body]);
    assert_eq!(found.channels, [Channel::Page]);
    assert_eq!(
        found.words,
        WordCount {
            added: 1,
            removed: 1
        }
    );
    assert_eq!(found.summary, None);
}

#[test]
fn one_headline_on_two_channels_is_counted_once() {
    let old = entry(
        Some(feed("Minister denies talks", "b")),
        Some(page("Minister denies talks", &["c"])),
    );
    let new = entry(
        Some(feed("Minister admits talks", "b")),
        Some(page("Minister admits talks", &["c"])),
    );
    let found = compare(&old, &new).unwrap();
    assert_eq!(found.fields, [Field::Title]);
    assert_eq!(found.title_channels, [Channel::Feed, Channel::Page]);
    assert_eq!(found.headlines.len(), 2);
    assert_eq!(
        found.words,
        WordCount {
            added: 1,
            removed: 1
        }
    );
    assert!((found.similarity - 0.67).abs() < 1e-9);
}

#[test]
fn a_page_title_that_appears_is_a_first_sight_and_one_that_changes_is_not() {
    let mut old = entry(None, Some(page("A", &["c"])));
    let mut new = old.clone();
    new.page.as_mut().unwrap().og_title = Some("Other".to_owned());
    assert_eq!(compare(&old, &new), None);
    assert!(first_sights(&old, &new));
    old.page.as_mut().unwrap().og_title = Some("Another".to_owned());
    let found = compare(&old, &new).unwrap();
    assert_eq!(found.headlines[0].source, HeadlineSource::OgTitle);
}

#[test]
fn tracking_parameters_move_no_address() {
    let old = entry(Some(feed("A", "b")), None);
    let mut new = old.clone();
    new.feed.as_mut().unwrap().address = Some("http://n.example/a/?utm_source=rss#top".to_owned());
    assert_eq!(compare(&old, &new), None);
    new.feed.as_mut().unwrap().address = Some("https://n.example/b".to_owned());
    let found = compare(&old, &new).unwrap();
    assert_eq!(found.fields, [Field::Address]);
    assert!(!found.typographic_only);
}

#[test]
fn the_shape_of_marks_is_typographic() {
    let old = entry(Some(feed("\"So\" it's", "b")), None);
    let new = entry(Some(feed("“So” it’s", "b")), None);
    let found = compare(&old, &new).unwrap();
    assert!(found.typographic_only);
    assert_eq!(found.words, WordCount::default());
}

#[test]
fn feeds_that_begin_to_carry_full_texts_edit_nothing() {
    let old = entry(Some(feed("A", "b")), None);
    let mut new = old.clone();
    new.feed.as_mut().unwrap().body = vec![Block::paragraph("full text")];
    assert_eq!(compare(&old, &new), None);
    assert!(first_sights(&old, &new));
}

#[test]
fn a_paragraph_split_in_two_is_seen() {
    let old = entry(None, Some(page("A", &["One is here. Two is there."])));
    let new = entry(None, Some(page("A", &["One is here.", "Two is there."])));
    let found = compare(&old, &new).unwrap();
    assert!(
        found
            .body
            .unwrap()
            .blocks
            .iter()
            .any(|block| block.op != BlockOp::Equal)
    );
}

fn link(words: &str, address: &str) -> Link {
    Link {
        words: words.to_owned(),
        address: address.to_owned(),
    }
}

#[test]
fn a_standfirst_is_compared_with_its_own_past() {
    let state = |standfirst: Option<&str>, body: &[&str]| {
        let standfirst = standfirst.map(str::to_owned);
        let page = page("A", body);
        entry(None, Some(PageState { standfirst, ..page }))
    };
    let old = state(Some("It cost 12 million."), &["Text."]);
    let found = compare(&old, &state(Some("It cost 21 million."), &["Text."])).unwrap();
    assert_eq!(found.fields, [Field::Standfirst]);
    assert_eq!(found.channels, [Channel::Page]);
    assert_eq!(found.words.added, 1);
    for (before, after) in [(None, Some("New.")), (Some("Old."), None)] {
        let found = compare(&state(before, &["Text."]), &state(after, &["Text."])).unwrap();
        assert_eq!(found.fields, [Field::Standfirst]);
    }
}

#[test]
fn a_standfirst_that_was_a_paragraph_is_the_same_text() {
    let state = |standfirst: Option<&str>, body: &[&str]| {
        let standfirst = standfirst.map(str::to_owned);
        let page = page("A", body);
        entry(None, Some(PageState { standfirst, ..page }))
    };
    let as_text = state(None, &["In short.", "At length, with 12 figures."]);
    let apart = state(Some("In  short."), &["At length, with 12 figures."]);
    assert_eq!(compare(&as_text, &apart), None);
    assert_eq!(compare(&apart, &as_text), None);
    assert!(first_sights(&as_text, &apart), "its next edit has a past");
    assert!(!first_sights(&apart, &as_text));
    let edited = state(Some("In short."), &["At length, with 21 figures."]);
    let found = compare(&as_text, &edited).unwrap();
    assert_eq!(found.fields, [Field::Body]);
    assert_eq!(found.body.unwrap().left_out.before, [1]);
}

#[test]
fn a_kicker_moves_the_headlines_field_and_gives_way_to_a_headline() {
    let state = |kicker: Option<&str>, h1: &str| {
        let kicker = kicker.map(str::to_owned);
        entry(
            None,
            Some(PageState {
                kicker,
                ..page(h1, &["c"])
            }),
        )
    };
    let old = state(Some("Exclusive"), "A minister resigns");
    let found = compare(&old, &state(None, "A minister resigns")).unwrap();
    assert_eq!(found.fields, [Field::Title]);
    assert_eq!(found.headlines[0].source, HeadlineSource::Kicker);
    let both = compare(&old, &state(Some("Update"), "A minister stays")).unwrap();
    assert_eq!(both.headlines[0].source, HeadlineSource::H1);
    assert_eq!(both.title.as_ref(), Some(&both.headlines[0].segments));
    assert_eq!(both.headlines[1].source, HeadlineSource::Kicker);
}

#[test]
fn a_link_that_leads_elsewhere_is_a_change_of_the_text() {
    let state = |address: &str| {
        let mut page = page("A", &["The report is out."]);
        page.links = vec![link("report", address)];
        entry(None, Some(page))
    };
    let (old, new) = (state("https://a.example/1"), state("https://a.example/2"));
    let found = compare(&old, &new).unwrap();
    assert_eq!(
        (found.fields.as_slice(), found.body),
        (&[Field::Body][..], None)
    );
    assert_eq!(found.links.len(), 1);
    assert!(!found.typographic_only);
    assert_eq!(compare_but(&old, &new, &Rules::default(), |_| true), None);
    assert_eq!(compare(&old, &state("http://a.example/1/#top")), None);
}

fn line() -> impl Strategy<Value = Option<String>> {
    prop::option::of(
        prop::sample::select(vec![
            "", "A", "a", "A\u{ad}", "“A”", "\"A\"", "12", "21", " A ",
        ])
        .prop_map(str::to_owned),
    )
}

fn text() -> impl Strategy<Value = Vec<Block>> {
    let block = prop::sample::select(vec!["A b", "A  b", "12", "21", "\u{200b}", "“A”"])
        .prop_map(Block::paragraph);
    prop::collection::vec(block, 0..3)
}

fn state() -> impl Strategy<Value = EntryState> {
    let feed = (line(), line(), line(), text(), text()).prop_map(
        |(title, byline, guid, summary, body)| FeedState {
            guid,
            title,
            byline,
            summary,
            body,
            ..FeedState::default()
        },
    );
    let links = prop::collection::vec(
        (
            prop::sample::select(vec!["A", "b", "12"]),
            prop::sample::select(vec!["/1", "/2", "/2#x"]),
        ),
        0..3,
    );
    let titles = (line(), line(), line());
    let page = (titles, line(), line(), line(), text(), links).prop_map(
        |((h1, og_title, ld_headline), kicker, standfirst, byline, body, links)| PageState {
            h1,
            og_title,
            ld_headline,
            kicker,
            standfirst,
            byline,
            body,
            links: links
                .into_iter()
                .map(|(words, at)| link(words, at))
                .collect(),
            ..PageState::default()
        },
    );
    (prop::option::of(feed), prop::option::of(page))
        .prop_map(|(feed, page)| EntryState { feed, page })
}

proptest! {
    #[test]
    fn equal_fingerprints_mean_no_change(old in state(), new in state()) {
        let (a, b) = (Fingerprints::of(&old), Fingerprints::of(&new));
        if a.feed == b.feed && a.page == b.page {
            prop_assert_eq!(compare(&old, &new), None);
            prop_assert!(!first_sights(&old, &new));
        }
        prop_assert_eq!(compare(&old, &old), None);
    }

    #[test]
    fn a_change_names_its_fields_and_channels(old in state(), new in state()) {
        if let Some(found) = compare(&old, &new) {
            prop_assert!(!found.fields.is_empty() && !found.channels.is_empty());
            prop_assert!(found.fields.is_sorted() && found.channels.is_sorted());
            prop_assert_eq!(found.title.is_some(), found.fields.contains(&Field::Title));
            let body = found.body.is_some() || !found.links.is_empty();
            prop_assert_eq!(body, found.fields.contains(&Field::Body));
            if let Some(segments) = &found.standfirst {
                prop_assert!(found.fields.contains(&Field::Standfirst));
                let sides = [Segment::old_side(segments), Segment::new_side(segments)];
                let lines = [&old, &new].map(|state| state.standfirst().unwrap_or_default());
                prop_assert_eq!(sides, lines.map(str::to_owned));
            }
            prop_assert!((0.0..=1.0).contains(&found.similarity));
            prop_assert!(!found.typographic_only || found.words == WordCount::default());
        }
    }
}
