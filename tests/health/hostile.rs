//! Targets that do their worst: a probe ends in time, and has read little.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use leasehold::config::ProbeKind;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{GREETING, Probed, Target, until};

/// What the kernel's buffers of both sides may hold of what nobody reads (their limits are 4 and 6 MB), with room.
/// An endless sender gets rid of that in a few milliseconds.
const UNREAD_MOST: u64 = 16 * 1024 * 1024;

/// A target that says `first` (to an HTTP client once it was asked) and then the same for ever, and what it got rid of in one connection at most; zero until
/// it was hung up on.
async fn endless(first: &'static [u8]) -> (Target, Arc<AtomicU64>) {
    let most = Arc::new(AtomicU64::new(0));
    let counter = most.clone();
    let target = Target::new(move |mut stream: TcpStream| {
        let counter = counter.clone();
        async move {
            if first.starts_with(b"HTTP") {
                let _ = stream.read(&mut [0; 1024]).await;
            }
            let mut sent = stream.write(first).await.unwrap_or(0) as u64;
            let chunk = [b'a'; 16384];
            while let Ok(more @ 1..) = stream.write(&chunk).await {
                sent += more as u64;
            }
            counter.fetch_max(sent, Ordering::Relaxed);
        }
    })
    .await;
    (target, most)
}

async fn hung_up_on(most: &AtomicU64) {
    until("the endless target is hung up on", async || most.load(Ordering::Relaxed) > 0).await;
    let sent = most.load(Ordering::Relaxed);
    assert!(sent < UNREAD_MOST, "the probe took {sent} bytes");
}

#[tokio::test]
async fn case_30_an_endless_greeting_is_cut_after_twelve_bytes() {
    let mut probed = Probed::new(ProbeKind::Rfb);
    let (endless, sent) = endless(b"RFB 003.008").await;
    probed.add("endless", &endless.address).await;
    let _probing = probed.probe();
    assert_eq!(probed.verdict("endless").await, Err(r#"greeting is "RFB 003.008a""#.to_owned()));
    hung_up_on(&sent).await;
}

#[tokio::test]
async fn case_30_an_endless_header_is_cut() {
    let mut probed = Probed::new(ProbeKind::Http);
    let (endless, sent) = endless(b"HTTP/1.1 200 OK\r\nX-Long: ").await;
    probed.add("endless", &endless.address).await;
    let _probing = probed.probe();
    assert_eq!(probed.verdict("endless").await, Err("message head is too large".to_owned()));
    hung_up_on(&sent).await;
}

#[tokio::test]
async fn case_30_a_huge_head_that_ends_is_not_taken() {
    for (what, expected) in [
        (format!("X-Huge: {}\r\n", "a".repeat(17 * 1024)), "message head is too large"),
        ("X-Many: 1\r\n".repeat(65), "message head is too large"),
    ] {
        let mut probed = Probed::new(ProbeKind::Http);
        let huge = Target::new(move |mut stream| {
            let head = format!("HTTP/1.1 200 OK\r\n{what}\r\n");
            async move {
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(head.as_bytes()).await;
                super::until_hung_up(stream).await;
            }
        })
        .await;
        probed.add("huge", &huge.address).await;
        let _probing = probed.probe();
        assert_eq!(probed.verdict("huge").await, Err(expected.to_owned()));
    }
}

#[tokio::test]
async fn case_30_an_endless_body_is_not_read() {
    let mut probed = Probed::new(ProbeKind::Http);
    let (endless, sent) = endless(b"HTTP/1.1 200 OK\r\n\r\n").await;
    probed.add("endless", &endless.address).await;
    let _probing = probed.probe();
    assert_eq!(probed.verdict("endless").await, Ok(()));
    hung_up_on(&sent).await;
}

#[tokio::test]
async fn case_30_a_slow_drip_is_given_up_in_time() {
    let mut probed = Probed::new(ProbeKind::Rfb);
    let dripping = Target::new(|mut stream| async move {
        for byte in GREETING {
            if stream.write_u8(*byte).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
    .await;
    let good = Target::saying(GREETING).await;
    probed.add("dripping", &dripping.address).await;
    probed.add("good", &good.address).await;
    let _probing = probed.probe();
    assert_eq!(probed.verdict("good").await, Ok(()));
    assert_eq!(probed.verdict("dripping").await, Err("timed out after 800ms".to_owned()));
}

#[tokio::test]
async fn case_30_a_reset_in_the_middle_is_named() {
    for (kind, part) in [(ProbeKind::Rfb, &b"RFB 0"[..]), (ProbeKind::Http, &b"HTTP/1.1 200"[..])] {
        let mut probed = Probed::new(kind);
        let resetting = Target::new(move |mut stream| async move {
            if kind == ProbeKind::Http {
                let _ = stream.read(&mut [0; 1024]).await;
            }
            let _ = stream.write_all(part).await;
            stream.set_zero_linger().unwrap();
        })
        .await;
        probed.add("resetting", &resetting.address).await;
        let _probing = probed.probe();
        assert_eq!(probed.verdict("resetting").await, Err("connection reset".to_owned()), "{kind:?}");
    }
}

#[tokio::test]
async fn case_30_a_header_that_drips_is_given_up_in_time() {
    let mut probed = Probed::new(ProbeKind::Http);
    let dripping = Target::new(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"X-Drip: 1\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    probed.add("dripping", &dripping.address).await;
    let _probing = probed.probe();
    assert_eq!(probed.verdict("dripping").await, Err("timed out after 800ms".to_owned()));
}

#[tokio::test]
async fn case_30_a_greeting_that_drips_after_its_line_is_given_up() {
    // The greeting is whole; the handshake that follows drips, and cannot make it unhealthy.
    let mut probed = Probed::new(ProbeKind::Rfb);
    let dripping = Target::new(|mut stream| async move {
        let _ = stream.write_all(GREETING).await;
        let _ = stream.write_u8(255).await;
        while stream.write_u8(7).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    probed.add("dripping", &dripping.address).await;
    let _probing = probed.probe();
    assert_eq!(probed.verdict("dripping").await, Ok(()));
    until("the next probe, so the first was given up", async || dripping.connections() > 1).await;
}
