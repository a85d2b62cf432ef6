//! Follows the event streams, so that what Redis forgets later is in the history all the same.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use redis::{Client, RedisResult, aio::MultiplexedConnection};
use tokio::sync::watch;

use super::history::{Event, History, Record};

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(200);

/// The longest that one look may take.
const PATIENCE: Duration = Duration::from_secs(1);

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
        let key = format!("test:{{{}}}:events", self.target_type);
        let mut command = redis::cmd("XRANGE");
        command.arg(key).arg(format!("({}", self.last)).arg("+").arg("COUNT").arg(MOST);
        let rows: Vec<(String, BTreeMap<String, String>)> = command.query_async(connection).await?;
        let full = rows.len() == MOST;
        for (id, mut fields) in rows {
            let (epoch, sequence) = id.split_once('-').expect("a stream's id has two parts");
            let number = |text: &str| text.parse().expect("a stream's id has two numbers");
            self.history.add(&Record::Event(Event {
                seen: self.history.now(),
                target_type: self.target_type.clone(),
                epoch: number(epoch),
                sequence: number(sequence),
                kind: fields.remove("kind").unwrap_or_default(),
                fields,
            }));
            self.last = id;
        }
        Ok(full)
    }
}

/// Follows until told to end, and then to the end of the streams.
pub async fn follow(redis_url: String, types: Vec<String>, history: Arc<History>, mut ended: watch::Receiver<bool>) {
    let new = |target_type| Follower { target_type, last: "0-0".to_owned(), history: history.clone() };
    let mut followers: Vec<_> = types.into_iter().map(new).collect();
    loop {
        let last = *ended.borrow_and_update();
        // Redis may be away: what is there is read when it is back.
        let looked = tokio::time::timeout(PATIENCE, look(&redis_url, &mut followers)).await;
        if last && matches!(looked, Ok(Ok(()))) {
            return;
        }
        let _ = tokio::time::timeout(PERIOD, ended.wait_for(|ended| *ended)).await;
        if last {
            tokio::time::sleep(PERIOD).await;
        }
    }
}

async fn look(redis_url: &str, followers: &mut [Follower]) -> RedisResult<()> {
    let mut connection = Client::open(redis_url)?.get_multiplexed_async_connection().await?;
    for follower in followers {
        while follower.read(&mut connection).await? {}
    }
    Ok(())
}
