//! The audit: sets against records, containers against sessions. A replica looks at a page at a time, slowly; an operator
//! at as many as fit into a second.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Pool, PoolError, StoreError};
use crate::{
    model::{Caller, Fault, Finding, TargetType},
    store::{AUDIT_AREAS, Audited},
};

/// How long one call of an operator goes on; the next one goes on where it stopped.
const CALL: Duration = Duration::from_secs(1);

/// Findings in the answer to one call, about: then it stops.
const FINDINGS: usize = 1000;

/// A replica's claim on the audit of a type: its death holds up the next one for so long.
const HOLD: Duration = Duration::from_secs(30);

/// How often types are looked through for one whose audit is due.
const LOOK: Duration = Duration::from_secs(1);

/// Faults of one audit that are logged each; the rest are counted.
const LOGGED: u64 = 100;

/// A part of an audit.
#[derive(Debug, Clone, Default)]
pub struct AuditPart {
    /// What was found.
    pub findings: Vec<Finding>,
    /// How many records and members of sets were looked at.
    pub looked: u64,
    /// Where to go on; none when all has been looked at.
    pub next: Option<String>,
}

/// Where an audit stands.
struct Place {
    target_type: TargetType,
    area: usize,
    cursor: Option<String>,
}

impl Place {
    fn start(target_type: &TargetType) -> Self {
        Self { target_type: target_type.clone(), area: 0, cursor: None }
    }

    /// Reads `<type>~<area>~<cursor>`.
    fn read(text: &str) -> Option<Self> {
        let (target_type, rest) = text.split_once('~')?;
        let (area, cursor) = rest.split_once('~')?;
        let number = cursor.is_empty() || cursor.parse::<u64>().is_ok();
        Some(Self {
            target_type: target_type.parse().ok()?,
            area: AUDIT_AREAS.iter().position(|one| number && *one == area)?,
            cursor: (!cursor.is_empty()).then(|| cursor.to_owned()),
        })
    }

    fn text(&self) -> String {
        format!("{}~{}~{}", self.target_type, AUDIT_AREAS[self.area], self.cursor.as_deref().unwrap_or_default())
    }

    fn is_end(&self) -> bool {
        self.area == AUDIT_AREAS.len()
    }
}

impl Pool {
    /// Audits a part of a type's data, or of all types', from the `next` of the part before. With `repairs` mends what it
    /// finds.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn audit(
        &self,
        caller: &Caller,
        target_type: Option<&TargetType>,
        repairs: bool,
        from: Option<&str>,
    ) -> Result<AuditPart, PoolError> {
        let types = match target_type {
            Some(target_type) => vec![target_type.clone()],
            None => self.store.types().await?,
        };
        let mut place = match from {
            Some(text) => {
                let known = Place::read(text).filter(|place| types.contains(&place.target_type));
                Some(known.ok_or_else(|| PoolError::BadCursor(text.to_owned()))?)
            }
            None => types.first().map(Place::start),
        };
        let (mut part, began) = (AuditPart::default(), Instant::now());
        let mut seen = BTreeSet::new();
        while let Some(now) = &mut place {
            let findings = self.audit_step(now, repairs, &mut part.looked).await?;
            for finding in &findings {
                if finding.repaired {
                    self.shared.metrics.audit_repair(finding);
                }
                tracing::warn!(
                    target_type = %finding.target_type, fault = finding.fault.as_str(), id = finding.id,
                    place = finding.place, repaired = finding.repaired, by = %caller.owner, "the audit found a fault"
                );
            }
            // A walk may come by the same record twice.
            part.findings.extend(findings.into_iter().filter(|finding| seen.insert(finding.clone())));
            if now.is_end() {
                place = types.iter().find(|other| **other > now.target_type).map(Place::start);
            }
            if began.elapsed() >= CALL || part.findings.len() >= FINDINGS {
                break;
            }
        }
        part.next = place.map(|place| place.text());
        Ok(part)
    }

    /// One page, with the sets of those owners that it meets; then `place` is the next one.
    async fn audit_step(&self, place: &mut Place, repairs: bool, looked: &mut u64) -> Result<Vec<Finding>, StoreError> {
        let (target_type, area) = (&place.target_type, AUDIT_AREAS[place.area]);
        let page = self.store.audit_page(target_type, area, place.cursor.as_deref(), repairs).await?;
        *looked += page.looked;
        let mut findings = page.findings;
        for owner in page.owners {
            let mut cursor = None;
            loop {
                let page = self.store.audit_page(target_type, &owner, cursor.as_deref(), repairs).await?;
                *looked += page.looked;
                findings.extend(page.findings);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        place.cursor = page.next;
        if place.cursor.is_none() {
            place.area += 1;
        }
        Ok(findings)
    }

    /// What the last audit of each type found.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub async fn audited(&self) -> Result<Vec<(TargetType, Audited)>, PoolError> {
        let mut all = Vec::new();
        for target_type in self.store.types().await? {
            if let Some(audited) = self.store.audited(&target_type).await? {
                all.push((target_type, audited));
            }
        }
        Ok(all)
    }

    /// Audits every type in turn until `shutdown`: a page, a pause. One replica audits a type at a time, whichever claims it.
    /// Repairs nothing: that is for who has read what was found.
    pub async fn run_auditor(&self, shutdown: CancellationToken) {
        let settings = &self.shared.config.audit;
        if settings.interval.is_zero() {
            return shutdown.cancelled().await;
        }
        let mut failing = false;
        loop {
            let outcome = shutdown.run_until_cancelled(self.audit_all()).await;
            match outcome {
                None => return,
                Some(Ok(())) => failing = false,
                Some(Err(error)) => {
                    if !failing {
                        tracing::warn!(%error, "an audit stopped; it begins again when Redis can be asked");
                    }
                    failing = true;
                }
            }
            if shutdown.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
                return;
            }
        }
    }

    async fn audit_all(&self) -> Result<(), StoreError> {
        for target_type in self.store.types().await? {
            if self.claim(&target_type).await? {
                self.audit_type(&target_type).await?;
            }
        }
        Ok(())
    }

    async fn claim(&self, target_type: &TargetType) -> Result<bool, StoreError> {
        let pause = self.shared.config.audit.interval;
        self.store.claim_audit(target_type, &self.shared.replica, HOLD, pause).await
    }

    /// A whole audit of a type, as long as the claim is this replica's.
    async fn audit_type(&self, target_type: &TargetType) -> Result<(), StoreError> {
        let (mut place, mut looked, mut claimed) = (Place::start(target_type), 0, Instant::now());
        let mut seen = BTreeSet::new();
        let mut found = BTreeMap::<Fault, u64>::new();
        while !place.is_end() {
            for finding in self.audit_step(&mut place, false, &mut looked).await? {
                if seen.len() < FINDINGS && !seen.insert((finding.fault, finding.id.clone(), finding.place.clone())) {
                    continue;
                }
                let all = found.values().sum::<u64>();
                *found.entry(finding.fault).or_default() += 1;
                if all < LOGGED {
                    tracing::warn!(
                        %target_type, fault = finding.fault.as_str(), id = finding.id, place = finding.place,
                        "the audit found a fault; `leasehold audit --repair` repairs it"
                    );
                }
            }
            if claimed.elapsed() >= HOLD / 3 {
                claimed = Instant::now();
                if !self.claim(target_type).await? {
                    return Ok(());
                }
            }
            tokio::time::sleep(self.shared.config.audit.pause).await;
        }
        let found: Vec<_> = found.into_iter().collect();
        let faults = found.iter().map(|(_, count)| count).sum::<u64>();
        if faults > 0 {
            tracing::warn!(%target_type, looked, faults, "an audit ended");
        } else {
            tracing::debug!(%target_type, looked, "an audit ended and found nothing");
        }
        self.store.finish_audit(target_type, &self.shared.replica, &found).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        for text in ["wine~due~", "wine~records~4711"] {
            assert_eq!(Place::read(text).unwrap().text(), text);
        }
        for bad in ["", "wine", "wine~records", "wine~nothing~", "wine~records~x", "~due~"] {
            assert!(Place::read(bad).is_none(), "{bad}");
        }
    }
}
