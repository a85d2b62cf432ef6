//! What the demo target shows: one picture, shared by all who view it.

use std::ops::Range;

use super::font;
use crate::rfb::Area;

/// The colours of the picture (red, green, blue). A pixel is an index into them.
pub(super) const COLOURS: [[u8; 3]; 7] =
    [[24, 42, 74], [22, 66, 56], [74, 32, 62], [240, 240, 235], [150, 160, 170], [245, 170, 60], [50, 60, 80]];
const BACKGROUNDS: usize = 3;
const TEXT: u8 = 3;
const FAINT: u8 = 4;
const INK: u8 = 5;
const EMPTY: u8 = 6;

const MARGIN: usize = 24;
const TYPED_MOST: usize = 32;
/// Half the width of what the pointer draws.
const PEN: usize = 2;

const BACKSPACE: u32 = 0xff08;
const RETURN: u32 = 0xff0d;

/// The picture, and when each of its rows changed last.
pub(super) struct Screen {
    width: usize,
    height: usize,
    background: u8,
    pixels: Vec<u8>,
    changed: Vec<u64>,
    /// Grows with each change.
    version: u64,
    typed: String,
}

impl Screen {
    /// A picture of this size that shows `name`; each name has its background.
    pub(super) fn new(width: u16, height: u16, name: &str) -> Self {
        let (width, height) = (usize::from(width), usize::from(height));
        let background = (name.bytes().map(usize::from).sum::<usize>() % BACKGROUNDS) as u8;
        let pixels = vec![background; width * height];
        let mut screen =
            Self { width, height, background, pixels, changed: vec![1; height], version: 1, typed: String::new() };
        screen.text(MARGIN, 10, name, TEXT);
        screen
    }

    /// The present version.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Shows a time of day and how much of its minute has passed.
    pub(super) fn tick(&mut self, clock: &str, second: usize) {
        self.version += 1;
        self.text(100, 6, clock, FAINT);
        let full = self.width.saturating_sub(2 * MARGIN);
        self.fill(MARGIN..MARGIN + full, 150..162, EMPTY);
        self.fill(MARGIN..MARGIN + full * second / 59, 150..162, INK);
    }

    /// Writes what is typed; Return begins anew.
    pub(super) fn key(&mut self, keysym: u32) {
        match (keysym, char::from_u32(keysym)) {
            (RETURN, _) => self.typed.clear(),
            (BACKSPACE, _) => drop(self.typed.pop()),
            (_, Some(character @ ' '..='~')) if self.typed.len() < TYPED_MOST => self.typed.push(character),
            _ => return,
        }
        self.version += 1;
        let line = std::mem::take(&mut self.typed);
        self.text(190, 4, &line, TEXT);
        self.typed = line;
    }

    /// Draws where a button is held.
    pub(super) fn pointer(&mut self, buttons: u8, x: u16, y: u16) {
        if buttons != 0 {
            self.version += 1;
            let around = |at: u16| usize::from(at).saturating_sub(PEN)..usize::from(at) + PEN;
            self.fill(around(x), around(y), INK);
        }
    }

    /// The part of `area` whose rows changed after `version`; none when nothing did.
    pub(super) fn changed_since(&self, version: u64, area: Area) -> Option<Area> {
        let area = self.inside(area)?;
        let rows = usize::from(area.y)..usize::from(area.y + area.height);
        let newer = |row: &usize| self.changed[*row] > version;
        let (first, last) = (rows.clone().find(newer)?, rows.rev().find(newer)?);
        Some(Area { y: first as u16, height: (last - first + 1) as u16, ..area })
    }

    /// The part of a row in `area`, as indices into [`COLOURS`].
    pub(super) fn row(&self, y: u16, area: Area) -> &[u8] {
        let start = usize::from(y) * self.width + usize::from(area.x);
        &self.pixels[start..start + usize::from(area.width)]
    }

    fn inside(&self, area: Area) -> Option<Area> {
        let width = (self.width as u16).checked_sub(area.x)?.min(area.width);
        let height = (self.height as u16).checked_sub(area.y)?.min(area.height);
        (width > 0 && height > 0).then_some(Area { width, height, ..area })
    }

    /// Writes one line over what stood in its place, each dot of a letter `scale` pixels wide.
    fn text(&mut self, top: usize, scale: usize, text: &str, colour: u8) {
        self.fill(0..self.width, top..top + font::HEIGHT * scale, self.background);
        for (at, character) in text.chars().enumerate() {
            let left = MARGIN + at * (font::WIDTH + 1) * scale;
            if left >= self.width {
                return;
            }
            for (row, column) in (0..font::HEIGHT).flat_map(|row| (0..font::WIDTH).map(move |column| (row, column))) {
                if font::ink(character, column, row) {
                    let (x, y) = (left + column * scale, top + row * scale);
                    self.fill(x..x + scale, y..y + scale, colour);
                }
            }
        }
    }

    /// Fills a rectangle, as far as it is inside, and marks its rows as changed.
    fn fill(&mut self, columns: Range<usize>, rows: Range<usize>, colour: u8) {
        let columns = columns.start.min(self.width)..columns.end.min(self.width);
        for y in rows.start.min(self.height)..rows.end.min(self.height) {
            self.pixels[y * self.width..][columns.clone()].fill(colour);
            self.changed[y] = self.version;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Area = Area { x: 0, y: 0, width: u16::MAX, height: u16::MAX };

    #[test]
    fn only_rows_that_changed_are_shown_again() {
        let mut screen = Screen::new(320, 240, "wine-1");
        let seen = screen.version();
        assert_eq!(screen.changed_since(0, ALL), Some(Area { x: 0, y: 0, width: 320, height: 240 }));
        assert_eq!(screen.changed_since(seen, ALL), None);
        screen.pointer(1, 300, 200);
        assert_eq!(screen.changed_since(seen, ALL), Some(Area { x: 0, y: 198, width: 320, height: 4 }));
        screen.pointer(0, 10, 10);
        screen.key(0xffe1);
        assert_eq!(screen.changed_since(seen + 1, ALL), None, "neither a move nor Shift draws");
    }

    #[test]
    fn what_is_outside_is_neither_drawn_nor_shown() {
        let mut screen = Screen::new(64, 32, "a name that is much too long for it");
        screen.pointer(1, u16::MAX, u16::MAX);
        screen.tick("12:34:56", 59);
        (0..100).for_each(|_| screen.key(u32::from(b'x')));
        assert_eq!(screen.changed_since(0, Area { x: 64, y: 0, width: 1, height: 1 }), None);
        let part = screen.changed_since(0, Area { x: 60, y: 30, width: 100, height: 100 }).unwrap();
        assert_eq!(part, Area { x: 60, y: 30, width: 4, height: 2 });
        assert_eq!(screen.row(31, part).len(), 4);
    }
}
