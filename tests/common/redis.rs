//! A real redis-server on a free port, with its own folder.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// One redis-server, killed with the test.
pub struct Redis {
    child: Child,
    port: u16,
    args: Vec<String>,
    env: Vec<(String, String)>,
    folder: tempfile::TempDir,
}

impl Redis {
    /// Starts one that keeps nothing, and waits until it answers.
    pub fn start() -> Self {
        Self::start_with(&["--appendonly", "no"])
    }

    /// One that loses nothing: every write is on disk before it is answered.
    pub fn durable() -> Self {
        Self::start_with(&["--appendonly", "yes", "--appendfsync", "always"])
    }

    /// The same with arguments. It is marked as new, as `leasehold init` does it.
    pub fn start_with(args: &[&str]) -> Self {
        let redis = Self::unmarked(args);
        redis.mark_new();
        redis
    }

    /// The same without the mark: to a replica it is one that has lost everything.
    pub fn unmarked(args: &[&str]) -> Self {
        Self::unmarked_under(args, Vec::new())
    }

    /// The same with environment variables.
    pub fn unmarked_under(args: &[&str], env: Vec<(String, String)>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let child = spawn(port, &args, &env, &folder);
        let redis = Self { child, port, args, env, folder };
        redis.wait();
        redis
    }

    /// Marks the tests' prefix and the default one as new.
    pub fn mark_new(&self) {
        let mut connection = self.conn();
        for key in ["test:types", "leasehold:types"] {
            let _: i64 = redis::cmd("HSET").arg(key).arg(":whole").arg(0).query(&mut connection).expect("a mark");
        }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// A plain connection.
    pub fn conn(&self) -> redis::Connection {
        self.try_conn().expect("a connection to redis-server")
    }

    /// A field of `INFO`; empty when it is not there.
    pub fn info(&self, name: &str) -> String {
        let info: String = redis::cmd("INFO").query(&mut self.conn()).expect("redis-server tells");
        let field = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        field.unwrap_or_default().to_owned()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again on what it kept, and waits until it answers.
    pub fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.port, &self.args, &self.env, &self.folder);
        self.wait();
    }

    /// A copy of what it has on disk now.
    pub fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().expect("a temporary folder");
        copy_files(self.folder.path(), copy.path());
        copy
    }

    /// Starts it again on an older copy: what it wrote since is lost.
    pub fn restart_from(&mut self, copy: &tempfile::TempDir) {
        self.kill();
        copy_files(copy.path(), self.folder.path());
        self.restart();
    }

    /// SIGSTOP: it answers nothing, and its connections stay.
    pub fn pause(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("redis-server is there");
    }

    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.try_conn().is_none() {
            assert!(Instant::now() < deadline, "redis-server on port {} does not answer", self.port);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The same when it may be away.
    pub fn try_conn(&self) -> Option<redis::Connection> {
        let mut connection = redis::Client::open(self.url()).ok()?.get_connection().ok()?;
        redis::cmd("PING").query::<String>(&mut connection).ok()?;
        Some(connection)
    }
}

fn spawn(port: u16, args: &[String], env: &[(String, String)], folder: &tempfile::TempDir) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .args(args)
        .envs(env.iter().cloned())
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server must be installed: `make setup` does it")
}

/// All files of a folder and of those in it.
fn copy_files(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder").map_while(Result::ok) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).expect("a folder");
            copy_files(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("a copy");
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
