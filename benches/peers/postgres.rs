//! PostgreSQL with `FOR UPDATE SKIP LOCKED`, behind a small actix handler.

use std::{
    net::SocketAddr,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use actix_web::{App, HttpResponse, HttpServer, error::ErrorInternalServerError, web};
use anyhow::Context as _;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use nix::sys::signal::Signal;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::{
    plan::POOL,
    process::{Process, free_address},
    servers,
};

/// The name of the handler's process.
pub const ROLE: &str = "serve-postgres";
pub const RELAXED: &str = "PostgreSQL, SKIP LOCKED behind actix; commits not waited for";
pub const DURABLE: &str = "PostgreSQL, SKIP LOCKED behind actix; commits on disk";
/// Connections of the handler.
const CONNECTIONS: usize = 16;

const TAKE: &str = "WITH free AS (
    SELECT id FROM containers WHERE session IS NULL ORDER BY freed LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE containers SET session = $1, expires = now() + interval '60 seconds', token = token + 1
FROM free WHERE containers.id = free.id RETURNING containers.id, about, token";
const GIVE_BACK: &str = "UPDATE containers SET session = NULL, expires = NULL, freed = now() WHERE session = $1";

/// A private server with its own folder.
pub struct Cluster {
    process: Process,
    _folder: tempfile::TempDir,
}

impl Cluster {
    pub async fn start() -> anyhow::Result<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("postgres").tempdir()?;
        let user = unprivileged(folder.path())?;
        let data = folder.path().join("data");
        let run_as = |command: &mut Command| {
            command.current_dir(folder.path());
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
        };
        let mut initdb = Command::new(programs.join("initdb"));
        run_as(initdb.args(["-A", "trust", "-U", "bench", "--no-sync", "-D"]).arg(&data));
        let made = initdb.output().context("initdb cannot be started")?;
        anyhow::ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let address = free_address()?;
        let mut server = Command::new(programs.join("postgres"));
        run_as(server.arg("-D").arg(&data).arg("-k").arg(folder.path()).args(["-h", "127.0.0.1", "-p"]));
        server.arg(address.port().to_string()).stderr(Stdio::null());
        // SIGQUIT is an immediate shutdown, which leaves no shared memory behind.
        let process = Process::start("postgres", &mut server, address).await?.ended_by(Signal::SIGQUIT);
        let cluster = Self { process, _folder: folder };
        servers::eventually("PostgreSQL taking connections", async || Ok(cluster.prepare().await.ok())).await?;
        Ok(cluster)
    }

    fn url(&self) -> String {
        format!("postgresql://bench@{}/postgres", self.process.address)
    }

    async fn prepare(&self) -> anyhow::Result<()> {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await?;
        tokio::spawn(connection);
        let schema = format!(
            "CREATE TABLE containers (id text PRIMARY KEY, about text NOT NULL, session text, expires timestamptz,
                 token bigint NOT NULL DEFAULT 0, freed timestamptz NOT NULL DEFAULT now()) WITH (fillfactor = 50);
             CREATE INDEX ON containers (freed) WHERE session IS NULL;
             CREATE UNIQUE INDEX ON containers (session) WHERE session IS NOT NULL;
             INSERT INTO containers (id, about) SELECT lpad(to_hex(n), 64, '0'), repeat('x', 350)
                 FROM generate_series(1, {POOL}) AS n;"
        );
        client.batch_execute(&schema).await?;
        Ok(())
    }
}

/// The newest version's programs: Debian keeps them out of the path.
fn programs() -> anyhow::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").context("PostgreSQL is not installed")?;
    let newest = versions.filter_map(Result::ok).map(|version| version.path()).max();
    Ok(newest.context("PostgreSQL is not installed")?.join("bin"))
}

/// Who runs it, when we are root, whom it refuses; the folder becomes theirs.
fn unprivileged(folder: &Path) -> anyhow::Result<Option<(u32, u32)>> {
    let id = |args: &[&str]| -> anyhow::Result<u32> {
        let output = Command::new("id").args(args).output()?;
        String::from_utf8_lossy(&output.stdout).trim().parse().with_context(|| format!("id {args:?} knows none"))
    };
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    let (uid, gid) = (id(&["-u", "postgres"])?, id(&["-g", "postgres"])?);
    std::os::unix::fs::chown(folder, Some(uid), Some(gid))?;
    Ok(Some((uid, gid)))
}

/// The handler's process on the cluster.
pub async fn start(cluster: Result<&Cluster, &anyhow::Error>, commit: &str) -> anyhow::Result<Process> {
    let cluster = cluster.map_err(|error| anyhow::anyhow!("{error:#}"))?;
    servers::role(ROLE, &[&cluster.url(), commit]).await
}

/// Serves until it is killed. `commit`: PostgreSQL's `synchronous_commit`.
pub fn serve(address: SocketAddr, url: &str, commit: &str) -> anyhow::Result<()> {
    let mut config: tokio_postgres::Config = url.parse()?;
    config.options(format!("-c synchronous_commit={commit}"));
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config, NoTls, recycling);
    let pool = Pool::builder(manager).max_size(CONNECTIONS).runtime(Runtime::Tokio1).build()?;
    actix_web::rt::System::new().block_on(async move {
        HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(pool.clone()))
                .route("/sessions", web::post().to(create))
                .route("/sessions/{id}", web::delete().to(release))
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

async fn create(pool: web::Data<Pool>, _body: web::Bytes) -> actix_web::Result<HttpResponse> {
    let client = pool.get().await.map_err(ErrorInternalServerError)?;
    let take = client.prepare_cached(TAKE).await.map_err(ErrorInternalServerError)?;
    let session = Uuid::new_v4();
    match client.query_opt(&take, &[&session.to_string()]).await.map_err(ErrorInternalServerError)? {
        None => Ok(HttpResponse::ServiceUnavailable().finish()),
        Some(row) => {
            let (container, token): (String, i64) = (row.get(0), row.get(2));
            let body = format!("{{\"id\":\"{session}\",\"container\":\"{container}\",\"fencing_token\":{token}}}");
            Ok(HttpResponse::Created().content_type("application/json").body(body))
        }
    }
}

async fn release(pool: web::Data<Pool>, id: web::Path<String>) -> actix_web::Result<HttpResponse> {
    let client = pool.get().await.map_err(ErrorInternalServerError)?;
    let give_back = client.prepare_cached(GIVE_BACK).await.map_err(ErrorInternalServerError)?;
    match client.execute(&give_back, &[&id.into_inner()]).await.map_err(ErrorInternalServerError)? {
        1 => Ok(HttpResponse::Ok().content_type("application/json").body("{}")),
        _ => Ok(HttpResponse::NotFound().finish()),
    }
}
