//! What is asked of a replica: output in its forms, failures in their exit codes.

use nix::sys::signal::Signal;
use serde_json::json;

use super::{Pool, leasehold, said};

/// An address of this machine where nobody listens.
const NOBODY: &str = "http://127.0.0.1:1";

/// The rows of a table: each line's words.
fn rows(table: &str) -> Vec<Vec<&str>> {
    table.lines().map(|line| line.split_whitespace().collect()).collect()
}

#[tokio::test]
async fn status_counts_each_type() {
    let pool = Pool::start(2).await;
    pool.said(&["sessions", "create", "wine"]).await.expect(0);
    let table = pool.said(&["status"]).await.expect(0).stdout;
    let rows = rows(&table);
    assert_eq!(rows[0][..4], ["TYPE", "TOTAL", "AVAILABLE", "ALLOCATED"], "{table}");
    assert_eq!(rows[1][..4], ["wine", "2", "1", "1"], "{table}");
    let status = pool.said(&["status", "-o", "json"]).await.expect(0).json();
    assert_eq!((&status["total_containers"], &status["by_type"]["wine"]["available"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn a_refresh_answers_with_what_there_is_then() {
    let pool = Pool::start(1).await;
    let table = pool.said(&["refresh"]).await.expect(0).stdout;
    assert_eq!(rows(&table)[1][..2], ["wine", "1"], "{table}");
}

#[tokio::test]
async fn containers_are_listed_in_each_form() {
    let pool = Pool::start(2).await;
    let known = pool.http().get("/containers").await.expect(200).body;
    let ids: Vec<_> = known["containers"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2);

    let list = pool.said(&["containers", "-o", "json"]).await.expect(0).json();
    assert_eq!(list, known["containers"]);
    let names = pool.said(&["containers", "-o", "name"]).await.expect(0).stdout;
    assert_eq!(names.lines().collect::<Vec<_>>(), ids);
    let table = pool.said(&["containers"]).await.expect(0).stdout;
    assert!(table.starts_with("ID") && table.contains("wine-1") && table.contains("127.0.0.1:5902"), "{table}");
    assert!(!table.contains("PROVIDER"), "{table}");
    let wide = pool.said(&["containers", "list", "-o", "wide"]).await.expect(0).stdout;
    assert!(wide.contains("PROVIDER") && wide.contains("farm"), "{wide}");

    let one = pool.said(&["container", "get", ids[1], "-o", "json"]).await.expect(0).json();
    assert_eq!(one, known["containers"][1]);
    pool.said(&["containers", "get", "nobody"]).await.expect(1).complains_of(&["404"]);
}

#[tokio::test]
async fn containers_are_filtered() {
    let pool = Pool::start(2).await;
    let session = pool.said(&["sessions", "create", "wine", "-o", "json"]).await.expect(0).json();
    let free = pool.said(&["containers", "--available", "-o", "name"]).await.expect(0).stdout;
    assert_eq!(free.lines().count(), 1);
    assert_ne!(free.trim(), session["container"]["id"].as_str().unwrap());
    let wine = pool.said(&["containers", "--type", "wine", "-o", "name"]).await.expect(0).stdout;
    assert_eq!(wine.lines().count(), 2);
    pool.said(&["containers", "--type", "linux"]).await.expect(1).complains_of(&["\"linux\"", "known are: wine"]);
}

#[tokio::test]
async fn a_session_is_made_shown_and_released() {
    let pool = Pool::start(1).await;
    let made = pool.said(&["sessions", "create", "wine", "--metadata", r#"{"job": 7}"#, "-o", "json"]).await;
    let made = made.expect(0).json();
    let id = made["id"].as_str().unwrap();
    assert_eq!((&made["state"], &made["metadata"]["job"]), (&json!("ready"), &json!(7)));

    let table = pool.said(&["sessions"]).await.expect(0).stdout;
    assert_eq!(rows(&table)[1][..3], [id, "wine", "ready"], "{table}");
    assert_eq!(pool.said(&["sessions", "list", "-o", "name"]).await.expect(0).stdout, format!("{id}\n"));
    let shown = pool.said(&["sessions", "get", id, "-o", "json"]).await.expect(0).json();
    assert_eq!(shown["lease"]["fencing_token"], made["lease"]["fencing_token"]);

    let stale = pool.said(&["sessions", "release", id, "--fencing-token", "1"]).await;
    stale.expect(1).complains_of(&["409"]);
    pool.said(&["sessions", "release", id]).await.expect(0).complains_of(&[id, "released"]);
    pool.said(&["session", "release", id]).await.expect(0);
    assert_eq!(pool.available().await, 1);
    assert_eq!(pool.said(&["sessions", "-o", "name"]).await.expect(0).stdout, "");
    let ended = pool.said(&["sessions", "--all"]).await.expect(0).stdout;
    assert!(ended.contains(id) && ended.contains("ended (released)"), "{ended}");
}

#[tokio::test]
async fn each_refusal_has_its_exit_code() {
    let pool = Pool::start(1).await;
    pool.said(&["sessions", "create", "android"]).await.expect(1).complains_of(&["android", "404"]);
    pool.said(&["sessions", "create", "wine", "--metadata", "[7"]).await.expect(1).complains_of(&["--metadata"]);
    pool.said(&["sessions", "create", "wine"]).await.expect(0);
    let shortage = pool.said(&["sessions", "create", "wine"]).await.expect(75);
    shortage.complains_of(&["No available wine containers", "no_available_containers"]);
    let queued = pool.said(&["sessions", "create", "wine", "--queue", "-o", "json"]).await.expect(0).json();
    assert_eq!((&queued["state"], &queued["ticket"]["position"]), (&json!("queued"), &json!(1)));
}

#[tokio::test]
async fn a_wrong_key_is_told_where_a_key_comes_from() {
    let pool = Pool::start(1).await;
    let mut command = pool.client(&["status"]);
    command.env("LEASEHOLD_API_KEY", "another");
    said(command).await.expect(77).complains_of(&["401", "LEASEHOLD_API_KEY", "--key-file"]);
}

#[tokio::test]
async fn a_key_file_goes_before_the_environment() {
    let pool = Pool::start(1).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{}\n", crate::common::replica::KEY)).unwrap();
    let mut command = pool.client(&["status", "--key-file", file.path().to_str().unwrap()]);
    command.env("LEASEHOLD_API_KEY", "another");
    said(command).await.expect(0);
    let absent = pool.said(&["status", "--key-file", "/nonexistent"]).await.expect(1);
    absent.complains_of(&["/nonexistent", "cannot be read"]);
}

#[tokio::test]
async fn nobody_listening_is_told_with_what_to_do() {
    for verb in [&["status"][..], &["sessions", "create", "wine"], &["run", "wine", "--", "true"]] {
        let mut command = leasehold(verb);
        command.env("LEASEHOLD_URL", NOBODY);
        said(command).await.expect(69).complains_of(&[NOBODY, "connection refused", "leasehold serve", "--url"]);
    }
}

#[tokio::test]
async fn a_health_check_knows_two_answers() {
    let mut pool = Pool::start(1).await;
    // Readiness needs no key.
    let check = async |url: &str| said(leasehold(&["healthcheck", "--url", url])).await;
    check(&pool.replica.url()).await.expect(0);
    check(NOBODY).await.expect(1).complains_of(&["not ready", "connection refused"]);
    pool.replica.signal(Signal::SIGTERM);
    pool.replica.ended(super::PATIENCE).await;
    check(&pool.replica.url()).await.expect(1);
}
