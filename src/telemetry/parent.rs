//! The header `traceparent` (W3C Trace Context): which trace a request belongs to.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};

/// What a caller says of the trace that its request is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent<'a> {
    /// The trace: 32 hexadecimal digits.
    pub trace_id: &'a str,
    span_id: &'a str,
    flags: u8,
}

impl<'a> TraceParent<'a> {
    /// Reads the header; none when it is not as the standard has it.
    #[must_use]
    pub fn read(header: &'a str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let (version, trace_id, span_id, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let id = |text: &str, digits: usize| {
            let hex = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
            text.len() == digits && hex && text.bytes().any(|byte| byte != b'0')
        };
        // A later version may have more parts, the first one has not.
        let known = version != "ff" && u8::from_str_radix(version, 16).is_ok() && version.len() == 2;
        let whole = version != "00" || parts.next().is_none();
        let flags = (flags.len() == 2).then(|| u8::from_str_radix(flags, 16).ok()).flatten()?;
        (known && whole && id(trace_id, 32) && id(span_id, 16)).then_some(Self { trace_id, span_id, flags })
    }

    /// The same with what the header `tracestate` says, for a span to stand under.
    pub(super) fn context(&self, state: &str) -> Context {
        let trace_id = TraceId::from_hex(self.trace_id).unwrap_or(TraceId::INVALID);
        let span_id = SpanId::from_hex(self.span_id).unwrap_or(SpanId::INVALID);
        let state = state.parse::<TraceState>().unwrap_or_default();
        let parent = SpanContext::new(trace_id, span_id, TraceFlags::new(self.flags), true, state);
        Context::new().with_remote_span_context(parent)
    }
}

#[cfg(test)]
mod tests {
    use super::TraceParent;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn what_the_standard_allows_is_read() {
        let read = |version: &str, rest: &str| {
            TraceParent::read(&format!("{version}-{TRACE}-{SPAN}-{rest}")).map(|parent| parent.flags)
        };
        assert_eq!(read("00", "01"), Some(1));
        assert_eq!(read("cc", "00-what-follows"), Some(0));
        assert_eq!(TraceParent::read(&format!("00-{TRACE}-{SPAN}-01")).unwrap().trace_id, TRACE);
    }

    #[test]
    fn what_it_forbids_is_passed_over() {
        let zero = "0".repeat(32);
        for wrong in [
            String::new(),
            TRACE.to_owned(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("0-{TRACE}-{SPAN}-01"),
            format!("00-{zero}-{SPAN}-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}é-{SPAN}-01"),
        ] {
            assert_eq!(TraceParent::read(&wrong), None, "{wrong}");
        }
    }
}
