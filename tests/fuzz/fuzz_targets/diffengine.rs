//! Any bytes as the database of `revisor import diffengine`: rejected, or read to the end within its limits. The
//! seeds are complete databases, so most inputs are databases with a few wrong bytes.

#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use revisor_store::Diffengine;

/// In memory where possible; a different file for each process.
static PATH: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    };
    folder.join(format!("revisor-fuzz-{}.db", std::process::id()))
});

fuzz_target!(|data: &[u8]| {
    std::fs::write(&*PATH, data).expect("a file");
    let Ok(theirs) = Diffengine::open(&PATH) else {
        return;
    };
    let _ = theirs.count();
    let mut row = i64::MIN;
    while let Ok(Some(article)) = theirs.article_after(row) {
        assert!(article.id > row);
        row = article.id;
        assert!(article.url.chars().count() <= 4000);
        for version in theirs.versions(row).unwrap_or_default() {
            if let Ok(version) = theirs.version(version) {
                assert!(version.html.chars().count() <= 1_000_000);
            }
        }
    }
});
