use proptest::prelude::*;

use super::*;

const SHORT: Duration = Duration::from_millis(20);

fn want(lane: Lane, bytes: u64) -> Want {
    Want {
        lane,
        bytes,
        huge: false,
    }
}

async fn waits<T>(work: impl Future<Output = T>) {
    assert!(tokio::time::timeout(SHORT, work).await.is_err());
}

#[tokio::test]
async fn what_does_not_fit_waits_but_for_one_feed_and_one_page() {
    let room = Room::new(100);
    let page = Lane::Page(1);
    let first = room.take(want(page, 70)).await;
    let over = room.take(want(page, 30)).await;
    assert!(!first.is_over() && over.is_over());
    waits(room.take(want(page, 1))).await;
    // Pages leave a quarter to feeds, even if one of the pages is over the limit.
    let feed = room.take(want(Lane::Feed, 25)).await;
    assert!(!feed.is_over());
    let more = room.take(want(Lane::Feed, 1000)).await;
    assert!(more.is_over());
    waits(room.take(want(Lane::Feed, 1))).await;
    drop((first, over, feed, more));
    assert_eq!(room.used(), 0);
    let pages = [
        room.take(want(page, 70)).await,
        room.take(want(page, 5)).await,
    ];
    assert!(pages.iter().all(|load| !load.is_over()));
}

#[tokio::test]
async fn the_room_that_grows_is_waited_for_and_what_is_not_needed_goes_back() {
    let room = Room::new(100);
    let mut one = room.take(want(Lane::Page(1), 30)).await;
    let mut two = room.take(want(Lane::Page(2), 30)).await;
    one.grow(50).await;
    assert_eq!((one.is_over(), one.bytes(), room.used()), (true, 50, 80));
    // A document that is over the limit may continue.
    one.grow(500).await;
    assert_eq!(room.used(), 530);
    let growing = tokio::spawn(async move {
        two.grow(70).await;
        two
    });
    tokio::time::sleep(SHORT).await;
    assert!(!growing.is_finished());
    one.settle(5);
    let two = growing.await.unwrap();
    assert!(!one.is_over() && !two.is_over());
    assert!(two.stalled_for() >= SHORT / 2);
    drop((one, two));
    assert_eq!(room.used(), 0);
}

#[tokio::test]
async fn huge_pages_wait_longest_and_nobody_for_ever() {
    let room = Room::new(100);
    let busy = [
        room.take(want(Lane::Page(0), 75)).await,
        room.take(want(Lane::Page(0), 75)).await,
    ];
    let (said, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let mut tasks = Vec::new();
    for (number, huge) in [true, false, false].into_iter().enumerate() {
        let (room, said) = (room.clone(), said.clone());
        let lane = Lane::Page(number as u64);
        tasks.push(tokio::spawn(async move {
            let want = Want {
                lane,
                bytes: 60,
                huge,
            };
            let load = room.take(want).await;
            said.send(number).unwrap();
            drop(load);
        }));
        tokio::task::yield_now().await;
    }
    drop(busy);
    for expected in [1, 2, 0] {
        assert_eq!(heard.recv().await, Some(expected));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(room.used(), 0);
}

#[tokio::test]
async fn where_only_who_is_alone_goes_over_the_limit_a_second_one_waits() {
    let room = Room::alone_beyond(100);
    let page = Lane::Page(1);
    let first = room.take(want(page, 60)).await;
    waits(room.take(want(page, 60))).await;
    drop(first);
    let alone = room.take(want(page, 1000)).await;
    waits(room.take(want(page, 1))).await;
    drop(alone);
    drop(room.take(want(page, 75)).await);
}

#[tokio::test]
async fn another_limit_holds_at_once_and_a_load_without_a_bound_takes_none() {
    let room = Room::new(8);
    let full = [
        room.take(want(Lane::Feed, 8)).await,
        room.take(want(Lane::Feed, 8)).await,
    ];
    waits(room.take(want(Lane::Feed, 8))).await;
    room.set_total(100);
    drop(room.take(want(Lane::Feed, 8)).await);
    drop(full);
    let mut load = Load::unbounded();
    load.grow(u64::MAX).await;
    load.settle(1);
    assert_eq!((load.bytes(), load.is_over()), (u64::MAX, false));
}

/// The life of a document: what it claims at first, how it grows while it is received, what it keeps, and whether it
/// is abandoned.
#[derive(Debug, Clone)]
struct DocumentLife {
    feed: bool,
    claims: u64,
    grows: Vec<u64>,
    keeps: u64,
    given_up: bool,
}

fn life() -> impl Strategy<Value = DocumentLife> {
    let grows = proptest::collection::vec(1..200_u64, 0..4);
    (any::<bool>(), 1..200_u64, grows, 0..200_u64, any::<bool>()).prop_map(
        |(feed, claims, grows, keeps, given_up)| DocumentLife {
            feed,
            claims,
            grows,
            keeps,
            given_up,
        },
    )
}

async fn go(room: Room, life: DocumentLife) {
    let lane = match life.feed {
        true => Lane::Feed,
        false => Lane::Page(life.claims % 3),
    };
    let mut load = room.take(want(lane, life.claims)).await;
    for bytes in life.grows {
        tokio::task::yield_now().await;
        load.grow(bytes).await;
    }
    load.settle(life.keeps);
    tokio::task::yield_now().await;
}

proptest! {
    #[test]
    fn every_document_comes_through_and_the_limit_holds_but_for_two(
        lives in proptest::collection::vec(life(), 1..60),
        alone in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let room = Room::with(100, alone && lives.iter().all(|life| life.grows.is_empty()));
            let mut tasks = tokio::task::JoinSet::new();
            for life in lives {
                let given_up = life.given_up;
                let handle = tasks.spawn(go(room.clone(), life));
                tokio::task::yield_now().await;
                prop_assert!(room.used() <= 100 + 2 * 200);
                if given_up {
                    handle.abort();
                }
            }
            let all = async {
                while tasks.join_next().await.is_some() {}
            };
            let done = tokio::time::timeout(Duration::from_secs(10), all).await;
            prop_assert!(done.is_ok(), "somebody waits forever");
            prop_assert_eq!(room.used(), 0);
            Ok(())
        })?;
    }
}
