//! Pages that redirect to a rate-limited host: the redirect is requested from their own host only once.

use super::*;

/// Two entries whose pages redirect to one host with a long crawl delay; the second one has to wait.
async fn waiting(folder: &Path, site: &Site, links: &Mutex<String>) -> (Bench, EntryId) {
    let two = [("127.0.0.2", "/a"), ("127.0.0.3", "/b")];
    *links.lock().unwrap() = two.map(|(host, path)| item(&site.at(host, path))).concat();
    let bench = Bench::new(folder, &config(site, ""), start()).await;
    bench.poll().await;
    let entries = bench.entries();
    assert_eq!(bench.look(entries[0].id).await, PageResult::Unchanged);
    (bench, entries[1].id)
}

fn leads_to(head: &str, path: &str) -> String {
    let to = format!("Location: http://127.0.0.4:{}{path}\r\n", port_of(head));
    reply("302 Found", &to, "")
}

impl Bench {
    /// A check that comes too early; the page is checked again when it is due.
    async fn too_early(&self, entry: EntryId) {
        let PageResult::Failed(why) = self.look(entry).await else {
            panic!("it is too early");
        };
        assert!(why.contains("it redirects to 127.0.0.4"), "{why}");
        let row = self.checker.read(|reader| reader.entry(entry));
        self.clock.set(row.unwrap().unwrap().page.next.unwrap());
    }
}

#[tokio::test]
async fn a_page_goes_on_from_where_it_has_led() {
    let links = Arc::new(Mutex::new(String::new()));
    let items = Arc::clone(&links);
    let site = Site::start(move |path, head| match path {
        "/feed" => reply("200 OK", "", &rss("", &items.lock().unwrap())),
        "/robots.txt" => reply("200 OK", "", "User-agent: *\nCrawl-delay: 600"),
        "/a" | "/b" => leads_to(head, &format!("/to{path}")),
        _ => page(head),
    });
    let folder = tempfile::tempdir().unwrap();
    let (bench, entry) = waiting(folder.path(), &site, &links).await;
    for _ in 0..3 {
        bench.too_early(entry).await;
        assert_eq!(site.asked("/b").len(), 1);
    }
    bench.checker.hosts.refill(&bench.checker.settings());
    assert_eq!(bench.look(entry).await, PageResult::Unchanged);
    assert_eq!((site.asked("/b").len(), site.asked("/to/b").len()), (1, 1));

    // That was one check; the next one starts with the page itself again.
    bench.checker.hosts.refill(&bench.checker.settings());
    let row = bench.checker.read(|reader| reader.entry(entry));
    bench.clock.set(row.unwrap().unwrap().page.next.unwrap());
    bench.look(entry).await;
    assert_eq!((site.asked("/b").len(), site.asked("/to/b").len()), (2, 2));
}

#[tokio::test]
async fn a_way_that_does_not_hold_any_more_is_asked_for_again() {
    let links = Arc::new(Mutex::new(String::new()));
    let items = Arc::clone(&links);
    let site = Site::start(move |path, head| match path {
        "/feed" => reply("200 OK", "", &rss("", &items.lock().unwrap())),
        "/robots.txt" => reply("200 OK", "", "User-agent: *\nCrawl-delay: 600"),
        "/a" => leads_to(head, "/to/a"),
        "/b" => leads_to(head, "/for-a-minute"),
        _ => page(head),
    });
    let folder = tempfile::tempdir().unwrap();
    let (bench, entry) = waiting(folder.path(), &site, &links).await;
    bench.too_early(entry).await;
    site.becomes(|path, head| match path {
        "/robots.txt" => reply("404 Not Found", "", ""),
        "/for-a-minute" => reply("410 Gone", "", ""),
        _ => page(head),
    });
    bench.checker.hosts.refill(&bench.checker.settings());
    assert_eq!(bench.look(entry).await, PageResult::Unchanged);
    assert_eq!(
        (site.asked("/for-a-minute").len(), site.asked("/b").len()),
        (1, 2)
    );
}
