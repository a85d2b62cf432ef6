//! What stands at the other end: a desktop, and a relay before it. Each is this program in another role.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// The role of the desktop.
pub const DESKTOP: &str = "desktop";
/// The role of the relay; its argument is where it leads to.
pub const RELAY: &str = "relay";

/// What the relay holds of each direction.
const BUFFER: usize = 64 * 1024;

/// What is asked of it: a request for the screen, as a viewer that only watches may send it. Its `y` says how many MiB come; 0 is a
/// question, whose answer is as long.
pub const REQUEST_BYTES: usize = 10;
/// ServerInit of one pixel, without a name.
pub const INIT: &[u8] = b"\0\x01\0\x01\x20\x18\0\x01\0\xff\0\xff\0\xff\x10\x08\0\0\0\0\0\0\0\0";

/// Listens in this role until it is killed.
pub fn serve(role: &str, address: SocketAddr, to: Option<&str>) -> anyhow::Result<()> {
    let to: Option<SocketAddr> = to.map(str::parse).transpose()?;
    let relays = role == RELAY;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(async move {
                // Whoever measures hears of an end by itself.
                let _ = match to.filter(|_| relays) {
                    Some(to) => relay(stream, to).await,
                    None => show(stream).await,
                };
            });
        }
    })
}

async fn relay(mut stream: TcpStream, to: SocketAddr) -> io::Result<()> {
    let mut desktop = TcpStream::connect(to).await?;
    desktop.set_nodelay(true)?;
    tokio::io::copy_bidirectional_with_sizes(&mut stream, &mut desktop, BUFFER, BUFFER).await.map(drop)
}

async fn show(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(b"RFB 003.008\n").await?;
    stream.read_exact(&mut [0; 12]).await?;
    stream.write_all(&[1, 1]).await?;
    stream.read_exact(&mut [0; 1]).await?;
    stream.write_all(&[0; 4]).await?;
    stream.read_exact(&mut [0; 1]).await?;
    stream.write_all(INIT).await?;
    let picture = vec![7; 1024 * 1024];
    let mut request = [0; REQUEST_BYTES];
    loop {
        stream.read_exact(&mut request).await?;
        match u16::from_be_bytes([request[4], request[5]]) {
            0 => stream.write_all(&request).await?,
            mib => {
                for _ in 0..mib {
                    stream.write_all(&picture).await?;
                }
            }
        }
    }
}
