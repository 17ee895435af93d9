use super::*;
use crate::report::log::plain_view;
use crate::report::sample::at;

fn status() -> Status {
    Status {
        version: "0.1.0".into(),
        config: ConfigStatus {
            path: Some("/etc/revisor/config.toml".into()),
            feeds: 12,
            targets: 2,
        },
        database: Some(DatabaseStatus {
            bytes: 41_200_000,
            entries: 1204,
            revisions: 5118,
            changes: 412,
            captures: 5200,
            changes_24h: 14,
            last_change: Some(ChangeNumber(412)),
            search_index_percent: None,
        }),
        database_path: "/var/lib/revisor/revisor.db".into(),
        daemon_pid: Some(4711),
        offline_since: None,
        feeds: FeedsStatus {
            active: 12,
            failing: 1,
            paused: 1,
            due: 0,
            next: Some(UpcomingPoll {
                feed: "example-news".into(),
                at: at("2026-11-23T12:03:00Z"),
                why: "every 15m".into(),
            }),
            pages: 830,
            pages_due: 2,
            pages_barred: 3,
            late: vec![LateFeed {
                feed: "slow".into(),
                due: at("2026-11-23T11:40:00Z"),
                why: "12 feeds of its host are late".into(),
            }],
            late_hosts: vec![LateHost {
                host: "big.example".into(),
                pages: 340,
                due: at("2026-11-23T10:00:00Z"),
                why: "its robots.txt asks for 30s between two pages".into(),
            }],
            pages_unread: BTreeMap::from([("not_found", 3), ("paywall", 12)]),
            documents: 2,
            unread_documents: vec![UnreadDocument {
                url: "https://court.example/scan.pdf".into(),
                replaced: 4,
            }],
            pages_without_text: Vec::new(),
            removed: 1,
            crowded: vec![CrowdedFeed {
                feed: "wire".into(),
                postponed: 700,
            }],
            alike: vec![AlikeFeed {
                feed: "courier".into(),
                url: "https://e.example/feed/".into(),
                old: "https://e.example/feed".into(),
            }],
            troubled: vec![TroubledFeed {
                feed: "bbc-world".into(),
                error: "HTTP 403".into(),
                last_ok: Some(at("2026-11-22T10:00:00Z")),
                failures: 52,
            }],
        },
        quarantined: vec![
            QuarantinedDocument {
                url: "https://bad.example/\u{1b}[2Jpage".into(),
                ends: 2,
                pages: false,
                until: at("2026-11-24T11:00:00Z"),
            },
            QuarantinedDocument {
                url: "https://crowd.example/feed".into(),
                ends: 3,
                pages: true,
                until: at("2026-11-24T11:00:00Z"),
            },
        ],
        ignored_24h: None,
        archive: Some(ArchiveStatus {
            saved: 12,
            waiting: 2,
            refused: 1,
            without_key: 0,
        }),
        targets: vec![
            TargetStatus {
                target: "desk".into(),
                pending: 0,
                oldest: None,
                set_aside: 0,
                held: 0,
                gathered: 0,
                digest: None,
                dead: 0,
                overflowed: 0,
                disabled: None,
                error: None,
            },
            TargetStatus {
                target: "archive-hook".into(),
                pending: 3,
                oldest: Some(at("2026-11-23T11:19:00Z")),
                set_aside: 0,
                held: 0,
                gathered: 0,
                digest: None,
                dead: 0,
                overflowed: 0,
                disabled: None,
                error: Some("HTTP 503".into()),
            },
        ],
    }
}

#[test]
fn each_part_has_a_line_and_trouble_has_a_hint() {
    assert_eq!(
            text(&status(), &plain_view(at("2026-11-23T12:00:00Z"))),
            "\
✓ config     /etc/revisor/config.toml (12 feeds, 2 targets)
✓ daemon     running, pid 4711
✓ database   /var/lib/revisor/revisor.db  41 MB, 1204 entries, 5118 revisions, 412 changes (14 in 24 h), last #412
! feeds      12 polled, 1 failing, 1 paused; next: example-news in 3 min (every 15m)
✓ pages      830 being checked, 2 due, 3 not read: robots.txt, or shared by several entries, 1 article taken down
! pages      without a text at the last check: not found 3, paywall 12   hint: revisor history ENTRY
✓ documents  2 documents without text, compared by size and hash: https://court.example/scan.pdf (another file at each of the last 4 checks, no alerts), 1 more
! late       slow is 20 min late: 12 feeds of its host are late
! late       340 pages of big.example, up to 2 h: its robots.txt asks for 30s between two pages
! feed       wire has very many new entries: 700 are still to be stored, by the next polls   hint: revisor entries wire
! feed       courier: https://e.example/feed/ has a history as https://e.example/feed   hint: revisor mv https://e.example/feed https://e.example/feed/
✗ feed       bbc-world: HTTP 403 (×52), last read 26 h ago   hint: revisor check bbc-world -v
✗ quarantine https://bad.example/page crashed revisor 2 times while being read; skipped until 2026-11-24 11:00   hint: this is a bug in revisor; please report it with this address
✗ quarantine revisor was killed 3 times while reading pages of https://crowd.example/feed; skipped until 2026-11-24 11:00   hint: give the service more memory (MemoryMax=), or lower fetch.memory
✓ archive    12 archived, 2 waiting, 1 not possible
✓ alert      desk: nothing pending
! alert      archive-hook: 3 pending, oldest 41 min, last attempt: HTTP 503   hint: revisor notify list
"
        );
}

#[test]
fn what_waits_for_a_digest_or_a_person_and_a_refused_key_are_told() {
    let mut status = status();
    status.archive = Some(ArchiveStatus {
        saved: 12,
        waiting: 2,
        refused: 1,
        without_key: 2,
    });
    status.targets[0].gathered = 5;
    status.targets[0].digest = Some(at("2026-11-23T15:00:00Z"));
    status.targets[1].held = 1;
    let shown = text(&status, &plain_view(at("2026-11-23T12:00:00Z")));
    let lines: Vec<&str> = shown.lines().rev().take(3).collect();
    assert_eq!(
        lines,
        [
            "! alert      archive-hook: 3 pending, oldest 41 min, 1 post to confirm, last attempt: HTTP 503   \
             hint: revisor notify list",
            "✓ alert      desk: nothing pending, digest of 5 events in 3 h",
            "✗ archive    12 archived, 2 waiting, 1 not possible; the archive does not accept the key   \
             hint: set another key in [archive]",
        ]
    );
}

#[test]
fn before_the_first_run_it_says_what_to_do() {
    let mut empty = status();
    empty.config = ConfigStatus {
        path: None,
        feeds: 0,
        targets: 0,
    };
    empty.database = None;
    empty.daemon_pid = None;
    empty.feeds = FeedsStatus::default();
    empty.archive = None;
    empty.targets.clear();
    empty.quarantined.clear();
    assert_eq!(
        text(&empty, &plain_view(at("2026-11-23T12:00:00Z"))),
        "\
! config     no file, using the defaults   hint: revisor init
! daemon     not running   hint: revisor run, or systemctl start revisor
! database   /var/lib/revisor/revisor.db does not exist yet   hint: revisor check
✓ feeds      0 polled
"
    );
}
