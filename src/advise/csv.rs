//! A record of sessions as a file: CSV with the columns `arrived` and `duration_seconds`.

use std::fmt::Display;

use csv::{Position, StringRecord};
use jiff::Timestamp;

use super::demand::Arrival;

/// The columns that are read; others are passed over.
const COLUMNS: [&str; 2] = ["arrived", "duration_seconds"];

/// A file that is no record: which line, and what is wrong with it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct CsvError {
    line: u64,
    reason: String,
}

/// How a file tells times: all of them as its first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    Rfc3339,
    Seconds,
}

impl Clock {
    fn right(self) -> &'static str {
        match self {
            Self::Rfc3339 => "a time as 2026-11-25T12:00:00Z is right, as in the first line",
            Self::Seconds => "a number of seconds is right, as in the first line",
        }
    }

    /// In seconds.
    fn read(self, text: &str) -> Option<f64> {
        match self {
            Self::Rfc3339 => text.parse::<Timestamp>().ok().map(|time| time.as_millisecond() as f64 / 1e3),
            Self::Seconds => text.parse().ok().filter(|seconds: &f64| seconds.is_finite()),
        }
    }
}

/// Reads a record: times as RFC 3339 or in seconds after any point in time, in any order.
///
/// # Errors
/// The file cannot be read, a column is missing, a value cannot be understood, or there is no session in it.
pub fn read(file: &[u8]) -> Result<Vec<Arrival>, CsvError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let unreadable = |error| unreadable(file, error);
    let heads = reader.headers().map_err(unreadable)?;
    let column = |name: &str| {
        heads.iter().position(|head| head == name).ok_or_else(|| {
            wrong(1, format!("there is no column {name:?}; the first line names the columns: {}", COLUMNS.join(",")))
        })
    };
    let [arrived, duration] = COLUMNS.map(column);
    let (arrived, duration) = (arrived?, duration?);
    let (mut arrivals, mut clock) = (Vec::new(), None);
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let of_line = |reason| wrong(line(file, record.position()), reason);
        let at = time(&record, arrived, &mut clock).map_err(of_line)?;
        let text = record.get(duration).unwrap_or_default();
        let holds = text.parse().ok().filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0);
        let right = || format!("duration_seconds = {text:?}: a number of seconds, 0 or more, is right");
        let holds = holds.ok_or_else(|| of_line(right()))?;
        arrivals.push(Arrival { at, holds });
    }
    if arrivals.is_empty() {
        return Err(wrong(2, "there is no session"));
    }
    Ok(arrivals)
}

/// The time of a record, told as in the first one.
fn time(record: &StringRecord, column: usize, clock: &mut Option<Clock>) -> Result<f64, String> {
    let text = record.get(column).unwrap_or_default();
    let wrong = |right: &str| format!("arrived = {text:?}: {right}");
    if let Some(clock) = clock {
        return clock.read(text).ok_or_else(|| wrong(clock.right()));
    }
    let found = [Clock::Rfc3339, Clock::Seconds].into_iter().find_map(|clock| Some((clock, clock.read(text)?)));
    let none = || wrong("a time as 2026-11-25T12:00:00Z, or a number of seconds, is right");
    let (first, seconds) = found.ok_or_else(none)?;
    *clock = Some(first);
    Ok(seconds)
}

fn unreadable(file: &[u8], error: csv::Error) -> CsvError {
    let line = line(file, error.position());
    match error.into_kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            wrong(line, format!("{len} values, but the first line names {expected_len} columns"))
        }
        csv::ErrorKind::Utf8 { .. } => wrong(line, "it is not UTF-8"),
        other => wrong(line, format!("{other:?}")),
    }
}

/// Where a record is. A reader's own count leaves out the empty lines before it.
fn line(file: &[u8], position: Option<&Position>) -> u64 {
    let (before, rest) = file.split_at((position.map_or(0, Position::byte) as usize).min(file.len()));
    let empty = rest.iter().take_while(|byte| b"\r\n".contains(byte));
    1 + before.iter().chain(empty).filter(|byte| **byte == b'\n').count() as u64
}

fn wrong(line: u64, reason: impl Display) -> CsvError {
    CsvError { line, reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(times: &[(f64, f64)]) -> Vec<Arrival> {
        times.iter().map(|&(at, holds)| Arrival { at, holds }).collect()
    }

    #[test]
    fn times_are_read_as_rfc_3339_or_in_seconds() {
        let text = "arrived,duration_seconds\n1970-01-01T00:01:00Z,5\n1970-01-01T02:00:00.500+01:00,0.25\n";
        assert_eq!(read(text.as_bytes()).unwrap(), arrivals(&[(60.0, 5.0), (3600.5, 0.25)]));
        let text = "owner, duration_seconds ,arrived\r\n\"a, b\", 5,-10.5\r\nc,6,1e3\r\n";
        assert_eq!(read(text.as_bytes()).unwrap(), arrivals(&[(-10.5, 5.0), (1000.0, 6.0)]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let head = "arrived,duration_seconds\n";
        for (text, error) in [
            ("", "line 1: there is no column \"arrived\"; the first line names the columns: arrived,duration_seconds"),
            ("arrived,seconds\n1,2\n", "line 1: there is no column \"duration_seconds\""),
            ("arrived,duration_seconds\n", "line 2: there is no session"),
            ("HEAD1,2\nnoon,2\n", "line 3: arrived = \"noon\": a number of seconds is right, as in the first line"),
            (
                "HEADnoon,2\n",
                "line 2: arrived = \"noon\": a time as 2026-11-25T12:00:00Z, or a number of seconds, is right",
            ),
            ("HEAD2026-11-25T12:00:00Z,2\n17,2\n", "line 3: arrived = \"17\": a time as 2026-11-25T12:00:00Z is right"),
            ("HEAD1,2\n2,\n", "line 3: duration_seconds = \"\": a number of seconds, 0 or more, is right"),
            ("HEAD1,2\n\n2,-1\n", "line 4: duration_seconds = \"-1\""),
            ("HEAD1,NaN\n", "line 2: duration_seconds = \"NaN\""),
            ("HEADinf,1\n", "line 2: arrived = \"inf\""),
            ("HEAD1,2\n2\n", "line 3: 1 values, but the first line names 2 columns"),
        ] {
            let said = read(text.replace("HEAD", head).as_bytes()).unwrap_err().to_string();
            assert!(said.starts_with(error), "{text:?}: {said}");
        }
        let said = read(&b"arrived,duration_seconds\n\xff,1\n"[..]).unwrap_err().to_string();
        assert_eq!(said, "line 2: it is not UTF-8");
    }
}
