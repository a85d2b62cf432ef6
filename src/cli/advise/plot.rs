//! The chance to wait by the size of the pool, as a picture.

use std::path::Path;

use anyhow::anyhow;
use plotters::{coord::Shift, prelude::*};

use crate::advise::{self, Advice, Basis, Size};

/// Of a panel, in pixels.
const SIZE: (u32, u32) = (720, 420);
/// About so many points of each curve are computed: each is a replay of all sessions.
const POINTS: u32 = 24;
const REPLAYED: RGBColor = RGBColor(40, 110, 190);
const ERLANG: RGBColor = RGBColor(200, 60, 40);
const ASKED: RGBColor = RGBColor(120, 120, 120);

/// One type.
pub(super) struct Panel {
    title: String,
    asked: f64,
    advised: u32,
    sizes: Vec<Size>,
}

impl Panel {
    /// From where most wait to where hardly anybody does.
    pub(super) fn new(name: &str, basis: &Basis, advice: &Advice) -> Self {
        let last = advice.containers.max(advice.erlang_c_containers) + 3;
        let first = (advice.containers.min(advice.erlang_c_containers) / 2).max(1);
        let step = ((last - first) / POINTS).max(1);
        Self {
            title: format!("{name}: the chance to wait by containers"),
            asked: advice.wait_chance,
            advised: advice.containers,
            sizes: advise::sizes(basis, (first..=last).step_by(step as usize)),
        }
    }
}

/// Draws them, one below the other.
///
/// # Errors
/// The file cannot be written.
pub(super) fn draw(panels: &[Panel], path: &Path) -> anyhow::Result<()> {
    let mut text = String::new();
    {
        let whole = SVGBackend::with_string(&mut text, (SIZE.0, SIZE.1 * panels.len() as u32)).into_drawing_area();
        whole.fill(&WHITE)?;
        for (area, panel) in whole.split_evenly((panels.len(), 1)).iter().zip(panels) {
            panel.draw(area).map_err(|error| anyhow!("it cannot be drawn: {error}"))?;
        }
        whole.present()?;
    }
    Ok(std::fs::write(path, text)?)
}

impl Panel {
    fn draw<D: DrawingBackend>(&self, area: &DrawingArea<D, Shift>) -> Result<(), DrawingAreaErrorKind<D::ErrorType>> {
        let (Some(first), Some(last)) = (self.sizes.first(), self.sizes.last()) else { return Ok(()) };
        let across = f64::from(first.containers)..f64::from(last.containers);
        let most =
            self.sizes.iter().map(|size| size.replay.wait_chance.max(size.erlang_c.wait_chance)).fold(0.0, f64::max);
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(30)
            .y_label_area_size(56)
            .build_cartesian_2d(across.clone(), 0.0..(most.max(self.asked) * 105.0))?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .x_label_formatter(&|containers| format!("{containers:.0}"))
            .y_label_formatter(&|percent| format!("{percent:.0}%"))
            .draw()?;
        let asked = self.asked * 100.0;
        let curve = |of: fn(&Size) -> f64| {
            self.sizes.iter().map(move |size| (f64::from(size.containers), of(size) * 100.0)).collect::<Vec<_>>()
        };
        for (name, points, colour) in [
            ("asked for".to_owned(), vec![(across.start, asked), (across.end, asked)], ASKED),
            ("Erlang C".to_owned(), curve(|size| size.erlang_c.wait_chance), ERLANG),
            (format!("replay ({} advised)", self.advised), curve(|size| size.replay.wait_chance), REPLAYED),
        ] {
            let key = move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2));
            chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?.label(name).legend(key);
            if colour != ASKED {
                chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
            }
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        Ok(())
    }
}
