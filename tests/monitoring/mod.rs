//! What operators' programs are told: metrics, and the alerts and the dashboard that are made of them.

mod traces;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use leasehold::{
    client::{Client, CreateSession},
    demo::{self, Desktop},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::common::{
    eventually,
    redis::Redis,
    replica::{KEY, Replica, Settings, farm},
};

/// A container that is probed in vain.
const PROBED: &str = "[types.linux.probe]\nkind = \"tcp\"\ninterval = \"1s\"\ntimeout = \"500ms\"\n\
    [[provider]]\nname = \"lab\"\nkind = \"static\"\n[[provider.container]]\nname = \"one\"\ntype = \"linux\"\n\
    host = \"127.0.0.1\"\nports = { vnc = 1 }\n";

/// More than there is, of what its provider cannot make more of.
const SCALED: &str = "[types.wine.scale]\nmin = 2\nmax = 2\n";

/// A receiver that is not there, and is given up at once.
const SILENT: &str = "[[webhook]]\nname = \"silent\"\nurl = \"http://127.0.0.1:1/\"\nattempts = 1\n\
    secrets = [\"whsec_YW4gdW5rbm93biBzZWNyZXQgb2YgMzIgYnl0ZXMhISE=\"]\n";

/// What is counted only where an engine is: `tests/recycle` sees it.
const OF_AN_ENGINE: &str = "leasehold_reset_duration_seconds";

/// What Prometheus adds to each sample.
const ADDED: [&str; 1] = ["instance"];

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn file(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The metrics of a replica that has done everything that is counted.
async fn scraped() -> String {
    let redis = Redis::start();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let seen = desktop(listener.local_addr().expect("its address").port());
    tokio::spawn(demo::serve(listener, Desktop::new("screen"), CancellationToken::new()));
    let settings = Settings::toml(farm("wine", 1) + PROBED + &seen + SILENT + SCALED)
        .env("AUDIT__INTERVAL", "1s")
        .env("AUDIT__PAUSE", "1ms");
    let replica = Replica::start_with_available(&redis.url(), &settings, 2).await;
    let http = replica.http();
    let made = http.post("/sessions", json!({"target_type": "wine"})).await.expect(201);
    http.delete(&format!("/sessions/{}", made.text_at("/id"))).await.expect(200);
    view(&replica).await;
    let _: () =
        redis::cmd("SET").arg("test:{wine}:about:ghost").arg("{}").query(&mut redis.conn()).expect("a planted fault");
    http.post("/audit", json!({"repair": true})).await.expect(200);
    eventually("everything was counted", Duration::from_secs(30), async || {
        let text = http.get("/metrics").await.expect(200).text;
        let counted = [
            "leasehold_audit_faults{",
            "leasehold_probe_duration_seconds_count{",
            "leasehold_reaper_age",
            "leasehold_scaled_total{",
            "leasehold_viewers_ended_total{",
            "leasehold_webhook_given_up_total{",
            "leasehold_webhook_dead_letters{",
        ];
        counted.iter().all(|metric| text.contains(metric)).then_some(text)
    })
    .await
}

/// A container of the provider before it whose desktop is shown.
fn desktop(port: u16) -> String {
    format!(
        "[[provider.container]]\nname = \"screen\"\ntype = \"screen\"\nhost = \"127.0.0.1\"\nports = {{ vnc = {port} }}\n\
         [types.screen.probe]\nkind = \"none\"\n"
    )
}

/// Sees its desktop, and leaves.
async fn view(replica: &Replica) {
    let client = Client::new(&replica.url(), Some(&SecretString::from(KEY))).expect("a client");
    let create = CreateSession { wait_seconds: Some(10), ..CreateSession::new("screen".parse().unwrap()) };
    let session = client.create(&create).await.expect("a session");
    let pass = client.make_pass(session.id, false, None).await.expect("a pass");
    drop(client.view(&pass).await.expect("the desktop"));
}

/// By the name that a sample has; of a histogram by what its parts begin with.
fn families(metrics: &str) -> BTreeSet<String> {
    let kinds = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let named = |(name, kind): (&str, &str)| match kind {
        "counter" => format!("{name}_total"),
        "info" => format!("{name}_info"),
        _ => name.to_owned(),
    };
    kinds.map(named).collect()
}

/// Names of samples, and names of labels.
fn samples(metrics: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut names, mut labels) = (BTreeSet::new(), BTreeSet::new());
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let name: String = line.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let pairs = line[name.len()..].trim_start_matches('{').split("\",");
        labels.extend(pairs.filter_map(|pair| pair.trim_matches('"').split_once("=\"")).map(|(key, _)| key.to_owned()));
        names.insert(name);
    }
    (names, labels)
}

/// Words of these characters that begin like a metric.
pub fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let metric = |word: &&str| word.starts_with("leasehold_") || word.starts_with("process_");
    words.filter(metric).map(str::to_owned).collect()
}

/// What stands between `from` and `to`, wherever they are.
pub fn between<'a>(text: &'a str, from: &str, to: char) -> Vec<&'a str> {
    text.split(from).skip(1).filter_map(|rest| rest.split(to).next()).collect()
}

/// The expressions of a JSON document, with the variables of the dashboard filled in.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "expr" => {
                        let filled = text.replace("$__rate_interval", "5m").replace("$__range", "1h");
                        found.push(filled.replace("$target_type", ".*"));
                    }
                    other => expressions(other, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        _ => {}
    }
}

/// Fails unless the program of Prometheus finds nothing wrong.
pub fn promtool(args: &[&str], path: &Path) {
    let output = Command::new("promtool").args(args).arg(path).output();
    let output = output.unwrap_or_else(|error| panic!("promtool must be installed, `make setup` does it: {error}"));
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "promtool {args:?} {}: {told}", path.display());
}

#[tokio::test]
async fn the_documents_list_the_metrics_that_there_are_and_no_others() {
    let operations = file("docs/operations.md");
    let section = operations.split("\n## ").find(|section| section.starts_with("Metrics\n")).expect("a section");
    let rows: String =
        section.lines().filter(|line| line.starts_with("| `")).map(|row| row.to_owned() + "\n").collect();
    let mut documented = metrics_in(&rows);
    assert!(documented.remove(OF_AN_ENGINE), "{documented:?}");
    assert!(documented.len() > 20, "{documented:?}");
    assert_eq!(documented, families(&scraped().await));
}

#[tokio::test]
async fn alerts_and_dashboard_use_only_what_a_replica_tells() {
    let (names, labels) = samples(&scraped().await);
    for path in ["deploy/prometheus/leasehold.rules.yml", "deploy/grafana/leasehold.json"] {
        let text = file(path);
        let used = metrics_in(&text);
        let missing: Vec<_> = used.difference(&names).collect();
        assert!(used.len() > 10 && missing.is_empty(), "{path} uses {missing:?}, which nobody tells");
        let grouped = between(&text, " by (", ')').into_iter().chain(between(&text, " on (", ')'));
        for label in grouped.flat_map(|labels| labels.split(", ")).filter(|label| *label != "le") {
            assert!(labels.contains(label) || ADDED.contains(&label), "{path}: nothing has the label {label:?}");
        }
    }
}

#[test]
fn each_alert_has_its_row_among_the_symptoms() {
    let symptoms = file("docs/troubleshooting.md");
    for alert in between(&file("deploy/prometheus/leasehold.rules.yml"), "- alert: ", '\n') {
        let named = |line: &str| line.starts_with("| `Leasehold") && line.contains(&format!("`{alert}`"));
        assert!(symptoms.lines().any(named), "{alert} is not in docs/troubleshooting.md");
    }
}

#[test]
fn the_alerts_fire_on_what_they_are_for() {
    let rules = file("deploy/prometheus/leasehold.rules.yml");
    let tests = file("deploy/prometheus/leasehold.tests.yml");
    for alert in between(&rules, "- alert: ", '\n') {
        for tested in [format!("- name: {alert} fires\n"), format!("- name: {alert} is quiet\n")] {
            assert!(tests.contains(&tested), "no test: {tested}");
        }
    }
    promtool(&["check", "rules"], &root("deploy/prometheus/leasehold.rules.yml"));
    promtool(&["test", "rules"], &root("deploy/prometheus/leasehold.tests.yml"));
}

#[test]
fn the_queries_of_the_dashboard_are_understood() {
    let dashboard: Value = serde_json::from_str(&file("deploy/grafana/leasehold.json")).expect("JSON");
    let mut found = Vec::new();
    expressions(&dashboard, &mut found);
    assert!(found.len() > 30, "{}", found.len());
    let rule = |(at, expression): (usize, &String)| json!({"record": format!("panel:{at}"), "expr": expression});
    let rules: Vec<_> = found.iter().enumerate().map(rule).collect();
    // JSON is YAML.
    let file = tempfile::NamedTempFile::with_suffix(".yml").expect("a file");
    std::fs::write(file.path(), json!({"groups": [{"name": "dashboard", "rules": rules}]}).to_string())
        .expect("written");
    promtool(&["check", "rules"], file.path());
}
