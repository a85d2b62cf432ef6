//! The wires between clients, replicas and Redis.

use std::{net::SocketAddr, sync::Arc};

use super::{plan::Topology, servers::Servers};
use crate::common::wire::Wire;

/// Where nobody is.
pub const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);

/// Clients stand in so many places; each place has its own wire to each replica.
pub const PLACES: usize = 2;

/// Every wire of a run.
pub struct Network {
    /// By place and replica.
    doors: Vec<Vec<Wire>>,
    /// From each replica, and then from each discoverer of the harness, to the one server of Redis. Where there are several servers, each
    /// has a door instead.
    to_redis: Vec<Wire>,
    servers: Arc<Servers>,
}

/// One wire, for who cuts it.
pub struct Named<'a> {
    pub name: String,
    pub wire: &'a Wire,
}

impl Network {
    pub async fn lay(servers: Arc<Servers>, replicas: usize, discoverers: usize) -> Self {
        let mut doors = Vec::new();
        for _ in 0..PLACES {
            let mut of_place = Vec::new();
            for _ in 0..replicas {
                of_place.push(Wire::to_tcp(NOWHERE).await);
            }
            doors.push(of_place);
        }
        let mut to_redis = Vec::new();
        if servers.topology() == Topology::Single {
            for _ in 0..replicas + discoverers {
                to_redis.push(Wire::to_tcp(servers.nodes[0].address).await);
            }
        }
        Self { doors, to_redis, servers }
    }

    /// Clients reach the replica under this address now.
    pub fn move_replica(&self, replica: usize, address: SocketAddr) {
        for doors in &self.doors {
            doors[replica].lead_to(address);
        }
    }

    /// Where a client in this place reaches the replica.
    pub fn door(&self, place: usize, replica: usize) -> String {
        format!("http://{}", self.doors[place][replica].at())
    }

    pub fn replicas(&self) -> usize {
        self.doors[0].len()
    }

    /// Where a replica or discoverer finds Redis.
    pub fn redis_url(&self, number: usize) -> String {
        self.to_redis.get(number).map_or_else(|| self.servers.url(), |wire| format!("redis://{}", wire.at()))
    }

    /// Every wire.
    pub fn wires(&self) -> Vec<Named<'_>> {
        let mut wires = Vec::new();
        for (place, doors) in self.doors.iter().enumerate() {
            let named = |(replica, wire)| Named { name: format!("clients {place} - replica {replica}"), wire };
            wires.extend(doors.iter().enumerate().map(named));
        }
        let replicas = self.replicas();
        for (number, wire) in self.to_redis.iter().enumerate() {
            let who = if number < replicas { "replica" } else { "discoverer" };
            wires.push(Named { name: format!("{who} {} - redis", number % replicas), wire });
        }
        if self.servers.topology() != Topology::Single {
            wires.extend(self.servers.nodes.iter().enumerate().flat_map(|(at, node)| node.door.named(at)));
        }
        wires
    }
}
