//! `leasehold vnc` and `leasehold pass`, through the real binary.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

use super::{Coming, INIT, KEY, Lab, PATIENCE};
use crate::{cli::leasehold, common::replica::KEY as API_KEY};

/// The program on the lab's first replica.
fn command(lab: &Lab, args: &[&str]) -> tokio::process::Command {
    let mut command = leasehold(args);
    command.env("LEASEHOLD_URL", lab.replicas[0].url()).env("LEASEHOLD_API_KEY", API_KEY);
    command
}

/// A native viewer at the end of its handshake.
async fn viewer(address: &str) -> TcpStream {
    let mut viewer = TcpStream::connect(address).await.expect("the command listens");
    let mut read = async |count: usize, write: &[u8]| {
        let mut bytes = vec![0; count];
        viewer.read_exact(&mut bytes).await.expect("the desktop speaks");
        viewer.write_all(write).await.expect("it is heard");
        bytes
    };
    assert_eq!(read(12, b"RFB 003.008\n").await, b"RFB 003.008\n");
    assert_eq!(read(2, &[1]).await, [1, 1]);
    assert_eq!(read(4, &[1]).await, [0; 4]);
    assert_eq!(read(INIT.len(), &[]).await, INIT);
    viewer
}

#[tokio::test]
async fn native_viewers_see_the_desktop_by_a_port_of_this_machine_until_the_lease_is_over() {
    let lab = Lab::new(1).await;
    let session = lab.session(60).await;
    let mut running =
        command(&lab, &["vnc", &session, "-o", "json"]).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    let mut stdout = BufReader::new(running.stdout.take().expect("a pipe"));
    timeout(PATIENCE, stdout.read_line(&mut line)).await.expect("in time").expect("a line");
    let told: Value = serde_json::from_str(&line).expect("JSON");
    let address = told["address"].as_str().expect("an address");

    let (mut one, _other) = (viewer(address).await, viewer(address).await);
    one.write_all(&KEY).await.expect("it is heard");
    lab.desktop.saw("the key", |seen| seen.said == KEY && seen.here == 2).await;
    lab.desktop.show(b"a picture");
    let mut picture = [0; 9];
    one.read_exact(&mut picture).await.expect("it is shown");
    assert_eq!(&picture, b"a picture");

    lab.end(&session).await;
    let status = timeout(PATIENCE, running.wait()).await.expect("it ends").expect("its status");
    assert_eq!(status.code(), Some(75));
    lab.desktop.saw("nobody is left", |seen| seen.here == 0).await;
}

#[tokio::test]
async fn a_pass_is_made_by_the_command_line_and_a_session_without_a_desktop_is_told() {
    let lab = Lab::new(1).await;
    let session = lab.session(60).await;
    let output = command(&lab, &["pass", &session, "--view-only", "-o", "json"]).output().await.expect("it runs");
    let pass: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(pass["view_only"], true);
    Coming::with(&pass).sees(lab.at(), &session).await;

    let queued = json!({"target_type": "wine", "on_shortage": "queue"});
    let queued = lab.http().post("/sessions", queued).await.expect(202).text_at("/id");
    let output = command(&lab, &["vnc", &queued]).output().await.expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("is queued: it has no desktop"), "{said}");
}
