//! `leasehold events`.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    time::timeout,
};

use super::{PATIENCE, come_and_go, kept};
use crate::{
    api::Service,
    cli::{leasehold, said},
    common::{eventually, replica::KEY, wire::Wire},
};

#[tokio::test]
async fn what_is_kept_is_listed_for_people_and_programs() {
    let service = Service::start(1, 2).await;
    let id = come_and_go(&service.http()).await;
    let run = async |args: &[&str]| {
        let mut command = leasehold(&[&["events"], args].concat());
        command.env("LEASEHOLD_URL", service.replicas[0].url()).env("LEASEHOLD_API_KEY", KEY);
        said(command).await
    };
    let all = run(&["-o", "json"]).await.expect(0);
    let ids: Vec<_> = all
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, kept(&service.redis, "wine"));
    let text = run(&["--session", &id, "--kind", "session.ended", "--type", "wine"]).await.expect(0).stdout;
    assert!(text.lines().count() == 1 && text.contains("  wine  session.ended  ") && text.contains(&id), "{text}");
    run(&["--type", "beos"]).await.expect(1).complains_of(&["beos"]);
}

#[tokio::test]
async fn following_goes_on_over_a_broken_connection() {
    let service = Service::start(1, 2).await;
    let wire = Wire::to_tcp(service.replicas[0].address()).await;
    let mut command = leasehold(&["events", "-f", "-o", "json", "--since", "start", "--kind", "session.ended"]);
    command.env("LEASEHOLD_URL", format!("http://{}", wire.at())).env("LEASEHOLD_API_KEY", KEY);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ended = async || {
        let line = timeout(PATIENCE, stdout.next_line()).await.expect("a line in time").unwrap().expect("a line");
        serde_json::from_str::<Value>(&line).unwrap()["data"]["session"].as_str().unwrap().to_owned()
    };
    for _ in 0..3 {
        let http = service.http();
        let first = come_and_go(&http).await;
        assert_eq!(ended().await, first);
        wire.cut();
        let missed = come_and_go(&http).await;
        wire.mend();
        assert_eq!(ended().await, missed);
    }
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id().unwrap().cast_signed()), Signal::SIGINT).unwrap();
    eventually("its end", Duration::from_secs(10), async || child.try_wait().unwrap()).await;
}
