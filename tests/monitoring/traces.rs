//! Traces, as a collector receives them; and which trace a request is in, where there is none.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value as Attribute},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message as _;
use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{
    common::{
        eventually,
        http::{Answer, Http},
        redis::Redis,
        replica::{Replica, Settings, farm},
    },
    events::receiver::{Manner, Receiver},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const PATIENCE: Duration = Duration::from_secs(30);

/// A collector: an HTTP server that reads OTLP.
struct Collector {
    at: SocketAddr,
    spans: Arc<Mutex<Vec<Span>>>,
    services: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let at = listener.local_addr().expect("its address");
        let (spans, services) = <(Arc<Mutex<Vec<Span>>>, Arc<Mutex<Vec<String>>>)>::default();
        tokio::spawn({
            let (spans, services) = (spans.clone(), services.clone());
            async move {
                while let Ok((connection, _)) = listener.accept().await {
                    tokio::spawn(receive(connection, spans.clone(), services.clone()));
                }
            }
        });
        Self { at, spans, services }
    }

    fn spans(&self) -> Vec<Span> {
        self.spans.lock().expect("the spans").clone()
    }

    /// The span of this name in a trace, when it has come.
    async fn span(&self, trace: &str, name: &str) -> Span {
        eventually(&format!("the span {name} of {trace}"), PATIENCE, async || {
            self.spans().into_iter().find(|span| hex(&span.trace_id) == trace && span.name == name)
        })
        .await
    }
}

async fn receive(mut connection: TcpStream, spans: Arc<Mutex<Vec<Span>>>, services: Arc<Mutex<Vec<String>>>) {
    let mut buffer = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head: Vec<u8> = buffer.drain(..end + 4).collect();
                break String::from_utf8_lossy(&head).to_ascii_lowercase();
            }
            if connection.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
        };
        assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
        assert!(head.contains("content-type: application/x-protobuf"), "{head}");
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()).expect("a length");
        let length: usize = length.trim().parse().expect("a number");
        while buffer.len() < length {
            assert!(connection.read_buf(&mut buffer).await.expect("the body") > 0, "the body ended early");
        }
        let body: Vec<u8> = buffer.drain(..length).collect();
        let request = ExportTraceServiceRequest::decode(body.as_slice()).expect("OTLP");
        for resource in request.resource_spans {
            let attributes = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
            services.lock().expect("the services").extend(text_of(&attributes, "service.name"));
            spans.lock().expect("the spans").extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.expect("an answer");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn text_of(attributes: &[KeyValue], name: &str) -> Option<String> {
    let value = attributes.iter().find(|one| one.key == name)?.value.clone()?.value?;
    match value {
        Attribute::StringValue(text) => Some(text),
        Attribute::IntValue(number) => Some(number.to_string()),
        other => Some(format!("{other:?}")),
    }
}

fn settings() -> Settings {
    settings_with("")
}

fn settings_with(hooks: &str) -> Settings {
    Settings::toml(hooks.to_owned() + &farm("wine", 1)).env("AUDIT__INTERVAL", "0s")
}

fn traced(at: SocketAddr) -> Settings {
    sent_to(at, settings())
}

fn sent_to(at: SocketAddr, settings: Settings) -> Settings {
    let soon = ("OTEL_BSP_SCHEDULE_DELAY".to_owned(), "100".to_owned());
    settings.env("TELEMETRY__OTLP_ENDPOINT", format!("http://{at}")).process_env(vec![soon])
}

async fn get_in(http: &Http, path: &str, traceparent: &str) -> Answer {
    http.try_call(Method::GET, path, None, &[("traceparent", traceparent)]).await.expect("an answer")
}

#[tokio::test]
async fn a_request_and_its_calls_of_redis_are_spans_of_its_callers_trace() {
    let (collector, redis) = (Collector::start().await, Redis::start());
    let replica = Replica::start_with_available(&redis.url(), &traced(collector.at), 1).await;
    let http = replica.http();
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let body = Some(json!({"target_type": "wine"}));
    let made = http.try_call(Method::POST, "/sessions", body, &[("traceparent", &parent)]).await.unwrap().expect(201);
    let request = collector.span(TRACE, "POST /sessions").await;
    assert_eq!((hex(&request.parent_span_id).as_str(), request.kind()), (PARENT, SpanKind::Server));
    assert_eq!(text_of(&request.attributes, "http.response.status_code").as_deref(), Some("201"));
    let call = collector.span(TRACE, "redis").await;
    assert_eq!((call.parent_span_id, call.kind), (request.span_id, SpanKind::Client.into()));
    assert_eq!(text_of(&call.attributes, "script").as_deref(), Some("allocate"));
    assert_eq!(collector.services.lock().unwrap()[0], "leasehold");

    // Its caller's trace is not sampled: then neither is this.
    let unsampled = TRACE.replace('4', "5");
    let parent = format!("00-{unsampled}-{PARENT}-00");
    get_in(&http, &format!("/sessions/{}", made.text_at("/id")), &parent).await.expect(200);
    // Without a caller's trace it has its own, which the answer to one that fails names.
    let told = http.get("/sessions/0193a5b0-7c2e-8f00-9d41-5b1e7a3c9f10").await.problem(404, "session_not_found");
    let own = collector.span(&told.text_at("/trace_id"), "GET /sessions/{id}").await;
    assert!(own.parent_span_id.is_empty());
    assert!(collector.spans().iter().all(|span| hex(&span.trace_id) != unsampled));
    // What goes on in the background is no trace.
    assert!(collector.spans().iter().all(|span| span.name != "redis" || !span.parent_span_id.is_empty()));
}

#[tokio::test]
async fn each_attempt_at_a_delivery_is_a_trace_that_its_receiver_can_go_on_with() {
    let (collector, redis) = (Collector::start().await, Redis::start());
    let receiver = Receiver::start(Manner::Answers(500)).await;
    let hook = format!(
        "[[webhook]]\nname = \"audit\"\nurl = \"{}\"\nsecrets = [\"whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xk\"]\n\
         kinds = [\"session.ready\"]\nfirst_pause = \"20ms\"\nlongest_pause = \"100ms\"\nattempts = 100\n",
        receiver.url()
    );
    let settings = sent_to(collector.at, settings_with(&hook));
    let replica = Replica::start_with_available(&redis.url(), &settings, 1).await;
    let made = replica.http().post("/sessions", json!({"target_type": "wine"})).await.expect(201);
    eventually("an attempt", PATIENCE, async || (!receiver.came().is_empty()).then_some(())).await;
    receiver.behave(Manner::Takes);
    eventually("it is taken", PATIENCE, async || (receiver.taken().len() == 1).then_some(())).await;
    let came = receiver.came();
    let mut seen = Vec::new();
    for (number, delivery) in came.iter().enumerate() {
        let parent: Vec<_> = delivery.headers["traceparent"].split('-').collect();
        assert_eq!((parent.len(), parent[0], parent[3]), (4, "00", "01"), "{parent:?}");
        let span = collector.span(parent[1], "webhook delivery").await;
        assert_eq!((hex(&span.span_id).as_str(), span.kind()), (parent[2], SpanKind::Client));
        assert!(span.parent_span_id.is_empty());
        let is = |name: &str| text_of(&span.attributes, name).unwrap_or_default();
        assert_eq!((is("event_id"), is("target_type")), (delivery.event.id.clone(), "wine".to_owned()));
        assert_eq!((is("session_id"), is("container_id")), (made.text_at("/id"), made.text_at("/container/id")));
        assert_eq!((is("webhook"), is("attempt")), ("audit".to_owned(), (number + 1).to_string()));
        let failed = span.status.as_ref().filter(|status| status.code() == StatusCode::Error);
        assert_eq!(failed.map(|status| status.message.as_str()), (!delivery.taken).then_some("the answer was 500"));
        seen.push(parent[1].to_owned());
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), came.len(), "each is a trace of its own");
}

#[tokio::test]
async fn the_log_names_the_trace_of_a_request_and_the_last_spans_are_sent_at_the_end() {
    let (collector, redis) = (Collector::start().await, Redis::start());
    let slow = ("OTEL_BSP_SCHEDULE_DELAY".to_owned(), "600000".to_owned());
    let settings = traced(collector.at).process_env(vec![slow]);
    let mut replica = Replica::start_with_available(&redis.url(), &settings, 1).await;
    let _: () = redis::cmd("SET").arg("test:{wine}:about:ghost").arg("{}").query(&mut redis.conn()).unwrap();
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let audit = replica.http();
    audit.try_call(Method::POST, "/audit", Some(json!({})), &[("traceparent", &parent)]).await.unwrap().expect(200);
    let line = eventually("the finding is logged", PATIENCE, async || {
        replica.log().lines().find(|line| line.contains("the audit found a fault")).map(str::to_owned)
    })
    .await;
    let event: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(event["spans"][0]["trace_id"], TRACE, "{line}");
    replica.signal(nix::sys::signal::Signal::SIGTERM);
    assert!(replica.ended(PATIENCE).await.success());
    collector.span(TRACE, "POST /audit").await;
}

#[tokio::test]
async fn without_traces_a_callers_trace_is_named_all_the_same() {
    let redis = Redis::start();
    let replica = Replica::start_with_available(&redis.url(), &settings(), 1).await;
    let http = replica.http();
    let told = get_in(&http, "/containers/nobody", &format!("00-{TRACE}-{PARENT}-01")).await;
    assert_eq!(told.problem(404, "container_not_found").text_at("/trace_id"), TRACE);
    for wrong in ["", "00-xyz", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"] {
        let told = get_in(&http, "/containers/nobody", wrong).await.problem(404, "container_not_found");
        assert!(told.body["trace_id"].is_null(), "{wrong}: {}", told.text);
    }
}

#[tokio::test]
async fn a_collector_that_is_away_costs_its_traces_and_nothing_else() {
    let redis = Redis::start();
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let mut replica = Replica::start_with_available(&redis.url(), &traced(nobody), 1).await;
    let http = replica.http();
    let warned = || replica.log().matches("traces cannot be sent").count();
    eventually("one warning", PATIENCE, async || {
        http.get("/containers/status").await.expect(200);
        (warned() == 1).then_some(())
    })
    .await;
    for _ in 0..20 {
        http.get("/containers/status").await.expect(200);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(warned(), 1, "{}", replica.log());
    replica.signal(nix::sys::signal::Signal::SIGTERM);
    assert!(replica.ended(PATIENCE).await.success());
}

#[tokio::test]
async fn an_address_that_cannot_be_one_ends_the_start() {
    for wrong in ["collector:4318", "http://user:secret@collector:4318", "ftp://collector"] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_leasehold"))
            .args(["serve", "--print-config"])
            .env("LEASEHOLD_TELEMETRY__OTLP_ENDPOINT", wrong)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains("telemetry.otlp_endpoint"), "{wrong}: {told}");
        assert!(!told.contains("secret"), "{told}");
    }
}
