//! A type's history: one replica at a time, and each page once.

use std::{collections::BTreeMap, time::Duration};

use leasehold::{
    model::{HourCounts, Position},
    store::HistoryChanges,
};

use super::Bench;

const HOLD: Duration = Duration::from_secs(10);
const BEGIN: Position = Position { epoch: 0, sequence: 0 };

fn at(sequence: u64) -> Position {
    Position { epoch: 7, sequence }
}

/// So many arrivals in an hour.
fn arrivals(hour: u64, arrivals: u64) -> HistoryChanges {
    let counts = HourCounts { arrivals, ..HourCounts::default() };
    HistoryChanges { hours: BTreeMap::from([(hour, Some(counts))]), ..HistoryChanges::default() }
}

#[tokio::test]
async fn one_replica_has_the_claim_and_another_gets_it_when_it_is_given_back_or_over() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let claim = async |replica| bench.store.claim_history(&bench.wine, replica, HOLD).await.unwrap();
    assert_eq!((claim("first").await, claim("first").await, claim("second").await), (Some(BEGIN), Some(BEGIN), None));
    // Not whoever does not have it.
    bench.store.unclaim_history(&bench.wine, "second").await.unwrap();
    assert_eq!(claim("second").await, None);
    bench.store.unclaim_history(&bench.wine, "first").await.unwrap();
    assert_eq!(claim("second").await, Some(BEGIN));
    // One from before the clock was set back by an hour lasts longer than any.
    let until = |millis: u64| {
        let _: u64 = redis::cmd("HSET")
            .arg(bench.key("history"))
            .arg("until")
            .arg(millis)
            .query(&mut bench.redis.conn())
            .unwrap();
    };
    until(u64::from(u32::MAX) * 1000);
    assert_eq!(claim("first").await, Some(BEGIN));
    until(1);
    assert_eq!(claim("second").await, Some(BEGIN));
}

#[tokio::test]
async fn a_page_is_added_once_and_only_by_who_has_the_claim() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let add = async |replica, from, to, changes| {
        bench.store.record_history(&bench.wine, replica, from, to, &changes).await.unwrap()
    };
    let known = async || {
        let history = bench.store.history(&bench.wine, true).await.unwrap();
        history.hours.iter().map(|(hour, counts)| (*hour, counts.arrivals)).collect::<Vec<_>>()
    };
    assert!(!add("first", BEGIN, at(3), arrivals(5, 1)).await, "nobody has the claim");
    bench.store.claim_history(&bench.wine, "first", HOLD).await.unwrap();
    assert!(add("first", BEGIN, at(3), arrivals(5, 1)).await);
    // Once more, as after an answer that got lost; by another; and after another place.
    assert!(!add("first", BEGIN, at(3), arrivals(5, 2)).await);
    assert!(!add("second", at(3), at(4), arrivals(5, 2)).await);
    assert!(!add("first", at(2), at(4), arrivals(5, 2)).await);
    assert_eq!(known().await, [(5, 1)]);
    assert!(add("first", at(3), at(4), arrivals(6, 2)).await);
    let mut changes = arrivals(7, 3);
    changes.hours.insert(5, None);
    assert!(add("first", at(4), at(9), changes).await);
    assert_eq!(known().await, [(6, 2), (7, 3)]);
    assert_eq!(bench.store.claim_history(&bench.wine, "first", HOLD).await.unwrap(), Some(at(9)));
}

#[tokio::test]
async fn what_is_unfinished_is_kept_until_it_is_over_and_after_a_gap_only_what_lives() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    let alive = bench.ready().await.id;
    bench.store.claim_history(&bench.wine, "first", HOLD).await.unwrap();
    let mut unfinished = BTreeMap::from([
        (format!("session:{alive}"), Some("1 2".to_owned())),
        ("session:gone".to_owned(), Some("3 -".to_owned())),
        ("container:two".to_owned(), Some("4".to_owned())),
    ]);
    // Several pages of them.
    unfinished.extend((0..900).map(|number| (format!("session:{number}"), Some("5 6".to_owned()))));
    let mut place = BEGIN;
    for part in unfinished.iter().collect::<Vec<_>>().chunks(100) {
        let part = part.iter().map(|(field, value)| ((*field).clone(), (*value).clone())).collect();
        let (next, changes) =
            (at(place.sequence + 1), HistoryChanges { unfinished: part, ..HistoryChanges::default() });
        assert!(bench.store.record_history(&bench.wine, "first", place, next, &changes).await.unwrap());
        place = next;
    }
    let changes =
        HistoryChanges { unfinished: BTreeMap::from([("session:17".to_owned(), None)]), ..HistoryChanges::default() };
    assert!(bench.store.record_history(&bench.wine, "first", place, at(99), &changes).await.unwrap());
    let all = bench.store.history_unfinished(&bench.wine, false).await.unwrap();
    assert_eq!((all.len(), all["session:gone"].as_str(), all.contains_key("session:17")), (902, "3 -", false));
    let living = BTreeMap::from([(format!("session:{alive}"), "1 2".to_owned())]);
    assert_eq!(bench.store.history_unfinished(&bench.wine, true).await.unwrap(), living);
    assert_eq!(bench.store.history_unfinished(&bench.wine, false).await.unwrap(), living, "the others are forgotten");
}

#[tokio::test]
async fn the_last_ten_thousand_sessions_are_remembered_by_their_end() {
    let bench = Bench::new();
    bench.containers(&["one"]).await;
    bench.store.claim_history(&bench.wine, "first", HOLD).await.unwrap();
    let mut place = BEGIN;
    for page in 0..101 {
        let sessions = (0..100).map(|number| (1_795_467_890_000 + page * 100 + number, number * 500)).collect();
        let (next, changes) = (at(page + 1), HistoryChanges { sessions, ..HistoryChanges::default() });
        assert!(bench.store.record_history(&bench.wine, "first", place, next, &changes).await.unwrap());
        place = next;
    }
    let sessions = bench.store.history(&bench.wine, true).await.unwrap().sessions;
    assert_eq!(sessions.len(), 10_000);
    assert!(sessions.is_sorted_by(|one, next| one.arrived < next.arrived), "each once, and in order");
    let ends = [sessions[0], sessions[9_999]];
    let shown = ends.map(|session| (session.arrived.as_millisecond(), session.duration_seconds));
    assert_eq!(shown, [(1_795_467_890_100, 0.0), (1_795_467_900_099, 49.5)]);
    assert_eq!(bench.store.history(&bench.wine, false).await.unwrap().sessions, []);
}
