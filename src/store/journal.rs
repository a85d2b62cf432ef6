//! What a replica remembers of the leases that it lately granted or renewed, to replay it when Redis has lost them.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::model::{LeaseProof, SessionId, TargetType};

/// How long a renewal is remembered: every live session is renewed more often.
const KEPT: Duration = Duration::from_mins(1);

/// Whoever heard of a type so lately knows all that others know: the reaper asks twice as often.
const ABREAST: Duration = Duration::from_secs(2);

/// The journal of one replica.
#[derive(Default)]
pub(super) struct Journal {
    types: Mutex<HashMap<TargetType, OfType>>,
}

#[derive(Default)]
struct OfType {
    leases: HashMap<SessionId, Remembered>,
    seen: Seen,
    /// When that was last heard of.
    heard: Option<Instant>,
    /// The epoch that the leases were replayed in.
    replayed: u64,
    pruned: Option<Instant>,
}

impl OfType {
    fn saw(&mut self, epoch: u64, token: u64, now: Instant) {
        self.heard = Some(now);
        self.seen.epoch = self.seen.epoch.max(epoch);
        self.seen.token = self.seen.token.max(token);
    }
}

struct Remembered {
    proof: LeaseProof,
    renewed: Instant,
    lapses: Instant,
}

/// The highest that was seen of a type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) epoch: u64,
    pub(super) token: u64,
    /// The type was heard of until just now: nobody has seen more.
    pub(super) just_now: bool,
}

impl Journal {
    /// A lease was granted, renewed or read: it lasts so long from now.
    pub(super) fn renewed(&self, proof: &LeaseProof, lasts: Duration) {
        self.with(&proof.target_type, |of_type, now| {
            of_type.saw(proof.epoch, proof.fencing_token.0, now);
            match of_type.leases.get_mut(&proof.session) {
                Some(known) if known.proof.fencing_token == proof.fencing_token => {
                    known.proof.epoch = proof.epoch;
                    (known.renewed, known.lapses) = (now, now + lasts);
                }
                _ => {
                    let remembered = Remembered { proof: proof.clone(), renewed: now, lapses: now + lasts };
                    of_type.leases.insert(proof.session, remembered);
                }
            }
        });
    }

    /// A session is over.
    pub(super) fn ended(&self, target_type: &TargetType, session: SessionId) {
        self.with(target_type, |of_type, _| of_type.leases.remove(&session));
    }

    /// An epoch was seen, and a fencing token that none granted until then is above. Whoever begins the next epoch must know
    /// both: Redis may have lost them, and its clock may be behind.
    pub(super) fn saw(&self, target_type: &TargetType, epoch: u64, token: u64) {
        self.with(target_type, |of_type, now| of_type.saw(epoch, token, now));
    }

    /// The highest epoch and fencing token that were seen.
    pub(super) fn seen(&self, target_type: &TargetType) -> Seen {
        self.with(target_type, |of_type, now| Seen {
            just_now: of_type.heard.is_some_and(|heard| now - heard < ABREAST),
            ..of_type.seen
        })
    }

    /// What is to be replayed in a new epoch: leases of earlier ones that still last, and how long. Once for each epoch, unless
    /// [`Journal::again`] says so: then none.
    pub(super) fn to_replay(&self, target_type: &TargetType, epoch: u64) -> Option<Vec<(LeaseProof, Duration)>> {
        self.with(target_type, |of_type, now| {
            if of_type.replayed == epoch {
                return None;
            }
            of_type.replayed = epoch;
            let lasting = of_type.leases.values().filter(|one| one.proof.epoch != epoch && one.lapses > now);
            Some(lasting.map(|one| (one.proof.clone(), one.lapses - now)).collect())
        })
    }

    /// The replay failed: it is to be made again.
    pub(super) fn again(&self, target_type: &TargetType) {
        self.with(target_type, |of_type, _| of_type.replayed = 0);
    }

    fn with<T>(&self, target_type: &TargetType, act: impl FnOnce(&mut OfType, Instant) -> T) -> T {
        let now = Instant::now();
        let mut types = self.types.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !types.contains_key(target_type) {
            types.insert(target_type.clone(), OfType::default());
        }
        let of_type = types.get_mut(target_type).expect("it was put there");
        if of_type.pruned.is_none_or(|pruned| now - pruned > KEPT / 4) {
            of_type.pruned = Some(now);
            of_type.leases.retain(|_, one| now - one.renewed < KEPT);
        }
        act(of_type, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FencingToken;

    fn proof(session: SessionId, token: u64, epoch: u64) -> LeaseProof {
        LeaseProof {
            target_type: "wine".parse().unwrap(),
            session,
            owner: "backend".parse().unwrap(),
            container: "c1".parse().unwrap(),
            incarnation: String::new(),
            fencing_token: FencingToken(token),
            epoch,
            ttl_ms: 60_000,
            created_ms: 1,
            longest_ms: None,
            until_ms: 2,
        }
    }

    #[test]
    fn what_lasts_is_replayed_once_in_each_new_epoch() {
        let wine: TargetType = "wine".parse().unwrap();
        let (journal, minute) = (Journal::default(), Duration::from_mins(1));
        let [lasting, lapsed, over] = [(); 3].map(|()| SessionId::new(&wine));
        journal.renewed(&proof(lasting, 7, 1), minute);
        journal.renewed(&proof(lapsed, 9, 1), Duration::ZERO);
        journal.renewed(&proof(over, 8, 1), minute);
        journal.ended(&wine, over);
        assert_eq!(journal.seen(&wine), Seen { epoch: 1, token: 9, just_now: true });
        assert!(journal.to_replay(&wine, 1).unwrap().is_empty(), "they are of this epoch");
        let sessions = |rows: Option<Vec<(LeaseProof, Duration)>>| {
            rows.unwrap().into_iter().map(|row| row.0.session).collect::<Vec<_>>()
        };
        assert_eq!(sessions(journal.to_replay(&wine, 2)), [lasting]);
        assert!(journal.to_replay(&wine, 2).is_none());
        journal.again(&wine);
        assert_eq!(sessions(journal.to_replay(&wine, 2)), [lasting]);
        assert_eq!(sessions(journal.to_replay(&wine, 3)), [lasting]);
    }
}
