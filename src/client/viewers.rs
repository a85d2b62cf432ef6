//! Desktops: viewer passes, and what a viewer speaks.

use std::future;

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{
    Upgraded,
    header::{
        CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::client::generate_key, protocol::Role},
};

use super::{Client, error::ClientError, http::patiently};
use crate::model::{Pass, SessionId};

/// The most that is read at once.
const CHUNK: usize = 16 * 1024;

/// A desktop that a viewer sees.
pub struct Desktop {
    socket: WebSocketStream<Upgraded>,
}

/// Why it is seen no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DesktopEnd {
    /// The viewer closed its end.
    Left,
    /// The lease is over.
    Lease,
    /// The replica ends, or broke off: another one can be asked.
    Replica,
    /// The desktop is gone, or what was said could not be carried: why.
    Other(String),
}

impl Client {
    /// Makes a pass for one viewer, who must come within `expires_in` seconds (none: the server's default).
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn make_pass(
        &self,
        id: SessionId,
        view_only: bool,
        expires_in: Option<u64>,
    ) -> Result<Pass, ClientError> {
        let body = json!({ "view_only": view_only, "expires_in": expires_in });
        // One that nobody is told of is used by nobody.
        patiently(|| self.http.json(self.http.post(&format!("/sessions/{id}/passes")).json(&body))).await
    }

    /// Opens the desktop that a pass is for. Once: the pass is used up by it.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn view(&self, pass: &Pass) -> Result<Desktop, ClientError> {
        let text = |text: &str| HeaderValue::from_str(text).map_err(|_| ClientError::BadKey);
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, text(&generate_key())?);
        let mut protocols = text(&format!("binary, leasehold.pass.{}", pass.pass))?;
        protocols.set_sensitive(true);
        headers.insert(SEC_WEBSOCKET_PROTOCOL, protocols);
        let call = self.http.get(&pass.path).headers(headers);
        let connection = self.http.upgrade(call).await?;
        Ok(Desktop { socket: WebSocketStream::from_raw_socket(connection, Role::Client, None).await })
    }
}

impl Desktop {
    /// Carries what a VNC viewer says and sees, until one of them ends it.
    pub async fn carry<S: AsyncRead + AsyncWrite>(self, viewer: S) -> DesktopEnd {
        let (mut says, mut hears) = self.socket.split();
        let (mut reads, mut writes) = tokio::io::split(viewer);
        let up = async {
            loop {
                let mut bytes = Vec::with_capacity(CHUNK);
                match reads.read_buf(&mut bytes).await {
                    Ok(1..) => {
                        if says.send(Message::binary(bytes)).await.is_err() {
                            // How it ended is heard on the other side.
                            return future::pending().await;
                        }
                    }
                    _ => return DesktopEnd::Left,
                }
            }
        };
        let down = async {
            loop {
                match hears.next().await {
                    Some(Ok(Message::Binary(bytes))) => {
                        if writes.write_all(&bytes).await.and(writes.flush().await).is_err() {
                            return DesktopEnd::Left;
                        }
                    }
                    Some(Ok(Message::Close(Some(farewell)))) => {
                        return match u16::from(farewell.code) {
                            4001 => DesktopEnd::Lease,
                            1012 => DesktopEnd::Replica,
                            _ => DesktopEnd::Other(farewell.reason.to_string()),
                        };
                    }
                    Some(Ok(Message::Close(None)) | Err(_)) | None => return DesktopEnd::Replica,
                    Some(Ok(_)) => {}
                }
            }
        };
        tokio::select! {
            end = up => end,
            end = down => end,
        }
    }
}
