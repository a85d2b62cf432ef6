//! `leasehold advise`: by the server's history, and by a file.

use serde_json::json;
use tempfile::tempdir;

use super::{PATIENCE, Pool, leasehold, said};
use crate::common::eventually;

/// Three sessions at once each minute, each for half of it.
fn record() -> String {
    let rows = (0..1500).map(|number| format!("{},30\n", number / 3 * 60));
    "arrived,duration_seconds\n".to_owned() + &rows.collect::<String>()
}

#[tokio::test]
async fn a_file_gives_a_size_the_ones_around_it_and_a_picture() {
    let folder = tempdir().unwrap();
    let (csv, svg) = (folder.path().join("record.csv"), folder.path().join("sizes.svg"));
    std::fs::write(&csv, record()).unwrap();
    let (csv, svg) = (csv.to_str().unwrap(), svg.to_str().unwrap());
    // No server is asked.
    let command = leasehold(&["advise", "wine", "--csv", csv, "--svg", svg, "--wait-chance", "5%"]);
    let text = said(command).await.expect(0).stdout;
    assert!(
        text.starts_with("wine: with 3 containers less than 5.0% of the sessions wait; Erlang C says 5.\n"),
        "{text}"
    );
    assert!(
        text.contains("1500 sessions in 8.3 h, as they were recorded; each holds a container for 30.0 s"),
        "{text}"
    );
    let rows: Vec<Vec<_>> = text.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..2], ["CONTAINERS", "WAIT"], "{text}");
    assert_eq!(rows[1][..2], ["1", "100%"], "{text}");
    assert!(text.lines().nth(3).unwrap().contains("no end") && text.contains("overloaded in 8 of 8 hours"), "{text}");
    assert_eq!(rows[2][..2], ["2", "33%"], "{text}");
    assert_eq!((&rows[3][..4], rows[3].last()), (&["3", "0%", "0", "ms"][..], Some(&"advised")), "{text}");
    let picture = std::fs::read_to_string(svg).unwrap();
    for part in
        ["<svg", "wine: the chance to wait by containers", "replay (3 advised)", "Erlang C", "<polyline", "</svg>"]
    {
        assert!(picture.contains(part), "no {part} in {picture}");
    }

    let told = said(leasehold(&["advise", "--csv", csv, "-o", "json", "--wait-chance", "0.05"])).await.expect(0).json();
    assert_eq!((&told[0]["target_type"], &told[0]["now"]), (&json!(csv), &json!(null)));
    assert_eq!(
        (&told[0]["containers"], &told[0]["erlang_c_containers"], &told[0]["basis"]),
        (&json!(3), &json!(5), &json!("sessions"))
    );
    let one = &told[0]["sizes"][0];
    assert_eq!(
        (&one["containers"], &one["erlang_c"]["mean_wait_seconds"], &one["overloaded_stretches"]),
        (&json!(1), &json!(null), &json!(8))
    );
    assert_eq!(said(leasehold(&["advise", "--csv", csv, "-o", "name"])).await.expect(0).stdout, format!("{csv}\n"));
}

#[tokio::test]
async fn a_file_that_is_no_record_is_refused_with_its_line() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("record.csv");
    std::fs::write(&path, "arrived,duration_seconds\n0,30\n60,half a minute\n").unwrap();
    let csv = path.to_str().unwrap();
    said(leasehold(&["advise", "--csv", csv]))
        .await
        .expect(1)
        .complains_of(&[csv, "line 3: duration_seconds = \"half a minute\": a number of seconds, 0 or more, is right"]);
    said(leasehold(&["advise", "--csv", "/no/such/file"]))
        .await
        .expect(1)
        .complains_of(&["/no/such/file", "No such file"]);
    let much = said(leasehold(&["advise", "--csv", csv, "--wait-chance", "150%"])).await.expect(2);
    much.complains_of(&["--wait-chance", "more than 0% and less than 100%", "150%"]);
    std::fs::write(&path, record()).unwrap();
    let nowhere = said(leasehold(&["advise", "--csv", csv, "--svg", "/no/such/folder/a.svg"])).await.expect(1);
    nowhere.complains_of(&["/no/such/folder/a.svg", "cannot be written"]);
}

#[tokio::test]
async fn the_history_of_a_server_is_read_over_its_api() {
    let pool = Pool::start(2).await;
    let nothing = pool.said(&["advise"]).await.expect(1);
    nothing.complains_of(&["wine: no session has ended yet", "nothing is recorded to give advice by", "--csv"]);
    pool.said(&["advise", "beos"]).await.expect(1).complains_of(&["404", "beos"]);
    for _ in 0..20 {
        let made = pool.http().post("/sessions", json!({"target_type": "wine"})).await.expect(201);
        pool.http().delete(&format!("/sessions/{}", made.text_at("/id"))).await.expect(200);
    }
    let told = eventually("all are counted", PATIENCE, async || {
        let told = pool.said(&["advise", "wine", "-o", "json"]).await;
        (told.code == Some(0)).then(|| told.json()).filter(|told| told[0]["sessions"] == 20)
    })
    .await;
    assert_eq!(
        (&told[0]["target_type"], &told[0]["now"], &told[0]["containers"]),
        (&json!("wine"), &json!(2), &json!(1))
    );
    let text = pool.said(&["advise", "wine"]).await.expect(0).stdout;
    assert!(
        text.starts_with("wine: with 1 container less than 1.0%") && text.contains("; there are 2 now.\n"),
        "{text}"
    );
    assert!(text.contains("Caution: 20 sessions are few for a chance of 1%: about 1000 would show it."), "{text}");
}
