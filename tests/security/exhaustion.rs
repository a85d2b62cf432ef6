//! Clients that are slow, or many, or never end: they cost a bounded amount of memory, and nobody else is kept waiting.
//!
//! What is measured is the real binary's resident memory. Bounds are several times what was seen.

use std::{
    fs,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{api::Service, common::replica::Replica};

const PATIENCE: Duration = Duration::from_secs(30);
/// How long an ordinary request may take beside an attack, on a busy machine.
const PROMPT: Duration = Duration::from_secs(5);
const MIB: u64 = 1024 * 1024;

/// The resident memory of a replica, in bytes.
fn memory(replica: &Replica) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", replica.pid())).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
    line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number") * 1024
}

/// A service that is measured while it is attacked.
struct Attacked {
    service: Service,
    before: u64,
}

impl Attacked {
    async fn start() -> Self {
        let service = Service::start(1, 2).await;
        // What it takes for good with its first requests is not the attack's.
        for _ in 0..50 {
            service.http().get("/containers/status").await.expect(200);
        }
        let before = memory(&service.replicas[0]);
        Self { service, before }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.service.replicas[0].address()).await.expect("a connection")
    }

    /// Others are served as ever, whatever goes on.
    async fn serves_others(&self) {
        for _ in 0..10 {
            let began = Instant::now();
            let http = self.service.http();
            let id = http.post("/sessions", crate::api::wine()).await.expect(201).text_at("/id");
            http.delete(&format!("/sessions/{id}")).await.expect(200);
            assert!(began.elapsed() < PROMPT, "an ordinary client waited {:?}", began.elapsed());
        }
    }

    /// How much more memory it has than before.
    fn grown(&self) -> u64 {
        memory(&self.service.replicas[0]).saturating_sub(self.before)
    }

    #[track_caller]
    fn grew_by_less_than(&self, most: u64) {
        let grown = self.grown();
        assert!(grown < most, "it grew by {} MiB", grown / MIB);
    }

    async fn ends_well(&self) {
        let metrics = self.service.http().get("/metrics").await.expect(200);
        assert!(metrics.text.contains("leasehold_panics_total 0"), "{}", metrics.text);
    }
}

/// What the other side still says until it ends the connection, or nothing more for a while.
async fn last_words(mut stream: TcpStream) -> String {
    let mut said = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut said)).await.expect("the connection is ended");
    String::from_utf8_lossy(&said).into_owned()
}

/// Writes the same for as long as it is taken, at most so many bytes; answers how many were.
async fn flood(stream: &mut TcpStream, words: &[u8], most: usize) -> usize {
    let mut sent = 0;
    while sent < most {
        match timeout(Duration::from_secs(2), stream.write(words)).await {
            Ok(Ok(count @ 1..)) => sent += count,
            _ => break,
        }
    }
    sent
}

#[tokio::test]
async fn ten_thousand_idle_connections_cost_little_and_keep_nobody_waiting() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert!(hard >= 12_000, "the hard limit of open files is {hard}: this test needs 12,000 (ulimit -Hn)");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let attacked = Attacked::start().await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.extend(
            join_all((0..100).map(|_| async {
                let mut stream = attacked.connect().await;
                // One that was used once may stay for as long as `keep_alive` lets it.
                stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
                let mut answer = [0; 1024];
                let count = stream.read(&mut answer).await.unwrap();
                assert!(answer[..count].starts_with(b"HTTP/1.1 200"));
                stream
            }))
            .await,
        );
    }
    attacked.serves_others().await;
    // 11 KiB each was seen.
    attacked.grew_by_less_than(10_000 * 64 * 1024);
    drop(idle);
    attacked.serves_others().await;
    attacked.ends_well().await;
}

#[tokio::test]
async fn heads_that_drip_are_ended_and_keep_nobody_waiting() {
    let attacked = Attacked::start().await;
    let mut dripping = JoinSet::new();
    for number in 0..500 {
        let mut stream = attacked.connect().await;
        dripping.spawn(async move {
            // Some say nothing at all.
            if number % 5 > 0 {
                stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n").await.unwrap();
            }
            let began = Instant::now();
            let mut byte = [0; 1];
            loop {
                match timeout(Duration::from_millis(500), stream.read(&mut byte)).await {
                    Err(_) if number % 5 > 0 => {
                        let _ = stream.write_all(b"X-Drip: 1\r\n").await;
                    }
                    Err(_) => {}
                    Ok(_) => return began.elapsed(),
                }
                assert!(began.elapsed() < PATIENCE, "a slow head is waited for");
            }
        });
    }
    attacked.serves_others().await;
    while let Some(ended) = dripping.join_next().await {
        ended.expect("each is ended");
    }
    attacked.grew_by_less_than(64 * MIB);
    attacked.ends_well().await;
}

#[tokio::test]
async fn bodies_that_drip_are_ended_with_a_reason() {
    let attacked = Attacked::start().await;
    let mut stream = attacked.connect().await;
    let head = format!(
        "POST /sessions HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n",
        crate::common::replica::KEY
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let drip = tokio::spawn(async move {
        while writer.write_all(b" ").await.is_ok() {
            sleep(Duration::from_millis(200)).await;
        }
    });
    attacked.serves_others().await;
    let mut answer = [0; 4096];
    let count = timeout(PATIENCE, reader.read(&mut answer)).await.expect("it is answered").unwrap();
    let answer = String::from_utf8_lossy(&answer[..count]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("body_too_slow") && answer.contains("application/problem+json"), "{answer}");
    timeout(PATIENCE, drip).await.expect("the connection is ended").unwrap();
    attacked.ends_well().await;
}

#[tokio::test]
async fn heads_without_measure_are_refused() {
    let attacked = Attacked::start().await;
    let long = "a".repeat(MIB as usize);
    let heads = [
        ("a long path", format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n")),
        ("a long header", format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {long}\r\n\r\n")),
        ("many headers", format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-Many: 1\r\n".repeat(1000))),
        ("no end of line", long.clone()),
    ];
    for (what, head) in &heads {
        let all = join_all((0..50).map(|_| async {
            let mut stream = attacked.connect().await;
            let _ = stream.write_all(head.as_bytes()).await;
            last_words(stream).await
        }));
        for answer in all.await {
            // A connection that is ended while the client still sends may lose its last words.
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{what}: {answer}");
        }
    }
    attacked.serves_others().await;
    attacked.grew_by_less_than(128 * MIB);
    attacked.ends_well().await;
}

#[tokio::test]
async fn bodies_without_end_are_not_kept() {
    let attacked = Attacked::start().await;
    let chunk = format!("{:x}\r\n{}\r\n", 65536, " ".repeat(65536));
    let all = ["POST /sessions", "POST /sessions/heartbeats", "GET /healthz", "POST /nothing"].map(|line| {
        let head = format!(
            "{line} HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
            crate::common::replica::KEY
        );
        let (chunk, attacked) = (&chunk, &attacked);
        async move {
            join_all((0..20).map(|_| async {
                let mut stream = attacked.connect().await;
                stream.write_all(head.as_bytes()).await.unwrap();
                flood(&mut stream, chunk.as_bytes(), 64 * MIB as usize).await
            }))
            .await
        }
    });
    let (sent, ()) = tokio::join!(join_all(all), attacked.serves_others());
    attacked.grew_by_less_than(128 * MIB);
    let most = sent.iter().flatten().max().copied().unwrap_or_default();
    // The kernel's own buffers hold some megabytes of what nobody takes.
    assert!(most < 32 * MIB as usize, "{most} bytes of one body were taken");
    attacked.ends_well().await;
}

/// Many requests for this, as fast as they are taken, on many connections that never read an answer.
async fn flooded_with(path: &str) {
    let attacked = Attacked::start().await;
    let requests = format!("GET {path} HTTP/1.1\r\nHost:x\r\n\r\n").repeat(1000);
    let all = join_all((0..50).map(|_| async {
        let mut stream = attacked.connect().await;
        let few = requests.len() / 20;
        stream.write_all(&requests.as_bytes()[..few]).await.unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        flood(&mut stream, requests.as_bytes(), 64 * MIB as usize).await
    }));
    let (_, ()) = tokio::join!(all, attacked.serves_others());
    attacked.grew_by_less_than(128 * MIB);
    attacked.ends_well().await;
}

#[tokio::test]
async fn a_flood_of_requests_that_wait_for_nothing_leaves_others_their_turn() {
    flooded_with("/healthz").await;
}

#[tokio::test]
async fn a_flood_of_requests_that_wait_for_redis_leaves_others_their_turn() {
    flooded_with("/readyz").await;
}
