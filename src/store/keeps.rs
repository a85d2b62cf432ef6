//! Which containers sessions have, for what would take some away.

use super::{Store, StoreError, Way, scripts, sessions::bytes};
use crate::model::{ContainerId, Keep, TargetType};

/// Containers of a page.
const PAGE: usize = 100;

impl Store {
    /// What each container of a type is. None while that is not known, since Redis may have lost leases.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn keeps(&self, target_type: &TargetType) -> Result<Option<Vec<(ContainerId, Keep)>>, StoreError> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let args = [after, PAGE.to_string()];
            let mut reply = self.run(Way::Slow, &scripts::KEEPS, target_type, &bytes(&args)).await?;
            match reply.code.as_str() {
                "ok" => {}
                "recovering" => return Ok(None),
                _ => return Err(reply.unexpected()),
            }
            for keep in [Keep::Leased, Keep::Leaving, Keep::Idle] {
                for text in reply.values.texts()? {
                    let answer = || format!("{text:?} instead of a container id");
                    let wrong = |_| StoreError::Protocol { script: scripts::KEEPS.name, answer: answer() };
                    all.push((text.parse().map_err(wrong)?, keep));
                }
            }
            after = reply.values.text()?;
            if after.is_empty() {
                return Ok(Some(all));
            }
        }
    }
}
