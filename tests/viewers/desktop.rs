//! A desktop of the test's own: a VNC server that tells what reached it.

use std::{io, net::SocketAddr};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    net::{TcpListener, TcpStream},
    sync::{broadcast, watch},
    task::AbortHandle,
};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
        http::HeaderValue,
    },
};

/// What it says after the handshake: ServerInit of a screen of one pixel.
pub const INIT: &[u8] = b"\0\x01\0\x01\x20\x18\0\x01\0\xff\0\xff\0\xff\x10\x08\0\0\0\0\0\0\0\x03lab";

/// What happened to it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// What viewers said after their handshakes, all in one.
    pub said: Vec<u8>,
    /// The ClientInit of each.
    pub shared: Vec<u8>,
    /// Those that are there.
    pub here: usize,
    /// Bytes that were written of a flood.
    pub written: usize,
}

/// Ends with the test.
pub struct Recorder {
    pub address: SocketAddr,
    seen: watch::Sender<Seen>,
    shows: broadcast::Sender<Vec<u8>>,
    server: AbortHandle,
}

impl Recorder {
    pub async fn start() -> Self {
        Self::listen(false).await
    }

    /// One that is reached by the WebSocket of a noVNC page alone.
    pub async fn behind_a_page() -> Self {
        Self::listen(true).await
    }

    async fn listen(page: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (seen, shows) = (watch::Sender::new(Seen::default()), broadcast::Sender::new(16));
        let (told, pictures) = (seen.clone(), shows.clone());
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, shows) = (told.clone(), pictures.subscribe());
                tokio::spawn(async move {
                    let stream = if page { unpacked(stream).await } else { Wire::Tcp(stream) };
                    // The viewer's end is its end, however it comes.
                    let _ = match stream {
                        Wire::Tcp(stream) => serve(stream, &seen, shows).await,
                        Wire::Inner(stream) => serve(stream, &seen, shows).await,
                    };
                });
            }
        });
        Self { address, seen, shows, server: server.abort_handle() }
    }

    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits until it has seen this.
    pub async fn saw(&self, what: &str, is: impl Fn(&Seen) -> bool) -> Seen {
        crate::common::eventually(what, super::PATIENCE, async || Some(self.seen()).filter(|seen| is(seen))).await
    }

    /// Lets all viewers go.
    pub fn hang_up(&self) {
        self.show(&[]);
    }

    /// Shows this to all.
    pub fn show(&self, bytes: &[u8]) {
        let _ = self.shows.send(bytes.to_vec());
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.server.abort();
    }
}

enum Wire {
    Tcp(TcpStream),
    Inner(DuplexStream),
}

/// What websockify does: the messages of a WebSocket as a stream of bytes.
async fn unpacked(stream: TcpStream) -> Wire {
    #[allow(clippy::result_large_err, clippy::unnecessary_wraps)] // as the library wants it
    fn agree(
        request: &Request,
        mut answer: Response,
    ) -> Result<Response, tokio_tungstenite::tungstenite::handshake::server::ErrorResponse> {
        assert_eq!(request.uri().path(), "/websockify");
        answer.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("binary"));
        Ok(answer)
    }
    let socket = accept_hdr_async(stream, agree).await.expect("a WebSocket");
    let (mut tells, mut hears) = socket.split();
    let (inner, outer) = tokio::io::duplex(64 * 1024);
    let (mut reads, mut writes) = tokio::io::split(outer);
    tokio::spawn(async move {
        while let Some(Ok(Message::Binary(bytes))) = hears.next().await {
            if writes.write_all(&bytes).await.is_err() {
                break;
            }
        }
        let _ = writes.shutdown().await;
    });
    tokio::spawn(async move {
        let mut bytes = vec![0; 4096];
        while let Ok(count @ 1..) = reads.read(&mut bytes).await {
            if tells.send(Message::binary(bytes[..count].to_vec())).await.is_err() {
                break;
            }
        }
    });
    Wire::Inner(inner)
}

async fn serve<S>(mut stream: S, seen: &watch::Sender<Seen>, mut shows: broadcast::Receiver<Vec<u8>>) -> io::Result<()>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    stream.write_all(b"RFB 003.008\n").await?;
    stream.read_exact(&mut [0; 12]).await?;
    // Also one that cannot be followed, which no viewer is to be offered.
    stream.write_all(&[2, 19, 1]).await?;
    stream.read_exact(&mut [0; 1]).await?;
    stream.write_all(&[0; 4]).await?;
    let shared = stream.read_u8().await?;
    stream.write_all(INIT).await?;
    seen.send_modify(|seen| {
        seen.shared.push(shared);
        seen.here += 1;
    });
    let (mut reads, mut writes) = tokio::io::split(stream);
    let hears = async {
        let mut bytes = vec![0; 4096];
        loop {
            match reads.read(&mut bytes).await {
                Ok(count @ 1..) => seen.send_modify(|seen| seen.said.extend(&bytes[..count])),
                _ => return,
            }
        }
    };
    let shows = async {
        while let Some(shown) = shows.recv().await.ok().filter(|shown| !shown.is_empty()) {
            for part in shown.chunks(64 * 1024) {
                if writes.write_all(part).await.is_err() {
                    return;
                }
                seen.send_modify(|seen| seen.written += part.len());
            }
        }
    };
    tokio::select! {
        () = hears => {}
        () = shows => {}
    }
    seen.send_modify(|seen| seen.here -= 1);
    Ok(())
}
