//! Pictures of changes: in public posts, and as `/c/N.png`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::alerts::{Bench, targets};
use crate::services::Services;
use crate::support::skip;
use crate::web::Site;

const PUBLIC: [&str; 2] = ["bluesky", "mastodon"];

#[test]
fn a_public_post_shows_the_change_as_a_picture_with_its_words() {
    let services = Services::start();
    let bench = Bench::new(&targets(&services));
    bench.publish("Minister confirms the report of talks");
    if services.pictures("bluesky").is_empty() {
        return skip("this machine has no fonts");
    }
    for kind in PUBLIC {
        assert_eq!(services.taken(kind).len(), 1, "{kind}");
        let words = services.pictures(kind);
        assert_eq!(words.len(), 1, "{kind}");
        for line in [
            "Test Courier changed a headline",
            "- Minister denies the report of talks",
            "+ Minister confirms the report of talks",
        ] {
            assert!(words[0].contains(line), "{kind}: {words:?}");
        }
    }
    // No font has this character, and boxes would be worse than no picture.
    bench.publish("Minister confirms the \u{378} report");
    for kind in PUBLIC {
        assert_eq!(services.taken(kind).len(), 2, "{kind}");
        assert_eq!(services.pictures(kind).len(), 1, "{kind}");
    }
    assert_eq!(services.refused(), [""; 0]);
}

/// The upload of the picture fails, or the post with it: the post is still made immediately, and only once.
#[test]
fn a_post_goes_without_a_picture_that_cannot_be_stored() {
    let services = Services::start();
    let bench = Bench::new(&targets(&services));
    // The session of Bluesky lasts for one run, so the first response is that of the login.
    let session = "{\"accessJwt\":\"A\",\"refreshJwt\":\"R\",\"did\":\"did:plc:abc\"}";
    for (title, status) in [
        ("Minister confirms the report of talks", 500),
        ("Minister resigns over the talks", 413),
        ("Minister returns to the office", 429),
    ] {
        services.answer_first("bluesky", &[(200, session), (status, "{}")]);
        services.answer_first("mastodon", &[(status, "{}")]);
        bench.publish(title);
    }
    if services.pictures("bluesky").len() == services.taken("bluesky").len() {
        return skip("this machine has no fonts");
    }
    for kind in PUBLIC {
        assert_eq!(services.taken(kind).len(), 3, "{kind}: {}", bench.row(kind));
        assert_eq!(services.pictures(kind), [""; 0], "{kind}");
    }
}

/// A response as it arrives on the wire.
fn get(site: &Site, path: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(&site.address).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", site.address);
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n");
    let body = answer.split_off(end.expect("a head") + 4);
    (String::from_utf8(answer).expect("a head"), body)
}

#[test]
fn the_page_of_a_change_names_its_picture_for_previews() {
    let site = Site::new("base_url = \"https://changes.example/r\"");
    let (_, page) = get(&site, "/c/1");
    let page = String::from_utf8(page).expect("text");
    for tag in [
        "<meta property=\"og:image\" content=\"https://changes.example/r/c/1.png\">",
        "<meta name=\"twitter:card\" content=\"summary_large_image\">",
    ] {
        assert!(page.contains(tag), "{page}");
    }
    let (head, _) = get(&site, "/c/99.png");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    let (head, picture) = get(&site, "/c/1.png");
    if head.starts_with("HTTP/1.1 404 ") {
        return skip("this machine has no fonts");
    }
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(
        head.to_lowercase().contains("content-type: image/png"),
        "{head}"
    );
    assert_eq!(picture[16..24], [0, 0, 4, 0xb0, 0, 0, 2, 0x76]);
    assert!(picture.len() < 400_000);
}
