//! Ending a recovery before its time.

use super::{Pool, PoolError};
use crate::model::{Caller, TargetType};

impl Pool {
    /// Ends the recovery of a type, or of all and then of what is not known yet as well. Says which had one.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn end_recovery(
        &self,
        caller: &Caller,
        target_type: Option<&TargetType>,
    ) -> Result<Vec<TargetType>, PoolError> {
        let types = match target_type {
            Some(target_type) => vec![target_type.clone()],
            None => self.store.types().await?,
        };
        let mut ended = Vec::new();
        for one in types {
            if self.store.end_recovery(&one).await? {
                tracing::warn!(target_type = %one, by = %caller.owner, "the recovery was ended by hand");
                ended.push(one);
            }
        }
        if target_type.is_none() {
            self.store.mark_new(true).await?;
        }
        Ok(ended)
    }
}
