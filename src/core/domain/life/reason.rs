//! Why a check of a page brought no text.

use crate::names;

names! {
    /// Why a check of a page brought no text.
    pub enum Reason {
        /// 404 or 410.
        NotFound = "not_found",
        /// A page with status 200 that says that it was not found.
        Soft404 = "soft_404",
        /// A redirect to the front page, to a section or to an error page.
        RedirectedAway = "redirected_away",
        /// A notice that the text is only for subscribers or logged-in readers.
        Paywall = "paywall",
        /// A wall that asks for consent.
        Consent = "consent",
        /// A test whether the reader is a bot.
        BotCheck = "bot_check",
        /// The site says that it is temporarily unavailable.
        Maintenance = "maintenance",
        /// The page is cut off, and part of the text is missing.
        Truncated = "truncated",
        /// The page has no text other than menus and a footer.
        NoText = "no_text",
        /// The page is not the article: a text that many articles of the host show, or a front page.
        NotArticle = "not_article",
        /// The page is a document without readable text; the check itself succeeded.
        Document = "document",
        /// Most of the text is gone; a second check has to confirm it.
        Held = "held",
        /// No response, or one that says nothing about the article.
        Failed = "failed",
    }
}

impl Reason {
    /// Whether it means that the article is gone.
    #[must_use]
    pub fn is_absence(self) -> bool {
        matches!(self, Self::NotFound | Self::Soft404 | Self::RedirectedAway)
    }
}
