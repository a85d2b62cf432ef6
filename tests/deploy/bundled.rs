//! The bundled Redis: the commands of its pods, run with a real redis-server.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};

use super::{
    manifest::{at, items, text},
    plain,
    settings::environment,
};
use crate::common::{
    eventually,
    replica::{Replica, Settings, farm},
};

const PASSWORD: &str = "word-of-redis";

/// A node: folders in the place of those that are mounted, and a process.
struct Node {
    folder: tempfile::TempDir,
    port: u16,
    running: Option<Child>,
}

impl Node {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["data", "run", "etc", "config"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        Self { folder, port, running: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a manifest says, for this machine.
    fn here(&self, text: &str) -> String {
        [("/run/redis", "run"), ("/etc/redis", "etc"), ("/data", "data")]
            .iter()
            .fold(text.to_owned(), |text, (mounted, name)| {
                text.replace(mounted, &self.path(name).display().to_string())
            })
            .replace("port 6379", &format!("port {}", self.port))
            .replace("bind * -::*", "bind 127.0.0.1")
    }

    /// Starts a container of the manifests.
    fn start(&mut self, container: &Value) {
        let words: Vec<_> =
            items(container, "/command").iter().map(|word| self.here(word.as_str().expect("text"))).collect();
        let child = Command::new(&words[0])
            .args(&words[1..])
            .envs(environment(container, Path::new("/etc/leasehold")))
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server must be installed: `make setup` does it");
        self.running = Some(child);
    }

    fn end(&mut self, signal: Signal) {
        if let Some(mut child) = self.running.take() {
            kill(Pid::from_raw(child.id() as i32), signal).expect("its own process");
            child.wait().expect("its end");
        }
    }

    fn url(&self, password: &str) -> String {
        format!("redis://{password}127.0.0.1:{}", self.port)
    }

    async fn answers(&self) -> redis::Connection {
        eventually("the bundled Redis answers", Duration::from_secs(10), async || {
            let url = self.url(&format!(":{PASSWORD}@"));
            let mut connection = redis::Client::open(url).ok()?.get_connection().ok()?;
            redis::cmd("PING").query::<String>(&mut connection).ok()?;
            Some(connection)
        })
        .await
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end(Signal::SIGKILL);
    }
}

/// `leasehold init` as its container says.
fn init(node: &Node, container: &Value) -> String {
    fs::write(node.path("config/leasehold.toml"), "").expect("a file");
    let variables =
        environment(container, node.folder.path()).into_iter().map(|(name, value)| (name, node.here(&value)));
    let output = Command::new(env!("CARGO_BIN_EXE_leasehold"))
        .args(items(container, "/args").iter().map(|arg| arg.as_str().expect("text")))
        .envs(variables)
        .output()
        .expect("the program runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    told
}

#[tokio::test]
async fn the_bundled_redis_begins_as_a_new_one_asks_for_its_password_and_loses_nothing() {
    let manifests = plain::manifests();
    let job = at(manifests.one("Job", "init"), "/spec/template/spec");
    let mut node = Node::new();
    node.start(at(job, "/initContainers/0"));
    let told = init(&node, at(job, "/containers/0"));
    assert!(told.contains("marked as new"), "{told}");
    // The sidecar is ended as the kubelet does it.
    node.end(Signal::SIGTERM);

    let configuration = text(manifests.one("ConfigMap", "leasehold-redis"), "/data/redis.conf");
    fs::write(node.path("etc/redis.conf"), node.here(configuration)).expect("a file");
    let server = at(manifests.one("StatefulSet", "redis"), "/spec/template/spec/containers/0");
    node.start(server);
    let mut connection = node.answers().await;
    for (name, value) in [("appendonly", "yes"), ("appendfsync", "always"), ("maxmemory-policy", "noeviction")] {
        let told: Vec<String> = redis::cmd("CONFIG").arg("GET").arg(name).query(&mut connection).expect("a setting");
        assert_eq!(told, [name, value]);
    }
    let mut stranger =
        redis::Client::open(node.url("")).and_then(|client| client.get_connection()).expect("a connection");
    let refused = redis::cmd("PING").query::<String>(&mut stranger).expect_err("no password");
    assert_eq!(refused.code(), Some("NOAUTH"), "{refused}");

    // A type without data would be given nothing out, if this Redis were not known as new.
    let settings = Settings::toml(farm("wine", 1)).env("PREFIX", "leasehold").env("RECOVERY__LOSSLESS", "true");
    let replica = Replica::start_with_available(&node.url(&format!(":{PASSWORD}@")), &settings, 1).await;
    let http = replica.http();
    let session = http.post("/sessions", json!({"target_type": "wine"})).await.expect(201).text_at("/id");
    node.end(Signal::SIGKILL);
    node.start(server);
    node.answers().await;
    eventually("the lease goes on", Duration::from_secs(15), async || {
        let answer = http.post(&format!("/sessions/{session}/heartbeat"), json!({})).await;
        assert!(answer.status == 200 || answer.status == 503, "{answer:?}");
        (answer.status == 200).then_some(())
    })
    .await;
}
