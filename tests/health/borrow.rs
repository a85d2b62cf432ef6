//! Check on borrow, through the API of the real binary. For the pain "a dead or nearly expired container is handed out".

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpListener;

use crate::common::{
    redis::Redis,
    replica::{Replica, Settings},
};

/// Two containers with these ports.
fn lab(ports: [u16; 2]) -> Settings {
    let one = |name, port| {
        format!(
            "[[provider.container]]\nname = \"{name}\"\ntype = \"wine\"\nhost = \"127.0.0.1\"\nports = {{ vnc = {port} }}\n"
        )
    };
    let probe = "[health]\nkind = \"tcp\"\ninterval = \"1s\"\ntimeout = \"500ms\"\nfresh_within = \"2s\"\n";
    let provider = "[[provider]]\nname = \"lab\"\nkind = \"static\"\n";
    Settings::toml([probe, provider, &one("dies", ports[0]), &one("lives", ports[1])].concat())
}

#[tokio::test]
async fn pain_a_dead_container_is_handed_out_after_an_outage_of_all_replicas_what_died_in_it_is_not() {
    let redis = Redis::start();
    let (dies, lives) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let settings = lab([dies.local_addr().unwrap().port(), lives.local_addr().unwrap().port()]);
    let mut former = Replica::start_with_available(&redis.url(), &settings, 2).await;
    former.kill();
    drop(dies);
    // It is the one that was idle longest, and the outage lasts longer than a probe is believed.
    let _: i64 =
        redis::cmd("ZADD").arg("test:{wine}:available").arg(0).arg("lab.dies").query(&mut redis.conn()).unwrap();
    tokio::time::sleep(Duration::from_millis(2100)).await;

    let serving = Replica::start(&redis.url(), &settings.clone().roles("api"));
    let http = serving.http();
    let began = Instant::now();
    let create = tokio::spawn({
        let http = serving.http();
        async move { http.post("/sessions", json!({"target_type": "wine"})).await }
    });
    let _probing = Replica::start(&redis.url(), &settings);
    let made = create.await.unwrap().expect(201);
    assert_eq!(made.text_at("/container/id"), "lab.lives");
    assert!(began.elapsed() < Duration::from_secs(4), "the probe held it up for {:?}", began.elapsed());
    http.post("/sessions", json!({"target_type": "wine"})).await.problem(503, "no_available_containers");
}
