//! `up`: everything on one machine, and nothing of it left over.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::process::Command;

use super::{PATIENCE, Running, leasehold, lives, said};
use crate::common::{docker::Engine, eventually};

/// Two ports in a row that are free now, below those that the kernel gives out by itself.
fn two_ports() -> u16 {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let mut tries = std::iter::repeat_with(|| 20_000 + rand::random::<u16>() % 10_000).take(1_000);
    tries.find(|port| free(*port) && free(port + 1)).expect("two free ports")
}

fn with_engine(port: u16, data: &Path) -> Command {
    leasehold(&["up", "--port", &port.to_string(), "--data", data.to_str().unwrap()])
}

/// `up`, with no Docker engine: what runs in this machine's has no part in it.
fn up(port: u16, data: &Path) -> Command {
    let mut command = with_engine(port, data);
    command.env("DOCKER_HOST", "unix:///nonexistent");
    command
}

/// One that runs, and what it printed.
struct Up {
    running: Running,
    key: String,
    pids: Vec<u32>,
    lines: Vec<String>,
}

impl Up {
    async fn start(port: u16, data: &Path) -> Self {
        Self::started(up(port, data)).await
    }

    async fn started(command: Command) -> Self {
        let mut running = Running::start(command);
        let mut printed = Vec::new();
        while !printed.last().is_some_and(|line: &String| line.starts_with("curl") && line.ends_with("/release")) {
            printed.push(running.line().await);
        }
        let after = |head: &str| {
            let found = printed.iter().find_map(|line| line.strip_prefix(head)).expect(head);
            found.split_whitespace().next().expect(head).to_owned()
        };
        let table = printed.iter().skip_while(|line| !line.starts_with("PART")).skip(1);
        let pid =
            |line: &String| line.split_whitespace().nth(2).and_then(|pid| pid.parse().ok()).expect("a process id");
        Self {
            key: after("API key:"),
            pids: table.take_while(|line| !line.is_empty() && !line.starts_with("Available")).map(pid).collect(),
            lines: printed.iter().filter(|line| line.starts_with("curl ")).cloned().collect(),
            running,
        }
    }
}

fn data(place: &tempfile::TempDir) -> PathBuf {
    place.path().join("data")
}

#[tokio::test]
async fn the_lines_that_it_prints_work_as_they_are() {
    let place = tempfile::tempdir().unwrap();
    let port = two_ports();
    let mut up = Up::start(port, &data(&place)).await;
    up.running.complaint("No Docker engine answers: starting demo targets").await;
    let mut answers = Vec::new();
    for line in &up.lines {
        assert!(line.contains(&up.key), "{line}");
        let mut shell = Command::new("sh");
        // `-f`: an HTTP error is a failure.
        shell.args(["-c", &line.replacen("curl ", "curl -fsS ", 1)]);
        answers.push(said(shell).await.expect(0).json());
    }
    let [list, held, released] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(list["total"], 6);
    assert_eq!((&held["allocated"], &held["container"]["target_type"]), (&true.into(), &"wine".into()));
    assert_eq!((&released["released"], &released["session_id"]), (&true.into(), &"demo".into()));
}

#[tokio::test]
async fn sigterm_ends_all_of_it_and_the_next_one_has_the_same_key() {
    let place = tempfile::tempdir().unwrap();
    let mut first = Up::start(two_ports(), &data(&place)).await;
    // Redis, six demo targets, two replicas.
    assert_eq!(first.pids.len(), 9);
    assert!(first.pids.iter().all(|pid| lives(*pid)));
    first.running.signal(Signal::SIGTERM);
    assert_eq!(first.running.code().await, Some(0));
    assert_eq!(first.pids.iter().filter(|pid| lives(**pid)).count(), 0);

    let second = Up::start(two_ports(), &data(&place)).await;
    assert_eq!(second.key, first.key);
}

#[tokio::test]
async fn sigkill_ends_all_of_it_too() {
    let place = tempfile::tempdir().unwrap();
    let mut up = Up::start(two_ports(), &data(&place)).await;
    assert!(up.pids.len() == 9 && up.pids.iter().all(|pid| lives(*pid)));
    up.running.signal(Signal::SIGKILL);
    assert_eq!(up.running.code().await, None);
    eventually("the end of every child", PATIENCE / 2, async || up.pids.iter().all(|pid| !lives(*pid)).then_some(()))
        .await;
}

#[tokio::test]
async fn a_second_one_on_the_same_data_is_refused_and_told_by_whom() {
    let place = tempfile::tempdir().unwrap();
    let first = Up::start(two_ports(), &data(&place)).await;
    let refused = said(up(two_ports(), &data(&place))).await.expect(1);
    refused.complains_of(&[&format!("process {}", first.running.pid()), "--data"]);
    assert!(first.pids.iter().all(|pid| lives(*pid)));
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let place = tempfile::tempdir().unwrap();
    let port = two_ports();
    let _taken = TcpListener::bind(("127.0.0.1", port + 1)).unwrap();
    let refused = said(up(port, &data(&place))).await.expect(1);
    refused.complains_of(&[&format!("port {} on 127.0.0.1", port + 1), "--port"]);
}

#[tokio::test]
async fn a_missing_redis_is_named_with_how_to_install_it() {
    let place = tempfile::tempdir().unwrap();
    let mut up = up(two_ports(), &data(&place));
    up.env("PATH", place.path());
    said(up).await.expect(1).complains_of(&["redis-server is not installed", "apt-get install redis-server"]);
}

#[tokio::test]
async fn the_labelled_containers_of_the_engine_take_the_place_of_demo_targets() {
    let place = tempfile::tempdir().unwrap();
    let engine = Engine::new().await;
    let container = engine.start(engine.target(engine.run()).publish(5900, "127.0.0.1")).await;
    let mut command = with_engine(two_ports(), &data(&place));
    // Of this test's label only: other tests have containers on the same engine.
    command
        .env("LEASEHOLD_DISCOVERY__LABEL", engine.label())
        .env("LEASEHOLD_DISCOVERY__GUIDE_LABEL", format!("{}.guide", engine.label()))
        .env("LEASEHOLD_DISCOVERY__COMPOSE_SERVICES", "false")
        // It has no desktop.
        .env("LEASEHOLD_HEALTH__KIND", "none");
    let up = Up::started(command).await;
    // Redis and two replicas.
    assert_eq!(up.pids.len(), 3);
    let mut shell = Command::new("sh");
    shell.args(["-c", &up.lines[1].replacen("curl ", "curl -fsS ", 1)]);
    assert_eq!(said(shell).await.expect(0).json()["container"]["id"], container);
}

#[tokio::test]
async fn a_replica_that_dies_is_started_again() {
    let place = tempfile::tempdir().unwrap();
    let port = two_ports();
    let mut up = Up::start(port, &data(&place)).await;
    sigkill(up.pids[up.pids.len() - 2]);
    up.running.complaint("replica-1 ended by itself and is started again").await;
    let url = format!("http://127.0.0.1:{port}");
    eventually("the replica again", PATIENCE, async || {
        (said(leasehold(&["healthcheck", "--url", &url])).await.code == Some(0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_end_of_its_redis_ends_all_of_it() {
    let place = tempfile::tempdir().unwrap();
    let mut up = Up::start(two_ports(), &data(&place)).await;
    sigkill(up.pids[0]);
    up.running.complaint("Redis ended by itself").await;
    assert_eq!(up.running.code().await, Some(1));
    assert_eq!(up.pids.iter().filter(|pid| lives(**pid)).count(), 0);
}

fn sigkill(pid: u32) {
    kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).expect("the process is there");
}
