//! One viewer's WebSocket.

use std::{
    cell::Cell,
    io,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::web::Bytes;
use actix_ws::{AggregatedMessage, CloseCode, CloseReason, MessageStream, ProtocolError, Session};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Lease, input};
use crate::{
    bridge::{Desktop, Ended, Refused, Traffic, carry},
    metrics::{CountedViewer, Metrics},
    pool::{Pool, ViewerPlace, Viewing},
};

/// The longest frame of a viewer, and the longest message: input is short, and a clipboard is no file.
const FRAME_MOST: usize = 1024 * 1024;
/// Between two signs of life.
const PING: Duration = Duration::from_secs(20);
/// A viewer that is not heard of for so long is gone.
const SILENCE: Duration = Duration::from_mins(1);
/// How long a viewer may take to hear why it is let go.
const FAREWELL: Duration = Duration::from_secs(1);
/// The longest reason that a close frame has room for.
const REASON_BYTES: usize = 120;

/// A viewer that was let in.
pub(super) struct Viewer {
    pub(super) pool: Pool,
    pub(super) viewing: Viewing,
    pub(super) session: Session,
    pub(super) hears: MessageStream,
    pub(super) place: ViewerPlace,
    /// The replica ends.
    pub(super) ending: CancellationToken,
    pub(super) metrics: Arc<Metrics>,
}

/// Why a viewer is seen no more.
enum Over {
    Carried(Ended),
    Lease,
    Replica,
    Silent,
}

impl Viewer {
    /// Shows the desktop to it as long as the lease goes on.
    pub(super) async fn see(self, desktop: Desktop, lease: Lease) {
        let Self { pool, viewing, session, hears, place, ending, metrics } = self;
        let (session_id, target_type) = (viewing.session.id, &viewing.target_type);
        let container_id = viewing.session.container.as_ref().map(|one| one.id.to_string());
        let (view_only, began) = (viewing.view_only, Instant::now());
        tracing::info!(%session_id, container_id, view_only, "a viewer came");
        let used = Notify::new();
        let traffic = Counted { viewer: metrics.viewers().came(target_type, view_only), used: &used };
        let heard = Rc::new(Cell::new(Instant::now()));
        let speaks = session.clone();
        let tell = async move |bytes: Bytes| {
            speaks.clone().binary(bytes).await.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
        };
        let over = tokio::select! {
            ended = carry(desktop, hear(hears, session.clone(), heard.clone()), tell, view_only, &traffic) => Over::Carried(ended),
            () = lease.over() => Over::Lease,
            () = ending.cancelled() => Over::Replica,
            () = silence(session.clone(), &heard) => Over::Silent,
            never = input::report(&pool, &viewing, &used) => match never {},
        };
        drop(place);
        metrics.viewers().ended(target_type, over.word());
        let seconds = began.elapsed().as_secs();
        tracing::info!(%session_id, container_id, view_only, seconds, how = over.word(), why = over.reason(), "a viewer is gone");
        let farewell = CloseReason { code: over.code(), description: Some(short(over.reason())) };
        // It may hear nothing any more.
        let _ = timeout(FAREWELL, session.close(Some(farewell))).await;
    }
}

impl Over {
    fn code(&self) -> CloseCode {
        match self {
            Self::Carried(Ended::Left) | Self::Silent => CloseCode::Normal,
            Self::Lease => CloseCode::Other(4001),
            Self::Carried(Ended::Desktop(_)) => CloseCode::Other(4002),
            Self::Carried(Ended::Refused(_)) => CloseCode::Other(4003),
            Self::Replica => CloseCode::Restart,
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Carried(Ended::Left) => "left",
            Self::Carried(Ended::Desktop(_)) => "desktop_gone",
            Self::Carried(Ended::Refused(_)) => "refused",
            Self::Lease => "lease_over",
            Self::Replica => "replica_ends",
            Self::Silent => "silent",
        }
    }

    fn reason(&self) -> &str {
        match self {
            Self::Carried(Ended::Left) => "the viewer left",
            Self::Carried(Ended::Desktop(why) | Ended::Refused(why)) => why,
            Self::Lease => "the lease is over",
            Self::Replica => "this replica ends; another one can be asked",
            Self::Silent => "nothing was heard of the viewer",
        }
    }
}

fn short(reason: &str) -> String {
    let end = reason.char_indices().map(|(at, one)| at + one.len_utf8()).take_while(|end| *end <= REASON_BYTES).last();
    reason[..end.unwrap_or(0)].to_owned()
}

/// What the viewer says, to its end.
fn hear(
    messages: MessageStream,
    session: Session,
    heard: Rc<Cell<Instant>>,
) -> impl Stream<Item = Result<Bytes, Refused>> {
    let messages = messages.max_frame_size(FRAME_MOST).aggregate_continuations().max_continuation_size(FRAME_MOST);
    stream::unfold((messages, session, heard, false), async |(mut messages, mut session, heard, over)| {
        if over {
            return None;
        }
        let (said, over) = loop {
            let message = messages.next().await?;
            heard.set(Instant::now());
            match message {
                Ok(AggregatedMessage::Binary(bytes)) => break (Ok(bytes), false),
                Ok(AggregatedMessage::Ping(bytes)) => session.pong(&bytes).await.ok()?,
                Ok(AggregatedMessage::Pong(_)) => {}
                // Not all say farewell.
                Ok(AggregatedMessage::Close(_)) | Err(ProtocolError::Io(_)) => return None,
                Ok(AggregatedMessage::Text(_)) => {
                    break (Err(Refused::new("the viewer sends text; binary is right")), true);
                }
                Err(error) => break (Err(Refused::new(format!("the WebSocket cannot be read: {error}"))), true),
            }
        };
        Some((said, (messages, session, heard, over)))
    })
}

/// Resolves when the viewer gave no sign of life for too long.
async fn silence(mut session: Session, heard: &Cell<Instant>) {
    while heard.get().elapsed() < SILENCE {
        // One that takes nothing hears no ping either.
        if let Ok(Err(_)) = timeout(PING, session.ping(b"")).await {
            return;
        }
        sleep(PING).await;
    }
}

/// Counts what is carried, and tells of use.
struct Counted<'a> {
    viewer: CountedViewer,
    used: &'a Notify,
}

impl Traffic for Counted<'_> {
    fn shown(&self, bytes: usize) {
        self.viewer.shown.inc_by(bytes as u64);
    }

    fn said(&self, bytes: usize) {
        self.viewer.said.inc_by(bytes as u64);
    }

    fn used(&self) {
        self.used.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_fits_into_a_close_frame() {
        assert_eq!(short("the lease is over"), "the lease is over");
        assert_eq!(short(&"ä".repeat(100)).len(), REASON_BYTES);
        assert_eq!(short(""), "");
    }
}
