//! The real binary as a replica, on a port of its own.

use std::{
    fmt::Display,
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{eventually, http::Http};

/// The key of every replica that the tests start.
pub const KEY: &str = "the-key-of-the-tests";

/// What differs from the defaults.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The configuration file.
    pub toml: String,
    /// Environment variables.
    pub env: Vec<(String, String)>,
    /// Arguments after `serve`.
    pub args: Vec<String>,
    /// Another program than this version's.
    pub program: Option<PathBuf>,
}

impl Settings {
    /// A file's text.
    pub fn toml(text: impl Into<String>) -> Self {
        Self { toml: text.into(), ..Self::default() }
    }

    /// With one more setting; its name without the prefix `LEASEHOLD_`.
    pub fn env(mut self, name: &str, value: impl Display) -> Self {
        self.env.push((format!("LEASEHOLD_{name}"), value.to_string()));
        self
    }

    /// With these environment variables, under their whole names.
    pub fn process_env(mut self, variables: Vec<(String, String)>) -> Self {
        self.env.extend(variables);
        self
    }

    /// Of another version.
    pub fn program(mut self, program: PathBuf) -> Self {
        self.program = Some(program);
        self
    }

    /// With these roles only.
    pub fn roles(mut self, roles: &str) -> Self {
        self.args.extend(["--roles".to_owned(), roles.to_owned()]);
        self
    }
}

/// The configuration of a static provider with so many containers of one type, which are not probed: they need not exist.
pub fn farm(target_type: &str, count: usize) -> String {
    let mut text =
        format!("[types.{target_type}.probe]\nkind = \"none\"\n[[provider]]\nname = \"farm\"\nkind = \"static\"\n");
    for number in 1..=count {
        text.push_str(&format!(
            "[[provider.container]]\nname = \"{target_type}-{number}\"\ntype = \"{target_type}\"\nhost = \"127.0.0.1\"\nports = {{ vnc = {} }}\n",
            5900 + number
        ));
    }
    text
}

/// One replica, killed with the test. Its log is shown when the test fails.
pub struct Replica {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<String>>,
    _folder: tempfile::TempDir,
}

impl Replica {
    /// Starts one and waits until it listens.
    pub fn start(redis_url: &str, settings: &Settings) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("leasehold.toml");
        std::fs::write(&file, &settings.toml).expect("a configuration file");
        let ours = || env!("CARGO_BIN_EXE_leasehold").into();
        let mut command = Command::new(settings.program.clone().unwrap_or_else(ours));
        command
            .arg("serve")
            .args(&settings.args)
            .env("LEASEHOLD_CONFIG", &file)
            .env("LEASEHOLD_LISTEN", "127.0.0.1:0")
            .env("LEASEHOLD_REDIS__URL", redis_url)
            .env("LEASEHOLD_PREFIX", "test")
            .env("LEASEHOLD_DRAIN", "0s")
            .env("LEASEHOLD_API_KEY", KEY);
        for (name, value) in &settings.env {
            command.env(name, value);
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().expect("a pipe");
        std::thread::spawn({
            let log = log.clone();
            move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    let mut log = log.lock().expect("the log");
                    log.push_str(&line);
                    log.push('\n');
                }
            }
        });
        let deadline = Instant::now() + Duration::from_secs(20);
        let address = loop {
            if let Some(address) = listening(&log.lock().expect("the log")) {
                break address;
            }
            let ended = child.try_wait().expect("its state");
            let text = || log.lock().expect("the log").clone();
            assert!(ended.is_none(), "the replica ended ({ended:?}) before it listened:\n{}", text());
            assert!(Instant::now() < deadline, "the replica does not listen:\n{}", text());
            std::thread::sleep(Duration::from_millis(10));
        };
        Self { child, address, log, _folder: folder }
    }

    /// Starts one and waits until so many containers are available.
    pub async fn start_with_available(redis_url: &str, settings: &Settings, count: u64) -> Self {
        let replica = Self::start(redis_url, settings);
        let http = replica.http();
        eventually(&format!("{count} available containers"), Duration::from_secs(15), || async {
            let answer = http.get("/containers/status").await;
            (answer.body["available"] == count).then_some(())
        })
        .await;
        replica
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `http://127.0.0.1:…`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client with the tests' key.
    pub fn http(&self) -> Http {
        Http::new(&self.url(), Some(KEY))
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("the log").clone()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("the process is there");
    }

    /// SIGKILL: it can do nothing about it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end.
    pub async fn ended(&mut self, patience: Duration) -> ExitStatus {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status;
            }
            assert!(Instant::now() < deadline, "the replica did not end within {patience:?}:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "--- log of the replica at {}\n{}---", self.address, self.log());
        }
    }
}

fn listening(log: &str) -> Option<SocketAddr> {
    log.lines().find_map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).ok()?;
        (event["message"] == "listening").then(|| event["address"].as_str()?.parse().ok())?
    })
}
