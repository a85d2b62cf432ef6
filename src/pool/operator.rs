//! What an operator does with one container.

use std::time::Duration;

use super::{Pool, PoolError};
use crate::{
    model::{Container, ContainerId, TargetType},
    store::Restarting,
};

impl Pool {
    /// Gives a container out no more; its session goes on.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn cordon(&self, by: &str, id: &str) -> Result<Container, PoolError> {
        let (target_type, known) = self.found(id).await?;
        let container = still_there(self.store.cordon(&target_type, &known, by).await?, id)?;
        tracing::info!(container_id = %container.id, %target_type, by, "container is cordoned");
        Ok(container)
    }

    /// Lets a container be given out again; a drain of it is over.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn uncordon(&self, by: &str, id: &str) -> Result<Container, PoolError> {
        let (target_type, known) = self.found(id).await?;
        let container = still_there(self.store.uncordon(&target_type, &known, by).await?, id)?;
        tracing::info!(container_id = %container.id, %target_type, by, "container is no longer cordoned");
        Ok(container)
    }

    /// Has a container rest in quarantine for so long from now; its session goes on.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn quarantine(&self, by: &str, id: &str, rest: Duration) -> Result<Container, PoolError> {
        let (target_type, known) = self.found(id).await?;
        let container = still_there(self.store.quarantine(&target_type, &known, by, rest).await?, id)?;
        tracing::info!(
            container_id = %container.id, %target_type, by, rest_seconds = rest.as_secs(), "container is put into quarantine"
        );
        Ok(container)
    }

    /// Ends a container's quarantine, and forgets what its name failed before.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn lift_quarantine(&self, by: &str, id: &str) -> Result<Container, PoolError> {
        let (target_type, known) = self.found(id).await?;
        let container = still_there(self.store.lift_quarantine(&target_type, &known, by).await?, id)?;
        tracing::info!(container_id = %container.id, %target_type, by, "container is no longer in quarantine");
        Ok(container)
    }

    /// Cordons a container and waits until `deadline` for its session to end; with `force` it is ended then. Answers at once:
    /// the waiting is Redis's, and whichever replica is there keeps the deadline.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn drain(&self, by: &str, id: &str, deadline: Duration, force: bool) -> Result<Container, PoolError> {
        let (target_type, known) = self.found(id).await?;
        let container = still_there(self.store.drain(&target_type, &known, by, deadline, force).await?, id)?;
        tracing::info!(
            container_id = %container.id, %target_type, by, deadline_seconds = deadline.as_secs(), force,
            waiting_for = container.drain.as_ref().map(|drain| drain.waiting_for.as_str()), "container is to be drained"
        );
        Ok(container)
    }

    /// Has a container restarted by whichever worker is there. One that a session has is refused; with `force` its session
    /// ends first, and the container is made clean as after every session.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn restart(&self, by: &str, container: &Container, force: bool) -> Result<Container, PoolError> {
        let (id, target_type) = (&container.id, &container.target_type);
        match self.store.restart(target_type, id, by, force).await? {
            Restarting::Asked(now) => {
                let ended = container.allocated_to.as_deref();
                tracing::info!(container_id = %id, %target_type, by, force, ended, "container is to be restarted");
                Ok(*now)
            }
            Restarting::InUse(session_id) => Err(PoolError::ContainerInUse { container_id: id.clone(), session_id }),
            Restarting::Gone => still_there(None, id.as_str()),
        }
    }

    /// Which type a container is of.
    async fn found(&self, id: &str) -> Result<(TargetType, ContainerId), PoolError> {
        let container = self.container(id).await?;
        Ok((container.target_type, container.id))
    }
}

/// It may be gone since it was found.
fn still_there(container: Option<Container>, id: &str) -> Result<Container, PoolError> {
    container.ok_or_else(|| PoolError::ContainerNotFound(id.chars().take(80).collect()))
}
