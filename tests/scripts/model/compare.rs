//! Whether Redis and its answers are what the model says.

use std::collections::BTreeSet;

use leasehold::model::{FencingToken, SessionState};

use super::{
    look::Look,
    run::Run,
    world::{self, Session, State},
};

impl Run {
    /// An answer shows the session as the model has it.
    pub(super) fn same(&self, answer: &leasehold::model::Session) {
        let session = &self.world.sessions[&answer.id];
        let (state, reason) = match session.state {
            State::Queued | State::Offered => (SessionState::Queued, None),
            State::Ready => (SessionState::Ready, None),
            State::Ended(reason) => (SessionState::Ended, Some(reason)),
            State::Gone => panic!("answered after it gave up"),
        };
        assert_eq!((answer.state, answer.end_reason), (state, reason));
        if let Some(lease) = &answer.lease {
            self.left(session, lease.expires_in_ms as i64);
        }
    }

    /// A deadline is where the model has it, but for the real time that the run took.
    fn left(&self, session: &Session, millis: i64) {
        let left = (session.deadline.0 - self.world.now) * 1000;
        assert!((left - 5000..left + 100).contains(&millis), "{millis} ms are left and not {left}: {session:?}");
    }

    /// What Redis holds is sound, and is what the model says.
    pub(super) fn check(&mut self) {
        let look = Look::read(&mut self.connection, &self.base, &self.history.last());
        look.check();
        self.history.follow(&look);
        let world = &self.world;
        assert_eq!(look.containers(), world.containers.keys().map(String::as_str).collect::<BTreeSet<_>>());
        for (name, container) in &world.containers {
            let facts = look.container(name).expect("it was listed");
            let lease = container.lease.map(|id| id.to_string());
            assert_eq!(facts.get("lease"), lease.as_ref(), "the lease of {name}");
            assert_eq!(Some(facts["set"].as_str()), container.set.map(world::Set::name), "where {name} is");
            assert_eq!(facts.contains_key("cordon"), container.cordon, "the cordon of {name}");
            assert_eq!(facts.contains_key("drain"), container.drain.is_some(), "the drain of {name}");
            if let Some((deadline, _)) = container.drain {
                let left = (deadline.0 - world.now) * 1000;
                let there = look.score("draining", name) - look.now;
                assert!(
                    (left - 5000..left + 100).contains(&there),
                    "{there} ms are left and not {left}: {container:?}"
                );
            }
            assert_eq!(facts["era"], container.era.to_string(), "the era of {name}");
        }
        for (id, session) in &world.sessions {
            let record = look.session(&id.to_string());
            if let Some(token) = record.and_then(|record| record.get("token")) {
                self.tokens.insert(*id, FencingToken(token.parse().unwrap()));
            }
            let told = record.map(|record| (record["state"].as_str(), record.get("reason").map(String::as_str)));
            let expected = match session.state {
                State::Queued => Some(("queued", None)),
                State::Offered => Some(("offered", None)),
                State::Ready => Some(("ready", None)),
                State::Ended(reason) => Some(("ended", Some(reason.as_str()))),
                State::Gone => None,
            };
            assert_eq!(told, expected, "session {id}");
            let set = match session.state {
                State::Queued => "tickets",
                State::Offered => "offers",
                State::Ready => "leases",
                State::Ended(_) | State::Gone => continue,
            };
            self.left(session, look.score(set, &id.to_string()) - look.now);
        }
        let line: Vec<_> = world.line().iter().map(ToString::to_string).collect();
        assert_eq!(look.ranked("queue"), line, "the line");
    }
}
