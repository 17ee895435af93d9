//! Has the Wayback Machine save pages, beside everything else: no check and no alert ever waits for it.
//!
//! What is wanted and what was asked for is in the database ([`Writer::want_snapshots`]), so that a restart loses nothing;
//! what an answer means is decided by [`crate::domain::wayback`].

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::check::{Checker, Settings};
use crate::config::ArchiveConfig;
use crate::domain::wayback::{
    ANSWER, ArchiveReply, ArchiveRequest, BETWEEN, SnapshotStep, earliest, judge, without_key,
};
use crate::fetch::{Client, PostMethod, PostRequest, common_client};
use crate::store::{DueSnapshot, StoreError, Writer};
use crate::time::{Clock, Timestamp};

/// How often to look for a page to save.
const LOOK: Duration = Duration::from_secs(2);

/// After trouble with the database.
const TROUBLE: Duration = Duration::from_mins(1);

/// Pages that are postponed in one step.
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

/// Asks about one page, if one is due; returns whether the archive was asked.
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
        if due.request == ArchiveRequest::Save {
            let saves = checker.read(|reader| reader.saves_so_far(due.entry, now))?;
            let at = earliest(saves, config.archive.per_day, now);
            if at > now {
                writer.postpone_snapshot(due.id, at).await?;
                continue;
            }
        }
        let may = may_be_saved(&settings, &due.feed);
        let step = match common_client(&config.fetch, Arc::clone(clock)) {
            _ if !may => SnapshotStep::GiveUp {
                why: "its feed has a login now, or has left the configuration".to_owned(),
            },
            Ok(client) => ask(&client, &config.archive, &due, now).await,
            Err(error) => judged(&due, unreached(&error.to_string()), now),
        };
        tell(&due, &step);
        let address = address(&config.archive.server, &step);
        writer.settle_snapshot(&due, step, address, now).await?;
        if may {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the archive may learn the pages of a feed: not if it is read with a login or with its own headers.
fn may_be_saved(settings: &Settings, feed: &str) -> bool {
    settings
        .feed(feed)
        .is_some_and(|feed| feed.access.is_none())
}

async fn ask(
    client: &Client,
    archive: &ArchiveConfig,
    due: &DueSnapshot,
    now: Timestamp,
) -> SnapshotStep {
    let key = archive.key.as_ref().and_then(|key| key.secret.as_ref());
    let Some(key) = key else {
        return without_key(
            &due.request,
            "the file of the key cannot be read",
            tries(due),
            now,
        );
    };
    match client
        .post(request(&archive.server, key.expose(), due))
        .await
    {
        Ok(answer) => {
            let reply = ArchiveReply {
                status: Some(answer.status),
                body: &answer.body,
                retry_after: answer.retry_after,
            };
            judged(due, reply, now)
        }
        Err(failure) => judged(due, unreached(&failure.to_string()), now),
    }
}

fn judged(due: &DueSnapshot, reply: ArchiveReply<'_>, now: Timestamp) -> SnapshotStep {
    judge(&due.request, &due.url, reply, tries(due), now)
}

/// How often the archive has been asked to save the page, including this time.
fn tries(due: &DueSnapshot) -> u32 {
    due.tries + u32::from(due.request == ArchiveRequest::Save)
}

fn unreached(why: &str) -> ArchiveReply<'_> {
    ArchiveReply {
        status: None,
        body: why,
        retry_after: None,
    }
}

/// The request: to save the page, or how the job is.
fn request(server: &str, key: &str, due: &DueSnapshot) -> PostRequest {
    let mut request = match &due.request {
        ArchiveRequest::Save => {
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
        ArchiveRequest::Status { job, .. } => PostRequest {
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
fn address(server: &str, step: &SnapshotStep) -> Option<String> {
    match step {
        SnapshotStep::Saved {
            timestamp,
            original,
        } => Some(format!("{server}/web/{timestamp}/{original}")),
        _ => None,
    }
}

fn tell(due: &DueSnapshot, step: &SnapshotStep) {
    let url = due.url.as_str();
    match step {
        SnapshotStep::Look { .. } => {}
        SnapshotStep::Saved { timestamp, .. } => tracing::info!(url, timestamp, "archived"),
        SnapshotStep::Again {
            at,
            why,
            of_key: true,
        } => {
            tracing::warn!(url, until = %at, why, "not archived; trying again later");
        }
        SnapshotStep::Again { at, why, .. } => {
            tracing::info!(url, until = %at, why, "not archived yet; trying again later");
        }
        SnapshotStep::GiveUp { why } => tracing::warn!(url, why, "cannot be archived"),
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
            request: ArchiveRequest::Save,
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
            request: ArchiveRequest::Status {
                job: "spn2-1".to_owned(),
                since: Timestamp::from_unix(0),
            },
            ..due
        };
        let look = request("https://web.archive.org", "A:S", &look);
        assert_eq!(look.url, "https://web.archive.org/save/status/spn2-1");
        assert!(look.body.is_empty());
    }
}
