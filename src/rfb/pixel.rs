//! How a client wants its pixels.

/// A true-colour pixel format. A colour map is not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelFormat {
    /// 8, 16 or 32.
    pub bits_per_pixel: u8,
    /// How many of them carry colour.
    pub depth: u8,
    /// The order of a pixel's bytes.
    pub big_endian: bool,
    /// The largest value of red, green and blue.
    pub max: [u16; 3],
    /// By how many bits red, green and blue are shifted to the left.
    pub shift: [u8; 3],
}

impl PixelFormat {
    /// 32 bits, 8 for each colour, little endian: `BGRX` in memory.
    pub const BGRX: Self = Self { bits_per_pixel: 32, depth: 24, big_endian: false, max: [255; 3], shift: [16, 8, 0] };

    /// From the 16 bytes of a PIXEL_FORMAT; none when it has a colour map, another number of bits, or colours that
    /// do not fit into them.
    #[must_use]
    pub fn decode(bytes: &[u8; 16]) -> Option<Self> {
        let [bits_per_pixel, depth, big_endian, true_colour, ..] = *bytes;
        if !matches!(bits_per_pixel, 8 | 16 | 32) || true_colour == 0 {
            return None;
        }
        let max = [4, 6, 8].map(|at| u16::from_be_bytes([bytes[at], bytes[at + 1]]));
        let shift = [bytes[10], bytes[11], bytes[12]];
        let fits = |(max, shift): (u16, u8)| shift < bits_per_pixel && u64::from(max) << shift < 1 << bits_per_pixel;
        let all_fit = max.into_iter().zip(shift).all(fits);
        all_fit.then_some(Self { bits_per_pixel, depth, big_endian: big_endian != 0, max, shift })
    }

    /// As the 16 bytes of a PIXEL_FORMAT.
    #[must_use]
    pub fn encode(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&[self.bits_per_pixel, self.depth, self.big_endian.into(), 1]);
        for at in 0..3 {
            bytes[4 + 2 * at..6 + 2 * at].copy_from_slice(&self.max[at].to_be_bytes());
            bytes[10 + at] = self.shift[at];
        }
        bytes
    }

    /// The bytes of one pixel.
    #[must_use]
    pub fn bytes_per_pixel(&self) -> usize {
        usize::from(self.bits_per_pixel / 8)
    }

    /// One pixel of this colour (red, green, blue of 0 to 255): the first [`Self::bytes_per_pixel`] bytes count.
    #[must_use]
    pub fn pixel(&self, colour: [u8; 3]) -> [u8; 4] {
        let value = (0..3).fold(0, |value, at| {
            let scaled = (u32::from(colour[at]) * u32::from(self.max[at]) + 127) / 255;
            value | scaled << self.shift[at]
        });
        if self.big_endian {
            (value << (32 - u32::from(self.bits_per_pixel))).to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORANGE: [u8; 3] = [255, 128, 0];

    #[test]
    fn a_format_is_written_as_it_is_read() {
        assert_eq!(PixelFormat::decode(&PixelFormat::BGRX.encode()), Some(PixelFormat::BGRX));
    }

    #[test]
    fn pixels_of_32_16_and_8_bits() {
        assert_eq!(PixelFormat::BGRX.pixel(ORANGE), [0, 128, 255, 0]);
        let high =
            PixelFormat { bits_per_pixel: 16, depth: 16, max: [31, 63, 31], shift: [11, 5, 0], ..PixelFormat::BGRX };
        assert_eq!(high.pixel(ORANGE)[..2], (31_u16 << 11 | 32 << 5).to_le_bytes());
        let swapped = PixelFormat { big_endian: true, ..high };
        assert_eq!(swapped.pixel(ORANGE)[..2], (31_u16 << 11 | 32 << 5).to_be_bytes());
        let low = PixelFormat { bits_per_pixel: 8, depth: 8, max: [7, 7, 3], shift: [0, 3, 6], ..PixelFormat::BGRX };
        assert_eq!(low.pixel(ORANGE)[0], 4 << 3 | 7);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let with = |at: usize, value| {
            let mut bytes = PixelFormat::BGRX.encode();
            bytes[at] = value;
            PixelFormat::decode(&bytes)
        };
        assert_eq!(with(0, 24), None, "24 bits");
        assert_eq!(with(0, 0), None, "no bits");
        assert_eq!(with(3, 0), None, "a colour map");
        assert_eq!(with(10, 200), None, "a shift out of the pixel");
        assert_eq!(with(0, 200), None, "200 bits");
        assert_eq!(with(10, 25), None, "more red than fits");
    }
}
