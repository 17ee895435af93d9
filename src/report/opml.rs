//! Feeds as OPML 2.0, for other feed readers.

use quick_xml::escape::escape;

use super::clean;

/// A feed to be exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpmlOutline {
    /// Its name in the configuration.
    pub name: String,
    /// Its own title.
    pub title: Option<String>,
    /// Its address.
    pub url: String,
    /// Its tags; the first is its folder.
    pub tags: Vec<String>,
}

/// The document. It keeps the order of the feeds, which matters when it is imported again: consecutive feeds with
/// the same first tag share a folder, and all tags are categories.
#[must_use]
pub(crate) fn document(feeds: &[OpmlOutline]) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n  <head>\n    \
         <title>Feeds of revisor</title>\n  </head>\n  <body>\n",
    );
    for group in feeds.chunk_by(|a, b| a.tags.first() == b.tags.first()) {
        let folder = group.first().and_then(|feed| feed.tags.first());
        let indent = if let Some(folder) = folder {
            out.push_str("    <outline");
            attribute(&mut out, "text", folder);
            out.push_str(">\n");
            "      "
        } else {
            "    "
        };
        for feed in group {
            out.push_str(indent);
            outline(&mut out, feed);
        }
        if folder.is_some() {
            out.push_str("    </outline>\n");
        }
    }
    out.push_str("  </body>\n</opml>\n");
    out
}

fn outline(out: &mut String, feed: &OpmlOutline) {
    out.push_str("<outline type=\"rss\"");
    attribute(out, "text", &feed.name);
    attribute(out, "title", feed.title.as_ref().unwrap_or(&feed.name));
    // Unescaped: the configuration does not allow addresses with characters that have a meaning here.
    out.push_str(" xmlUrl=\"");
    out.push_str(&escape(feed.url.as_str()));
    out.push('"');
    // A category is a path, and a comma starts the next one.
    let categories: Vec<&str> = feed
        .tags
        .iter()
        .map(String::as_str)
        .filter(|tag| !tag.contains(','))
        .collect();
    if !categories.is_empty() {
        attribute(out, "category", &categories.join(","));
    }
    out.push_str("/>\n");
}

fn attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    out.push_str(&escape(clean::line(value).as_ref()));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::feed::list;

    fn feed(name: &str, url: &str, tags: &[&str]) -> OpmlOutline {
        OpmlOutline {
            name: name.to_owned(),
            title: None,
            url: url.to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        }
    }

    #[test]
    fn feeds_that_follow_one_another_share_a_folder() {
        let text = document(&[
            feed("a", "https://a.example/?x=1&y=2", &["news", "politics"]),
            feed("b \"<b>\"", "https://b.example/", &["news"]),
            feed("c", "https://c.example/", &[]),
        ]);
        assert_eq!(text.matches("<outline text=\"news\">").count(), 1);
        assert!(text.contains("category=\"news,politics\""), "{text}");
        assert!(text.contains("x=1&amp;y=2"), "{text}");
        assert!(text.contains("text=\"b &quot;&lt;b&gt;&quot;\""), "{text}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            given in prop::collection::vec(("[a-z\"<>&']{1,8}", "[a-z0-9?&=;#%'\"<>]{0,20}", prop::collection::vec("[a-z&<\"/]{1,6}", 0..3)), 0..8)
        ) {
            let feeds: Vec<OpmlOutline> = given
                .into_iter()
                .map(|(name, path, tags)| OpmlOutline {
                    name,
                    title: None,
                    url: format!("https://a.example/{path}"),
                    tags: tags.into_iter().map(|tag| format!("t{tag}t")).collect(),
                })
                .collect();
            let list = list::parse(document(&feeds).as_bytes());
            let read: Vec<(String, Option<String>)> = list
                .items
                .into_iter()
                .map(|item| item.read.unwrap())
                .map(|feed| (feed.url, feed.title))
                .collect();
            let written: Vec<(String, Option<String>)> =
                feeds.into_iter().map(|feed| (feed.url, Some(feed.name))).collect();
            prop_assert_eq!(read, written);
        }
    }
}
