use super::*;
use crate::domain::furniture::Streak;
use crate::domain::ids::RevisionNumber;
use crate::domain::links;
use crate::domain::state::Link;

mod beside;

const MINUTE: Duration = Duration::from_mins(1);

fn policy() -> Policy {
    Policy {
        significance: Significance::Minor,
        flap_window: Duration::from_hours(24),
        live_digest: Some(Duration::from_hours(1)),
    }
}

fn feed(title: &str, summary: &str) -> FeedState {
    FeedState {
        guid: Some("urn:1".into()),
        address: Some("https://n.example/a".into()),
        title: Some(title.into()),
        summary: vec![Block::paragraph(summary)],
        ..FeedState::default()
    }
}

fn page(title: &str, paragraphs: &[String]) -> PageState {
    PageState {
        h1: Some(title.into()),
        og_title: Some(title.into()),
        body: paragraphs.iter().map(Block::paragraph).collect(),
        ..PageState::default()
    }
}

/// An entry that is checked again and again.
struct Story {
    known: Known,
    now: Timestamp,
    /// The number of consecutive checks that found a change.
    streak: u32,
}

impl Story {
    fn begin(observations: &[Observed]) -> Self {
        let now = Timestamp::from_unix(1_800_000_000);
        let step = first_sight(&observed(observations, now), &InForce::default());
        Self {
            known: Known {
                past: vec![PastRevision {
                    number: step.number,
                    seen: now,
                    fingerprints: step.fingerprints,
                    links: links::prints_of(&step.state),
                    additive: false,
                    quiet: None,
                }],
                claimed: ClaimedDates::of(&step.state),
                revision: step.number,
                state: step.state,
            },
            now,
            streak: 0,
        }
    }

    fn look(&mut self, after: Duration, observations: &[Observed]) -> Decision {
        self.now = self.now + after;
        let streak = Streak {
            looks: self.streak + 1,
            at: None,
        };
        let streaks = Streaks {
            feed: streak,
            page: streak,
        };
        let decision = decide(
            &self.known,
            &observed(observations, self.now),
            streaks,
            &policy(),
            &InForce::default(),
            self.now,
        );
        let (step, additive, quiet) = match &decision {
            Decision::Unchanged { claimed, .. } => {
                self.known.claimed = *claimed;
                self.streak = 0;
                return decision;
            }
            Decision::Baseline(step) => (&**step, false, None),
            Decision::Revised(revised) => (&revised.step, revised.additive, revised.quiet),
        };
        self.known.past.push(PastRevision {
            number: step.number,
            seen: self.now,
            fingerprints: step.fingerprints,
            links: links::prints_of(&step.state),
            additive,
            quiet,
        });
        self.known.revision = step.number;
        self.known.state = step.state.clone();
        self.streak += 1;
        decision
    }

    fn change(&mut self, after: Duration, observations: &[Observed]) -> Revised {
        match self.look(after, observations) {
            Decision::Revised(revised) => *revised,
            other => panic!("no change: {other:?}"),
        }
    }
}

fn observed(states: &[Observed], seen: Timestamp) -> Vec<Observation> {
    let each = states.iter().cloned();
    each.map(|state| Observation { seen, state }).collect()
}

fn in_feed(title: &str) -> Observed {
    Observed::Feed(feed(title, "What is known of the matter so far."))
}

#[test]
fn an_edit_made_while_the_feed_leaves_its_text_out_is_an_edit() {
    let mut whole = feed("Harbour to cost more", "A summary.");
    whole.body = vec![Block::paragraph(
        "The harbour will cost 15 million, said the mayor.",
    )];
    let mut story = Story::begin(&[Observed::Feed(whole.clone())]);
    let without = feed("Harbour to cost much more", "A summary.");
    let first = story.change(MINUTE, &[Observed::Feed(without)]);
    assert_eq!(first.comparison.body, None, "leaving out is no edit");
    whole.title = Some("Harbour to cost much more".into());
    whole.body = vec![Block::paragraph(
        "The harbour will cost 95 million, said the mayor.",
    )];
    let second = story.change(MINUTE, &[Observed::Feed(whole)]);
    assert!(second.comparison.body.is_some());
    assert!(second.assessment.labels.contains(&Label::Number));
}

#[test]
fn an_edit_of_a_headline_that_a_page_has_left_out_once_is_an_edit() {
    let text = ["A paragraph of the page that stays as it is all the time.".to_owned()];
    let mut story = Story::begin(&[Observed::Page(page("Minister denies", &text))]);
    let mut without = page("Minister denies", &text);
    without.h1 = None;
    without.byline = Some("A. Reporter".into());
    story.change(MINUTE, &[Observed::Page(without)]);
    let mut back = page("Minister confirms", &text);
    back.og_title = Some("Minister denies".into());
    back.byline = Some("A. Reporter".into());
    let change = story.change(MINUTE, &[Observed::Page(back)]);
    assert_eq!(change.comparison.headlines.len(), 1);
    assert_eq!(change.quiet, None);
}

#[test]
fn two_returns_are_flapping_and_a_third_text_is_told() {
    let mut story = Story::begin(&[in_feed("Version A of it")]);
    let quiet: Vec<_> = ["B", "A", "B", "A", "B"]
        .iter()
        .map(|which| {
            let change = story.change(MINUTE, &[in_feed(&format!("Version {which} of it"))]);
            (
                change.quiet,
                change.begins_to_flap,
                change.revert_of.map(|n| n.0),
            )
        })
        .collect();
    let flapping = Some(Quiet::Flapping);
    assert_eq!(
        quiet,
        [
            (None, false, None),
            (None, false, Some(1)),
            (flapping, true, Some(2)),
            (flapping, false, Some(3)),
            (flapping, false, Some(4)),
        ]
    );
    let third = story.change(MINUTE, &[in_feed("Quite another headline now")]);
    assert_eq!((third.quiet, third.revert_of), (None, None));
    let back = story.change(MINUTE, &[in_feed("Version B of it")]);
    assert_eq!(
        back.quiet, None,
        "a first return after something new is told"
    );
}

#[test]
fn a_text_that_is_back_while_another_is_new_is_called_a_return_and_told() {
    let both = |title: &str, summary: &str| [Observed::Feed(feed(title, summary))];
    let mut story = Story::begin(&both("First headline of it", "What was known at first."));
    story.change(
        MINUTE,
        &both("Second headline of it", "What was known at first."),
    );
    let change = story.change(
        MINUTE,
        &both("First headline of it", "What nobody had known before."),
    );
    assert_eq!((change.quiet, change.revert_of), (None, None));
    assert!(change.assessment.labels.contains(&Label::Revert));
    let reasons = change.assessment.reasons.iter();
    let mut reasons = reasons.map(|reason| reason.text.as_str());
    assert!(reasons.any(|text| text == "one of the texts is back to revision 1"));
}

#[test]
fn three_variants_in_turn_are_flapping() {
    let mut story = Story::begin(&[in_feed("Version A of it")]);
    let told: Vec<_> = "BCABCABC"
        .chars()
        .map(|which| {
            let change = story.change(MINUTE, &[in_feed(&format!("Version {which} of it"))]);
            (change.quiet.is_none(), change.begins_to_flap)
        })
        .collect();
    let (told, begun): (Vec<bool>, Vec<bool>) = told.into_iter().unzip();
    assert_eq!(told, [true, true, true, false, false, false, false, false]);
    assert_eq!(begun.iter().filter(|begun| **begun).count(), 1);
}

#[test]
fn slow_flapping_is_told_once() {
    let mut story = Story::begin(&[in_feed("Version A of it")]);
    let begun = ["B", "A"].iter().cycle().take(40).filter(|which| {
        let title = format!("Version {which} of it");
        story
            .change(Duration::from_hours(20), &[in_feed(&title)])
            .begins_to_flap
    });
    assert_eq!(begun.count(), 1);
}

#[test]
fn an_edit_beside_a_flapping_headline_is_told_and_the_headline_stays_quiet() {
    let text = |number: u32| {
        [format!(
            "At least {number} people were hurt, the fire service said on Monday."
        )]
    };
    let mut story = Story::begin(&[
        in_feed("Version A of it"),
        Observed::Page(page("A page", &text(12))),
    ]);
    for which in ["B", "A", "B", "A"] {
        story.change(MINUTE, &[in_feed(&format!("Version {which} of it"))]);
    }
    let edit = story.change(MINUTE, &[Observed::Page(page("A page", &text(21)))]);
    assert_eq!(edit.quiet, None);
    let turn = story.change(MINUTE, &[in_feed("Version B of it")]);
    assert_eq!(turn.quiet, Some(Quiet::Flapping));
    assert!(!turn.begins_to_flap);
    let both = story.change(
        MINUTE,
        &[
            in_feed("Version A of it"),
            Observed::Page(page("A page", &text(27))),
        ],
    );
    assert_eq!(both.quiet, None, "the edit of the text is new");
}

#[test]
fn headlines_for_sharing_and_by_lines_flap_too() {
    let text = ["A paragraph of the page that stays as it is all the time.".to_owned()];
    let with = |og: &str, byline: Option<&str>| {
        let mut page = page("The headline", &text);
        page.og_title = Some(og.into());
        page.byline = byline.map(str::to_owned);
        [Observed::Page(page)]
    };
    let mut story = Story::begin(&with("Variant one", None));
    let quiet: Vec<bool> = ["two", "one", "two", "one"]
        .iter()
        .map(|og| {
            story
                .change(MINUTE, &with(&format!("Variant {og}"), None))
                .quiet
                .is_some()
        })
        .collect();
    assert_eq!(quiet, [false, false, true, true]);
    let quiet: Vec<bool> = [Some("A. Reporter"), None, Some("A. Reporter"), None]
        .iter()
        .map(|byline| {
            story
                .change(MINUTE, &with("Variant one", *byline))
                .quiet
                .is_some()
        })
        .collect();
    assert_eq!(quiet, [false, false, true, true]);
}

#[test]
fn a_headline_that_another_channel_takes_up_later_is_an_echo() {
    let text = ["A paragraph of the page that stays as it is all the time.".to_owned()];
    let at = |h1: &str, og: &str| {
        let mut page = page(h1, &text);
        page.og_title = Some(og.into());
        Observed::Page(page)
    };
    let mut story = Story::begin(&[
        in_feed("Minister denies"),
        at("Minister denies", "Minister denies"),
    ]);
    assert_eq!(
        story.change(MINUTE, &[in_feed("Minister confirms")]).quiet,
        None
    );
    let page = story.change(MINUTE, &[at("Minister confirms", "Minister denies")]);
    assert_eq!(page.quiet, Some(Quiet::Echo));
    let sharing = story.change(MINUTE, &[at("Minister confirms", "Minister confirms")]);
    assert_eq!(sharing.quiet, Some(Quiet::Echo));
    let own = story.change(MINUTE, &[at("Minister confirms", "What the minister said")]);
    assert_eq!(own.quiet, None);
}

#[test]
fn addresses_that_never_stay_are_not_told_for_ever() {
    let at = |token: usize| {
        let mut state = feed("A headline", "A summary.");
        state.address = Some(format!("https://n.example/go?to={token}"));
        [Observed::Feed(state)]
    };
    let mut story = Story::begin(&at(0));
    let told = (1..5).filter(|token| story.change(MINUTE, &at(*token)).quiet.is_none());
    assert_eq!(told.count(), 1);
    for token in 5..9 {
        let quiet = story.look(MINUTE, &at(token));
        assert!(matches!(quiet, Decision::Unchanged { .. }), "{quiet:?}");
    }
}

fn post(number: usize) -> String {
    format!(
        "{number}:05 — Officials said in post {number} that the road stays closed until further notice."
    )
}

fn live(posts: impl IntoIterator<Item = usize>) -> [Observed; 1] {
    let posts: Vec<String> = posts.into_iter().map(post).collect();
    [Observed::Page(page("Storm: live", &posts))]
}

#[test]
fn additions_to_a_live_article_are_summed_up() {
    let mut story = Story::begin(&live((0..10).rev()));
    let told: Vec<bool> = (11..31)
        .map(|last| {
            let change = story.change(5 * MINUTE, &live((0..last).rev()));
            assert!(change.additive);
            change.quiet != Some(Quiet::Digest)
        })
        .collect();
    assert_eq!(told.iter().filter(|told| **told).count(), 4);
    assert!(told[..4].iter().all(|told| *told));
}

#[test]
fn a_live_page_that_shows_only_its_newest_posts_is_added_to() {
    let mut story = Story::begin(&live((0..20).rev()));
    for last in 21..30 {
        let change = story.change(5 * MINUTE, &live((last - 20..last).rev()));
        assert!(change.additive, "{last}");
    }
}

#[test]
fn an_edit_inside_a_live_article_is_told() {
    let mut story = Story::begin(&live((0..10).rev()));
    for last in 11..20 {
        story.change(5 * MINUTE, &live((0..last).rev()));
    }
    let mut posts: Vec<String> = (0..20).rev().map(post).collect();
    posts[5] = posts[5].replace("stays closed", "does not stay closed");
    let edit = story.change(MINUTE, &[Observed::Page(page("Storm: live", &posts))]);
    assert!(!edit.additive);
    assert_eq!(edit.quiet, None);
    posts.remove(9);
    let removal = story.change(MINUTE, &[Observed::Page(page("Storm: live", &posts))]);
    assert_eq!(removal.quiet, None);
    let headline = story.change(
        MINUTE,
        &[Observed::Page(page("Storm: as it happened", &posts))],
    );
    assert_eq!(headline.quiet, None);
    let mut noticed = posts.clone();
    noticed.insert(
        0,
        "Correction: an earlier version of this article gave a wrong number of roads.".into(),
    );
    let notice = story.change(
        MINUTE,
        &[Observed::Page(page("Storm: as it happened", &noticed))],
    );
    assert_eq!(notice.quiet, None, "a correction is told by itself");
}

#[test]
fn a_word_put_into_a_paragraph_is_no_addition() {
    let mut story = Story::begin(&live(0..3));
    let mut posts: Vec<String> = (0..3).map(post).collect();
    posts[1] = posts[1].replace("the road", "the northern road");
    let change = story.change(MINUTE, &[Observed::Page(page("Storm: live", &posts))]);
    assert!(!change.additive);
    posts[1].push_str(" The railway runs again since noon.");
    let change = story.change(MINUTE, &[Observed::Page(page("Storm: live", &posts))]);
    assert!(change.additive);
}

#[test]
fn the_same_look_twice_changes_nothing() {
    let mut story = Story::begin(&[in_feed("A headline")]);
    story.change(MINUTE, &[in_feed("Another headline")]);
    assert!(matches!(
        story.look(MINUTE, &[in_feed("Another headline")]),
        Decision::Unchanged {
            date_touched: false,
            ..
        }
    ));
    assert_eq!(story.known.revision, RevisionNumber(2));
}

/// Makes the last change wait for further checks.
fn keep_waiting(story: &mut Story) {
    story.known.past.last_mut().unwrap().quiet = Some(Quiet::Waiting);
}

#[test]
fn what_alternates_at_every_check_flaps_at_its_second_return_and_a_stale_copy_does_not() {
    let one = Observed::Page(page("A", &["It costs 999 dollars.".to_owned()]));
    let other = Observed::Page(page("A", &["It costs 1,099 euros.".to_owned()]));
    for (rests, quiet) in [(false, Quiet::Flapping), (true, Quiet::Unconfirmed)] {
        let mut story = Story::begin(std::slice::from_ref(&one));
        story.change(MINUTE, std::slice::from_ref(&other));
        if rests {
            story.look(MINUTE, std::slice::from_ref(&other));
        }
        story.change(MINUTE, std::slice::from_ref(&one));
        keep_waiting(&mut story);
        let again = story.change(MINUTE, std::slice::from_ref(&other));
        assert_eq!(
            (again.quiet, again.begins_to_flap),
            (Some(quiet), !rests),
            "rests: {rests}"
        );
        let third = story.change(MINUTE, std::slice::from_ref(&one));
        assert_eq!(third.quiet, Some(Quiet::Flapping));
        // Reported once in either case.
        assert_eq!(third.begins_to_flap, rests);
    }
}
