//! The clock of the machine, compared with times in the database and with the clocks of servers.

use std::time::Duration;

use chrono::DateTime;

use crate::report::doctor::DoctorFinding;
use crate::report::when::duration;
use crate::store::Reader;
use crate::time::Timestamp;

const CHECK: &str = "clock";
/// Smaller differences between clocks do no harm.
const TOLERANCE: Duration = Duration::from_mins(2);
/// How many responses have their dates checked.
const ANSWERS: usize = 50;
/// Fewer prove nothing: the clock of the server may be the wrong one.
const HOSTS_LEAST: usize = 2;
const HINT: &str = "`timedatectl` shows whether the clock is synchronised; detection windows and alerts use its time";

pub(super) fn look(reader: Option<&Reader>, now: Timestamp) -> DoctorFinding {
    let stored = reader.and_then(|reader| reader.last_moment().ok().flatten());
    let answers = reader.and_then(|reader| reader.answer_dates(ANSWERS).ok());
    judge(now, stored, &answers.unwrap_or_default())
}

fn judge(
    now: Timestamp,
    stored: Option<Timestamp>,
    answers: &[(String, Timestamp, String)],
) -> DoctorFinding {
    if let Some(stored) = stored.filter(|stored| stored.since(now) > TOLERANCE) {
        return DoctorFinding::fail(
            CHECK,
            format!("the clock says {now}, but the database already has {stored}: it went back"),
            HINT,
        );
    }
    // A cached response may have any age, but none comes from the future: for each host, the date nearest to our
    // clock counts.
    let mut hosts: Vec<(&str, Timestamp, Timestamp)> = Vec::new();
    for (host, ours, date) in answers {
        let Ok(date) = DateTime::parse_from_rfc2822(date) else {
            continue;
        };
        let theirs = Timestamp::from(date);
        match hosts.iter_mut().find(|known| known.0 == host) {
            Some(known) if known.1.apart(known.2) > ours.apart(theirs) => {
                (known.1, known.2) = (*ours, theirs);
            }
            Some(_) => {}
            None => hosts.push((host, *ours, theirs)),
        }
    }
    let behind = hosts
        .iter()
        .filter(|(_, ours, theirs)| theirs.since(*ours) > TOLERANCE)
        .count();
    let ahead = hosts
        .iter()
        .filter(|(_, ours, theirs)| ours.since(*theirs) > TOLERANCE)
        .count();
    let most = |count: usize| count >= HOSTS_LEAST && count * 2 > hosts.len();
    if most(behind) || most(ahead) {
        let mut apart: Vec<Duration> = hosts
            .iter()
            .map(|(_, ours, theirs)| ours.apart(*theirs))
            .collect();
        apart.sort_unstable();
        let middle = apart.get(apart.len() / 2).copied().unwrap_or_default();
        let side = if most(behind) { "behind" } else { "ahead of" };
        return DoctorFinding::warn(
            CHECK,
            format!(
                "it was about {} {side} the clocks of most servers that responded",
                duration(middle)
            ),
            HINT,
        );
    }
    let text = match hosts.len() {
        0 => format!("{now}"),
        count => format!("{now}, confirmed by {count} servers")
            .replace("confirmed by 1 server", "confirmed by a server"),
    };
    DoctorFinding::ok(CHECK, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::doctor::FindingLevel;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_clock_is_judged_by_what_was_stored_and_by_what_servers_say() {
        let now = at("2026-11-25T12:00:00Z");
        let answer =
            |host: &str, date: &str| (host.to_owned(), at("2026-11-25T11:00:00Z"), date.to_owned());
        let right = "Wed, 25 Nov 2026 11:00:01 GMT";
        let later = "Wed, 25 Nov 2026 12:00:00 GMT";
        let earlier = "Wed, 25 Nov 2026 09:00:00 GMT";
        for (stored, answers, level, says) in [
            (None, vec![], FindingLevel::Ok, "2026"),
            (
                Some(at("2026-11-25T11:59:00Z")),
                vec![answer("a", right)],
                FindingLevel::Ok,
                "a server",
            ),
            (
                Some(at("2027-11-25T11:59:00Z")),
                vec![],
                FindingLevel::Fail,
                "went back",
            ),
            // A single server may be wrong, but most are right; a cached response is old, but the next one of its
            // host is not.
            (None, vec![answer("a", later)], FindingLevel::Ok, ""),
            (
                None,
                vec![answer("a", later), answer("b", right)],
                FindingLevel::Ok,
                "",
            ),
            (
                None,
                vec![answer("a", later), answer("b", later)],
                FindingLevel::Warn,
                "60 min behind",
            ),
            (
                None,
                vec![answer("a", earlier), answer("b", earlier)],
                FindingLevel::Warn,
                "2 h ahead",
            ),
            (
                None,
                vec![
                    answer("a", earlier),
                    answer("a", right),
                    answer("b", earlier),
                    answer("b", right),
                ],
                FindingLevel::Ok,
                "confirmed by 2 servers",
            ),
            (
                None,
                vec![answer("a", "yesterday"), answer("b", "")],
                FindingLevel::Ok,
                "",
            ),
        ] {
            let found = judge(now, stored, &answers);
            assert_eq!(found.level, level, "{found:?}");
            assert!(found.text.contains(says), "{found:?}");
        }
    }
}
