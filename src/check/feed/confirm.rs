//! Polls that need confirmation: a first 410, a new address that no longer works, a document without its texts.

use crate::check::CheckError;
use crate::check::events::revise;
use crate::check::feed::poll::Poll;
use crate::check::feed::record::FAILING_AFTER;
use crate::check::report::{FeedReport, FeedResult};
use crate::check::schedule;
use crate::domain::event::EventKind;
use crate::domain::life::next_of_row;
use crate::domain::outcome::{FeedPoll, PollResult, Validators};

impl Poll<'_> {
    /// One 410 may be a mistake: it takes as many, over as long a time, as the removal of an article.
    pub(in crate::check) async fn gone(&self, why: String) -> Result<FeedReport, CheckError> {
        let now = self.checker.now();
        if self.row.moved_to.is_some() {
            let poll = schedule::after_failure(self.row, self.config, now, why, None);
            return self
                .trouble(FeedPoll {
                    status: Some(410),
                    ..poll
                })
                .await;
        }
        let rule = self.config.detect.life;
        let since = self.row.gone_since.unwrap_or(now).min(now);
        let polls = self.row.gone_polls.saturating_add(1);
        let poll = FeedPoll {
            status: Some(410),
            gone_since: Some(since),
            ..schedule::after_failure(self.row, self.config, now, why.clone(), None)
        };
        let told = self.row.gone.is_some();
        if !told && (polls < rule.checks || now.since(since) < rule.after) {
            let again = now + next_of_row(polls, since, &rule, now);
            return self
                .trouble(FeedPoll {
                    // Neither the rhythm of the feed nor the delays after failures: a server that says "gone" is
                    // rarely polled.
                    next: Some(again),
                    next_why: "returned 410: checked again".to_owned(),
                    ..poll
                })
                .await;
        }
        let poll = FeedPoll {
            result: PollResult::Gone(why.clone()),
            next: None,
            next_why: "gone".to_owned(),
            ..poll
        };
        if told {
            // A person asked for another check; the event was already sent.
            return self.store_poll(poll, FeedResult::Failed(why)).await;
        }
        let event = revise::feed_event(
            EventKind::FeedGone,
            Some(why.clone()),
            &self.event_context(),
            now,
        );
        self.tell(poll, vec![event], FeedResult::Failed(why)).await
    }

    /// Keeps a document aside in which most texts are missing: nothing is stored until a second one confirms it.
    pub(in crate::check) async fn held(
        &self,
        status: u16,
        why: &str,
    ) -> Result<FeedReport, CheckError> {
        let now = self.checker.now();
        let confirm = self.config.detect.life.confirm;
        let poll = schedule::after_failure(self.row, self.config, now, why.to_owned(), None);
        self.trouble(FeedPoll {
            status: Some(status),
            emptied: Some(Some(now)),
            next: poll.next.map(|next| next.min(now + confirm)),
            next_why: "texts are gone: checked again".to_owned(),
            ..poll
        })
        .await
    }

    /// If a feed has moved and its new address no longer works, polls the address in the configuration again.
    pub(in crate::check) fn back_to_the_configured(&self, poll: FeedPoll) -> FeedPoll {
        let Some(moved_to) = &self.row.moved_to else {
            return poll;
        };
        let is_dead =
            matches!(poll.status, Some(404 | 410)) || self.row.failures + 1 >= FAILING_AFTER;
        let PollResult::Failed(why) = &poll.result else {
            return poll;
        };
        if !is_dead || poll.emptied.is_some() {
            return poll;
        }
        let why = format!(
            "{why} (at {moved_to}, where it had moved; next poll at the address in the configuration)"
        );
        let again = poll.at + self.config.detect.life.confirm;
        FeedPoll {
            result: PollResult::Failed(why),
            moved_to: Some(None),
            // Validators belong to one address.
            validators: Some(Validators::default()),
            next: poll.next.map(|next| next.min(again)),
            next_why: "at the address in the configuration".to_owned(),
            ..poll
        }
    }
}
