//! `leasehold webhooks`: how far deliveries are, what was given up, and sending that again.

use serde_json::json;

use super::{PATIENCE, Pool};
use crate::{
    common::{
        eventually,
        redis::Redis,
        replica::{Replica, Settings, farm},
    },
    events::receiver::{Manner, Receiver},
};

/// A replica with a webhook `audit` that gives up ends of sessions after one attempt, and another that wants no type there is.
async fn pool(receiver: &Receiver) -> Pool {
    let redis = Redis::start();
    let url = receiver.url();
    let secret = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xk";
    let hooks = format!(
        "[[webhook]]\nname = \"audit\"\nurl = \"{url}\"\nsecrets = [\"{secret}\"]\nkinds = [\"session.ended\"]\nattempts = 1\n\
         [[webhook]]\nname = \"idle\"\nurl = \"{url}\"\nsecrets = [\"{secret}\"]\ntarget_types = [\"none\"]\n"
    );
    let settings = Settings::toml(hooks + &farm("wine", 1));
    let replica = Replica::start_with_available(&redis.url(), &settings, 1).await;
    Pool { replica, redis }
}

/// A session that came and went.
async fn come_and_go(pool: &Pool) -> String {
    let made = pool.said(&["sessions", "create", "wine", "-o", "json"]).await.expect(0).json();
    let id = made["id"].as_str().unwrap().to_owned();
    pool.said(&["sessions", "release", &id]).await.expect(0);
    id
}

#[tokio::test]
async fn what_a_webhook_did_not_take_is_listed_and_sent_again() {
    let receiver = Receiver::start(Manner::Answers(503)).await;
    let pool = pool(&receiver).await;
    let sessions = [come_and_go(&pool).await, come_and_go(&pool).await];
    let list = eventually("two dead letters", PATIENCE, async || {
        let list = pool.said(&["webhooks", "-o", "json"]).await.expect(0).json();
        (list[0]["deliveries"][0]["dead"] == 2).then_some(list)
    })
    .await;
    assert_eq!(
        (&list[0]["name"], &list[1]),
        (&json!("audit"), &json!({"name": "idle", "url": list[1]["url"], "deliveries": []}))
    );
    let table = pool.said(&["webhooks"]).await.expect(0).stdout;
    let rows: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..6], ["NAME", "TYPE", "STATE", "BEHIND", "DEAD", "AGAIN"], "{table}");
    assert_eq!((&rows[1][..3], rows[1][4]), (&["audit", "wine", "delivering"][..], "2"), "{table}");
    assert_eq!(rows[2][..3], ["idle", "-", "-"], "{table}");
    assert_eq!(pool.said(&["webhooks", "-o", "name"]).await.expect(0).stdout, "audit\nidle\n");
    let wide = pool.said(&["webhooks", "-o", "wide"]).await.expect(0).stdout;
    assert!(wide.contains("REPLICA") && wide.contains("/***") && !wide.contains("secret-of-the-receiver"), "{wide}");

    let dead = pool.said(&["webhook", "dead", "audit", "-o", "json"]).await.expect(0).json();
    assert_eq!((&dead["total"], &dead["letters"][0]["error"]), (&json!(2), &json!("the answer was 503")));
    let ids = pool.said(&["webhooks", "dead", "audit", "-o", "name"]).await.expect(0).stdout;
    let known: Vec<_> =
        dead["letters"].as_array().unwrap().iter().map(|one| one["event"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids.lines().collect::<Vec<_>>(), known);
    let first = pool.said(&["webhooks", "dead", "audit", "--limit", "1", "-o", "wide"]).await.expect(0);
    first.complains_of(&["1 of 2 dead letters"]);
    assert!(first.stdout.contains(&sessions[1]) && !first.stdout.contains(&sessions[0]), "{first:?}");

    receiver.behave(Manner::Takes);
    let replayed = pool.said(&["webhooks", "replay", "audit", "-o", "json"]).await.expect(0);
    replayed.complains_of(&["audit: 2 dead letters are sent again"]);
    assert_eq!(replayed.json(), json!({"replayed": 2}));
    eventually("both", PATIENCE, async || (receiver.taken().len() == 2).then_some(())).await;
    eventually("nothing is dead", PATIENCE, async || {
        let dead = pool.said(&["webhooks", "dead", "audit", "-o", "json"]).await.expect(0).json();
        (dead == json!({"letters": [], "total": 0})).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_webhook_that_is_none_is_named_with_those_there_are() {
    let receiver = Receiver::start(Manner::Takes).await;
    let pool = pool(&receiver).await;
    for verb in ["dead", "replay"] {
        pool.said(&["webhooks", verb, "other"]).await.expect(1).complains_of(&[
            "404",
            "\"other\"",
            "known are: audit, idle",
        ]);
        pool.said(&["webhooks", verb, "No Name"]).await.expect(2).complains_of(&["No Name", "webhook name"]);
        pool.said(&["webhooks", verb]).await.expect(2).complains_of(&["<NAME>"]);
    }
    pool.said(&["webhooks", "dead", "audit", "--limit", "0"]).await.expect(1).complains_of(&["422", "limit"]);
    pool.said(&["webhooks", "dead", "audit", "--limit", "x"]).await.expect(2).complains_of(&["--limit", "'x'"]);
    pool.said(&["webhooks", "forget", "audit"]).await.expect(2).complains_of(&["forget"]);
}
