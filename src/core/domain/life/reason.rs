//! Why a look at a page brought no text.

use crate::names;

names! {
    /// Why a look at a page brought no text.
    pub enum Reason {
        /// 404 or 410.
        NotFound = "not_found",
        /// A page that says that it was not found, with status 200.
        Soft404 = "soft_404",
        /// A redirect to the front page, to a section or to an error page.
        RedirectedAway = "redirected_away",
        /// A notice that the text is for subscribers, or for those who are logged in.
        Paywall = "paywall",
        /// A wall that asks for consent.
        Consent = "consent",
        /// A test whether the reader is a robot.
        BotCheck = "bot_check",
        /// The site says that it is out of order for a while.
        Maintenance = "maintenance",
        /// The page breaks off, and a part of the text is missing.
        Truncated = "truncated",
        /// The page has no text besides menus and a footer.
        NoText = "no_text",
        /// The page is another one: what many articles of the host show alike, or a front page.
        NotArticle = "not_article",
        /// The page is a document of which no text can be had; the check itself went well.
        Document = "document",
        /// Most of the text is gone; a second look has to confirm it.
        Held = "held",
        /// No answer, or one that says nothing of the article.
        Failed = "failed",
    }
}

impl Reason {
    /// Whether it says that the article is not there.
    #[must_use]
    pub fn is_absence(self) -> bool {
        matches!(self, Self::NotFound | Self::Soft404 | Self::RedirectedAway)
    }
}
