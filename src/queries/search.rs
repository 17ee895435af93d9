//! Articles with the places where they have, or had, what is looked for.

use std::collections::HashMap;
use std::ops::Range;

use regex::Regex;

use crate::domain::ids::EntryId;
use crate::domain::search::{ChangedSentences, Query, texts};
use crate::domain::url::without_login;
use crate::report::search::{Excerpt, FoundArticle, FoundChange};
use crate::store::{KnownEntry, Reader, SearchFilter, SearchIn, StoreError, StoredChange};

/// Places that are shown of one text.
const PLACES: usize = 3;

/// What is looked for.
#[derive(Debug, Clone)]
pub(crate) enum SearchTarget {
    /// Words, by the index.
    Words(Query),
    /// A regular expression, by reading everything.
    Pattern(Regex),
}

impl SearchTarget {
    fn place(&self, text: &str) -> Option<Range<usize>> {
        match self {
            Self::Words(query) => query.place(text),
            Self::Pattern(pattern) => pattern.find(text).map(|found| found.range()),
        }
    }

    fn excerpts(&self, texts: &[String]) -> Vec<Excerpt> {
        let found = texts
            .iter()
            .filter_map(|text| Some(Excerpt::new(text, self.place(text)?)));
        found.take(PLACES).collect()
    }
}

/// Times are about changes: with one, what is in articles now is not searched.
#[must_use]
pub(crate) fn searches_articles(filter: &SearchFilter) -> bool {
    let anytime = filter.since.is_none() && filter.until.is_none();
    anytime && matches!(filter.texts, SearchIn::All | SearchIn::Headlines)
}

/// What the index finds.
pub(crate) fn indexed(
    reader: &Reader,
    query: &Query,
    filter: &SearchFilter,
) -> Result<Vec<FoundArticle>, StoreError> {
    let wanted = SearchTarget::Words(query.clone());
    let mut list = Articles::default();
    for number in reader.search_changes(query, filter)? {
        if let Some(change) = reader.change(number)? {
            list.change(reader, &change, &wanted, filter)?;
        }
    }
    if searches_articles(filter) {
        for entry in reader.search_articles(query, filter)? {
            // With enough articles already, what further ones say is not shown.
            if list.len() < filter.limit || list.places.contains_key(&entry) {
                list.article(reader, entry, &wanted, filter)?;
            }
        }
    }
    Ok(list.finish())
}

/// What was found so far, an article once.
#[derive(Debug, Default)]
pub(crate) struct Articles {
    articles: Vec<FoundArticle>,
    places: HashMap<EntryId, usize>,
}

impl Articles {
    /// How many there are.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.articles.len()
    }

    /// What was found, in the order in which it was.
    #[must_use]
    pub(crate) fn finish(self) -> Vec<FoundArticle> {
        self.articles
    }

    /// Looks at what a change took away and brought.
    pub(crate) fn change(
        &mut self,
        reader: &Reader,
        change: &StoredChange,
        wanted: &SearchTarget,
        filter: &SearchFilter,
    ) -> Result<(), StoreError> {
        let ChangedSentences {
            removed,
            added,
            headlines_before,
            headlines_after,
        } = reader.change_sentences(change)?;
        let both = |headlines: Vec<String>, texts: Vec<String>| [headlines, texts].concat();
        let (removed, added) = match filter.texts {
            SearchIn::All | SearchIn::Removed => (both(headlines_before, removed), Vec::new()),
            SearchIn::Added => (Vec::new(), both(headlines_after, added)),
            SearchIn::Headlines => (headlines_before, headlines_after),
        };
        let (removed, added) = (wanted.excerpts(&removed), wanted.excerpts(&added));
        if removed.is_empty() && added.is_empty() {
            return Ok(());
        }
        let found = FoundChange {
            number: change.number,
            first_changed: change
                .stored
                .event
                .data
                .change
                .as_ref()
                .map_or(change.stored.event.timestamp, |info| {
                    info.window.first_changed
                }),
            removed,
            added,
        };
        if let Some(article) = self.found(reader, change.entry)? {
            article.changes.push(found);
        }
        Ok(())
    }

    /// Looks at the newest text of an article.
    pub(crate) fn article(
        &mut self,
        reader: &Reader,
        entry: EntryId,
        wanted: &SearchTarget,
        filter: &SearchFilter,
    ) -> Result<(), StoreError> {
        let Some(known) = reader.entry(entry)? else {
            return Ok(());
        };
        let Some((state, _)) = reader.state(entry, known.revision)? else {
            return Ok(());
        };
        let texts = texts(&state);
        let mut still_there = wanted.excerpts(&texts.headlines);
        if filter.texts == SearchIn::All {
            still_there.extend(wanted.excerpts(&texts.body));
        }
        still_there.truncate(PLACES);
        if still_there.is_empty() {
            return Ok(());
        }
        if let Some(article) = self.found(reader, entry)? {
            article.still_there = still_there;
        }
        Ok(())
    }

    fn found(
        &mut self,
        reader: &Reader,
        entry: EntryId,
    ) -> Result<Option<&mut FoundArticle>, StoreError> {
        let place = match self.places.get(&entry) {
            Some(place) => *place,
            None => {
                let Some(known) = reader.entry(entry)? else {
                    return Ok(None);
                };
                self.articles.push(of_entry(reader, &known)?);
                self.places.insert(entry, self.articles.len() - 1);
                self.articles.len() - 1
            }
        };
        Ok(self.articles.get_mut(place))
    }
}

fn of_entry(reader: &Reader, entry: &KnownEntry) -> Result<FoundArticle, StoreError> {
    let feed = reader.feed(entry.feed)?;
    let url = match &entry.page.url {
        Some(url) => Some(url.clone()),
        None => {
            let newest = reader.state(entry.id, entry.revision)?;
            newest.and_then(|(state, _)| state.address().map(str::to_owned))
        }
    };
    Ok(FoundArticle {
        entry: entry.public_id.clone(),
        feed: feed.map(|feed| feed.name).unwrap_or_default(),
        title: entry.title.clone(),
        url: url.map(|url| without_login(&url).into_owned()),
        still_there: Vec::new(),
        changes: Vec::new(),
    })
}
