//! What every chart has around its data: title, legend, grid, axes with their labels. Maps values
//! to places on the sheet; draws no data.

use super::super::format::shortened;
use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Ink, text_width};

/// Size of the labels of axes and legends, in CSS pixels.
pub const LABEL: f64 = 11.5;
/// Size of titles.
const TITLE: f64 = 14.0;
/// Height of one row of the legend.
const LEGEND_ROW: f64 = 18.0;
const RIGHT_MARGIN: f64 = 18.0;
const BOTTOM_MARGIN: f64 = 26.0;
/// Longest name in a legend or beside a bar, in characters.
pub const LONGEST_NAME: usize = 26;

/// An entry of a legend.
pub struct Entry {
    pub name: String,
    pub ink: Ink,
}

/// The place of the data and its two axes. For charts with rows instead of a y axis, `y` runs from
/// 0 at the top to the number of rows.
pub struct Frame {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    pub x: Axis,
    pub y: Axis,
}

impl Frame {
    /// A frame on a sheet of `size` that leaves `left_margin` for labels and room for `legend`.
    pub fn new(size: (f64, f64), left_margin: f64, legend: &[Entry], x: Axis, y: Axis) -> Self {
        let top = head_height(legend, size.0);
        Self {
            left: left_margin,
            top,
            width: size.0 - left_margin - RIGHT_MARGIN,
            height: size.1 - top - BOTTOM_MARGIN,
            x,
            y,
        }
    }

    /// Where `value` stands from left to right.
    pub fn across(&self, value: f64) -> f64 {
        self.left + self.width * self.x.position(value)
    }

    /// Where `value` stands, larger ones higher.
    pub fn up(&self, value: f64) -> f64 {
        self.top + self.height * (1.0 - self.y.position(value))
    }

    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Grid lines across with their labels at the left.
    pub fn draw_y_axis(&self, canvas: &Canvas<'_>) {
        for (value, label) in &self.y.ticks {
            let y = self.up(*value);
            canvas.line(&[(self.left, y), (self.right(), y)], Ink::Grid, 1.0, 1.0);
            canvas.text(label, (self.left - 8.0, y), Anchor::End, LABEL, Ink::Muted);
        }
    }

    /// Grid lines up, for charts with rows.
    pub fn draw_x_grid(&self, canvas: &Canvas<'_>) {
        for (value, _) in &self.x.ticks {
            let x = self.across(*value);
            canvas.line(&[(x, self.top), (x, self.bottom())], Ink::Grid, 1.0, 1.0);
        }
    }

    /// The line at the bottom with tick marks and labels; after the data, so that it lies above.
    pub fn draw_x_axis(&self, canvas: &Canvas<'_>) {
        let y = self.bottom();
        canvas.line(&[(self.left, y), (self.right(), y)], Ink::Axis, 1.0, 1.0);
        for (value, label) in &self.x.ticks {
            let x = self.across(*value);
            canvas.line(&[(x, y), (x, y + 4.0)], Ink::Axis, 1.0, 1.0);
            canvas.text(label, (x, y + 15.0), Anchor::Middle, LABEL, Ink::Muted);
        }
    }

    /// The name of a row at the left of the data.
    pub fn draw_row_name(&self, canvas: &Canvas<'_>, name: &str, y: f64) {
        let name = shortened(name, LONGEST_NAME);
        canvas.text(&name, (self.left - 10.0, y), Anchor::End, LABEL, Ink::Text);
    }
}

/// The margin that row names need at the left.
pub fn names_margin<'a>(names: impl Iterator<Item = &'a str>) -> f64 {
    let widest = names.map(|name| text_width(&shortened(name, LONGEST_NAME), LABEL));
    widest.fold(60.0, f64::max) + 18.0
}

/// Title and legend.
pub fn draw_head(canvas: &Canvas<'_>, title: &str, legend: &[Entry], width: f64) {
    canvas.title(title, (2.0, 12.0), TITLE);
    for (entry, (x, row)) in legend.iter().zip(legend_places(legend, width)) {
        let y = 33.0 + LEGEND_ROW * row;
        canvas.rectangle((x, y - 4.5), (12.0, 9.0), entry.ink, 1.0);
        let name = shortened(&entry.name, LONGEST_NAME);
        canvas.text(&name, (x + 17.0, y), Anchor::Start, LABEL, Ink::Muted);
    }
}

/// Height of title and legend.
pub fn head_height(legend: &[Entry], width: f64) -> f64 {
    let rows = legend_places(legend, width).last().map_or(0.0, |(_, row)| row + 1.0);
    30.0 + LEGEND_ROW * rows
}

/// x and row of every entry, broken into rows where they do not fit `width`.
fn legend_places(legend: &[Entry], width: f64) -> Vec<(f64, f64)> {
    let (mut x, mut row) = (2.0, 0.0);
    let mut places = Vec::new();
    for entry in legend {
        let own = 17.0 + text_width(&shortened(&entry.name, LONGEST_NAME), LABEL);
        if x > 2.0 && x + own > width - RIGHT_MARGIN {
            (x, row) = (2.0, row + 1.0);
        }
        places.push((x, row));
        x += own + 16.0;
    }
    places
}
