//! One run: each step is done to the model and to Redis, whose answers and records must be what the model says.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use leasehold::{
    config::Config,
    metrics::Metrics,
    model::{self as shown, About, EndReason, FencingToken, OwnerName, SessionId, Share, TargetType},
    store::{
        AUDIT_AREAS, Allocated, Allocation, Beat, Discovered, Heartbeat, ObservationMark, Observed, Polled,
        ProbeReport, Released, Store,
    },
};
use proptest::test_runner::TestCaseError;

use super::{
    history::History,
    step::{Fact, How, Step, Token},
    world::{self, Clock, Container, Made, Place, Session, State, World},
};
use crate::{
    common::redis::Redis,
    scripts::{id, running},
};

/// As many live sessions as one script surely takes back, with the containers that are quarantined or drained.
const MOST_LIVE: usize = 9;

/// Good probes that make a container healthy, and bad ones that make it unhealthy.
const RISE: u32 = 1;
const FALL: u32 = 2;

/// Where a run stands.
pub struct Run {
    store: Store,
    pub(super) connection: redis::Connection,
    wine: TargetType,
    owners: [OwnerName; 2],
    pub(super) base: String,
    pub(super) world: World,
    pub(super) history: History,
    made: Vec<SessionId>,
    pub(super) tokens: BTreeMap<SessionId, FencingToken>,
    generation: u64,
    sequence: u64,
    incarnations: usize,
}

/// Does the steps on an empty Redis.
pub async fn run(redis: Arc<Redis>, number: u32, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut connection = redis.conn();
    let _: String = redis::cmd("FLUSHALL").query(&mut connection).unwrap();
    let mut config = Config::default();
    config.redis.url = redis.url().into();
    config.prefix = format!("run{number}");
    config.limits.confirm = seconds(world::CONFIRM);
    config.limits.ticket_life = seconds(world::TICKET);
    config.limits.wait_max = seconds(world::WAIT);
    let store = Store::connect(&config, Arc::new(Metrics::new())).expect("a good address");
    assert!(store.mark_new(false).await.unwrap(), "an empty Redis");
    let mut run = Run {
        store,
        connection,
        wine: "wine".parse().unwrap(),
        owners: world::OWNERS.map(|(owner, _)| owner.parse().unwrap()),
        base: format!("{}:{{wine}}:", config.prefix),
        world: World::default(),
        history: History::default(),
        made: Vec::new(),
        tokens: BTreeMap::new(),
        generation: 1,
        sequence: 0,
        incarnations: 0,
    };
    for (at, step) in steps.iter().enumerate() {
        run.world.step = at;
        run.step(step).await;
        run.check();
    }
    run.audit().await;
    Ok(())
}

fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(seconds.unsigned_abs())
}

fn name(container: usize) -> String {
    format!("c{container}")
}

impl Run {
    /// The session that a step means; none before the first.
    fn chosen(&self, number: usize) -> Option<SessionId> {
        self.made.iter().rev().nth(number % self.made.len().max(1)).copied()
    }

    fn owner_of(&self, id: SessionId) -> &OwnerName {
        &self.owners[self.world.sessions[&id].owner]
    }

    fn mark(&mut self) -> ObservationMark {
        self.sequence += 1;
        ObservationMark { provider: "lab".parse().unwrap(), generation: self.generation, sequence: self.sequence }
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.base)
    }

    fn command(&mut self, verb: &str, args: &[&str]) {
        let _: redis::Value = redis::cmd(verb).arg(args).query(&mut self.connection).unwrap();
    }

    /// The audit finds nothing to complain of, once what is overdue was taken back.
    async fn audit(&self) {
        while self.store.reclaim(&self.wine).await.unwrap().more {}
        for area in AUDIT_AREAS.into_iter().chain(["owner:backend"]) {
            let page = self.store.audit_page(&self.wine, area, None, false).await.unwrap();
            assert!(page.next.is_none(), "{area} is more than a page");
            assert_eq!(page.findings, [], "{area}");
        }
    }

    async fn step(&mut self, step: &Step) {
        match *step {
            Step::Observe { container, state, health, probed } => {
                let mut seen = self.discovered(container, false);
                (seen.observation.state, seen.observation.health, seen.probed) = (state, health, probed);
                self.observe(seen).await;
            }
            Step::Restart { container } => {
                let seen = self.discovered(container, true);
                self.observe(seen).await;
            }
            Step::Remove { container } => {
                let mark = self.mark();
                let removed = self.store.remove(&self.wine, &mark, &[id(&name(container))]).await.unwrap();
                self.world.reclaim();
                let there = self.world.containers.contains_key(&name(container));
                assert_eq!(removed, Observed::Taken { changed: there.into() });
                self.world.remove(&name(container));
            }
            Step::Look { seen } => self.look(&seen).await,
            Step::Takeover => {
                (self.generation, self.sequence) = (self.generation + 1, 0);
                let mark = self.mark();
                self.store.announce(&self.wine, &mark).await.unwrap();
            }
            Step::Probe { container, good, late } => self.probe(&name(container), good, late).await,
            Step::Create { .. } => self.create(step).await,
            Step::Replay { session } => self.replay(session).await,
            Step::Heartbeat { session, token, brief } => self.heartbeat(session, token, brief).await,
            Step::Poll { session, how } => self.poll(session, how).await,
            Step::Release { session, token } => self.release(session, token).await,
            Step::Trespass { session } => self.trespass(session).await,
            Step::Reclaim => self.reclaim().await,
            Step::Pass { seconds } => {
                let offset = (-seconds * 1000).to_string();
                self.command("HINCRBY", &[&self.key("epoch"), "offset", &offset]);
                self.world.now += seconds;
                self.reclaim().await;
            }
            Step::Clock { seconds } => {
                self.reclaim().await;
                let shift = seconds * 1000;
                // A tick of just now: one of a tenth of a second ago would set pool time back by as much.
                let tick = (self.redis_time() + shift).to_string();
                self.command("HSET", &[&self.key("epoch"), "tick", &tick]);
                self.command("HINCRBY", &[&self.key("epoch"), "offset", &shift.to_string()]);
                self.reclaim().await;
            }
            Step::Cordon { container, on } => self.cordon(&name(container), on).await,
            Step::Drain { container, seconds, force } => self.drain(&name(container), seconds, force).await,
            Step::Quarantine { container, seconds } => self.quarantine(&name(container), seconds).await,
            Step::Fact { container, fact } => self.fact(&name(container), fact).await,
        }
    }

    /// The container as it is known, or new; `restarted`: in another incarnation.
    fn discovered(&mut self, container: usize, restarted: bool) -> Discovered {
        let name = name(container);
        let mut one = running(&name);
        one.observation.about = About { name: name.clone(), ..About::default() };
        let known = self.world.containers.get(&name);
        let incarnation = match known {
            Some(known) if !restarted => known.incarnation,
            _ => {
                self.incarnations += 1;
                self.incarnations
            }
        };
        if let Some(known) = known {
            (one.observation.state, one.observation.health, one.probed) = (known.state, known.health, known.probed);
        }
        one.observation.incarnation = incarnation.to_string();
        one
    }

    async fn observe(&mut self, seen: Discovered) {
        let mark = self.mark();
        self.store.observe(&self.wine, &mark, std::slice::from_ref(&seen)).await.unwrap();
        self.world.reclaim();
        self.observed(&seen);
    }

    fn observed(&mut self, seen: &Discovered) {
        let Discovered { observation, probed, .. } = seen;
        let name = observation.id.as_str();
        let (probed, incarnation) = (*probed, observation.incarnation.parse().unwrap());
        let world = &mut self.world;
        let Some(known) = world.containers.get_mut(name) else {
            let new = Container {
                incarnation,
                state: observation.state,
                health: observation.health,
                probed,
                probe: None,
                bad: 0,
                era: 1,
                lease: None,
                cordon: false,
                drain: None,
                reset: false,
                reset_at_end: false,
                quarantine: world.rests.get(name).copied().filter(|end| end.0 > world.now),
                set: None,
                freed: (0, 0),
            };
            world.containers.insert(name.to_owned(), new);
            world.settle(name);
            return;
        };
        let fresh = known.incarnation != incarnation;
        if fresh || (known.probed && !probed) {
            (known.probe, known.bad) = (None, 0);
        }
        if fresh {
            known.era += 1;
        }
        if fresh
            || (known.state, known.health, known.probed) != (observation.state, observation.health, probed)
            || known.reset_at_end
        {
            known.reset_at_end = false;
        }
        (known.incarnation, known.state, known.health, known.probed) =
            (incarnation, observation.state, observation.health, probed);
        match known.lease.filter(|_| fresh) {
            Some(lease) => world.finish(lease, EndReason::ContainerLost),
            None => world.settle(name),
        }
    }

    async fn look(&mut self, seen: &[bool]) {
        let mark = self.mark();
        let there: Vec<_> = (0..seen.len()).filter(|at| seen[*at]).map(|at| self.discovered(at, false)).collect();
        self.store.observe(&self.wine, &mark, &there).await.unwrap();
        if !there.is_empty() {
            self.world.reclaim();
        }
        for one in &there {
            self.observed(one);
        }
        let mut gone = self.store.ids_of(&self.wine, &mark.provider).await.unwrap();
        gone.retain(|id| there.iter().all(|one| one.observation.id != *id));
        let mark = self.mark();
        self.store.remove(&self.wine, &mark, &gone).await.unwrap();
        if !gone.is_empty() {
            self.world.reclaim();
        }
        for at in (0..seen.len()).filter(|at| !seen[*at]) {
            self.world.remove(&name(at));
        }
    }

    async fn probe(&mut self, name: &str, good: bool, late: bool) {
        let era = self.world.containers.get(name).map_or(1, |container| container.era) - u64::from(late);
        let failure = (!good).then(|| "connection refused".to_owned());
        let report = ProbeReport { id: id(name), era, claimed: u64::MAX, failure, rise: RISE, fall: FALL };
        self.store.report_probes(&self.wine, &[report]).await.unwrap();
        self.world.reclaim();
        let Some(container) = self.world.containers.get_mut(name).filter(|c| c.era == era && c.probed) else { return };
        if good {
            (container.probe, container.bad) = (Some(true), 0);
        } else {
            container.bad = (container.bad + 1).min(FALL);
            if container.bad == FALL {
                container.probe = Some(false);
            }
        }
        self.world.settle(name);
    }

    async fn create(&mut self, step: &Step) {
        let Step::Create { owner, wait, priority, ttl, span, confirm, most, container } = *step else { unreachable!() };
        if self.world.sessions.values().filter(|session| session.live()).count() >= MOST_LIVE {
            return;
        }
        // What was served since the last ticket is as it should be; when that was, only Redis knows.
        let clock = self.line_clock();
        assert_eq!((clock.served, self.fair()), (self.world.clock.served, self.world.fair.clone()), "what was served");
        self.world.clock = clock;
        // What ended lately decides how far apart tickets stand.
        self.command("HSET", &[&self.key("epoch"), "hold", &(world::HOLD * 1000).to_string()]);
        let made = SessionId::new(&self.wine);
        let wanted = container.map(|container| id(&name(container)));
        let allocation = Allocation {
            span: seconds(span),
            max_duration: most.map(seconds),
            confirm,
            container: wanted.as_ref(),
            wait,
            priority,
            share: share(owner),
            ..Allocation::new(made, &self.owners[owner], seconds(ttl))
        };
        let answer = self.store.allocate(&self.wine, &allocation).await.unwrap();
        self.world.reclaim();
        let now = self.pool_time() * 1000;
        let place = self.world.place(owner, priority.into(), now);
        let session = Session {
            state: State::Queued,
            ttl,
            span,
            most,
            cap: None,
            confirm,
            beaten: false,
            container: None,
            deadline: self.world.at(world::TICKET),
            until: self.world.at(world::WAIT),
            owner,
            place: Place::default(),
        };
        let expected =
            self.world.create(made, session, wait, wanted.as_ref().map(leasehold::model::ContainerId::as_str));
        let got = match answer {
            Allocated::Ready(_) => Made::Ready,
            Allocated::Queued(_) => Made::Queued,
            Allocated::Shortage(_) => Made::Shortage,
            Allocated::Unavailable(_) => Made::Unavailable,
            other => panic!("{other:?}"),
        };
        assert_eq!(got, expected);
        if got == Made::Queued {
            self.placed(made, place);
        }
        if matches!(got, Made::Ready | Made::Queued) {
            self.made.push(made);
        }
    }

    /// A ticket was given the place that it should have, but for the time that the call took.
    fn placed(&mut self, id: SessionId, expected: Place) {
        let owner = self.world.sessions[&id].owner;
        let line = self.key(&format!("line:{}", self.owners[owner]));
        let (base, order) = (self.score(&line, &id), self.score(&self.key("queue"), &id));
        assert!((base - expected.base).abs() < world::SECOND, "{base} and not {}", expected.base);
        assert_eq!(order - base, expected.order - expected.base, "the head start");
        self.world.sessions.get_mut(&id).unwrap().place = Place { base, order, ..expected };
        self.world.clock = self.line_clock();
        self.world.fair = self.fair();
    }

    fn score(&mut self, key: &str, member: &impl ToString) -> i64 {
        redis::cmd("ZSCORE").arg(key).arg(member.to_string()).query(&mut self.connection).unwrap()
    }

    /// The line's virtual time, by Redis.
    fn line_clock(&mut self) -> Clock {
        let key = self.key("epoch");
        let text: Option<String> = redis::cmd("HGET").arg(key).arg("line").query(&mut self.connection).unwrap();
        let numbers: Vec<i64> = text.iter().flat_map(|text| text.split(' ')).map(|n| n.parse().unwrap()).collect();
        match numbers[..] {
            [served, moved, joined] => Clock { served, moved, joined },
            _ => Clock::default(),
        }
    }

    /// From where on each owner's next ticket may stand, by Redis.
    fn fair(&mut self) -> BTreeMap<usize, i64> {
        let fair = self.key("fair");
        let rows: Vec<(String, i64)> =
            redis::cmd("ZRANGE").arg(fair).arg(0).arg(-1).arg("WITHSCORES").query(&mut self.connection).unwrap();
        let at = |name: &str| self.owners.iter().position(|owner| owner.as_str() == name).expect("an owner");
        rows.into_iter().map(|(name, next)| (at(&name), next)).collect()
    }

    async fn replay(&mut self, session: usize) {
        let Some(id) = self.chosen(session) else { return };
        if self.world.sessions[&id].state == State::Gone {
            return;
        }
        let answer =
            self.store.allocate(&self.wine, &Allocation::new(id, self.owner_of(id), seconds(15))).await.unwrap();
        self.world.reclaim();
        let Allocated::Replayed(answer) = answer else { panic!("not replayed: {answer:?}") };
        self.same(&answer);
    }

    /// The token to show, and whether it is another than the session's.
    fn token(&self, id: SessionId, token: Token) -> (Option<FencingToken>, bool) {
        let right = self.tokens.get(&id).copied();
        match token {
            Token::None => (None, false),
            Token::Right => (right, false),
            Token::Stale => (Some(right.map_or(FencingToken(1), |right| FencingToken(right.0 - 1))), right.is_some()),
        }
    }

    async fn heartbeat(&mut self, session: usize, shown: Token, brief: bool) {
        let Some(id) = self.chosen(session) else { return };
        let (token, stale) = self.token(id, shown);
        let answer = self
            .store
            .heartbeat(&self.wine, Some(self.owner_of(id)), brief, &[Beat::new(id, token)])
            .await
            .unwrap()
            .remove(0);
        self.world.reclaim();
        match (self.world.sessions[&id].state, answer) {
            (State::Gone, Heartbeat::NotFound) | (State::Queued, Heartbeat::Queued) => {}
            (State::Ended(_), Heartbeat::Ended(answer)) => self.same(&answer),
            (State::Ready | State::Offered, Heartbeat::Stale(current)) if stale => {
                assert_eq!(Some(current), self.tokens.get(&id).copied());
            }
            (before @ (State::Ready | State::Offered), Heartbeat::Renewed(answer)) if !stale => {
                if before == State::Offered {
                    self.world.claim(id);
                }
                self.world.renew(id);
                self.same(&answer);
            }
            (before, answer) => panic!("{answer:?} for a session that is {before:?}"),
        }
    }

    async fn poll(&mut self, session: usize, how: How) {
        let Some(id) = self.chosen(session) else { return };
        let owner = (how != How::Read).then(|| self.owner_of(id));
        let (give_up, renew) = (how == How::GiveUp, how == How::Renew);
        let answer = self.store.poll(&self.wine, id, owner, give_up, renew, Some("replica")).await.unwrap();
        self.world.reclaim();
        match (self.world.sessions[&id].state, how) {
            (_, How::Read) | (State::Gone | State::Ended(_), _) => {}
            (State::Offered, _) => self.world.claim(id),
            (State::Queued, How::GiveUp) => self.world.sessions.get_mut(&id).unwrap().state = State::Gone,
            (State::Queued, _) => self.world.keep_ticket(id),
            (State::Ready, How::Renew) => self.world.renew(id),
            (State::Ready, _) => {}
        }
        match (self.world.sessions[&id].state, answer) {
            (State::Gone, Polled::GivenUp(_)) => assert!(give_up),
            (State::Gone, Polled::NotFound) => {}
            (State::Gone, answer) => panic!("{answer:?} for a session that gave up"),
            (_, Polled::Session(answer)) => self.same(&answer),
            (before, answer) => panic!("{answer:?} for a session that is {before:?}"),
        }
    }

    async fn release(&mut self, session: usize, shown: Token) {
        let Some(id) = self.chosen(session) else { return };
        let (token, stale) = self.token(id, shown);
        let answer =
            self.store.release(&self.wine, id, Some(self.owner_of(id)), token, EndReason::Released).await.unwrap();
        self.world.reclaim();
        let before = self.world.sessions[&id].state;
        match answer {
            Released::NotFound => assert_eq!(before, State::Gone),
            Released::Stale(current) => {
                assert!(stale);
                assert_eq!(Some(current), self.tokens.get(&id).copied());
            }
            Released::Ended(answer) => {
                assert!(!stale && before != State::Gone);
                match before {
                    State::Ready => self.world.finish(id, EndReason::Released),
                    State::Queued | State::Offered => self.world.finish(id, EndReason::Cancelled),
                    State::Ended(_) | State::Gone => {}
                }
                self.same(&answer);
            }
        }
    }

    async fn trespass(&mut self, session: usize) {
        let Some(id) = self.chosen(session) else { return };
        let other = "other".parse().unwrap();
        let beat =
            self.store.heartbeat(&self.wine, Some(&other), false, &[Beat::new(id, None)]).await.unwrap().remove(0);
        assert!(matches!(beat, Heartbeat::NotFound), "{beat:?}");
        let poll = self.store.poll(&self.wine, id, Some(&other), true, true, None).await.unwrap();
        assert!(matches!(poll, Polled::NotFound), "{poll:?}");
        let release = self.store.release(&self.wine, id, Some(&other), None, EndReason::Released).await.unwrap();
        assert!(matches!(release, Released::NotFound), "{release:?}");
        self.world.reclaim();
    }

    async fn reclaim(&mut self) {
        self.store.reclaim(&self.wine).await.unwrap();
        self.world.reclaim();
    }

    async fn cordon(&mut self, name: &str, on: bool) {
        let (store, wine) = (&self.store, &self.wine);
        let answer = if on {
            store.cordon(wine, &id(name), "ops/key").await.unwrap()
        } else {
            store.uncordon(wine, &id(name), "ops/key").await.unwrap()
        };
        self.world.reclaim();
        if let Some(answer) = self.acted(name, answer) {
            self.world.cordon(name, on);
            assert_eq!(answer.cordoned_by.as_deref(), on.then_some("ops/key"));
            self.shown(&answer);
        }
    }

    async fn drain(&mut self, name: &str, after: i64, force: bool) {
        let answer = self.store.drain(&self.wine, &id(name), "ops/key", seconds(after), force).await.unwrap();
        self.world.reclaim();
        if let Some(answer) = self.acted(name, answer) {
            self.world.drain(name, after, force);
            self.shown(&answer);
        }
    }

    async fn quarantine(&mut self, name: &str, rest: Option<i64>) {
        let (store, wine) = (&self.store, &self.wine);
        let answer = match rest {
            Some(rest) => store.quarantine(wine, &id(name), "ops/key", seconds(rest)).await.unwrap(),
            None => store.lift_quarantine(wine, &id(name), "ops/key").await.unwrap(),
        };
        self.world.reclaim();
        if let Some(answer) = self.acted(name, answer) {
            self.world.quarantine(name, rest);
            assert_eq!(answer.quarantine.and_then(|shown| shown.by), rest.map(|_| "ops/key".to_owned()));
        }
    }

    /// There is an answer where there is a container.
    fn acted(&self, name: &str, answer: Option<shown::Container>) -> Option<shown::Container> {
        assert_eq!(answer.is_some(), self.world.containers.contains_key(name));
        answer
    }

    /// An answer shows what is drained.
    fn shown(&self, answer: &shown::Container) {
        let container = &self.world.containers[answer.id.as_str()];
        let waits = container.drain.map(|(_, force)| (container.lease.unwrap().to_string(), force));
        assert_eq!(answer.drain.as_ref().map(|drain| (drain.waiting_for.clone(), drain.force)), waits);
        assert_eq!(answer.cordoned, container.cordon);
    }

    async fn fact(&mut self, name: &str, fact: Fact) {
        // What is overdue is taken back first, as every script does.
        self.reclaim().await;
        if !self.world.containers.contains_key(name) {
            return;
        }
        let record = self.key(&format!("container:{name}"));
        let container = self.world.containers.get_mut(name).unwrap();
        let (field, value) = match fact {
            Fact::Reset(on) => {
                container.reset = on;
                let resets = self.key("resets");
                if on {
                    self.command("ZADD", &[&resets, "0", name]);
                } else {
                    self.command("ZREM", &[&resets, name]);
                }
                ("reset", on.then_some("due"))
            }
            Fact::ResetAtEnd(on) => {
                container.reset_at_end = on;
                ("on_end", Some(if on { "reset" } else { "none" }))
            }
        };
        match value {
            Some(value) => self.command("HSET", &[&record, field, value]),
            None => self.command("HDEL", &[&record, field]),
        }
        self.store.settle(&self.wine, &id(name)).await.unwrap();
        self.world.settle(name);
    }

    /// Redis's clock, in milliseconds.
    fn redis_time(&mut self) -> i64 {
        let (seconds, micros): (i64, i64) = redis::cmd("TIME").query(&mut self.connection).unwrap();
        seconds * 1000 + micros / 1000
    }

    /// Pool time, in milliseconds.
    fn pool_time(&mut self) -> i64 {
        let key = self.key("epoch");
        let offset: i64 = redis::cmd("HGET").arg(key).arg("offset").query(&mut self.connection).unwrap();
        self.redis_time() - offset
    }
}

fn share(owner: usize) -> Share {
    Share { weight: world::OWNERS[owner].1 as u32, ..Share::default() }
}
