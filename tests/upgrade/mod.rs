//! Two versions of the program side by side, as they are during a rolling upgrade and its way back.
//!
//! The version before this one is built by `scripts/previous.sh`, and its path is in `PREVIOUS_LEASEHOLD`.

mod load;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use nix::sys::signal::Signal;
use serde_json::json;

use self::load::Load;
use crate::common::{
    eventually,
    redis::Redis,
    replica::{Replica, Settings, farm},
};

const PATIENCE: Duration = Duration::from_secs(30);
const CONTAINERS: usize = 4;
const CLIENTS: usize = 10;
/// Sessions that are served in each step of the upgrade.
const SERVED: usize = 60;

fn previous() -> PathBuf {
    let path = std::env::var("PREVIOUS_LEASEHOLD").unwrap_or_default();
    assert!(!path.is_empty(), "run it with PREVIOUS_LEASEHOLD=$(scripts/previous.sh), the version before this one");
    path.into()
}

/// The replicas behind the clients.
struct Fleet {
    redis: Redis,
    settings: Settings,
    replicas: Vec<Replica>,
    load: Arc<Load>,
}

impl Fleet {
    /// Starts one of either version.
    fn add(&mut self, old: bool) {
        let settings = if old { self.settings.clone().program(previous()) } else { self.settings.clone() };
        let replica = Replica::start(&self.redis.url(), &settings);
        self.load.add(replica.http());
        self.replicas.push(replica);
    }

    /// Replaces the oldest replica by one of either version; the load balancer notices late.
    async fn replace(&mut self, old: bool) {
        self.add(old);
        let mut ends = self.replicas.remove(0);
        ends.signal(Signal::SIGTERM);
        let status = ends.ended(PATIENCE).await;
        assert!(status.success(), "{status}: {}", ends.log());
        self.load.remove_first();
        self.load.serves(SERVED).await;
    }

    fn keys(&self) -> Vec<String> {
        redis::cmd("KEYS").arg("test:{wine}:*").query(&mut self.redis.conn()).expect("the keys")
    }

    /// By the event stream, which is gapless: no container had two leases, tokens grew, and every lease has ended.
    fn check_events(&self) {
        type Row = (String, BTreeMap<String, String>);
        let rows: Vec<Row> = redis::cmd("XRANGE")
            .arg("test:{wine}:events")
            .arg("-")
            .arg("+")
            .query(&mut self.redis.conn())
            .expect("the events");
        let mut last: Option<(u64, u64)> = None;
        let mut tokens: BTreeMap<String, u64> = BTreeMap::new();
        let mut held: BTreeMap<String, String> = BTreeMap::new();
        for (id, fields) in rows {
            let (epoch, sequence) = id.split_once('-').expect("epoch and sequence");
            let place = (epoch.parse().unwrap(), sequence.parse().unwrap());
            assert!(last.is_none_or(|(epoch, sequence)| place == (epoch, sequence + 1)), "a gap before {id}: {last:?}");
            last = Some(place);
            let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
            let (session, container) = (field("session"), field("container"));
            match field("kind").as_str() {
                "session.offered" | "session.ready" => {
                    let holder = held.insert(container.clone(), session.clone());
                    assert!(
                        holder.as_ref().is_none_or(|holder| *holder == session),
                        "two holders: {fields:?} {holder:?}"
                    );
                    let token: u64 = field("token").parse().expect("a token");
                    let before = tokens.insert(container, token).unwrap_or_default();
                    let again = holder.is_some();
                    assert!(token > before || (again && token == before), "a token that did not grow: {fields:?}");
                }
                "session.ended" if held.get(&container) == Some(&session) => drop(held.remove(&container)),
                _ => {}
            }
        }
        assert!(tokens.len() == CONTAINERS && held.is_empty(), "{tokens:?}, {held:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_11_replicas_are_replaced_one_by_one_and_back_under_load_and_nobody_notices() {
    let settings = Settings::toml(farm("wine", CONTAINERS)).env("DRAIN", "300ms");
    let redis = Redis::start();
    let mut fleet = Fleet { redis, settings, replicas: Vec::new(), load: Arc::default() };
    fleet.add(true);
    fleet.add(true);
    let ready = fleet.replicas[0].http();
    eventually("all are found", PATIENCE, async || {
        (ready.get("/containers/status").await.body["available"] == CONTAINERS).then_some(())
    })
    .await;
    let mut clients: Vec<_> =
        (0..CLIENTS).map(|number| tokio::spawn(load::client(fleet.load.clone(), number))).collect();
    clients.push(tokio::spawn(load::operator(fleet.load.clone())));
    fleet.load.serves(SERVED).await;
    // There, back, and to the middle: old to new, new to old, and one of each in the end.
    for old in [false, false, true, true, false] {
        fleet.replace(old).await;
    }
    fleet.load.stop();
    for client in clients {
        client.await.expect("a client that noticed nothing");
    }
    for replica in &fleet.replicas {
        let http = replica.http();
        eventually("all are free", PATIENCE, async || {
            let status = http.get("/containers/status").await.expect(200).body;
            (status["available"] == CONTAINERS && status["by_type"]["wine"]["sessions_queued"] == 0).then_some(())
        })
        .await;
        let audit = http.post("/audit", json!({})).await.expect(200);
        assert_eq!(audit.body["findings"], json!([]), "{}", audit.text);
    }
    fleet.check_events();
    for rest in ["line:", "queue", "tickets", "offers", "leases", "owner:"] {
        let left: Vec<_> =
            fleet.keys().into_iter().filter(|key| key.starts_with(&format!("test:{{wine}}:{rest}"))).collect();
        assert!(left.is_empty(), "left over: {left:?}");
    }
}
