//! What is done to Redis itself.

use std::time::Duration;

use rand::RngExt as _;

use super::Nemesis;
use crate::torture::{
    history::{FaultKind, Harm, Micros},
    plan::Topology,
};

/// How long it may take until another server has taken over.
const TAKEN_OVER: Duration = Duration::from_secs(20);

impl Nemesis<'_> {
    /// One fault at the server that has some type.
    pub(super) async fn redis(&mut self) {
        let types = self.world.plan.types();
        let target_type = &types[self.random.random_range(0..types.len())];
        let Some(at) = self.world.servers.primary_of(target_type).await else { return };
        let fails_over = self.world.servers.fails_over();
        match self.random.random_range(0..20) {
            0..3 => self.pause(at).await,
            3..5 => self.flush(at).await,
            5..8 => self.kill(at).await,
            8..11 if fails_over => self.lose(at, target_type).await,
            8..11 if !self.world.plan.lossless() => self.roll_back(at).await,
            11..13 if fails_over => self.cut_off(at).await,
            13..14 if fails_over => self.move_primary(target_type).await,
            14..15 if fails_over => self.restart_follower().await,
            11..15 => self.forget_scripts(at).await,
            15..17 => self.fill(at).await,
            _ => self.set_clock().await,
        }
    }

    /// What the loss of a primary means.
    fn failover_harm(&self) -> Harm {
        if self.world.servers.fails_over() { Harm::Loses } else { Harm::Stops }
    }

    async fn pause(&mut self, at: usize) {
        let from = self.world.history.now();
        self.world.servers.with(at, |server| server.pause()).await;
        self.wait(100..4000).await;
        self.world.servers.with(at, |server| server.resume()).await;
        self.record_harm(FaultKind::RedisPaused, server(at), from, self.failover_harm());
    }

    async fn kill(&mut self, at: usize) {
        let from = self.world.history.now();
        let harm = if self.world.servers.fails_over() { Harm::Loses } else { Harm::Recovers };
        self.world.servers.with(at, crate::common::redis::Redis::kill).await;
        self.wait(0..4000).await;
        self.restart(at).await;
        self.record_harm(FaultKind::RedisRestarted, server(at), from, harm);
    }

    async fn restart(&self, at: usize) {
        self.world.servers.with(at, crate::common::redis::Redis::restart).await;
    }

    async fn flush(&mut self, at: usize) {
        let from = self.world.history.now();
        if !self.command(at, &["FLUSHALL"]).await {
            return;
        }
        self.record_harm(FaultKind::RedisFlushed, server(at), from, Harm::Loses);
    }

    async fn roll_back(&mut self, at: usize) {
        let from = self.world.history.now();
        let copy = self.world.servers.with(at, |server| server.copy()).await;
        // Less than the lag that the configuration allows.
        self.wait(100..1500).await;
        self.world.servers.with(at, |server| server.restart_from(&copy)).await;
        self.record_harm(FaultKind::RedisRolledBack, server(at), from, Harm::Loses);
    }

    /// What it acknowledges while its replication is stalled is lost when it is killed and another takes its place.
    async fn lose(&mut self, at: usize, target_type: &str) {
        let world = self.world;
        let from = world.history.now();
        let replication = &world.servers.nodes[at].door.wires().replication;
        replication.hole();
        self.wait(100..1500).await;
        world.servers.with(at, crate::common::redis::Redis::kill).await;
        replication.cut();
        replication.mend();
        let last = world.history.now() + TAKEN_OVER.as_micros() as Micros;
        while world.history.now() < last && world.servers.primary_of(target_type).await.is_none_or(|now| now == at) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.wait(0..3000).await;
        self.restart(at).await;
        self.record_harm(FaultKind::PrimaryLost, server(at), from, Harm::Loses);
    }

    /// Clients still reach it, nobody else does.
    async fn cut_off(&mut self, at: usize) {
        let from = self.world.history.now();
        let wires = self.world.servers.nodes[at].door.wires();
        for wire in [&wires.replication, &wires.sentinels] {
            wire.cut();
        }
        self.wait(500..6000).await;
        for wire in [&wires.replication, &wires.sentinels] {
            wire.mend();
        }
        self.record_harm(FaultKind::PrimaryCutOff, server(at), from, Harm::Loses);
    }

    async fn move_primary(&mut self, target_type: &str) {
        let from = self.world.history.now();
        self.world.servers.fail_over(target_type).await;
        self.wait(1000..3000).await;
        self.record_harm(FaultKind::PrimaryMoved, target_type, from, Harm::Loses);
    }

    async fn restart_follower(&mut self) {
        let world = self.world;
        let from = world.history.now();
        let mut primaries = Vec::new();
        for target_type in world.plan.types() {
            primaries.extend(world.servers.primary_of(&target_type).await);
        }
        let Some(at) = (0..world.servers.nodes.len()).find(|at| !primaries.contains(at)) else { return };
        world.servers.with(at, crate::common::redis::Redis::kill).await;
        self.wait(0..2000).await;
        self.restart(at).await;
        // Without it, a primary may have to stop.
        self.record_harm(FaultKind::FollowerRestarted, server(at), from, Harm::Stops);
    }

    async fn forget_scripts(&mut self, at: usize) {
        let from = self.world.history.now();
        self.command(at, &["SCRIPT", "FLUSH"]).await;
        self.record(FaultKind::ScriptsFlushed, server(at), from);
    }

    async fn fill(&mut self, at: usize) {
        let from = self.world.history.now();
        self.command(at, &["CONFIG", "SET", "maxmemory", "1mb"]).await;
        self.wait(300..3000).await;
        while !self.command(at, &["CONFIG", "SET", "maxmemory", "0"]).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.record(FaultKind::RedisFull, server(at), from);
    }

    async fn set_clock(&mut self) {
        let world = self.world;
        let from = world.history.now();
        let at = self.random.random_range(0..world.servers.nodes.len());
        let clock = &world.servers.nodes[at].clock;
        // In a Cluster it is only set forward: a node whose clock was set back keeps out of the cluster until its clock is where it was.
        let (seconds, harm) = match world.servers.topology() {
            Topology::Cluster => (clock.offset() + self.random.random_range(3..600), Harm::Loses),
            _ => (self.random.random_range(-7200..7200), Harm::None),
        };
        clock.set(seconds);
        // It is noticed within a second.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        self.record_harm(FaultKind::RedisClock, format!("{}: {seconds:+} s", server(at)), from, harm);
    }

    /// Whether it was done: a server that is not the primary any more may refuse.
    async fn command(&self, at: usize, words: &[&str]) -> bool {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        self.world.servers.nodes[at].ask::<redis::Value>(&command).await.is_ok()
    }
}

fn server(at: usize) -> String {
    format!("redis {at}")
}
