//! A container of the harness: it answers health's probe, and takes a fencing token with each use.
//!
//! One port serves both: `GET …` is a probe, `USE <session> <token> <until>` a use. It refuses a token below the highest that it saw: what
//! a container does that checks tokens.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::history::{History, Micros, Record, Use};

/// Starts so far, of all containers.
static LIVES: AtomicU64 = AtomicU64::new(0);

/// One incarnation of a container. It dies with this value.
pub struct Target {
    address: SocketAddr,
    healthy: Arc<AtomicBool>,
    dead: CancellationToken,
    _server: AbortOnDropHandle<()>,
}

impl Target {
    pub async fn start(container: &str, history: Arc<History>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (healthy, dead) = (Arc::new(AtomicBool::new(true)), CancellationToken::new());
        let desk = Arc::new(Desk {
            container: container.to_owned(),
            control: address.to_string(),
            life: LIVES.fetch_add(1, Ordering::Relaxed),
            highest: Mutex::new(0),
            healthy: healthy.clone(),
            history,
        });
        let server = tokio::spawn({
            let dead = dead.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let desk = desk.clone();
                    // What runs when the container dies ends with it.
                    tokio::spawn(dead.clone().run_until_cancelled_owned(async move { desk.serve(stream).await }));
                }
            }
        });
        Self { address, healthy, dead, _server: AbortOnDropHandle::new(server) }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What the next probes find.
    pub fn set_healthy(&self, healthy: bool) {
        self.healthy.store(healthy, Ordering::Relaxed);
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.dead.cancel();
    }
}

struct Desk {
    container: String,
    control: String,
    life: u64,
    highest: Mutex<u64>,
    healthy: Arc<AtomicBool>,
    history: Arc<History>,
}

impl Desk {
    async fn serve(&self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        if stream.read_line(&mut line).await.is_err() {
            return;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = match words.as_slice() {
            ["USE", session, token, until] => {
                let number = |text: &str| text.parse().expect("the harness's own clients send numbers");
                if self.take(session, number(token), number(until)) { "OK\n" } else { "FENCED\n" }
            }
            _ if self.healthy.load(Ordering::Relaxed) => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            _ => "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        };
        let _ = stream.write_all(answer.as_bytes()).await;
    }

    /// Decides and records in one step: the order of the records is that of the decisions.
    fn take(&self, session: &str, token: u64, until: Micros) -> bool {
        let mut highest = self.highest.lock().expect("the highest token");
        let accepted = token >= *highest;
        *highest = token.max(*highest);
        self.history.add(&Record::Use(Use {
            at: self.history.now(),
            container: self.container.clone(),
            control: self.control.clone(),
            life: self.life,
            session: session.to_owned(),
            token,
            until,
            accepted,
        }));
        accepted
    }
}

/// Uses a container: whether it let it. None when it is not there.
pub async fn use_once(control: &str, session: &str, token: u64, until: Micros) -> Option<bool> {
    let mut stream = BufReader::new(TcpStream::connect(control).await.ok()?);
    stream.write_all(format!("USE {session} {token} {until}\n").as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_line(&mut answer).await.ok()?;
    match answer.as_str() {
        "OK\n" => Some(true),
        "FENCED\n" => Some(false),
        _ => None,
    }
}
