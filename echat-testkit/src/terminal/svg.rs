//! A screen as a picture: text that can be selected, each character on its cells.

use std::fmt::Write;

use vt100::{Cell, Color};

use super::emulator::Emulator;

/// The size of a cell and of the window around the screen, in pixels.
const CELL: (f32, f32) = (8.4, 19.0);
const BAR: f32 = 30.0;
const EDGE: f32 = 12.0;
/// Where in a row the text stands.
const BASELINE: f32 = 14.0;
/// What a wide character leaves free on both sides of its two cells.
const MARGIN: f32 = 1.4;
/// A moment for every picture, so that each run draws the same.
const MOMENT: &str = "[2026-11-22 09:30:00]";
const FONTS: &str = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', \
    'Noto Sans Mono CJK SC', 'WenQuanYi Micro Hei Mono', monospace";
const INK: &str = "#24292f";

/// Cells of one style and one width, in a row.
struct Run {
    col: usize,
    cells: Vec<String>,
    style: String,
    wide: bool,
}

/// The screen in a window with this title.
pub fn draw(screen: &Emulator, title: &str) -> String {
    let (cols, rows) = screen.size();
    let (width, height) = (f32::from(cols) * CELL.0, f32::from(rows) * CELL.1);
    let (width, height) = (width + 2.0 * EDGE, height + BAR + 1.5 * EDGE);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" font-family=\"{FONTS}\" font-size=\"14\" \
         fill=\"{INK}\">\n<title>{title}</title>\n\
         <rect x=\".5\" y=\".5\" width=\"{:.0}\" height=\"{:.0}\" rx=\"8\" fill=\"#fdfdfc\" \
         stroke=\"#d0d7de\"/>\n<path d=\"M0 {BAR}h{width:.0}\" stroke=\"#d0d7de\"/>\n",
        width - 1.0,
        height - 1.0,
    );
    for (index, colour) in ["#ff5f57", "#febc2e", "#28c840"].iter().enumerate() {
        let x = 18 + 18 * index;
        writeln!(
            svg,
            "<circle cx=\"{x}\" cy=\"15\" r=\"5.5\" fill=\"{colour}\"/>"
        )
        .unwrap();
    }
    writeln!(
        svg,
        "<text x=\"{:.0}\" y=\"20\" text-anchor=\"middle\" fill=\"#57606a\">{title}</text>",
        width / 2.0
    )
    .unwrap();
    cursor(screen, &mut svg);
    for row in 0..rows {
        for run in runs(screen, row) {
            text(&run, row, &mut svg);
        }
    }
    svg + "</svg>\n"
}

fn place(col: usize, row: u16) -> (f32, f32) {
    let col = u16::try_from(col).expect("a column of a screen");
    (
        EDGE + f32::from(col) * CELL.0,
        BAR + EDGE / 2.0 + f32::from(row) * CELL.1,
    )
}

fn cursor(screen: &Emulator, svg: &mut String) {
    let (row, col) = screen.screen().cursor_position();
    let (x, y) = place(col.into(), row);
    writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#afb8c1\"/>",
        CELL.0, CELL.1
    )
    .unwrap();
}

/// A font that has other ideas about a character's width is told better: each wide one its place,
/// others the width of them all.
fn text(run: &Run, row: u16, svg: &mut String) {
    let (x, y) = place(run.col, row);
    let (baseline, style) = (y + BASELINE, &run.style);
    let mut line = if run.wide {
        format!("<text y=\"{baseline:.1}\"{style}>")
    } else {
        let columns = u16::try_from(run.cells.len()).expect("a part of a row");
        let width = f32::from(columns) * CELL.0;
        format!(
            "<text x=\"{x:.1}\" y=\"{baseline:.1}\" textLength=\"{width:.1}\" \
             lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\"{style}>"
        )
    };
    for (index, cell) in run.cells.iter().enumerate() {
        let escaped = cell.replace('&', "&amp;").replace('<', "&lt;");
        if run.wide {
            let x = place(run.col + 2 * index, row).0 + MARGIN;
            write!(line, "<tspan x=\"{x:.1}\">{escaped}</tspan>").unwrap();
        } else {
            line += &escaped;
        }
    }
    writeln!(svg, "{line}</text>").unwrap();
}

fn runs(screen: &Emulator, row: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for col in 0..screen.size().0 {
        let cell = screen.screen().cell(row, col).expect("it is on the screen");
        if cell.is_wide_continuation() {
            continue;
        }
        let contents = if cell.has_contents() {
            cell.contents()
        } else {
            " "
        };
        let (style, wide) = (style(cell), cell.is_wide());
        match runs.last_mut() {
            Some(run) if run.style == style && run.wide == wide => run.cells.push(contents.into()),
            _ => runs.push(Run {
                col: col.into(),
                cells: vec![contents.into()],
                style,
                wide,
            }),
        }
    }
    runs.iter_mut().for_each(still);
    runs.retain(|run| !run.cells.is_empty());
    runs
}

/// Cuts spaces at the ends, which show nothing, and puts the clock back.
fn still(run: &mut Run) {
    let is_space = |cell: &String| cell == " ";
    while run.cells.pop_if(|cell| is_space(cell)).is_some() {}
    let spaces = run.cells.iter().take_while(|cell| is_space(cell)).count();
    run.cells.drain(..spaces);
    run.col += spaces;
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let shape = run.cells.concat().chars().map(digits).collect::<String>();
    if shape.starts_with("[0000-00-00 00:00:00]") {
        for (cell, still) in run.cells.iter_mut().zip(MOMENT.chars()) {
            *cell = still.to_string();
        }
    }
}

fn style(cell: &Cell) -> String {
    let mut style = String::new();
    match (cell.fgcolor(), cell.dim()) {
        (Color::Idx(index), _) => write!(style, " fill=\"{}\"", colour(index)).unwrap(),
        (_, true) => style += " fill=\"#6e7781\"",
        _ => {}
    }
    if cell.bold() {
        style += " font-weight=\"bold\"";
    }
    style
}

/// The colours of xterm that the client uses; the first ones as terminals with a light background
/// have them.
fn colour(index: u8) -> String {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match index {
        1 => "#cf222e".to_owned(),
        3 => "#9a6700".to_owned(),
        16..=231 => {
            let level = |weight: u8| LEVELS[usize::from((index - 16) / weight % 6)];
            format!("#{:02x}{:02x}{:02x}", level(36), level(6), level(1))
        }
        _ => INK.to_owned(),
    }
}
