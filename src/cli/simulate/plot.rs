//! Containers and sessions over the time, as a picture.

use std::path::Path;

use anyhow::anyhow;
use plotters::prelude::*;

use super::Simulated;
use crate::advise::simulate::Part;

/// In pixels.
const SIZE: (u32, u32) = (1000, 420);
const CONTAINERS: RGBColor = RGBColor(40, 110, 190);
const SESSIONS: RGBColor = RGBColor(200, 60, 40);
const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

/// # Errors
/// The file cannot be written.
pub(super) fn draw(simulated: &Simulated, path: &Path) -> anyhow::Result<()> {
    let mut text = String::new();
    on(SVGBackend::with_string(&mut text, SIZE), simulated).map_err(|error| anyhow!("it cannot be drawn: {error}"))?;
    Ok(std::fs::write(path, text)?)
}

fn on<D: DrawingBackend>(backend: D, simulated: &Simulated) -> Result<(), DrawingAreaErrorKind<D::ErrorType>> {
    let course = &simulated.comparison.scaled.course;
    let (unit, name_of_unit) = if simulated.span_seconds > 2.0 * DAY { (DAY, "d") } else { (HOUR, "h") };
    let span = simulated.span_seconds.max(1.0) / unit;
    let points = |of: fn(&Part) -> u64| {
        let at = move |number: usize| number as f64 * span / course.len() as f64;
        course.iter().enumerate().map(move |(number, one)| (at(number), of(one) as f64)).collect::<Vec<_>>()
    };
    let most = course.iter().map(|one| one.containers.max(one.sessions)).max().unwrap_or_default();
    let whole = backend.into_drawing_area();
    whole.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&whole)
        .caption(format!("{}: containers and sessions", simulated.target_type), ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(30)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..span, 0.0..most as f64 * 1.05 + 1.0)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_label_formatter(&|time| format!("{time:.1} {name_of_unit}"))
        .y_label_formatter(&|count| format!("{count:.0}"))
        .draw()?;
    for (name, points, colour) in [
        ("sessions that have one or wait", points(|one| one.sessions), SESSIONS),
        ("containers", points(|one| one.containers), CONTAINERS),
    ] {
        let key = move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2));
        chart.draw_series(LineSeries::new(points, colour.stroke_width(1)))?.label(name).legend(key);
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    whole.present()
}
