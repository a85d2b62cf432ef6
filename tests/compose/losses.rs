//! What breaks behind the load balancer, and before it.

use std::{process::Command, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{Instant, sleep},
};

use super::{
    of_type,
    project::{Project, TARGETS, WINE},
    take_all,
};
use crate::common::{
    compose::succeeded,
    eventually,
    http::{Answer, Http},
};

/// A call as a client makes it: repeated, with the same `Idempotency-Key`, while it is not answered by a replica.
async fn persistently(http: &Http, method: Method, path: &str, body: Option<Value>, key: &str) -> Answer {
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        let answer = http.try_call(method.clone(), path, body.clone(), &[("Idempotency-Key", key)]).await;
        match answer {
            Ok(answer) if !matches!(answer.status, 502..=504) => return answer,
            outcome => assert!(Instant::now() < deadline, "{method} {path} is not answered: {outcome:?}"),
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// The replica that discovers, and the id of its container.
async fn discoverer(project: &Project) -> (String, String) {
    let status = project.http().get("/containers/status").await.expect(200);
    let replica = status.text_at("/providers/0/discoverer");
    let containers = project.containers_of("leasehold");
    assert_eq!(containers.len(), 2, "two replicas run");
    let host = replica.split('-').next().unwrap_or_default();
    let container = containers.into_iter().find(|id| id.starts_with(host));
    (replica.clone(), container.unwrap_or_else(|| panic!("no container has the replica {replica}")))
}

#[tokio::test]
async fn requests_go_on_while_a_replica_is_killed() {
    let project = Project::up().await;
    let http = project.http();
    let held = http.post("/sessions", of_type("linux")).await.expect(201).text_at("/id");
    let (killed, container) = discoverer(&project).await;

    let kill = tokio::task::spawn_blocking(move || Command::new("docker").args(["kill", &container]).output());
    let mut rounds = 0;
    // On from before it is killed until another replica discovers in its place.
    let another = eventually("another replica discovers", Duration::from_mins(1), async || {
        let key = format!("round-{rounds}");
        rounds += 1;
        let made = persistently(&http, Method::POST, "/sessions", Some(of_type("wine")), &key).await.expect(201);
        let path = format!("/sessions/{}", made.text_at("/id"));
        persistently(&http, Method::DELETE, &path, None, &key).await.expect(200);
        let path = format!("/sessions/{held}/heartbeat");
        persistently(&http, Method::POST, &path, Some(json!({})), &key).await.expect(200);
        let status = persistently(&http, Method::GET, "/containers/status", None, &key).await.expect(200);
        let now = status.body["providers"][0]["discoverer"].as_str()?.to_owned();
        (now != killed).then_some(now)
    })
    .await;
    succeeded("docker kill", &kill.await.expect("it is waited for").expect("docker runs"));
    assert_eq!(project.containers_of("leasehold").len(), 2);

    let refreshed = http.post("/containers/refresh", json!({})).await.expect(200);
    assert_eq!(refreshed.text_at("/status/providers/0/discoverer"), another);
    http.delete(&format!("/sessions/{held}")).await.expect(200);
    eventually("all were made clean", Duration::from_mins(1), async || {
        let status = http.get("/containers/status").await.expect(200);
        (status.body["available"] == json!(TARGETS) && status.body["allocated"] == json!(0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn case_36_a_client_that_hangs_up_before_the_load_balancer_loses_its_ticket() {
    let project = Project::up().await;
    let http = project.http();
    let taken = take_all(&project, "wine", WINE).await;
    let queued = async || http.get("/containers/status").await.body["by_type"]["wine"]["sessions_queued"].as_u64();

    let body = json!({"target_type": "wine", "wait_seconds": 50}).to_string();
    let address = project.base().trim_start_matches("http://");
    let mut waiter = TcpStream::connect(address).await.expect("the load balancer accepts");
    let request = format!(
        "POST /sessions HTTP/1.1\r\nHost: {address}\r\nX-API-Key: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        project.key(),
        body.len()
    );
    waiter.write_all(request.as_bytes()).await.expect("the request is sent");
    eventually("it waits in line", Duration::from_secs(5), async || (queued().await == Some(1)).then_some(())).await;

    drop(waiter);
    // Half of a ticket's life without a poll: it did not merely run out.
    eventually("its ticket ends", Duration::from_secs(5), async || (queued().await == Some(0)).then_some(())).await;
    http.delete(&format!("/sessions/{}", taken[0].text_at("/id"))).await.expect(200);
    // It is made clean first.
    http.post("/sessions", json!({"target_type": "wine", "wait_seconds": 50})).await.expect(201);
}
