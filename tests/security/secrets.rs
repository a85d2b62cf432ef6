//! No secret leaves a replica by its logs, its answers, its events or its printed configuration.

use std::{fmt::Write as _, fs, time::Duration};

use leasehold::config::Config;
use reqwest::Method;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{
    cli::{leasehold, said},
    common::{
        eventually,
        redis::Redis,
        replica::{Replica, Settings, farm},
        tls,
    },
    events::receiver::{Manner, Receiver},
};

/// A secret for each place that has one, each a word that stands nowhere else.
const REDIS_PASSWORD: &str = "mark-of-redis-7f3a91";
const ADMIN_KEY: &str = "mark-of-admin-5c2e17";
const FILE_KEY: &str = "mark-of-file-90b4d2";
const WRONG_KEY: &str = "mark-of-wrong-e81f06";
const WRONG_BEARER: &str = "mark-of-bearer-3d77aa";
const IDEMPOTENCY_KEY: &str = "mark-of-idempotency-b6c9f4";
const WEBHOOK_SECRET: &str = "whsec_bWFyay1vZi13ZWJob29rLTRkOGIwMi1zZWNyZXQh";
const VIEWER_PASS: &str = "lhp_0123456789abcdefghijklmnopqrstuv";
const VIEWER_SECRET: &str = "the-own-secret-of-a-viewer";
const WEBHOOK_PATH: &str = "mark-of-hook-path-2e95c7";

const PATIENCE: Duration = Duration::from_secs(20);

fn hash(key: &str) -> String {
    Sha256::digest(key).iter().fold("sha256:".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn entry(key: &str) -> String {
    format!("[[api_key]]\nname = \"file\"\nowner = \"file\"\nrole = \"client\"\nhash = \"{}\"\n", hash(key))
}

/// Every event of a type, as Redis has them.
fn events(connection: &mut redis::Connection) -> String {
    let events: redis::Value =
        redis::cmd("XRANGE").arg("test:{wine}:events").arg("-").arg("+").query(connection).expect("events");
    format!("{events:?}")
}

#[tokio::test]
async fn no_secret_is_in_logs_answers_events_or_the_printed_configuration() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    tls::authority(folder.path());
    tls::server_certificate(folder.path(), "server");
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("keys.toml"), entry(FILE_KEY)).unwrap();
    let tls_key = fs::read_to_string(path("server-key.pem")).unwrap();
    let tls_mark = tls_key.lines().nth(1).expect("the key itself").to_owned();
    let file_hash = hash(FILE_KEY);
    let marks = [
        REDIS_PASSWORD,
        ADMIN_KEY,
        FILE_KEY,
        file_hash.trim_start_matches("sha256:"),
        WRONG_KEY,
        WRONG_BEARER,
        IDEMPOTENCY_KEY,
        WEBHOOK_SECRET,
        WEBHOOK_PATH,
        VIEWER_PASS,
        VIEWER_SECRET,
        &tls_mark,
    ];

    let redis = Redis::start();
    // A connection from before stays good.
    let mut connection = redis.conn();
    let set = redis::cmd("CONFIG").arg("SET").arg("requirepass").arg(REDIS_PASSWORD).query::<()>(&mut connection);
    set.expect("a password");
    let url = redis.url().replace("redis://", &format!("redis://default:{REDIS_PASSWORD}@"));
    // One that answers with an error, and one that nobody reaches.
    let receiver = Receiver::start(Manner::Answers(500)).await;
    let hook = |name: &str, address: &str| {
        format!(
            "[[webhook]]\nname = \"{name}\"\nurl = \"http://{address}/{WEBHOOK_PATH}\"\nsecrets = [\"{WEBHOOK_SECRET}\"]\n"
        )
    };
    let hooks = hook("answers", &receiver.address().to_string()) + &hook("away", "127.0.0.1:1");
    let toml = format!("{}\n{hooks}{}", entry(ADMIN_KEY), farm("wine", 2));
    let settings = Settings::toml(&toml)
        .env("LOG__FILTER", "trace")
        .env("API_KEY", ADMIN_KEY)
        .env("API_KEYS_FILE", path("keys.toml"))
        .env("TLS__CERT_FILE", path("server.pem"))
        .env("TLS__KEY_FILE", path("server-key.pem"));
    let replica = Replica::start(&url, &settings);
    let authority = reqwest::Certificate::from_pem(&fs::read(path("ca.pem")).unwrap()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([authority]).build().unwrap();
    let base = format!("https://{}", replica.address());

    // Everything that a client can say wrong or right, with each answer kept.
    let mut answers = String::new();
    let mut call = async |method: Method, path: &str, headers: &[(&str, &str)], body: Option<serde_json::Value>| {
        let mut request = client.request(method, format!("{base}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), format!("{:?}", answer.headers()));
        let text = answer.text().await.expect("a text");
        answers += &format!("{headers}\n{text}\n");
        (status, serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default())
    };
    let good = [("X-API-Key", FILE_KEY), ("Idempotency-Key", IDEMPOTENCY_KEY)];
    let wine = json!({"target_type": "wine"});
    // Until its container is discovered there is none, and before that not even its type.
    let created = eventually("a session", PATIENCE, async || {
        let created = call(Method::POST, "/sessions", &good, Some(wine.clone())).await;
        (![404, 503].contains(&created.0)).then_some(created)
    })
    .await;
    assert_eq!(created.0, 201, "{}", created.1);
    let id = created.1["id"].as_str().unwrap().to_owned();
    assert_eq!(call(Method::POST, "/sessions", &good, Some(json!({"target_type": "linux"}))).await.0, 404);
    assert_eq!(call(Method::POST, "/sessions", &good, Some(json!({"target_type": 7}))).await.0, 400);
    let other = json!({"target_type": "wine", "ttl_seconds": 30});
    assert_eq!(call(Method::POST, "/sessions", &good, Some(other)).await.0, 422);
    let stretched = format!("{IDEMPOTENCY_KEY}{}", "k".repeat(300));
    let too_long = [("X-API-Key", FILE_KEY), ("Idempotency-Key", stretched.as_str())];
    assert_eq!(call(Method::POST, "/sessions", &too_long, Some(wine)).await.0, 422);
    assert_eq!(call(Method::GET, "/sessions", &[("X-API-Key", WRONG_KEY)], None).await.0, 401);
    let bearer = format!("Bearer {WRONG_BEARER}");
    assert_eq!(call(Method::GET, "/sessions", &[("Authorization", &bearer)], None).await.0, 401);
    let protocols = format!("binary, leasehold.pass.{VIEWER_PASS}, leasehold.viewer.{VIEWER_SECRET}");
    let desktop = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Protocol", protocols.as_str())];
    assert_eq!(call(Method::GET, &format!("/sessions/{id}/vnc"), &desktop, None).await.0, 401);
    assert_eq!(call(Method::GET, "/containers", &[("X-API-Key", ADMIN_KEY)], None).await.0, 200);
    assert_eq!(call(Method::GET, "/webhooks", &[("X-API-Key", ADMIN_KEY)], None).await.0, 200);
    assert_eq!(call(Method::GET, "/events?follow=false", &[("X-API-Key", ADMIN_KEY)], None).await.0, 200);
    eventually("a delivery", PATIENCE, async || (!receiver.came().is_empty()).then_some(())).await;
    assert_eq!(call(Method::GET, "/metrics", &[("X-API-Key", ADMIN_KEY)], None).await.0, 200);
    assert_eq!(call(Method::DELETE, &format!("/sessions/{id}"), &good[..1], None).await.0, 200);

    // A file of keys with a key where its hash should be.
    fs::write(path("keys.toml"), format!("{}key = {FILE_KEY}\n", entry(FILE_KEY))).unwrap();
    eventually("the complaint", PATIENCE, || async {
        replica.log().contains("API keys stay as they were").then_some(())
    })
    .await;

    let file = path("leasehold.toml");
    fs::write(&file, &toml).unwrap();
    let mut command = leasehold(&["serve", "--print-config", "--config", &file]);
    command.env("LEASEHOLD_REDIS__URL", &url);
    for (name, value) in &settings.env {
        command.env(name, value);
    }
    let shown = said(command).await.expect(0);
    assert!(shown.stdout.contains("server-key.pem"), "the names of files are no secret: {}", shown.stdout);
    let table: toml::Table = shown.stdout.parse().expect("TOML");
    assert_eq!(table["api_key"][0]["hash"].as_str(), Some("sha256:***"));
    let mut config = Config::default();
    config.redis.url = url.as_str().into();
    let debugged = format!("{config:?}");

    let log = replica.log();
    assert!(log.contains("\"level\":\"TRACE\""), "the log is as loud as can be");
    let happened = events(&mut connection);
    assert!(happened.contains("released"), "{happened}");
    for mark in marks {
        for (place, text) in [
            ("the log", &log),
            ("an answer", &answers),
            ("the events", &happened),
            ("the printed configuration", &shown.stdout),
            ("what is said beside it", &shown.stderr),
            ("a configuration for debugging", &debugged),
        ] {
            let line = text.lines().find(|line| line.contains(mark));
            // A refusal names the value that it refuses, to the client that sent it.
            let own = place == "an answer" && mark == IDEMPOTENCY_KEY;
            assert!(line.is_none() || own, "{mark} is in {place}: {}", line.unwrap_or_default());
        }
    }
}
