//! Why a look at a page brought no text.

/// Why a look at a page brought no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// 404 or 410.
    NotFound,
    /// A page that says that it was not found, with status 200.
    Soft404,
    /// A redirect to the front page, to a section or to an error page.
    RedirectedAway,
    /// A notice that the text is for subscribers, or for those who are logged in.
    Paywall,
    /// A wall that asks for consent.
    Consent,
    /// A test whether the reader is a robot.
    BotCheck,
    /// The site says that it is out of order for a while.
    Maintenance,
    /// The page breaks off, and a part of the text is missing.
    Truncated,
    /// The page has no text besides menus and a footer.
    NoText,
    /// The page is another one: what many articles of the host show alike, or a front page.
    NotArticle,
    /// The page is a document of which no text can be had; the check itself went well.
    Document,
    /// Most of the text is gone; a second look has to confirm it.
    Held,
    /// No answer, or one that says nothing of the article.
    Failed,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 13] = [
        Self::NotFound,
        Self::Soft404,
        Self::RedirectedAway,
        Self::Paywall,
        Self::Consent,
        Self::BotCheck,
        Self::Maintenance,
        Self::Truncated,
        Self::NoText,
        Self::NotArticle,
        Self::Document,
        Self::Held,
        Self::Failed,
    ];

    /// The name in the database and in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Soft404 => "soft_404",
            Self::RedirectedAway => "redirected_away",
            Self::Paywall => "paywall",
            Self::Consent => "consent",
            Self::BotCheck => "bot_check",
            Self::Maintenance => "maintenance",
            Self::Truncated => "truncated",
            Self::NoText => "no_text",
            Self::NotArticle => "not_article",
            Self::Document => "document",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }

    /// The reason of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// Whether it says that the article is not there.
    #[must_use]
    pub fn is_absence(self) -> bool {
        matches!(self, Self::NotFound | Self::Soft404 | Self::RedirectedAway)
    }
}
