//! Any text as a query of `revisor search`: parsed or rejected, quoted in full, with positions on character
//! boundaries.

#![no_main]

use libfuzzer_sys::fuzz_target;
use revisor_core::domain::search::{Query, spaced};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (query, body) = text.split_once('\n').unwrap_or((&text, &text));
    if let Ok(query) = Query::parse(query) {
        let expression = query.expression();
        assert_eq!(expression.matches('"').count() % 2, 0, "{expression}");
        assert!(!expression.contains('\0'));
        if let Some(place) = query.place(body) {
            assert!(body.get(place).is_some());
        }
    }
    let once = spaced([body]);
    assert!(once.len() <= 64 * body.len() + 16);
});
