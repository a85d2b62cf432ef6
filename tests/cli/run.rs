//! `run`: the container is held as long as the command runs, and no longer.

use jiff::{SignedDuration, Timestamp};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;
use tokio::process::Command;

use super::{PATIENCE, Pool, Running, lives, said};
use crate::common::{eventually, http::Http};

/// A command that tells its session and its process id, and ends with its stdin.
const UNTIL_STDIN_ENDS: &[&str] = &["--", "sh", "-c", "echo $LEASEHOLD_SESSION_ID; echo $$; exec cat"];

impl Pool {
    fn run_until_stdin_ends(&self, options: &[&str]) -> Running {
        Running::start(self.client(&[&["run", "wine"], options, UNTIL_STDIN_ENDS].concat()))
    }

    /// `run`, started by `env` with signals set as this option says, whatever the tests themselves were started with.
    fn started_with(&self, signals: &str, command: &[&str]) -> Command {
        let mut env = Command::new("env");
        env.args([signals, env!("CARGO_BIN_EXE_leasehold"), "run", "wine"]).args(command).kill_on_drop(true);
        self.point(&mut env);
        env
    }
}

async fn expires_at(http: &Http, session: &str) -> Timestamp {
    let answer = http.get(&format!("/sessions/{session}")).await.expect(200);
    answer.text_at("/lease/expires_at").parse().expect("a time")
}

#[tokio::test]
async fn the_command_finds_its_container_in_its_environment() {
    let pool = Pool::start(1).await;
    let env = pool.said(&["run", "wine", "--", "env"]).await.expect(0).stdout;
    let of = |name: &str| {
        let line = env.lines().find_map(|line| line.strip_prefix(&format!("LEASEHOLD_{name}=")));
        line.unwrap_or_else(|| panic!("no {name} in {env}")).to_owned()
    };
    let session = pool.http().get(&format!("/sessions/{}", of("SESSION_ID"))).await.expect(200).body;
    assert_eq!(session["end_reason"], "released");
    let container = pool.http().get(&format!("/containers/{}", of("CONTAINER_ID"))).await.expect(200).body;
    assert_eq!(container["fencing_token"].to_string(), of("FENCING_TOKEN"));
    assert_eq!(container["endpoints"]["vnc"]["address"], of("VNC"));
    assert_eq!(
        (of("VNC"), of("HOST"), of("TARGET_TYPE")),
        ("127.0.0.1:5901".into(), "127.0.0.1".into(), "wine".into())
    );
}

#[tokio::test]
async fn the_exit_code_is_the_commands_and_the_container_is_given_back() {
    let pool = Pool::start(1).await;
    pool.said(&["run", "wine", "--", "sh", "-c", "exit 7"]).await.expect(7);
    assert_eq!(pool.available().await, 1);
    pool.said(&["run", "wine", "--", "sh", "-c", "kill -KILL $$"]).await.expect(128 + 9);
    assert_eq!(pool.available().await, 1);
    let absent = pool.said(&["run", "wine", "--", "no-such-command"]).await.expect(127);
    absent.complains_of(&["no-such-command cannot be started"]);
    assert_eq!(pool.available().await, 1);
    pool.said(&["run", "wine", "--", "/dev/null"]).await.expect(126).complains_of(&["/dev/null cannot be started"]);
    assert_eq!(pool.available().await, 1);
}

#[tokio::test]
async fn each_signal_is_passed_on_to_the_command() {
    let pool = Pool::start(1).await;
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let mut run = Running::start(pool.started_with("--default-signal", UNTIL_STDIN_ENDS));
        run.line().await;
        assert_eq!(pool.available().await, 0);
        run.signal(signal);
        assert_eq!(run.code().await, Some(128 + signal as i32));
        assert_eq!(pool.available().await, 1);
    }
}

#[tokio::test]
async fn a_hangup_that_nohup_has_it_ignore_is_ignored() {
    let pool = Pool::start(1).await;
    let mut run = Running::start(pool.started_with("--ignore-signal=HUP", UNTIL_STDIN_ENDS));
    run.line().await;
    let command: u32 = run.line().await.parse().expect("a process id");
    run.signal(Signal::SIGHUP);
    kill(Pid::from_raw(command.cast_signed()), Signal::SIGHUP).expect("the process is there");
    // Neither has ended: the command still ends with its stdin, and well.
    run.close_stdin();
    assert_eq!(run.code().await, Some(0));
}

#[tokio::test]
async fn a_command_that_outlives_the_ttl_keeps_its_container() {
    let pool = Pool::start(1).await;
    let http = pool.http();
    let mut run = pool.run_until_stdin_ends(&["--ttl", "1"]);
    let session = run.line().await;
    let first = expires_at(&http, &session).await;
    // Two TTLs past the first end: only renewals after that end can have led there.
    eventually("renewals after the first TTL", PATIENCE, async || {
        (expires_at(&http, &session).await > first + SignedDuration::from_secs(2)).then_some(())
    })
    .await;
    assert_eq!(pool.available().await, 0);
    run.close_stdin();
    assert_eq!(run.code().await, Some(0));
    assert_eq!(pool.available().await, 1);
}

#[tokio::test]
async fn a_lost_lease_ends_the_command() {
    let pool = Pool::start(1).await;
    let mut run = pool.run_until_stdin_ends(&["--ttl", "2"]);
    let session = run.line().await;
    let command: u32 = run.line().await.parse().expect("a process id");
    assert!(lives(command));
    pool.http().delete(&format!("/sessions/{session}")).await.expect(200);
    run.complaint("the lease is lost").await;
    assert_eq!(run.code().await, Some(75));
    assert!(!lives(command));
}

#[tokio::test]
async fn it_tells_of_an_end_that_comes_near() {
    let pool = Pool::start(1).await;
    let mut run = pool.run_until_stdin_ends(&["--ttl", "2", "--max-duration", "6", "--affinity", "ann"]);
    assert!(run.complaint("the lease ends in").await.contains("max_duration"));
    run.complaint("the lease is lost").await;
    assert_eq!(run.code().await, Some(75));
}

#[tokio::test]
async fn a_shortage_ends_it_before_the_command_starts() {
    let pool = Pool::start(1).await;
    pool.said(&["sessions", "create", "wine"]).await.expect(0);
    let shortage = pool.said(&["run", "wine", "--", "echo", "started"]).await.expect(75);
    assert_eq!(shortage.stdout, "");
    let waited = pool.said(&["run", "wine", "--wait", "1", "--", "echo", "started"]).await.expect(75);
    waited.complains_of(&["number 1 in line", "No available wine containers"]);
    assert_eq!(waited.stdout, "");
    let status = pool.http().get("/containers/status").await.expect(200);
    assert_eq!(status.body["by_type"]["wine"]["sessions_queued"], 0);
}

#[tokio::test]
async fn it_waits_in_line_and_says_where() {
    let pool = Pool::start(1).await;
    let held = pool.said(&["sessions", "create", "wine", "-o", "json"]).await.expect(0).json();
    let mut run = pool.run_until_stdin_ends(&["--wait", "60"]);
    assert!(run.complaint("waiting for a wine container").await.contains("number 1 in line"));
    pool.http().delete(&format!("/sessions/{}", held["id"].as_str().unwrap())).await.expect(200);
    let session = run.line().await;
    assert_eq!(pool.http().get(&format!("/sessions/{session}")).await.expect(200).body["state"], "ready");
    run.close_stdin();
    assert_eq!(run.code().await, Some(0));
    assert_eq!(pool.available().await, 1);
}

#[tokio::test]
async fn a_signal_in_the_line_leaves_it() {
    let pool = Pool::start(1).await;
    pool.said(&["sessions", "create", "wine"]).await.expect(0);
    let mut run = pool.run_until_stdin_ends(&["--wait", "60"]);
    run.complaint("number 1 in line").await;
    run.signal(Signal::SIGTERM);
    assert_eq!(run.code().await, Some(143));
    let ended = pool.http().get("/sessions?state=ended").await.expect(200).body;
    assert_eq!((ended.as_array().unwrap().len(), &ended[0]["end_reason"]), (1, &json!("cancelled")));
}

#[tokio::test]
async fn it_needs_a_command() {
    said(super::leasehold(&["run", "wine"])).await.expect(2).complains_of(&["<COMMAND>"]);
}
