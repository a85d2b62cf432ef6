//! Which containers sessions have, for what would take some away.

use super::{Store, StoreError, Way, scripts, sessions::bytes};
use crate::model::{ContainerId, Keep, TargetType};

/// What each container of a type is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keeps {
    /// Those that a session has first, of each page.
    pub all: Vec<(ContainerId, Keep)>,
    /// That of Redis while it was read.
    pub epoch: u64,
}

/// Containers of a page.
const PAGE: usize = 100;

impl Store {
    /// What each container of a type is. None while that is not known, since Redis may have lost leases.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn keeps(&self, target_type: &TargetType) -> Result<Option<Keeps>, StoreError> {
        let (mut all, mut after, mut began) = (Vec::new(), String::new(), None);
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
            let epoch = reply.values.number()?;
            if *began.get_or_insert(epoch) != epoch {
                return Ok(None);
            }
            if after.is_empty() {
                return Ok(Some(Keeps { all, epoch }));
            }
        }
    }
}
