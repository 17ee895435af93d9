//! A lenient tokenizer for tags, shared by feeds (XML) and fragments (HTML).
//!
//! Every input can be read: whatever is not a tag is text. It borrows from its input, takes linear time, keeps no
//! stack and resolves nothing; entities stay as written, see [`super::entity`].

use std::borrow::Cow;

use super::entity;

/// One piece of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MarkupToken<'a> {
    /// Text, with its entities as written.
    Text(&'a str),
    /// The content of a CDATA section.
    CData(&'a str),
    /// `<name …>`.
    Start(Tag<'a>),
    /// `</name>`.
    End(&'a str),
    /// `<?…?>`, without the question marks.
    Instruction(&'a str),
    /// `<!…>` that is neither a comment nor CDATA.
    Declaration(&'a str),
    /// `<!--…-->`.
    Comment,
}

/// The content of a start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    /// The name as written, with its prefix.
    pub(crate) name: &'a str,
    /// Everything between the name and the end of the tag.
    attributes: &'a str,
    /// Whether it ends with `/>`.
    pub(crate) self_closing: bool,
}

impl<'a> Tag<'a> {
    /// The attributes as written: name, value with entities.
    pub(crate) fn attributes(&self) -> Attributes<'a> {
        Attributes {
            rest: self.attributes,
        }
    }

    /// Whether there are any attributes.
    pub(crate) fn is_plain(&self) -> bool {
        self.attributes.trim().is_empty()
    }

    /// The decoded value of an attribute, with its name in any case; the first one counts.
    pub(crate) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attributes()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| entity::decode_attribute(value))
    }
}

/// An iterator over the attributes of a tag.
#[derive(Debug, Clone)]
pub(crate) struct Attributes<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self
            .rest
            .trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        // A name that starts with `=` is odd, but it must be consumed.
        let name_end = rest
            .bytes()
            .enumerate()
            .find(|(at, byte)| *at > 0 && (*byte == b'=' || byte.is_ascii_whitespace()))
            .map_or(rest.len(), |(at, _)| at);
        let (name, rest) = split(rest, name_end);
        let after = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let Some(value) = after.strip_prefix('=') else {
            self.rest = rest;
            return Some((name, ""));
        };
        let value = value.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, rest) = if let Some(quote) = quote {
            let inside = &value[1..];
            let end = inside.find(quote).unwrap_or(inside.len());
            let (value, rest) = split(inside, end);
            (value, rest.strip_prefix(quote).unwrap_or(rest))
        } else {
            let end = value
                .bytes()
                .position(|byte| byte.is_ascii_whitespace())
                .unwrap_or(value.len());
            split(value, end)
        };
        self.rest = rest;
        Some((name, value))
    }
}

fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// The tokens of a document.
#[derive(Debug, Clone)]
pub(crate) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    /// Whether the end of the document cut off the last token.
    cut: bool,
}

impl<'a> Tokens<'a> {
    /// Starts at the beginning.
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            cut: false,
        }
    }

    /// Where the next token begins, in bytes.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// Whether the end of the document cut off a comment, section or tag.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Moves past the end tag of `name`; if there is none, stays where it is and returns `false`.
    pub(crate) fn skip_past_end(&mut self, name: &str) -> bool {
        let Some(at) = find_end_tag(self.rest(), name) else {
            return false;
        };
        let from = self.at + at;
        self.at = self.text[from..]
            .find('>')
            .map_or(self.text.len(), |end| from + end + 1);
        true
    }

    /// The text up to the end tag of `name`, which is consumed, or up to the end of the document.
    pub(crate) fn raw_text(&mut self, name: &str) -> &'a str {
        let rest = self.rest();
        let end = find_end_tag(rest, name).unwrap_or(rest.len());
        let (inside, _) = split(rest, end);
        if !self.skip_past_end(name) {
            self.at = self.text.len();
        }
        inside
    }

    /// Continues at another position, which must be the start of a token.
    pub(crate) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, _) = split(self.rest(), length);
        self.at += taken.len();
        taken
    }

    /// The content of a token that ends with `end`. It is cut off if `end` is missing.
    fn until(&mut self, opening: usize, end: &str) -> &'a str {
        let rest = self.rest();
        let inside = rest.get(opening..).unwrap_or("");
        if let Some(length) = find(inside, end) {
            self.at += opening + length + end.len();
            split(inside, length).0
        } else {
            self.at = self.text.len();
            self.cut = true;
            inside
        }
    }

    fn declaration(&mut self) -> MarkupToken<'a> {
        let rest = self.rest();
        if let Some(comment) = rest.strip_prefix("<!--") {
            // HTML reads `<!-->` and `<!--->` as whole comments.
            if let Some(length) = ["->", ">"]
                .iter()
                .find_map(|end| comment.starts_with(end).then_some(end.len()))
            {
                self.take(4 + length);
            } else {
                self.until(4, "-->");
            }
            return MarkupToken::Comment;
        }
        if rest.starts_with("<![CDATA[") {
            return MarkupToken::CData(self.until(9, "]]>"));
        }
        // An internal subset contains `>` itself.
        let close = rest.find('>').unwrap_or(rest.len());
        let subset = rest[..close].find('[');
        match subset {
            Some(from) => {
                let end = rest[from..].find(']').map_or(rest.len(), |at| from + at);
                let end = rest[end..].find('>').map_or(rest.len(), |at| end + at + 1);
                MarkupToken::Declaration(self.take(end))
            }
            None => MarkupToken::Declaration(self.until(2, ">")),
        }
    }

    /// The length of the start tag at the cursor, from `<` to `>`. A `>` in quotation marks after `=` does not end
    /// it. An error says whether the document ended before the tag did.
    fn tag_length(rest: &str) -> Result<usize, bool> {
        let bytes = rest.as_bytes();
        let mut at = 1;
        let mut after_equals = false;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'>' => return Ok(at + 1),
                // The next tag starts before this one has ended.
                b'<' => return Err(false),
                b'"' | b'\'' if after_equals => {
                    let inside = &rest[at + 1..];
                    match inside.find(char::from(*byte)) {
                        Some(length) => at += length + 1,
                        // An unmatched quotation mark: the tag ends at the first `>`.
                        None => return inside.find('>').map(|length| at + length + 2).ok_or(true),
                    }
                    after_equals = false;
                }
                b'=' => after_equals = true,
                byte if byte.is_ascii_whitespace() => {}
                _ => after_equals = false,
            }
            at += 1;
        }
        Err(true)
    }

    fn text_token(&mut self) -> MarkupToken<'a> {
        // The first byte may be a `<` that does not start a tag.
        let rest = self.rest();
        let mut from = usize::from(rest.starts_with('<'));
        let end = loop {
            match rest[from..].find('<') {
                None => break rest.len(),
                Some(at) if begins_markup(&rest[from + at..]) => break from + at,
                Some(at) => from += at + 1,
            }
        };
        MarkupToken::Text(self.take(end))
    }
}

/// Finds a short text by its first byte, which is faster than a general search if that byte is rare.
pub(crate) fn find(text: &str, wanted: &str) -> Option<usize> {
    let first = wanted.chars().next()?;
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find(first)?;
        if text.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        from = at + first.len_utf8();
    }
}

/// Whether a `<` starts a tag, a comment, an instruction or a declaration.
fn begins_markup(text: &str) -> bool {
    let mut bytes = text.bytes().skip(1);
    match bytes.next() {
        Some(b'!' | b'?') => true,
        Some(b'/') => bytes
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80),
        Some(byte) => byte.is_ascii_alphabetic() || byte == b'_' || byte == b':',
        None => false,
    }
}

/// The position of the end tag of `name`.
fn find_end_tag(text: &str, name: &str) -> Option<usize> {
    let is_end = |at: &usize| {
        let behind = text[at + 1..].strip_prefix('/').unwrap_or_default();
        let named = behind
            .get(..name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name));
        let ended = behind
            .as_bytes()
            .get(name.len())
            .is_none_or(|byte| !byte.is_ascii_alphanumeric());
        named && ended
    };
    // One byte is found faster than two.
    let mut starts = text.match_indices('<').map(|(at, _)| at);
    starts.find(is_end)
}

impl<'a> Iterator for Tokens<'a> {
    type Item = MarkupToken<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest();
        if rest.is_empty() {
            return None;
        }
        if !rest.starts_with('<') || !begins_markup(rest) {
            return Some(self.text_token());
        }
        match rest.as_bytes().get(1) {
            Some(b'!') => Some(self.declaration()),
            Some(b'?') => {
                // HTML ends an instruction at the first `>`, XML at `?>`. In practice the two are the same.
                let inside = self.until(2, ">");
                Some(MarkupToken::Instruction(
                    inside.strip_suffix('?').unwrap_or(inside),
                ))
            }
            Some(b'/') => {
                let inside = rest.get(2..).unwrap_or("");
                let end = inside.find(['>', '<']).unwrap_or(inside.len());
                let closed = inside[end..].starts_with('>');
                self.cut |= end == inside.len();
                let token = self.take(2 + end + usize::from(closed));
                let name = token.trim_start_matches("</").trim_end_matches('>');
                Some(MarkupToken::End(
                    name.split_ascii_whitespace().next().unwrap_or(""),
                ))
            }
            _ => {
                let length = match Self::tag_length(rest) {
                    Ok(length) => length,
                    Err(cut) => {
                        self.cut |= cut;
                        return Some(self.text_token());
                    }
                };
                let tag = self.take(length);
                let inside = &tag[1..tag.len() - 1];
                let self_closing = inside.ends_with('/');
                let inside = inside.strip_suffix('/').unwrap_or(inside);
                let end = inside
                    .bytes()
                    .position(|byte| byte.is_ascii_whitespace() || byte == b'/')
                    .unwrap_or(inside.len());
                let (name, attributes) = split(inside, end);
                Some(MarkupToken::Start(Tag {
                    name,
                    attributes,
                    self_closing,
                }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(text: &str) -> Vec<MarkupToken<'_>> {
        Tokens::new(text).collect()
    }

    #[test]
    fn what_is_no_tag_is_text() {
        assert_eq!(tokens("5 < 6 <3 <"), [MarkupToken::Text("5 < 6 <3 <")]);
        assert_eq!(
            tokens("a <b c"),
            [MarkupToken::Text("a "), MarkupToken::Text("<b c")]
        );
    }

    #[test]
    fn quotation_marks_hide_the_end_of_a_tag() {
        let Some(MarkupToken::Start(tag)) =
            Tokens::new("<a title=\"1 > 0\" href='x&amp;y' on>t").next()
        else {
            panic!("a tag is expected");
        };
        assert_eq!(tag.name, "a");
        assert_eq!(tag.attribute("TITLE").as_deref(), Some("1 > 0"));
        assert_eq!(tag.attribute("href").as_deref(), Some("x&y"));
        assert_eq!(tag.attribute("on").as_deref(), Some(""));
        assert!(!tag.self_closing);
    }

    #[test]
    fn an_apostrophe_in_a_tag_hides_nothing() {
        assert_eq!(tokens("<p don't>x").len(), 2);
    }

    #[test]
    fn sections_comments_and_declarations_are_told_apart() {
        let text = "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a \"b>\">]><!-- <a> --><![CDATA[<b>]]></x >";
        assert_eq!(
            tokens(text),
            [
                MarkupToken::Instruction("xml version='1.0'"),
                MarkupToken::Declaration("<!DOCTYPE x [<!ENTITY a \"b>\">]>"),
                MarkupToken::Comment,
                MarkupToken::CData("<b>"),
                MarkupToken::End("x"),
            ]
        );
    }

    #[test]
    fn many_declarations_are_read_in_linear_time() {
        // Scanning the whole document for each of them would take half an hour.
        let text = "<!DOCTYPE html>".repeat(500_000);
        assert_eq!(Tokens::new(&text).count(), 500_000);
        assert_eq!(tokens("<!a><b c=[>").len(), 2);
    }

    #[test]
    fn a_cut_section_is_told() {
        let mut tokens = Tokens::new("<![CDATA[abc");
        assert_eq!(tokens.next(), Some(MarkupToken::CData("abc")));
        assert!(tokens.is_cut());
    }

    proptest! {
        #[test]
        fn every_input_ends_and_loses_no_place(text in "[<>/!?a-c'\"= \\[\\]&;é-]{0,80}") {
            let mut tokens = Tokens::new(&text);
            let mut before = 0;
            while tokens.next().is_some() {
                prop_assert!(tokens.offset() > before);
                before = tokens.offset();
            }
            prop_assert_eq!(before, text.len());
        }
    }
}
