//! What an operator does with one container, and why a type has none available.

use std::time::Duration;

use super::{
    Released, Store, StoreError, Way,
    registry::shortened,
    reply::{Record, Row},
    scripts::{self, Script},
    sessions::{bytes, flag, millis},
    view,
};
use crate::model::{Container, ContainerId, FencingToken, NamedContainer, Reason, SessionId, TargetType};

/// Most unhealthy containers that are looked at for why they are.
const LOOKS: usize = 100;

/// Sizes of a type's sets, as far as they say why something is not available.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutCounts {
    /// All containers that are present.
    pub containers: u64,
    /// Would be given out now.
    pub available: u64,
    /// Under a lease.
    pub leased: u64,
    /// Offered to a ticket.
    pub offered: u64,
    /// Being made clean.
    pub resetting: u64,
    /// Not fit; with those in quarantine.
    pub unhealthy: u64,
    /// In quarantine.
    pub quarantined: u64,
    /// No verdict yet.
    pub initializing: u64,
    /// Idle and cordoned.
    pub cordoned: u64,
    /// Cordoned, and waited for; these are leased or offered as well.
    pub draining: u64,
    /// Tickets in line.
    pub waiting: u64,
    /// Idle, and given out only after the recovery.
    pub held: u64,
    /// The time until the end of a recovery.
    pub recovering: Option<Duration>,
}

/// Whether a container is restarted.
#[derive(Debug, Clone, PartialEq)]
pub enum Restarting {
    /// A worker will.
    Asked(Box<Container>),
    /// This session has it.
    InUse(String),
    /// There is no such container.
    Gone,
}

impl Store {
    /// Has a container restarted by a worker, unless a session has it; with `force` that ends first. Safe to repeat.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn restart(
        &self,
        target_type: &TargetType,
        id: &ContainerId,
        by: &str,
        force: bool,
    ) -> Result<Restarting, StoreError> {
        let args = [id.to_string(), told(by), flag(force)];
        let mut reply = self.run(Way::Slow, &scripts::RESTART, target_type, &bytes(&args)).await?;
        match reply.code.as_str() {
            "ok" => {
                let text = reply.values.text()?;
                let container = view::container(&mut Record::read(scripts::RESTART.name, &text), target_type)?;
                Ok(Restarting::Asked(Box::new(container)))
            }
            "in_use" => Ok(Restarting::InUse(reply.values.text()?)),
            "not_found" => Ok(Restarting::Gone),
            _ => Err(reply.unexpected()),
        }
    }

    /// Gives a container out no more. None: there is no such container.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn cordon(
        &self,
        target_type: &TargetType,
        id: &ContainerId,
        by: &str,
    ) -> Result<Option<Container>, StoreError> {
        self.act(&scripts::CORDON, target_type, id, by, &[]).await
    }

    /// Lets a container be given out again, and ends its drain. None: there is no such container.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn uncordon(
        &self,
        target_type: &TargetType,
        id: &ContainerId,
        by: &str,
    ) -> Result<Option<Container>, StoreError> {
        self.act(&scripts::UNCORDON, target_type, id, by, &[]).await
    }

    /// Has a container rest in quarantine for so long from now. None: there is no such container.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn quarantine(
        &self,
        target_type: &TargetType,
        id: &ContainerId,
        by: &str,
        rest: Duration,
    ) -> Result<Option<Container>, StoreError> {
        self.act(&scripts::QUARANTINE, target_type, id, by, &[millis(rest)]).await
    }

    /// Ends a container's quarantine, and forgets what its name failed. None: there is no such container.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn lift_quarantine(
        &self,
        target_type: &TargetType,
        id: &ContainerId,
        by: &str,
    ) -> Result<Option<Container>, StoreError> {
        self.act(&scripts::LIFT_QUARANTINE, target_type, id, by, &[]).await
    }

    /// Cordons a container and waits so long for its session to end; with `force` it is ended then. None: there is no such
    /// container.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn drain(
        &self,
        target_type: &TargetType,
        id: &ContainerId,
        by: &str,
        deadline: Duration,
        force: bool,
    ) -> Result<Option<Container>, StoreError> {
        self.act(&scripts::DRAIN, target_type, id, by, &[millis(deadline), flag(force)]).await
    }

    async fn act(
        &self,
        script: &'static Script,
        target_type: &TargetType,
        id: &ContainerId,
        by: &str,
        more: &[String],
    ) -> Result<Option<Container>, StoreError> {
        let by = told(by);
        let mut args = vec![id.as_str().as_bytes(), by.as_bytes()];
        args.extend(bytes(more));
        self.container_by(script, target_type, &args).await
    }

    /// Ends a session, whoever owns it, also one that waits.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn end_session(
        &self,
        target_type: &TargetType,
        id: SessionId,
        token: Option<FencingToken>,
        by: &str,
    ) -> Result<Released, StoreError> {
        let args = [id.to_string(), token.map(|token| token.to_string()).unwrap_or_default(), told(by)];
        let reply = self.run(Way::Slow, &scripts::END_SESSION, target_type, &bytes(&args)).await?;
        self.released(reply, target_type).await
    }

    /// Why a type's containers are not available: counts, and up to `few` containers named for each reason; of those that
    /// are unhealthy up to a hundred.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn explain(
        &self,
        target_type: &TargetType,
        few: usize,
    ) -> Result<(OutCounts, Vec<(Reason, NamedContainer)>), StoreError> {
        let looks = if few == 0 { 0 } else { LOOKS };
        let args = [few.to_string(), looks.to_string()];
        let mut reply = self.run(Way::Slow, &scripts::EXPLAIN, target_type, &bytes(&args)).await?;
        if reply.code != "ok" {
            return Err(reply.unexpected());
        }
        let values = &mut reply.values;
        let counts = OutCounts {
            containers: values.number()?,
            available: values.number()?,
            leased: values.number()?,
            offered: values.number()?,
            resetting: values.number()?,
            unhealthy: values.number()?,
            quarantined: values.number()?,
            initializing: values.number()?,
            cordoned: values.number()?,
            draining: values.number()?,
            waiting: values.number()?,
            held: values.number()?,
            recovering: values.optional_number()?.map(Duration::from_millis),
        };
        let named = values.rows()?.into_iter().map(|mut row| named(&mut row, target_type)).collect::<Result<_, _>>()?;
        Ok((counts, named))
    }
}

/// Who does something, as it is stored: a longer value would make a container's record four times as large in Redis.
pub(super) fn told(by: &str) -> String {
    shortened(by, 60).replace(char::is_control, " ")
}

fn named(row: &mut Row, target_type: &TargetType) -> Result<(Reason, NamedContainer), StoreError> {
    let word = row.text()?;
    let reason = Reason::from_word(&word).ok_or_else(|| row.wrong_word("a reason", &word))?;
    let seconds = row.optional_number()?.map(|ms| ms.div_ceil(1000));
    let text = row.text()?;
    let container = view::container(&mut Record::read(scripts::EXPLAIN.name, &text), target_type)?;
    let named = NamedContainer {
        id: container.id,
        name: container.name,
        session_id: container.allocated_to,
        because: match reason {
            Reason::Cordoned => container.cordoned_by.map(|by| format!("cordoned by {by}")),
            Reason::Quarantined => container.quarantine.map(|rest| match rest.reason.as_str() {
                "reset" => container.health.reason.unwrap_or_default(),
                "probe" => "its probe failed again and again".to_owned(),
                "check" => "the engine's own check failed again and again".to_owned(),
                "operator" => format!("put there by {}", rest.by.as_deref().unwrap_or("an operator")),
                "lost" => "it was lost while it was leased".to_owned(),
                _ => "it ended by itself again and again".to_owned(),
            }),
            _ => container.health.reason,
        },
        seconds,
    };
    Ok((reason, named))
}
