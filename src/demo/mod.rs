//! The demo target: a process that a VNC client can view, in place of a container with a desktop.
//!
//! It speaks RFB 3.8 (and 3.7 and 3.3) without a password, in raw encoding and in true-colour formats of 8, 16 and 32
//! bits; a client that asks for a colour map is hung up on. It shows its name, the time (UTC), what is typed and what
//! is drawn with a mouse button held, the same to all its viewers.

mod font;
mod screen;
mod viewer;

use std::{io, time::Duration};

use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use self::{
    screen::Screen,
    viewer::{SharedScreen, view},
};

/// Connections at a time; more are hung up on at once.
const VIEWERS_MOST: usize = 64;

/// What the demo target shows.
#[derive(Debug, Clone)]
pub struct Desktop {
    /// Shown on the screen and as the desktop's name.
    pub name: String,
    /// In pixels.
    pub width: u16,
    /// In pixels.
    pub height: u16,
}

impl Desktop {
    /// A desktop of 640 × 480 pixels.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), width: 640, height: 480 }
    }
}

/// Serves VNC clients until `shutdown`, and then hangs up on them at once.
///
/// # Errors
/// The listener has no address.
pub async fn serve(listener: TcpListener, desktop: Desktop, shutdown: CancellationToken) -> io::Result<()> {
    tracing::info!(address = %listener.local_addr()?, name = desktop.name, "demo target listens");
    let screen = SharedScreen::new(Screen::new(desktop.width, desktop.height, &desktop.name));
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    let mut viewers = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            _ = seconds.tick() => {
                let now = jiff::Timestamp::now();
                let second = now.as_second().rem_euclid(60) as usize;
                screen.draw(|screen| screen.tick(&now.strftime("%H:%M:%S").to_string(), second));
            }
            Some(_) = viewers.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) if viewers.len() < VIEWERS_MOST => {
                    let (desktop, screen) = (desktop.clone(), screen.clone());
                    viewers.spawn(async move {
                        let ended = view(stream, &desktop.name, (desktop.width, desktop.height), screen).await;
                        tracing::debug!(%peer, ?ended, "a viewer is gone");
                    });
                }
                Ok((_, peer)) => tracing::debug!(%peer, "a viewer too many"),
                Err(error) => {
                    // Out of file descriptors, or a client that was gone already: both pass.
                    tracing::debug!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}
