//! What changes beside the text: standfirst, kicker, links, claimed dates, notices.

use super::*;

fn about(change: impl FnOnce(&mut PageState)) -> [Observed; 1] {
    let text = "The ministry has published the report, which counts 12 cases.";
    let mut page = page("Report on the harbour", &[text.to_owned()]);
    page.modified = Some(Timestamp::from_unix(1_799_999_000));
    change(&mut page);
    [Observed::Page(page)]
}

#[test]
fn a_standfirst_is_judged_by_what_it_says_and_comes_back() {
    let with = |text: &str| about(|page| page.standfirst = Some(text.to_owned()));
    let mut story = Story::begin(&with("Twelve cases are known, and 12 more are feared."));
    let revised = story.change(
        MINUTE,
        &with("Twelve cases are known, and 21 more are feared."),
    );
    let labels = &revised.assessment.labels;
    assert!(
        labels.contains(&Label::Number) && labels.contains(&Label::Unannounced),
        "{labels:?}"
    );
    assert_eq!(revised.assessment.significance, Significance::Substantive);
    let gone = story.change(MINUTE, &about(|_| ()));
    assert!(gone.assessment.labels.contains(&Label::ParagraphRemoved));
    let back = story.change(
        MINUTE,
        &with("Twelve cases are known, and 12 more are feared."),
    );
    assert_eq!(back.revert_of, Some(RevisionNumber(1)));
}

#[test]
fn a_kicker_that_alternates_flaps() {
    let with = |text: &str| about(|page| page.kicker = Some(text.to_owned()));
    let mut story = Story::begin(&with("Live"));
    let first = story.change(MINUTE, &with("Exclusive"));
    assert!(first.assessment.labels.contains(&Label::Headline));
    assert_eq!(first.quiet, None);
    assert_eq!(
        story.change(MINUTE, &with("Live")).revert_of,
        Some(RevisionNumber(1))
    );
    let third = story.change(MINUTE, &with("Exclusive"));
    assert_eq!(
        (third.quiet, third.begins_to_flap),
        (Some(Quiet::Flapping), true)
    );
}

fn linked(address: &str, kicker: Option<&str>) -> [Observed; 1] {
    about(|page| {
        page.kicker = kicker.map(str::to_owned);
        page.links = vec![Link {
            words: "the report".to_owned(),
            address: address.to_owned(),
        }];
    })
}

#[test]
fn a_link_to_another_host_matters_more_than_one_to_another_page() {
    let mut story = Story::begin(&linked("https://ministry.example/report", None));
    let page = story.change(MINUTE, &linked("https://ministry.example/report-2", None));
    assert_eq!(page.assessment.labels, [Label::Link]);
    assert_eq!(page.assessment.significance, Significance::Minor);
    let host = story.change(MINUTE, &linked("https://shop.example/report", None));
    assert_eq!(host.assessment.labels, [Label::Link, Label::Unannounced]);
    assert_eq!(host.assessment.significance, Significance::Substantive);
    assert_eq!(host.quiet, None);
    let same = story.look(
        MINUTE,
        &linked("http://www.shop.example/report/?utm_source=x", None),
    );
    assert!(matches!(same, Decision::Unchanged { .. }));
}

#[test]
fn an_address_that_moves_at_every_look_is_told_twice_and_then_noted_once_a_day() {
    let at = |n: usize| linked(&format!("https://go.example/{n}"), None);
    let mut story = Story::begin(&at(0));
    for n in 1..3 {
        assert_eq!(story.change(MINUTE, &at(n)).quiet, None);
    }
    for n in 3..20 {
        let decision = story.look(MINUTE, &at(n));
        assert!(
            matches!(decision, Decision::Unchanged { .. }),
            "{n}: {decision:?}"
        );
    }
    let noted = story.change(Duration::from_hours(24), &at(20));
    assert_eq!(noted.quiet, Some(Quiet::Flapping));
    assert!(!noted.begins_to_flap);
    // Other edits are reported, without the link; and the link is still known to rotate.
    let edit = story.change(MINUTE, &linked("https://go.example/21", Some("Exclusive")));
    assert_eq!((edit.quiet, edit.comparison.links.len()), (None, 0));
    assert!(
        matches!(story.look(MINUTE, &at(22)), Decision::Revised(_)),
        "the kicker went"
    );
    // A link to another host is reported.
    let host = story.change(MINUTE, &linked("https://evil.example/1", None));
    assert_eq!((host.quiet, host.comparison.links.len()), (None, 1));
}

#[test]
fn a_change_is_unannounced_only_where_a_date_is_claimed_and_stays() {
    let with = |figure: &str, modified: Option<i64>| {
        about(|page| {
            page.body[0].text = format!("The ministry counts {figure} cases in the harbour.");
            page.modified = modified.map(Timestamp::from_unix);
        })
    };
    let labels = |before: Option<i64>, now: Option<i64>| {
        let mut story = Story::begin(&with("12", before));
        story.change(MINUTE, &with("21", now)).assessment.labels
    };
    assert!(labels(Some(7), Some(7)).contains(&Label::Unannounced));
    for (before, now) in [
        (None, None),
        (None, Some(7)),
        (Some(7), None),
        (Some(7), Some(8)),
    ] {
        assert!(
            !labels(before, now).contains(&Label::Unannounced),
            "{before:?} {now:?}"
        );
    }
    // The date of one channel says nothing about the other.
    let mut claimed = feed("Report on the harbour", "In short.");
    claimed.updated = Some(Timestamp::from_unix(7));
    let [page] = with("12", None);
    let mut story = Story::begin(&[Observed::Feed(claimed), page]);
    let found = story.change(MINUTE, &with("21", None)).assessment.labels;
    assert!(!found.contains(&Label::Unannounced), "{found:?}");
}

#[test]
fn a_notice_that_is_written_anew_announces_the_change() {
    let with = |figure: &str, notice: &str| {
        about(|page| {
            page.body = vec![
                Block::paragraph(format!(
                    "The ministry counts {figure} cases in the harbour."
                )),
                Block::paragraph(notice),
            ];
        })
    };
    let mut story = Story::begin(&with("12", "Correction: an earlier version gave 10 cases."));
    let revised = story.change(
        MINUTE,
        &with("21", "Correction: earlier versions gave 10 and 12 cases."),
    );
    assert!(!revised.assessment.labels.contains(&Label::Unannounced));
    let silent = story.change(
        MINUTE,
        &with("31", "Correction: earlier versions gave 10 and 12 cases."),
    );
    assert!(silent.assessment.labels.contains(&Label::Unannounced));
}
