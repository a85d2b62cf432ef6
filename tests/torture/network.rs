//! The wires between clients, replicas and Redis.

use std::net::SocketAddr;

use crate::common::wire::Wire;

/// Clients stand in so many places; each place has its own wire to each replica.
pub const PLACES: usize = 2;

/// Every wire of a run.
pub struct Network {
    /// By place and replica.
    doors: Vec<Vec<Wire>>,
    /// From each replica, and then from each discoverer of the harness, to Redis.
    to_redis: Vec<Wire>,
}

/// One wire, for who cuts it.
pub struct Named<'a> {
    pub name: String,
    pub wire: &'a Wire,
}

impl Network {
    pub async fn lay(redis: SocketAddr, replicas: usize, discoverers: usize) -> Self {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        let mut doors = Vec::new();
        for _ in 0..PLACES {
            let mut of_place = Vec::new();
            for _ in 0..replicas {
                of_place.push(Wire::to_tcp(nowhere).await);
            }
            doors.push(of_place);
        }
        let mut to_redis = Vec::new();
        for _ in 0..replicas + discoverers {
            to_redis.push(Wire::to_tcp(redis).await);
        }
        Self { doors, to_redis }
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
        format!("redis://{}", self.to_redis[number].at())
    }

    /// How many wires there are.
    pub fn len(&self) -> usize {
        PLACES * self.replicas() + self.to_redis.len()
    }

    /// One of them all.
    pub fn wire(&self, number: usize) -> Named<'_> {
        let replicas = self.replicas();
        if number < PLACES * replicas {
            let (place, replica) = (number / replicas, number % replicas);
            Named { name: format!("clients {place} - replica {replica}"), wire: &self.doors[place][replica] }
        } else {
            let number = number - PLACES * replicas;
            let name = if number < replicas {
                format!("replica {number}")
            } else {
                format!("discoverer {}", number - replicas)
            };
            Named { name: format!("{name} - redis"), wire: &self.to_redis[number] }
        }
    }
}
