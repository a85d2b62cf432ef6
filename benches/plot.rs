//! One picture: requests by connections, and what is left of them as the pool grows.

use std::{collections::BTreeMap, ops::Range, path::Path};

use plotters::{coord::Shift, prelude::*};

use crate::{
    report::{Measurement, Report},
    work::Work,
};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Names with their points.
type Lines = BTreeMap<String, Vec<(f64, f64)>>;

const COLOURS: [RGBColor; 6] = [
    RGBColor(120, 120, 120),
    RGBColor(60, 60, 60),
    RGBColor(200, 60, 40),
    RGBColor(40, 110, 190),
    RGBColor(50, 140, 80),
    RGBColor(150, 90, 170),
];

pub fn draw(report: &Report, path: &Path) -> anyhow::Result<()> {
    let whole = SVGBackend::new(path, (1200, 460)).into_drawing_area();
    whole.fill(&WHITE)?;
    let halves = whole.split_evenly((1, 2));
    panel(&halves[0], "Create and release: requests/s by connections", &by_connections(report))?;
    panel(&halves[1], "Throughput by containers, 1 = the smallest pool", &by_size(report))?;
    whole.present()?;
    Ok(())
}

fn by_connections(report: &Report) -> Lines {
    let mut lines = Lines::new();
    for one in of(report, "http").filter(|one| one.work == Work::CreateRelease.name()) {
        lines.entry(one.subject.clone()).or_default().push((one.connections as f64, one.per_second));
    }
    lines
}

fn by_size(report: &Report) -> Lines {
    let mut lines = Lines::new();
    for one in of(report, "growth") {
        // "1000 leased" is Leasehold, "1000 leased, floor 1" Redis alone.
        if let Some((size, what)) = one.subject.split_once(' ')
            && !what.contains("floor")
            && let Ok(size) = size.parse()
        {
            lines.entry(format!("{}, {what}", one.work)).or_default().push((size, one.per_second));
        }
    }
    for points in lines.values_mut() {
        let smallest = points.first().map_or(1.0, |(_, value)| *value);
        for (_, value) in points {
            *value /= smallest;
        }
    }
    lines
}

fn of<'a>(report: &'a Report, section: &'a str) -> impl Iterator<Item = &'a Measurement> {
    report.measurements.iter().filter(move |one| one.section == section)
}

fn panel(area: &Area<'_>, title: &str, lines: &Lines) -> anyhow::Result<()> {
    let all = || lines.values().flatten();
    let across = range(all().map(|point| point.0));
    let top = all().map(|point| point.1).fold(0.0, f64::max) * 1.15;
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(30)
        .y_label_area_size(64)
        .build_cartesian_2d(across.log_scale(), 0.0..top)?;
    chart.configure_mesh().light_line_style(WHITE).x_label_formatter(&|value| format!("{value:.0}")).draw()?;
    for ((name, points), colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let key = move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2));
        chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?.label(name).legend(key);
        chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    Ok(())
}

fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (least, most) = values.fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(value), most.max(value)));
    // An axis needs a length.
    if least < most { least..most } else { 1.0..10.0 }
}
