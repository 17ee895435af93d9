use std::fmt::Write as _;
use std::io::Write as _;

use super::*;

/// A PDF of these objects, of which the first is the catalogue, with a cross-reference table.
fn file(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(objects) {
        places.push(out.len());
        out.extend(format!("{number} 0 obj\n").bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let table = out.len();
    let mut tail = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for place in places {
        writeln!(tail, "{place:010} 00000 n ").unwrap();
    }
    write!(
        tail,
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
        objects.len() + 1
    )
    .unwrap();
    out.extend(tail.bytes());
    out
}

fn packed(content: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(content).unwrap();
    let packed = packer.finish().unwrap();
    let head = format!(
        "<< /Length {} /Filter /FlateDecode >>\nstream\n",
        packed.len()
    );
    [head.as_bytes(), &packed, b"\nendstream"].concat()
}

/// A PDF whose pages draw these contents.
fn pages(contents: &[&str], font: &str) -> Vec<u8> {
    let kids: String = (0..contents.len())
        .map(|at| format!("{} 0 R ", 4 + 2 * at))
        .collect();
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!(
            "<< /Type /Pages /Kids [ {kids}] /Count {} >>",
            contents.len()
        )
        .into_bytes(),
        font.as_bytes().to_vec(),
    ];
    for (at, content) in contents.iter().enumerate() {
        objects.push(
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
                5 + 2 * at
            )
            .into_bytes(),
        );
        objects.push(packed(content.as_bytes()));
    }
    file(&objects)
}

const HELVETICA: &str =
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";

/// Lines of text, 14 points apart.
fn lines(texts: &[&str]) -> String {
    let mut content = "BT /F1 12 Tf 14 TL 72 720 Td\n".to_owned();
    for text in texts {
        match text.is_empty() {
            true => content.push_str("T*\n"),
            false => writeln!(content, "({text}) Tj T*").unwrap(),
        }
    }
    content + "ET"
}

fn read(bytes: Vec<u8>) -> Vec<String> {
    let text = text(bytes).unwrap();
    text.blocks.into_iter().map(|block| block.text).collect()
}

#[test]
fn lines_become_paragraphs() {
    let content = lines(&[
        "The cost of the bridge is 3.4 million pounds, the report",
        "says, and the council has agreed to pay a half of it.",
        "",
        "The bridge will be closed until spring.",
    ]);
    assert_eq!(
        read(pages(&[&content], HELVETICA)),
        [
            "The cost of the bridge is 3.4 million pounds, the report says, and the council has agreed to pay a half of it.",
            "The bridge will be closed until spring.",
        ]
    );
}

#[test]
fn letters_that_are_placed_one_by_one_are_words() {
    let content = "BT /F1 12 Tf 72 700 Td [(Co) 20 (st) -400 (is) -300 (3.4)] TJ ET BT /F1 12 Tf 72 600 Td (fat) Tj ET \
                   BT /F1 12 Tf 72.3 600 Td (fat) Tj ET";
    assert_eq!(read(pages(&[content], HELVETICA)), ["Cost is 3.4", "fat"]);
}

#[test]
fn a_paragraph_goes_on_on_the_next_page() {
    let (one, two) = (
        lines(&["The council met on Monday and agreed", "on a plan that"]),
        lines(&["nobody had seen before."]),
    );
    assert_eq!(
        read(pages(&[&one, &two], HELVETICA)),
        ["The council met on Monday and agreed on a plan that nobody had seen before."]
    );
}

#[test]
fn a_file_without_a_table_or_a_font_is_read() {
    let whole = pages(
        &["BT /F9 12 Tf 72 700 Td (Lot 12 is sold) Tj ET"],
        HELVETICA,
    );
    let end = whole
        .windows(5)
        .rposition(|window| window == b"xref\n")
        .unwrap();
    let cut = [&whole[..end], b"trailer\n<</Root 1 0 R>>\n%%EOF"].concat();
    assert_eq!(read(cut), ["Lot 12 is sold"]);
}

#[test]
fn what_has_no_text_says_why() {
    let pictures = pages(&["q 612 0 0 792 0 0 cm /Im1 Do Q"], HELVETICA);
    assert_eq!(text(pictures), Err(NoText::Pictures));
    assert_eq!(
        text(b"%PDF-1.7\nnothing of the kind".to_vec()),
        Err(NoText::Damaged)
    );
    let unmapped = "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [ << /Type /Font \
                    /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) \
                    /Supplement 0 >> >> ] >>";
    let content = "BT /F1 12 Tf 72 700 Td <000100020003> Tj ET";
    assert!(matches!(
        text(pages(&[content], unmapped)),
        Err(NoText::Unmapped | NoText::Pictures)
    ));
    let mut encrypted = pages(&[&lines(&["secret"])], HELVETICA);
    let at = encrypted
        .windows(5)
        .rposition(|window| window == b"/Root")
        .unwrap();
    let lock = format!(
        "/Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <{0}> /U <{0}> >> /ID [<00><00>] ",
        "ab".repeat(32)
    );
    encrypted.splice(at..at, lock.bytes());
    assert_eq!(text(encrypted), Err(NoText::Encrypted));
}
