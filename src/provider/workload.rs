//! What makes a provider's containers and keeps their number: it is told how many, and chooses itself which ones go.

use super::ProviderError;
use crate::model::{ContainerId, Keep};

/// Which workload is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkloadOf<'a> {
    /// The one to which a container belongs.
    Container(&'a ContainerId),
    /// The one of this name, as an operator or [`Workload::name`] has it.
    Named(&'a str),
}

/// A workload, and after that its containers, as both are at their source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// By which it is found again, and told: `deployment lab/wine`.
    pub name: String,
    /// How many it is to have.
    pub replicas: u64,
    /// How many it is to have, but for those that it cannot make.
    pub within_reach: u64,
    /// Changes with whatever anybody changes of it.
    pub version: String,
    /// Whether it is what it is to be.
    pub progress: Progress,
    /// How it chooses which ones go.
    pub removes: Removes,
    /// All that are not ending.
    pub members: Vec<Member>,
}

/// How far a workload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It has as many as it is to have, all of its newest template.
    Settled,
    /// It has not as many yet, or no longer. What is missing, in words.
    Resizing(String),
    /// Its containers are being replaced by those of another template. How far that is, in words.
    RollingOut(String),
}

/// How a workload that is to be smaller chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removes {
    /// Those that are not ready; then those that are marked to leave, those that are marked as idle, and those that are marked as leased.
    ByMark {
        /// Why the marks are not written; none when they are.
        unmarked: Option<String>,
    },
    /// The one with the highest number.
    FromTheTop {
        /// Which number that is; none where it is to have no container.
        highest: Option<u64>,
    },
}

/// A container of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: ContainerId,
    /// What people call it.
    pub name: String,
    /// Whether its workload takes it for ready.
    pub ready: bool,
    /// When it was made, in seconds since 1970; later ones are younger.
    pub created: i64,
    /// Its number, where its workload counts them.
    pub ordinal: Option<u64>,
    /// What its marks say; none when they are not ours.
    pub marked: Option<Keep>,
}

/// A workload could not be read, or not be resized.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    /// There is none that could be resized.
    #[error("{0}")]
    None(String),
    /// A right is missing.
    #[error("{0}")]
    NoRight(String),
    /// Somebody changed it since it was read.
    #[error("somebody changed {0} since it was looked at")]
    Changed(String),
    /// Its provider failed.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}
