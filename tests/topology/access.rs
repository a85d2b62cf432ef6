//! Who gets in: TLS with certificates on both sides, and an ACL user with the least rights.

use std::{collections::BTreeSet, net::TcpListener, path::Path, time::Duration};

use redis::Value;
use serde_json::json;

use super::{give_back, hold, renew, settings};
use crate::common::{
    eventually,
    http::Http,
    redis::Redis,
    replica::{Replica, Settings},
    sentinel::{SERVICE, Sentinel},
    tls,
};

/// One Redis that also speaks TLS, to those who show a certificate.
struct Guarded {
    redis: Redis,
    port: u16,
}

impl Guarded {
    fn start(folder: &Path, more: &[&str]) -> Self {
        tls::certify(folder);
        let port = free_port();
        let settings = speaks_tls(folder, port);
        let args = settings.iter().flat_map(|(name, value)| [format!("--{name}"), value.clone()]);
        let args: Vec<_> = args.chain(more.iter().map(ToString::to_string)).collect();
        let redis = Redis::unmarked(&args.iter().map(String::as_str).collect::<Vec<_>>());
        Self { redis, port }
    }
}

/// Settings of a server, or a sentinel, that speaks TLS at this port.
fn speaks_tls(folder: &Path, port: u16) -> Vec<(&'static str, String)> {
    let file = |name: &str| folder.join(name).display().to_string();
    vec![
        ("tls-port", port.to_string()),
        ("tls-cert-file", file("server.pem")),
        ("tls-key-file", file("server-key.pem")),
        ("tls-ca-cert-file", file("ca.pem")),
        ("tls-auth-clients", "yes".to_owned()),
    ]
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port()
}

/// A replica that knows the authority, and whom Redis knows.
fn trusted(folder: &Path, containers: usize) -> Settings {
    let file = |name: &str| folder.join(name).display().to_string();
    settings(containers)
        .env("REDIS__TLS__CA_FILE", file("ca.pem"))
        .env("REDIS__TLS__CERT_FILE", file("cert.pem"))
        .env("REDIS__TLS__KEY_FILE", file("key.pem"))
}

async fn serves(replica: &Replica) {
    let http = replica.http();
    let id = hold(&http, "wine", "kept").await.text_at("/id");
    renew(&http, &id).await;
    give_back(&http, &id).await;
}

#[tokio::test]
async fn redis_is_reached_over_tls_with_certificates_on_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let guarded = Guarded::start(folder.path(), &[]);
    guarded.redis.mark_new();
    let url = format!("rediss://127.0.0.1:{}", guarded.port);
    let replica = Replica::start_with_available(&url, &trusted(folder.path(), 2), 2).await;
    serves(&replica).await;
    // All of its connections, the one that hears of offers too, are on the TLS port: none is left on the plain one but ours.
    let clients: String = redis::cmd("CLIENT").arg("LIST").query(&mut guarded.redis.conn()).unwrap();
    let plain = format!("laddr=127.0.0.1:{} ", guarded.redis.address().port());
    assert_eq!(clients.lines().filter(|line| line.contains(&plain)).count(), 1, "{clients}");

    let trusting = settings(2).env("REDIS__TLS__CA_FILE", folder.path().join("ca.pem").display());
    for (refused, why) in [(&trusting, "no certificate"), (&settings(2), "an authority that nobody knows")] {
        let replica = Replica::start(&url, refused);
        replica.http().get("/readyz").await.problem(503, "redis_unavailable");
        assert!(replica.log().contains("Redis cannot be reached"), "{why}:\n{}", replica.log());
    }
}

#[tokio::test]
async fn sentinels_are_asked_over_tls_and_by_their_password() {
    let folder = tempfile::tempdir().unwrap();
    let guarded = Guarded::start(folder.path(), &[]);
    guarded.redis.mark_new();
    let port = free_port();
    let mut more = vec![("requirepass", "of-sentinels".to_owned()), ("tls-replication", "yes".to_owned())];
    more.extend(speaks_tls(folder.path(), port));
    let more: Vec<_> = more.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let _sentinel = Sentinel::start_with(&guarded.port.to_string(), &more.join("\n"));
    let url = format!("rediss+sentinel://127.0.0.1:{port}/{SERVICE}");
    let settings = trusted(folder.path(), 1);
    let replica = Replica::start(&url, &settings);
    eventually("the sentinel asks for a password", Duration::from_secs(10), async || {
        replica.log().contains("Redis's primary is not known; asking on").then_some(())
    })
    .await;
    let settings = settings.env("REDIS__SENTINEL_PASSWORD", "of-sentinels");
    serves(&Replica::start_with_available(&url, &settings, 1).await).await;
}

#[tokio::test]
async fn a_cluster_is_reached_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let bus = free_port().to_string();
    let settings = ["--cluster-enabled", "yes", "--cluster-port", &bus, "--tls-cluster", "yes"];
    let guarded = Guarded::start(folder.path(), &settings);
    let all = redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16_383).to_owned();
    let _: String = all.query(&mut guarded.redis.conn()).unwrap();
    eventually("the cluster serves", Duration::from_secs(10), async || {
        let info: String = redis::cmd("CLUSTER").arg("INFO").query(&mut guarded.redis.conn()).unwrap();
        info.contains("cluster_state:ok").then_some(())
    })
    .await;
    guarded.redis.mark_new();
    let url = format!("rediss+cluster://127.0.0.1:{}", guarded.port);
    serves(&Replica::start_with_available(&url, &trusted(folder.path(), 1), 1).await).await;
}

/// The rule that the documents give, with the tests' prefix.
fn documented_rule(password: &str) -> Vec<String> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/deployment.md")).unwrap();
    let rule = text.lines().find_map(|line| line.strip_prefix("ACL SETUSER ")).expect("a rule in docs/deployment.md");
    let rule = rule.replace("PASSWORD", password).replace("~leasehold:", "~test:").replace("&leasehold:", "&test:");
    rule.split_whitespace().map(str::to_owned).collect()
}

/// What was refused to anybody.
fn refused(redis: &Redis) -> BTreeSet<String> {
    let log: Vec<Vec<Value>> = redis::cmd("ACL").arg("LOG").query(&mut redis.conn()).unwrap();
    log.into_iter().map(|entry| format!("{:?}", &entry[3..8])).collect()
}

/// What a replica does for its clients, and for itself meanwhile.
async fn main_path(http: &Http) {
    let id =
        http.post("/sessions", json!({"target_type": "wine", "metadata": {"a": 1}})).await.expect(201).text_at("/id");
    let made = json!({"target_type": "wine", "wait_seconds": 20});
    let waits = http.post_with_key("/sessions", made.clone(), "waits");
    let frees = async {
        eventually("one in line", Duration::from_secs(10), async || {
            (http.get("/containers/status").await.body["by_type"]["wine"]["sessions_queued"] == 1).then_some(())
        })
        .await;
        give_back(http, &id).await;
    };
    let (waited, ()) = tokio::join!(waits, frees);
    let id = waited.expect(201).text_at("/id");
    http.post_with_key("/sessions", made, "waits").await.expect(201);
    renew(http, &id).await;
    let patience = json!({"target_type": "wine", "wait_seconds": 1});
    http.post("/sessions", patience).await.problem(503, "no_available_containers");
    for path in ["/sessions", "/sessions?include_ended=true", "/containers", "/containers/status", "/readyz", "/types"]
    {
        assert!(http.get(path).await.status < 500, "{path}");
    }
    http.get(&format!("/sessions/{id}")).await.expect(200);
    http.post("/containers/refresh", json!({})).await.expect(200);
    http.post("/audit", json!({"repair": true})).await.expect(200);
    operate(http, &id).await;
    give_back(http, &id).await;
    let free = http.get("/containers").await.body["containers"][0]["id"].as_str().unwrap().to_owned();
    http.post(&format!("/containers/{free}/uncordon"), json!({})).await.expect(200);
    http.post("/containers/wine/allocate?session_id=job", json!({})).await.expect(200);
    http.get("/containers/session/job").await.expect(200);
    http.post("/containers/job/release", json!({})).await.expect(200);
}

/// What an operator does while a session has its container.
async fn operate(http: &Http, id: &str) {
    let container = http.get(&format!("/sessions/{id}")).await.expect(200).text_at("/container/id");
    http.post(&format!("/containers/{container}/cordon"), json!({})).await.expect(200);
    http.post(&format!("/containers/{container}/drain"), json!({ "deadline_seconds": 60 })).await.expect(200);
    http.get("/explain?target_type=wine").await.expect(200);
    http.patch("/types/wine", json!({ "line_max": 100 })).await.expect(200);
}

#[tokio::test]
async fn the_acl_rule_of_the_documents_is_enough_and_names_nothing_that_is_not_there() {
    let redis = Redis::start();
    let _: String = redis::cmd("ACL").arg("SETUSER").arg(documented_rule("se:cr@t")).query(&mut redis.conn()).unwrap();
    let url = format!("redis://leasehold:se%3Acr%40t@{}", redis.address());
    let recoverable =
        |settings: Settings| settings.env("LEASE_TOKENS__KEYS", r#"["a-secret-of-the-tests-with-32-bytes!"]"#);
    let mut replica = Replica::start_with_available(&url, &recoverable(settings(1)), 1).await;
    main_path(&replica.http()).await;
    // The end gives the provider's lock back.
    replica.signal(nix::sys::signal::Signal::SIGTERM);
    replica.ended(Duration::from_secs(10)).await;
    let asked_in_vain: BTreeSet<_> =
        refused(&redis).into_iter().filter(|entry| !entry.contains("config|get")).collect();
    assert!(asked_in_vain.is_empty(), "{asked_in_vain:#?}");
    assert!(!replica.log().contains("se:cr@t") && !replica.log().contains("se%3Acr%40t"), "{}", replica.log());
    // And nobody else gets in with it.
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    assert!(redis::cmd("GET").arg("other").query::<Value>(&mut connection).is_err());
    assert!(redis::cmd("FLUSHALL").query::<Value>(&mut connection).is_err());
}

#[test]
fn every_command_of_the_scripts_is_in_the_acl_rule_of_the_documents() {
    let rule = documented_rule("secret");
    let allowed: BTreeSet<_> = rule.iter().filter_map(|word| word.strip_prefix('+')).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("lua");
    let files = [root.clone(), root.join("lib")].into_iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let texts = files.filter_map(|file| std::fs::read_to_string(file.unwrap().path()).ok()).collect::<String>();
    let called = texts.split("redis.call('").skip(1).filter_map(|rest| rest.split_once('\'')).map(|(name, _)| name);
    let missing: BTreeSet<_> = called.map(str::to_lowercase).filter(|name| !allowed.contains(name.as_str())).collect();
    assert!(missing.is_empty() && allowed.len() > 40, "{missing:?}");
}
