//! Articles that disappear, come back, hide behind walls or arrive incompletely: the real checker over days, with
//! a clock that the test sets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use revisor::Assembly;
use revisor::RoundRequest;
use revisor::domain::event::{Event, EventKind};
use revisor::domain::life::Reason;
use revisor::domain::outcome::Left;
use revisor::domain::url::canonical;
use revisor::store::{EventFilter, KnownEntry, Reader};
use revisor::time::{Fixed, Timestamp};
use revisor::{Environment, Flags, Secrets, from_text};

use crate::support::{Page, Server, rss};

mod feeds;
mod stand_ins;
mod watched;

/// A publisher with one feed, checked on a separate clock.
struct World {
    publisher: Server,
    clock: Arc<Fixed>,
    assembly: Assembly,
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

impl World {
    fn new(settings: &str) -> Self {
        Self::polling(settings, "/feed.xml", "")
    }

    /// A world with a feed at `path` and these `keys`.
    fn polling(settings: &str, path: &str, keys: &str) -> Self {
        let publisher = Server::start();
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[fetch]\nevery = \"30m\"\nhost_delay = \"0s\"\njitter = \"0%\"\nallow_private = [\"127.0.0.0/8\"]\n\
             {settings}\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n{keys}\n",
            publisher.url(path)
        );
        let database = folder.path().join("revisor.db");
        let flags = Flags {
            config: None,
            database: Some(&database),
        };
        let environment = Environment::default();
        let loaded = from_text(&text, None, flags, &environment, Secrets::Required).unwrap();
        let clock = Arc::new(Fixed::at(at(0)));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let assembly = runtime
            .block_on(Assembly::open(loaded.config, Arc::clone(&clock) as _))
            .unwrap();
        Self {
            publisher,
            clock,
            assembly,
            runtime,
            folder,
        }
    }

    /// A world whose feed lists one article, checked at minute 0.
    fn with_article() -> Self {
        let world = Self::new("");
        world.serve("/a", article(TEXT));
        world.list(&[("1", "/a")]);
        world.run_to(0);
        world
    }

    fn serve(&self, path: &str, page: Page) {
        self.publisher.set(path, page);
    }

    /// Sets the feed's entries: (guid, path), newest first.
    fn list(&self, entries: &[(&str, &str)]) {
        let items: Vec<[String; 4]> = entries
            .iter()
            .map(|(guid, path)| {
                let title = format!("Report number {guid} on the harbour");
                let text =
                    format!("What the council heard about the harbour in its session {guid}.");
                [(*guid).to_owned(), self.publisher.url(path), title, text]
            })
            .collect();
        let items: Vec<_> = items
            .iter()
            .map(|[guid, url, title, text]| {
                (guid.as_str(), url.as_str(), title.as_str(), text.as_str())
            })
            .collect();
        self.serve("/feed.xml", Page::rss(rss(&items)));
    }

    fn round(&self, force: bool) {
        let wish = RoundRequest { feeds: None, force };
        self.runtime
            .block_on(self.assembly.checker.round(&wish, |_| {}))
            .unwrap();
    }

    /// Runs everything that is due until this minute, each at its time.
    fn run_to(&self, minute: i64) {
        loop {
            let next = self.assembly.checker.read(Reader::next_due).unwrap();
            match next.filter(|next| *next <= at(minute)) {
                Some(next) => {
                    self.clock.set(next.max(self.assembly.checker.now()));
                    self.round(false);
                }
                None => break,
            }
        }
        self.clock.set(at(minute));
    }

    fn entry(&self) -> KnownEntry {
        self.entry_at("/a")
    }

    fn entry_at(&self, path: &str) -> KnownEntry {
        let url = canonical(&self.publisher.url(path));
        let found = self
            .assembly
            .checker
            .read(|reader| reader.find_entries(&url, 1));
        found.unwrap().remove(0)
    }

    fn events(&self) -> Vec<Event> {
        let filter = EventFilter {
            kinds: EventKind::ALL.to_vec(),
            quiet: vec![],
            oldest_first: true,
            ..EventFilter::default()
        };
        let mut events = Vec::new();
        self.assembly
            .checker
            .read(|reader| {
                reader.each_event(&filter, |logged| {
                    events.push(logged.stored.event);
                    true
                })
            })
            .unwrap();
        events
    }

    /// The reported events, with the minutes of their windows.
    fn told(&self) -> Vec<String> {
        let minute = |at: Timestamp| (at.as_millis() / 1000 - START) / 60;
        self.events()
            .iter()
            .map(|event| {
                let change = event.data.change.as_ref().map(|change| change.window);
                let window = change.or(event.data.window);
                match window {
                    Some(window) => format!(
                        "{} {}–{} {}/{}",
                        event.kind.as_str(),
                        minute(window.last_unchanged),
                        minute(window.first_changed),
                        window.failed_checks,
                        window.checks
                    ),
                    None => event.kind.as_str().to_owned(),
                }
            })
            .collect()
    }
}

const START: i64 = 1_795_000_000;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix(START + minute * 60)
}

const TEXT: &str = "<p>The harbour will cost 15 million, said the mayor, who has been in office since the spring, and \
    the money is to come from the region's building fund over the next four years.</p>\
    <p>The council met for three hours on Monday evening and heard from residents who live near the old harbour, several \
    of whom asked for more time to read the plans before any decision is made.</p>\
    <p>Work on the northern pier is expected to begin next spring, according to the engineer in charge, and it will take \
    at least two years until ships of the larger kind can moor there again.</p>\
    <p>The fishermen's association said that it would look at the plans in detail and that it had not been asked before \
    they were drawn up, although its members pay most of the fees that the harbour takes in each year.</p>";

fn article(text: &str) -> Page {
    Page::html(whole(text))
}

fn whole(text: &str) -> String {
    format!(
        "<!DOCTYPE html><html><head><title>Report on the harbour</title></head><body><nav><a href=/>Home</a></nav>\
         <article><h1>Report on the harbour</h1>{text}</article><footer>Already a subscriber? Log in</footer></body></html>"
    )
}

/// Only the first paragraph.
fn beginning() -> &'static str {
    &TEXT[..TEXT.find("</p>").unwrap() + 4]
}

#[test]
fn an_article_is_removed_after_several_looks_and_told_once_and_so_is_its_return() {
    for gone in [
        Page::status(404),
        Page::status(410),
        Page::html("<title>Page not found</title><h1>Oops</h1><p>Try a search.</p>"),
        Page::status(301).header("location", "/"),
    ] {
        let world = World::with_article();
        world.serve(
            "/",
            Page::html(
                "<h1>The Courier</h1><p>All the news of today, and more of it every day.</p>",
            ),
        );
        world.run_to(60);
        world.serve("/a", gone.clone());
        world.run_to(70);
        assert!(world.told().is_empty(), "{gone:?}");
        assert!(world.entry().page.reason.unwrap().is_absence());
        world.run_to(24 * 60);
        let told = world.told();
        assert_eq!(told.len(), 1, "{gone:?} {told:?}");
        assert!(
            told[0].starts_with("entry.removed ") && told[0].ends_with(" 0/1"),
            "{told:?}"
        );
        let event = &world.events()[0];
        let went = event.data.window.unwrap();
        assert!(went.last_unchanged <= at(60) && went.first_changed >= at(60));
        assert!(went.first_changed < at(70), "{told:?}");
        assert!(
            event.data.detail.as_ref().unwrap().contains("checks over"),
            "{event:?}"
        );
        assert!(
            event.data.text.contains("took an article down"),
            "{}",
            event.data.text
        );
        assert!(event.data.text.contains("between"), "{}", event.data.text);
        world.run_to(3 * 24 * 60);
        assert_eq!(world.told().len(), 1, "told once");
        let looks = world.publisher.hits("/a");
        assert!(looks < 40, "it is looked at ever more seldom: {looks}");

        world.serve("/a", article(&TEXT.replace("15 million", "51 million")));
        world.run_to(6 * 24 * 60);
        let told = world.told();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[1].starts_with("entry.revised "), "{told:?}");
        assert!(told[2].starts_with("entry.restored "), "{told:?}");
        let (edit, back) = (&world.events()[1].data, &world.events()[2].data);
        let edit = edit.change.as_ref().unwrap().window;
        assert_eq!(edit.last_unchanged, went.last_unchanged);
        assert_eq!(edit.first_changed, back.window.unwrap().first_changed);
        assert!(
            back.detail.as_ref().unwrap().contains("was missing for"),
            "{back:?}"
        );
        assert_eq!(world.entry().page.reason, None);
    }
}

#[test]
fn errors_and_walls_never_remove_an_article_and_are_never_its_text() {
    let wall = |html: &str| Page::html(html.to_owned());
    let walls = [
        (Page::status(500), Reason::Failed),
        (Page::status(503), Reason::Failed),
        (Page::status(403), Reason::Failed),
        (
            wall("<html><body><p>Please log in.</p></body></html>"),
            Reason::Paywall,
        ),
        (
            wall("<h1>Report</h1><p>Diesen Artikel weiterlesen mit dem Abo. Bereits Abonnent?</p>"),
            Reason::Paywall,
        ),
        (
            wall(
                "<title>Avant de continuer</title><p>Nous et nos partenaires utilisons des cookies.</p><button>Tout accepter</button>",
            ),
            Reason::Consent,
        ),
        (
            wall("<title>Just a moment...</title><p>Verifying you are human.</p>"),
            Reason::BotCheck,
        ),
        (
            wall("<h1>Технические работы</h1><p>Сайт временно недоступен.</p>"),
            Reason::Maintenance,
        ),
        (
            wall("<html><body><nav><a href=/>Home</a></nav></body></html>"),
            Reason::NoText,
        ),
        // The beginning is still there, and below it a new wall.
        (
            article(&format!(
                "{}<div>Subscribe to continue reading.</div>",
                TEXT[..TEXT.len() / 3].rsplit_once("</p>").unwrap().0
            )),
            Reason::Paywall,
        ),
        // Sent incompletely.
        (Page::html(whole(TEXT)[..900].to_owned()), Reason::Truncated),
        (Page::html(whole(TEXT)[..600].to_owned()), Reason::Truncated),
        (
            Page::status(302).header("location", "/login?next=/a"),
            Reason::Paywall,
        ),
    ];
    for (page, reason) in walls {
        let world = World::with_article();
        world.serve(
            "/login",
            Page::html(
                "<h1>Welcome back to the Courier</h1><p>Your name, your word and nothing else.</p>",
            ),
        );
        world.run_to(60);
        world.serve("/a", page.clone());
        world.run_to(30 * 60);
        assert_eq!(
            world.entry().page.reason,
            Some(reason),
            "{page:?} {:?}",
            world.entry().page
        );
        assert_eq!(world.told(), Vec::<String>::new(), "{page:?}");
        assert_eq!(world.entry().revision.0, 2, "{page:?}");
        world.serve("/a", article(TEXT));
        world.run_to(3 * 24 * 60);
        assert_eq!(world.told(), Vec::<String>::new(), "{page:?}");
        assert_eq!(world.entry().page.reason, None, "{page:?}");
    }
}

#[test]
fn a_text_that_is_mostly_gone_is_told_once_a_second_look_confirms_it() {
    let world = World::with_article();
    world.run_to(61);
    world.serve("/a", article(beginning()));
    world.run_to(71);
    let entry = world.entry();
    assert_eq!(entry.page.reason, Some(Reason::Held));
    assert!(
        entry
            .page
            .error
            .unwrap()
            .contains("words of the text are left")
    );
    assert!(world.told().is_empty());
    let held = world
        .assembly
        .checker
        .read(|reader| reader.page_life(entry.id));
    let since = held.unwrap().held.unwrap().since;
    world.run_to(120);
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    let event = &world.events()[0];
    let window = event.data.change.as_ref().unwrap().window;
    assert_eq!(window.first_changed, since, "the first look saw it");
    assert!(window.last_unchanged < since);
    assert_eq!((window.checks, window.failed_checks), (1, 0));
    assert!(event.timestamp > since, "noticed when it was confirmed");
    let life = world
        .assembly
        .checker
        .read(|reader| reader.page_life(entry.id))
        .unwrap();
    assert_eq!((life.held, life.unconfirmed), (None, 0));
}

#[test]
fn a_text_that_comes_back_at_the_second_look_is_counted_and_not_told() {
    let world = World::with_article();
    world.run_to(60);
    let other = "<p>Something else stands here today, which has nothing to do with ships, and nobody can say why.</p>";
    world.serve("/a", article(&other.repeat(5)));
    world.run_to(70);
    assert_eq!(world.entry().page.reason, Some(Reason::Held));
    world.serve("/a", article(TEXT));
    world.run_to(24 * 60);
    assert!(world.told().is_empty(), "{:?}", world.told());
    let id = world.entry().id;
    let life = world
        .assembly
        .checker
        .read(|reader| reader.page_life(id))
        .unwrap();
    assert_eq!((life.held, life.unconfirmed), (None, 1));
}

#[test]
fn an_article_that_moved_for_good_keeps_its_history_and_tells_its_new_address() {
    let world = World::with_article();
    world.run_to(60);
    world.serve("/news/harbour-plan", article(TEXT));
    world.serve(
        "/a",
        Page::status(301).header("location", "/news/harbour-plan"),
    );
    world.run_to(24 * 60);
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    let event = &world.events()[0];
    let [old, new] = event.data.diff.as_ref().unwrap().address.clone().unwrap();
    assert!(
        old.ends_with("/a") && new.ends_with("/news/harbour-plan"),
        "{old} {new}"
    );
    // The feed starts to use the new address: it is the same entry.
    world.list(&[("other-guid", "/news/harbour-plan")]);
    world.run_to(26 * 60);
    let count = world
        .assembly
        .checker
        .read(|reader| reader.counts(at(0), at(0)))
        .unwrap()
        .entries;
    assert_eq!(count, 1);
}

#[test]
fn a_redirect_that_was_always_there_moves_nothing() {
    let world = World::new("");
    world.serve("/long/name", article(TEXT));
    world.serve("/a", Page::status(301).header("location", "/long/name"));
    world.list(&[("1", "/a")]);
    world.run_to(24 * 60);
    assert!(world.told().is_empty(), "{:?}", world.told());
    assert_eq!(world.entry().page.reason, None);
}

#[test]
fn articles_without_much_of_a_text_are_watched_for_what_they_have() {
    let gallery = |count: u32, caption: &str| {
        let figures: String = (1..=count)
            .map(|n| format!("<figure><img src={n}.jpg><figcaption>Picture {n} of the harbour</figcaption></figure>"))
            .collect();
        Page::html(format!(
            "<html><head><title>The harbour in pictures</title></head><body><article><h1>The harbour in pictures</h1>\
             <p>{caption}</p>{figures}</article></body></html>"
        ))
    };
    let world = World::new("");
    world.serve(
        "/a",
        gallery(
            12,
            "Our photographer went to the harbour on Monday and came back with these.",
        ),
    );
    world.serve(
        "/v",
        Page::html("<html><head><title>Video: the harbour</title></head><body><article><h1>Video: the harbour</h1><video src=a.mp4></video></article></body></html>"),
    );
    world.list(&[("2", "/v"), ("1", "/a")]);
    world.run_to(60);
    assert_eq!(
        world.entry_at("/v").page.reason,
        Some(Reason::NoText),
        "only a video: nothing to compare"
    );
    world.serve(
        "/a",
        gallery(
            12,
            "Our photographer went to the harbour on Tuesday and came back with these.",
        ),
    );
    world.run_to(120);
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(world.events()[0].data.text.contains("Tuesday"));
}

#[test]
fn a_wrong_charset_for_one_look_is_no_edit() {
    let text = "<p>Der Bürgermeister sagte am Montag, die Brücke über die Förde müsse für mindestens zwölf Wochen gesperrt \
                werden, weil die Prüfer größere Schäden gefunden hätten als im Frühjahr.</p>";
    let world = World::new("");
    let page = |content_type: &str| {
        let html = format!(
            "<html><body><article><h1>Brücke gesperrt</h1>{}</article></body></html>",
            text.repeat(3)
        );
        Page::new(200, content_type, html)
    };
    world.serve("/a", page("text/html; charset=utf-8"));
    world.list(&[("1", "/a")]);
    world.run_to(60);
    world.serve("/a", page("text/html; charset=iso-8859-1"));
    world.run_to(120);
    world.serve("/a", page("text/html; charset=utf-8"));
    world.run_to(180);
    assert!(world.told().is_empty(), "{:?}", world.told());
}

#[test]
fn large_pages_and_pages_from_right_to_left_are_watched() {
    let world = World::new("");
    let filler = "<div class=ad><script>var x = 1;</script></div>".repeat(200_000);
    let large = |text: &str| Page::html(whole(&format!("{text}{filler}")));
    let arabic = |cost: &str| {
        let text = format!(
            "<p dir=rtl>قال رئيس البلدية يوم الاثنين إن الميناء سيكلف {cost} مليون يورو (EUR {cost}m) على مدى السنوات الأربع المقبلة.</p>"
        );
        Page::html(format!(
            "<html lang=ar dir=rtl><body><article><h1>تكلفة الميناء</h1>{}</article></body></html>",
            text.repeat(2)
        ))
    };
    world.serve("/a", large(TEXT));
    world.serve("/r", arabic("15"));
    world.list(&[("2", "/r"), ("1", "/a")]);
    world.run_to(0);
    assert!(filler.len() > 9_000_000);
    world.serve("/a", large(&TEXT.replace("15 million", "51 million")));
    world.serve("/r", arabic("51"));
    world.run_to(10);
    let told = world.events();
    assert_eq!(told.len(), 2, "{:?}", world.told());
    assert!(told.iter().all(|event| event.data.text.contains("51")));
}

#[test]
fn a_held_text_survives_the_end_of_the_program() {
    let world = World::with_article();
    world.run_to(60);
    world.serve("/a", article(beginning()));
    world.run_to(70);
    let World {
        publisher,
        clock,
        assembly,
        runtime,
        folder,
    } = world;
    runtime.block_on(assembly.close()).unwrap();
    let database = folder.path().join("revisor.db");
    let text = format!(
        "[fetch]\nhost_delay = \"0s\"\nallow_private = [\"127.0.0.0/8\"]\n[[feed]]\nurl = \"{}\"\nname = \"courier\"\n",
        publisher.url("/feed.xml")
    );
    let flags = Flags {
        config: None,
        database: Some(&database),
    };
    let config = from_text(
        &text,
        None,
        flags,
        &Environment::default(),
        Secrets::Required,
    )
    .unwrap()
    .config;
    let assembly = runtime
        .block_on(Assembly::open(config, Arc::clone(&clock) as _))
        .unwrap();
    let world = World {
        publisher,
        clock,
        assembly,
        runtime,
        folder,
    };
    world.run_to(120);
    let told = world.told();
    assert_eq!(told.len(), 1, "{told:?}");
    let change = world.events()[0].data.change.clone().unwrap();
    assert!(change.window.first_changed <= at(70), "{told:?}");
    assert!(
        change
            .window
            .first_changed
            .since(change.window.last_unchanged)
            <= Duration::from_mins(10)
    );
}
