//! `leasehold simulate`: with made-up demand, with a file and with a server's history.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::tempdir;

use super::{PATIENCE, Pool, leasehold, said};
use crate::common::eventually;

/// Without a server: who would ask one fails.
async fn told(args: &[&str]) -> Value {
    let args = [&["simulate"], args, &["-o", "json", "--url", "http://127.0.0.1:1"]].concat();
    said(leasehold(&args)).await.expect(0).json()
}

/// An example of the documents: the line that is typed, and what it prints.
fn documented(command: &str) -> (Vec<String>, String) {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let block =
        docs.split("```").find(|block| block.starts_with(&format!("console\n$ {command}"))).expect("an example");
    let (line, printed) = block.trim_start_matches("console\n$ ").split_once('\n').unwrap();
    (line.split(' ').skip(1).map(str::to_owned).collect(), printed.to_owned())
}

#[tokio::test]
async fn the_documented_example_prints_what_the_documents_say() {
    let (args, printed) = documented("leasehold simulate");
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    assert_eq!(said(leasehold(&args)).await.expect(0).stdout, printed);
}

#[tokio::test]
async fn made_up_demand_is_the_same_for_the_same_seed() {
    let seed =
        async |seed| told(&["--per-hour", "30", "--days", "1", "--max", "20", "--bursts", "3", "--seed", seed]).await;
    let first = seed("1").await;
    assert_eq!(first, seed("1").await);
    assert_ne!(first["scaled"], seed("2").await["scaled"]);
    assert_eq!((&first["basis"], &first["begin"]), (&json!("made_up"), &json!("2026-01-05T00:00:00Z")));
    assert!(first["fixed"].as_array().unwrap().len() >= 2 && first["left_out"].as_array().unwrap().len() == 4);
    let hours = |pool: &Value| pool["container_hours"].as_f64().unwrap();
    let large = first["fixed"].as_array().unwrap().last().unwrap();
    assert!(hours(large) > hours(&first["scaled"]), "{first:#}");
}

#[tokio::test]
async fn a_file_is_played_through_with_the_settings_of_a_configuration_but_for_what_is_given() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (csv, config, svg) = (path("record.csv"), path("leasehold.toml"), path("course.svg"));
    // Each morning at 7:00 in UTC, which is 8:00 in Berlin, five come at once.
    let rows = (5..10).flat_map(|day| (0..5).map(move |_| format!("2026-01-{day:02}T07:00:00Z,600\n")));
    std::fs::write(&csv, "arrived,duration_seconds\n".to_owned() + &rows.collect::<String>()).unwrap();
    let schedule = "cron = \"50 7 * * mon-fri\"\ntime_zone = \"Europe/Berlin\"\nduration = \"1h\"\nmin = 5\n";
    let text = format!("[types.wine.scale]\nmax = 9\nmin_idle = 0\n[[types.wine.scale.schedule]]\n{schedule}");
    std::fs::write(&config, text).unwrap();

    let scheduled = told(&["wine", "--csv", &csv, "--config", &config, "--startup", "30s", "--svg", &svg]).await;
    // It begins with the first of them, when the schedule has held for ten minutes.
    assert_eq!((&scheduled["scaled"]["wait_chance"], &scheduled["scaled"]["containers_max"]), (&json!(0.0), &json!(5)));
    assert_eq!((&scheduled["begin"], &scheduled["settings"]["max"]), (&json!("2026-01-05T07:00:00Z"), &json!(9)));
    let picture = std::fs::read_to_string(svg).unwrap();
    for part in
        ["<svg", "wine: containers and sessions", "sessions that have one or wait", "<polyline", "3.0 d", "</svg>"]
    {
        assert!(picture.contains(part), "no {part} in {picture}");
    }
    assert!(!picture.contains("5.0 d"), "it ends with the record: {picture}");
    // An hour later it is over before they come.
    let entry = schedule.trim().replace('\n', ", ").replace("50 7", "50 5");
    let early = told(&["wine", "--csv", &csv, "--config", &config, "--startup", "30s", "--schedule", &entry]).await;
    assert_eq!(early["scaled"]["wait_chance"], json!(1.0), "{early:#}");
    let peak = told(&["--csv", &csv, "--max", "9", "--startup", "30s", "--share-of-peak", "0.6"]).await;
    // Three were kept, and an idle one is wanted: on the first day there is only that.
    assert_eq!(peak["scaled"]["wait_chance"], json!(12.0 / 25.0), "{peak:#}");

    let text = said(leasehold(&["simulate", "wine", "--csv", &csv, "--config", &config])).await.expect(0).stdout;
    let first = "wine: 0 to 9 containers, 0 of them idle, calm 5m, up_pause 5s, \"50 7 * * mon-fri\" in Europe/Berlin for 1h: \
                 at least 5; one starts in 10.0 s.\n";
    assert!(text.starts_with(first) && text.contains("25 sessions in 4.0 d from 2026-01-05T07:00:00Z on"), "{text}");
    let names = said(leasehold(&["simulate", "--csv", &csv, "--max", "9", "--fixed", "4", "-o", "name"]))
        .await
        .expect(0)
        .stdout;
    assert_eq!(names, "scaled\nfixed 2\nfixed 4\nfixed 5\nfixed 6\n");
}

#[tokio::test]
async fn what_cannot_be_simulated_is_told_with_what_would_be_right() {
    let refused = async |args: &[&str], code| said(leasehold(&[&["simulate"], args].concat())).await.expect(code);
    refused(&[], 2).await.complains_of(&["TYPE"]);
    refused(&["--per-hour", "60"], 1).await.complains_of(&["not scaled", "--max"]);
    refused(&["--per-hour", "none", "--max", "2"], 2).await.complains_of(&["a number above 0 is right", "none"]);
    refused(&["--per-hour", "60", "--csv", "f"], 2).await.complains_of(&["--csv", "--per-hour"]);
    refused(&["wine", "--seed", "3", "--max", "2"], 2).await.complains_of(&["--per-hour"]);
    refused(&["--per-hour", "1e9", "--max", "2"], 1).await.complains_of(&["10000000 sessions", "fewer --days"]);
    refused(&["--per-hour", "60", "--max", "2", "--min", "3"], 1).await.complains_of(&["scale.min = 3", "scale.max"]);
    let entry = "cron = \"0 8 * *\", duration = \"1h\", min = 1";
    let bad = refused(&["--per-hour", "60", "--max", "2", "--schedule", entry], 1).await;
    bad.complains_of(&["scale.schedule[0].cron = 0 8 * *", "as in 0 8 * * mon-fri"]);
    refused(&["--per-hour", "60", "--max", "2", "--schedule", "at eight"], 2).await.complains_of(&["--schedule"]);
}

#[tokio::test]
async fn the_history_and_the_settings_of_a_server_are_read_over_its_api() {
    let pool = Pool::start(2).await;
    pool.said(&["simulate", "wine", "--max", "3"])
        .await
        .expect(1)
        .complains_of(&["no session has ended yet", "--per-hour"]);
    for _ in 0..10 {
        let made = pool.http().post("/sessions", json!({"target_type": "wine"})).await.expect(201);
        pool.http().delete(&format!("/sessions/{}", made.text_at("/id"))).await.expect(200);
    }
    pool.http().patch("/types/wine", json!({"scale_max": 4, "scale_min": 2})).await.expect(200);
    let told = eventually("all are counted", PATIENCE, async || {
        let told = pool.said(&["simulate", "wine", "-o", "json"]).await;
        (told.code == Some(0)).then(|| told.json()).filter(|told| told["sessions"] == 10)
    })
    .await;
    assert_eq!((&told["settings"]["max"], &told["settings"]["min"]), (&json!(4), &json!(2)));
    assert_eq!((&told["target_type"], &told["basis"]), (&json!("wine"), &json!("sessions")));
    assert!(told["scaled"]["containers_max"].as_u64().unwrap() >= 2, "{told:#}");
    let now =
        told["fixed"].as_array().unwrap().iter().find(|one| one["why"].as_array().unwrap().contains(&json!("now")));
    assert_eq!(now.unwrap()["containers"], 2, "{told:#}");
}
