//! The plots: cost against the size of a room, and latency.

use std::error::Error;
use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::AsRangedCoord;
use plotters::prelude::*;

use super::super::Failure;
use super::super::figure::number;
use super::results::{Histogram, Metric, Results};

const SIZE: (u32, u32) = (800, 480);
/// The legend's share of the width of a plot.
const LEGEND: f64 = 0.25;
/// A colour for each server; the ones with TLS of a kind are darker.
const COLOURS: [RGBColor; 8] = [
    RGBColor(200, 30, 30),
    RGBColor(120, 120, 120),
    RGBColor(90, 160, 230),
    RGBColor(20, 70, 160),
    RGBColor(120, 200, 120),
    RGBColor(20, 110, 40),
    RGBColor(240, 180, 60),
    RGBColor(170, 100, 10),
];

/// A line of a plot.
struct Line {
    server: &'static str,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// Draws every plot into a folder.
pub(super) fn draw(folder: &Path, results: &Results) -> Result<(), Failure> {
    let plot = |error: Box<dyn Error>| Failure::Plot(error.to_string());
    for window in windows(results) {
        let lines = cost_lines(results, window);
        let file = folder.join(format!("cost-window-{window}.svg"));
        let title = format!("CPU of the server for a delivery, window {window}");
        draw_lines(&file, &title, ("members of the room", "µs"), true, &lines).map_err(plot)?;
    }
    let lines = latency_lines(results);
    let file = folder.join("latency.svg");
    let title = "Latency in a room of 100 at 100 messages a second";
    draw_lines(&file, title, ("ms", "% of deliveries"), false, &lines).map_err(plot)
}

fn windows(results: &Results) -> Vec<u64> {
    let mut windows: Vec<u64> = results
        .metrics()
        .filter_map(|metric| match metric {
            Metric::Delivery { window, .. } => Some(window),
            _ => None,
        })
        .collect();
    windows.sort_unstable();
    windows.dedup();
    windows
}

fn lines(results: &Results, points: impl Fn(&'static str) -> Vec<(f64, f64)>) -> Vec<Line> {
    let servers = results.servers.iter().zip(COLOURS);
    let lines = servers.map(|((server, _), colour)| Line {
        server,
        colour,
        points: points(server),
    });
    lines.filter(|line| !line.points.is_empty()).collect()
}

fn cost_lines(results: &Results, of: u64) -> Vec<Line> {
    lines(results, |server| {
        let points = results.metrics().filter_map(|metric| match metric {
            Metric::Delivery { members, window } if window == of => {
                let spread = results.spread(server, metric)?;
                Some((number(members as u64), spread.median))
            }
            _ => None,
        });
        points.collect()
    })
}

fn latency_lines(results: &Results) -> Vec<Line> {
    lines(results, |server| {
        let shares = results.histogram(server).map(Histogram::shares);
        let shares = shares.unwrap_or_default().into_iter();
        shares
            .map(|(from, to, share)| ((from * to).sqrt(), share))
            .collect()
    })
}

/// The range of all values, a little wider than they are.
fn range(values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let most = values.fold(0.0, f64::max);
    if least > most {
        return 1.0..10.0;
    }
    least / 1.3..most * 1.3
}

fn draw_lines(
    file: &Path,
    title: &str,
    axes: (&str, &str),
    is_log: bool,
    lines: &[Line],
) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let points = || lines.iter().flat_map(|line| line.points.iter().copied());
    let mut x = range(points().map(|point| point.0));
    // Room for the legend, right of the last point.
    x.end *= (x.end / x.start).powf(LEGEND);
    let x = x.log_scale();
    let y = range(points().map(|point| point.1));
    if is_log {
        draw_on(&area, title, axes, x, y.log_scale(), lines)?;
    } else {
        draw_on(&area, title, axes, x, 0.0..y.end, lines)?;
    }
    area.present()?;
    Ok(())
}

fn draw_on<X, Y>(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    title: &str,
    axes: (&str, &str),
    x: X,
    y: Y,
    lines: &[Line],
) -> Result<(), Box<dyn Error>>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: plotters::coord::ranged1d::ValueFormatter<f64>,
    Y::CoordDescType: plotters::coord::ranged1d::ValueFormatter<f64>,
{
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_desc(axes.0)
        .y_desc(axes.1)
        .light_line_style(WHITE)
        .draw()?;
    for line in lines {
        let colour = line.colour;
        let points = line.points.iter().copied();
        chart
            .draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?
            .label(line.server)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        chart.draw_series(points.map(|point| Circle::new(point, 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    Ok(())
}
