//! A client's connection as the server reads it: a client that sends more requests than it awaits answers for is cut off.
//!
//! The server parses all requests that it has read before it answers the first. A request of 30 bytes takes it 7 KB, so
//! that one connection with the server's whole read buffer full of them (128 KiB) would take 30 MB, from anybody, without
//! a key. Few clients send even a second request before they have their answer.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use memchr::memchr;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most requests of one connection that are not answered.
const UNANSWERED_MOST: usize = 100;

/// A connection whose heads are counted as they pass, in both directions.
pub(super) struct Paced<T> {
    inner: T,
    requests: Heads,
    answers: Heads,
}

impl<T> Paced<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, requests: Heads::default(), answers: Heads::default() }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.requests.pass(&buf.filled()[before..]);
        if self.requests.count > self.answers.count + UNANSWERED_MOST {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::QuotaExceeded, "too many requests in one go")));
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Paced<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let taken = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes))?;
        self.answers.pass(&bytes[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// How many heads have passed, by the empty lines at their ends. A body may have such lines too: it counts as one more
/// for each, which is of no matter in JSON.
#[derive(Default)]
struct Heads {
    count: usize,
    /// How much of the end of a head has passed: 0 to 3 bytes.
    seen: usize,
}

impl Heads {
    const END: &'static [u8; 4] = b"\r\n\r\n";

    fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let at = if self.seen > 0 { 0 } else { memchr(Self::END[0], bytes).unwrap_or(bytes.len() - 1) };
            if bytes[at] == Self::END[self.seen] {
                self.seen += 1;
            } else {
                self.seen = usize::from(bytes[at] == Self::END[0]);
            }
            if self.seen == Self::END.len() {
                self.count += 1;
                self.seen = 0;
            }
            bytes = &bytes[at + 1..];
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[test]
    fn heads_are_counted_however_they_are_cut() {
        let text = b"GET / HTTP/1.1\r\nA: 1\r\n\r\nGET / HTTP/1.1\r\n\r\r\n\r\n\n\r\n";
        for size in 1..text.len() {
            let mut heads = Heads::default();
            text.chunks(size).for_each(|part| heads.pass(part));
            assert_eq!(heads.count, 2, "in pieces of {size}");
        }
    }

    #[tokio::test]
    async fn requests_pass_as_long_as_they_are_answered_and_no_longer() {
        let (mut client, server) = tokio::io::duplex(1024);
        let mut server = Paced::new(server);
        let (request, answer) = (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n");
        let mut buffer = [0; 18];
        for _ in 0..10 * UNANSWERED_MOST {
            client.write_all(request).await.unwrap();
            server.read_exact(&mut buffer).await.unwrap();
            server.write_all(answer).await.unwrap();
            client.read_exact(&mut [0; 19]).await.unwrap();
        }
        for _ in 0..UNANSWERED_MOST {
            client.write_all(request).await.unwrap();
            server.read_exact(&mut buffer).await.unwrap();
        }
        client.write_all(request).await.unwrap();
        assert_eq!(server.read_exact(&mut buffer).await.unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
    }
}
