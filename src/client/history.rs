//! What happened to a type.

use super::{Client, error::ClientError, http::patiently};
use crate::model::{TargetType, TypeHistory};

impl Client {
    /// What happened to a type by the hour, and its last sessions one by one.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn history(&self, target_type: &TargetType) -> Result<TypeHistory, ClientError> {
        patiently(|| self.http.json(self.http.get(&format!("/types/{target_type}/history")))).await
    }
}
