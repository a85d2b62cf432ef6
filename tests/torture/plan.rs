//! What a run is to be.

use std::{path::PathBuf, time::Duration};

/// How Redis stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Topology {
    /// One server.
    Single,
    /// A primary and two replicas, watched by three sentinels.
    Sentinel,
    /// Three primaries, each with a replica.
    Cluster,
}

impl Topology {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Sentinel => "sentinel",
            Self::Cluster => "cluster",
        }
    }
}

/// One run. The same seed makes the same plans for clients and faults; how they meet differs from run to run.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub time: Duration,
    pub topology: Topology,
    pub replicas: usize,
    pub clients: usize,
    /// In all, of all types.
    pub containers: usize,
    /// Whether a rogue breaks the guarantee, which the checker must find.
    pub rogue: bool,
    /// Whether stderr is told now and then how it goes.
    pub progress: bool,
    /// Where history and logs go.
    pub folder: PathBuf,
}

impl Plan {
    /// In a Cluster, enough of them that every server has some.
    pub fn types(&self) -> Vec<String> {
        let types: &[&str] = match self.topology {
            Topology::Single | Topology::Sentinel => &["wine", "linux"],
            Topology::Cluster => &["wine", "linux", "windows", "mac"],
        };
        types.iter().map(ToString::to_string).collect()
    }

    /// Whether Redis loses nothing at a restart, and says so; else every restart is taken for a loss, and some are.
    pub fn lossless(&self) -> bool {
        self.topology == Topology::Single && self.seed.is_multiple_of(2)
    }

    /// The type and the name of each container: the first half is listed in the configuration, the others come and go.
    pub fn names(&self) -> Vec<(String, String)> {
        let types = self.types();
        (0..self.containers).map(|at| types[at % types.len()].clone()).enumerate().map(name).collect()
    }
}

fn name((at, target_type): (usize, String)) -> (String, String) {
    let name = format!("{target_type}-{at}");
    (target_type, name)
}
