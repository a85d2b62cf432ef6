//! The guarantee, broken on purpose: one more party that grants containers by a copy of `lua/allocate.lua` without its look at the lease. The
//! checker must find what comes of it.

use std::{collections::BTreeMap, time::Duration};

use leasehold::{model::SessionId, store::script_text};
use rand::seq::IndexedRandom as _;
use redis::{RedisResult, aio::MultiplexedConnection};

use super::{
    farm::CONTROL,
    history::{Call, Fault, FaultKind, Harm, Kind, Lease, Micros, Record},
    target,
    world::World,
};

/// How long the rogue's leases last.
const TTL: Duration = Duration::from_secs(2);

/// What the script looks at before it grants a container that was asked for by name, and what stands there in the copy.
const CHECK: (&str, &str) = ("f.set == 'available' and not held(f)", "true");

/// Grants leased containers again, until the deadline.
pub async fn work(world: &World, deadline: Micros) {
    let script = patched();
    while world.history.now() < deadline {
        tokio::time::sleep(Duration::from_millis(700)).await;
        for target_type in world.plan.types() {
            // Redis may be away, or nothing leased.
            let _ = tokio::time::timeout(TTL, grant_again(world, &script, &target_type)).await;
        }
    }
}

async fn grant_again(world: &World, script: &Patched, target_type: &str) -> RedisResult<()> {
    let Some(primary) = world.servers.primary_of(target_type).await else { return Ok(()) };
    let mut connection = world.servers.nodes[primary].connection().await?;
    let key = |name: &str| format!("test:{{{target_type}}}:{name}");
    let leases: Vec<String> =
        redis::cmd("ZRANGE").arg(key("leases")).arg(0).arg(-1).query_async(&mut connection).await?;
    let Some(victim) = leases.choose(&mut rand::rng()) else { return Ok(()) };
    let read = async |connection: &mut MultiplexedConnection, key: String, field: &str| {
        redis::cmd("HGET").arg(key).arg(field).query_async::<Option<String>>(connection).await
    };
    let Some(container) = read(&mut connection, key(&format!("session:{victim}")), "container").await? else {
        return Ok(());
    };
    let about: Option<String> =
        redis::cmd("GET").arg(key(&format!("about:{container}"))).query_async(&mut connection).await?;
    let about: serde_json::Value = about.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let Some(control) = about["endpoints"][CONTROL]["address"].as_str() else { return Ok(()) };

    let session = SessionId::new(&target_type.parse().expect("a type")).to_string();
    let from = world.history.now();
    let mut command = redis::cmd("EVAL");
    command.arg(&script.text).arg(1).arg(key("epoch")).arg(script.arguments(&session, &container));
    command.query_async::<redis::Value>(&mut connection).await?;
    let Some(token) = read(&mut connection, key(&format!("session:{session}")), "token").await? else { return Ok(()) };
    let token = token.parse().expect("a token is a number");
    let until = from + TTL.as_micros() as Micros;
    let to = world.history.now();
    let lease = Lease { container: container.clone(), control: control.to_owned(), token, until };
    world.history.add(&Record::Call(Call {
        client: usize::MAX,
        kind: Kind::Create,
        target_type: target_type.to_owned(),
        replica: usize::MAX,
        from,
        to,
        status: Some(201),
        code: None,
        session: Some(session.clone()),
        key: None,
        lease: Some(lease),
    }));
    world.history.add(&Record::Fault(Fault {
        kind: FaultKind::Rogue,
        what: format!("{container} of {victim} granted to {session}"),
        from,
        to,
        harm: Harm::None,
    }));
    for _ in 0..5 {
        target::use_once(control, &session, token, until).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// The patched copy, and the names of its arguments.
struct Patched {
    text: String,
    arguments: Vec<String>,
}

impl Patched {
    fn arguments(&self, session: &str, container: &str) -> Vec<String> {
        let ttl = TTL.as_millis().to_string();
        let known = BTreeMap::from([
            ("check", "1"),
            ("events_kept", "100000"),
            ("ended_kept_ms", "3600000"),
            ("confirm_ms", "1000"),
            ("session", session),
            ("owner", "rogue"),
            ("ttl_ms", &ttl),
            ("span_ms", &ttl),
            ("container", container),
            ("ticket_ms", "0"),
            ("wait_ms", "0"),
            ("head_start_ms", "0"),
            ("line_max", "0"),
        ]);
        self.arguments.iter().map(|name| (*known.get(name.as_str()).unwrap_or(&"")).to_owned()).collect()
    }
}

/// The script as a replica has it, without the look at the lease.
fn patched() -> Patched {
    let path = format!("{}/lua/allocate.lua", env!("CARGO_MANIFEST_DIR"));
    let body = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let source = script_text("allocate").expect("a script").source;
    let first_word = |text: &str| text.split_whitespace().next().map(str::to_owned);
    // The common ones, then those of one session, which follow the line that says how many they are.
    let common = body.lines().filter_map(|line| line.strip_prefix("-- ARGV[")?.split_once("] "));
    let common = common.filter(|(index, _)| !index.ends_with("..."));
    let own = body.lines().skip_while(|line| !line.starts_with("-- ARGV[5...]")).skip(1);
    let own = own.map_while(|line| line.strip_prefix("--   "));
    let arguments = common.filter_map(|(_, rest)| first_word(rest)).chain(own.filter_map(first_word)).collect();
    let (check, nothing) = CHECK;
    assert!(body.contains(check), "lua/allocate.lua does not look at the lease with {check:?} any more");
    Patched { text: source.replace(check, nothing), arguments }
}
