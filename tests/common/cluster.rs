//! A Redis Cluster: three primaries, each maybe with a replica.

use std::{collections::BTreeMap, net::TcpListener, time::Duration};

use redis::{Cmd, FromRedisValue};

use super::{eventually, redis::Redis};

/// All of its nodes, killed with the test.
pub struct Cluster {
    nodes: Vec<Redis>,
}

impl Cluster {
    /// Three primaries, each with so many replicas.
    pub async fn start(replicas: usize) -> Self {
        Self::form((0..3 * (1 + replicas)).map(|_| node()).collect()).await
    }

    /// Makes a cluster of these: the first three are the primaries, the others their replicas in turn.
    pub async fn form(nodes: Vec<Redis>) -> Self {
        let cluster = Self { nodes };
        let third = 16_384 / 3;
        for (at, node) in cluster.nodes[..3].iter().enumerate() {
            let last = if at == 2 { 16_383 } else { third * (at + 1) - 1 };
            run::<()>(node, redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(third * at).arg(last));
        }
        for (at, node) in cluster.nodes.iter().enumerate() {
            run::<()>(node, redis::cmd("CLUSTER").arg("SET-CONFIG-EPOCH").arg(at + 1));
        }
        let first = &cluster.nodes[0];
        for node in &cluster.nodes[1..] {
            let bus: u16 = config(node, "cluster-port");
            run::<()>(first, redis::cmd("CLUSTER").arg("MEET").arg("127.0.0.1").arg(node.address().port()).arg(bus));
        }
        cluster.whole("all nodes have met").await;
        for (at, node) in cluster.nodes[3..].iter().enumerate() {
            let primary = cluster.id(at % 3);
            eventually("it becomes a replica", Duration::from_secs(10), async || {
                redis::cmd("CLUSTER").arg("REPLICATE").arg(&primary).query::<()>(&mut node.conn()).ok()
            })
            .await;
        }
        cluster.whole("the cluster serves").await;
        eventually("the replicas are in step", Duration::from_secs(20), async || {
            cluster.nodes[3..].iter().all(|node| node.info("master_link_status") == "up").then_some(())
        })
        .await;
        for key in ["test:types", "leasehold:types"] {
            cluster.ask::<i64>(redis::cmd("HSET").arg(key).arg(":whole").arg(0));
        }
        cluster
    }

    /// How replicas reach it: by two of its nodes.
    pub fn url(&self) -> String {
        format!("redis+cluster://{},{}", self.nodes[0].address(), self.nodes[1].address())
    }

    /// A node.
    pub fn node(&mut self, at: usize) -> &mut Redis {
        &mut self.nodes[at]
    }

    /// Asks whichever node serves the command's key.
    pub fn ask<T: FromRedisValue>(&self, command: &Cmd) -> T {
        let mut answers = self.nodes.iter().filter_map(|node| command.query(&mut node.try_conn()?).ok());
        answers.next().expect("a node that serves the key")
    }

    /// The slot of a key, and the number of the node that serves it.
    pub fn place_of(&self, key: &str) -> (u16, usize) {
        let slot: u16 = run(&self.nodes[0], redis::cmd("CLUSTER").arg("KEYSLOT").arg(key));
        let serves = |at: &usize| self.slots(*at).iter().any(|(first, last)| (*first..=*last).contains(&slot));
        (slot, (0..self.nodes.len()).find(serves).expect("a node that serves the slot"))
    }

    /// Moves a slot as `redis-cli --cluster reshard` does, key by key, with a pause between them.
    pub async fn move_slot(&self, slot: u16, from: usize, to: usize, pause: Duration) {
        self.begin_move(slot, from, to);
        let port = self.nodes[to].address().port();
        while let Some(key) = self.keys(slot, from, 1).first() {
            run::<String>(
                &self.nodes[from],
                redis::cmd("MIGRATE").arg("127.0.0.1").arg(port).arg(key).arg(0).arg(5000),
            );
            tokio::time::sleep(pause).await;
        }
        for node in [to, from] {
            self.set_slot(slot, node, &["NODE", &self.id(to)]);
        }
    }

    /// Makes a slot one that is being moved; no key goes yet.
    pub fn begin_move(&self, slot: u16, from: usize, to: usize) {
        self.set_slot(slot, to, &["IMPORTING", &self.id(from)]);
        self.set_slot(slot, from, &["MIGRATING", &self.id(to)]);
    }

    /// The move is called off before a key went.
    pub fn set_stable(&self, slot: u16, nodes: &[usize]) {
        for node in nodes {
            self.set_slot(slot, *node, &["STABLE"]);
        }
    }

    /// Everything that a node has in a slot.
    pub fn contents(&self, slot: u16, node: usize) -> BTreeMap<String, Vec<u8>> {
        let dump = |key: String| {
            let value = run(&self.nodes[node], redis::cmd("DUMP").arg(&key));
            (key, value)
        };
        self.keys(slot, node, 10_000).into_iter().map(dump).collect()
    }

    fn keys(&self, slot: u16, node: usize, most: usize) -> Vec<String> {
        run(&self.nodes[node], redis::cmd("CLUSTER").arg("GETKEYSINSLOT").arg(slot).arg(most))
    }

    fn set_slot(&self, slot: u16, node: usize, words: &[&str]) {
        run::<()>(&self.nodes[node], redis::cmd("CLUSTER").arg("SETSLOT").arg(slot).arg(words));
    }

    /// Waits until every node that runs thinks that all is well.
    pub async fn whole(&self, what: &str) {
        eventually(what, Duration::from_secs(30), async || {
            let mut running = self.nodes.iter().filter_map(Redis::try_conn);
            running
                .all(|mut connection| {
                    let info: String = redis::cmd("CLUSTER").arg("INFO").query(&mut connection).unwrap_or_default();
                    info.contains("cluster_state:ok")
                        && info.contains(&format!("cluster_known_nodes:{}", self.nodes.len()))
                })
                .then_some(())
        })
        .await;
    }

    fn id(&self, at: usize) -> String {
        run(&self.nodes[at], redis::cmd("CLUSTER").arg("MYID"))
    }

    /// What a node serves, as it says itself in `CLUSTER NODES`.
    fn slots(&self, at: usize) -> Vec<(u16, u16)> {
        let Some(mut connection) = self.nodes[at].try_conn() else { return Vec::new() };
        let text: String = redis::cmd("CLUSTER").arg("NODES").query(&mut connection).expect("the node tells");
        let me = text.lines().find(|line| line.contains("myself")).expect("it knows itself");
        // A slot that is being moved stands in brackets.
        let ranges = me.split(' ').skip(8).filter(|range| !range.starts_with('['));
        ranges
            .map(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                (first.parse().expect("a slot"), last.parse().expect("a slot"))
            })
            .collect()
    }
}

fn node() -> Redis {
    let bus = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
    Redis::unmarked(&[
        "--cluster-enabled",
        "yes",
        "--cluster-node-timeout",
        "1500",
        "--cluster-port",
        &bus.to_string(),
        "--appendonly",
        "no",
        "--repl-diskless-sync-delay",
        "0",
    ])
}

fn run<T: FromRedisValue>(node: &Redis, command: &Cmd) -> T {
    command.query(&mut node.conn()).expect("the node carries it out")
}

fn config<T: std::str::FromStr<Err: std::fmt::Debug>>(node: &Redis, name: &str) -> T {
    let (_, value): (String, String) = run(node, redis::cmd("CONFIG").arg("GET").arg(name));
    value.parse().expect("a number")
}
