//! What may happen, at random.

use leasehold::model::{EngineHealth, EngineState};
use proptest::{collection::vec, option, prelude::*};

use super::world::OWNERS;

/// How many containers there may be.
pub const CONTAINERS: usize = 3;

/// One operation. Sessions are named by a number, which counts those made before from the last one back, round and round.
#[derive(Debug, Clone)]
pub enum Step {
    /// Adds a container or changes it.
    Observe {
        container: usize,
        state: EngineState,
        health: EngineHealth,
        probed: bool,
    },
    /// The same container in another incarnation.
    Restart {
        container: usize,
    },
    Remove {
        container: usize,
    },
    /// A full look that sees these, as they are known or new.
    Look {
        seen: [bool; CONTAINERS],
    },
    /// Another discoverer, which counts from one.
    Takeover,
    Probe {
        container: usize,
        good: bool,
        late: bool,
    },
    Create {
        owner: usize,
        wait: bool,
        priority: u32,
        ttl: i64,
        span: i64,
        confirm: bool,
        most: Option<i64>,
        container: Option<usize>,
    },
    Replay {
        session: usize,
    },
    Heartbeat {
        session: usize,
        token: Token,
        brief: bool,
    },
    Poll {
        session: usize,
        how: How,
    },
    Release {
        session: usize,
        token: Token,
    },
    /// Another owner tries everything with it.
    Trespass {
        session: usize,
    },
    Reclaim,
    /// So many seconds pass.
    Pass {
        seconds: i64,
    },
    /// Redis's clock jumps, or nobody runs a script for so long.
    Clock {
        seconds: i64,
    },
    /// An operator gives a container out no more, or lets it be given out again.
    Cordon {
        container: usize,
        on: bool,
    },
    /// An operator waits so many seconds for its session.
    Drain {
        container: usize,
        seconds: i64,
        force: bool,
    },
    /// An operator has it rest for so many seconds, or ends that.
    Quarantine {
        container: usize,
        seconds: Option<i64>,
    },
    /// A fact that only later parts of the program write.
    Fact {
        container: usize,
        fact: Fact,
    },
}

/// Which fencing token is shown.
#[derive(Debug, Clone, Copy)]
pub enum Token {
    None,
    Right,
    Stale,
}

/// Who polls for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// An admin reads.
    Read,
    /// The owner asks.
    Ask,
    /// The owner asks, and renews.
    Renew,
    /// The owner wants to wait no longer.
    GiveUp,
}

/// Facts written by hand.
#[derive(Debug, Clone, Copy)]
pub enum Fact {
    Reset(bool),
    /// What is to be done with it at a session's end.
    ResetAtEnd(bool),
}

/// Runs of one to sixty steps.
pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..60)
}

fn step() -> impl Strategy<Value = Step> {
    let container = 0..CONTAINERS;
    // Those made last are the likeliest to be live.
    let session = prop_oneof![3 => 0..4usize, 1 => 0..12usize].boxed();
    let token = prop_oneof![3 => Just(Token::None), 3 => Just(Token::Right), 1 => Just(Token::Stale)];
    let how = prop_oneof![1 => Just(How::Read), 4 => Just(How::Ask), 1 => Just(How::Renew), 1 => Just(How::GiveUp)];
    let state = prop_oneof![
        6 => Just(EngineState::Running),
        1 => Just(EngineState::Created),
        1 => Just(EngineState::Paused),
        1 => Just(EngineState::Exited),
        1 => Just(EngineState::Terminating),
    ];
    let health = prop_oneof![
        6 => Just(EngineHealth::None),
        1 => Just(EngineHealth::Healthy),
        1 => Just(EngineHealth::Starting),
        1 => Just(EngineHealth::Unhealthy),
    ];
    let fact = prop_oneof![any::<bool>().prop_map(Fact::Reset), any::<bool>().prop_map(Fact::ResetAtEnd),];
    let limits = (prop_oneof![Just(15i64), Just(35)], prop_oneof![Just(15i64), Just(25)], any::<bool>());
    let most = option::weighted(0.4, prop_oneof![Just(5i64), Just(25), Just(55)]);
    let create = (prop::bool::weighted(0.75), prop_oneof![2 => Just(0u32), 1 => Just(30)], limits, most);
    prop_oneof![
        8 => (container.clone(), state, health, prop::bool::weighted(0.4))
            .prop_map(|(container, state, health, probed)| Step::Observe { container, state, health, probed }),
        4 => container.clone().prop_map(|container| Step::Restart { container }),
        2 => container.clone().prop_map(|container| Step::Remove { container }),
        1 => any::<[bool; CONTAINERS]>().prop_map(|seen| Step::Look { seen }),
        1 => Just(Step::Takeover),
        5 => (container.clone(), any::<bool>(), prop::bool::weighted(0.4))
            .prop_map(|(container, good, late)| Step::Probe { container, good, late }),
        12 => (0..OWNERS.len(), create, option::weighted(0.1, container.clone())).prop_map(
            |(owner, (wait, priority, (ttl, span, confirm), most), container)| Step::Create {
                owner, wait: wait && container.is_none(), priority, ttl, span, confirm, most, container,
            }
        ),
        1 => session.clone().prop_map(|session| Step::Replay { session }),
        6 => (session.clone(), token.clone(), any::<bool>())
            .prop_map(|(session, token, brief)| Step::Heartbeat { session, token, brief }),
        8 => (session.clone(), how).prop_map(|(session, how)| Step::Poll { session, how }),
        5 => (session.clone(), token).prop_map(|(session, token)| Step::Release { session, token }),
        1 => session.prop_map(|session| Step::Trespass { session }),
        1 => Just(Step::Reclaim),
        6 => prop_oneof![3 => Just(10i64), 1 => Just(20), 1 => Just(40)].prop_map(|seconds| Step::Pass { seconds }),
        1 => prop_oneof![Just(3600i64), Just(-3600)].prop_map(|seconds| Step::Clock { seconds }),
        3 => (container.clone(), any::<bool>()).prop_map(|(container, on)| Step::Cordon { container, on }),
        3 => (container.clone(), prop_oneof![1 => Just(0i64), 3 => Just(15), 3 => Just(35)], any::<bool>())
            .prop_map(|(container, seconds, force)| Step::Drain { container, seconds, force }),
        3 => (container.clone(), option::weighted(0.7, prop_oneof![Just(15i64), Just(35)]))
            .prop_map(|(container, seconds)| Step::Quarantine { container, seconds }),
        2 => (container, fact).prop_map(|(container, fact)| Step::Fact { container, fact }),
    ]
}
