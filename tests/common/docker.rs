//! The real Docker engine, with containers of the test's own.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
    process::Command,
};

use bollard::{
    Docker,
    models::{
        ContainerCreateBody, ContainerInspectResponse, ContainerSummary, EndpointSettings, HealthConfig, HostConfig,
        NetworkConnectRequest, NetworkCreateRequest, PortBinding, RestartPolicy, RestartPolicyNameEnum,
    },
    query_parameters::{
        CreateContainerOptions, CreateImageOptions, InspectContainerOptions, ListContainersOptions, ListImagesOptions,
        ListNetworksOptions, RemoveContainerOptions, RemoveImageOptions, RemoveVolumeOptions, RestartContainerOptions,
        StopContainerOptions,
    },
};
use futures_util::TryStreamExt as _;
use tokio::sync::OnceCell;

use super::compose::{ATTEMPTS, is_taken};

/// Marks the containers of one test, by the name of its run.
const RUN_LABEL: &str = "leasehold-test.run";

/// The engine, and what a test has on it: removed with this value, also when the test fails.
pub struct Engine {
    docker: Docker,
    run: String,
}

/// A container to start: a process that sleeps, in no type, without ports, unless said otherwise.
#[derive(Default)]
pub struct Target {
    labels: HashMap<String, String>,
    command: Option<Vec<String>>,
    ports: Vec<(u16, String)>,
    check: Option<String>,
    network: Option<String>,
    also_on: Vec<String>,
    fixed: Vec<(u16, u16)>,
    binds: Vec<String>,
    name: Option<String>,
    restarts: bool,
}

impl Target {
    /// A label more.
    pub fn label(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(label.into(), value.into());
        self
    }

    /// What it runs instead.
    pub fn command(mut self, command: &[&str]) -> Self {
        self.command = Some(command.iter().map(|&word| word.to_owned()).collect());
        self
    }

    /// Publishes a port at one that the engine picks, on this address of the machine (empty for all).
    pub fn publish(mut self, port: u16, on: &str) -> Self {
        self.ports.push((port, on.to_owned()));
        self
    }

    /// A HEALTHCHECK: this file exists.
    pub fn healthy_while(mut self, file: &str) -> Self {
        self.check = Some(file.to_owned());
        self
    }

    /// Under this name rather than one by chance.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Begun anew by the engine whenever it ends.
    pub fn restarting(mut self) -> Self {
        self.restarts = true;
        self
    }

    /// Another network than the default.
    pub fn network(mut self, network: &str) -> Self {
        self.network = Some(network.to_owned());
        self
    }

    /// One network more.
    pub fn also_on(mut self, network: &str) -> Self {
        self.also_on.push(network.to_owned());
        self
    }

    /// Publishes a port at this one of the machine's.
    pub fn publish_at(mut self, port: u16, at: u16) -> Self {
        self.fixed.push((port, at));
        self
    }

    /// A mount, as `volume:/where`.
    pub fn bind(mut self, bind: impl Into<String>) -> Self {
        self.binds.push(bind.into());
        self
    }
}

impl Engine {
    /// The engine of this machine.
    pub async fn new() -> Self {
        let docker = client().await;
        Self { docker, run: format!("t{:012x}", rand::random::<u64>() >> 16) }
    }

    /// The name of this run, which is a valid target type.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The label that names a container's type in this run only.
    pub fn label(&self) -> String {
        format!("leasehold-test.{}.type", self.run)
    }

    /// The image that targets are made from.
    pub async fn image(&self) -> String {
        image(&self.docker).await
    }

    /// A target of this type.
    pub fn target(&self, target_type: &str) -> Target {
        Target::default().label(self.label(), target_type)
    }

    /// Makes a container and starts it; returns its id.
    pub async fn start(&self, target: Target) -> String {
        let id = self.create(target).await;
        for _ in 1..ATTEMPTS {
            match self.docker.start_container(&id, None).await {
                Err(error) if is_taken(&error.to_string()) => {}
                other => {
                    other.expect("a container starts");
                    return id;
                }
            }
        }
        self.docker.start_container(&id, None).await.expect("a container starts, on some port");
        id
    }

    /// Makes a container.
    pub async fn create(&self, target: Target) -> String {
        let binding = |on: &String| PortBinding { host_ip: Some(on.clone()), host_port: None };
        let published = target.ports.iter().map(|(port, on)| (format!("{port}/tcp"), Some(vec![binding(on)])));
        let at = |at: u16| PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(at.to_string()) };
        let published =
            published.chain(target.fixed.iter().map(|&(port, host)| (format!("{port}/tcp"), Some(vec![at(host)]))));
        let exposed = target.ports.iter().map(|(port, _)| port).chain(target.fixed.iter().map(|(port, _)| port));
        let always = RestartPolicy { name: Some(RestartPolicyNameEnum::ALWAYS), maximum_retry_count: None };
        let seconds = |seconds: i64| Some(seconds * 1_000_000_000);
        let body = ContainerCreateBody {
            image: Some(image(&self.docker).await),
            cmd: Some(target.command.unwrap_or_else(|| vec!["/bin/sleep".into(), "600".into()])),
            labels: Some(target.labels.into_iter().chain([(RUN_LABEL.to_owned(), self.run.clone())]).collect()),
            exposed_ports: Some(exposed.map(|port| format!("{port}/tcp")).collect()),
            healthcheck: target.check.map(|file| HealthConfig {
                test: Some(vec!["CMD".to_owned(), "/usr/bin/test".to_owned(), "-e".to_owned(), file]),
                interval: seconds(1),
                retries: Some(1),
                ..HealthConfig::default()
            }),
            host_config: Some(HostConfig {
                port_bindings: Some(published.collect()),
                network_mode: target.network,
                binds: Some(target.binds),
                restart_policy: target.restarts.then_some(always),
                init: Some(false),
                ..HostConfig::default()
            }),
            stop_signal: Some("SIGKILL".to_owned()),
            ..ContainerCreateBody::default()
        };
        let by_chance = || format!("leasehold-test-{}-{:08x}", self.run, rand::random::<u32>());
        let name = target.name.unwrap_or_else(by_chance);
        let options = CreateContainerOptions { name: Some(name), ..CreateContainerOptions::default() };
        let id = self.docker.create_container(Some(options), body).await.expect("a container is made").id;
        for network in target.also_on {
            let alias = EndpointSettings { aliases: Some(vec!["desk".to_owned()]), ..EndpointSettings::default() };
            let request = NetworkConnectRequest { container: id.clone(), endpoint_config: Some(alias) };
            self.docker.connect_network(&network, request).await.expect("it is connected");
        }
        id
    }

    /// Makes a network; returns its name.
    pub async fn network(&self) -> String {
        let name = format!("leasehold-test-{}-{:08x}", self.run, rand::random::<u32>());
        let labels = HashMap::from([(RUN_LABEL.to_owned(), self.run.clone())]);
        let request =
            NetworkCreateRequest { name: name.clone(), labels: Some(labels), ..NetworkCreateRequest::default() };
        self.docker.create_network(request).await.expect("a network is made");
        name
    }

    /// Every container of this run, whatever it does.
    pub async fn containers(&self) -> Vec<ContainerSummary> {
        of_run(&self.docker, &self.run).await
    }

    /// What the engine tells of it.
    pub async fn inspect(&self, id: &str) -> ContainerInspectResponse {
        self.docker.inspect_container(id, None::<InspectContainerOptions>).await.expect("the container is there")
    }

    pub async fn pause(&self, id: &str) {
        self.docker.pause_container(id).await.expect("it pauses");
    }

    pub async fn unpause(&self, id: &str) {
        self.docker.unpause_container(id).await.expect("it goes on");
    }

    pub async fn stop(&self, id: &str) {
        self.docker.stop_container(id, None::<StopContainerOptions>).await.expect("it stops");
    }

    pub async fn restart(&self, id: &str) {
        self.docker.restart_container(id, None::<RestartContainerOptions>).await.expect("it restarts");
    }

    pub async fn remove(&self, id: &str) {
        remove(&self.docker, id).await.expect("it is removed");
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let run = self.run.clone();
        // A runtime of its own: the test's is busy with dropping this.
        let cleaner = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let docker = client().await;
                for container in of_run(&docker, &run).await {
                    let id = container.id.expect("a container has an id");
                    if let Err(error) = remove(&docker, &id).await {
                        eprintln!("container {id} of test run {run} is left over: {error}");
                    }
                }
                let filters = HashMap::from([("label".to_owned(), vec![format!("{RUN_LABEL}={run}")])]);
                let options = ListNetworksOptions { filters: Some(filters) };
                for network in docker.list_networks(Some(options)).await.expect("the engine lists") {
                    let name = network.name.expect("a network has a name");
                    if let Err(error) = docker.remove_network(&name).await {
                        eprintln!("network {name} of test run {run} is left over: {error}");
                    }
                }
                let _ = docker.remove_volume(&volume(&run), None::<RemoveVolumeOptions>).await;
            });
        });
        let _ = cleaner.join();
    }
}

/// The name of the one volume that a run may use.
pub fn volume(run: &str) -> String {
    format!("leasehold-test-{run}")
}

async fn of_run(docker: &Docker, run: &str) -> Vec<ContainerSummary> {
    let options = ListContainersOptions {
        all: true,
        filters: Some([("label".to_owned(), vec![format!("{RUN_LABEL}={run}")])].into()),
        ..ListContainersOptions::default()
    };
    docker.list_containers(Some(options)).await.expect("the engine lists")
}

async fn remove(docker: &Docker, id: &str) -> Result<(), bollard::errors::Error> {
    let options = RemoveContainerOptions { force: true, v: true, ..RemoveContainerOptions::default() };
    docker.remove_container(id, Some(options)).await
}

async fn client() -> Docker {
    let told =
        "the tests need a Docker engine that answers (DOCKER_HOST, or /var/run/docker.sock): `make setup` does it";
    let docker = Docker::connect_with_defaults().unwrap_or_else(|error| panic!("{told}: {error}"));
    docker.negotiate_version().await.unwrap_or_else(|error| panic!("{told}: {error}"))
}

/// The image that all targets are made from, by its name: this program and a few of the machine's own, with their
/// libraries. Made once for each build.
async fn image(docker: &Docker) -> String {
    static IMAGE: OnceCell<String> = OnceCell::const_new();
    IMAGE.get_or_init(|| make_image(docker)).await.clone()
}

async fn make_image(docker: &Docker) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_leasehold"));
    let made = program.metadata().and_then(|about| about.modified()).expect("the program is built");
    let mut hasher = DefaultHasher::new();
    (program, made).hash(&mut hasher);
    let (repo, tag) = ("leasehold-test-target", format!("{:016x}", hasher.finish()));
    let name = format!("{repo}:{tag}");
    if docker.inspect_image(&name).await.is_ok() {
        return name;
    }
    remove_others(docker, repo, &name).await;
    let options = CreateImageOptions {
        from_src: Some("-".to_owned()),
        repo: Some(repo.to_owned()),
        tag: Some(tag),
        ..CreateImageOptions::default()
    };
    let files = bollard::body_full(archive(program).into());
    docker.create_image(Some(options), Some(files), None).try_collect::<Vec<_>>().await.expect("an image is made");
    name
}

/// Removes the images that former builds left; another test may be making this one at the same time.
async fn remove_others(docker: &Docker, repo: &str, this: &str) {
    let filters = HashMap::from([("reference".to_owned(), vec![repo.to_owned()])]);
    let options = ListImagesOptions { filters: Some(filters), ..ListImagesOptions::default() };
    for old in docker.list_images(Some(options)).await.expect("the engine lists its images") {
        for name in old.repo_tags.into_iter().filter(|name| name != this) {
            // One that a container still uses stays.
            let _ = docker.remove_image(&name, None::<RemoveImageOptions>, None).await;
        }
    }
}

/// A tar archive of the program as `/leasehold`, of `sh`, `sleep` and `test`, and of all their libraries.
fn archive(program: &Path) -> Vec<u8> {
    let helpers = ["/bin/sh", "/bin/sleep", "/usr/bin/test"];
    let linked = Command::new("ldd").arg(program).args(helpers).output().expect("ldd runs");
    let linked = String::from_utf8(linked.stdout).expect("ldd writes text");
    let mut files: Vec<_> =
        linked.split_whitespace().filter(|word| word.starts_with('/') && !word.ends_with(':')).collect();
    files.extend(helpers);
    files.sort_unstable();
    files.dedup();
    let folder = program.parent().expect("the program is in a folder");
    let made = Command::new("tar")
        .args(["--create", "--dereference", "--file=-", "--directory"])
        .arg(folder)
        .arg("leasehold")
        .arg("--directory=/")
        .args(files.iter().map(|file| &file[1..]))
        .output()
        .expect("tar runs");
    assert!(made.status.success(), "tar: {}", String::from_utf8_lossy(&made.stderr));
    made.stdout
}
