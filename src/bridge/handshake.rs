//! The beginning of RFB (RFC 6143, 7.1 to 7.3.1), read on its way between desktop and viewer.

use super::Refused;
use crate::rfb::{GREETING_BYTES, SECURITY_NONE, Version};

/// The security type of a password, by a challenge (RFC 6143, 7.2.2).
const SECURITY_VNC: u8 = 2;
/// What can be followed: after any other type what is said is another protocol, or cannot be read.
const FOLLOWED: [u8; 2] = [SECURITY_NONE, SECURITY_VNC];
/// A challenge, and the response to it.
const CHALLENGE_BYTES: usize = 16;
/// The longest reason of a failure that is passed on.
const REASON_MOST: usize = 4096;
/// The most that is kept of what came too early.
const EARLY_MOST: usize = 16 * 1024;

/// Who is awaited, for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    DesktopVersion,
    ViewerVersion,
    /// The security types that the desktop offers.
    Offer,
    /// The one that the viewer takes.
    Choice,
    /// The one that a desktop of version 3.3 decides on.
    Decision,
    Challenge,
    Response,
    Result,
    Reason,
    /// ClientInit.
    Init,
    Open,
    Failed,
}

/// A handshake that goes on. What is said is given to [`Self::desktop_said`] and [`Self::viewer_said`]; what is to be passed on
/// gathers in [`Self::to_viewer`] and [`Self::to_desktop`].
pub(super) struct Handshake {
    step: Step,
    version: Version,
    offered: Vec<u8>,
    /// What was said and is not read yet.
    desktop: Vec<u8>,
    viewer: Vec<u8>,
    pub(super) to_viewer: Vec<u8>,
    pub(super) to_desktop: Vec<u8>,
}

impl Handshake {
    pub(super) fn new() -> Self {
        Self {
            step: Step::DesktopVersion,
            version: Version::V3_3,
            offered: Vec::new(),
            desktop: Vec::new(),
            viewer: Vec::new(),
            to_viewer: Vec::new(),
            to_desktop: Vec::new(),
        }
    }

    /// Whether it is over, for good or bad.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.step, Step::Open | Step::Failed)
    }

    /// Whether the desktop is shown from now on.
    pub(super) fn is_open(&self) -> bool {
        self.step == Step::Open
    }

    /// What each side said after it.
    pub(super) fn rest(self) -> (Vec<u8>, Vec<u8>) {
        (self.desktop, self.viewer)
    }

    /// # Errors
    /// It cannot go on.
    pub(super) fn desktop_said(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.desktop.extend_from_slice(bytes);
        self.go_on()
    }

    /// # Errors
    /// It cannot go on.
    pub(super) fn viewer_said(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        if self.viewer.len() + bytes.len() > EARLY_MOST {
            return Err(Refused::new("the viewer says too much before the desktop has greeted"));
        }
        self.viewer.extend_from_slice(bytes);
        self.go_on()
    }

    fn go_on(&mut self) -> Result<(), Refused> {
        while !self.is_over() {
            let step = match self.step {
                Step::DesktopVersion => self.desktop_version()?,
                Step::ViewerVersion => self.viewer_version()?,
                Step::Offer => self.offer()?,
                Step::Choice => self.choice()?,
                Step::Decision => self.decision()?,
                Step::Challenge => self.tell_viewer(CHALLENGE_BYTES).map(|_| Step::Response),
                Step::Response => self.tell_desktop(CHALLENGE_BYTES).map(|_| Step::Result),
                Step::Result => self.result(),
                Step::Reason => self.reason()?,
                Step::Init => self.init(),
                Step::Open | Step::Failed => None,
            };
            let Some(step) = step else { break };
            self.step = step;
        }
        Ok(())
    }

    fn desktop_version(&mut self) -> Result<Option<Step>, Refused> {
        let Some(said) = self.tell_viewer(GREETING_BYTES) else { return Ok(None) };
        let version = Version::decode(&said).ok_or_else(|| Refused::new("the desktop does not speak RFB"))?;
        self.version = version.published();
        Ok(Some(Step::ViewerVersion))
    }

    fn viewer_version(&mut self) -> Result<Option<Step>, Refused> {
        let Some(said) = self.tell_desktop(GREETING_BYTES) else { return Ok(None) };
        let version = Version::decode(&said).ok_or_else(|| Refused::new("the viewer does not speak RFB"))?;
        self.version = self.version.min(version.published());
        Ok(Some(if self.version == Version::V3_3 { Step::Decision } else { Step::Offer }))
    }

    fn offer(&mut self) -> Result<Option<Step>, Refused> {
        let Some(&count) = self.desktop.first() else { return Ok(None) };
        let Some(said) = take(&mut self.desktop, 1 + usize::from(count)) else { return Ok(None) };
        if count == 0 {
            self.to_viewer.push(0);
            return Ok(Some(Step::Reason));
        }
        self.offered = said[1..].iter().copied().filter(|kind| FOLLOWED.contains(kind)).collect();
        if self.offered.is_empty() {
            return Err(unknown_security(&said[1..]));
        }
        self.to_viewer.push(self.offered.len() as u8);
        self.to_viewer.extend(&self.offered);
        Ok(Some(Step::Choice))
    }

    fn choice(&mut self) -> Result<Option<Step>, Refused> {
        let Some(&chosen) = self.viewer.first() else { return Ok(None) };
        if !self.offered.contains(&chosen) {
            return Err(Refused::new(format!("the viewer takes the security type {chosen}, which was not offered")));
        }
        self.tell_desktop(1);
        Ok(Some(match (chosen, self.version) {
            (SECURITY_NONE, Version::V3_8) => Step::Result,
            (SECURITY_NONE, _) => Step::Init,
            _ => Step::Challenge,
        }))
    }

    fn decision(&mut self) -> Result<Option<Step>, Refused> {
        let Some(said) = self.tell_viewer(4) else { return Ok(None) };
        match said[..] {
            [0, 0, 0, 0] => Ok(Some(Step::Reason)),
            [0, 0, 0, SECURITY_NONE] => Ok(Some(Step::Init)),
            [0, 0, 0, SECURITY_VNC] => Ok(Some(Step::Challenge)),
            _ => Err(unknown_security(&said)),
        }
    }

    fn result(&mut self) -> Option<Step> {
        let said = self.tell_viewer(4)?;
        Some(match (&said[..], self.version) {
            ([0, 0, 0, 0], _) => Step::Init,
            (_, Version::V3_8) => Step::Reason,
            _ => Step::Failed,
        })
    }

    fn reason(&mut self) -> Result<Option<Step>, Refused> {
        let Some(length) = self.desktop.first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if length > REASON_MOST {
            return Err(Refused::new("the desktop refuses, with a reason that is too long"));
        }
        Ok(self.tell_viewer(4 + length).map(|_| Step::Failed))
    }

    /// Whatever the viewer says of others: an exclusive one would send them away.
    fn init(&mut self) -> Option<Step> {
        take(&mut self.viewer, 1)?;
        self.to_desktop.push(1);
        Some(Step::Open)
    }

    /// Passes so many bytes on, when they are there.
    fn tell_viewer(&mut self, count: usize) -> Option<Vec<u8>> {
        let said = take(&mut self.desktop, count)?;
        self.to_viewer.extend(&said);
        Some(said)
    }

    fn tell_desktop(&mut self, count: usize) -> Option<Vec<u8>> {
        let said = take(&mut self.viewer, count)?;
        self.to_desktop.extend(&said);
        Some(said)
    }
}

fn take(from: &mut Vec<u8>, count: usize) -> Option<Vec<u8>> {
    (from.len() >= count).then(|| from.drain(..count).collect())
}

fn unknown_security(offered: &[u8]) -> Refused {
    let shown: Vec<String> = offered.iter().map(ToString::to_string).collect();
    let shown = shown.join(", ");
    Refused::new(format!("the desktop asks for the security types {shown}; none (1) or a VNC password (2) is right"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What each side is told when these say all at once, and what is left.
    type Told = Result<(Vec<u8>, Vec<u8>, bool, (Vec<u8>, Vec<u8>)), Refused>;

    fn talk(desktop: &[u8], viewer: &[u8], size: usize) -> Told {
        let mut handshake = Handshake::new();
        let (mut desktop, mut viewer) = (desktop.chunks(size), viewer.chunks(size));
        loop {
            let (said, answered) = (desktop.next(), viewer.next());
            if said.is_none() && answered.is_none() {
                break;
            }
            said.map_or(Ok(()), |said| handshake.desktop_said(said))?;
            answered.map_or(Ok(()), |answered| handshake.viewer_said(answered))?;
        }
        let open = handshake.is_open();
        Ok((handshake.to_viewer.clone(), handshake.to_desktop.clone(), open, handshake.rest()))
    }

    const V8: &[u8] = b"RFB 003.008\n";
    const V7: &[u8] = b"RFB 003.007\n";
    const V3: &[u8] = b"RFB 003.003\n";

    #[test]
    fn each_version_opens_and_every_viewer_shares() {
        for (desktop, viewer, told) in [
            // Version, offer, result; the rest is ServerInit.
            (vec![V8, &[3, 19, 1, 2], &[0; 4], b"init"], vec![V8, &[1], &[0], b"more"], vec![V8, &[2, 1, 2], &[0; 4]]),
            (vec![V8, &[1, 1], b"init"], vec![V7, &[1], &[0], b"more"], vec![V8, &[1, 1]]),
            (vec![V8, &[0, 0, 0, 1], b"init"], vec![V3, &[0], b"more"], vec![V8, &[0, 0, 0, 1]]),
            (
                vec![V8, &[1, 2], &[7; 16], &[0; 4], b"init"],
                vec![V8, &[2], &[9; 16], &[0], b"more"],
                vec![V8, &[1, 2], &[7; 16], &[0; 4]],
            ),
        ] {
            let mut passed = viewer.clone();
            passed.pop();
            let last = passed.len() - 1;
            passed[last] = &[1];
            for size in [1, 2, 5, 100] {
                let (to_viewer, to_desktop, open, rest) = talk(&desktop.concat(), &viewer.concat(), size).unwrap();
                assert!(open, "{desktop:?}");
                assert_eq!((to_viewer, to_desktop), (told.concat(), passed.concat()));
                assert_eq!(rest, (b"init".to_vec(), b"more".to_vec()));
            }
        }
    }

    #[test]
    fn a_refusal_reaches_the_viewer_with_its_reason() {
        let reason = [&[0, 0, 0, 4], &b"busy"[..]].concat();
        for desktop in [vec![V8, &[0], &reason], vec![V8, &[1, 1], &[0, 0, 0, 1], &reason]] {
            let desktop = desktop.concat();
            let (to_viewer, _, open, _) = talk(&desktop, &[V8, &[1]].concat(), 100).unwrap();
            assert!(!open);
            assert_eq!(to_viewer, desktop);
        }
    }

    #[test]
    fn what_cannot_be_followed_is_refused_in_words() {
        let refused = |desktop: &[u8], viewer: &[u8]| talk(desktop, viewer, 100).unwrap_err().to_string();
        assert!(refused(b"HTTP/1.1 400", b"").contains("does not speak RFB"));
        assert!(refused(V8, b"GET / HTTP/1.1").contains("the viewer does not speak RFB"));
        assert!(refused(&[V8, &[2, 19, 16]].concat(), V8).contains("security types 19, 16"));
        assert!(refused(&[V8, &[1, 1]].concat(), &[V8, &[2]].concat()).contains("which was not offered"));
        assert!(refused(&[V8, &[0, 0xff, 0, 0, 0]].concat(), V8).contains("too long"));
        assert!(refused(b"RFB", &vec![0; EARLY_MOST + 1]).contains("too much"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_say_more_than_was_said(desktop in prop::collection::vec(any::<u8>(), 0..300),
            viewer in prop::collection::vec(any::<u8>(), 0..300), greets in any::<bool>(), size in 1_u8..64) {
            let greeting = if greets { V8 } else { &[] };
            let length = desktop.len().max(viewer.len());
            // Its halves are as long.
            let said = |mut bytes: Vec<u8>| { bytes.resize(length, 1); [greeting, &bytes].concat() };
            super::super::fuzz::handshake(&[vec![size], said(desktop), said(viewer)].concat());
        }
    }
}
