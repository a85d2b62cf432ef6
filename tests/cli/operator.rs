//! What an operator does and asks on the command line.

use serde_json::json;

use super::{Pool, Running};

#[tokio::test]
async fn a_container_is_cordoned_and_uncordoned_by_its_id_its_beginning_or_its_name() {
    let pool = Pool::start(2).await;
    let ids = pool.said(&["containers", "-o", "name"]).await.expect(0).stdout;
    let id = ids.lines().next().unwrap();
    let name = pool.said(&["containers", "get", id, "-o", "json"]).await.json()["name"].as_str().unwrap().to_owned();
    for text in [id, &id[..id.len() - 1], &name] {
        if text.len() < id.len() && ids.lines().filter(|other| other.starts_with(text)).count() > 1 {
            pool.said(&["cordon", text]).await.expect(1).complains_of(&["may be container"]);
            continue;
        }
        let cordoned = pool.said(&["cordon", text, "-o", "json"]).await.expect(0).json();
        assert_eq!((&cordoned["id"], &cordoned["cordoned"]), (&json!(id), &json!(true)));
        assert_eq!(cordoned["cordoned_by"], "admin/environment");
        assert_eq!(pool.available().await, 1);
        pool.said(&["uncordon", text]).await.expect(0).complains_of(&[&name, "not cordoned"]);
        assert_eq!(pool.available().await, 2);
    }
    pool.said(&["cordon", "nobody"]).await.expect(1).complains_of(&["\"nobody\"", "leasehold containers"]);
}

#[tokio::test]
async fn a_drain_shows_what_it_waits_for_until_the_container_is_free() {
    let pool = Pool::start(1).await;
    let made = pool.said(&["sessions", "create", "wine", "-o", "json"]).await.expect(0).json();
    let (session, container) = (made["id"].as_str().unwrap(), made["container"]["id"].as_str().unwrap());
    let mut drain = Running::start(pool.client(&["drain", container, "-o", "json"]));
    drain.complaint(session).await;
    pool.said(&["sessions", "release", session]).await.expect(0);
    drain.complaint("no session has it").await;
    assert_eq!(drain.code().await, Some(0));
    assert_eq!(pool.available().await, 0);
    // Again: there is nothing to wait for.
    pool.said(&["drain", container]).await.expect(0);
}

#[tokio::test]
async fn a_drain_ends_at_its_deadline_with_force_or_without() {
    let pool = Pool::start(1).await;
    let made = pool.said(&["sessions", "create", "wine", "-o", "json"]).await.expect(0).json();
    let container = made["container"]["id"].as_str().unwrap();
    let shown = pool.said(&["drain", container, "--deadline", "0"]).await.expect(75);
    shown.complains_of(&[made["id"].as_str().unwrap(), "stays cordoned", "--force"]);
    let later = pool.said(&["drain", container, "--no-wait", "-o", "json"]).await.expect(0).json();
    assert_eq!(later["drain"]["waiting_for"], made["id"]);
    pool.said(&["drain", container, "--deadline", "1", "--force"]).await.expect(0);
    let ended = pool.said(&["sessions", "get", made["id"].as_str().unwrap(), "-o", "json"]).await.expect(0).json();
    assert_eq!(ended["end_reason"], "admin");
    pool.said(&["drain", container, "--deadline", "86401"]).await.expect(1).complains_of(&["422", "deadline_seconds"]);
}

#[tokio::test]
async fn a_container_is_put_into_quarantine_and_taken_out_by_its_name() {
    let pool = Pool::start(1).await;
    let id = pool.said(&["containers", "-o", "name"]).await.expect(0).stdout.trim().to_owned();
    let rests = pool.said(&["quarantine", "wine-1", "--for", "600"]).await.expect(0);
    assert!(rests.stderr.contains("container wine-1 is in quarantine until 2"), "{}", rests.stderr);
    pool.said(&["quarantine", "wine-1", "--for", "0"]).await.expect(1).complains_of(&["422", "rest_seconds"]);
    assert_eq!(pool.available().await, 0);
    let lifted = pool.said(&["unquarantine", "wine-1", "-o", "json"]).await.expect(0).json();
    assert_eq!(
        (&lifted["id"], &lifted["quarantine"], &lifted["pool_state"]),
        (&json!(id), &json!(null), &json!("available"))
    );
    assert_eq!(pool.available().await, 1);
    // Again: it does not rest.
    pool.said(&["unquarantine", "wine-1"]).await.expect(0);
    pool.said(&["unquarantine", "nobody"]).await.expect(1).complains_of(&["\"nobody\""]);
}

#[tokio::test]
async fn a_restart_that_the_provider_cannot_make_is_refused_with_the_reason() {
    let pool = Pool::start(1).await;
    let refused = pool.said(&["restart", "wine-1", "--wait"]).await.expect(1);
    refused.complains_of(&["409", "only lists containers"]);
}

#[tokio::test]
async fn an_explanation_names_containers_and_says_what_would_help() {
    let pool = Pool::start(1).await;
    let made = pool.said(&["sessions", "create", "wine", "-o", "json"]).await.expect(0).json();
    let refused = pool.said(&["sessions", "create", "wine"]).await.expect(75);
    refused.complains_of(&["leasehold explain"]);
    let text = pool.said(&["explain", "wine"]).await.expect(0).stdout;
    let parts = ["None of 1 wine container is available: 1 leased.", "help: ", made["id"].as_str().unwrap(), "wine-1"];
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    let whole = pool.said(&["explain", "wine", "-o", "json"]).await.expect(0).json();
    assert_eq!(whole["reasons"][0]["containers"][0]["session_id"], made["id"]);
    let names = pool.said(&["explain", "wine", "-o", "name"]).await.expect(0).stdout;
    assert_eq!(names, "leased\n");
    pool.said(&["explain", "linux"]).await.expect(1).complains_of(&["\"linux\"", "known are: wine"]);
}

#[tokio::test]
async fn what_is_watched_is_shown_again_when_it_changes() {
    let pool = Pool::start(1).await;
    let mut watch = Running::start(pool.client(&["status", "--watch"]));
    assert!(watch.line().await.starts_with("TYPE"));
    let counts = |line: String| line.split_whitespace().take(4).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(counts(watch.line().await), ["wine", "1", "1", "0"]);
    pool.said(&["sessions", "create", "wine"]).await.expect(0);
    assert!(watch.line().await.starts_with("TYPE"));
    assert_eq!(counts(watch.line().await), ["wine", "1", "0", "1"]);
}

#[tokio::test]
async fn types_are_listed_and_their_settings_changed() {
    let pool = Pool::start(2).await;
    let table = pool.said(&["types"]).await.expect(0).stdout;
    assert!(table.starts_with("TYPE") && table.contains("wine") && table.contains("10000"), "{table}");
    let set =
        pool.said(&["types", "set", "wine", "line_max=5", "ttl_max_seconds=90", "-o", "json"]).await.expect(0).json();
    assert_eq!(set["changed"], json!({ "line_max": 5, "ttl_max_seconds": 90 }));
    let back = pool.said(&["types", "set", "wine", "line_max=default"]).await.expect(0).stdout;
    assert!(back.contains("ttl_max_seconds") && !back.contains("line_max"), "{back}");
    let listed = pool.said(&["types", "-o", "json"]).await.expect(0).json();
    assert_eq!(listed[0]["settings"]["ttl_max_seconds"], 90.0);
    pool.said(&["types", "set", "wine", "ttl_max_seconds=1"])
        .await
        .expect(1)
        .complains_of(&["422", "ttl_max_seconds = 1"]);
    pool.said(&["types", "set", "wine", "line_max"]).await.expect(1).complains_of(&["SETTING=VALUE"]);
    pool.said(&["types", "set", "wine", "line=1"]).await.expect(1).complains_of(&["\"line\"", "probe_fall"]);
    pool.said(&["types", "set", "wine", "line_max=x"]).await.expect(1).complains_of(&["line_max = x", "default"]);
}
