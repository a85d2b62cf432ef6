//! Desktops through real replicas: who sees them, who drives them, and when that is over.

mod access;
mod activity;
mod carried;
mod command;
mod desktop;
mod ends;
mod view;

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};

use self::{
    desktop::{INIT, Recorder},
    view::{Coming, View},
};
use crate::common::{
    http::Http,
    redis::Redis,
    replica::{Replica, Settings},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A key press, as RFB has it.
const KEY: [u8; 8] = [4, 1, 0, 0, 0, 0, 0xff, 0x0d];
/// A request for the screen.
const LOOK: [u8; 10] = [3, 1, 0, 0, 0, 0, 0, 1, 0, 1];

/// One container whose desktop is the test's own, and replicas that lend it.
struct Lab {
    desktop: Recorder,
    replicas: Vec<Replica>,
    redis: Redis,
}

impl Lab {
    async fn new(replicas: usize) -> Self {
        Self::with(replicas, Recorder::start().await, "vnc", |settings| settings).await
    }

    async fn with(replicas: usize, desktop: Recorder, port: &str, change: impl Fn(Settings) -> Settings) -> Self {
        let toml = format!(
            "[types.wine.probe]\nkind = \"none\"\n[types.wine.reset]\nkind = \"none\"\n\
             [[provider]]\nname = \"lab\"\nkind = \"static\"\n[[provider.container]]\nname = \"wine-1\"\ntype = \"wine\"\n\
             host = \"127.0.0.1\"\nports = {{ {port} = {} }}\n",
            desktop.address.port()
        );
        let (redis, settings) = (Redis::start(), change(Settings::toml(toml)));
        let mut started = Vec::new();
        for _ in 0..replicas {
            started.push(Replica::start_with_available(&redis.url(), &settings, 1).await);
        }
        Self { desktop, replicas: started, redis }
    }

    fn http(&self) -> Http {
        self.replicas[0].http()
    }

    fn at(&self) -> SocketAddr {
        self.replicas[0].address()
    }

    /// A session of the container, which its client keeps for so long.
    async fn session(&self, ttl_seconds: u64) -> String {
        let body = json!({ "target_type": "wine", "ttl_seconds": ttl_seconds });
        self.http().post("/sessions", body).await.expect(201).text_at("/id")
    }

    async fn pass(&self, session: &str, body: Value) -> Value {
        self.http().post(&format!("/sessions/{session}/passes"), body).await.expect(201).body
    }

    /// A viewer of the session that drives.
    async fn driver(&self, session: &str) -> View {
        Coming::with(&self.pass(session, json!({})).await).sees(self.at(), session).await
    }

    async fn end(&self, session: &str) {
        self.http().delete(&format!("/sessions/{session}")).await.expect(200);
    }
}
