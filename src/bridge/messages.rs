//! The messages of a viewer, from ClientInit on: how long each is, and what it is for.

use super::Refused;

/// Most encodings of one list.
const ENCODINGS_MOST: usize = 1024;
/// The longest text that is cut: it is passed over, but it takes its time.
const CUT_TEXT_MOST: u32 = 16 * 1024 * 1024;
/// Most screens of one desktop.
const SCREENS_MOST: usize = 64;

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To see.
    Looks,
    /// To see, by a list of encodings.
    Encodings,
    /// A key, or the pointer.
    Input,
    /// To have something done that all would see.
    Acts,
}

/// A message, of which perhaps not all is there yet.
pub(super) struct Message {
    pub(super) purpose: Purpose,
    pub(super) length: usize,
}

/// The first message of these bytes; none when too little of it is there to say.
///
/// # Errors
/// It is no message that is known.
pub(super) fn first(said: &[u8]) -> Result<Option<Message>, Refused> {
    let Some(&kind) = said.first() else { return Ok(None) };
    let word = |at: usize| said.get(at..at + 2).map(|two| usize::from(u16::from_be_bytes([two[0], two[1]])));
    let byte = |at: usize| said.get(at).map(|one| usize::from(*one));
    let too_many = |what: &str| Err(Refused::new(format!("the viewer sends too many {what}")));
    let message = |purpose, length| Some(Message { purpose, length });
    Ok(match kind {
        // SetPixelFormat, FramebufferUpdateRequest, EnableContinuousUpdates
        0 => message(Purpose::Looks, 20),
        3 | 150 => message(Purpose::Looks, 10),
        // SetEncodings
        2 => match word(2) {
            Some(count) if count > ENCODINGS_MOST => return too_many("encodings"),
            count => count.and_then(|count| message(Purpose::Encodings, 4 + 4 * count)),
        },
        // ClientFence: what it carries comes back, and is at most 64 bytes.
        248 => match byte(8) {
            Some(length) if length > 64 => return too_many("bytes in a fence"),
            length => length.and_then(|length| message(Purpose::Looks, 9 + length)),
        },
        // KeyEvent, PointerEvent
        4 => message(Purpose::Input, 8),
        5 => message(Purpose::Input, 6),
        // xvp
        250 => message(Purpose::Acts, 4),
        // ClientCutText; below 0 in the extended clipboard
        6 => match said.get(4..8) {
            None => None,
            Some(length) => {
                let length = i32::from_be_bytes([length[0], length[1], length[2], length[3]]).unsigned_abs();
                if length > CUT_TEXT_MOST {
                    return too_many("bytes of text");
                }
                message(Purpose::Acts, 8 + length as usize)
            }
        },
        // SetDesktopSize: all would see it.
        251 => match byte(6) {
            Some(screens) if screens > SCREENS_MOST => return too_many("screens"),
            screens => screens.and_then(|screens| message(Purpose::Acts, 8 + 16 * screens)),
        },
        // QEMU: a key by its scan code
        255 => match byte(1) {
            None => None,
            Some(0) => message(Purpose::Input, 12),
            Some(other) => return Err(unknown(&format!("255.{other}"))),
        },
        _ => return Err(unknown(&kind.to_string())),
    })
}

fn unknown(kind: &str) -> Refused {
    Refused::new(format!("a viewer that only watches sends a message of kind {kind}, which is not known here"))
}
