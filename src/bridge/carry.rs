//! Carries one viewer.

use std::{io, pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::time::timeout;

use super::{
    Refused,
    desktop::{Desktop, Hears, Says},
    handshake::Handshake,
    input::Following,
    view_only::Watching,
};

/// The longest that the handshake may take: somebody may have to type a password.
const HANDSHAKE: Duration = Duration::from_mins(1);

/// How the carrying of a viewer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The viewer left.
    Left,
    /// The desktop closed the connection, or it broke: why, if that is known.
    Desktop(String),
    /// One of them said what cannot be carried.
    Refused(String),
}

/// What was carried.
pub trait Traffic {
    /// From the desktop to the viewer.
    fn shown(&self, bytes: usize);
    /// From the viewer to the desktop, as it came.
    fn said(&self, bytes: usize);
    /// A viewer that drives uses the keyboard or the pointer.
    fn used(&self);
}

/// Carries a viewer until one of them ends it; when this is dropped the desktop is let go at once. `hears` is what the viewer says
/// (it ends when the viewer leaves), `tell` what it is told by, which resolves when the viewer takes it. One with `view_only`
/// sends nothing that is input.
pub async fn carry<S, T>(desktop: Desktop, hears: S, tell: T, view_only: bool, traffic: &impl Traffic) -> Ended
where
    S: Stream<Item = Result<Bytes, Refused>>,
    T: AsyncFn(Bytes) -> io::Result<()>,
{
    let (from_desktop, to_desktop) = desktop.split();
    let mut way = Way { from_desktop, to_desktop, hears: Box::pin(hears), tell, traffic };
    let handshake = match timeout(HANDSHAKE, way.shake_hands()).await {
        Ok(Ok(handshake)) => handshake,
        Ok(Err(ended)) => return ended,
        Err(_) => return Ended::Refused(format!("the handshake takes longer than {HANDSHAKE:?}")),
    };
    if !handshake.is_open() {
        return Ended::Desktop("it refuses the viewer".to_owned());
    }
    way.go_on(handshake, view_only).await
}

struct Way<'a, S, T, C> {
    from_desktop: Hears,
    to_desktop: Says,
    hears: Pin<Box<S>>,
    tell: T,
    traffic: &'a C,
}

impl<S, T, C> Way<'_, S, T, C>
where
    S: Stream<Item = Result<Bytes, Refused>>,
    T: AsyncFn(Bytes) -> io::Result<()>,
    C: Traffic,
{
    async fn shake_hands(&mut self) -> Result<Handshake, Ended> {
        let mut handshake = Handshake::new();
        while !handshake.is_over() {
            let understood = tokio::select! {
                said = self.from_desktop.next() => {
                    let said = desktop_said(said)?;
                    self.traffic.shown(said.len());
                    handshake.desktop_said(&said)
                }
                said = self.hears.next() => {
                    let said = viewer_said(said)?;
                    self.traffic.said(said.len());
                    handshake.viewer_said(&said)
                }
            };
            let (to_viewer, to_desktop) =
                (std::mem::take(&mut handshake.to_viewer), std::mem::take(&mut handshake.to_desktop));
            if !to_viewer.is_empty() {
                (self.tell)(to_viewer.into()).await.map_err(|_| Ended::Left)?;
            }
            if !to_desktop.is_empty() {
                self.to_desktop.say(to_desktop).await.map_err(|error| lost(&error))?;
            }
            understood.map_err(|why| refused(&why))?;
        }
        Ok(handshake)
    }

    async fn go_on(mut self, handshake: Handshake, view_only: bool) -> Ended {
        let (shown, said) = handshake.rest();
        let (mut watching, mut following) = (view_only.then(Watching::default), Following::default());
        let down = async {
            let mut next = Bytes::from(shown);
            loop {
                if !next.is_empty() {
                    (self.tell)(next).await.map_err(|_| Ended::Left)?;
                }
                next = desktop_said(self.from_desktop.next().await)?;
                self.traffic.shown(next.len());
            }
        };
        let up = async {
            let mut next = Bytes::from(said);
            loop {
                let passes = match &mut watching {
                    None => {
                        if following.hears_input(&next) {
                            self.traffic.used();
                        }
                        next.into()
                    }
                    Some(watching) => {
                        let mut passes = Vec::new();
                        watching.pass(&next, &mut passes).map_err(|why| refused(&why))?;
                        passes
                    }
                };
                if !passes.is_empty() {
                    self.to_desktop.say(passes).await.map_err(|error| lost(&error))?;
                }
                next = viewer_said(self.hears.next().await)?;
                self.traffic.said(next.len());
            }
        };
        let ended: Result<std::convert::Infallible, Ended> = tokio::select! {
            ended = down => ended,
            ended = up => ended,
        };
        match ended {
            Ok(never) => match never {},
            Err(ended) => ended,
        }
    }
}

fn desktop_said(said: io::Result<Option<Bytes>>) -> Result<Bytes, Ended> {
    match said {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Ended::Desktop("it closed the connection".to_owned())),
        Err(error) => Err(lost(&error)),
    }
}

fn viewer_said(said: Option<Result<Bytes, Refused>>) -> Result<Bytes, Ended> {
    match said {
        Some(Ok(bytes)) => Ok(bytes),
        Some(Err(why)) => Err(refused(&why)),
        None => Err(Ended::Left),
    }
}

fn lost(error: &io::Error) -> Ended {
    Ended::Desktop(format!("the connection broke: {error}"))
}

fn refused(why: &Refused) -> Ended {
    Ended::Refused(why.to_string())
}
