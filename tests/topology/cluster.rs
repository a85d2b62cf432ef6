//! A cluster: types spread over its slots, slots move, primaries die.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;

use super::{give_back, hold, renew};
use crate::{
    common::{
        cluster::Cluster,
        eventually,
        http::Http,
        replica::{Replica, Settings},
    },
    events::receiver::{Manner, Receiver},
};

const TYPES: usize = 12;

/// Two containers of each of the types `type-0`, `type-1`, ….
fn many_types() -> Settings {
    let mut text = String::from("[health]\nkind = \"none\"\n[[provider]]\nname = \"farm\"\nkind = \"static\"\n");
    for number in 0..2 * TYPES {
        text.push_str(&format!(
            "[[provider.container]]\nname = \"c{number}\"\ntype = \"type-{}\"\nhost = \"127.0.0.1\"\nports = {{ vnc = {} }}\n",
            number % TYPES,
            5900 + number
        ));
    }
    // Ended sessions would make the slots large.
    Settings::toml(text).env("RECOVERY__LOSSLESS", true).env("LIMITS__ENDED_KEPT", "1s")
}

async fn replica(cluster: &Cluster) -> Replica {
    Replica::start_with_available(&cluster.url(), &many_types(), 2 * TYPES as u64).await
}

/// Who holds what, as the clients know it, and the last token of each container.
#[derive(Default)]
struct Holders {
    held: BTreeSet<String>,
    tokens: BTreeMap<String, u64>,
}

/// Takes and gives back sessions of one type until told to end; counts them.
async fn work(http: Http, target_type: String, name: String, holders: &RefCell<Holders>, end: &Cell<bool>) -> u64 {
    let mut done = 0;
    while !end.get() {
        let made = hold(&http, &target_type, &format!("{name}-{done}")).await;
        let (id, container) = (made.text_at("/id"), made.text_at("/container/id"));
        let token = made.body["lease"]["fencing_token"].as_u64().unwrap();
        {
            let mut holders = holders.borrow_mut();
            assert!(holders.held.insert(container.clone()), "{container} has two holders");
            let last = holders.tokens.insert(container.clone(), token).unwrap_or(0);
            assert!(token > last, "the token of {container} went from {last} to {token}");
        }
        renew(&http, &id).await;
        holders.borrow_mut().held.remove(&container);
        give_back(&http, &id).await;
        done += 1;
    }
    done
}

async fn all_free(http: &Http) {
    eventually("all containers are free", Duration::from_secs(30), async || {
        (http.get("/containers/status").await.body["available"] == 2 * TYPES as u64).then_some(())
    })
    .await;
}

#[tokio::test]
async fn case_33_slots_are_moved_under_load() {
    let cluster = Cluster::start(0).await;
    let replicas = [replica(&cluster).await, replica(&cluster).await];
    let nodes: BTreeSet<_> = (0..TYPES).map(|n| cluster.place_of(&format!("test:{{type-{n}}}:epoch")).1).collect();
    assert_eq!(nodes.len(), 3, "the types are not spread over the cluster");
    let (holders, end) = (RefCell::default(), Cell::new(false));
    let workers = (0..2 * TYPES).map(|number| {
        let (target_type, name) = (format!("type-{}", number % TYPES), format!("worker-{number}"));
        work(replicas[number % 2].http(), target_type, name, &holders, &end)
    });
    let moves = async {
        for round in 0..3 {
            for number in 0..3 {
                let (slot, from) = cluster.place_of(&format!("test:{{type-{number}}}:epoch"));
                cluster.move_slot(slot, from, (from + 1) % 3, Duration::from_millis(20 * round)).await;
            }
        }
        // Those that every call looks at move as well.
        for key in ["test:types", "test:provider:farm"] {
            let (slot, from) = cluster.place_of(key);
            cluster.move_slot(slot, from, (from + 1) % 3, Duration::from_millis(20)).await;
        }
        end.set(true);
    };
    let (done, ()) = tokio::join!(join_all(workers), moves);
    assert!(done.iter().all(|done| *done > 3), "a type was not served: {done:?}");
    all_free(&replicas[0].http()).await;
    for replica in &replicas {
        let log = replica.log();
        for word in ["CROSSSLOT", "what it must not", "panicked"] {
            assert!(!log.contains(word), "{word} in the log:\n{log}");
        }
    }
}

#[tokio::test]
async fn case_33_in_a_slot_that_is_being_moved_no_script_changes_anything() {
    let cluster = Cluster::start(0).await;
    let replica = replica(&cluster).await;
    let http = replica.http();
    let id = hold(&http, "type-0", "kept").await.text_at("/id");
    let (slot, from) = cluster.place_of("test:{type-0}:epoch");
    let to = (from + 1) % 3;
    cluster.begin_move(slot, from, to);
    // All keys are there yet: only those that do not exist tell that the slot is being moved.
    let before = cluster.contents(slot, from);
    assert!(before.len() > 5, "{:?}", before.keys());
    http.post(&format!("/sessions/{id}/heartbeat"), json!({})).await.problem(503, "redis_unavailable");
    http.delete(&format!("/sessions/{id}")).await.problem(503, "redis_unavailable");
    http.post("/sessions", json!({"target_type": "type-0"})).await.problem(503, "redis_unavailable");
    // Other types do not notice.
    let other = http.post("/sessions", json!({"target_type": "type-1"})).await.expect(201);
    give_back(&http, &other.text_at("/id")).await;
    assert_eq!(cluster.contents(slot, from), before);
    assert!(cluster.contents(slot, to).is_empty());
    cluster.set_stable(slot, &[from, to]);
    renew(&http, &id).await;
    give_back(&http, &id).await;
    all_free(&http).await;
}

#[tokio::test]
async fn a_primary_of_the_cluster_is_killed_and_its_replica_serves() {
    let mut cluster = Cluster::start(1).await;
    let replica = replica(&cluster).await;
    let http = replica.http();
    let mut held = Vec::new();
    for number in 0..TYPES {
        held.push(hold(&http, &format!("type-{number}"), &format!("kept-{number}")).await.text_at("/id"));
    }
    let (_, at) = cluster.place_of("test:{type-0}:epoch");
    let in_step: i64 = redis::cmd("WAIT").arg(1).arg(5000).query(&mut cluster.node(at).conn()).unwrap();
    assert_eq!(in_step, 1);
    cluster.node(at).kill();
    // Those of the other primaries are served meanwhile as soon as the cluster allows it, and these after the failover.
    for id in &held {
        renew(&http, id).await;
    }
    for id in &held {
        give_back(&http, id).await;
    }
    all_free(&http).await;
    let again = hold(&http, "type-0", "again").await.text_at("/id");
    give_back(&http, &again).await;
}

#[tokio::test]
async fn events_of_all_types_are_followed_and_delivered() {
    let cluster = Cluster::start(0).await;
    let receiver = Receiver::start(Manner::Takes).await;
    let mut settings = many_types();
    settings.toml = format!(
        "[[webhook]]\nname = \"audit\"\nurl = \"{}\"\nsecrets = [\"whsec_{}\"]\n{}",
        receiver.url(),
        "QUFB".repeat(8),
        settings.toml
    );
    let replica = Replica::start_with_available(&cluster.url(), &settings, 2 * TYPES as u64).await;
    let http = replica.http();
    for number in 0..TYPES {
        let made = hold(&http, &format!("type-{number}"), &format!("job-{number}")).await;
        give_back(&http, &made.text_at("/id")).await;
    }
    let wire = http.get("/events?follow=false&kind=session.ended").await.expect(200).text;
    assert_eq!(wire.matches("\nevent: session.ended\n").count(), TYPES, "{wire}");
    eventually("all are delivered", Duration::from_secs(30), async || {
        let ended = receiver.came().iter().filter(|one| one.event.kind == "session.ended").count();
        (ended == TYPES).then_some(())
    })
    .await;
}
