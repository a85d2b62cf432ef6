//! The history: counts by the hour that no loss of a replica and no trimmed stream makes wrong.

use std::{collections::BTreeSet, time::Duration};

use leasehold::model::{HourCounts, TypeHistory};
use serde_json::{Value, json};

use super::{PATIENCE, come_and_go};
use crate::{
    api::Service,
    common::{
        eventually,
        http::Http,
        redis::Redis,
        replica::{Replica, Settings, farm},
    },
};

async fn history(http: &Http) -> TypeHistory {
    let answer = http.get("/types/wine/history").await.expect(200);
    serde_json::from_value(answer.body).expect("a history")
}

/// All hours together.
fn total(history: &TypeHistory) -> HourCounts {
    let mut total = HourCounts::default();
    for hour in &history.hours {
        total.arrivals += hour.counts.arrivals;
        total.at_once += hour.counts.at_once;
        total.waited += hour.counts.waited;
        total.wait_ms += hour.counts.wait_ms;
        total.waits.add(&hour.counts.waits);
        total.gave_up += hour.counts.gave_up;
        total.ended += hour.counts.ended;
        total.held_ms += hour.counts.held_ms;
        total.holds.add(&hour.counts.holds);
        total.most_held = total.most_held.max(hour.counts.most_held);
        total.gaps += hour.counts.gaps;
    }
    total
}

/// Waits until so many ends are counted.
async fn ended(http: &Http, count: u64) -> TypeHistory {
    eventually(&format!("{count} ends are counted"), PATIENCE, async || {
        let history = history(http).await;
        (total(&history).ended >= count).then_some(history)
    })
    .await
}

async fn make(http: &Http, body: Value, status: u16) -> String {
    http.post("/sessions", body).await.expect(status).text_at("/id")
}

async fn end(http: &Http, id: &str) {
    http.delete(&format!("/sessions/{id}")).await.expect(200);
}

#[tokio::test]
async fn an_hour_tells_who_came_waited_and_left() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    let first = make(&http, json!({"target_type": "wine"}), 201).await;
    let queue = json!({"target_type": "wine", "on_shortage": "queue"});
    let second = make(&http, queue.clone(), 202).await;
    let third = make(&http, queue, 202).await;
    http.post("/sessions", json!({"target_type": "wine"})).await.problem(503, "no_available_containers");
    end(&http, &third).await;
    end(&http, &first).await;
    let ready = http.get(&format!("/sessions/{second}?wait_seconds=5")).await.expect(200);
    assert_eq!(ready.body["state"], "ready");
    end(&http, &second).await;

    let history = ended(&http, 2).await;
    let counts = total(&history);
    assert_eq!((counts.arrivals, counts.at_once, counts.waited, counts.gave_up), (3, 1, 1, 1), "{history:?}");
    assert_eq!((counts.ended, counts.most_held, counts.gaps), (2, 1, 0));
    for (sizes, all, count) in [(&counts.waits, counts.wait_ms, 1), (&counts.holds, counts.held_ms, 2)] {
        let classes: Vec<_> = sizes.classes().collect();
        assert_eq!(classes.iter().map(|(_, _, count)| count).sum::<u64>(), count);
        let longest: f64 = classes.iter().map(|(_, to, count)| to * *count as f64).sum();
        assert!(all as f64 / 1e3 <= longest && all < 60_000, "{all} ms of {classes:?}");
    }
    assert_eq!(history.sessions.len(), 2);
    let held: f64 = history.sessions.iter().map(|session| session.duration_seconds).sum();
    assert!((held * 1e3 - counts.held_ms as f64).abs() < 1.0, "{history:?}");
    // By their ends: the first one came first.
    assert!(history.sessions[0].arrived < history.sessions[1].arrived && history.sessions[1].arrived < history.at);
}

#[tokio::test]
async fn no_event_counts_twice_and_none_is_lost_when_replicas_are_killed() {
    let redis = Redis::start();
    let settings = Settings::toml(farm("wine", 2));
    let serving = Replica::start_with_available(&redis.url(), &settings.clone().roles("api,discovery"), 2).await;
    let http = serving.http();
    let keeper = || Replica::start(&redis.url(), &settings.clone().roles("events"));
    let mut keepers = vec![keeper(), keeper()];
    // One that is open over all of it is known to whoever goes on.
    let long = make(&http, json!({"target_type": "wine", "ttl_seconds": 600}), 201).await;
    let mut made = 0;
    for _ in 0..3 {
        for _ in 0..150 {
            come_and_go(&http).await;
            made += 1;
        }
        // Half way: something is counted, and not all.
        eventually("it is begun", PATIENCE, async || (!history(&http).await.sessions.is_empty()).then_some(())).await;
        keepers.remove(0).kill();
        keepers.push(keeper());
        for _ in 0..50 {
            come_and_go(&http).await;
            made += 1;
        }
    }
    end(&http, &long).await;
    let history = ended(&http, made + 1).await;
    let counts = total(&history);
    assert_eq!((counts.arrivals, counts.at_once, counts.ended, counts.gaps), (made + 1, made + 1, made + 1, 0));
    assert_eq!((counts.most_held, history.sessions.len() as u64), (2, made + 1));
    let arrivals: BTreeSet<_> = history.sessions.iter().map(|session| session.arrived).collect();
    assert_eq!(arrivals.first(), history.sessions.last().map(|last| &last.arrived), "the long one came first");
}

#[tokio::test]
async fn what_was_trimmed_before_it_was_counted_is_told_and_who_still_lives_is_known() {
    let redis = Redis::start();
    let settings = Settings::toml(farm("wine", 3)).env("LIMITS__EVENTS_KEPT", 100);
    let serving = Replica::start_with_available(&redis.url(), &settings.clone().roles("api,discovery"), 3).await;
    let http = serving.http();
    let mut keeper = Replica::start(&redis.url(), &settings.clone().roles("events"));
    let long = json!({"target_type": "wine", "ttl_seconds": 600});
    let (stays, goes) = (make(&http, long.clone(), 201).await, make(&http, long, 201).await);
    eventually("both are counted", PATIENCE, async || (total(&history(&http).await).arrivals == 2).then_some(())).await;
    keeper.kill();
    end(&http, &goes).await;
    for _ in 0..300 {
        come_and_go(&http).await;
    }
    let _keeper = Replica::start(&redis.url(), &settings.roles("events"));
    eventually("the gap is told", PATIENCE, async || (total(&history(&http).await).gaps == 1).then_some(())).await;
    end(&http, &stays).await;
    let stayed = eventually("its end is counted", PATIENCE, async || {
        let history = history(&http).await;
        let first = history.sessions.last().copied()?;
        (history.sessions.iter().all(|session| session.arrived >= first.arrived)).then_some((history, first))
    })
    .await;
    let counts = total(&stayed.0);
    // It and one more at once: the other that was open before the gap does not count for ever.
    assert_eq!((counts.gaps, counts.most_held), (1, 2), "{:?}", stayed.0.hours);
    assert!(counts.arrivals < 302 && counts.ended < 302 && stayed.1.duration_seconds > 0.2, "{:?}", stayed.1);
}

#[tokio::test]
async fn a_history_is_for_admins_and_clients_and_of_a_known_type() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    http.get("/types/beos/history").await.problem(404, "unknown_target_type");
    let empty = history(&http).await;
    assert_eq!((empty.target_type.as_str(), empty.sessions.len()), ("wine", 0));
    http.with_key(None).get("/types/wine/history").await.problem(401, "missing_api_key");
}

#[tokio::test]
async fn a_replica_that_ends_hands_the_history_on_at_once() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    come_and_go(&http).await;
    ended(&http, 1).await;
    let by = || -> String {
        redis::cmd("HGET").arg("test:{wine}:history").arg("by").query(&mut service.redis.conn()).expect("the claim")
    };
    assert!(!by().is_empty());
    service.replicas[0].signal(nix::sys::signal::Signal::SIGTERM);
    eventually("the claim is given back", Duration::from_secs(5), async || by().is_empty().then_some(())).await;
}
