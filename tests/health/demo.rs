//! The demo target, as a probe and as a viewer sees it.

use std::time::Duration;

use leasehold::{
    config::ProbeKind,
    demo::{self, Desktop},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::Probed;

const SIZE: (u16, u16) = (200, 160);
const LONG: Duration = Duration::from_secs(10);

/// A demo target that runs until it is told to end.
struct Demo {
    address: String,
    shutdown: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

impl Demo {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shutdown = CancellationToken::new();
        let desktop = Desktop { name: "wine-1".to_owned(), width: SIZE.0, height: SIZE.1 };
        let task = tokio::spawn(demo::serve(listener, desktop, shutdown.clone()));
        Self { address, shutdown, task }
    }

    /// A viewer that has shaken hands in version `3.<minor>`.
    async fn view(&self, minor: u8) -> Viewer {
        let mut viewer = Viewer { stream: TcpStream::connect(&self.address).await.unwrap() };
        assert_eq!(viewer.read(12).await, b"RFB 003.008\n");
        viewer.say(format!("RFB 003.00{minor}\n").as_bytes()).await;
        if minor == 3 {
            assert_eq!(viewer.read(4).await, [0, 0, 0, 1]);
        } else {
            assert_eq!(viewer.read(2).await, [1, 1]);
            viewer.say(&[1]).await;
        }
        if minor == 8 {
            assert_eq!(viewer.read(4).await, [0; 4]);
        }
        viewer.say(&[1]).await;
        let init = viewer.read(30).await;
        assert_eq!((&init[..4], &init[24..]), (&[0, 200, 0, 160][..], &b"wine-1"[..]));
        viewer
    }
}

struct Viewer {
    stream: TcpStream,
}

impl Viewer {
    async fn say(&mut self, message: &[u8]) {
        self.stream.write_all(message).await.unwrap();
    }

    async fn read(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        timeout(LONG, self.stream.read_exact(&mut bytes)).await.expect("an answer in time").unwrap();
        bytes
    }

    async fn ask(&mut self, incremental: bool) {
        let [[wh, wl], [hh, hl]] = [SIZE.0, SIZE.1].map(u16::to_be_bytes);
        self.say(&[3, incremental.into(), 0, 0, 0, 0, wh, wl, hh, hl]).await;
    }

    /// Reads an update: the first row in it, and its pixels.
    async fn update(&mut self, bytes_per_pixel: usize) -> (u16, Vec<u8>) {
        let head = self.read(16).await;
        let number = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        assert_eq!((&head[..4], &head[12..]), (&[0, 0, 0, 1][..], &[0; 4][..]), "one raw rectangle");
        assert_eq!((number(4), number(8)), (0, SIZE.0), "whole rows");
        let pixels = self.read(usize::from(number(8)) * usize::from(number(10)) * bytes_per_pixel).await;
        (number(6), pixels)
    }
}

#[tokio::test]
async fn a_demo_target_is_healthy() {
    let mut probed = Probed::new(ProbeKind::Auto);
    let demo = Demo::start().await;
    probed.add("demo", &demo.address).await;
    let _probing = probed.probe();
    assert_eq!(probed.verdict("demo").await, Ok(()));
}

#[tokio::test]
async fn clients_of_every_version_see_the_whole_screen() {
    let demo = Demo::start().await;
    for minor in [3, 7, 8] {
        let mut viewer = demo.view(minor).await;
        viewer.ask(false).await;
        let (top, pixels) = viewer.update(4).await;
        assert_eq!((top, pixels.len()), (0, 200 * 160 * 4));
        assert!(pixels.chunks(4).any(|pixel| pixel != &pixels[..4]), "an empty screen");
    }
}

#[tokio::test]
async fn pixels_come_as_the_client_wants_them() {
    let demo = Demo::start().await;
    let mut viewer = demo.view(8).await;
    // 8 bits, of which 3 are red, 3 green and 2 blue.
    viewer.say(&[0, 0, 0, 0, 8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6, 0, 0, 0]).await;
    viewer.say(&[2, 0, 0, 1, 0, 0, 0, 0]).await;
    viewer.ask(false).await;
    assert_eq!(viewer.update(1).await.1.len(), 200 * 160);
}

#[tokio::test]
async fn what_one_draws_the_other_sees_and_only_that() {
    let demo = Demo::start().await;
    let (mut one, mut two) = (demo.view(8).await, demo.view(8).await);
    two.ask(false).await;
    two.update(4).await;
    // A button held at (100, 150), below all that the clock changes.
    one.say(&[5, 1, 0, 100, 0, 150]).await;
    loop {
        two.ask(true).await;
        let (top, pixels) = two.update(4).await;
        assert!(top > 0, "the name did not change");
        let (rows, below) = (pixels.len() / (200 * 4), 150 - usize::from(top));
        if below < rows {
            let at = |x: usize| &pixels[(below * 200 + x) * 4..][..3];
            assert_ne!(at(100), at(10));
            break;
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_up_nobody() {
    let demo = Demo::start().await;
    let mut stuck = demo.view(8).await;
    for _ in 0..100 {
        stuck.ask(false).await;
    }
    let mut viewer = demo.view(8).await;
    viewer.ask(false).await;
    viewer.update(4).await;
}

#[tokio::test]
async fn it_ends_at_once_and_hangs_up() {
    let demo = Demo::start().await;
    let mut viewer = demo.view(8).await;
    demo.shutdown.cancel();
    timeout(LONG, demo.task).await.expect("an end in time").unwrap().unwrap();
    let left = timeout(LONG, viewer.stream.read(&mut [0])).await.expect("hung up in time");
    assert!(matches!(left, Ok(0) | Err(_)), "{left:?}");
}
