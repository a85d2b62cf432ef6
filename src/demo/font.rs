//! Letters of 3 × 5 pixels: each row is an octal digit, the top one first.

/// Columns of a glyph.
pub(super) const WIDTH: usize = 3;
/// Rows of a glyph.
pub(super) const HEIGHT: usize = 5;

const LETTERS: [u16; 26] = [
    0o25755, 0o65656, 0o34443, 0o65556, 0o74647, 0o74644, 0o34553, 0o55755, 0o72227, 0o11152, 0o55655, 0o44447,
    0o57755, 0o65555, 0o25552, 0o65644, 0o25573, 0o65655, 0o34216, 0o72222, 0o55557, 0o55552, 0o55775, 0o55255,
    0o55222, 0o71247,
];
const DIGITS: [u16; 10] = [0o75557, 0o26227, 0o61247, 0o61216, 0o55711, 0o74616, 0o34757, 0o71222, 0o75757, 0o75716];

/// The glyph of a character; small letters are written as capitals, what is not known as a question mark.
fn glyph(character: char) -> u16 {
    match character.to_ascii_uppercase() {
        letter @ 'A'..='Z' => LETTERS[letter as usize - 'A' as usize],
        digit @ '0'..='9' => DIGITS[digit as usize - '0' as usize],
        ' ' => 0,
        '-' => 0o00700,
        '.' => 0o00002,
        ':' => 0o02020,
        '_' => 0o00007,
        '/' => 0o11244,
        _ => 0o61202,
    }
}

/// Whether the glyph of `character` has ink at this column and row.
pub(super) fn ink(character: char, column: usize, row: usize) -> bool {
    let bit = (HEIGHT - 1 - row) * WIDTH + (WIDTH - 1 - column);
    glyph(character) >> bit & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_looks_like_itself() {
        let rows: Vec<String> = (0..HEIGHT)
            .map(|row| (0..WIDTH).map(|column| if ink('r', column, row) { '#' } else { ' ' }).collect())
            .collect();
        assert_eq!(rows, ["## ", "# #", "## ", "# #", "# #"]);
    }
}
