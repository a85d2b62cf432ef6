//! Follows the event streams, so that what Redis forgets later is in the history all the same.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use redis::{RedisResult, aio::MultiplexedConnection};
use tokio::sync::watch;

use super::{
    history::{Event, History, Micros, Record},
    servers::Servers,
};

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(200);

/// The longest that one look may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it tries to read the end of the streams.
const LAST_LOOKS: usize = 20;

/// Most events of one look.
const MOST: usize = 1000;

/// Follows one type's stream.
struct Follower {
    target_type: String,
    last: String,
    history: Arc<History>,
}

impl Follower {
    /// Reads on; whether there may be more.
    async fn read(&mut self, connection: &mut MultiplexedConnection) -> RedisResult<bool> {
        let rows: Vec<Row> = after(&self.target_type, &self.last).query_async(connection).await?;
        let full = rows.len() == MOST;
        for row in rows {
            self.last.clone_from(&row.0);
            self.history.add(&Record::Event(event(&self.target_type, row, self.history.now())));
        }
        Ok(full)
    }
}

/// An id and its fields.
type Row = (String, BTreeMap<String, String>);

/// The command for what stands after this id.
fn after(target_type: &str, id: &str) -> redis::Cmd {
    let mut command = redis::cmd("XRANGE");
    command.arg(format!("test:{{{target_type}}}:events")).arg(format!("({id}")).arg("+").arg("COUNT").arg(MOST);
    command
}

fn event(target_type: &str, (id, mut fields): Row, seen: Micros) -> Event {
    let (epoch, sequence) = id.split_once('-').expect("a stream's id has two parts");
    let number = |text: &str| text.parse().expect("a stream's id has two numbers");
    Event {
        seen,
        target_type: target_type.to_owned(),
        epoch: number(epoch),
        sequence: number(sequence),
        kind: fields.remove("kind").unwrap_or_default(),
        fields,
    }
}

/// The whole stream as it is now.
pub fn all(connection: &mut redis::Connection, target_type: &str, seen: Micros) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let last = events.last().map_or("0-0".to_owned(), |last| format!("{}-{}", last.epoch, last.sequence));
        let rows: Vec<Row> = after(target_type, &last).query(connection).expect("the events");
        if rows.is_empty() {
            return events;
        }
        events.extend(rows.into_iter().map(|row| event(target_type, row, seen)));
    }
}

/// Follows until told to end, and then to the end of the streams, as far as somebody has them.
pub async fn follow(
    servers: Arc<Servers>,
    types: Vec<String>,
    history: Arc<History>,
    mut ended: watch::Receiver<bool>,
) {
    let new = |target_type| Follower { target_type, last: "0-0".to_owned(), history: history.clone() };
    let mut followers: Vec<_> = types.into_iter().map(new).collect();
    let mut left = LAST_LOOKS;
    loop {
        let last = *ended.borrow_and_update();
        // Redis may be away: what is there is read when it is back.
        let looked = tokio::time::timeout(PATIENCE, look(&servers, &mut followers)).await;
        left -= usize::from(last);
        if last && (matches!(looked, Ok(Ok(()))) || left == 0) {
            return;
        }
        let _ = tokio::time::timeout(PERIOD, ended.wait_for(|ended| *ended)).await;
        if last {
            tokio::time::sleep(PERIOD).await;
        }
    }
}

async fn look(servers: &Servers, followers: &mut [Follower]) -> RedisResult<()> {
    for follower in followers {
        let primary = servers.primary_of(&follower.target_type).await;
        let Some(primary) = primary else { return Err(std::io::Error::from(std::io::ErrorKind::NotFound).into()) };
        let mut connection = servers.nodes[primary].connection().await?;
        while follower.read(&mut connection).await? {}
    }
    Ok(())
}
