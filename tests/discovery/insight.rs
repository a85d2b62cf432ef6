//! Logs and stats of containers, of the real Docker engine.

use std::{fs, time::Duration};

use nix::sys::signal::Signal;
use reqwest::{Method, Response};
use serde_json::Value;

use crate::{
    cli::{leasehold, said},
    common::{
        docker::Engine,
        eventually,
        http::Http,
        redis::Redis,
        replica::{KEY, Replica, Settings, farm},
        wire::Wire,
    },
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A replica that finds this run's containers, and one of them.
struct Bench {
    engine: Engine,
    _redis: Redis,
    replica: Replica,
    id: String,
}

impl Bench {
    /// With a container that runs this, by a shell.
    async fn running(script: &str) -> Self {
        Self::through(None, script, Settings::default()).await
    }

    /// The same, with the engine at another address, and with more settings.
    async fn through(address: Option<&str>, script: &str, mut settings: Settings) -> Self {
        let (engine, redis) = (Engine::new().await, Redis::start());
        let address = address.map(|address| format!("address = \"{address}\"\n")).unwrap_or_default();
        settings.toml = format!(
            "[discovery]\nlabel = \"{}\"\ncompose_services = false\n[health]\nkind = \"none\"\n\
             [[provider]]\nname = \"engine\"\nkind = \"docker\"\n{address}",
            engine.label()
        );
        let id = engine.start(engine.target("wine").command(&["/bin/sh", "-c", script])).await;
        let replica = Replica::start_with_available(&redis.url(), &settings, 1).await;
        Self { engine, _redis: redis, replica, id }
    }

    fn http(&self) -> Http {
        self.replica.http()
    }

    fn logs(&self, query: &str) -> String {
        format!("/containers/{}/logs{query}", self.id)
    }

    fn stats(&self, query: &str) -> String {
        format!("/containers/{}/stats{query}", self.id)
    }

    /// Opens an answer that goes on.
    async fn open(&self, path: &str) -> Response {
        let response = self.http().raw(Method::GET, path).send().await.expect("an answer");
        assert_eq!(response.status(), 200, "{path}");
        response
    }

    /// The lines, as JSON.
    async fn lines(&self, query: &str) -> Vec<Value> {
        let accept = [("Accept", "application/x-ndjson")];
        let answer = self.http().try_call(Method::GET, &self.logs(query), None, &accept).await.expect("an answer");
        assert_eq!(answer.header("content-type"), "application/x-ndjson", "{}", answer.text);
        answer.expect(200).text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

/// Reads until there are so many lines.
async fn read_lines(response: &mut Response, count: usize) -> String {
    let mut text = String::new();
    while text.lines().count() < count {
        let piece = tokio::time::timeout(PATIENCE, response.chunk()).await.expect("something comes");
        text += &String::from_utf8_lossy(&piece.expect("it goes on").expect("it has not ended"));
    }
    text
}

#[tokio::test]
async fn a_log_is_read_whole_or_in_part_as_text_or_lines() {
    let bench = Bench::running("echo one; echo two >&2; printf 'thr\\303\\251e\\n'; exec sleep 600").await;
    let http = bench.http();
    eventually("three lines", PATIENCE, async || {
        (http.get(&bench.logs("")).await.expect(200).text.lines().count() == 3).then_some(())
    })
    .await;
    let whole = http.get(&bench.logs("")).await.expect(200);
    assert_eq!(whole.header("content-type"), "text/plain; charset=utf-8");
    let mut lines: Vec<_> = whole.text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["one", "thrée", "two"]);

    let lines = bench.lines("?since=10m").await;
    assert_eq!(lines.len(), 3);
    let two = lines.iter().find(|line| line["line"] == "two").expect("it was written");
    assert_eq!(two["stream"], "stderr");
    assert!(two["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{two}");
    assert_eq!(bench.lines("?tail=1").await.len(), 1);
    assert_eq!(http.get(&bench.logs("?since=2037-01-01T00:00:00Z")).await.expect(200).text, "");

    http.get(&bench.logs("?since=yesterday")).await.problem(422, "out_of_range");
    http.get(&bench.logs("?tail=-1")).await.problem(400, "invalid_parameter");
    http.get("/containers/nobody/logs").await.problem(404, "container_not_found");
    http.get("/containers/nobody/stats").await.problem(404, "container_not_found");
}

#[tokio::test]
async fn a_followed_log_goes_on_until_the_replica_ends_and_counts_as_waiting() {
    let settings = Settings::default().env("LONG_POLLS", 1);
    let mut bench = Bench::through(None, "while :; do echo tick; sleep 0.2; done", settings).await;
    let http = bench.http();
    let mut followed = bench.open(&bench.logs("?follow=true")).await;
    let text = read_lines(&mut followed, 4).await;
    assert!(text.lines().all(|line| line == "tick"), "{text}");
    http.get(&bench.logs("")).await.problem(503, "too_many_waiting");
    // Who hangs up makes room.
    drop(followed);
    let mut followed = eventually("room", PATIENCE, async || {
        let response = http.raw(Method::GET, &bench.logs("?follow=true&tail=0")).send().await.expect("an answer");
        (response.status() == 200).then_some(response)
    })
    .await;
    read_lines(&mut followed, 2).await;
    bench.replica.signal(Signal::SIGTERM);
    let ended = async { while followed.chunk().await.expect("it ends well").is_some() {} };
    tokio::time::timeout(PATIENCE, ended).await.expect("it ends");
    assert!(bench.replica.ended(PATIENCE).await.success());
}

#[tokio::test]
async fn a_followed_log_ends_with_its_container() {
    let bench = Bench::running("echo one; exec sleep 600").await;
    let mut followed = bench.open(&bench.logs("?follow=true")).await;
    assert_eq!(read_lines(&mut followed, 1).await, "one\n");
    bench.engine.stop(&bench.id).await;
    let end = tokio::time::timeout(PATIENCE, followed.chunk()).await.expect("it ends");
    assert_eq!(end.expect("it ends well"), None);
}

#[tokio::test]
async fn what_a_container_uses_is_told_once_or_again_and_again() {
    let bench = Bench::running("while :; do :; sleep 0.1; done").await;
    let http = bench.http();
    let once = http.get(&bench.stats("")).await.expect(200).body;
    assert_eq!(once["id"], bench.id);
    for field in ["memory_bytes", "memory_limit_bytes"] {
        assert!(once[field].as_u64().is_some_and(|bytes| bytes > 0), "{field}: {once}");
    }
    assert!(once["cpu_percent"].as_f64().is_some_and(|percent| percent >= 0.0), "{once}");
    assert!(once["network_rx_bytes"].is_u64() && once["network_tx_bytes"].is_u64(), "{once}");
    let mut stream = bench.open(&bench.stats("?stream=true")).await;
    for line in read_lines(&mut stream, 2).await.lines() {
        let stats: Value = serde_json::from_str(line).expect("JSON");
        assert!(stats["time"].is_string(), "{stats}");
    }
    drop(stream);
    bench.engine.stop(&bench.id).await;
    eventually("nothing is used by what does not run", PATIENCE, async || {
        http.get(&bench.stats("")).await.expect(200).body["time"].is_null().then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_engine_that_hangs_is_not_waited_for() {
    let wire = Wire::to("/var/run/docker.sock").await;
    let address = format!("tcp://{}", wire.at());
    let bench = Bench::through(Some(&address), "echo one; exec sleep 600", Settings::default()).await;
    let mut followed = bench.open(&bench.logs("?follow=true")).await;
    read_lines(&mut followed, 1).await;
    wire.hole();
    let (http, path) = (bench.http(), bench.logs(""));
    let (asked, ()) = tokio::join!(http.get(&path), async {
        let end = tokio::time::timeout(2 * PATIENCE, followed.chunk()).await.expect("it does not hang");
        assert!(end.is_err(), "it is broken off, not ended: {end:?}");
    });
    let told = asked.problem(503, "provider_unavailable");
    assert!(told.text_at("/detail").contains(&address), "{}", told.text);
}

#[tokio::test]
async fn readers_that_do_not_read_cost_no_memory() {
    // Twenty megabytes.
    let line = "x".repeat(1000);
    let script = format!("i=0; while [ $i -lt 20000 ]; do echo {line}; i=$((i+1)); done; echo end; exec sleep 600");
    let bench = Bench::running(&script).await;
    eventually("all is written", 2 * PATIENCE, async || {
        (bench.http().get(&bench.logs("?tail=1")).await.text == "end\n").then_some(())
    })
    .await;
    let memory = || {
        let status = fs::read_to_string(format!("/proc/{}/status", bench.replica.pid())).expect("its status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    };
    let before = memory();
    let mut readers = Vec::new();
    for _ in 0..20 {
        readers.push(bench.open(&bench.logs("?follow=true")).await);
    }
    // One that reads shows that everything would have come by now.
    let all = bench.http().get(&bench.logs("")).await.expect(200).text;
    assert!(all.len() > 20_000_000, "{}", all.len());
    let grown = memory().saturating_sub(before);
    assert!(grown < 100 << 20, "{} MiB for {} readers", grown >> 20, readers.len());
}

#[tokio::test]
async fn the_command_line_shows_both() {
    let bench = Bench::running("echo one; echo two; exec sleep 600").await;
    let client = |args: &[&str]| {
        let mut command = leasehold(args);
        command.env("LEASEHOLD_URL", bench.replica.url()).env("LEASEHOLD_API_KEY", KEY);
        said(command)
    };
    let short = &bench.id[..12];
    eventually("its log", PATIENCE, async || {
        (client(&["logs", short]).await.expect(0).stdout == "one\ntwo\n").then_some(())
    })
    .await;
    assert_eq!(client(&["logs", short, "--tail", "1"]).await.expect(0).stdout, "two\n");
    let json = client(&["logs", short, "-o", "json", "--since", "10m"]).await.expect(0).stdout;
    assert!(json.lines().count() == 2 && json.contains("\"line\":\"one\""), "{json}");
    let table = client(&["stats"]).await.expect(0).stdout;
    assert!(table.starts_with("ID") && table.lines().nth(1).unwrap().starts_with(short), "{table}");
    let stats = client(&["stats", short, "-o", "json"]).await.expect(0).json();
    assert_eq!(stats[0]["id"], bench.id);
    client(&["logs", "nobody"]).await.expect(1).complains_of(&["no container \"nobody\""]);
}

#[tokio::test]
async fn a_provider_that_cannot_tell_says_what_would_be_right() {
    let redis = Redis::start();
    let replica = Replica::start_with_available(&redis.url(), &Settings::toml(farm("wine", 1)), 1).await;
    for path in ["/containers/farm.wine-1/logs", "/containers/farm.wine-1/stats?stream=true"] {
        let told = replica.http().get(path).await.problem(409, "not_supported");
        assert!(told.text_at("/detail").contains("`docker`"), "{}", told.text);
    }
    // A replica that does not have the provider says so.
    let other = Replica::start(&redis.url(), &Settings::default());
    let told = other.http().get("/containers/farm.wine-1/logs").await.problem(409, "not_supported");
    assert!(told.text_at("/detail").contains("farm"), "{}", told.text);
}
