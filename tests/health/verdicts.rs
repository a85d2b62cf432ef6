//! What each kind of probe takes for good, and what it says of what is not.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use leasehold::{config::ProbeKind, model::PoolState};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{GREETING, Probed, Target, refusing, until_hung_up};

#[tokio::test]
async fn rfb_takes_a_greeting_and_names_what_else_came() {
    let mut probed = Probed::new(ProbeKind::Auto);
    let good = Target::saying(GREETING).await;
    let ssh = Target::saying(b"SSH-2.0-OpenSSH_9.2p1\r\n").await;
    let silent = Target::saying(b"").await;
    let closing = Target::new(|stream| async move { drop(stream) }).await;
    probed.add("good", &good.address).await;
    probed.add("ssh", &ssh.address).await;
    probed.add("silent", &silent.address).await;
    probed.add("closing", &closing.address).await;
    probed.add("refusing", &refusing().await).await;
    probed.add("nowhere", "no-such-host.invalid:5900").await;
    let _probing = probed.probe();
    assert_eq!(probed.verdict("good").await, Ok(()));
    for (name, why) in [
        ("ssh", r#"greeting is "SSH-2.0-Open""#),
        ("silent", "timed out after 800ms"),
        ("closing", "closed without a greeting"),
        ("refusing", "connection refused"),
        ("nowhere", "host name not found"),
    ] {
        assert_eq!(probed.verdict(name).await, Err(why.to_owned()), "{name}");
    }
}

#[tokio::test]
async fn pain_a_health_check_disturbs_an_rfb_probe_lets_the_handshake_finish_and_leaves_before_it_becomes_a_viewer() {
    let mut probed = Probed::new(ProbeKind::Rfb);
    let (left, mut lefts) = tokio::sync::mpsc::unbounded_channel();
    let target = Target::new(move |mut stream| {
        let left = left.clone();
        async move {
            let mut said = [0; 13];
            stream.write_all(b"RFB 003.008\n\x01\x01").await.unwrap();
            stream.read_exact(&mut said).await.unwrap();
            stream.write_all(&[0; 4]).await.unwrap();
            let more = stream.read(&mut [0]).await;
            let _ = left.send((said, more.unwrap_or(0)));
        }
    })
    .await;
    probed.add("one", &target.address).await;
    let _probing = probed.probe();
    assert_eq!(lefts.recv().await, Some((*b"RFB 003.008\n\x01", 0)));
    assert_eq!(probed.verdict("one").await, Ok(()));
}

#[tokio::test]
async fn tcp_takes_a_connection() {
    let mut probed = Probed::new(ProbeKind::Tcp);
    let silent = Target::saying(b"").await;
    probed.add("silent", &silent.address).await;
    probed.add("refusing", &refusing().await).await;
    let _probing = probed.probe();
    assert_eq!(probed.verdict("silent").await, Ok(()));
    assert_eq!(probed.verdict("refusing").await, Err("connection refused".to_owned()));
}

#[tokio::test]
async fn http_takes_200_to_399_and_follows_no_redirect() {
    let mut probed = Probed::with(ProbeKind::Http, |config| config.health.path = "/ready".to_owned());
    let elsewhere = Target::saying(b"").await;
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: http://{}/\r\n\r\n", elsewhere.address);
    let ok = Target::saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nnever read").await;
    let found = Target::saying(Box::leak(redirect.into_boxed_str()).as_bytes()).await;
    let broken = Target::saying(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").await;
    probed.add("ok", &ok.address).await;
    probed.add("found", &found.address).await;
    probed.add("broken", &broken.address).await;
    probed.add("refusing", &refusing().await).await;
    let _probing = probed.probe();
    assert_eq!(probed.verdict("ok").await, Ok(()));
    assert_eq!(probed.verdict("found").await, Ok(()));
    assert_eq!(probed.verdict("broken").await, Err("HTTP 503".to_owned()));
    assert_eq!(probed.verdict("refusing").await, Err("connection refused".to_owned()));
    assert_eq!(elsewhere.connections(), 0, "a redirect was followed");
}

#[tokio::test]
async fn probes_in_a_row_make_a_container_unhealthy_and_healthy_again() {
    let mut probed = Probed::with(ProbeKind::Rfb, |config| (config.health.rise, config.health.fall) = (2, 3));
    let healthy = Arc::new(AtomicBool::new(true));
    let (good, bad) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let target = Target::new({
        let (healthy, good, bad) = (healthy.clone(), good.clone(), bad.clone());
        move |mut stream| {
            let (words, count) =
                if healthy.load(Ordering::Relaxed) { (GREETING, &good) } else { (&b"bad\n"[..], &bad) };
            count.fetch_add(1, Ordering::Relaxed);
            async move {
                let _ = stream.write_all(words).await;
                until_hung_up(stream).await;
            }
        }
    })
    .await;
    probed.add("one", &target.address).await;
    let _probing = probed.probe();

    probed.becomes("one", PoolState::Available).await;
    assert!(good.load(Ordering::Relaxed) >= 2, "healthy before it rose");
    healthy.store(false, Ordering::Relaxed);
    probed.becomes("one", PoolState::Unhealthy).await;
    assert!(bad.load(Ordering::Relaxed) >= 3, "unhealthy before it fell");
    let before = good.load(Ordering::Relaxed);
    healthy.store(true, Ordering::Relaxed);
    probed.becomes("one", PoolState::Available).await;
    assert!(good.load(Ordering::Relaxed) >= before + 2, "healthy again before it rose");
}

#[tokio::test]
async fn a_leased_container_that_fails_keeps_its_session_and_is_not_given_out_after_it() {
    let mut probed = Probed::new(ProbeKind::Rfb);
    let target = Target::saying(GREETING).await;
    probed.add("one", &target.address).await;
    let _probing = probed.probe();
    probed.becomes("one", PoolState::Available).await;
    let session = probed.bench.ready().await;
    drop(target);
    super::until("the probe fails", async || {
        probed.bench.container("one").await.unwrap().health.reason.is_some_and(|why| why.contains("refused"))
    })
    .await;
    probed.becomes("one", PoolState::Allocated).await;
    let reason = leasehold::model::EndReason::Released;
    probed.bench.store.release(&probed.bench.wine, session.id, None, None, reason).await.unwrap();
    probed.becomes("one", PoolState::Unhealthy).await;
}
