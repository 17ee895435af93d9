//! Has the Wayback Machine save pages, beside everything else: no check and no alert ever waits for it.
//!
//! What is wanted and what was asked for is in the database ([`Writer::want_snapshots`]), so that a restart loses nothing;
//! what an answer means is decided by [`crate::domain::wayback`].

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::check::{Checker, Settings};
use crate::config::ArchiveConfig;
use crate::domain::wayback::{ANSWER, BETWEEN, Next, Question, Reply, earliest, judge};
use crate::fetch::{Client, PostMethod, PostRequest, common_client};
use crate::store::{DueSnapshot, StoreError, Writer};
use crate::time::{Clock, Timestamp};

/// How often it is looked whether a page is to be saved.
const LOOK: Duration = Duration::from_secs(2);

/// After trouble with the database.
const TROUBLE: Duration = Duration::from_mins(1);

/// Pages that are put off in one go.
const POSTPONED: usize = 100;

/// Asks for what is due, one request at a time, until `stop`.
pub(super) async fn run(
    checker: Arc<Checker>,
    writer: Writer,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    loop {
        let rest = tokio::select! {
            () = stop.cancelled() => return,
            asked = step(&checker, &writer, &clock) => match asked {
                Ok(true) => BETWEEN,
                Ok(false) => LOOK,
                Err(error) => {
                    tracing::warn!(%error, "cannot read or write which pages are to be archived");
                    TROUBLE
                }
            },
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(rest) => {}
        }
    }
}

/// Asks for one page, if one is due; answers whether the archive was asked.
async fn step(
    checker: &Checker,
    writer: &Writer,
    clock: &Arc<dyn Clock>,
) -> Result<bool, StoreError> {
    let settings = checker.settings();
    let config = settings.config();
    if !config.archive.wayback {
        if checker.read(crate::store::Reader::wants_snapshots)? {
            writer.want_no_snapshots().await?;
        }
        return Ok(false);
    }
    if checker.read(crate::store::Reader::has_unseen)? {
        loop {
            let settings = checker.settings();
            let may = move |feed: &str| may_be_saved(&settings, feed);
            if !writer.want_snapshots(may, clock.now()).await? {
                break;
            }
        }
    }
    for _ in 0..POSTPONED {
        let now = clock.now();
        let Some(due) = checker.read(|reader| reader.due_snapshot(now))? else {
            return Ok(false);
        };
        if due.job.is_none() {
            let spent = checker.read(|reader| reader.snapshots_spent(due.entry, now))?;
            let at = earliest(spent, config.archive.per_day, now);
            if at > now {
                writer.postpone_snapshot(due.id, at).await?;
                continue;
            }
        }
        if !may_be_saved(&settings, &due.feed) {
            let why = "its feed has a login now, or has left the configuration".to_owned();
            let next = Next::GiveUp { why };
            tell(&due, &next);
            writer
                .settle_snapshot(due.id, false, next, None, now)
                .await?;
            continue;
        }
        let client = common_client(&config.fetch, Arc::clone(clock));
        let next = match client {
            Ok(client) => ask(&client, &config.archive, &due, now).await,
            Err(error) => unasked(&due, &error.to_string(), now),
        };
        tell(&due, &next);
        let address = address(&config.archive.server, &next);
        let saving = due.job.is_none();
        writer
            .settle_snapshot(due.id, saving, next, address, now)
            .await?;
        return Ok(true);
    }
    Ok(false)
}

/// Whether the pages of a feed may be named to others: not what is read with a login or with headers of one's own.
fn may_be_saved(settings: &Settings, feed: &str) -> bool {
    settings
        .feed(feed)
        .is_some_and(|feed| feed.access.is_none())
}

async fn ask(client: &Client, archive: &ArchiveConfig, due: &DueSnapshot, now: Timestamp) -> Next {
    let key = archive.key.as_ref().and_then(|key| key.secret.as_ref());
    let Some(key) = key else {
        return unasked(due, "the key (archive.key) cannot be read", now);
    };
    let request = request(&archive.server, key.expose(), due);
    let question = question(due);
    let judged = |status, body: &str, retry_after| {
        let reply = Reply {
            status,
            body,
            retry_after,
        };
        judge(question, &due.url, reply, due.tries + 1, now)
    };
    match client.post(request).await {
        Ok(answer) => judged(Some(answer.status), &answer.body, answer.retry_after),
        Err(failure) => judged(None, &failure.to_string(), None),
    }
}

fn question(due: &DueSnapshot) -> Question {
    match due.job {
        Some(_) => Question::Status,
        None => Question::Save,
    }
}

fn unasked(due: &DueSnapshot, why: &str, now: Timestamp) -> Next {
    let reply = Reply {
        status: None,
        body: why,
        retry_after: None,
    };
    judge(question(due), &due.url, reply, due.tries + 1, now)
}

/// The request: to save the page, or how the work is.
fn request(server: &str, key: &str, due: &DueSnapshot) -> PostRequest {
    let mut request = match &due.job {
        None => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("url", &due.url);
            // Kinder to the archive: the first capture of a page and its index have time.
            form.append_pair("skip_first_archive", "1");
            form.append_pair("delay_wb_availability", "1");
            PostRequest::new(
                format!("{server}/save"),
                "application/x-www-form-urlencoded",
                form.finish().into_bytes(),
            )
        }
        Some(job) => PostRequest {
            method: PostMethod::Get,
            ..PostRequest::new(
                format!("{server}/save/status/{job}"),
                "application/json",
                Vec::new(),
            )
        },
    };
    request
        .headers
        .push(("accept", "application/json".to_owned()));
    request
        .headers
        .push(("authorization", format!("LOW {key}")));
    request.reading(ANSWER)
}

/// The address of a snapshot.
fn address(server: &str, next: &Next) -> Option<String> {
    match next {
        Next::Saved {
            timestamp,
            original,
        } => Some(format!("{server}/web/{timestamp}/{original}")),
        _ => None,
    }
}

fn tell(due: &DueSnapshot, next: &Next) {
    let url = due.url.as_str();
    match next {
        Next::Look { .. } => {}
        Next::Saved { timestamp, .. } => tracing::info!(url, timestamp, "archived"),
        Next::Again { at, why } => {
            tracing::info!(url, until = %at, why, "not archived yet; trying again later");
        }
        Next::GiveUp { why } => tracing::warn!(url, why, "cannot be archived"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::EntryId;

    #[test]
    fn the_page_is_part_of_a_form_and_never_of_an_address() {
        let due = DueSnapshot {
            id: 1,
            entry: EntryId(1),
            feed: "https://news.example/rss.xml".to_owned(),
            url: "https://news.example/a?b=c&capture_all=1".to_owned(),
            job: None,
            tries: 0,
        };
        let save = request("https://web.archive.org", "A:S", &due);
        assert_eq!(save.url, "https://web.archive.org/save");
        let form: Vec<_> = url::form_urlencoded::parse(&save.body)
            .into_owned()
            .collect();
        assert_eq!(form[0], ("url".to_owned(), due.url.clone()));
        assert!(form.iter().all(|(key, _)| key != "capture_all"));
        let look = DueSnapshot {
            job: Some("spn2-1".to_owned()),
            ..due
        };
        let look = request("https://web.archive.org", "A:S", &look);
        assert_eq!(look.url, "https://web.archive.org/save/status/spn2-1");
        assert!(look.body.is_empty());
    }
}
