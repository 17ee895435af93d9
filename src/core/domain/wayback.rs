//! The Wayback Machine of the Internet Archive: what its answers mean, and when a page may be saved.
//!
//! After the draft documentation of *Save Page Now 2* and the clients of 2024 to 2026. Errors come with HTTP 200, in
//! the answer to the first request as well. A page is saved about five times a day, an hour apart at the earliest, and
//! an account has a number of saves a minute and a day that differs by source: the limits are read from the answers,
//! and the budget here is well below them.

use std::time::Duration;

use serde::Deserialize;

use crate::time::Timestamp;

/// Between two requests: six a minute are allowed.
pub const BETWEEN: Duration = Duration::from_secs(12);

/// A page is not saved again sooner.
pub const AGAIN: Duration = Duration::from_hours(1);

/// Saves of one page a day.
pub const PER_PAGE: u32 = 4;

/// How the work is, is asked this long after it began, and this often.
const LOOK: Duration = Duration::from_secs(15);

/// An answer is given up after this many questions: the archive forgets a job after about an hour.
const LOOKS: u32 = 200;

/// After trouble it is tried again after this time, doubled each time.
const RETRY: Duration = Duration::from_mins(2);
const LONGEST_RETRY: Duration = Duration::from_hours(6);

/// A save that fails this often is given up.
const TRIES: u32 = 10;

/// Bytes of an answer that are read.
pub const ANSWER: usize = 16 * 1024;

/// Characters of a message that are kept.
const MESSAGE: usize = 300;

/// What the archive said to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply<'a> {
    /// HTTP status; `None` when it could not be reached.
    pub status: Option<u16>,
    /// The body, or why it could not be reached.
    pub body: &'a str,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// To save a page.
    Save,
    /// How the work is.
    Status,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It has begun: ask how it is.
    Look {
        /// The name of the work.
        job: String,
        /// When.
        at: Timestamp,
    },
    /// There is a snapshot.
    Saved {
        /// Its time, as in its address: `20261202171133`.
        timestamp: String,
        /// The address that was saved.
        original: String,
    },
    /// Ask again to save it.
    Again {
        /// When.
        at: Timestamp,
        /// Why it was not saved.
        why: String,
    },
    /// It cannot be saved.
    GiveUp {
        /// Why.
        why: String,
    },
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer {
    status: Option<String>,
    status_ext: Option<String>,
    message: Option<String>,
    job_id: Option<String>,
    timestamp: Option<String>,
    original_url: Option<String>,
}

/// What follows of a reply. `tries` are the requests of this kind so far, this one included.
#[must_use]
pub fn judge(question: Question, url: &str, reply: Reply<'_>, tries: u32, now: Timestamp) -> Next {
    let Some(status) = reply.status else {
        return again(reply.body, reply.retry_after, tries, now);
    };
    if status == 401 || status == 403 {
        let why = format!("answered {status}: the key is not accepted");
        return again(&why, Some(LONGEST_RETRY), tries, now);
    }
    let answer: Answer = match serde_json::from_str(reply.body) {
        Ok(answer) => answer,
        Err(_) => {
            let why = format!("answered {status}, and not in JSON");
            return again(&why, reply.retry_after, tries, now);
        }
    };
    match (answer.status.as_deref(), question) {
        (Some("success"), _) if answer.timestamp.as_deref().is_some_and(is_timestamp) => {
            Next::Saved {
                timestamp: answer.timestamp.unwrap_or_default(),
                original: answer.original_url.unwrap_or_else(|| url.to_owned()),
            }
        }
        (Some("error"), _) => refused(&answer, tries, now),
        (Some("pending"), Question::Status) if tries < LOOKS => Next::Look {
            job: answer.job_id.unwrap_or_default(),
            at: now + LOOK,
        },
        (_, Question::Save) => match answer.job_id.filter(|job| is_job(job)) {
            Some(job) => Next::Look {
                job,
                at: now + LOOK,
            },
            None => {
                let why = format!("answered {status} without the name of a job");
                again(&why, reply.retry_after, tries, now)
            }
        },
        (_, Question::Status) => again("the job did not end", reply.retry_after, tries, now),
    }
}

fn refused(answer: &Answer, tries: u32, now: Timestamp) -> Next {
    /// What another try does not change.
    const FOR_GOOD: [&str; 6] = [
        "error:not-found",
        "error:no-access",
        "error:blocked",
        "error:blocked-url",
        "error:blocked-client-ip",
        "error:invalid-url-syntax",
    ];
    let code = answer.status_ext.as_deref().unwrap_or("error");
    let said = answer.message.as_deref().unwrap_or_default();
    let why = match said.is_empty() {
        true => code.to_owned(),
        false => format!("{code}: {said}"),
    };
    match code {
        _ if FOR_GOOD.contains(&code) => Next::GiveUp { why: short(&why) },
        _ if code.contains("daily") || code.contains("-day") => Next::Again {
            at: next_day(now),
            why: short(&why),
        },
        "error:user-session-limit" => again(&why, Some(Duration::from_mins(1)), tries, now),
        _ => again(&why, None, tries, now),
    }
}

fn again(why: &str, after: Option<Duration>, tries: u32, now: Timestamp) -> Next {
    let why = short(why);
    if tries >= TRIES {
        return Next::GiveUp { why };
    }
    let doubled = RETRY * 2_u32.saturating_pow(tries.saturating_sub(1).min(10));
    let after = after.unwrap_or(doubled).clamp(BETWEEN, LONGEST_RETRY);
    Next::Again {
        at: now + after,
        why,
    }
}

fn short(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control());
    plain.take(MESSAGE).collect()
}

/// `spn2-` and letters: it becomes part of an address.
fn is_job(job: &str) -> bool {
    (1..=100).contains(&job.len())
        && job
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_timestamp(text: &str) -> bool {
    text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The midnight (UTC) at which budgets begin again.
#[must_use]
pub fn next_day(now: Timestamp) -> Timestamp {
    let day = 86_400_000;
    Timestamp::from_millis((now.as_millis().div_euclid(day) + 1) * day)
}

/// The last midnight (UTC).
#[must_use]
pub fn this_day(now: Timestamp) -> Timestamp {
    let day = 86_400_000;
    Timestamp::from_millis(now.as_millis().div_euclid(day) * day)
}

/// What was asked for so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// When this page was last asked for.
    pub last: Option<Timestamp>,
    /// How often this page was asked for today.
    pub page: u32,
    /// How often any page was asked for today.
    pub all: u32,
}

/// When a page may be saved at the earliest: `now`, or later.
#[must_use]
pub fn earliest(spent: Spent, per_day: u32, now: Timestamp) -> Timestamp {
    if spent.page >= PER_PAGE || spent.all >= per_day {
        return next_day(now);
    }
    let rested = spent.last.map_or(now, |last| last + AGAIN);
    rested.max(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_765_000_000_000)
    }

    const URL: &str = "https://news.example/a";

    fn judged(question: Question, body: &str, tries: u32) -> Next {
        let reply = Reply {
            status: Some(200),
            body,
            retry_after: None,
        };
        judge(question, URL, reply, tries, now())
    }

    #[test]
    fn a_save_begins_goes_on_and_ends() {
        let begun = judged(
            Question::Save,
            r#"{"url":"https://news.example/a","job_id":"spn2-0af3","message":"a snapshot was made 5 minutes ago"}"#,
            1,
        );
        let Next::Look { job, at } = begun else {
            panic!("{begun:?}")
        };
        assert_eq!((job.as_str(), at), ("spn2-0af3", now() + LOOK));
        let going = judged(
            Question::Status,
            r#"{"status":"pending","job_id":"spn2-0af3"}"#,
            1,
        );
        assert!(matches!(going, Next::Look { .. }), "{going:?}");
        let saved = judged(
            Question::Status,
            r#"{"status":"success","timestamp":"20261202171133","original_url":"https://news.example/a?x"}"#,
            2,
        );
        assert_eq!(
            saved,
            Next::Saved {
                timestamp: "20261202171133".to_owned(),
                original: "https://news.example/a?x".to_owned()
            }
        );
    }

    #[test]
    fn errors_come_with_200_and_say_what_to_do() {
        let error = |code: &str| {
            let body = format!(r#"{{"status":"error","status_ext":"{code}","message":"no"}}"#);
            judged(Question::Save, &body, 1)
        };
        assert!(matches!(error("error:blocked-url"), Next::GiveUp { .. }));
        let Next::Again { at, why } = error("error:too-many-daily-captures") else {
            panic!()
        };
        assert_eq!(
            (at, why.as_str()),
            (next_day(now()), "error:too-many-daily-captures: no")
        );
        let Next::Again { at, .. } = error("error:bad-gateway") else {
            panic!()
        };
        assert_eq!(at, now() + RETRY);
        // A job whose name would be another address is none.
        let crafted = judged(Question::Save, r#"{"job_id":"../../x"}"#, 1);
        assert!(matches!(crafted, Next::Again { .. }), "{crafted:?}");
        assert!(matches!(
            judged(Question::Save, "<html>", TRIES),
            Next::GiveUp { .. }
        ));
    }

    #[test]
    fn a_page_rests_an_hour_and_is_saved_four_times_a_day() {
        let spent = Spent {
            last: Some(now()),
            page: 1,
            all: 1,
        };
        assert_eq!(earliest(Spent::default(), 10, now()), now());
        assert_eq!(earliest(spent, 10, now()), now() + AGAIN);
        assert_eq!(
            earliest(
                Spent {
                    page: PER_PAGE,
                    ..spent
                },
                10,
                now()
            ),
            next_day(now())
        );
        assert_eq!(
            earliest(Spent { all: 10, ..spent }, 10, now()),
            next_day(now())
        );
    }
}
