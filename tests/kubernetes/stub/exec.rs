//! Commands in pods, over a WebSocket with a channel for each stream. `say WORD` says it, `fail CODE` says so on the other stream and ends
//! with that exit code; there is no shell.

use futures_util::SinkExt as _;
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE},
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::derive_accept_key, protocol::Role},
};

use super::http::Answer;

const PROTOCOL: &str = "v5.channel.k8s.io";
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;

pub fn run(request: Request<Incoming>, command: Vec<String>) -> Answer {
    let key = request.headers().get(SEC_WEBSOCKET_KEY).expect("a WebSocket").as_bytes().to_vec();
    tokio::spawn(async move {
        let upgraded = hyper::upgrade::on(request).await.expect("a WebSocket");
        let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let (channel, said, status) = match words.as_slice() {
            ["say", word] => (STDOUT, (*word).to_owned(), json!({"status": "Success"})),
            ["fail", code] => (STDERR, format!("it fails with {code}"), failed(code)),
            _ => (STDERR, String::new(), json!({"status": "Failure", "message": "executable file not found"})),
        };
        for (channel, text) in [(channel, said), (STATUS, status.to_string())] {
            socket.send(Message::binary([&[channel], text.as_bytes()].concat())).await.expect("the client listens");
        }
        let _ = socket.close(None).await;
    });
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_ACCEPT, derive_accept_key(&key))
        .header(SEC_WEBSOCKET_PROTOCOL, PROTOCOL)
        .body(Empty::new().map_err(|never| match never {}).boxed_unsync())
        .expect("an answer")
}

fn failed(code: &str) -> Value {
    json!({"status": "Failure", "reason": "NonZeroExitCode", "message": "command terminated with non-zero exit code",
        "details": {"causes": [{"reason": "ExitCode", "message": code}]}})
}
