use std::time::Duration;

use proptest::prelude::*;

use super::*;

const RULE: LifeRule = LifeRule {
    checks: 3,
    after: Duration::from_hours(6),
    confirm: Duration::from_mins(10),
};

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_unix(1_795_000_000 + minutes * 60)
}

fn print(number: u8) -> Fingerprint {
    Fingerprint([number; 16])
}

/// A page and its remembered state, as the store keeps it.
struct Watched {
    life: PageLife,
    looks: Looks,
    /// The reported events, with the minutes of their windows.
    told: Vec<String>,
}

impl Watched {
    fn new() -> Self {
        Self {
            life: PageLife::default(),
            looks: Looks {
                ok: Some(at(0)),
                failures: 0,
            },
            told: Vec::new(),
        }
    }

    fn look(&mut self, minutes: i64, sight: Sight) -> LifeVerdict {
        let now = at(minutes);
        let verdict = judge(&self.life, self.looks, sight, &RULE, now);
        let minute = |at: Timestamp| (at.as_millis() / 1000 - 1_795_000_000) / 60;
        let span = |window: &Window| {
            let (from, to) = (minute(window.last_unchanged), minute(window.first_changed));
            format!("{from}–{to} {}/{}", window.failed_checks, window.checks)
        };
        match &verdict.step {
            LifeStep::Read {
                confirmed,
                restored,
            } => {
                if let Some(window) = restored {
                    self.told.push(format!("restored {}", span(window)));
                }
                if let Some(held) = confirmed {
                    self.told.push(format!("confirmed {}", minute(held.since)));
                }
                self.looks = Looks {
                    ok: Some(now),
                    failures: 0,
                };
            }
            LifeStep::Removed(window) => {
                self.told.push(format!("removed {}", span(window)));
                self.looks.failures += 1;
            }
            LifeStep::Counted => {
                self.looks = Looks {
                    ok: Some(now),
                    failures: 0,
                };
            }
            LifeStep::Held | LifeStep::Missed | LifeStep::Nothing => self.looks.failures += 1,
        }
        self.life = verdict.life.clone();
        verdict
    }
}

/// Checks as letters (`a` article, `m` missing, `f` failed, `1`–`9` doubtful texts), the minutes between them, and
/// the reported events.
#[test]
fn rows_of_looks() {
    for (looks, minutes, told) in [
        ("aaaa", 30, &[][..]),
        ("m", 30, &[]),
        ("mmm", 30, &[]),
        ("mmmmmmmmmmmm", 30, &[]),
        ("mmmmmmmmmmmmm", 30, &["removed 0–30 0/1"]),
        ("mmmmmmmmmmmmmmmmmmmmm", 30, &["removed 0–30 0/1"]),
        ("mm", 600, &[]),
        ("mmm", 600, &["removed 0–600 0/1"]),
        ("mam am mm", 600, &["removed 2400–3000 0/1"]),
        ("ffffffffffff", 600, &[]),
        ("fmfmfm", 600, &["removed 0–1200 1/2"]),
        ("fmfmfffff", 600, &[]),
        (
            "mmmmffa",
            600,
            &["removed 0–600 0/1", "restored 2400–4200 2/3"],
        ),
        (
            "mmmammm",
            600,
            &[
                "removed 0–600 0/1",
                "restored 1800–2400 0/1",
                "removed 2400–3000 0/1",
            ],
        ),
        ("1", 10, &[]),
        ("11", 10, &["confirmed 10"]),
        ("1a", 10, &[]),
        ("1a1a1a", 10, &[]),
        ("1f1", 10, &["confirmed 10"]),
        ("1ffff1", 10, &["confirmed 10"]),
        ("12", 10, &[]),
        ("122", 10, &["confirmed 10"]),
        ("123", 10, &["confirmed 10"]),
        ("1m1", 10, &["confirmed 10"]),
        (
            "mmm11",
            600,
            &[
                "removed 0–600 0/1",
                "restored 1800–2400 0/1",
                "confirmed 2400",
            ],
        ),
    ] {
        let mut watched = Watched::new();
        for (place, look) in (1..).zip(looks.chars().filter(|look| *look != ' ')) {
            let sight = match look {
                'a' => Sight::There,
                'm' => Sight::Missing,
                'f' => Sight::Unclear,
                digit => Sight::Doubtful(print(digit as u8)),
            };
            watched.look(minutes * place, sight);
        }
        assert_eq!(watched.told, told, "{looks} every {minutes} min");
    }
}

#[test]
fn a_first_miss_is_looked_at_again_soon_and_the_rest_is_spread() {
    let mut watched = Watched::new();
    assert_eq!(
        watched.look(30, Sight::Missing).again,
        Some(Duration::from_mins(10))
    );
    assert_eq!(
        watched.look(40, Sight::Missing).again,
        Some(Duration::from_mins(350))
    );
    let last = watched.look(390, Sight::Missing);
    assert!(matches!(last.step, LifeStep::Removed(_)), "{last:?}");
    assert_eq!(last.again, None, "from now on the pauses of the clock");
}

#[test]
fn texts_that_were_not_confirmed_are_counted() {
    let mut watched = Watched::new();
    for minutes in [10, 20, 30] {
        assert_eq!(
            watched.look(minutes, Sight::Doubtful(print(1))).step,
            LifeStep::Held
        );
        watched.look(minutes + 5, Sight::There);
    }
    assert_eq!(watched.life.unconfirmed, 3);
    watched.look(50, Sight::Doubtful(print(1)));
    watched.look(60, Sight::Doubtful(print(1)));
    assert_eq!(watched.life.unconfirmed, 3);
    assert_eq!(watched.life.held, None);
}

#[test]
fn what_was_never_there_was_not_taken_down() {
    let mut watched = Watched::new();
    watched.looks.ok = None;
    for hours in 1..100 {
        watched.look(hours * 60, Sight::Missing);
    }
    assert!(watched.told.is_empty());
}

#[test]
fn without_confirmation_every_look_is_believed() {
    let rule = LifeRule {
        confirm: Duration::ZERO,
        ..RULE
    };
    let looks = Looks {
        ok: Some(at(0)),
        failures: 0,
    };
    let verdict = judge(
        &PageLife::default(),
        looks,
        Sight::Doubtful(print(1)),
        &rule,
        at(5),
    );
    assert!(matches!(
        verdict.step,
        LifeStep::Read {
            confirmed: None,
            ..
        }
    ));
}

fn sights() -> impl Strategy<Value = Vec<(i64, Sight)>> {
    let sight = prop_oneof![
        Just(Sight::There),
        Just(Sight::Missing),
        Just(Sight::Missing),
        Just(Sight::Unclear),
        (0_u8..4).prop_map(|number| Sight::Doubtful(print(number))),
        (0_u8..4).prop_map(|number| Sight::Restless(print(number))),
    ];
    // Clocks may be set back.
    proptest::collection::vec((-60_i64..600, sight), 0..60)
}

#[test]
fn a_restless_document_is_counted_until_it_stays() {
    let mut watched = Watched::new();
    for (minute, number) in (1..).zip([1, 2, 3, 4, 1, 2]) {
        let verdict = watched.look(minute, Sight::Restless(print(number)));
        assert_eq!((verdict.step, verdict.again), (LifeStep::Counted, None));
    }
    assert_eq!(watched.life.held.map(|held| held.looks), Some(6));
    let verdict = watched.look(7, Sight::Restless(print(2)));
    assert!(matches!(
        verdict.step,
        LifeStep::Read {
            confirmed: Some(_),
            ..
        }
    ));
    assert_eq!(watched.life.held, None);
}

proptest! {
    #[test]
    fn removed_and_restored_take_turns_and_windows_are_in_order(looks in sights()) {
        let mut watched = Watched::new();
        let mut now = 0;
        let mut removed = false;
        for (minutes, sight) in looks {
            now += minutes;
            let verdict = watched.look(now, sight);
            let window = match verdict.step {
                LifeStep::Removed(window) => {
                    prop_assert!(!removed && sight == Sight::Missing);
                    removed = true;
                    Some(window)
                }
                LifeStep::Read { restored, .. } => {
                    prop_assert_eq!(restored.is_some(), removed);
                    removed = false;
                    restored
                }
                LifeStep::Held | LifeStep::Counted | LifeStep::Missed | LifeStep::Nothing => None,
            };
            prop_assert_eq!(watched.life.removed, removed);
            if let Some(window) = window {
                prop_assert!(window.last_unchanged <= window.first_changed);
                prop_assert!(window.first_changed <= at(now));
                prop_assert!(window.failed_checks < window.checks);
            }
        }
    }

    #[test]
    fn errors_and_walls_never_tell_anything(looks in proptest::collection::vec((1_i64..600, any::<bool>()), 0..80)) {
        let mut watched = Watched::new();
        let mut now = 0;
        for (minutes, there) in looks {
            now += minutes;
            let sight = if there { Sight::There } else { Sight::Unclear };
            watched.look(now, sight);
        }
        prop_assert!(watched.told.is_empty());
        prop_assert_eq!(watched.life, PageLife::default());
    }

    #[test]
    fn removal_takes_the_looks_and_the_time_of_the_rule(looks in sights()) {
        let mut watched = Watched::new();
        let (mut now, mut row) = (0, Vec::new());
        for (minutes, sight) in looks {
            now += minutes.max(0);
            let read = match watched.look(now, sight).step {
                LifeStep::Removed(_) => {
                    prop_assert!(row.len() >= 2 && now - row[0] >= 360, "{row:?} {now}");
                    false
                }
                LifeStep::Read { .. } => true,
                _ => false,
            };
            match (read, sight) {
                (true, _) => row.clear(),
                (false, Sight::Missing) => row.push(now),
                _ => {}
            }
        }
    }

    #[test]
    fn nothing_is_held_for_ever(prints in proptest::collection::vec(0_u8..200, 3)) {
        let mut watched = Watched::new();
        let steps: Vec<LifeStep> = prints.iter().zip([10, 20, 30])
            .map(|(number, minutes)| watched.look(minutes, Sight::Doubtful(print(*number))).step)
            .collect();
        let believed = steps.iter().any(|step| matches!(step, LifeStep::Read { .. }));
        prop_assert!(believed);
    }
}
