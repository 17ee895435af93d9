//! Redirects that lead away from an article: to the front page, a section, an error page or a login.

use crate::names;
use url::Url;

names! {
    /// The target of a redirect that does not lead to the article.
    pub enum Elsewhere {
        /// The front page of a site.
        FrontPage = "the front page",
        /// A page above the article's: `/news/` for `/news/2026/harbour`.
        Section = "a page above it",
        /// A page whose address says that something was not found.
        ErrorPage = "an error page",
        /// A page for logging in or subscribing.
        Login = "a login",
        /// A page that asks for consent.
        Consent = "a page that asks for consent",
    }
}

/// Where the redirect from an article's address leads; `None` if it may lead to the article. A section may still
/// be the article (`/123/harbour` to `/123`), so its text has to be checked.
#[must_use]
pub fn elsewhere(from: &str, to: &str) -> Option<Elsewhere> {
    let (from, to) = (Url::parse(from).ok()?, Url::parse(to).ok()?);
    let (before, after) = (Path::of(&from), Path::of(&to));
    if before == after && from.host_str() == to.host_str() {
        return None;
    }
    let host = to.host_str().unwrap_or_default();
    let named = |names: &[&str]| {
        let named = |segment: &&String| names.contains(&segment.as_str());
        after.segments.iter().any(|segment| named(&segment))
            && !before.segments.iter().any(|segment| named(&segment))
    };
    if host.starts_with("consent.") || named(&["consent", "cookiewall", "cookie-wall"]) {
        Some(Elsewhere::Consent)
    } else if host.starts_with("login.") || named(&LOGINS) {
        Some(Elsewhere::Login)
    } else if named(&ERRORS) {
        Some(Elsewhere::ErrorPage)
    } else if after.segments.is_empty() && after.query.is_none() {
        Some(Elsewhere::FrontPage)
    } else if after.is_above(&before) {
        Some(Elsewhere::Section)
    } else {
        None
    }
}

const LOGINS: [&str; 9] = [
    "login",
    "log-in",
    "signin",
    "sign-in",
    "anmelden",
    "connexion",
    "subscribe",
    "paywall",
    "register",
];
const ERRORS: [&str; 9] = [
    "404",
    "410",
    "error",
    "notfound",
    "not-found",
    "page-not-found",
    "error404",
    "erreur",
    "fehler",
];

/// The path of an address, in lower case, without a file extension and without the file name of an index page.
#[derive(Debug, PartialEq, Eq)]
struct Path {
    segments: Vec<String>,
    query: Option<String>,
}

impl Path {
    fn of(url: &Url) -> Self {
        let segments = url.path_segments().into_iter().flatten();
        let mut segments: Vec<String> = segments
            .filter(|segment| !segment.is_empty())
            .map(|segment| {
                let segment = segment.to_ascii_lowercase();
                let stem = [".html", ".htm", ".php", ".aspx", ".jsp"]
                    .iter()
                    .find_map(|end| segment.strip_suffix(end));
                stem.unwrap_or(&segment).to_owned()
            })
            .collect();
        let is_file_of_folder =
            |segment: &String| ["index", "home", "default"].contains(&segment.as_str());
        if segments.last().is_some_and(is_file_of_folder) {
            segments.pop();
        }
        Self {
            segments,
            query: url
                .query()
                .filter(|query| !query.is_empty())
                .map(str::to_owned),
        }
    }

    fn is_above(&self, below: &Self) -> bool {
        self.query.is_none()
            && self.segments.len() < below.segments.len()
            && below.segments.starts_with(&self.segments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_redirects_lead() {
        use Elsewhere::{Consent, ErrorPage, FrontPage, Login, Section};
        for (from, to, expected) in [
            ("/news/2026/harbour", "/", Some(FrontPage)),
            ("/news/2026/harbour", "/index.html", Some(FrontPage)),
            ("/?p=123", "/", Some(FrontPage)),
            (
                "/news/2026/harbour",
                "https://other.example/",
                Some(FrontPage),
            ),
            ("/news/2026/harbour", "/news/", Some(Section)),
            ("/news/2026/harbour.html", "/news/index.php", Some(Section)),
            ("/news/harbour", "/404.html", Some(ErrorPage)),
            ("/news/harbour", "/error?code=404", Some(ErrorPage)),
            ("/news/harbour", "/login?next=/news/harbour", Some(Login)),
            ("/news/harbour", "https://login.e.example/x", Some(Login)),
            (
                "/news/harbour",
                "https://consent.e.example/?continue=a",
                Some(Consent),
            ),
            ("/news/harbour", "/news/harbour", None),
            ("/news/harbour", "https://www.e.example/news/harbour/", None),
            ("/news/harbour", "/news/2026/harbour-plan-agreed", None),
            ("/?p=123", "/2026/harbour", None),
            ("/blog/404", "/blog/404/", None),
            ("/a", "/?p=7", None),
        ] {
            let base = Url::parse("https://e.example/").unwrap();
            let full = |path: &str| base.join(path).unwrap().to_string();
            assert_eq!(elsewhere(&full(from), &full(to)), expected, "{from} → {to}");
        }
        assert_eq!(elsewhere("nothing", "https://e.example/"), None);
    }
}
