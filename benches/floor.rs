//! What nothing can be faster than. Floor 1: Redis alone runs the scripts. Floor 2: a bare actix handler makes the same call.

use std::{net::SocketAddr, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, error::ErrorInternalServerError, web};
use redis::{Cmd, aio::MultiplexedConnection};
use serde::Deserialize;
use tokio::{sync::OnceCell, task::JoinSet, time::Instant};

use crate::{
    fill::{each_must_be, must_be, session_id},
    load::{Sample, Window},
    scripts::{self, Call},
    servers::{self, Redis},
    work::{BATCH, Work},
};

/// Renewals that one script takes.
const PER_SCRIPT: usize = 100;

/// Floor 1: as many calls in flight as there would be connections.
pub async fn redis_alone(
    redis: &Redis,
    work: Work,
    in_flight: usize,
    sessions: &[String],
    window: Window,
) -> anyhow::Result<Sample> {
    // Two lanes, so that Redis works on one pipeline while the other one is read.
    let lanes = in_flight.min(2);
    let from = Instant::now() + window.warm;
    let mut running = JoinSet::new();
    for _ in 0..lanes {
        let lane = Lane::new(redis.connect().await?, work, in_flight / lanes, sessions).await?;
        running.spawn_local(lane.run(from, window.time));
    }
    let (mut units, mut answered) = (0, 0);
    while let Some(ended) = running.join_next().await {
        let lane = ended??;
        units += lane.0;
        answered += lane.1;
    }
    Ok(Sample { per_second: units as f64 / window.time.as_secs_f64(), answered, ..Sample::default() })
}

/// One connection that sends a pipeline, reads its answers, and sends the next.
struct Lane {
    connection: MultiplexedConnection,
    work: Work,
    depth: usize,
    sessions: Vec<String>,
    calls: Calls,
}

impl Lane {
    async fn new(
        mut connection: MultiplexedConnection,
        work: Work,
        depth: usize,
        sessions: &[String],
    ) -> anyhow::Result<Self> {
        let calls = Calls::new();
        calls.load(&mut connection).await?;
        Ok(Self { connection, work, depth, sessions: sessions.to_vec(), calls })
    }

    /// Returns what was answered within the window, and in all.
    async fn run(mut self, from: Instant, time: Duration) -> anyhow::Result<(u64, u64)> {
        let mut sum = (0, 0);
        while Instant::now() < from + time {
            let (counted, answered) = self.round(from, from + time).await?;
            sum.0 += counted * self.work.units();
            sum.1 += answered * self.work.units();
        }
        Ok(sum)
    }

    /// One round of pipelines; returns how many requests' worth was answered within the window, and in all.
    async fn round(&mut self, from: Instant, until: Instant) -> anyhow::Result<(u64, u64)> {
        let pipelines: Vec<Vec<Cmd>> = match self.work {
            Work::CreateRelease => {
                let ids: Vec<String> = (0..self.depth).map(|_| session_id()).collect();
                vec![
                    ids.iter().map(|id| self.calls.allocate(id)).collect(),
                    ids.iter().map(|id| self.calls.release(id)).collect(),
                ]
            }
            Work::Heartbeat => {
                let count = self.sessions.len();
                self.sessions.rotate_left(self.depth % count);
                vec![self.sessions.iter().cycle().take(self.depth).map(|id| self.calls.heartbeat(id)).collect()]
            }
            Work::Heartbeats => {
                let ids: Vec<&str> = self.sessions.iter().cycle().take(BATCH).map(String::as_str).collect();
                let one = ids.chunks(PER_SCRIPT).map(|chunk| self.calls.heartbeats(chunk));
                vec![one.cycle().take(self.depth * BATCH / PER_SCRIPT).collect()]
            }
            Work::List => vec![vec![self.calls.list(); self.depth]],
            Work::Status => vec![vec![self.calls.status(); self.depth]],
        };
        let (mut counted, mut answered) = (0, 0);
        for commands in pipelines {
            let mut pipe = redis::pipe();
            for command in commands {
                pipe.add_command(command);
            }
            let replies: Vec<redis::Value> = pipe.query_async(&mut self.connection).await?;
            let now = Instant::now();
            let items = !matches!(self.work, Work::List | Work::Status);
            let checked = if items { each_must_be } else { must_be };
            replies.iter().try_for_each(|reply| checked(reply, "ok"))?;
            answered += self.depth as u64;
            if now >= from && now < until {
                counted += self.depth as u64;
            }
        }
        Ok((counted, answered))
    }
}

/// The calls that the work consists of.
pub struct Calls {
    allocate: (Call, usize),
    release: (Call, usize),
    heartbeat: (Call, usize),
    list: Call,
    status: Call,
}

impl Calls {
    pub fn new() -> Self {
        let placed = |call: Call| {
            let place = call.place("session");
            (call, place)
        };
        Self {
            allocate: placed(scripts::allocate(false)),
            release: placed(scripts::release()),
            heartbeat: placed(scripts::heartbeat()),
            list: scripts::list(),
            status: scripts::status(),
        }
    }

    pub async fn load(&self, connection: &mut MultiplexedConnection) -> anyhow::Result<()> {
        for call in [&self.allocate.0, &self.release.0, &self.heartbeat.0, &self.list, &self.status] {
            call.load(connection).await?;
        }
        Ok(())
    }

    pub fn allocate(&self, id: &str) -> Cmd {
        self.allocate.0.with(self.allocate.1, id, &[])
    }

    pub fn release(&self, id: &str) -> Cmd {
        self.release.0.with(self.release.1, id, &[])
    }

    pub fn heartbeat(&self, id: &str) -> Cmd {
        self.heartbeat.0.with(self.heartbeat.1, id, &[])
    }

    pub fn heartbeats(&self, ids: &[&str]) -> Cmd {
        scripts::heartbeats(&self.heartbeat.0, ids)
    }

    pub fn list(&self) -> Cmd {
        self.list.rest(&[])
    }

    pub fn status(&self) -> Cmd {
        self.status.rest(&[])
    }
}

/// The name of floor 2's process.
pub const ROLE: &str = "serve-floor";

/// One worker of floor 2.
struct Worker {
    url: String,
    connection: OnceCell<MultiplexedConnection>,
    calls: Calls,
}

impl Worker {
    async fn call(&self, command: Cmd) -> actix_web::Result<redis::Value> {
        let open = || async {
            let mut connection = servers::connect(&self.url).await?;
            self.calls.load(&mut connection).await?;
            anyhow::Ok(connection)
        };
        let mut connection = self.connection.get_or_try_init(open).await.map_err(ErrorInternalServerError)?.clone();
        let value = command.query_async(&mut connection).await.map_err(ErrorInternalServerError)?;
        must_be(&value, "ok").map_err(ErrorInternalServerError)?;
        Ok(value)
    }
}

/// Floor 2: serves until it is killed.
pub fn serve(address: SocketAddr, url: &str) -> anyhow::Result<()> {
    let url = url.to_owned();
    actix_web::rt::System::new().block_on(async move {
        HttpServer::new(move || {
            let worker = Worker { url: url.clone(), connection: OnceCell::new(), calls: Calls::new() };
            App::new()
                .app_data(web::Data::new(worker))
                .route("/sessions", web::post().to(create))
                .route("/sessions/heartbeats", web::post().to(heartbeats))
                .route("/sessions/{id}/heartbeat", web::post().to(heartbeat))
                .route("/sessions/{id}", web::delete().to(release))
                .route("/containers", web::get().to(list))
                .route("/containers/status", web::get().to(status))
        })
        .workers(std::thread::available_parallelism()?.get())
        .keep_alive(servers::KEEP_ALIVE)
        .client_request_timeout(servers::KEEP_ALIVE)
        .bind(address)?
        .run()
        .await
    })?;
    Ok(())
}

fn done() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body("{}")
}

async fn create(worker: web::Data<Worker>) -> actix_web::Result<HttpResponse> {
    let id = session_id();
    worker.call(worker.calls.allocate(&id)).await?;
    Ok(HttpResponse::Created().content_type("application/json").body(format!("{{\"id\":\"{id}\"}}")))
}

async fn release(worker: web::Data<Worker>, id: web::Path<String>) -> actix_web::Result<HttpResponse> {
    worker.call(worker.calls.release(&id)).await?;
    Ok(done())
}

async fn heartbeat(worker: web::Data<Worker>, id: web::Path<String>) -> actix_web::Result<HttpResponse> {
    worker.call(worker.calls.heartbeat(&id)).await?;
    Ok(done())
}

#[derive(Deserialize)]
struct Renewals<'a> {
    #[serde(borrow)]
    heartbeats: Vec<Renewal<'a>>,
}

#[derive(Deserialize)]
struct Renewal<'a> {
    session_id: &'a str,
}

async fn heartbeats(worker: web::Data<Worker>, body: web::Bytes) -> actix_web::Result<HttpResponse> {
    let renewals: Renewals = serde_json::from_slice(&body)?;
    let ids: Vec<&str> = renewals.heartbeats.iter().map(|one| one.session_id).collect();
    let calls = ids.chunks(PER_SCRIPT).map(|chunk| worker.call(worker.calls.heartbeats(chunk)));
    futures_util::future::try_join_all(calls).await?;
    Ok(done())
}

async fn list(worker: web::Data<Worker>) -> actix_web::Result<HttpResponse> {
    worker.call(worker.calls.list()).await?;
    Ok(done())
}

async fn status(worker: web::Data<Worker>) -> actix_web::Result<HttpResponse> {
    worker.call(worker.calls.status()).await?;
    Ok(done())
}
