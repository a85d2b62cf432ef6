//! The container's side: its VNC server, or the WebSocket behind a noVNC page.

use std::{io, time::Duration};

use bytes::Bytes;
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue, protocol::WebSocketConfig},
};

/// A desktop that does not answer within this time is not there.
const DIAL: Duration = Duration::from_secs(5);
/// The most that is read at once, so that a slow viewer holds little memory.
const CHUNK: usize = 16 * 1024;
/// The longest message of a WebSocket that is taken: websockify sends 64 KiB at most.
const MESSAGE_MOST: usize = 1024 * 1024;

/// A desktop that answers.
pub enum Desktop {
    /// By RFB.
    Rfb(TcpStream),
    /// By RFB in the messages of a WebSocket, as websockify does it.
    Page(Box<WebSocketStream<TcpStream>>),
}

/// It cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {reason}")]
pub struct DialError {
    /// Where it was tried.
    pub address: String,
    /// Why not.
    pub reason: String,
}

/// Dials the VNC server at `address` (host and port); with `page` the WebSocket of the noVNC page there.
///
/// # Errors
/// Nothing answers, in time.
pub async fn dial(address: &str, page: bool) -> Result<Desktop, DialError> {
    let error = |reason: String| DialError { address: address.to_owned(), reason };
    let dialled = async {
        let stream = TcpStream::connect(address).await.map_err(|failure| error(failure.to_string()))?;
        // Keys and small updates go out at once.
        let _ = stream.set_nodelay(true);
        if !page {
            return Ok(Desktop::Rfb(stream));
        }
        let request = format!("ws://{address}/websockify").into_client_request();
        let mut request = request.map_err(|failure| error(failure.to_string()))?;
        request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("binary"));
        let config = WebSocketConfig::default().max_message_size(Some(MESSAGE_MOST)).max_frame_size(Some(MESSAGE_MOST));
        match client_async_with_config(request, stream, Some(config)).await {
            Ok((stream, _)) => Ok(Desktop::Page(Box::new(stream))),
            Err(failure) => Err(error(failure.to_string())),
        }
    };
    timeout(DIAL, dialled).await.unwrap_or_else(|_| Err(error(format!("no answer within {DIAL:?}"))))
}

impl Desktop {
    pub(super) fn split(self) -> (Hears, Says) {
        match self {
            Self::Rfb(stream) => {
                let (hears, says) = stream.into_split();
                (Hears::Rfb(hears), Says::Rfb(says))
            }
            Self::Page(stream) => {
                let (says, hears) = (*stream).split();
                (Hears::Page(hears), Says::Page(says))
            }
        }
    }
}

/// What the desktop says.
pub(super) enum Hears {
    Rfb(OwnedReadHalf),
    Page(SplitStream<WebSocketStream<TcpStream>>),
}

/// What is said to it.
pub(super) enum Says {
    Rfb(OwnedWriteHalf),
    Page(SplitSink<WebSocketStream<TcpStream>, Message>),
}

impl Hears {
    /// The next bytes; none at its end. Nothing is lost when this is not awaited to the end.
    pub(super) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        match self {
            Self::Rfb(stream) => {
                let mut bytes = Vec::with_capacity(CHUNK);
                let count = stream.read_buf(&mut bytes).await?;
                Ok((count > 0).then(|| bytes.into()))
            }
            Self::Page(stream) => loop {
                match stream.next().await.transpose().map_err(io::Error::other)? {
                    None | Some(Message::Close(_)) => return Ok(None),
                    Some(Message::Binary(bytes)) => return Ok(Some(bytes)),
                    Some(Message::Text(_)) => return Err(io::Error::other("it sends text")),
                    // The library answers pings.
                    Some(_) => {}
                }
            },
        }
    }
}

impl Says {
    pub(super) async fn say(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        match self {
            Self::Rfb(stream) => stream.write_all(&bytes).await,
            Self::Page(stream) => stream.send(Message::Binary(bytes.into())).await.map_err(io::Error::other),
        }
    }
}
