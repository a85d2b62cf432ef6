//! A viewer, as noVNC is one: a WebSocket that carries RFB.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _, http::HeaderValue},
};

use super::PATIENCE;

/// One that is let in.
pub struct View {
    socket: WebSocketStream<TcpStream>,
    /// What came and was not awaited yet.
    heard: Vec<u8>,
}

/// What it comes with.
#[derive(Debug, Clone, Default)]
pub struct Coming {
    pub pass: String,
    /// Its own secret.
    pub viewer: Option<String>,
    /// The page's.
    pub origin: Option<String>,
}

impl Coming {
    pub fn with(pass: &Value) -> Self {
        Self { pass: pass["pass"].as_str().expect("a pass").to_owned(), ..Self::default() }
    }

    pub fn named(mut self, secret: &str) -> Self {
        self.viewer = Some(secret.to_owned());
        self
    }

    pub fn from(mut self, origin: &str) -> Self {
        self.origin = Some(origin.to_owned());
        self
    }

    /// The status and the code of a refusal.
    pub async fn refused(&self, at: SocketAddr, session: &str) -> (u16, String) {
        match self.open(at, session).await {
            Ok(_) => panic!("it was let in"),
            Err(Error::Http(answer)) => {
                let body = answer.body().as_deref().unwrap_or_default();
                let problem: Value = serde_json::from_slice(body).unwrap_or_default();
                (answer.status().as_u16(), problem["code"].as_str().unwrap_or_default().to_owned())
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Comes, and sees the desktop.
    pub async fn sees(&self, at: SocketAddr, session: &str) -> View {
        let socket = self.open(at, session).await.expect("it is let in");
        let mut view = View { socket, heard: Vec::new() };
        assert_eq!(view.hears(12).await, b"RFB 003.008\n");
        view.says(b"RFB 003.008\n").await;
        assert_eq!(view.hears(2).await, [1, 1], "what can be followed, and nothing else");
        view.says(&[1]).await;
        assert_eq!(view.hears(4).await, [0; 4]);
        // It asks for the others to be sent away.
        view.says(&[0]).await;
        assert_eq!(view.hears(super::INIT.len()).await, super::INIT);
        view
    }

    async fn open(&self, at: SocketAddr, session: &str) -> Result<WebSocketStream<TcpStream>, Error> {
        let stream = TcpStream::connect(at).await.expect("the replica accepts");
        let mut request = format!("ws://{at}/sessions/{session}/vnc").into_client_request().expect("an address");
        let mut protocols = format!("binary, leasehold.pass.{}", self.pass);
        if let Some(secret) = &self.viewer {
            protocols.push_str(&format!(", leasehold.viewer.{secret}"));
        }
        let text = |text: &str| HeaderValue::from_str(text).expect("a header");
        request.headers_mut().insert("Sec-WebSocket-Protocol", text(&protocols));
        if let Some(origin) = &self.origin {
            request.headers_mut().insert("Origin", text(origin));
        }
        let (socket, answer) = client_async(request, stream).await?;
        assert_eq!(answer.headers()["Sec-WebSocket-Protocol"], "binary");
        Ok(socket)
    }
}

impl View {
    pub async fn says(&mut self, bytes: &[u8]) {
        self.sends(Message::binary(bytes.to_vec())).await;
    }

    pub async fn sends(&mut self, message: Message) {
        self.socket.send(message).await.expect("it is sent");
    }

    /// The next bytes, so many.
    pub async fn hears(&mut self, count: usize) -> Vec<u8> {
        while self.heard.len() < count {
            match timeout(PATIENCE, self.socket.next()).await.expect("in time") {
                Some(Ok(Message::Binary(bytes))) => self.heard.extend(bytes),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("{other:?} instead of {count} bytes"),
            }
        }
        self.heard.drain(..count).collect()
    }

    /// With what code and reason it is closed.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("in time") {
                Some(Ok(Message::Close(Some(frame)))) => return (frame.code.into(), frame.reason.to_string()),
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("{other:?} instead of a farewell"),
            }
        }
    }

    /// Leaves.
    pub async fn leaves(mut self) {
        self.socket.close(None).await.expect("it says so");
    }
}
