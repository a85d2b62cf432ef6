//! What viewers and desktops may say to the bridge, for the fuzzer and for random tests.

use super::{handshake::Handshake, view_only::Watching};

/// The first byte says in pieces of which size the rest comes; its two halves are what a desktop and a viewer say. Whatever that is, no more
/// is passed on than was said.
///
/// # Panics
/// More is.
pub fn handshake(words: &[u8]) {
    let Some((size, words)) = words.split_first() else { return };
    let (size, (desktop, viewer)) = (usize::from(*size).max(1), words.split_at(words.len() / 2));
    let mut handshake = Handshake::new();
    let (mut desktop_says, mut viewer_says) = (desktop.chunks(size), viewer.chunks(size));
    loop {
        let said = (desktop_says.next(), viewer_says.next());
        let understood = match said {
            (None, None) => break,
            (desktop, viewer) => desktop
                .map_or(Ok(()), |said| handshake.desktop_said(said))
                .and_then(|()| viewer.map_or(Ok(()), |said| handshake.viewer_said(said))),
        };
        if understood.is_err() {
            break;
        }
    }
    assert!(handshake.to_viewer.len() <= desktop.len() && handshake.to_desktop.len() <= viewer.len());
}

/// The first byte says in pieces of which size the rest comes, which a viewer says that may only watch. What gets through is read as
/// messages that get through, and nothing else.
///
/// # Panics
/// It is not.
pub fn view_only(words: &[u8]) {
    let Some((size, words)) = words.split_first() else { return };
    let mut passed = Vec::new();
    let mut watching = Watching::default();
    let _ = words.chunks(usize::from(*size).max(1)).try_for_each(|part| watching.pass(part, &mut passed));
    let mut again = Vec::new();
    assert!(Watching::default().pass(&passed, &mut again).is_ok(), "what gets through is not known: {passed:?}");
    assert_eq!(again, passed, "what gets through does not get through again");
}
