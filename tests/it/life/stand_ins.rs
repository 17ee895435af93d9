//! Pages that a host serves instead of its articles, and pages whose text is elsewhere.

use revisor::domain::life::Reason;

use super::{World, whole};
use crate::support::Page;

const PATHS: [&str; 5] = ["/a", "/b", "/c", "/d", "/e"];

/// The article at a path: a text of its own.
fn story(path: &str) -> String {
    let name = path.trim_start_matches('/');
    let sentence = |at: u32| {
        format!(
            "<p>In {name}{at} the {name}{at} council of {name}town voted {at} times for the {name}{at} bridge, and {name} people objected.</p>"
        )
    };
    (1..5).map(sentence).collect()
}

/// An article of the host, under the headline that the feed of the world gives it.
fn page(number: usize, text: &str) -> Page {
    let html = whole(text).replace(
        "<h1>Report on the harbour</h1>",
        &format!("<h1>Report number {number} on the harbour</h1>"),
    );
    Page::html(html)
}

/// A world of five articles; `serve` says what each address shows.
fn world(serve: impl Fn(usize, &str) -> Page) -> World {
    let world = World::new("");
    let numbers: Vec<String> = (1..=PATHS.len()).map(|number| number.to_string()).collect();
    let entries: Vec<_> = numbers.iter().map(String::as_str).zip(PATHS).collect();
    world.list(&entries);
    show(&world, serve);
    world.run_to(60);
    world
}

fn show(world: &World, serve: impl Fn(usize, &str) -> Page) {
    for (at, path) in PATHS.iter().enumerate() {
        world.serve(path, serve(at + 1, path));
    }
}

fn articles(number: usize, path: &str) -> Page {
    page(number, &story(path))
}

#[test]
fn a_text_in_the_place_of_many_articles_is_none_of_theirs_in_any_language() {
    for notice in [
        "<h1>Welcome to nginx!</h1><p>If you see this, the web server is working. Further configuration is required.</p>",
        "<h1>Courier</h1><p>Päivitämme palvelimiamme tänä yönä. Kiitos kärsivällisyydestä.</p>",
        "<p>この地域からはご覧いただけません。</p>",
        "<h1>kurier.example</h1><p>Diese Domain steht zum Verkauf. Machen Sie ein Angebot.</p><ul><li><a href=/x>Reisen</a></li></ul>",
        "<div id=px><h2>Press and hold</h2><p>Reference 8a1c, thank you for your patience with us today.</p></div>",
    ] {
        let world = world(articles);
        show(&world, |_, _| {
            Page::html(format!("<html><body>{notice}</body></html>"))
        });
        world.run_to(12 * 60);
        for path in PATHS {
            let entry = world.entry_at(path);
            assert_eq!(
                entry.page.reason,
                Some(Reason::NotArticle),
                "{path} {notice}"
            );
            assert_eq!(entry.revision.0, 2, "{path} {notice}");
        }
        show(&world, articles);
        world.run_to(3 * 24 * 60);
        assert_eq!(world.told(), Vec::<String>::new(), "{notice}");
        assert_eq!(world.entry().page.reason, None);
        // And the articles are checked as before; many edits at the same time may be reported as one.
        show(&world, |number, path| {
            page(number, &story(path).replace("objected", "agreed"))
        });
        world.run_to(6 * 24 * 60);
        assert!(!world.told().is_empty(), "{notice}");
        for path in PATHS {
            assert_eq!(world.entry_at(path).revision.0, 3, "{path} {notice}");
        }
    }
}

#[test]
fn pages_that_are_alike_at_first_sight_are_no_articles_and_their_texts_come_silently() {
    let notice = "<h1>Kuriren</h1><p>Sajten flyttas i natt och öppnar igen klockan sex. Tack för att du väntar.</p>";
    let world = world(|_, _| Page::html(format!("<html><body>{notice}</body></html>")));
    world.run_to(24 * 60);
    let unread = |path: &&&str| world.entry_at(path).page.reason == Some(Reason::NotArticle);
    assert_eq!(PATHS.iter().filter(unread).count(), PATHS.len());
    show(&world, articles);
    world.run_to(4 * 24 * 60);
    assert_eq!(world.told(), Vec::<String>::new());
    show(&world, |number, path| {
        page(number, &story(path).replace("objected", "agreed"))
    });
    world.run_to(8 * 24 * 60);
    assert!(!world.told().is_empty());
    for path in PATHS {
        // The text that came silently, and its edit; some articles were first read with the notice.
        assert!(world.entry_at(path).revision.0 >= 3, "{path}");
    }
}

#[test]
fn a_correction_that_reads_the_same_on_many_articles_is_told_of_each() {
    let world = world(articles);
    let note = "<p>Correction: an earlier version gave a wrong name for the mayor of the town.</p>";
    show(&world, |number, path| {
        page(number, &format!("{}{note}", story(path)))
    });
    world.run_to(2 * 24 * 60);
    assert_eq!(world.told().len(), PATHS.len(), "{:?}", world.told());
}

#[test]
fn a_word_alone_never_takes_an_article_away() {
    let text = "<p>The council says that its page not found error was due to a wrong address in the letter to all residents.</p>";
    let edited = text.replace("letter", "leaflet");
    let shown = |text: &str| {
        Page::html(format!(
            "<html><head><title>Page not found</title></head><body><h1>Page not found</h1>{text}</body></html>"
        ))
    };
    let world = world(|number, path| match path {
        "/a" => page(number, text),
        _ => articles(number, path),
    });
    world.serve("/a", shown(text));
    world.run_to(24 * 60);
    world.serve("/a", shown(&edited));
    world.run_to(5 * 24 * 60);
    let told = world.told();
    assert!(
        told.iter().all(|event| event.starts_with("entry.revised")),
        "{told:?}"
    );
    assert!(
        world
            .events()
            .iter()
            .any(|event| event.data.text.contains("leaflet"))
    );
}

#[test]
fn a_shell_with_a_footer_is_not_watched_blindly() {
    let shell = |year: u32| {
        move |_: usize, _: &str| {
            Page::html(format!(
                "<html><body><div id=root></div><footer><p>Copyright {year} The Courier. All rights reserved.</p></footer></body></html>"
            ))
        }
    };
    let world = world(shell(2026));
    assert_eq!(world.entry().page.reason, Some(Reason::NoText));
    show(&world, shell(2027));
    world.run_to(24 * 60);
    show(&world, articles);
    world.run_to(3 * 24 * 60);
    assert_eq!(world.told(), Vec::<String>::new());
    assert_eq!(world.entry().page.reason, None);
}

#[test]
fn a_page_that_sends_its_readers_on_is_read_there() {
    let hop = Page::html(
        "<html><head><meta http-equiv=refresh content='0; url=/notice.html'></head><body></body></html>",
    );
    let world = World::new("");
    world.serve("/a", hop);
    world.serve("/notice.html", page(1, &story("/a")));
    world.list(&[("1", "/a")]);
    world.run_to(60);
    assert_eq!(world.entry().page.reason, None);
    world.serve(
        "/notice.html",
        page(1, &story("/a").replace("objected", "agreed")),
    );
    world.run_to(2 * 24 * 60);
    assert_eq!(world.told().len(), 1, "{:?}", world.told());
}
