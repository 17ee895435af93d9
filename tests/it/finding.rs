//! `search` from end to end, in languages with and without spaces between words, over texts from real checks.

use serde_json::Value;

use crate::support::{Home, Page, Server, rss};

/// A paragraph that stays, the sentence that is removed from it, and what follows it.
const WORLD: [(&str, &str, &str, &str); 12] = [
    (
        "Harbour",
        "The council met on Monday about the harbour wall.",
        "Nobody warned the naïve investors of ‘toxic’ mud, a clerk's e-mail from 1.5 years ago says.",
        "A second meeting is planned for the autumn.",
    ),
    (
        "Straße",
        "Der Gemeinderat beriet am Montag über die neue Umgehung.",
        "Die Straßensperrung war laut Prüfbericht überflüssig, räumte Bürgermeister Groß ein.",
        "Eine weitere Sitzung ist für den Herbst geplant.",
    ),
    (
        "Préfecture",
        "La préfecture a réuni lundi les maires du canton.",
        "L'œuvre caritative n'a jamais reçu l'aide promise, d'après un élu déçu.",
        "Une autre réunion est prévue à l'automne.",
    ),
    (
        "Fiscalía",
        "El ayuntamiento debatió el lunes sobre el puerto.",
        "Según la fiscalía, ningún señor pagó sobornos; ¿quién mintió entonces?",
        "Habrá otra reunión en otoño.",
    ),
    (
        "Порт",
        "Городской совет обсудил в понедельник строительство порта.",
        "Чиновник ещё вчера опровергал сообщения о своём задержании.",
        "Следующее заседание назначено на осень.",
    ),
    (
        "الميناء",
        "ناقش المجلس يوم الاثنين مشروع الميناء الجديد.",
        "نفى الوزير أنّ الشركة دفعت رشوةً للموظفين.",
        "سيعقد اجتماع آخر في الخريف.",
    ),
    (
        "बंदरगाह",
        "परिषद ने सोमवार को बंदरगाह पर चर्चा की।",
        "मंत्री ने इस्तीफ़े की ख़बर को पूरी तरह झूठा बताया।",
        "अगली बैठक शरद ऋतु में होगी।",
    ),
    (
        "港口",
        "市議會星期一討論了港口的擴建計畫。",
        "警方否認拘捕記者時造成三人受傷。",
        "下一次會議將於秋季舉行。",
    ),
    (
        "増税",
        "市議会は月曜日に港の計画を話し合った。",
        "政府はデータの改ざんを認め、責任者が謝罪した。",
        "次の会合は秋に開かれる予定だ。",
    ),
    (
        "ท่าเรือ",
        "สภาเมืองประชุมเรื่องท่าเรือเมื่อวันจันทร์",
        "รัฐมนตรีปฏิเสธข่าวการลาออกและไม่ตอบคำถามนักข่าว",
        "จะมีการประชุมอีกครั้งในฤดูใบไม้ร่วง",
    ),
    (
        "항구",
        "시의회는 월요일에 항구 확장을 논의했다.",
        "경찰은 기자를 체포한 사실을 끝내 부인했습니다.",
        "다음 회의는 가을에 열린다.",
    ),
    (
        "Liman",
        "Belediye meclisi pazartesi günü limanı görüştü.",
        "Şirketin İstanbul'daki müdürü ışıkların söndüğünü gizlemişti.",
        "Sonbaharda yeni bir toplantı yapılacak.",
    ),
];

/// What a person may search for: each word; in scripts without spaces, each letter and each pair of letters.
fn queries(sentence: &str) -> Vec<String> {
    if sentence.contains(' ') {
        let words = sentence.split(|c: char| c.is_whitespace());
        let words = words.map(|word| {
            word.trim_matches(|c: char| c.is_ascii_punctuation() || "¿‘’।".contains(c))
        });
        return words.map(str::to_owned).collect();
    }
    let letters: Vec<char> = sentence.chars().filter(|c| c.is_alphabetic()).collect();
    let pairs = letters
        .windows(2)
        .filter(|pair| sentence.contains(&pair.iter().collect::<String>()));
    let pairs = pairs.map(|pair| pair.iter().collect());
    letters.iter().map(char::to_string).chain(pairs).collect()
}

fn world(publisher: &Server, is_whole: bool) {
    let items: Vec<_> = WORLD
        .iter()
        .map(|(title, first, gone, last)| {
            let gone = if is_whole { gone } else { "" };
            let text = format!("&lt;p&gt;{first} {gone}&lt;/p&gt;&lt;p&gt;{last}&lt;/p&gt;");
            (format!("https://e.example/{title}"), title, text)
        })
        .collect();
    let items: Vec<_> = items
        .iter()
        .map(|(link, title, text)| (link.as_str(), link.as_str(), **title, text.as_str()))
        .collect();
    publisher.set("/feed.xml", Page::rss(rss(&items)));
}

#[test]
fn every_word_of_a_removed_sentence_is_found_in_every_language() {
    let publisher = Server::start();
    let home = Home::new(&format!(
        "[page]\nfetch = \"off\"\n[detect]\nbulk_edit = 99\n[[feed]]\nname = \"world\"\nurl = \"{}\"\n",
        publisher.url("/feed.xml")
    ));
    world(&publisher, true);
    home.check();
    let found = |query: &str, title: &str| -> Option<Value> {
        let text = home.ok(&["search", "--json", "--", query]);
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        let mut articles = answer["articles"].as_array().expect("articles").iter();
        articles.find(|found| found["title"] == title).cloned()
    };
    for (title, first, gone, _) in WORLD {
        let word = &queries(gone)[1];
        let found = found(word, title).unwrap_or_else(|| panic!("{word} of {first}"));
        assert_ne!(
            found["still_there"].as_array().map(Vec::len),
            Some(0),
            "{found}"
        );
    }
    world(&publisher, false);
    home.check();
    assert_eq!(home.events().len(), WORLD.len());
    let mut lost = Vec::new();
    for (title, _, gone, _) in WORLD {
        for query in queries(gone) {
            let is_found = found(&query, title).is_some_and(|article| {
                let changes = article["changes"].as_array().expect("changes");
                changes.iter().any(|change| change["removed"].is_array())
            });
            if !is_found {
                lost.push(format!("{title}: {query}"));
            }
        }
    }
    assert!(lost.is_empty(), "{lost:#?}");
}
