//! Properties of learning and of what rules leave.

use proptest::prelude::*;

use super::*;

proptest! {
    // Evidence is verified against the stored texts, so a diff has to list the parts that it does not show.
    #[test]
    fn a_diff_with_what_it_left_out_is_the_stored_text(
        old in proptest::collection::vec(0..9_usize, 1..7),
        new in proptest::collection::vec(0..9_usize, 1..7),
        (texts, ignore) in any::<(bool, bool)>(),
    ) {
        let said = [
            "The harbour was rebuilt in a year.",
            "The harbour was rebuilt in two years.",
            "Follow us for more",
            "12 people are reading this",
            "80 people are reading this",
            "They voted (10 views)",
            "They voted (11 views)",
            "(12 views)",
            "Advertisement",
        ];
        let state = |picks: &[usize]| {
            let mut state = page(&picks.iter().map(|pick| said[*pick]).collect::<Vec<_>>());
            for block in &mut state.page.as_mut().unwrap().body {
                if block.text == "Advertisement" {
                    block.kind = BlockKind::Furniture;
                }
            }
            state
        };
        let (old, new) = (state(&old), state(&new));
        let mut rules = Vec::new();
        if texts {
            rules.push(rule(1, RuleKind::Text, "Follow us for more"));
            rules.push(rule(2, RuleKind::Template, "12 people are reading this"));
        }
        if ignore {
            rules.push(rule(3, RuleKind::Ignore, r"\(\d+ views\)"));
        }
        if let Some(diff) = compare_under(&old, &new, &Rules::of(&rules)).and_then(|found| found.body) {
            let side = |number: fn(&BlockDiff) -> Option<u32>, text: fn(&[Segment]) -> String| {
                let mut blocks: Vec<(u32, String)> = diff
                    .blocks
                    .iter()
                    .filter_map(|block| Some((number(block)?, text(&block.segments))))
                    .collect();
                blocks.sort();
                blocks
            };
            let (before, after) = (
                side(|block| block.from, Segment::old_side),
                side(|block| block.to, Segment::new_side),
            );
            let stored = compared(old.body(), &diff.left_out.before);
            prop_assert_eq!(before.len(), stored.len());
            for ((_, shown), (_, text)) in before.iter().zip(stored) {
                prop_assert_eq!(shown, text);
            }
            let stored = compared(new.body(), &diff.left_out.after);
            prop_assert_eq!(after.len(), stored.len());
            for ((_, shown), (number, text)) in after.iter().zip(stored) {
                prop_assert!(shown == text || diff.left_out.as_before.contains(&number));
            }
        }
    }
}

fn sentence() -> impl Strategy<Value = String> {
    "[A-Z][a-z]{2,8}( [a-z]{2,8}){4,9} [0-9]{1,3}\\."
}

proptest! {
    /// Edits to a single article are never learned, however often they happen.
    #[test]
    fn what_one_article_does_is_never_learned(
        edits in proptest::collection::vec(sentence(), 1..6),
        articles in 1_usize..12,
    ) {
        let edit = |article: usize, look: usize| {
            if article == 0 { vec![edits[look % edits.len()].clone()] } else { Vec::new() }
        };
        prop_assert_eq!(kinds(&site(articles, 6, edit)), []);
    }

    /// What was learned from all articles never removes a sentence that only one of them has.
    #[test]
    fn a_sentence_of_one_article_always_counts(
        sentences in proptest::collection::hash_set(sentence(), 12),
        counter in 0_usize..1000,
    ) {
        let sentences: Vec<String> = sentences.into_iter().collect();
        let articles = site(12, 4, |article, look| {
            vec![
                format!("{} people have shared this page", counter + article * 3 + look),
                sentences[article].clone(),
                "Follow our channel for more from the region".to_owned(),
            ]
        });
        let learned = learn(&articles, &Rules::default(), Channel::Page);
        prop_assert!(!learned.is_empty());
        let rules = learned_rules(&learned);
        for sentence in &sentences {
            prop_assert_eq!(rules.rule_of(sentence), None);
        }
    }

    /// Whatever was learned about a site, an edit of a kind that never occurred before is a change.
    #[test]
    fn an_edit_that_the_evidence_never_showed_is_a_change(
        readers in 1_usize..5000,
        severity in 10_usize..99,
        which in 0_usize..12,
        edit in 0_usize..9,
    ) {
        let standing = "There is no fix for this flaw at this time.";
        let line = |article: usize, readers: usize, severity: usize| {
            let severity = severity + article;
            format!("Seen by {readers} people in district {article}, severity {}.{} of 10", severity / 10, severity % 10)
        };
        let between = |article: usize, look: usize| {
            let mut texts = vec![line(article, readers + article * 7 + look, severity), standing.to_owned()];
            // A box that is shown on a third of the pages, and comes and goes.
            if (article + look).is_multiple_of(3) {
                texts.push("Read the news of the day in our app".to_owned());
            }
            texts
        };
        let articles = site(12, 5, between);
        let learned = learn(&articles, &Rules::default(), Channel::Page);
        let rules = learned_rules(&learned);
        let state = |blocks: Vec<Block>| EntryState {
            feed: None,
            page: Some(PageState { h1: Some("A headline".to_owned()), body: blocks, ..PageState::default() }),
        };
        let old = articles[which].texts.last().unwrap().1.clone();
        let same = |blocks: &[Block]| compare_under(&state(old.clone()), &state(blocks.to_vec()), &rules).is_none();
        // A movement that did occur before is ignored.
        let mut moved = old.clone();
        let at = old.iter().position(|block| block.text.starts_with("Seen by")).unwrap();
        moved[at].text = line(which, readers + which * 7 + 40, severity);
        prop_assert!(same(&moved), "{learned:?}");
        let mut edited = moved.clone();
        let text = edited[at].text.clone();
        match edit {
            0 => edited[at].text = line(which, readers, severity + 1),
            1 => edited[at].text = text.replace("people", "machines"),
            2 => edited[at].text = text.replace(&format!("district {which}"), &format!("district {}", which + 1)),
            3 => edited[at].text = text.replace("Seen by ", "Seen by 0."),
            4 => edited[at].text = text.replace("of 10", "of 100"),
            5 => drop(edited.remove(at)),
            6 => edited.retain(|block| block.text != standing),
            7 => edited.iter_mut().for_each(|block| block.text = block.text.replace("is no fix", "is a fix")),
            _ => edited.insert(at, Block::paragraph(standing)),
        }
        prop_assert!(!same(&edited), "{edited:?} under {learned:?}");
    }

    /// Whichever line moved, in however many articles and checks: an edit to anything that never moved is a change.
    #[test]
    fn an_edit_beside_what_moved_is_a_change(
        words in proptest::collection::vec("[a-z]{5,9}", 4..9),
        (articles, looks) in (5_usize..14, 3_usize..7),
        (first, step) in (1_usize..900, 1_usize..90),
        fixed in 1_usize..900,
        which in any::<proptest::sample::Index>(),
        edited_word in any::<proptest::sample::Index>(),
        edit in 0_usize..4,
    ) {
        let line = |words: &[String], moving: usize, fixed: usize| {
            let (head, rest) = words.split_at(2);
            format!("{} {moving} {} {fixed} {}", head[0], head[1], rest.join(" "))
        };
        let moving = |article: usize, look: usize| first + article * 31 + look * step;
        let between = |article, look| vec![line(&words, moving(article, look), fixed + article)];
        let past = site(articles, looks, between);
        let learned = learn(&past, &Rules::default(), Channel::Page);
        let rules = learned_rules(&learned);
        let state = |blocks: Vec<Block>| EntryState {
            feed: None,
            page: Some(PageState { body: blocks, ..PageState::default() }),
        };
        let which = which.index(articles);
        let old = past[which].texts.last().unwrap().1.clone();
        let known = line(&words, moving(which, looks - 1), fixed + which);
        let at = old.iter().position(|block| block.text == known).unwrap();
        let later = moving(which, looks + 3);
        let changed = |new: Vec<Block>| compare_under(&state(old.clone()), &state(new), &rules).is_some();
        let with = |text: String| {
            let mut new = old.clone();
            new[at].text = text;
            new
        };
        // The moving line is ignored as soon as a rule is learned from it, and no other line gives a rule.
        prop_assert_eq!(changed(with(line(&words, later, fixed + which))), learned.is_empty());
        prop_assert!(learned.len() <= 1, "{learned:?}");
        let mut other = words.clone();
        other[edited_word.index(words.len())].push_str("xq");
        let edited = match edit {
            0 => with(line(&other, later, fixed + which)),
            1 => with(line(&words, later, fixed + which + 1)),
            2 => with(format!("{} too", line(&words, later, fixed + which))),
            _ => {
                let mut new = old.clone();
                new.remove(at);
                new
            }
        };
        prop_assert!(changed(edited.clone()), "{edited:?} under {learned:?}");
    }

    /// Under the same rules, equal fingerprints mean no difference and vice versa, and nothing differs from itself.
    #[test]
    fn what_counts_is_hashed_and_compared_alike(
        old in proptest::collection::vec("(a|b|12 views of it all|13 views of it all|x1)", 0..5),
        new in proptest::collection::vec("(a|b|12 views of it all|13 views of it all|x2)", 0..5),
    ) {
        let rules = Rules::of(&[
            rule(1, RuleKind::Template, "12 views of it all"),
            rule(2, RuleKind::Text, "b"),
            rule(3, RuleKind::Ignore, "[0-9]"),
        ]);
        let old: Vec<&str> = old.iter().map(String::as_str).collect();
        let new: Vec<&str> = new.iter().map(String::as_str).collect();
        let (old, new) = (page(&old), page(&new));
        let same = Fingerprints::of(&rules.counted(&old)) == Fingerprints::of(&rules.counted(&new));
        prop_assert_eq!(compare_under(&old, &new, &rules).is_none(), same);
        prop_assert_eq!(compare_under(&old, &old, &rules), None);
    }

    /// A state that no rule touches stays the same; counters need no rule.
    #[test]
    fn without_rules_nothing_is_taken_away(texts in proptest::collection::vec(".{1,20}", 0..5)) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        prop_assume!(texts.iter().all(|text| counter::parts(text, true).is_empty()));
        let state = page(&texts);
        prop_assert_eq!(Rules::default().counted(&state).into_owned(), state);
    }

    /// Any expression on any text terminates without a panic.
    #[test]
    fn nothing_panics(pattern in ".{0,40}", text in ".{0,60}") {
        let usable = check_pattern(RuleKind::Ignore, &pattern).is_ok();
        let rules = Rules::of(&[rule(1, RuleKind::Ignore, &pattern), rule(2, RuleKind::Template, &text)]);
        let _ = rules.rule_of(&text);
        prop_assert!(usable || rules.rule_of("x") != Some(RuleId(1)));
    }
}
