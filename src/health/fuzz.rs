//! What a hostile target may say to a probe, for the fuzzer and for random tests.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::http::{HEAD_BYTES, ask};
use crate::rfb;

/// The longest reason that a verdict may have, in characters.
const REASON_MOST: usize = 200;

/// A target that says this to a probe by RFB: little of it is read, and the verdict is in few words.
///
/// # Panics
/// More is, or they are not.
pub fn rfb(words: &[u8]) {
    now(async {
        let mut target = Target::new(words, b"");
        target.asked = true;
        match rfb::greeting(&mut target).await {
            Ok(version) => {
                assert!(target.taken <= rfb::GREETING_BYTES, "{} bytes of a greeting", target.taken);
                let _ = rfb::pass_security(&mut target, version).await;
                assert!(target.taken <= rfb::GREETING_BYTES + 260, "{} bytes of a handshake", target.taken);
            }
            Err(error) => reason(&error.to_string()),
        }
    });
}

/// A target that answers this to a probe by HTTP, and goes on with its last bytes for ever.
///
/// # Panics
/// More is read, or the verdict is not in few words.
pub fn http(words: &[u8]) {
    let rest = words.get(words.len().saturating_sub(16)..).unwrap_or_default();
    for rest in [b"", rest] {
        now(async {
            let mut target = Target::new(words, rest);
            if let Err(error) = ask(&mut target, "127.0.0.1:80", "/").await {
                reason(&error);
            }
            // The reader's buffer doubles.
            assert!(target.taken <= 4 * HEAD_BYTES, "{} bytes of a head", target.taken);
        });
    }
}

fn reason(text: &str) {
    assert!(!text.is_empty() && text.chars().count() <= REASON_MOST, "{text:?}");
}

/// Runs what waits for nothing but itself.
fn now(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(work);
}

/// A target that, once asked, says `words`, then `rest` for ever or nothing, and counts what is taken.
pub(super) struct Target<'a> {
    asked: bool,
    waiting: Option<Waker>,
    words: &'a [u8],
    rest: &'a [u8],
    pub(super) taken: usize,
}

impl<'a> Target<'a> {
    pub(super) fn new(words: &'a [u8], rest: &'a [u8]) -> Self {
        Self { asked: false, waiting: None, words, rest, taken: 0 }
    }
}

impl AsyncRead for Target<'_> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.asked {
            self.waiting = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if self.words.is_empty() {
            self.words = self.rest;
        }
        let (now, later) = self.words.split_at(self.words.len().min(buf.remaining()));
        buf.put_slice(now);
        self.words = later;
        self.taken += now.len();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Target<'_> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.asked = true;
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    /// Bytes, and what looks like a server's words.
    fn words() -> impl Strategy<Value = Vec<u8>> {
        let words: &[&[u8]] = &[
            b"RFB ",
            b"003.",
            b"008\n",
            b"003\n",
            b"\n",
            b"\x01",
            b"\x00\x00\x00\x01",
            b"\xff",
            b"HTTP/1.1 ",
            b"HTTP/1.0 ",
            b"200 OK",
            b"100 Continue",
            b"101 Switching Protocols",
            b"999",
            b"\r\n",
            b"\r\n\r\n",
            b"Content-Length: ",
            b"18446744073709551616",
            b"Transfer-Encoding: chunked",
            b"Connection: upgrade",
            b": ",
            b"\x00",
            b"X: y\r\n",
        ];
        prop_oneof![vec(any::<u8>(), 0..600), vec(select(words.to_vec()), 0..60).prop_map(|words| words.concat()),]
    }

    proptest! {
        #[test]
        fn case_30_little_is_read_whatever_an_rfb_target_says(words in words()) {
            super::rfb(&words);
        }

        #[test]
        fn case_30_little_is_read_whatever_an_http_target_says(words in words()) {
            super::http(&words);
        }
    }
}
