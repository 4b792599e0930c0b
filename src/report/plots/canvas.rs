//! A sheet to draw on: plotters' SVG backend behind a handful of shapes in CSS pixels, in colours
//! that are roles. The SVG names each colour by a class beside its plain value, so that a style
//! sheet can turn it for dark paper and a viewer without style sheets still shows it.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontFamily, FontStyle};

/// Colours of plots and the variables that change them for dark paper.
pub const THEME: &str = include_str!("theme.css");

/// A colour by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Text,
    Muted,
    Grid,
    Axis,
    Shade,
    /// The colour of the n-th series, counted round.
    Series(usize),
}

/// The colours of series, as on light paper: Okabe and Ito's without black, their yellow darkened.
const SERIES: [(u8, u8, u8); 8] = [
    (0x00, 0x72, 0xB2),
    (0xD5, 0x5E, 0x00),
    (0x00, 0x9E, 0x73),
    (0xCC, 0x79, 0xA7),
    (0xE6, 0x9F, 0x00),
    (0x56, 0xB4, 0xE9),
    (0x8A, 0x7A, 0x00),
    (0x5B, 0x66, 0x71),
];

impl Ink {
    const PLAIN: [Self; 5] = [Self::Text, Self::Muted, Self::Grid, Self::Axis, Self::Shade];

    /// The colour on light paper; no two inks share one, since the SVG is told apart by it.
    fn rgb(self) -> (u8, u8, u8) {
        match self {
            Self::Text => (0x1D, 0x23, 0x29),
            Self::Muted => (0x5B, 0x66, 0x70),
            Self::Grid => (0xE4, 0xE8, 0xEC),
            Self::Axis => (0xAA, 0xB3, 0xBB),
            Self::Shade => (0xF1, 0xF3, 0xF5),
            Self::Series(index) => SERIES[index % SERIES.len()],
        }
    }

    /// The CSS variable of the theme.
    fn variable(self) -> String {
        match self {
            Self::Text => "ink".to_owned(),
            Self::Muted => "muted".to_owned(),
            Self::Grid => "grid".to_owned(),
            Self::Axis => "axis".to_owned(),
            Self::Shade => "shade".to_owned(),
            Self::Series(index) => format!("c{}", index % SERIES.len()),
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        Self::PLAIN.into_iter().chain((0..SERIES.len()).map(Self::Series))
    }

    fn color(self, opacity: f64) -> RGBAColor {
        let (red, green, blue) = self.rgb();
        RGBColor(red, green, blue).mix(opacity)
    }
}

/// The rules that give every ink its variable, to stand beside [`THEME`].
pub fn ink_rules() -> String {
    Ink::all()
        .map(|ink| {
            let name = ink.variable();
            format!(".f-{name}{{fill:var(--{name})}}.s-{name}{{stroke:var(--{name})}}\n")
        })
        .collect()
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// Plotters draws at whole pixels; drawn this much larger and shown smaller, lines are smooth.
const SCALE: f64 = 4.0;
/// Plotters writes font sizes divided by this.
const FONT_SCALE: f64 = 1.24;
/// Height of a capital, as a share of the font size, to centre texts on their point.
const CAPITAL: f64 = 0.36;

/// The sheet.
pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// A drawing `width` × `height` CSS pixels in size, as an `<svg>` element with `title`.
pub fn svg(title: &str, width: f64, height: f64, paint: impl FnOnce(&Canvas<'_>)) -> String {
    let mut text = String::new();
    {
        let size = (scaled(width).unsigned_abs(), scaled(height).unsigned_abs());
        let canvas = Canvas { area: SVGBackend::with_string(&mut text, size).into_drawing_area() };
        paint(&canvas);
        sure(canvas.area.present());
    }
    dressed(&text, title, width, height)
}

#[expect(clippy::cast_possible_truncation, reason = "saturates; plots are a few thousand pixels")]
fn scaled(pixels: f64) -> i32 {
    (pixels * SCALE).round() as i32
}

/// Names the colours, and gives the root its size on screen, its role and its title.
fn dressed(svg: &str, title: &str, width: f64, height: f64) -> String {
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    let mut body = body.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "");
    for ink in Ink::all() {
        let (red, green, blue) = ink.rgb();
        let name = ink.variable();
        for (attribute, prefix) in [("fill", "f"), ("stroke", "s")] {
            let plain = format!("{attribute}=\"#{red:02X}{green:02X}{blue:02X}\"");
            body = body.replace(&plain, &format!("class=\"{prefix}-{name}\" {plain}"));
        }
    }
    let title = title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (inner_width, inner_height) = (scaled(width), scaled(height));
    format!(
        "<svg class=\"plot\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {inner_width} {inner_height}\" role=\"img\" \
         xmlns=\"http://www.w3.org/2000/svg\">\n<title>{title}</title>\n{}\n",
        body.trim()
    )
}

/// The same drawing as a file by itself: with the theme, on its paper.
pub fn standalone(svg: &str) -> String {
    let style =
        format!("<style>\n{THEME}{}.plot{{background:var(--paper)}}\n</style>", ink_rules());
    match svg.split_once('>') {
        Some((root, body)) => format!("{root}>\n{style}{body}"),
        None => String::new(),
    }
}

impl Canvas<'_> {
    /// A line through `points`.
    pub fn line(&self, points: &[(f64, f64)], ink: Ink, width: f64, opacity: f64) {
        let points: Vec<_> = points.iter().map(|&(x, y)| (scaled(x), scaled(y))).collect();
        let style = ink.color(opacity).stroke_width(scaled(width).unsigned_abs());
        sure(self.area.draw(&PathElement::new(points, style)));
    }

    /// The area within `points`.
    pub fn area(&self, points: &[(f64, f64)], ink: Ink, opacity: f64) {
        let points: Vec<_> = points.iter().map(|&(x, y)| (scaled(x), scaled(y))).collect();
        sure(self.area.draw(&Polygon::new(points, ink.color(opacity))));
    }

    /// A filled rectangle.
    pub fn rectangle(
        &self,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        ink: Ink,
        opacity: f64,
    ) {
        let corners = [(scaled(x), scaled(y)), (scaled(x + width), scaled(y + height))];
        sure(self.area.draw(&Rectangle::new(corners, ink.color(opacity).filled())));
    }

    /// A filled circle.
    pub fn circle(&self, (x, y): (f64, f64), radius: f64, ink: Ink, opacity: f64) {
        let style = ink.color(opacity).filled();
        sure(self.area.draw(&Circle::new((scaled(x), scaled(y)), scaled(radius), style)));
    }

    /// A text `size` pixels high, its middle at the height of the point.
    pub fn text(&self, text: &str, (x, y): (f64, f64), anchor: Anchor, size: f64, ink: Ink) {
        self.write(text, (x, y), anchor, size, ink, FontStyle::Normal);
    }

    /// A text in bold.
    pub fn title(&self, text: &str, (x, y): (f64, f64), size: f64) {
        self.write(text, (x, y), Anchor::Start, size, Ink::Text, FontStyle::Bold);
    }

    fn write(
        &self,
        text: &str,
        (x, y): (f64, f64),
        anchor: Anchor,
        size: f64,
        ink: Ink,
        style: FontStyle,
    ) {
        let side = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let font = (FontFamily::SansSerif, size * SCALE * FONT_SCALE, style).into_font();
        // Anchored at the top, the backend puts the baseline 0.76 em lower.
        let pos = Pos::new(side, VPos::Top);
        let color = ink.color(1.0);
        let style = TextStyle::from(font).color(&color).pos(pos);
        let top = y + (CAPITAL - 0.76) * size;
        sure(self.area.draw_text(text, &style, (scaled(x), scaled(top))));
    }
}

/// Of what drawing into a string answers.
fn sure<E: std::error::Error + Send + Sync>(drawn: Result<(), DrawingAreaErrorKind<E>>) {
    drawn.expect("writing to a string does not fail");
}

/// About how wide `text` is at `size` pixels, without knowing the font.
#[expect(clippy::cast_precision_loss, reason = "texts are short")]
pub fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * 0.55
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_inks_share_a_colour() {
        let mut colours: Vec<_> = Ink::all().map(Ink::rgb).collect();
        let count = colours.len();
        colours.sort_unstable();
        colours.dedup();
        assert_eq!(colours.len(), count);
    }

    #[test]
    fn every_ink_has_a_variable_in_the_theme() {
        for ink in Ink::all() {
            assert!(THEME.contains(&format!("--{}:", ink.variable())), "{ink:?}");
        }
    }

    #[test]
    fn colours_are_named_by_class_and_the_title_is_escaped() {
        let drawing = svg("a < b", 100.0, 50.0, |canvas| {
            canvas.line(&[(0.0, 0.0), (10.5, 3.0)], Ink::Series(0), 1.5, 1.0);
            canvas.text("5 > 4", (3.0, 4.0), Anchor::Middle, 12.0, Ink::Muted);
        });
        assert!(drawing.contains("class=\"s-c0\" stroke=\"#0072B2\""), "{drawing}");
        assert!(drawing.contains("class=\"f-muted\""), "{drawing}");
        assert!(drawing.contains("<title>a &lt; b</title>"), "{drawing}");
        assert!(drawing.contains("viewBox=\"0 0 400 200\""), "{drawing}");
        assert!(drawing.trim_end().ends_with("</svg>"), "{drawing}");
        assert!(standalone(&drawing).contains("--paper"), "{drawing}");
    }
}
