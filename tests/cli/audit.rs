//! `leasehold audit`

use serde_json::json;

use super::Pool;

#[tokio::test]
async fn an_audit_fails_as_long_as_a_fault_is_left() {
    let pool = Pool::start(2).await;
    let clean = pool.said(&["audit"]).await.expect(0);
    assert_eq!(clean.stdout, "TYPE  FAULT  ID  PLACE  REPAIRED\n");
    clean.complains_of(&["0 faults"]);
    let _: () = redis::cmd("SET")
        .arg("test:{wine}:about:ghost")
        .arg("{}")
        .query(&mut pool.redis.conn())
        .expect("a planted fault");
    let found = pool.said(&["audit", "--type", "wine"]).await.expect(1);
    assert_eq!(found.stdout.lines().nth(1), Some("wine  orphan_record  ghost  about  no"));
    let report = pool.said(&["audit", "-o", "json"]).await.expect(1).json();
    assert_eq!(report["findings"][0]["fault"], "orphan_record");
    let repaired = pool.said(&["audit", "--repair", "-o", "json"]).await.expect(0).json();
    assert_eq!(repaired["findings"][0]["repaired"], json!(true));
    pool.said(&["audit"]).await.expect(0);
}
