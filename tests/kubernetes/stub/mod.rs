//! An API server of the test's own: no cluster can be had where these tests run. It keeps pods, what makes them, and virtual machines when it is told to, but speaks the real protocol
//! of lists with pages, of watches with resource versions, bookmarks, 410 and broken connections, of access reviews, logs and commands,
//! so that the real `kube` client is what is tested. With `KUBECONFIG` set the cases of `pods.rs` run against a real cluster instead.

mod exec;
mod http;
mod objects;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{AbortHandle, JoinSet},
};

use self::objects::{Fault, Objects};

/// The token of the account whose rights can be taken away; the test's own has all of them.
const PROVIDER: &str = "provider";
/// See [`PROVIDER`].
const TESTER: &str = "tester";

/// Ends with the test.
pub struct Stub {
    state: Arc<State>,
    at: SocketAddr,
    folder: tempfile::TempDir,
    server: AbortHandle,
}

/// What the server shares with the test.
pub struct State {
    objects: Mutex<Objects>,
    /// Whether it serves the API of KubeVirt.
    kubevirt: AtomicBool,
    /// Rights that the provider lacks: verb and resource.
    denied: Mutex<Vec<(String, String)>>,
    /// The version of the last change.
    changed: watch::Sender<u64>,
    /// Counts how often all watches were broken off.
    cuts: watch::Sender<u64>,
    /// Whether watches tell of changes now.
    tells: watch::Sender<bool>,
}

impl State {
    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap()
    }

    /// Does something to the objects, and wakes the watches.
    fn change<T>(&self, act: impl FnOnce(&mut Objects) -> T) -> T {
        let mut objects = self.objects();
        let done = act(&mut objects);
        self.changed.send_replace(objects.version());
        done
    }
}

impl Stub {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let at = listener.local_addr().expect("its address");
        let state = Arc::new(State {
            objects: Mutex::default(),
            kubevirt: AtomicBool::new(false),
            denied: Mutex::default(),
            changed: watch::Sender::new(0),
            cuts: watch::Sender::new(0),
            tells: watch::Sender::new(true),
        });
        let shared = state.clone();
        let server = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                let service = hyper::service::service_fn(move |request| http::answer(state.clone(), request));
                let connection =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                connections.spawn(connection.with_upgrades());
            }
        });
        let folder = tempfile::tempdir().expect("a temporary folder");
        let stub = Self { state, at, folder, server: server.abort_handle() };
        for token in [PROVIDER, TESTER] {
            std::fs::write(stub.config_of(token), stub.config(token)).expect("a kubeconfig");
        }
        stub
    }

    /// A kubeconfig for the provider.
    pub fn kubeconfig(&self) -> PathBuf {
        self.config_of(PROVIDER)
    }

    /// A kubeconfig for the test.
    pub fn own_kubeconfig(&self) -> PathBuf {
        self.config_of(TESTER)
    }

    fn config_of(&self, token: &str) -> PathBuf {
        self.folder.path().join(Path::new(token))
    }

    fn config(&self, token: &str) -> String {
        let at = self.at;
        format!(
            "{{apiVersion: v1, kind: Config, current-context: stub, clusters: [{{name: stub, cluster: {{server: \"http://{at}\"}}}}], \
             users: [{{name: me, user: {{token: {token}}}}}], contexts: [{{name: stub, context: {{cluster: stub, user: me, namespace: lab}}}}]}}"
        )
    }

    /// From now on the provider may not.
    pub fn deny(&self, verb: &str, resource: &str) {
        self.state.denied.lock().unwrap().push((verb.to_owned(), resource.to_owned()));
    }

    /// From now on the provider may all.
    pub fn allow(&self) {
        self.state.denied.lock().unwrap().clear();
    }

    /// Installs KubeVirt.
    pub fn install_kubevirt(&self) {
        self.state.kubevirt.store(true, Ordering::Relaxed);
    }

    /// Removes KubeVirt, and with it all that it brought.
    pub fn remove_kubevirt(&self) {
        self.state.kubevirt.store(false, Ordering::Relaxed);
        self.state
            .change(|objects| ["virtualmachineinstances", "virtualmachines"].map(|name| objects.remove_all(name)));
        self.cut();
    }

    /// Breaks off every watch in the middle of a line.
    pub fn cut(&self) {
        self.state.cuts.send_modify(|count| *count += 1);
    }

    /// Watches tell of nothing any more, until [`Self::speak`].
    pub fn fall_silent(&self) {
        self.state.tells.send_replace(false);
    }

    pub fn speak(&self) {
        self.state.tells.send_replace(true);
    }

    /// Forgets what happened: a watch that is behind gets 410.
    pub fn compact(&self) {
        self.state.objects().compact();
    }

    /// Objects that one page of a list has at most.
    pub fn page(&self, most: usize) {
        self.state.objects().page = most;
    }

    /// The next further page of a list is refused, since what the first one showed is forgotten.
    pub fn expire_page(&self) {
        self.state.objects().expires = 1;
    }

    /// Calls of the provider, as `GET /path?query`.
    pub fn calls(&self) -> Vec<String> {
        self.state.objects().calls.clone()
    }

    /// Whether the provider's marks on pods fail.
    pub fn fail_marks(&self, fail: bool) {
        let mut objects = self.state.objects();
        if fail {
            objects.faults.insert(Fault::MarksFail);
        } else {
            objects.faults.remove(&Fault::MarksFail);
        }
    }

    /// The next one who scales a workload does, and never hears of it.
    pub fn lose_answer(&self) {
        self.state.objects().faults.insert(Fault::AnswerIsLost);
    }

    /// The next one who scales a workload finds that somebody else has changed it.
    pub fn change_before(&self) {
        self.state.objects().faults.insert(Fault::IsChangedBefore);
    }

    /// Puts another pod in the place of each that is deleted and has a controller, as a ReplicaSet does.
    pub fn replace_deleted(&self) {
        self.state.objects().replaces = true;
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}
