//! What is carried, in both directions.

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{Coming, KEY, LOOK, Lab, PATIENCE, Recorder};
use crate::common::eventually;

#[tokio::test]
async fn a_viewer_that_drives_says_and_sees_what_there_is_and_sends_no_other_away() {
    let lab = Lab::new(1).await;
    let session = lab.session(60).await;
    let (mut one, mut other) = (lab.driver(&session).await, lab.driver(&session).await);
    one.says(&[&LOOK[..], &KEY[..3]].concat()).await;
    one.says(&KEY[3..]).await;
    let seen = lab.desktop.saw("both messages", |seen| seen.said.len() == 18).await;
    assert_eq!(seen.said, [&LOOK[..], &KEY[..]].concat());
    assert_eq!(seen.shared, [1, 1], "each shares the desktop, whatever it asked for");
    lab.desktop.show(b"a picture");
    assert_eq!(one.hears(9).await, b"a picture");
    assert_eq!(other.hears(9).await, b"a picture");
    one.leaves().await;
    lab.desktop.saw("one is left", |seen| seen.here == 1).await;
}

#[tokio::test]
async fn the_keys_of_one_that_may_only_watch_do_nothing() {
    let lab = Lab::new(1).await;
    let session = lab.session(60).await;
    let pass = lab.pass(&session, json!({"view_only": true})).await;
    assert_eq!(pass["view_only"], true);
    let mut watcher = Coming::with(&pass).sees(lab.at(), &session).await;
    let pointer = [5, 1, 0, 0, 0, 0];
    let text = [&[6, 0, 0, 0, 0, 0, 0, 8], &KEY[..]].concat();
    for message in [&KEY[..], &pointer, &text, &LOOK] {
        watcher.says(message).await;
    }
    let seen = lab.desktop.saw("the request that came last", |seen| seen.said.len() >= LOOK.len()).await;
    assert_eq!(seen.said, LOOK, "nothing else reached it");
    lab.desktop.show(b"a picture");
    assert_eq!(watcher.hears(9).await, b"a picture");
    // What is not known might be input.
    watcher.says(&[77]).await;
    let (code, why) = watcher.closed().await;
    assert!(code == 4003 && why.contains("kind 77"), "{code} {why}");
}

#[tokio::test]
async fn what_is_no_desktops_is_refused() {
    let lab = Lab::new(1).await;
    let session = lab.session(60).await;
    for (message, said) in
        [(Message::text("hello"), "sends text"), (Message::binary(vec![0; 1024 * 1024 + 1]), "cannot be read")]
    {
        let mut viewer = lab.driver(&session).await;
        viewer.sends(message).await;
        let (code, why) = viewer.closed().await;
        assert!(code == 4003 && why.contains(said), "{code} {why}");
    }
    lab.desktop.saw("nobody is left", |seen| seen.here == 0).await;
}

#[tokio::test]
async fn a_container_that_has_only_a_page_is_reached_through_it() {
    let lab = Lab::with(1, Recorder::behind_a_page().await, "novnc", |settings| settings).await;
    let session = lab.session(60).await;
    let mut viewer = lab.driver(&session).await;
    viewer.says(&KEY).await;
    lab.desktop.saw("the key", |seen| seen.said == KEY).await;
    let picture = vec![7; 100_000];
    lab.desktop.show(&picture);
    assert_eq!(viewer.hears(picture.len()).await, picture);
    lab.end(&session).await;
    assert_eq!(viewer.closed().await.0, 4001);
    lab.desktop.saw("it is let go", |seen| seen.here == 0).await;
}

#[tokio::test]
async fn a_viewer_that_takes_nothing_holds_the_desktop_back_and_not_the_replicas_memory() {
    const FLOOD: usize = 64 * 1024 * 1024;
    let lab = Lab::new(1).await;
    let session = lab.session(60).await;
    let mut viewer = lab.driver(&session).await;
    lab.desktop.show(&vec![7; FLOOD]);
    let mut last = 0;
    let written = eventually("it waits for the viewer", PATIENCE, async || {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = lab.desktop.seen().written;
        (std::mem::replace(&mut last, now) == now && now > 0).then_some(now)
    })
    .await;
    assert!(written < FLOOD / 2, "{written} bytes are under way");
    // It goes on where it stood.
    assert_eq!(viewer.hears(FLOOD).await.len(), FLOOD);
    let metrics = lab.http().get("/metrics").await.expect(200).text;
    let shown = format!(
        "leasehold_viewer_bytes_total{{target_type=\"wine\",direction=\"to_viewer\"}} {}",
        FLOOD + super::INIT.len() + 12 + 3 + 4
    );
    assert!(metrics.contains(&shown), "{shown} is not in\n{metrics}");
    assert!(metrics.contains("leasehold_viewers{target_type=\"wine\",mode=\"drive\"} 1\n"), "{metrics}");
}
