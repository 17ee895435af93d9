use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::domain::fingerprint::of_feed_state;
use crate::domain::ids::EntryId;
use crate::domain::outcome::{AliasKey, AliasKind, EntryRef};
use crate::domain::state::Block;
use crate::time::Timestamp;

fn item(guid: &str, address: &str, title: &str) -> FeedState {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    FeedState {
        guid: some(guid),
        address: some(address),
        title: some(title),
        ..FeedState::default()
    }
}

type Table = HashMap<AliasKey, Owner>;

fn known(pairs: &[(AliasKind, &str, i64)]) -> Table {
    let each = pairs.iter().map(|(kind, value, id)| {
        let key = AliasKey {
            kind: *kind,
            value: (*value).to_owned(),
        };
        let owner = Owner {
            entry: EntryId(*id),
            pinned: false,
        };
        (key, owner)
    });
    each.collect()
}

fn by_name(items: &[FeedState], known: &Table) -> Vec<Identified> {
    let named = name_items(items, true, &HashSet::new()).items;
    Matching::by_name(&named, known).finish()
}

#[test]
fn a_repeated_item_counts_once() {
    let items = [
        item("g", "https://e.example/1", "A"),
        item("g", "https://e.example/1", "A"),
        item("h", "https://e.example/2", "C"),
    ];
    let Names {
        items: named,
        guids_trusted: trusted,
    } = name_items(&items, true, &HashSet::new());
    assert!(trusted);
    assert_eq!(named.iter().map(|n| n.index).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn a_guid_used_for_two_addresses_is_never_trusted_again() {
    let items = [
        item("g", "https://e.example/1", "A"),
        item("g", "https://e.example/2", "B"),
    ];
    let Names {
        items: named,
        guids_trusted: trusted,
    } = name_items(&items, true, &HashSet::new());
    assert!(!trusted);
    assert_eq!(named.len(), 2);
    assert!(
        named
            .iter()
            .all(|n| n.keys.iter().all(|key| key.kind == AliasKind::Address))
    );
    let later = name_items(&items[..1], trusted, &HashSet::new()).guids_trusted;
    assert!(!later);
}

#[test]
fn an_address_shared_by_several_guids_names_none_of_them() {
    let items = [
        item("1", "https://e.example/", "A"),
        item("2", "https://e.example/", "B"),
    ];
    let named = name_items(&items, true, &HashSet::new()).items;
    assert_eq!(named.len(), 2);
    assert!(
        named
            .iter()
            .all(|n| n.keys.iter().all(|key| key.kind == AliasKind::Guid))
    );
}

#[test]
fn a_new_address_under_a_known_guid_is_the_same_entry() {
    let items = [item("g", "https://e.example/new", "A")];
    let found = by_name(&items, &known(&[(AliasKind::Guid, "g", 7)]));
    assert_eq!(found[0].entry, EntryRef::Known(EntryId(7)));
    assert!(found[0].doubtful);
    assert_eq!(found[0].new_aliases[0].reason, "same guid, new address");
}

#[test]
fn amp_and_mobile_addresses_lead_to_the_entry_of_the_page() {
    let table = known(&[(AliasKind::Address, "https://e.example/a/1", 7)]);
    for address in [
        "https://m.e.example/a/1",
        "http://amp.e.example/a/1?utm_source=x",
        "https://www.e.example/a/1/amp/",
        "https://www.e.example/a/1.amp",
        "https://e.example/a/1?outputType=amp",
        "https://e-example.cdn.ampproject.org/c/s/e.example/a/1/amp",
    ] {
        let found = by_name(&[item("", address, "A")], &table);
        assert_eq!(found[0].entry, EntryRef::Known(EntryId(7)), "{address}");
    }
    let found = by_name(&[item("", "https://e.example/amp", "A")], &table);
    assert_eq!(found[0].entry, EntryRef::New);
}

#[test]
fn two_items_never_claim_one_entry() {
    let items = [
        item("a", "https://e.example/x", "A"),
        item("b", "https://e.example/y", "B"),
    ];
    let table = known(&[(AliasKind::Guid, "a", 7), (AliasKind::Guid, "b", 7)]);
    let found = by_name(&items, &table);
    assert_eq!(found[0].entry, EntryRef::Known(EntryId(7)));
    assert_eq!(found[1].entry, EntryRef::New);
    let takes_its_name = |alias: &&crate::domain::outcome::NewAlias| alias.key.value == "b";
    assert_eq!(
        found[1].new_aliases.iter().filter(takes_its_name).count(),
        1,
        "or it would be a new entry at every look"
    );
}

#[test]
fn a_name_that_a_person_has_given_goes_first() {
    let mut table = known(&[(AliasKind::Guid, "g", 7)]);
    table.insert(
        AliasKey {
            kind: AliasKind::Address,
            value: "https://e.example/other".into(),
        },
        Owner {
            entry: EntryId(8),
            pinned: true,
        },
    );
    let found = by_name(&[item("g", "https://e.example/other", "A")], &table);
    assert_eq!(found[0].entry, EntryRef::Known(EntryId(8)));
    assert_eq!(found[0].new_aliases, []);
}

fn candidate(id: i64, state: &FeedState) -> Candidate {
    let prints = of_feed_state(state);
    Candidate {
        id: EntryId(id),
        title: prints.title,
        text: prints.summary,
        telling: state.summary.iter().map(|b| b.text.len()).sum::<usize>() >= 400,
        published: state.published,
        listed: true,
    }
}

fn story(guid: &str, address: &str, title: &str, text: &str, published: i64) -> FeedState {
    let mut item = item(guid, address, title);
    item.summary = vec![Block::paragraph(text)];
    item.published = (published > 0).then(|| Timestamp::from_unix(published));
    item
}

/// Identifies `new` when the entries of `old` are known and have disappeared from the feed.
fn adopt(old: &[FeedState], new: &[FeedState]) -> Vec<EntryRef> {
    adopt_in(old, new, false)
}

/// Like [`adopt`], in a feed that `renames` its items.
fn adopt_in(old: &[FeedState], new: &[FeedState], renames: bool) -> Vec<EntryRef> {
    let named = name_items(new, true, &HashSet::new()).items;
    let names = Table::new();
    let mut matching = Matching::by_name(&named, &names).renaming(renames);
    let recent: Vec<Candidate> = (1..)
        .zip(old)
        .map(|(id, state)| candidate(id, state))
        .collect();
    matching.by_content(&recent, |index| candidate(0, &new[index]));
    let vanished: Vec<(EntryId, FeedState)> = (1..).map(EntryId).zip(old.iter().cloned()).collect();
    matching.by_likeness(new, &vanished);
    matching
        .finish()
        .into_iter()
        .map(|found| found.entry)
        .collect()
}

const DAY: i64 = 86_400;
const NOW: i64 = 1_800_000_000;

#[test]
fn an_unnamed_item_is_adopted_only_when_one_entry_fits() {
    let old = story(
        "1",
        "https://e.example/1",
        "Bridge closed",
        "The river rose.",
        NOW,
    );
    let new = story(
        "x",
        "https://e.example/x",
        "Bridge closed",
        "The river rose.",
        NOW,
    );
    let known = EntryRef::Known(EntryId(1));
    assert_eq!(
        adopt(std::slice::from_ref(&old), std::slice::from_ref(&new)),
        [known]
    );
    let twin = story(
        "2",
        "https://e.example/2",
        "Bridge closed",
        "The river rose.",
        NOW,
    );
    assert_eq!(adopt(&[old, twin], &[new]), [EntryRef::New]);
}

#[test]
fn a_column_of_every_day_is_a_new_entry_every_day() {
    let day = |n: i64| {
        let address = format!("https://e.example/papers/{n}");
        let text = "A look at the front pages of the newspapers this morning.";
        story(
            &n.to_string(),
            &address,
            "What the papers say",
            text,
            NOW + n * DAY,
        )
    };
    assert_eq!(adopt(&[day(0)], &[day(1)]), [EntryRef::New]);
    assert_eq!(adopt(&[day(0), day(1)], &[day(2)]), [EntryRef::New]);
}

#[test]
fn the_long_text_that_stands_under_every_episode_tells_none() {
    let blurb = "A show about the sea, with stories from ports near and far. ".repeat(10);
    let episode = |n: i64, title: &str| {
        story(
            &n.to_string(),
            &format!("https://e.example/{n}"),
            title,
            &blurb,
            NOW + n * 7 * DAY,
        )
    };
    let old = [
        episode(0, "The lighthouse keeper"),
        episode(1, "Ropes and knots"),
    ];
    assert_eq!(
        adopt(&old, &[episode(2, "A night on the ferry")]),
        [EntryRef::New]
    );
    assert_eq!(
        adopt(&old[1..], &[episode(2, "A night on the ferry")]),
        [EntryRef::New]
    );
}

#[test]
fn a_feed_that_moves_as_a_whole_keeps_its_entries() {
    let old: Vec<FeedState> = (0..8)
        .map(|n| {
            let (guid, address) = (
                format!("http://old.example/?p={n}"),
                format!("http://old.example/{n}.html"),
            );
            story(
                &guid,
                &address,
                &format!("Council decides on case {n}"),
                "In brief.",
                NOW + n,
            )
        })
        .collect();
    // Other guids, other addresses, and the dates of the migration.
    let new: Vec<FeedState> = (0..8)
        .rev()
        .map(|n| {
            let address = format!("https://new.example/news/council-{n}");
            story(
                &address,
                &address,
                &format!("Council decides on case {n}"),
                "In brief.",
                NOW + 9 * DAY,
            )
        })
        .collect();
    let expected: Vec<EntryRef> = (1..=8)
        .rev()
        .map(|id| EntryRef::Known(EntryId(id)))
        .collect();
    assert_eq!(adopt(&old, &new), expected);
}

#[test]
fn an_entry_under_new_names_and_in_other_words_is_found_by_its_likeness() {
    let text = "Thousands of homes in the northern valleys are without power after the storm of the night.";
    let old = story(
        "1",
        "https://e.example/1",
        "Storm leaves thousands without power",
        text,
        NOW + 60,
    );
    let edited = text.replace("Thousands", "Tens of thousands");
    let title = "Storm leaves tens of thousands without power";
    let new = story("x", "https://e.example/x", title, &edited, NOW + 60);
    let other = story(
        "y",
        "https://e.example/y",
        "Champions beaten at home again",
        "The manager blamed injuries and a late penalty.",
        NOW + 60,
    );
    let known = EntryRef::Known(EntryId(1));
    assert_eq!(
        adopt(std::slice::from_ref(&old), &[other, new.clone()]),
        [EntryRef::New, known]
    );
    // Two equally similar candidates: neither is adopted.
    let mut twin = old.clone();
    twin.guid = Some("2".into());
    assert_eq!(
        adopt(&[old.clone(), twin], std::slice::from_ref(&new)),
        [EntryRef::New]
    );
    // The same headline with another time of the same day is the same item only in a feed that changes its guids.
    let mut renewed = old.clone();
    renewed.guid = Some("3".into());
    renewed.published = Some(Timestamp::from_unix(NOW + 900));
    renewed.summary = new.summary.clone();
    let one = std::slice::from_ref(&old);
    assert_eq!(adopt(one, std::slice::from_ref(&renewed)), [EntryRef::New]);
    assert_eq!(adopt_in(one, &[renewed], true), [known]);
    // A follow-up on the next day.
    let mut later = new;
    later.published = Some(Timestamp::from_unix(NOW + DAY));
    assert_eq!(adopt(&[old], &[later]), [EntryRef::New]);
}

#[test]
fn bulletins_that_differ_in_a_word_are_two() {
    let bulletin = |n: i64, place: &str| {
        let text = format!(
            "An earthquake of magnitude 4 was recorded near {place}, at a depth of ten kilometres."
        );
        let title = format!("Earthquake of magnitude 4 near {place}");
        let mut item = story(
            &n.to_string(),
            &format!("https://e.example/{n}"),
            &title,
            &text,
            NOW,
        );
        item.published = item
            .published
            .map(|at| at + std::time::Duration::from_secs(60 * n.unsigned_abs()));
        item
    };
    let (first, second) = (bulletin(1, "Northport"), bulletin(2, "Easthaven"));
    assert_eq!(
        adopt(std::slice::from_ref(&first), std::slice::from_ref(&second)),
        [EntryRef::New]
    );
    let undated = |mut item: FeedState| {
        item.published = None;
        item
    };
    assert_eq!(
        adopt(&[undated(first)], &[undated(second)]),
        [EntryRef::New]
    );
}

#[test]
fn the_same_short_description_under_another_headline_is_another_entry() {
    let old = story(
        "1",
        "https://e.example/1",
        "Match report",
        "Read all about it here.",
        NOW,
    );
    let new = story(
        "2",
        "https://e.example/2",
        "Weather outlook",
        "Read all about it here.",
        NOW,
    );
    assert_eq!(adopt(&[old], &[new]), [EntryRef::New]);
}

#[test]
fn a_reused_guid_is_another_story() {
    let mut old = item("g", "", "Floods hit the northern valleys");
    old.summary = vec![Block::paragraph(
        "Thousands of homes are without power after storms.",
    )];
    let mut new = item("g", "", "Champions beaten at home again");
    new.summary = vec![Block::paragraph(
        "The manager blamed injuries and a late penalty.",
    )];
    assert!(!same_story(&old, &new));
    old.published = Some(Timestamp::from_unix(NOW));
    new.published = old.published;
    assert!(
        same_story(&old, &new),
        "rewritten as a whole, with its date"
    );
    new.published = None;
    new.title = Some("Floods hit northern valleys, two missing".to_owned());
    assert!(same_story(&old, &new));
    let (old, new) = (
        item("g", "", "大臣が報告を認めた"),
        item("g", "", "大臣が報告を否定した"),
    );
    assert!(same_story(&old, &new));
}

fn a_feed() -> impl Strategy<Value = Vec<FeedState>> {
    let one = (0..6_u8, 0..6_u8, 0..4_u8).prop_map(|(guid, address, title)| {
        story(
            &format!("g{guid}"),
            &format!("https://e.example/{address}"),
            &format!("A headline about the case number {title}"),
            "In brief, what is known of it.",
            NOW,
        )
    });
    // Items with the same guid are distinguished only by their order.
    prop::collection::vec(one, 0..6).prop_map(|mut items| {
        items.sort_by(|a, b| a.guid.cmp(&b.guid));
        items.dedup_by(|a, b| a.guid == b.guid);
        items
    })
}

fn a_table() -> impl Strategy<Value = Table> {
    let one = (any::<bool>(), 0..6_u8, 1..5_i64, any::<bool>());
    prop::collection::vec(one, 0..8).prop_map(|rows| {
        let each = rows.into_iter().map(|(guid, n, entry, pinned)| {
            let (kind, value) = match guid {
                true => (AliasKind::Guid, format!("g{n}")),
                false => (AliasKind::Address, format!("https://e.example/{n}")),
            };
            let owner = Owner {
                entry: EntryId(entry),
                pinned,
            };
            (AliasKey { kind, value }, owner)
        });
        each.collect()
    })
}

fn entries(items: &[FeedState], table: &Table, old: &[FeedState]) -> HashMap<String, EntryRef> {
    let named = name_items(items, true, &HashSet::new()).items;
    let mut matching = Matching::by_name(&named, table);
    let recent: Vec<Candidate> = (1..)
        .zip(old)
        .map(|(id, state)| candidate(id, state))
        .collect();
    matching.by_content(&recent, |index| candidate(0, &items[index]));
    let vanished: Vec<_> = (1..).map(EntryId).zip(old.iter().cloned()).collect();
    matching.by_likeness(items, &vanished);
    let found = matching.finish().into_iter();
    found
        .map(|found| {
            (
                items[found.index].guid.clone().unwrap_or_default(),
                found.entry,
            )
        })
        .collect()
}

proptest! {
    #[test]
    fn the_order_of_the_items_does_not_matter(
        (items, shuffled) in a_feed().prop_flat_map(|items| (Just(items.clone()), Just(items).prop_shuffle())),
        table in a_table(),
        old in a_feed(),
    ) {
        prop_assert_eq!(entries(&items, &table, &old), entries(&shuffled, &table, &old));
    }

    #[test]
    fn no_two_items_are_the_same_entry(items in a_feed(), table in a_table(), old in a_feed()) {
        let mut seen = Vec::new();
        for entry in entries(&items, &table, &old).into_values() {
            prop_assert!(entry == EntryRef::New || !seen.contains(&entry));
            seen.push(entry);
        }
    }

    #[test]
    fn tracking_parameters_change_nothing(items in a_feed(), table in a_table(), source in "[a-z]{1,6}") {
        let mut tracked = items.clone();
        for item in &mut tracked {
            item.address = item.address.take().map(|address| format!("{address}?utm_source={source}#top"));
        }
        prop_assert_eq!(entries(&items, &table, &[]), entries(&tracked, &table, &[]));
    }

    #[test]
    fn after_a_look_every_name_leads_to_its_entry(items in a_feed(), mut table in a_table()) {
        let look = |table: &Table| {
            let named = name_items(&items, true, &HashSet::new()).items;
            Matching::by_name(&named, table).finish()
        };
        for (fresh, found) in (100..).zip(look(&table)) {
            let entry = match found.entry {
                EntryRef::Known(entry) => entry,
                EntryRef::New => EntryId(fresh),
            };
            for alias in found.new_aliases {
                if !table.get(&alias.key).is_some_and(|owner| owner.pinned) {
                    table.insert(alias.key, Owner { entry, pinned: false });
                }
            }
        }
        let new: Vec<_> = look(&table).into_iter().filter(|found| found.entry == EntryRef::New).collect();
        prop_assert!(new.is_empty() || table.values().any(|owner| owner.pinned), "{:?}", new);
    }
}
