//! Redis as it stands in a run: one server, one that sentinels watch with its replicas, or a cluster.

use std::{net::SocketAddr, time::Duration};

use redis::{Client, RedisResult, aio::MultiplexedConnection};
use tokio::sync::Mutex;

use super::{door::Door, plan::Topology};
use crate::common::{
    clock::Clock,
    cluster::Cluster,
    eventually,
    redis::Redis,
    sentinel::{SERVICE, Sentinel},
};

/// The longest that a question of the harness to a server may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// Servers beside the primary that sentinels watch.
const FOLLOWERS: usize = 2;

/// All servers of a run.
pub struct Servers {
    pub nodes: Vec<Node>,
    processes: Mutex<Processes>,
    topology: Topology,
    sentinels: Vec<Sentinel>,
}

/// What is known of a server whether it runs or not.
pub struct Node {
    /// Where it listens; the harness itself looks there.
    pub address: SocketAddr,
    /// What others are told of.
    pub door: Door,
    pub clock: Clock,
}

enum Processes {
    Own(Vec<Redis>),
    Cluster(Cluster),
}

impl Processes {
    fn node(&mut self, at: usize) -> &mut Redis {
        match self {
            Self::Own(servers) => &mut servers[at],
            Self::Cluster(cluster) => cluster.node(at),
        }
    }
}

impl Servers {
    pub async fn start(topology: Topology) -> Self {
        // What was answered survives a restart.
        let kept =
            ["--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0"].map(str::to_owned);
        let count = match topology {
            Topology::Single => 1,
            Topology::Sentinel => 1 + FOLLOWERS,
            Topology::Cluster => 6,
        };
        let (mut nodes, mut servers): (Vec<Node>, Vec<Redis>) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (door, clock) = (Door::new().await, Clock::new());
            let mut args = kept.to_vec();
            let mut more = |words: &[&str]| args.extend(words.iter().map(ToString::to_string));
            let port = door.at().port().to_string();
            match topology {
                Topology::Single => {}
                Topology::Sentinel => {
                    // One that is cut off from its replicas must stop to grant.
                    more(&["--min-replicas-to-write", "1", "--min-replicas-max-lag", "2"]);
                    more(&["--replica-announce-ip", "127.0.0.1", "--replica-announce-port", &port]);
                    if let Some(primary) = nodes.first() {
                        more(&["--replicaof", "127.0.0.1", &primary.door.at().port().to_string()]);
                    }
                }
                Topology::Cluster => {
                    let bus = free_port().to_string();
                    more(&["--cluster-enabled", "yes", "--cluster-node-timeout", "1500", "--cluster-port", &bus]);
                    more(&["--cluster-announce-ip", "127.0.0.1", "--cluster-announce-port", &port]);
                }
            }
            let args: Vec<_> = args.iter().map(String::as_str).collect();
            let server = Redis::unmarked_under(&args, clock.env());
            door.lead_to(server.address());
            nodes.push(Node { address: server.address(), door, clock });
            servers.push(server);
        }
        let processes = match topology {
            Topology::Cluster => Processes::Cluster(Cluster::form(servers).await),
            _ => Processes::Own(servers),
        };
        let mut all = Self { nodes, processes: Mutex::new(processes), topology, sentinels: Vec::new() };
        if topology == Topology::Sentinel {
            let port = all.nodes[0].door.at().port().to_string();
            all.sentinels = (0..3).map(|_| Sentinel::start(&port)).collect();
            all.know_each_other().await;
        }
        if topology != Topology::Cluster {
            // In the replicas as well before anything else.
            all.with(0, |server| server.mark_new()).await;
        }
        all
    }

    async fn know_each_other(&self) {
        eventually("the sentinels know each other and the replicas", Duration::from_secs(30), async || {
            let known = self.sentinels.iter().all(|sentinel| {
                let field = |name| sentinel.field(name);
                field("num-slaves") == Some(FOLLOWERS.to_string()) && field("num-other-sentinels") == Some("2".into())
            });
            (known && self.in_step().await).then_some(())
        })
        .await;
    }

    /// Whether every server but the primaries follows one, and the sentinels say so: as long as they name another one,
    /// nobody can find the primary.
    pub async fn in_step(&self) -> bool {
        let mut primaries = Vec::new();
        for node in &self.nodes {
            let Ok(info) = node.ask::<String>(redis::cmd("INFO").arg("replication")).await else { return false };
            if info.contains("role:master") {
                primaries.push(node.door.at().port().to_string());
            } else if !info.contains("master_link_status:up") {
                return false;
            }
        }
        let named = self.sentinels.iter().all(|sentinel| sentinel.field("port").as_ref() == primaries.first());
        primaries.len() == self.shards() && named
    }

    /// Makes that server a primary which has the most of the data, as an operator has to where sentinels find none to promote: they pass
    /// over servers that were without their primary for long before that was down, and so over all when a primary that they had
    /// made a replica is the only one that the others could follow. Returns which.
    pub async fn promote(&self) -> Option<usize> {
        let mut best = None;
        for (at, node) in self.nodes.iter().enumerate() {
            let info: String = node.ask(redis::cmd("INFO").arg("replication")).await.ok()?;
            let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            if self.topology != Topology::Sentinel || field("role") == Some("master") {
                return None;
            }
            let offset: u64 = field("slave_repl_offset")?.trim().parse().ok()?;
            best = best.max(Some((offset, at)));
        }
        let (_, at) = best?;
        self.nodes[at].ask::<String>(redis::cmd("REPLICAOF").arg("NO").arg("ONE")).await.ok()?;
        Some(at)
    }

    /// How many primaries there are when all is well.
    pub fn shards(&self) -> usize {
        if self.topology == Topology::Cluster { 3 } else { 1 }
    }

    /// Whether another server takes over when one does not answer, with what it had got until then.
    pub fn fails_over(&self) -> bool {
        self.topology != Topology::Single
    }

    pub fn topology(&self) -> Topology {
        self.topology
    }

    /// How all find Redis, where not by a wire of their own.
    pub fn url(&self) -> String {
        match self.topology {
            Topology::Single => format!("redis://{}", self.nodes[0].address),
            Topology::Sentinel => {
                let at: Vec<_> =
                    self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port())).collect();
                format!("redis+sentinel://{}/{SERVICE}", at.join(","))
            }
            Topology::Cluster => {
                format!("redis+cluster://{},{}", self.nodes[0].door.at(), self.nodes[1].door.at())
            }
        }
    }

    /// Does something to a server's process.
    pub async fn with<T>(&self, at: usize, what: impl FnOnce(&mut Redis) -> T) -> T {
        what(self.processes.lock().await.node(at))
    }

    /// The server that has this type now, as the sentinels or the cluster say.
    pub async fn primary_of(&self, target_type: &str) -> Option<usize> {
        match self.topology {
            Topology::Single => Some(0),
            Topology::Sentinel => {
                let port = self.sentinels[0].field("port")?;
                self.nodes.iter().position(|node| node.door.at().port().to_string() == port)
            }
            Topology::Cluster => {
                for (at, node) in self.nodes.iter().enumerate() {
                    let mut look = redis::cmd("EXISTS");
                    look.arg(format!("test:{{{target_type}}}:epoch"));
                    // Those that do not have it say so.
                    if node.ask::<u64>(&look).await.is_ok() {
                        return Some(at);
                    }
                }
                None
            }
        }
    }

    /// A follower of the server that has this type, for a failover that is asked for.
    pub async fn fail_over(&self, target_type: &str) {
        match self.topology {
            Topology::Single => {}
            Topology::Sentinel => {
                let client =
                    Client::open(format!("redis://127.0.0.1:{}", self.sentinels[0].port())).expect("an address");
                let mut command = redis::cmd("SENTINEL");
                command.arg("FAILOVER").arg(SERVICE);
                // It may have one in progress.
                let _: RedisResult<String> = ask(&client, &command).await;
            }
            Topology::Cluster => {
                let Some(primary) = self.primary_of(target_type).await else { return };
                let port = self.nodes[primary].door.at().port().to_string();
                for node in &self.nodes {
                    let info = node.ask::<String>(redis::cmd("INFO").arg("replication")).await.unwrap_or_default();
                    if info.contains(&format!("master_port:{port}\r")) {
                        let _: RedisResult<String> = node.ask(redis::cmd("CLUSTER").arg("FAILOVER")).await;
                        return;
                    }
                }
            }
        }
    }
}

impl Node {
    /// Asks the server itself, past its door.
    pub async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> RedisResult<T> {
        ask(&Client::open(format!("redis://{}", self.address))?, command).await
    }

    pub async fn connection(&self) -> RedisResult<MultiplexedConnection> {
        Client::open(format!("redis://{}", self.address))?.get_multiplexed_async_connection().await
    }
}

async fn ask<T: redis::FromRedisValue>(client: &Client, command: &redis::Cmd) -> RedisResult<T> {
    let answer = async { command.query_async(&mut client.get_multiplexed_async_connection().await?).await };
    let silent = |_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into());
    tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(silent)
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}
