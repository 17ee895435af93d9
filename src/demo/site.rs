//! The site: a feed and its pages, served on loopback, in the current round.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::DemoError;
use super::articles::{DemoArticle, claimed_minutes, in_round};
use crate::time::Timestamp;

/// A running site; it ends with the runtime.
#[derive(Debug)]
pub(crate) struct DemoSite {
    stage: Arc<Stage>,
}

#[derive(Debug)]
struct Stage {
    address: SocketAddr,
    round: AtomicUsize,
    opened: Timestamp,
}

impl DemoSite {
    /// Starts to serve on a free port of 127.0.0.1; articles claim to have been published in the two hours before
    /// `now`.
    pub(crate) async fn open(now: Timestamp) -> Result<Self, DemoError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let stage = Arc::new(Stage {
            address,
            round: AtomicUsize::new(0),
            opened: now,
        });
        let routes = Router::new()
            .route("/feed.xml", get(feed))
            .route("/news/{slug}", get(page))
            .with_state(Arc::clone(&stage));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { stage })
    }

    /// The address of its feed.
    #[must_use]
    pub(crate) fn feed_url(&self) -> String {
        format!("http://{}/feed.xml", self.stage.address)
    }

    /// Switches to another round.
    pub(crate) fn set_round(&self, round: usize) {
        self.stage.round.store(round, Ordering::SeqCst);
    }
}

async fn feed(State(stage): State<Arc<Stage>>) -> Response {
    let round = stage.round.load(Ordering::SeqCst);
    let mut items = String::new();
    for (place, article) in in_round(round).iter().enumerate() {
        let minutes = (place + 1) * 20;
        let published = stage.minutes_ago(minutes).to_chrono().to_rfc2822();
        let updated =
            stage.minutes_ago(minutes.saturating_sub(claimed_minutes(article.slug, round)));
        let link = stage.link(article.slug);
        let _ = writeln!(
            items,
            "<item><title>{}</title><link>{link}?utm_source=rss&amp;utm_campaign=r{round}</link>\
             <guid isPermaLink=\"false\">demo-{}</guid><pubDate>{published}</pubDate>\
             <atom:updated>{updated}</atom:updated><description>{}</description></item>",
            article.title, article.slug, article.lead,
        );
    }
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" \
         xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel><title>The Demo Courier</title>\
         <link>http://{}/</link><description>News that changes</description>\n{items}</channel></rss>\n",
        stage.address
    );
    (
        [(header::CONTENT_TYPE, "application/rss+xml; charset=utf-8")],
        document,
    )
        .into_response()
}

async fn page(State(stage): State<Arc<Stage>>, Path(slug): Path<String>) -> Response {
    let round = stage.round.load(Ordering::SeqCst);
    match in_round(round).iter().find(|article| article.slug == slug) {
        Some(article) => Html(stage.html(article, round)).into_response(),
        None => (StatusCode::NOT_FOUND, "no such article\n").into_response(),
    }
}

impl Stage {
    fn link(&self, slug: &str) -> String {
        format!("http://{}/news/{slug}", self.address)
    }

    fn minutes_ago(&self, minutes: usize) -> Timestamp {
        self.opened - std::time::Duration::from_secs(minutes as u64 * 60)
    }

    /// A page with the usual furniture, all of which differs in every round.
    fn html(&self, article: &DemoArticle, round: usize) -> String {
        let paragraphs: String = article
            .paragraphs
            .iter()
            .map(|text| format!("<p>{text}</p>\n"))
            .collect();
        let headlines: String = in_round(round)
            .iter()
            .cycle()
            .skip(round)
            .take(4)
            .map(|other| {
                format!(
                    "<li><a href=\"{}\">{}</a></li>",
                    self.link(other.slug),
                    other.title
                )
            })
            .collect();
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <title>{title} | The Demo Courier</title>\
             <link rel=\"canonical\" href=\"{link}\"><meta property=\"og:title\" content=\"{title}\">\
             <meta property=\"article:modified_time\" content=\"{modified}\">\
             <meta name=\"author\" content=\"{author}\"></head>\n<body>\n\
             <header><nav><a href=\"/\">Home</a> <a href=\"/politics\">Politics</a></nav>\
             <div class=\"weather\">{temperature} °C, wind {wind} km/h</div></header>\n\
             <main><article><h1>{title}</h1>\n<p class=\"byline\">By {author}</p>\n\
             <p class=\"meta\">{views} views</p>\n{paragraphs}\
             <div class=\"ad\" id=\"ad-{round}\"><p>Sponsored: {percent} percent off garden chairs</p></div>\n\
             </article>\n<aside><h2>Most read</h2><ol>{headlines}</ol></aside></main>\n\
             <footer>© The Demo Courier · rendered in {ms} ms</footer></body></html>\n",
            title = article.title,
            link = self.link(article.slug),
            // It stays the same whatever is edited.
            modified = self.minutes_ago(20).to_rfc3339(),
            author = article.author,
            temperature = 11 + round * 3,
            wind = 20 + round * 7,
            views = 1_200 + round * 417,
            percent = 10 + round * 5,
            ms = 3 + round,
        )
    }
}
