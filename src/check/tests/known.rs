//! Items that are recognised by their bytes: polls that skip reading them end as if they had read them.

use super::*;

/// Pseudo-random numbers that are the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// A feed in use: items are added, edited, removed, duplicated and moved, and everything around them changes.
#[derive(Clone)]
struct Story {
    guid: usize,
    title: usize,
    text: usize,
    date: usize,
    link: usize,
    /// Recorded, but ignored when texts are compared.
    comments: usize,
}

fn item_of(story: &Story) -> String {
    let Story {
        guid,
        title,
        text,
        date,
        link,
        comments,
    } = story;
    let guid = match guid % 7 {
        0 => String::new(),
        _ => format!("<guid isPermaLink=\"false\">g{guid}</guid>"),
    };
    let words = [
        "harbour", "closed", "after", "storm", "ferry", "waits", "council", "said",
    ];
    let text: Vec<&str> = (0..30)
        .map(|at| words[(at * 3 + text) % words.len()])
        .collect();
    format!(
        "<item>{guid}<title>Report {title}</title><link>/a/{link}</link>\
         <pubDate>Mon, 23 Nov 2026 {:02}:00:00 GMT</pubDate>\
         <description><![CDATA[<p>{}. Page {} of it.</p><p>{comments} comments</p>]]></description></item>",
        date % 24,
        text.join(" "),
        story.text
    )
}

fn step(stories: &mut Vec<Story>, next: &mut usize, draw: &mut Draw) {
    for _ in 0..draw.below(3) {
        let at = draw.below(stories.len());
        match draw.below(12) {
            0 => stories[at].title += 100,
            1 | 2 => stories[at].text += 1,
            3 => stories[at].date += 1,
            4 => stories[at].link += 1000,
            5 => {
                *next += 1;
                let new = *next;
                stories.insert(
                    0,
                    Story {
                        guid: new,
                        title: new,
                        text: new,
                        date: new,
                        link: new,
                        comments: new,
                    },
                );
            }
            6 if stories.len() > 3 => drop(stories.remove(at)),
            7 => {
                let copy = stories[at].clone();
                stories.push(copy);
            }
            8 | 9 => stories[at].comments += 1,
            10 => stories[at].comments = 3,
            _ => stories.swap(0, at),
        }
    }
}

#[tokio::test]
async fn polls_with_known_items_end_as_those_without() {
    for seed in 0..12_u8 {
        let site = Site::start(|_, _| String::new());
        let pages = ["page.fetch = \"off\"\n", "page.fetch = \"changed\"\n"][usize::from(seed % 2)];
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let config = config(&site, pages);
        let with = Bench::new(folders[0].path(), &config, start()).await;
        let without = Bench::new(folders[1].path(), &config, start()).await;
        let mut draw = Draw(u64::from(seed));
        let mut next = 6;
        let mut stories: Vec<Story> = (1..=6)
            .map(|n| Story {
                guid: n,
                title: n,
                text: n,
                date: n,
                link: n,
                comments: n,
            })
            .collect();
        let mut remembered = 0;
        for round in 0..14 {
            let items: String = stories.iter().map(item_of).collect();
            let around = match draw.below(8) {
                0 => "<ttl>30</ttl>",
                1 => {
                    "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='self' href='/feed'/>"
                }
                _ => "",
            };
            let document = rss(
                &format!("{around}<lastBuildDate>{round}</lastBuildDate>"),
                &items,
            );
            site.becomes(move |path, _| match path {
                "/feed" => reply("200 OK", "Content-Type: text/xml\r\n", &document),
                _ => reply("404 Not Found", "", ""),
            });
            forget_items(folders[1].path());
            let reports = [with.poll().await, without.poll().await];
            let counts = reports.map(|report| {
                (
                    report.entries,
                    report.new,
                    report.changed,
                    report.changes.len(),
                )
            });
            assert_eq!(counts[0], counts[1], "seed {seed}, round {round}");
            let left = folders.each_ref().map(|folder| stored(folder.path()));
            assert_eq!(left[0], left[1], "seed {seed}, round {round}");
            remembered += known_items(folders[0].path());
            let later = with.checker.now() + HOUR;
            with.clock.set(later);
            without.clock.set(later);
            step(&mut stories, &mut next, &mut draw);
        }
        assert!(remembered > 6, "something was remembered: {remembered}");
        assert!(rows(folders[0].path(), "ignored_moves") > 0);
    }
}

#[tokio::test]
async fn an_edit_back_to_known_bytes_is_seen() {
    let texts = ["The ferry sails at nine", "The ferry sails at ten"];
    let document = |text: &str, build: usize| {
        let item = |n: u8, text: &str| {
            format!(
                "<item><guid>{n}</guid><title>Item {n}</title><link>/{n}</link><description>{text}</description></item>"
            )
        };
        let items: String = (2..6)
            .map(|n| item(n, "Nothing new on the quay today"))
            .collect();
        rss(
            &format!("<lastBuildDate>{build}</lastBuildDate>"),
            &(item(1, text) + &items),
        )
    };
    let site = Site::start(|_, _| String::new());
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(
        folder.path(),
        &config(&site, "page.fetch = \"off\"\n"),
        start(),
    )
    .await;
    let mut changes = Vec::new();
    for (build, text) in [0, 0, 0, 1, 0, 0, 1, 1, 0].into_iter().enumerate() {
        let document = document(texts[text], build);
        site.becomes(move |_, _| reply("200 OK", "", &document));
        changes.push(bench.poll().await.changed);
        bench.clock.set(bench.checker.now() + HOUR);
    }
    assert_eq!(changes, [0, 0, 0, 1, 1, 0, 1, 0, 1]);
    assert_eq!(known_items(folder.path()), 1);
}
