//! The question of an `http` probe. A target may say anything: its head is read up to a bound, its body never.

use std::{error::Error, io};

use http_body_util::Empty;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{ACCEPT, CONNECTION, HOST, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// The longest head of an answer, and its most headers. Ordinary ones have a tenth of either.
pub(super) const HEAD_BYTES: usize = 16 * 1024;
const HEADERS: usize = 64;

/// Asks for `path` on a new connection to `address`, and is content with a status from 200 to 399.
///
/// # Errors
/// What came instead, in few words.
pub(super) async fn ask<S>(stream: S, address: &str, path: &str) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = Request::get(path)
        .header(HOST, address)
        .header(USER_AGENT, concat!("leasehold/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|error| format!("the path of the probe: {error}"))?;
    let status = answer(stream, request).await.map_err(|error| innermost(&error))?.status().as_u16();
    if (200..400).contains(&status) { Ok(()) } else { Err(format!("HTTP {status}")) }
}

async fn answer<S>(stream: S, request: Request<Empty<Bytes>>) -> hyper::Result<Response<Incoming>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(HEAD_BYTES).max_headers(HEADERS).handshake(TokioIo::new(stream)).await?;
    let mut asked = std::pin::pin!(sender.send_request(request));
    tokio::select! {
        biased;
        answer = &mut asked => answer,
        // The answer may be its last word.
        ended = connection => match ended {
            Ok(()) => asked.await,
            Err(error) => Err(error),
        },
    }
}

/// The cause at the bottom of an error: the layers above say only that something failed.
fn innermost(error: &hyper::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.downcast_ref::<io::Error>().map_or_else(|| cause.to_string(), |broken| broken.kind().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::fuzz::Target;

    async fn asked(first: &'static [u8], rest: &'static [u8]) -> (Result<(), String>, usize) {
        let mut endless = Target::new(first, rest);
        let outcome = ask(&mut endless, "127.0.0.1:80", "/").await;
        (outcome, endless.taken)
    }

    #[tokio::test]
    async fn case_30_little_is_taken_of_a_head_that_does_not_end() {
        for (first, rest) in [
            (&b"HTTP/1.1 200 OK\r\nX-Long: "[..], &b"aaaaaaaaaaaaaaaa"[..]),
            (b"HTTP/1.1 200 OK\r\n", b"X-Many: 1\r\n"),
            (b"HTTP/1.1 200 ", b"O"),
            (b"HTTP/1.1 100 Continue\r\nX: ", b"a"),
        ] {
            let (outcome, taken) = asked(first, rest).await;
            let error = outcome.unwrap_err();
            assert!(error.len() < 80, "{error}");
            assert!(taken <= 4 * HEAD_BYTES, "{taken} bytes of {:?}", String::from_utf8_lossy(first));
        }
    }

    #[tokio::test]
    async fn case_30_little_is_taken_of_a_body_that_does_not_end() {
        let (outcome, taken) = asked(b"HTTP/1.1 204 No Content\r\n\r\n", b"a").await;
        assert_eq!(outcome, Ok(()));
        assert!(taken <= 4 * HEAD_BYTES, "{taken} bytes");
        assert_eq!(asked(b"HTTP/1.1 404 Not Found\r\n\r\n", b"a").await.0, Err("HTTP 404".to_owned()));
    }
}
