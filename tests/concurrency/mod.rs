//! Many replicas at once. What clients may meet under load is in `tests/torture`.

use std::{collections::BTreeMap, time::Duration};

use crate::common::{
    eventually,
    redis::Redis,
    replica::{Replica, Settings, farm},
};

/// All events of the type, in order: kind and fields.
fn events(redis: &Redis) -> Vec<(String, BTreeMap<String, String>)> {
    let rows: Vec<(String, BTreeMap<String, String>)> =
        redis::cmd("XRANGE").arg("test:{wine}:events").arg("-").arg("+").query(&mut redis.conn()).expect("the events");
    rows.into_iter().map(|(_, fields)| (fields.get("kind").cloned().unwrap_or_default(), fields)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn case_07_all_replicas_reap_at_once_and_each_lease_ends_once() {
    let redis = Redis::start();
    let count = 40;
    let settings = Settings::toml(farm("wine", count)).env("LIMITS__TTL_MIN", "1s").env("REAPER_INTERVAL", "50ms");
    let mut replicas = vec![Replica::start_with_available(&redis.url(), &settings, count as u64).await];
    for _ in 0..3 {
        replicas.push(Replica::start(&redis.url(), &settings));
    }
    let http = replicas[0].http();
    for _ in 0..count {
        http.post("/sessions", serde_json::json!({"target_type": "wine", "ttl_seconds": 1})).await.expect(201);
    }
    eventually("all ended", Duration::from_secs(15), || async {
        (http.get("/containers/status").await.body["available"] == count).then_some(())
    })
    .await;
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for (kind, fields) in events(&redis) {
        if kind == "session.ended" {
            *ends.entry(fields["session"].clone()).or_default() += 1;
        }
    }
    assert_eq!(ends.len(), count);
    assert!(ends.values().all(|times| *times == 1), "{ends:?}");
}
