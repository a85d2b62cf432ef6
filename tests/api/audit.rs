//! The audit through the API, and the one that goes on by itself.

use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{
    eventually,
    redis::Redis,
    replica::{KEY, Replica, Settings, farm},
};

fn plant(redis: &Redis, command: &str, key: &str, args: &[&str]) {
    let key = format!("test:{{wine}}:{key}");
    let _: redis::Value = redis::cmd(command).arg(key).arg(args).query(&mut redis.conn()).expect(command);
}

#[tokio::test]
async fn what_is_found_is_told_in_parts_and_repaired_when_asked() {
    let redis = Redis::start();
    let settings = Settings::toml(farm("wine", 3)).env("AUDIT__INTERVAL", "0s");
    let replica = Replica::start_with_available(&redis.url(), &settings, 3).await;
    let http = replica.http();
    let clean = http.post("/audit", json!({"target_type": "wine"})).await.expect(200).body;
    assert_eq!((&clean["findings"], &clean["next"]), (&json!([]), &Value::Null));
    assert!(clean["looked"].as_u64() > Some(3), "{clean}");

    plant(&redis, "SET", "about:ghost", &["{}"]);
    let finding = |repaired: bool| json!([{"target_type": "wine", "fault": "orphan_record", "id": "ghost", "place": "about", "repaired": repaired}]);
    assert_eq!(http.post("/audit", json!({})).await.expect(200).body["findings"], finding(false));
    assert_eq!(http.post("/audit", json!({"repair": true})).await.expect(200).body["findings"], finding(true));
    assert_eq!(http.post("/audit", json!({})).await.expect(200).body["findings"], json!([]));
    let metrics = http.get("/metrics").await.text;
    let repaired = "leasehold_audit_repairs_total{target_type=\"wine\",fault=\"orphan_record\"} 1\n";
    assert!(metrics.contains(repaired), "{metrics}");

    let rest = http.post("/audit", json!({"cursor": "wine~counts~"})).await.expect(200).body;
    assert_eq!((&rest["looked"], &rest["next"]), (&json!(0), &Value::Null));
    for cursor in ["", "wine~nothing~", "wine~records~x", "linux~due~"] {
        http.post("/audit", json!({"cursor": cursor})).await.problem(400, "bad_cursor");
    }
    http.post("/audit", json!({"target_type": "mars"})).await.problem(404, "unknown_target_type");
    http.post("/audit", json!({"repairs": true})).await.problem(400, "unknown_field");
}

#[tokio::test]
async fn every_type_is_audited_by_one_of_the_replicas_and_all_tell_what_was_found() {
    let redis = Redis::start();
    let settings = Settings::toml(farm("wine", 2)).env("AUDIT__INTERVAL", "1s").env("AUDIT__PAUSE", "1ms");
    let one = Replica::start_with_available(&redis.url(), &settings, 2).await;
    let other = Replica::start(&redis.url(), &settings);
    let tells = async |http: &crate::common::http::Http, count: u32| {
        let line = format!("leasehold_audit_faults{{target_type=\"wine\",fault=\"member_without_record\"}} {count}\n");
        eventually(&line, Duration::from_secs(20), async || {
            let metrics = http.get("/metrics").await.text;
            let aged = metrics.contains("leasehold_audit_age_seconds{target_type=\"wine\"} ");
            (aged && metrics.contains(&line)).then_some(())
        })
        .await;
    };
    tells(&one.http(), 0).await;
    plant(&redis, "ZADD", "leases", &["9000000000000", "ghost"]);
    tells(&one.http(), 1).await;
    tells(&other.http(), 1).await;
    let logs = one.log() + &other.log();
    assert!(logs.lines().any(|line| line.contains("the audit found a fault") && line.contains("ghost")), "{logs}");
    one.http().post("/audit", json!({"repair": true})).await.expect(200);
    tells(&other.http(), 0).await;
    assert!(!logs.contains(KEY));
}
