//! A viewer that measures what it sees.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use hdrhistogram::Histogram;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use super::far::{INIT, REQUEST_BYTES};

/// By what it comes.
pub enum Viewer {
    Tcp(TcpStream),
    WebSocket { socket: WebSocketStream<TcpStream>, heard: usize },
}

impl Viewer {
    pub async fn tcp(at: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(at).await?;
        stream.set_nodelay(true)?;
        Self::Tcp(stream).begin().await
    }

    pub async fn websocket(at: SocketAddr, path: &str, protocols: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(at).await?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://{at}{path}").into_client_request()?;
        request.headers_mut().insert("Sec-WebSocket-Protocol", protocols.parse()?);
        let (socket, _) = client_async(request, stream).await.context("the WebSocket")?;
        Self::WebSocket { socket, heard: 0 }.begin().await
    }

    async fn begin(mut self) -> anyhow::Result<Self> {
        for (hears, says) in [(12, &b"RFB 003.008\n"[..]), (2, &[1]), (4, &[1]), (INIT.len(), &[])] {
            self.hear(hears).await?;
            if !says.is_empty() {
                self.say(says).await?;
            }
        }
        Ok(self)
    }

    /// MiB a second of so many.
    pub async fn flood(&mut self, mib: u16) -> anyhow::Result<f64> {
        let began = Instant::now();
        self.say(&request(mib)).await?;
        self.hear(usize::from(mib) * 1024 * 1024).await?;
        Ok(f64::from(mib) / began.elapsed().as_secs_f64())
    }

    /// How long answers take, in microseconds.
    pub async fn ask(&mut self, questions: usize) -> anyhow::Result<Histogram<u64>> {
        let mut latencies = Histogram::new(3)?;
        for _ in 0..questions {
            let began = Instant::now();
            self.say(&request(0)).await?;
            self.hear(REQUEST_BYTES).await?;
            latencies.record(began.elapsed().as_micros() as u64)?;
        }
        Ok(latencies)
    }

    async fn say(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(bytes).await?,
            Self::WebSocket { socket, .. } => socket.send(Message::binary(bytes.to_vec())).await?,
        }
        Ok(())
    }

    /// Passes over so many bytes.
    async fn hear(&mut self, count: usize) -> anyhow::Result<()> {
        match self {
            Self::Tcp(stream) => {
                let heard = tokio::io::copy(&mut stream.take(count as u64), &mut tokio::io::sink()).await?;
                anyhow::ensure!(heard == count as u64, "closed after {heard} of {count} bytes");
            }
            Self::WebSocket { socket, heard } => {
                while *heard < count {
                    match socket.next().await.context("it is closed")?? {
                        Message::Binary(bytes) => *heard += bytes.len(),
                        Message::Ping(_) | Message::Pong(_) => {}
                        other => bail!("{other:?} came"),
                    }
                }
                *heard -= count;
            }
        }
        Ok(())
    }
}

/// A request for the screen, as [`super::far`] understands it.
fn request(mib: u16) -> [u8; REQUEST_BYTES] {
    let [high, low] = mib.to_be_bytes();
    [3, 0, 0, 0, high, low, 0, 1, 0, 1]
}
