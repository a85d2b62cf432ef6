//! A wire to the Docker engine that can be cut: a TCP port before its socket.

use std::{net::SocketAddr, path::PathBuf};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, UnixStream},
    sync::watch,
};

/// Open until it is cut; ends with this value.
pub struct Wire {
    at: SocketAddr,
    whole: watch::Sender<bool>,
}

impl Wire {
    /// A wire to a Unix socket.
    pub async fn to(socket: impl Into<PathBuf>) -> Self {
        let socket = socket.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let at = listener.local_addr().expect("its address");
        let (whole, seen) = watch::channel(true);
        tokio::spawn(async move {
            let mut ended = seen.clone();
            let serve = async {
                while let Ok((mut near, _)) = listener.accept().await {
                    let (mut seen, socket) = (seen.clone(), socket.clone());
                    // While the wire is cut, a connection ends as soon as it is made.
                    tokio::spawn(async move {
                        let Ok(mut far) = UnixStream::connect(socket).await else { return };
                        tokio::select! {
                            _ = copy_bidirectional(&mut near, &mut far) => {}
                            _ = seen.wait_for(|whole| !whole) => {}
                        }
                    });
                }
            };
            tokio::select! {
                () = serve => {}
                () = async { while ended.changed().await.is_ok() {} } => {}
            }
        });
        Self { at, whole }
    }

    /// Its near end.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// Ends every connection, and each new one.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Lets through again.
    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}
