//! A receiver of webhooks: a real HTTP server that fails, is slow, and remembers.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Instant,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use leasehold::model::Event;
use sha2::Sha256;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What it does with what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Takes it.
    Takes,
    /// Answers with this status.
    Answers(u16),
    /// Answers with this status and `Retry-After`.
    Later(u16, &'static str),
    /// Does not answer while this lasts.
    Hangs,
}

/// What came, in its order, taken or not.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub event: Event,
    pub taken: bool,
    pub at: Instant,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// Ends with the test.
pub struct Receiver {
    address: SocketAddr,
    manner: watch::Sender<Manner>,
    came: Arc<Mutex<Vec<Delivery>>>,
}

impl Receiver {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (manner, behaves) = watch::channel(manner);
        let came = Arc::new(Mutex::new(Vec::new()));
        let all = came.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, behaves.clone(), all.clone()));
            }
        });
        Self { address, manner, came }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook?token=secret-of-the-receiver", self.address)
    }

    pub fn behave(&self, manner: Manner) {
        self.manner.send_replace(manner);
    }

    /// All that came.
    pub fn came(&self) -> Vec<Delivery> {
        self.came.lock().expect("what came").clone()
    }

    /// The ids of what was taken, in order; each once, where it came again right after.
    pub fn taken(&self) -> Vec<String> {
        let mut ids: Vec<_> = self.came().into_iter().filter(|one| one.taken).map(|one| one.event.id).collect();
        ids.dedup();
        ids
    }
}

/// Fails unless one of its signatures is by this secret.
pub fn verify(delivery: &Delivery, secret: &str) {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let head = |name: &str| delivery.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", delivery.headers));
    assert_eq!(head("webhook-id"), &delivery.event.id);
    let sent: i64 = head("webhook-timestamp").parse().unwrap();
    assert!((jiff::Timestamp::now().as_second() - sent).abs() < 120, "{sent}");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{}.{sent}.", delivery.event.id).as_bytes());
    mac.update(&delivery.body);
    let right = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert!(head("webhook-signature").split(' ').any(|one| one == right), "{:?}", delivery.headers);
}

async fn serve(stream: TcpStream, mut manner: watch::Receiver<Manner>, came: Arc<Mutex<Vec<Delivery>>>) {
    let mut stream = BufReader::new(stream);
    while let Some((headers, body)) = request(&mut stream).await {
        let event: Event = serde_json::from_slice(&body).expect("an event");
        let behaves = *manner.borrow();
        let taken = behaves == Manner::Takes;
        came.lock().expect("what came").push(Delivery { event, taken, at: Instant::now(), headers, body });
        let (status, more) = match behaves {
            Manner::Takes => (204, String::new()),
            Manner::Answers(status) => (status, String::new()),
            Manner::Later(status, when) => (status, format!("Retry-After: {when}\r\n")),
            Manner::Hangs => {
                let _ = manner.wait_for(|manner| *manner != Manner::Hangs).await;
                return;
            }
        };
        let answer = format!("HTTP/1.1 {status} X\r\n{more}Location: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
        let answer = if status == 204 { "HTTP/1.1 204 X\r\n\r\n".to_owned() } else { answer };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn request(stream: &mut BufReader<TcpStream>) -> Option<(BTreeMap<String, String>, Vec<u8>)> {
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) => drop(headers.insert(name.to_lowercase(), value.to_owned())),
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    Some((headers, body))
}
