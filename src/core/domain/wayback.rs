//! The Wayback Machine of the Internet Archive: what its responses mean, and when a page may be saved.
//!
//! Based on the draft documentation of *Save Page Now 2* and on clients from 2024 to 2026. Errors come with HTTP
//! 200, even in the response to the first request. A page can be saved about five times a day, an hour apart at
//! the earliest. Sources differ on how many saves an account has per minute and day, so the limits are read from
//! the responses, and the budget here is well below them.

use std::time::Duration;

use serde::Deserialize;

use crate::time::Timestamp;

/// The pause between two requests: six per minute are allowed.
pub const BETWEEN: Duration = Duration::from_secs(12);

/// The shortest time between two saves of a page.
pub const AGAIN: Duration = Duration::from_hours(1);

/// The most saves of a page per day.
pub const PER_PAGE: u32 = 4;

/// How often the status of a job is requested.
const LOOK: Duration = Duration::from_secs(15);

/// The archive forgets a job after about this time.
const JOB_FOR: Duration = Duration::from_hours(1);

/// The delay before a failed save is retried; it doubles each time.
const RETRY: Duration = Duration::from_mins(2);
const LONGEST_RETRY: Duration = Duration::from_hours(6);

/// After this many failed saves, a page is given up.
const TRIES: u32 = 10;

/// How many bytes of a response are read.
pub const ANSWER: usize = 16 * 1024;

/// How many characters of a message are kept.
const MESSAGE: usize = 300;

/// A response of the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveReply<'a> {
    /// HTTP status; `None` if the archive could not be reached.
    pub status: Option<u16>,
    /// The body, or why it could not be reached.
    pub body: &'a str,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
}

/// A request to the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveRequest {
    /// To save a page.
    Save,
    /// The status of a job.
    Status {
        /// Its id.
        job: String,
        /// When it began.
        since: Timestamp,
    },
}

/// What to do next for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotStep {
    /// The archive is working on it: request the status of the job.
    Look {
        /// Its id.
        job: String,
        /// When.
        at: Timestamp,
    },
    /// The page was saved.
    Saved {
        /// Its time, as in its address: `20261202171133`.
        timestamp: String,
        /// The address that was saved.
        original: String,
    },
    /// Request the save again.
    Again {
        /// When.
        at: Timestamp,
        /// Why it was not saved.
        why: String,
        /// Whether that is because of our key.
        of_key: bool,
    },
    /// It cannot be saved.
    GiveUp {
        /// Why.
        why: String,
    },
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AvailabilityJson {
    status: Option<String>,
    status_ext: Option<String>,
    message: Option<String>,
    job_id: Option<String>,
    timestamp: Option<String>,
    original_url: Option<String>,
}

/// What to do after a response. `tries` is how often the archive has been asked to save this page, including this
/// time.
#[must_use]
pub fn judge(
    request: &ArchiveRequest,
    url: &str,
    reply: ArchiveReply<'_>,
    tries: u32,
    now: Timestamp,
) -> SnapshotStep {
    let answer = match read(reply) {
        Ok(answer) => answer,
        Err(trouble) => return unanswered(request, &trouble, tries, now),
    };
    let saved = answer.timestamp.filter(|text| is_timestamp(text));
    match (answer.status.as_deref(), saved, request) {
        (Some("success"), Some(timestamp), _) => SnapshotStep::Saved {
            timestamp,
            original: answer.original_url.unwrap_or_else(|| url.to_owned()),
        },
        (Some("error"), ..) => {
            let code = answer.status_ext.as_deref().unwrap_or("error");
            refused(
                code,
                answer.message.as_deref().unwrap_or_default(),
                tries,
                now,
            )
        }
        (_, _, ArchiveRequest::Save) => match answer.job_id.filter(|job| is_job(job)) {
            Some(job) => SnapshotStep::Look {
                job,
                at: now + LOOK,
            },
            None => again(&Trouble::of("the archive did not name a job"), tries, now),
        },
        (_, _, ArchiveRequest::Status { .. }) => unanswered(
            request,
            &Trouble::of("the archive did not finish"),
            tries,
            now,
        ),
    }
}

/// What to do if our key cannot be read, for this reason; the archive is not asked.
#[must_use]
pub fn without_key(
    request: &ArchiveRequest,
    why: &str,
    tries: u32,
    now: Timestamp,
) -> SnapshotStep {
    let trouble = Trouble {
        of_key: true,
        ..Trouble::of(why)
    };
    unanswered(request, &trouble, tries, now)
}

/// Why a response says nothing about the page.
struct Trouble {
    why: String,
    /// The shortest time to wait.
    after: Option<Duration>,
    /// Whether it is because of our key.
    of_key: bool,
}

impl Trouble {
    fn of(why: &str) -> Self {
        Self {
            why: why.to_owned(),
            after: None,
            of_key: false,
        }
    }
}

/// Parses a response.
fn read(reply: ArchiveReply<'_>) -> Result<AvailabilityJson, Trouble> {
    let failed = |why: &str| Trouble {
        after: reply.retry_after,
        ..Trouble::of(why)
    };
    match reply.status {
        None => Err(failed(reply.body)),
        Some(status @ (401 | 403)) => Err(Trouble {
            why: format!("the key is not accepted: the archive answered {status}"),
            after: Some(LONGEST_RETRY),
            of_key: true,
        }),
        Some(status) => serde_json::from_str(reply.body)
            .map_err(|_| failed(&format!("answered {status}, and not in JSON"))),
    }
}

/// After a response that says nothing, the status of a job is requested as long as the archive remembers the job.
fn unanswered(
    request: &ArchiveRequest,
    trouble: &Trouble,
    tries: u32,
    now: Timestamp,
) -> SnapshotStep {
    match request {
        ArchiveRequest::Status { job, since } if now.since(*since) < JOB_FOR => {
            SnapshotStep::Look {
                job: job.clone(),
                at: now + trouble.after.unwrap_or(LOOK).clamp(LOOK, JOB_FOR),
            }
        }
        _ => again(trouble, tries, now),
    }
}

fn refused(code: &str, said: &str, tries: u32, now: Timestamp) -> SnapshotStep {
    /// Errors that another attempt will not change.
    const FOR_GOOD: [&str; 6] = [
        "error:not-found",
        "error:no-access",
        "error:blocked",
        "error:blocked-url",
        "error:blocked-client-ip",
        "error:invalid-url-syntax",
    ];
    let why = match said {
        "" => code.to_owned(),
        said => format!("{code}: {said}"),
    };
    match code {
        _ if FOR_GOOD.contains(&code) => SnapshotStep::GiveUp { why: short(&why) },
        _ if code.contains("daily") || code.contains("-day") => SnapshotStep::Again {
            at: next_day(now),
            why: short(&why),
            of_key: false,
        },
        "error:user-session-limit" => again(
            &Trouble {
                after: Some(Duration::from_mins(1)),
                ..Trouble::of(&why)
            },
            tries,
            now,
        ),
        _ => again(&Trouble::of(&why), tries, now),
    }
}

fn again(trouble: &Trouble, tries: u32, now: Timestamp) -> SnapshotStep {
    let why = short(&trouble.why);
    if tries >= TRIES {
        return SnapshotStep::GiveUp { why };
    }
    let doubled = RETRY * 2_u32.saturating_pow(tries.saturating_sub(1).min(10));
    let after = trouble.after.unwrap_or(doubled);
    SnapshotStep::Again {
        at: now + after.clamp(BETWEEN, LONGEST_RETRY),
        why,
        of_key: trouble.of_key,
    }
}

fn short(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control());
    plain.take(MESSAGE).collect()
}

/// Whether it is `spn2-` and letters: the id becomes part of an address.
fn is_job(job: &str) -> bool {
    (1..=100).contains(&job.len())
        && job
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_timestamp(text: &str) -> bool {
    text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit())
}

const DAY: Duration = Duration::from_hours(24);

/// The next midnight (UTC), when budgets start again.
fn next_day(now: Timestamp) -> Timestamp {
    this_day(now) + DAY
}

/// The last midnight (UTC).
#[must_use]
pub fn this_day(now: Timestamp) -> Timestamp {
    let day = i64::try_from(DAY.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().div_euclid(day) * day)
}

/// The saves that the archive has started so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SavesSoFar {
    /// The last save of this page.
    pub last: Option<Timestamp>,
    /// Saves of this page today.
    pub page: u32,
    /// Saves of all pages today.
    pub all: u32,
}

/// When a page may be saved at the earliest: `now`, or later.
#[must_use]
pub fn earliest(saves: SavesSoFar, per_day: u32, now: Timestamp) -> Timestamp {
    if saves.page >= PER_PAGE || saves.all >= per_day {
        return next_day(now);
    }
    let rested = saves.last.map_or(now, |last| last + AGAIN);
    rested.max(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_765_000_000_000)
    }

    const URL: &str = "https://news.example/a";

    fn status() -> ArchiveRequest {
        ArchiveRequest::Status {
            job: "spn2-0af3".to_owned(),
            since: now(),
        }
    }

    fn judged(request: &ArchiveRequest, body: &str, tries: u32) -> SnapshotStep {
        let reply = ArchiveReply {
            status: Some(200),
            body,
            retry_after: None,
        };
        judge(request, URL, reply, tries, now())
    }

    #[test]
    fn a_save_begins_goes_on_and_ends() {
        let begun = judged(
            &ArchiveRequest::Save,
            r#"{"url":"https://news.example/a","job_id":"spn2-0af3","message":"a snapshot was made 5 minutes ago"}"#,
            1,
        );
        let SnapshotStep::Look { job, at } = begun else {
            panic!("{begun:?}")
        };
        assert_eq!((job.as_str(), at), ("spn2-0af3", now() + LOOK));
        let going = judged(&status(), r#"{"status":"pending","job_id":"spn2-0af3"}"#, 1);
        assert!(matches!(going, SnapshotStep::Look { .. }), "{going:?}");
        let saved = judged(
            &status(),
            r#"{"status":"success","timestamp":"20261202171133","original_url":"https://news.example/a?x"}"#,
            2,
        );
        assert_eq!(
            saved,
            SnapshotStep::Saved {
                timestamp: "20261202171133".to_owned(),
                original: "https://news.example/a?x".to_owned()
            }
        );
    }

    #[test]
    fn errors_come_with_200_and_say_what_to_do() {
        let error = |code: &str| {
            let body = format!(r#"{{"status":"error","status_ext":"{code}","message":"no"}}"#);
            judged(&ArchiveRequest::Save, &body, 1)
        };
        assert!(matches!(
            error("error:blocked-url"),
            SnapshotStep::GiveUp { .. }
        ));
        let SnapshotStep::Again { at, why, of_key } = error("error:too-many-daily-captures") else {
            panic!()
        };
        assert_eq!(
            (at, why.as_str(), of_key),
            (next_day(now()), "error:too-many-daily-captures: no", false)
        );
        let SnapshotStep::Again { at, .. } = error("error:bad-gateway") else {
            panic!()
        };
        assert_eq!(at, now() + RETRY);
        // An id that would form another address is not a job.
        let crafted = judged(&ArchiveRequest::Save, r#"{"job_id":"../../x"}"#, 1);
        assert!(matches!(crafted, SnapshotStep::Again { .. }), "{crafted:?}");
        assert!(matches!(
            judged(&ArchiveRequest::Save, "<html>", TRIES),
            SnapshotStep::GiveUp { .. }
        ));
    }

    #[test]
    fn a_key_that_is_not_accepted_is_told_apart_from_other_trouble() {
        let of_key = |step: SnapshotStep| match step {
            SnapshotStep::Again { of_key, .. } => of_key,
            other => panic!("{other:?}"),
        };
        let answered = |status: u16| {
            let reply = ArchiveReply {
                status: Some(status),
                // The wording of the archive decides nothing.
                body: "the key is not accepted",
                retry_after: None,
            };
            of_key(judge(&ArchiveRequest::Save, URL, reply, 1, now()))
        };
        assert_eq!([401, 403, 500].map(answered), [true, true, false]);
        assert!(of_key(without_key(
            &ArchiveRequest::Save,
            "no file",
            1,
            now()
        )));
    }

    #[test]
    fn a_job_outlives_trouble_on_the_way_and_ends_with_the_memory_of_the_archive() {
        let at = |minutes: u64, reply: ArchiveReply<'_>| {
            judge(
                &status(),
                URL,
                reply,
                1,
                now() + Duration::from_mins(minutes),
            )
        };
        let down = ArchiveReply {
            status: None,
            body: "cannot connect",
            retry_after: None,
        };
        let busy = ArchiveReply {
            status: Some(503),
            body: "<html>",
            retry_after: Some(Duration::from_mins(5)),
        };
        assert!(matches!(at(30, down), SnapshotStep::Look { .. }));
        let SnapshotStep::Look { job, at: next } = at(30, busy) else {
            panic!()
        };
        assert_eq!(job, "spn2-0af3");
        assert_eq!(next, now() + Duration::from_mins(35));
        assert!(matches!(at(60, down), SnapshotStep::Again { .. }));
        // Failed jobs are restarted no more often than rejected saves.
        let failed = r#"{"status":"error","status_ext":"error:bad-gateway"}"#;
        assert!(matches!(
            judged(&status(), failed, TRIES),
            SnapshotStep::GiveUp { .. }
        ));
    }

    #[test]
    fn a_page_rests_an_hour_and_is_saved_four_times_a_day() {
        let saves = SavesSoFar {
            last: Some(now()),
            page: 1,
            all: 1,
        };
        assert_eq!(earliest(SavesSoFar::default(), 10, now()), now());
        assert_eq!(earliest(saves, 10, now()), now() + AGAIN);
        assert_eq!(
            earliest(
                SavesSoFar {
                    page: PER_PAGE,
                    ..saves
                },
                10,
                now()
            ),
            next_day(now())
        );
        assert_eq!(
            earliest(SavesSoFar { all: 10, ..saves }, 10, now()),
            next_day(now())
        );
    }
}
