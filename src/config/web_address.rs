//! Fetchable addresses, as written in a configuration or a list.

use url::Url;

use crate::domain::durations::shortened;

/// Nobody serves longer addresses.
const LONGEST_ADDRESS: usize = 2048;

/// An http or https address that can be fetched.
pub(super) fn http_url(text: &str) -> Result<Url, String> {
    const EXPECTED: &str =
        "expected an http or https address such as \"https://news.example/rss.xml\"";
    if text.len() > LONGEST_ADDRESS {
        return Err(format!(
            "is longer than {LONGEST_ADDRESS} characters; {EXPECTED}"
        ));
    }
    let shown = || shortened(text);
    let url = Url::parse(text)
        .map_err(|error| format!("{:?} is not an address ({error}); {EXPECTED}", shown()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!(
            "has the scheme {:?}; {EXPECTED}",
            shortened(url.scheme())
        ));
    }
    if text.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err(format!("{:?} contains white space; {EXPECTED}", shown()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "has a user name or password, which would be shown with the address; \
                    remove them and set `user` and `password_file` instead"
                .to_owned(),
        );
    }
    Ok(url)
}
