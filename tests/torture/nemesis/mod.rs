//! What is done to the system: four hands, each with one fault at a time, planned by the seed.

mod servers;

use std::{ops::Range, time::Duration};

use nix::sys::signal::Signal;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    history::{Fault, FaultKind, Harm, Micros, Record},
    world::World,
};

/// One hand of the nemesis.
#[derive(Debug, Clone, Copy)]
pub enum Hand {
    Replicas,
    Links,
    Redis,
    Containers,
}

/// All of them.
pub const HANDS: [Hand; 4] = [Hand::Replicas, Hand::Links, Hand::Redis, Hand::Containers];

/// A hand at work.
pub struct Nemesis<'a> {
    world: &'a World,
    random: StdRng,
    deadline: Micros,
}

impl<'a> Nemesis<'a> {
    pub fn new(world: &'a World, hand: Hand, deadline: Micros) -> Self {
        // Apart from the seeds of clients, which count from the run's.
        let seed = world.plan.seed ^ (0x6e65_6d65_7369_7300 + hand as u64);
        Self { world, random: StdRng::seed_from_u64(seed), deadline }
    }

    /// Works until the deadline; undoes everything before it ends.
    pub async fn work(mut self, hand: Hand) {
        while self.world.history.now() < self.deadline {
            match hand {
                Hand::Replicas => {
                    self.wait(300..2000).await;
                    self.replica().await;
                }
                Hand::Links => {
                    self.wait(300..2000).await;
                    self.link().await;
                }
                Hand::Redis => {
                    self.wait(1500..5000).await;
                    self.redis().await;
                }
                Hand::Containers => {
                    self.wait(200..1500).await;
                    self.container().await;
                }
            }
        }
        if matches!(hand, Hand::Replicas) {
            for number in 0..self.world.plan.replicas {
                self.world.replica_clock(number).set(0);
            }
        }
    }

    async fn wait(&mut self, millis: Range<u64>) {
        tokio::time::sleep(Duration::from_millis(self.random.random_range(millis))).await;
    }

    /// Records a fault that is undone by now, and leaves Redis alone.
    fn record(&self, kind: FaultKind, what: impl Into<String>, from: Micros) {
        self.record_harm(kind, what, from, Harm::None);
    }

    fn record_harm(&self, kind: FaultKind, what: impl Into<String>, from: Micros, harm: Harm) {
        let fault = Fault { kind, what: what.into(), from, to: self.world.history.now(), harm };
        self.world.history.add(&Record::Fault(fault));
    }

    async fn replica(&mut self) {
        let world = self.world;
        let number = self.random.random_range(0..world.plan.replicas);
        let what = format!("replica {number}");
        let from = world.history.now();
        match self.random.random_range(0..10) {
            0..5 => {
                world.with_replica(number, crate::common::replica::Replica::kill).await;
                self.wait(0..800).await;
                world.start_replica(number).await;
                self.record(FaultKind::ReplicaKilled, what, from);
            }
            5..8 => {
                world.with_replica(number, |replica| replica.signal(Signal::SIGSTOP)).await;
                self.wait(200..5000).await;
                world.with_replica(number, |replica| replica.signal(Signal::SIGCONT)).await;
                self.record(FaultKind::ReplicaPaused, what, from);
            }
            _ => {
                let seconds = self.random.random_range(-3600..3600);
                world.replica_clock(number).set(seconds);
                self.record(FaultKind::ReplicaClock, format!("{what}: {seconds:+} s"), from);
            }
        }
    }

    async fn link(&mut self) {
        let wires = self.world.network.wires();
        let named = &wires[self.random.random_range(0..wires.len())];
        let from = self.world.history.now();
        let kind = match self.random.random_range(0..3) {
            0 => {
                named.wire.cut();
                self.wait(100..3000).await;
                FaultKind::LinkCut
            }
            1 => {
                named.wire.hole();
                self.wait(100..4000).await;
                FaultKind::LinkStalled
            }
            _ => {
                named.wire.delay(Duration::from_millis(self.random.random_range(5..400)));
                self.wait(500..4000).await;
                FaultKind::LinkDelayed
            }
        };
        named.wire.mend();
        // Without its replicas, its sentinels or its clients a primary may be replaced, or stop.
        let alone = kind != FaultKind::LinkDelayed && named.name.contains("redis");
        let harm = if alone && self.world.servers.fails_over() { Harm::Loses } else { Harm::None };
        self.record_harm(kind, named.name.as_str(), from, harm);
    }

    async fn container(&mut self) {
        let farm = &self.world.farm;
        let ids = farm.ids();
        let from = self.world.history.now();
        let moving = self.random.random_bool(0.6);
        if moving && !ids.is_empty() {
            let id = &ids[self.random.random_range(0..ids.len())];
            match self.random.random_range(0..3) {
                0 => {
                    farm.vanish(id);
                    self.wait(50..3000).await;
                    farm.restart(id).await;
                    self.record(FaultKind::ContainerVanished, id.as_str(), from);
                }
                1 => {
                    farm.restart(id).await;
                    self.record(FaultKind::ContainerRestarted, id.as_str(), from);
                }
                _ => {
                    farm.set_healthy(id, false);
                    self.wait(200..3000).await;
                    farm.set_healthy(id, true);
                    self.record(FaultKind::ContainerFlapped, id.as_str(), from);
                }
            }
        } else {
            let fixed = &self.world.fixed;
            let number = self.random.random_range(0..fixed.len());
            fixed[number].set_healthy(false);
            self.wait(200..3000).await;
            fixed[number].set_healthy(true);
            self.record(FaultKind::ContainerFlapped, format!("listed container {number}"), from);
        }
    }
}
