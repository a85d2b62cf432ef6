//! A wire that can be cut, or fall silent: a TCP port before a server's socket.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};

/// What passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Everything.
    Whole,
    /// Requests do, answers are held back.
    Mute,
    /// Nothing, and nobody is told.
    Hole,
    /// Nothing: connections end as soon as they are made.
    Cut,
    /// Everything, each piece so much later.
    Late(Duration),
}

/// What it leads to.
#[derive(Clone)]
enum Far {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

/// A request that makes the wire mute just before it passes.
type Trigger = Arc<Mutex<Option<String>>>;

/// Ends with this value.
pub struct Wire {
    at: SocketAddr,
    far: Arc<Mutex<Far>>,
    state: Arc<watch::Sender<State>>,
    trigger: Trigger,
}

impl Wire {
    /// A wire to a Unix socket.
    pub async fn to(socket: impl Into<PathBuf>) -> Self {
        Self::lay(Far::Unix(socket.into())).await
    }

    /// A wire to a TCP port.
    pub async fn to_tcp(address: SocketAddr) -> Self {
        Self::lay(Far::Tcp(address)).await
    }

    async fn lay(far: Far) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let at = listener.local_addr().expect("its address");
        let (state, mut ended) = watch::channel(State::Whole);
        let (state, trigger) = (Arc::new(state), Trigger::default());
        let (weak, armed) = (Arc::downgrade(&state), trigger.clone());
        let far = Arc::new(Mutex::new(far));
        let leads_to = far.clone();
        tokio::spawn(async move {
            let serve = async {
                while let (Ok((near, _)), Some(state)) = (listener.accept().await, weak.upgrade()) {
                    let far = leads_to.lock().expect("the far end").clone();
                    tokio::spawn(join(near, far, state.subscribe(), weak.clone(), armed.clone()));
                }
            };
            tokio::select! {
                () = serve => {}
                () = async { while ended.changed().await.is_ok() {} } => {}
            }
        });
        Self { at, far, state, trigger }
    }

    /// Its near end.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// Leads new connections to another port: what was there is replaced.
    pub fn lead_to(&self, address: SocketAddr) {
        *self.far.lock().expect("the far end") = Far::Tcp(address);
    }

    /// Ends every connection, and each new one.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Becomes mute with the next request that has this text in it: it is carried out, and its answer is held back.
    pub fn mute_at(&self, text: &str) {
        *self.trigger.lock().expect("the trigger") = Some(text.to_owned());
    }

    /// Swallows everything, in both directions.
    pub fn hole(&self) {
        self.state.send_replace(State::Hole);
    }

    /// Delays every piece, in both directions.
    pub fn delay(&self, by: Duration) {
        self.state.send_replace(State::Late(by));
    }

    /// Lets through again, also what was held back.
    pub fn mend(&self) {
        self.state.send_replace(State::Whole);
    }
}

async fn join(
    near: TcpStream,
    far: Far,
    mut seen: watch::Receiver<State>,
    state: Weak<watch::Sender<State>>,
    trigger: Trigger,
) {
    let look = move |request: &[u8]| {
        let mut armed = trigger.lock().expect("the trigger");
        let meets = armed.as_ref().is_some_and(|text| request.windows(text.len()).any(|part| part == text.as_bytes()));
        if meets && let Some(state) = state.upgrade() {
            *armed = None;
            state.send_replace(State::Mute);
        }
    };
    match far {
        Far::Unix(socket) => {
            let Ok(far) = UnixStream::connect(socket).await else { return };
            both(near, far, &mut seen, look).await;
        }
        Far::Tcp(address) => {
            let Ok(far) = TcpStream::connect(address).await else { return };
            both(near, far, &mut seen, look).await;
        }
    }
}

async fn both(
    near: TcpStream,
    far: impl AsyncRead + AsyncWrite,
    seen: &mut watch::Receiver<State>,
    look: impl Fn(&[u8]),
) {
    let ((near_in, near_out), (far_in, far_out)) = (split(near), split(far));
    let asks = |state| matches!(state, State::Whole | State::Mute | State::Late(_));
    let requests = pass(near_in, far_out, seen.clone(), asks, look);
    let answers = |state| matches!(state, State::Whole | State::Late(_));
    let answers = pass(far_in, near_out, seen.clone(), answers, |_| {});
    tokio::select! {
        () = requests => {}
        () = answers => {}
        _ = seen.wait_for(|state| *state == State::Cut) => {}
    }
}

/// Copies from one to the other for as long as both live, when the state lets it.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut seen: watch::Receiver<State>,
    open: impl Fn(State) -> bool,
    look: impl Fn(&[u8]),
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
        look(&buffer[..count]);
        let late = *seen.borrow();
        if let State::Late(by) = late {
            tokio::time::sleep(by).await;
        }
        if seen.wait_for(|state| open(*state)).await.is_err() || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
