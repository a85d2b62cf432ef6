//! Replicas share the work, and each does only so much at a time.

use std::{
    io::{ErrorKind, Read as _},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use leasehold::{config::ProbeKind, model::PoolState};
use tokio::net::TcpListener;

use super::{GREETING, Probed, Target, until};

const INTERVAL: Duration = Duration::from_millis(400);

#[tokio::test]
async fn no_container_is_probed_by_two_replicas_and_one_goes_on_alone() {
    let mut probed = Probed::with(ProbeKind::Rfb, |config| {
        config.health.interval = INTERVAL;
        config.health.timeout = INTERVAL;
    });
    let mut targets = Vec::new();
    for at in 0..6 {
        let target = Target::saying(GREETING).await;
        probed.add(&format!("c{at}"), &target.address).await;
        targets.push(target);
    }
    let began = Instant::now();
    let (one, _two) = (probed.probe(), probed.probe());
    let each_has = async |times| {
        until("probes of each", async || targets.iter().all(|target| target.connections() >= times)).await;
    };
    let none_has_more = || {
        // Each is due once an interval, which the jitter shortens by at most a tenth.
        let most = (began.elapsed().as_secs_f64() / INTERVAL.mul_f64(0.9).as_secs_f64()) as usize + 1;
        for (at, target) in targets.iter().enumerate() {
            let found = target.connections();
            assert!(found <= most, "c{at} was probed {found} times where {most} were due");
        }
    };
    each_has(4).await;
    none_has_more();
    drop(one);
    let more = targets.iter().map(Target::connections).max().unwrap() + 3;
    each_has(more).await;
    none_has_more();
}

#[tokio::test]
async fn a_new_container_is_probed_at_once() {
    let mut probed = Probed::with(ProbeKind::Rfb, |config| config.health.interval = Duration::from_mins(1));
    let _probing = probed.probe();
    let target = Target::saying(GREETING).await;
    for name in ["first", "second"] {
        probed.add(name, &target.address).await;
        probed.becomes(name, PoolState::Available).await;
    }
    assert_eq!(target.connections(), 2);
}

/// Never answers; counts the connections that are open at a time.
async fn silent_and_counting() -> (String, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (most, all) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counters = (most.clone(), all.clone());
    tokio::spawn(async move {
        let mut open: Vec<std::net::TcpStream> = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            // Those that the prober closed before it opened this one are seen as closed now.
            open.retain_mut(|stream| stream.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock));
            open.push(stream.into_std().unwrap());
            counters.0.fetch_max(open.len(), Ordering::Relaxed);
            counters.1.fetch_add(1, Ordering::Relaxed);
        }
    });
    (address, most, all)
}

#[tokio::test]
async fn a_replica_makes_only_so_many_probes_at_a_time() {
    let mut probed = Probed::with(ProbeKind::Rfb, |config| {
        config.health.concurrency = 3;
        config.health.timeout = Duration::from_millis(100);
    });
    let (address, most, all) = silent_and_counting().await;
    for at in 0..12 {
        probed.add(&format!("c{at}"), &address).await;
    }
    let _probing = probed.probe();
    until("two probes of each", async || all.load(Ordering::Relaxed) >= 24).await;
    assert_eq!(most.load(Ordering::Relaxed), 3);
    for at in 0..12 {
        assert_eq!(probed.verdict(&format!("c{at}")).await, Err("timed out after 100ms".to_owned()));
    }
}

#[tokio::test]
async fn probing_goes_on_after_an_outage_of_redis() {
    let mut probed = Probed::with(ProbeKind::Rfb, |config| {
        config.redis.timeout = Duration::from_millis(200);
    });
    let target = Target::saying(GREETING).await;
    probed.add("one", &target.address).await;
    let _probing = probed.probe();
    probed.becomes("one", PoolState::Available).await;
    // Redis answers nobody for a second.
    let _: () = redis::cmd("CLIENT").arg("PAUSE").arg(1000).arg("ALL").query(&mut probed.bench.redis.conn()).unwrap();
    let before = target.connections();
    until("probes after the outage", async || target.connections() >= before + 3).await;
    probed.becomes("one", PoolState::Available).await;
}
