//! Many replicas and clients at once, and replicas that are killed meanwhile.

mod client;
mod history;

use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use self::{
    client::{Addresses, Client},
    history::{Hold, check, check_events},
};
use crate::common::{
    eventually,
    redis::Redis,
    replica::{Replica, Settings, farm},
};

const CONTAINERS: usize = 12;
const CLIENTS: usize = 64;
const REPLICAS: usize = 3;
const TIME: Duration = Duration::from_secs(30);

/// What `docs/architecture.md` states as the longest that an abandoned container stays away past the end of its lease: one
/// period of the reaper, and one call of Redis that runs into its timeout.
const LEAK_BOUND: Duration = Duration::from_secs(2);

fn settings() -> Settings {
    Settings::toml(farm("wine", CONTAINERS))
        .env("LIMITS__TTL_MIN", "1s")
        .env("LIMITS__FIRST_SPAN", "1s")
        .env("LIMITS__CONFIRM", "1s")
        .env("LOG__FILTER", "warn,leasehold::app=info")
}

/// All events of the type, in order.
fn events(redis: &Redis) -> Vec<(String, BTreeMap<String, String>)> {
    let rows: Vec<(String, BTreeMap<String, String>)> =
        redis::cmd("XRANGE").arg("test:{wine}:events").arg("-").arg("+").query(&mut redis.conn()).expect("the events");
    rows.into_iter().map(|(_, fields)| (fields.get("kind").cloned().unwrap_or_default(), fields)).collect()
}

/// Kills a replica now and then, and starts another in its place.
async fn nemesis(
    redis_url: String,
    addresses: Addresses,
    mut replicas: Vec<Replica>,
    seed: u64,
    deadline: Instant,
) -> (Vec<Replica>, usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut kills = 0;
    while Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(random.random_range(300..1500))).await;
        let victim = random.random_range(0..replicas.len());
        replicas[victim].kill();
        kills += 1;
        let url = redis_url.clone();
        let next = tokio::task::spawn_blocking(move || Replica::start(&url, &settings())).await.expect("a replica");
        addresses.write().expect("the addresses")[victim] = next.url();
        replicas[victim] = next;
    }
    (replicas, kills)
}

async fn storm(waits: bool) {
    let seed: u64 = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(rand::random);
    println!("SEED={seed}");
    let redis = Redis::start();
    let mut replicas = vec![Replica::start_with_available(&redis.url(), &settings(), CONTAINERS as u64).await];
    while replicas.len() < REPLICAS {
        replicas.push(Replica::start(&redis.url(), &settings()));
    }
    let addresses: Addresses = Arc::new(RwLock::new(replicas.iter().map(Replica::url).collect()));
    let deadline = Instant::now() + TIME;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| tokio::spawn(Client::new(number, seed, addresses.clone(), waits).work(deadline)))
        .collect();
    let (replicas, kills) = nemesis(redis.url(), addresses.clone(), replicas, seed, deadline).await;
    let mut holds: Vec<Hold> = Vec::new();
    for client in clients {
        holds.extend(client.await.expect("a client"));
    }

    // After the last TTL everything is there again.
    let http = replicas[0].http();
    eventually("everything is available again", Duration::from_secs(20), || async {
        let status = http.get("/containers/status").await;
        let wine = &status.body["by_type"]["wine"];
        let idle = wine["available"] == CONTAINERS && wine["sessions_ready"] == 0 && wine["sessions_queued"] == 0;
        idle.then_some(())
    })
    .await;
    println!("{} sessions held, {kills} replicas killed", holds.len());
    assert!(holds.len() > 200, "only {} sessions: no storm", holds.len());
    assert!(kills > 5, "only {kills} kills");
    check(&holds).unwrap_or_else(|violation| panic!("SEED={seed}: {violation}"));
    let events = events(&redis);
    let grants = check_events(&events).unwrap_or_else(|violation| panic!("SEED={seed}: {violation}"));
    assert!(grants >= holds.len(), "{grants} grants in the events, {} sessions held", holds.len());
    let late = latest_end(&holds, &events);
    println!("the last abandoned lease ended {late:?} after its time");
    assert!(late <= LEAK_BOUND, "SEED={seed}: a lease ended {late:?} after its time");
}

/// How long after its time the latest of the abandoned leases was ended.
fn latest_end(holds: &[Hold], events: &[(String, BTreeMap<String, String>)]) -> Duration {
    let ended: BTreeMap<&str, u64> = events
        .iter()
        .filter(|(kind, _)| kind == "session.ended")
        .filter_map(|(_, fields)| Some((fields.get("session")?.as_str(), fields.get("at")?.parse().ok()?)))
        .collect();
    let mut late = 0;
    let mut counted = 0;
    for hold in holds {
        if let Some(due) = hold.abandoned {
            let at = ended.get(hold.session.as_str()).unwrap_or_else(|| panic!("{hold:?} never ended"));
            late = late.max(at.saturating_sub(due));
            counted += 1;
        }
    }
    assert!(counted > 10, "only {counted} leases were abandoned");
    Duration::from_millis(late)
}

#[tokio::test(flavor = "multi_thread")]
async fn case_01_and_38_no_two_holders_while_replicas_are_killed() {
    storm(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_01_and_38_the_same_with_the_line() {
    storm(true).await;
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
