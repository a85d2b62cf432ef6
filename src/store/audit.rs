//! The audit: pages of a type's data, and the claim that lets one replica audit it at a time.

use std::time::Duration;

use super::{
    Store, StoreError, Way, scripts,
    sessions::{bytes, flag, millis},
};
use crate::model::{Fault, Finding, TargetType};

/// What is audited of a type, in this order: first what the rest depends on, and last what the rest may have mended. The
/// sets of owners are audited as they are met among the records.
pub const AUDIT_AREAS: [&str; 23] = [
    "due",
    "containers",
    "available",
    "cordoned",
    "unhealthy",
    "initializing",
    "resetting",
    "quarantine",
    "cleared",
    "probes",
    "resets",
    "draining",
    "leaving",
    "leases",
    "offers",
    "queue",
    "tickets",
    "sessions",
    "ended",
    "warnings",
    "claims",
    "records",
    "counts",
];

/// Items on a page: about a millisecond of Redis.
const PAGE: usize = 50;

/// What is overdue for less than this may be on its way.
const GRACE: Duration = Duration::from_secs(10);

/// One page of an audit.
#[derive(Debug, Clone, Default)]
pub struct AuditPage {
    /// What was found.
    pub findings: Vec<Finding>,
    /// How many items were looked at.
    pub looked: u64,
    /// Areas of the sets of owners that were met.
    pub owners: Vec<String>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// What the last audit of a type found.
#[derive(Debug, Clone)]
pub struct Audited {
    /// How long ago it ended.
    pub age: Duration,
    /// How many faults of each kind there were.
    pub found: Vec<(Fault, u64)>,
}

impl Store {
    /// Audits one page of an area, from the cursor of the page before. With `repairs` mends what it finds.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn audit_page(
        &self,
        target_type: &TargetType,
        area: &str,
        cursor: Option<&str>,
        repairs: bool,
    ) -> Result<AuditPage, StoreError> {
        let args =
            [area.to_owned(), cursor.unwrap_or_default().to_owned(), PAGE.to_string(), flag(repairs), millis(GRACE)];
        let mut reply = self.run(Way::Slow, &scripts::AUDIT, target_type, &bytes(&args)).await?;
        if reply.code != "ok" {
            return Err(reply.unexpected());
        }
        let mut page = AuditPage::default();
        for mut row in reply.values.rows()? {
            let word = row.text()?;
            page.findings.push(Finding {
                target_type: target_type.clone(),
                fault: Fault::from_word(&word).ok_or_else(|| row.wrong_word("a fault", &word))?,
                id: row.text()?,
                place: row.text()?,
                repaired: row.number()? == 1,
            });
        }
        page.looked = reply.values.number()?;
        page.owners = reply.values.texts()?.into_iter().map(|name| format!("owner:{name}")).collect();
        page.next = Some(reply.values.text()?).filter(|cursor| !cursor.is_empty());
        Ok(page)
    }

    /// Claims the audit of a type for `hold`, or goes on with it; not within `pause` of the end of the last one. Says
    /// whether this replica has it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn claim_audit(
        &self,
        target_type: &TargetType,
        replica: &str,
        hold: Duration,
        pause: Duration,
    ) -> Result<bool, StoreError> {
        let args = [replica.to_owned(), millis(hold), millis(pause)];
        let reply = self.run(Way::Slow, &scripts::CLAIM_AUDIT, target_type, &bytes(&args)).await?;
        match reply.code.as_str() {
            "claimed" => Ok(true),
            "busy" => Ok(false),
            _ => Err(reply.unexpected()),
        }
    }

    /// Ends a claimed audit and keeps what it found.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn finish_audit(
        &self,
        target_type: &TargetType,
        replica: &str,
        found: &[(Fault, u64)],
    ) -> Result<(), StoreError> {
        let mut args = vec![replica.to_owned()];
        args.extend(found.iter().flat_map(|(fault, count)| [fault.as_str().to_owned(), count.to_string()]));
        self.run(Way::Slow, &scripts::FINISH_AUDIT, target_type, &bytes(&args)).await.map(|_| ())
    }

    /// What the last audit of a type found; none when there was none yet.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn audited(&self, target_type: &TargetType) -> Result<Option<Audited>, StoreError> {
        let mut reply = self.run(Way::Slow, &scripts::AUDITED, target_type, &[]).await?;
        match reply.code.as_str() {
            "never" => return Ok(None),
            "ok" => {}
            _ => return Err(reply.unexpected()),
        }
        let age = Duration::from_millis(reply.values.number()?);
        let mut found = Vec::new();
        for mut row in reply.values.rows()? {
            // A newer version may know of other kinds.
            let (word, count) = (row.text()?, row.number()?);
            found.extend(Fault::from_word(&word).map(|fault| (fault, count)));
        }
        Ok(Some(Audited { age, found }))
    }
}
