//! The cost of reading an article page, compared with that of the extractor alone on the same page.

use std::path::Path;

use revisor::domain::assess::{Context, assess};
use revisor::domain::compare::compare;
use revisor::domain::state::{EntryState, PageState};
use revisor::extract;
use revisor::time::Stopwatch;
use trafilatura::{ExtractionFocus, Options};

use crate::texts::words;

/// How often each page is read.
const RUNS: u32 = 5;

/// Prints the ratio for the pages in a folder (`*.html`), or for made-up pages.
pub(crate) fn run(folder: Option<&str>) {
    let pages = folder.map_or_else(made_up, read);
    let (mut checks, mut alone) = (0.0, 0.0);
    for page in &pages {
        let edited = page.replacen("</p>", " At least 21 people were hurt.</p>", 1);
        let before = state(page);
        checks += seconds(|| {
            let after = state(&edited);
            if let Some(comparison) = compare(&before, &after) {
                std::hint::black_box(assess(&comparison, &Context::default()));
            }
        });
        alone += seconds(|| {
            let options = Options::default()
                .with_fallback(true)
                .with_focus(ExtractionFocus::FavorPrecision);
            let _ = std::hint::black_box(trafilatura::extract(&edited, &options));
        });
    }
    let each = |seconds: f64| seconds * 1000.0 / f64::from(RUNS) / pages.len().max(1) as f64;
    println!(
        "a check of {} pages with changed text: {:.2} ms a page; trafilatura alone: {:.2} ms; ratio {:.2}",
        pages.len(),
        each(checks),
        each(alone),
        checks / alone.max(f64::EPSILON)
    );
}

fn seconds(mut work: impl FnMut()) -> f64 {
    let watch = Stopwatch::start();
    for _ in 0..RUNS {
        work();
    }
    watch.elapsed().as_secs_f64()
}

fn state(page: &str) -> EntryState {
    let state: PageState = extract::article(page.as_bytes(), None, None).state;
    EntryState {
        feed: None,
        page: Some(state),
    }
}

fn read(folder: &str) -> Vec<String> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = files.map(|file| file.path()).collect();
    paths.sort();
    let is_page = |path: &&Path| path.extension().is_some_and(|end| end == "html");
    let pages = paths
        .iter()
        .map(std::path::PathBuf::as_path)
        .filter(is_page);
    pages
        .filter_map(|path| std::fs::read(path).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}

/// Articles of several lengths, surrounded by menus, boxes and other stories.
fn made_up() -> Vec<String> {
    let links = |n: u64, seed: u64| -> String {
        (0..n)
            .map(|at| {
                format!(
                    "<li class=item><a href=/{seed}/{at}>{}</a></li>",
                    words(6, seed + at)
                )
            })
            .collect()
    };
    let page = |seed: u64| {
        let title = words(8, seed);
        let text: String = (0..10 + seed * 3)
            .map(|at| format!("<p>{}</p>\n", words(45, seed * 1_000 + at)))
            .collect();
        format!(
            "<!doctype html><html><head><title>{title}</title><meta property=og:title content='{title}'></head><body>\
             <nav class=menu><ul>{}</ul></nav><main><article><h1>{title}</h1><p class=lead>{}</p>{text}\
             <aside><h2>More</h2><ul>{}</ul></aside></article></main><footer><ul>{}</ul></footer></body></html>",
            links(60, seed),
            words(20, seed + 7),
            links(8, seed + 100),
            links(40, seed + 200)
        )
    };
    (1..=20).map(page).collect()
}
