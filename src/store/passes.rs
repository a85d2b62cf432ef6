//! Viewer passes.

use std::time::Duration;

use super::{
    Store, StoreError, Way, scripts,
    sessions::{bytes, flag, millis},
    view::time_text,
};
use crate::model::{FencingToken, OwnerName, Session, SessionId, TargetType, ViewerPass};

/// How long passes of a session are kept after the last change of one: what it lasts itself is not known.
const KEPT: Duration = Duration::from_hours(24);

/// A pass to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewPass<'a> {
    /// Of which session.
    pub session: SessionId,
    /// Whose that must be; none for anybody's.
    pub owner: Option<&'a OwnerName>,
    /// Its lease's token, where the caller knows it.
    pub token: Option<FencingToken>,
    /// Made by the caller.
    pub pass: &'a ViewerPass,
    /// Whether its viewer may only watch.
    pub view_only: bool,
    /// Until its first use.
    pub life: Duration,
    /// Most of a session that can be used.
    pub most: u64,
}

/// What became of a pass to be made.
#[derive(Debug)]
pub enum PassMade {
    /// It is one: of the lease with this token, until when by Redis's clock (RFC 3339).
    Made(FencingToken, String),
    /// No such session of this owner.
    NotFound,
    /// In a recovery: Redis may have lost it. The time until its end.
    Unproven(Duration),
    /// It still waits.
    Queued,
    /// It is over.
    Ended(Session),
    /// The token is not the session's, which is this one.
    Stale(FencingToken),
    /// The session has as many as it may.
    TooMany,
}

/// What became of the use of a pass.
#[derive(Debug)]
pub enum PassUsed {
    /// Its viewer is let in, to the session as it is now.
    LetIn {
        /// Whether it may only watch.
        view_only: bool,
        /// With the container.
        session: Session,
    },
    /// There is no such pass any more.
    Unknown,
    /// Another viewer used it.
    Used,
    /// In a recovery: Redis may have lost it. The time until its end.
    Unproven(Duration),
    /// The session is over.
    Ended(Session),
}

impl Store {
    /// Makes a pass. One that there is stays as it is.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn make_pass(&self, target_type: &TargetType, new: &NewPass<'_>) -> Result<PassMade, StoreError> {
        let args = [
            new.session.to_string(),
            new.owner.map(ToString::to_string).unwrap_or_default(),
            new.token.map(|token| token.to_string()).unwrap_or_default(),
            new.pass.hash(),
            flag(new.view_only),
            millis(new.life),
            new.most.to_string(),
            millis(KEPT),
        ];
        let mut reply = self.run(Way::Hot, &scripts::MAKE_PASS, target_type, &bytes(&args)).await?;
        Ok(match reply.code.as_str() {
            "ok" => {
                let token = FencingToken(reply.values.number()?);
                PassMade::Made(token, time_text(reply.values.number()?))
            }
            "not_found" => PassMade::NotFound,
            "unproven" => PassMade::Unproven(Duration::from_millis(reply.values.number()?)),
            "queued" => PassMade::Queued,
            "ended" => PassMade::Ended(self.session(&mut reply, target_type, false).await?),
            "stale_token" => PassMade::Stale(FencingToken(reply.values.number()?)),
            "too_many" => PassMade::TooMany,
            _ => return Err(reply.unexpected()),
        })
    }

    /// Uses a pass, as the viewer with this hash; without one it is used up.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn use_pass(
        &self,
        target_type: &TargetType,
        session: SessionId,
        pass: &ViewerPass,
        viewer: Option<&str>,
    ) -> Result<PassUsed, StoreError> {
        let args = [session.to_string(), pass.hash(), viewer.unwrap_or_default().to_owned(), millis(KEPT)];
        let mut reply = self.run(Way::Hot, &scripts::USE_PASS, target_type, &bytes(&args)).await?;
        Ok(match reply.code.as_str() {
            "ok" => {
                let view_only = reply.values.text()? == "1";
                PassUsed::LetIn { view_only, session: self.session(&mut reply, target_type, false).await? }
            }
            "no_pass" => PassUsed::Unknown,
            "used" => PassUsed::Used,
            "unproven" => PassUsed::Unproven(Duration::from_millis(reply.values.number()?)),
            "ended" => PassUsed::Ended(self.session(&mut reply, target_type, false).await?),
            _ => return Err(reply.unexpected()),
        })
    }
}
