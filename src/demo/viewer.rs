//! One client that views the demo target.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader, BufWriter},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    time::timeout,
};

use super::screen::{COLOURS, Screen};
use crate::rfb::{self, Area, ClientMessage, PixelFormat, Version};

/// A handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A client that takes no row for so long is given up.
const STALLED: Duration = Duration::from_secs(30);

/// The screen that all viewers share.
#[derive(Clone)]
pub(super) struct SharedScreen {
    screen: Arc<Mutex<Screen>>,
    version: watch::Sender<u64>,
}

impl SharedScreen {
    pub(super) fn new(screen: Screen) -> Self {
        let version = watch::Sender::new(screen.version());
        Self { screen: Arc::new(Mutex::new(screen)), version }
    }

    /// Draws, and tells the viewers.
    pub(super) fn draw(&self, drawing: impl FnOnce(&mut Screen)) {
        let version = self.read(|screen| {
            drawing(screen);
            screen.version()
        });
        self.version.send_if_modified(|told| std::mem::replace(told, version) != version);
    }

    fn read<T>(&self, reading: impl FnOnce(&mut Screen) -> T) -> T {
        reading(&mut self.screen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Serves one client until it goes away or says what cannot be understood.
pub(super) async fn view(stream: TcpStream, name: &str, size: (u16, u16), screen: SharedScreen) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    let mut viewer = Viewer {
        reader: BufReader::with_capacity(1024, reader),
        writer: BufWriter::new(writer),
        format: PixelFormat::BGRX,
        wanted: None,
        seen: 0,
        screen,
    };
    timeout(HANDSHAKE, viewer.shake_hands(name, size)).await??;
    viewer.run().await
}

struct Viewer {
    reader: BufReader<OwnedReadHalf>,
    writer: BufWriter<OwnedWriteHalf>,
    format: PixelFormat,
    /// The area that it waits to see.
    wanted: Option<Area>,
    /// The version of the screen that it saw.
    seen: u64,
    screen: SharedScreen,
}

impl Viewer {
    async fn shake_hands(&mut self, name: &str, (width, height): (u16, u16)) -> io::Result<()> {
        self.say(&Version::V3_8.encode()).await?;
        let version = rfb::greeting(&mut self.reader).await.map_err(io::Error::other)?.published();
        self.say(rfb::security(version)).await?;
        if version > Version::V3_3 && self.reader.read_u8().await? != rfb::SECURITY_NONE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a security type that was not offered"));
        }
        if version == Version::V3_8 {
            self.say(&[0; 4]).await?;
        }
        let _shared = self.reader.read_u8().await?;
        self.say(&rfb::server_init(width, height, &self.format, name)).await
    }

    async fn run(&mut self) -> io::Result<()> {
        let mut versions = self.screen.version.subscribe();
        loop {
            tokio::select! {
                // One byte, so that nothing is lost when the screen changes first.
                kind = self.reader.read_u8() => {
                    let message = rfb::read_client_message(kind?, &mut self.reader).await?;
                    self.obey(message);
                }
                Ok(()) = versions.changed(), if self.wanted.is_some() => {}
            }
            self.show().await?;
        }
    }

    fn obey(&mut self, message: ClientMessage) {
        match message {
            ClientMessage::SetPixelFormat(format) => self.format = format,
            ClientMessage::UpdateRequest { incremental, area } => {
                self.wanted = Some(area);
                if !incremental {
                    self.seen = 0;
                }
            }
            ClientMessage::Key { down: true, keysym } => self.screen.draw(|screen| screen.key(keysym)),
            ClientMessage::Pointer { buttons, x, y } => self.screen.draw(|screen| screen.pointer(buttons, x, y)),
            ClientMessage::Key { down: false, .. } | ClientMessage::SetEncodings | ClientMessage::CutText => {}
        }
    }

    /// Sends what changed in the area that the client waits for, if anything did. One row at a time is copied, so a
    /// client that reads slowly costs no more memory than one that reads fast.
    async fn show(&mut self) -> io::Result<()> {
        let Some(wanted) = self.wanted else { return Ok(()) };
        let (changed, version) = self.screen.read(|screen| (screen.changed_since(self.seen, wanted), screen.version()));
        let Some(area) = changed else { return Ok(()) };
        (self.wanted, self.seen) = (None, version);
        let colours = COLOURS.map(|colour| self.format.pixel(colour));
        let width = self.format.bytes_per_pixel();
        let mut row = Vec::with_capacity(usize::from(area.width) * width);
        self.writer.write_all(&rfb::raw_update_header(area)).await?;
        for y in area.y..area.y + area.height {
            row.clear();
            self.screen.read(|screen| {
                for pixel in screen.row(y, area) {
                    row.extend_from_slice(&colours[usize::from(*pixel)][..width]);
                }
            });
            timeout(STALLED, self.writer.write_all(&row)).await??;
        }
        timeout(STALLED, self.writer.flush()).await?
    }

    async fn say(&mut self, message: &[u8]) -> io::Result<()> {
        self.writer.write_all(message).await?;
        self.writer.flush().await
    }
}
