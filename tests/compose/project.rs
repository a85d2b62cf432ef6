//! One Compose project, brought up for a test and taken down with it.

use std::{os::unix::fs::MetadataExt as _, process::Command, time::Duration};

use crate::common::{
    compose::{self, MUST_BE_INSTALLED, succeeded},
    eventually,
    http::Http,
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const SOCKET: &str = "/var/run/docker.sock";

/// How many containers there are of each type.
pub const WINE: usize = 3;
/// All of them: with one for Linux, one for Android.
pub const TARGETS: usize = WINE + 2;

/// What the file runs under a name of its own.
pub struct Project {
    name: String,
    key: String,
    /// The group of the engine's socket.
    group: u32,
    base: String,
}

impl Project {
    /// Brings everything up, with three Wine targets, and waits until the pool is whole.
    pub async fn up() -> Self {
        let mut project = Self {
            name: format!("leasehold-test-{:08x}", rand::random::<u32>()),
            key: format!("key-{:032x}", rand::random::<u128>()),
            group: std::fs::metadata(SOCKET).expect("the engine's socket").gid(),
            base: String::new(),
        };
        project.make_images();
        let scale = format!("wine-target={WINE}");
        let up = ["--profile", "android", "up", "-d", "--no-build", "--scale", &scale];
        compose::up("docker-compose up", || project.compose_command(&up));
        project.base = format!("http://{}", project.compose(&["port", "load-balancer", "8088"]));
        project.wait_for_the_pool().await;
        project
    }

    /// The load balancer's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The one key, an administrator's.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A client that speaks through the load balancer.
    pub fn http(&self) -> Http {
        Http::new(&self.base, Some(&self.key))
    }

    /// The ids of a service's containers.
    pub fn containers_of(&self, service: &str) -> Vec<String> {
        self.compose(&["ps", "-q", service]).lines().map(str::to_owned).collect()
    }

    async fn wait_for_the_pool(&self) {
        let http = self.http();
        eventually("every target is available", Duration::from_mins(2), async || {
            let answer = http.try_call(reqwest::Method::GET, "/containers/status", None, &[]).await.ok()?;
            (answer.body["available"] == TARGETS).then_some(())
        })
        .await;
    }

    /// The images of the file, with the program under test in the replicas'.
    fn make_images(&self) {
        let mut script = Command::new(format!("{ROOT}/scripts/images.sh"));
        script.args(["leasehold", "linux", "redis", "haproxy"]).args(with_wine().then_some("wine"));
        script.env("API_IMAGE", self.image()).env("API_BINARY", env!("CARGO_BIN_EXE_leasehold"));
        succeeded("scripts/images.sh", &script.output().expect("scripts/images.sh runs"));
    }

    fn image(&self) -> String {
        format!("leasehold-test:{}", self.name)
    }

    /// What `docker-compose` prints for this project.
    fn compose(&self, args: &[&str]) -> String {
        let output = self.compose_command(args).output().expect(MUST_BE_INSTALLED);
        succeeded(&format!("docker-compose {}", args.join(" ")), &output)
    }

    fn compose_command(&self, args: &[&str]) -> Command {
        let mut command = compose::command(&self.name, args);
        command.env("LEASEHOLD_API_KEY", &self.key);
        command.env("LEASEHOLD_LEASE_TOKEN_KEY", "a-secret-of-the-tests-with-32-bytes");
        command.env("DOCKER_GID", self.group.to_string()).env("API_IMAGE", self.image());
        command.env("ANDROID_IMAGE", "leasehold-linux").env("KVM_DEVICE", "/dev/null");
        if !with_wine() {
            command.env("WINE_IMAGE", "leasehold-linux");
        }
        // The environment comes before a developer's .env.
        for port in ["API", "WINE_VNC", "WINE_NOVNC", "LINUX_VNC", "LINUX_NOVNC", "ANDROID_VNC", "ANDROID_NOVNC"] {
            command.env(format!("{port}_PORT"), "");
        }
        command
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = self.compose_command(&["logs", "--no-color", "--tail", "40"]).output();
            eprintln!("{}", logs.map(|logs| text(&logs.stdout)).unwrap_or_default());
        }
        // Compose 1.29 ends what runs when it looks: not a desktop that a replica is restarting at that moment.
        let stop = self.compose_command(&["stop", "leasehold"]);
        let down = self.compose_command(&["--profile", "android", "down", "-v", "--remove-orphans", "--timeout", "5"]);
        for mut command in [stop, down, remove_image(&self.image())] {
            match command.output() {
                Ok(output) if output.status.success() => {}
                Ok(output) => eprintln!("left over of {}: {}", self.name, text(&output.stderr)),
                Err(error) => eprintln!("left over of {}: {error}", self.name),
            }
        }
    }
}

/// Whether Wine itself is to be behind `wine-target`.
fn with_wine() -> bool {
    std::env::var_os("COMPOSE_TEST_WINE").is_some()
}

fn remove_image(name: &str) -> Command {
    let mut command = Command::new("docker");
    command.args(["image", "rm", name]);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
