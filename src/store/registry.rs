//! The registry: containers and what is known about them. Used by discovery and health; not by the hot path.

use std::time::Duration;

use super::{Store, StoreError};
use crate::model::{Container, ContainerId, Observation, ProviderName, TargetType};

/// Who holds a provider's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderLock {
    /// This replica does, in this generation. A generation is used up when the holder changes: it only grows.
    Held {
        /// The generation to give with every observation.
        generation: u64,
    },
    /// Another replica does.
    Busy {
        /// Its replica id.
        holder: String,
    },
}

/// Where an observation stands in the order of all observations of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservationMark {
    /// The provider that observed.
    pub provider: ProviderName,
    /// From [`ProviderLock::Held`].
    pub generation: u64,
    /// Grows with every call by the same holder (a retry of a call repeats its number), and across the whole snapshot.
    pub sequence: u64,
}

/// What became of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// It was taken; so many containers were added, changed or removed.
    Taken {
        /// How many.
        changed: u64,
    },
    /// A newer generation or a later observation came before: nothing was changed.
    Stale,
}

/// A container as discovery stores it.
#[derive(Debug, Clone)]
pub struct Discovered {
    /// What the provider saw.
    pub observation: Observation,
    /// Whether health probes it; without a probe the engine's word is enough to give it out.
    pub probed: bool,
}

/// What is known of a provider, for status, readiness and metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderStatus {
    /// Its name.
    pub name: ProviderName,
    /// The replica that discovers for it; none when nobody does now.
    pub holder: Option<String>,
    /// The present generation.
    pub generation: u64,
    /// Since the last full look that succeeded; none before the first.
    pub age: Option<Duration>,
    /// The last error, if the last look failed.
    pub error: Option<String>,
}

/// One probe to make.
#[derive(Debug, Clone)]
pub struct ProbeTask {
    /// The container.
    pub id: ContainerId,
    /// Its era when the probe was claimed: a report from an older one is dropped.
    pub era: u64,
    /// Where to dial.
    pub about: crate::model::About,
}

/// What a probe found.
#[derive(Debug, Clone)]
pub struct ProbeReport {
    /// The container.
    pub id: ContainerId,
    /// From the task.
    pub era: u64,
    /// None when it was good; else why not, in at most 200 characters.
    pub failure: Option<String>,
    /// Good ones in a row that make it healthy.
    pub rise: u32,
    /// Bad ones in a row that make it unhealthy.
    pub fall: u32,
}

impl Store {
    /// Takes or renews the lock of a provider for `ttl`.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn lock_provider(
        &self,
        provider: &ProviderName,
        replica: &str,
        ttl: Duration,
    ) -> Result<ProviderLock, StoreError> {
        todo!()
    }

    /// Gives the lock back, if this replica holds it.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn unlock_provider(&self, provider: &ProviderName, replica: &str) -> Result<(), StoreError> {
        todo!()
    }

    /// Records how the last full look went: `None` for success, else the error in words.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn record_look(&self, mark: &ObservationMark, error: Option<&str>) -> Result<(), StoreError> {
        todo!()
    }

    /// The state of one provider.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn provider_status(&self, provider: &ProviderName) -> Result<ProviderStatus, StoreError> {
        todo!()
    }

    /// Every type ever configured or discovered, sorted.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn types(&self) -> Result<Vec<TargetType>, StoreError> {
        todo!()
    }

    /// Makes types known.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn add_types(&self, types: &[TargetType]) -> Result<(), StoreError> {
        todo!()
    }

    /// Tells a type of a new generation before it is used, so that an older holder can change nothing more.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn announce(&self, target_type: &TargetType, mark: &ObservationMark) -> Result<Observed, StoreError> {
        todo!()
    }

    /// Adds or changes containers of one type (any number; they are sent in chunks of at most 100). `snapshot` is the
    /// number of the full look that they belong to, for [`Store::sweep`]; none for single changes.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn observe(
        &self,
        target_type: &TargetType,
        mark: &ObservationMark,
        snapshot: Option<u64>,
        containers: &[Discovered],
    ) -> Result<Observed, StoreError> {
        todo!()
    }

    /// Removes the provider's containers of this type that the full look `snapshot` did not see.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn sweep(
        &self,
        target_type: &TargetType,
        mark: &ObservationMark,
        snapshot: u64,
    ) -> Result<Observed, StoreError> {
        todo!()
    }

    /// Removes one container: its session, if it has one, ends as `container_lost`.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn remove(
        &self,
        target_type: &TargetType,
        mark: &ObservationMark,
        id: &ContainerId,
    ) -> Result<Observed, StoreError> {
        todo!()
    }

    /// The ids of the provider's containers of one type.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn ids_of(
        &self,
        target_type: &TargetType,
        provider: &ProviderName,
    ) -> Result<Vec<ContainerId>, StoreError> {
        todo!()
    }

    /// Claims up to `most` probes that are due; each is due again after `interval` (give or take a tenth), whoever
    /// claims it then, so that no container is probed by two at once.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn claim_probes(
        &self,
        target_type: &TargetType,
        most: usize,
        interval: Duration,
    ) -> Result<Vec<ProbeTask>, StoreError> {
        todo!()
    }

    /// Reports what probes found (at most 100).
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn report_probes(&self, target_type: &TargetType, reports: &[ProbeReport]) -> Result<(), StoreError> {
        todo!()
    }

    /// Asks whoever discovers this provider for a full look now, and waits at most `patience` until one that began
    /// after the call has been recorded.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn ask_for_look(&self, provider: &ProviderName, patience: Duration) -> Result<bool, StoreError> {
        todo!()
    }

    /// How often a full look was asked for: the discoverer looks when this has grown since its last look began.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn looks_asked(&self, provider: &ProviderName) -> Result<u64, StoreError> {
        todo!()
    }

    /// One page of containers of one type. `cursor` is empty for the first page and the returned one for the next;
    /// the returned one is `None` after the last.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn containers(
        &self,
        target_type: &TargetType,
        available_only: bool,
        cursor: &str,
        most: usize,
    ) -> Result<(Vec<Container>, Option<String>), StoreError> {
        todo!()
    }
}
