//! A primary, its replicas, and three sentinels that watch them.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::{eventually, redis::Redis};

/// What the sentinels call it.
pub const SERVICE: &str = "main";

/// All of them, killed with the test.
pub struct Watched {
    servers: Vec<Redis>,
    sentinels: Vec<Sentinel>,
}

/// One sentinel.
pub struct Sentinel {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Watched {
    /// Starts one primary and so many replicas, with these arguments each, and waits until the sentinels know all.
    pub async fn start(replicas: usize, args: &[&str]) -> Self {
        let primary = Redis::start_with(args);
        let port = primary.address().port().to_string();
        let replica = [&["--replicaof", "127.0.0.1", port.as_str()], args].concat();
        let mut servers = vec![primary];
        servers.extend((0..replicas).map(|_| Redis::unmarked(&replica)));
        let sentinels: Vec<_> = (0..3).map(|_| Sentinel::start(&port)).collect();
        let watched = Self { servers, sentinels };
        eventually("the sentinels know each other and the replicas", Duration::from_secs(30), async || {
            let known = watched.sentinels.iter().all(|sentinel| {
                let field = |name| sentinel.field(name);
                field("num-slaves") == Some(replicas.to_string()) && field("num-other-sentinels") == Some("2".into())
            });
            let in_step = watched.servers[1..].iter().all(|server| server.info("master_link_status") == "up");
            (known && in_step).then_some(())
        })
        .await;
        watched
    }

    /// How replicas reach it.
    pub fn url(&self) -> String {
        let at: Vec<_> = self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port)).collect();
        format!("redis+sentinel://{}/{SERVICE}", at.join(","))
    }

    /// The server that the sentinels call the primary.
    pub fn primary(&mut self) -> &mut Redis {
        let port = self.sentinels[0].field("port").expect("the sentinel answers");
        let ours = self.servers.iter_mut().find(|server| server.address().port().to_string() == port);
        ours.expect("one of ours")
    }

    /// The server at this port.
    pub fn server(&self, port: u16) -> &Redis {
        self.servers.iter().find(|server| server.address().port() == port).expect("one of ours")
    }

    /// The primary's port.
    pub fn primary_port(&mut self) -> u16 {
        self.primary().address().port()
    }

    /// `SENTINEL FAILOVER`: the primary is asked to go, and another takes its place.
    pub async fn failover(&mut self) {
        let before = self.primary_port();
        eventually("a failover begins", Duration::from_secs(20), async || {
            let mut connection = self.sentinels[0].conn()?;
            redis::cmd("SENTINEL").arg("FAILOVER").arg(SERVICE).query::<()>(&mut connection).ok()
        })
        .await;
        self.switched(before).await;
    }

    /// Waits until the sentinels name another primary than this one.
    pub async fn switched(&mut self, before: u16) {
        eventually("another primary", Duration::from_secs(40), async || (self.primary_port() != before).then_some(()))
            .await;
    }
}

impl Sentinel {
    /// Starts one that watches the primary at this port, with the replicas that it tells of.
    pub fn start(primary: &str) -> Self {
        Self::start_with(primary, "")
    }

    /// The same with more lines of configuration.
    pub fn start_with(primary: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let file = folder.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {SERVICE} 127.0.0.1 {primary} 2\n\
             sentinel down-after-milliseconds {SERVICE} 1000\nsentinel failover-timeout {SERVICE} 4000\n{more}\n",
            folder.path().display()
        );
        std::fs::write(&file, text).expect("a configuration file");
        let child = Command::new("redis-sentinel")
            .arg(&file)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-sentinel must be installed: `make setup` does it");
        Self { child, port, _folder: folder }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn conn(&self) -> Option<redis::Connection> {
        redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).ok()?.get_connection().ok()
    }

    /// What it knows of the primary.
    pub fn field(&self, name: &str) -> Option<String> {
        let mut known: std::collections::HashMap<String, String> =
            redis::cmd("SENTINEL").arg("MASTER").arg(SERVICE).query(&mut self.conn()?).ok()?;
        known.remove(name)
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
