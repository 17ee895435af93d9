//! The articles of the demo, round by round.
//!
//! All texts are invented. The name of a round says what it changes; page furniture changes in every round.

/// An article of the site in one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DemoArticle {
    pub(super) slug: &'static str,
    pub(super) author: &'static str,
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) paragraphs: Vec<&'static str>,
}

/// What the publisher does in each round after the first.
pub(crate) const ROUNDS: [&str; 5] = [
    "reverses a headline, and bumps the date of another article without changing it",
    "raises a figure without saying so",
    "drops a quotation",
    "moves a paragraph up; elsewhere only weather, advertisements and counters change",
    "changes the headline back",
];

/// The articles in `round`, the newest first.
pub(super) fn in_round(round: usize) -> Vec<DemoArticle> {
    vec![
        talks(round),
        bridge(round),
        harbour(round),
        library(round),
        orchard(),
    ]
}

/// The claimed time of the last update of an article, in minutes after its publication.
pub(super) fn claimed_minutes(slug: &str, round: usize) -> usize {
    if slug == "orchard" && round >= 1 {
        45
    } else {
        0
    }
}

fn talks(round: usize) -> DemoArticle {
    DemoArticle {
        slug: "talks",
        author: "Ines Varga",
        title: if (1..5).contains(&round) {
            "Minister confirms report of talks"
        } else {
            "Minister denies report of talks"
        },
        lead: "The foreign minister answered questions about a meeting with the envoy on Monday.",
        paragraphs: vec![
            "The foreign minister answered questions about a meeting with the envoy on Monday, after a \
             newspaper had reported that the two delegations met twice in a hotel near the border.",
            "It would be the first direct contact between the governments since the treaty was \
             suspended, and would come weeks before parliament votes on the new trade rules.",
            "Members of the opposition asked for a full account of who had taken part, and whether the \
             cabinet had been told before or after the meeting took place.",
            "A spokesman for the ministry said that the calendar of the minister is published every \
             Friday and that nothing would be added to it for now.",
        ],
    }
}

fn bridge(round: usize) -> DemoArticle {
    DemoArticle {
        slug: "bridge",
        author: "Tom Okafor",
        title: "Old bridge closed after storm",
        lead: "The river rose overnight; the old bridge is closed until engineers have looked at it.",
        paragraphs: vec![
            "The river rose by two metres overnight and carried away part of the embankment below the \
             old bridge, which the city has closed until engineers have looked at its piers.",
            if round >= 2 {
                "At least 21 people were hurt when a bus slid off the ramp, the fire service said, and \
                 four of them are still in hospital."
            } else {
                "At least 12 people were hurt when a bus slid off the ramp, the fire service said, and \
                 four of them are still in hospital."
            },
            "Traffic is being led over the ring road, where drivers waited for up to an hour on Monday \
             morning, and the tram stops at the market square instead of crossing.",
            "The council had put off repairs of the piers in March, when the cheapest offer came in at \
             $1.5 million more than the budget allowed.",
        ],
    }
}

fn harbour(round: usize) -> DemoArticle {
    let mut paragraphs = vec![
        "The harbour company wants to dredge the eastern channel by three metres so that larger ships \
         can reach the new terminal at low water.",
        "Fishermen in the bay fear for the spawning grounds and have collected nine thousand signatures \
         against the plan since the summer.",
        "\u{201c}We were promised that the eastern channel would never be touched,\u{201d} said Maren \
         Holt, who speaks for the fishing cooperative.",
        "A decision is due before the end of the year, and both sides have said that they will go to \
         court if it goes against them.",
    ];
    if round >= 3 {
        paragraphs.remove(2);
    }
    DemoArticle {
        slug: "harbour",
        author: "Lena Brandt",
        title: "Harbour company plans deeper channel",
        lead: "Fishermen are against a plan to dredge the eastern channel.",
        paragraphs,
    }
}

fn library(round: usize) -> DemoArticle {
    let mut paragraphs = vec![
        "The central library opens again in April after two years of work on its roof, its reading \
         rooms and the archive in the basement.",
        "Readers will find the newspapers on the ground floor and a workshop for children under the \
         glass roof, where the old card catalogue used to stand.",
        "The collection was kept in a warehouse at the airport, from which every book could be ordered \
         within two days.",
        "Entrance stays free of charge, the city says, although the work cost a third more than had \
         been planned.",
    ];
    if round >= 4 {
        let last = paragraphs.remove(3);
        paragraphs.insert(1, last);
    }
    DemoArticle {
        slug: "library",
        author: "Ada Lind",
        title: "Library to open again in April",
        lead: "The central library opens again in April after two years of work.",
        paragraphs,
    }
}

/// Its text never changes, whatever its date says and whatever surrounds it.
fn orchard() -> DemoArticle {
    DemoArticle {
        slug: "orchard",
        author: "Paul Nemec",
        title: "A good year for apples",
        lead: "Late frost spared the orchards in the valley this spring.",
        paragraphs: vec![
            "Late frost spared the orchards in the valley this spring, and growers expect the best \
             harvest in a decade.",
            "Most of the fruit goes to the juice press in the next town, which has added a second line \
             and takes on forty people for the season.",
            "Old kinds of apple, long thought lost, are back in the market halls, where they fetch twice \
             the price of the common ones.",
        ],
    }
}
