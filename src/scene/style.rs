//! How the map looks: theme colours, and point and line sizes that follow how many points there are.

use super::color::Srgb;

/// Dark or light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// For screens and dim rooms.
    #[default]
    Dark,
    /// For paper and bright rooms.
    Light,
}

impl Theme {
    /// Behind the map.
    #[must_use]
    pub fn background(self) -> Srgb {
        match self {
            Self::Dark => Srgb([17, 19, 24]),
            Self::Light => Srgb([252, 252, 253]),
        }
    }

    /// Behind the panels.
    #[must_use]
    pub fn panel(self) -> Srgb {
        match self {
            Self::Dark => Srgb([25, 28, 35]),
            Self::Light => Srgb([241, 243, 246]),
        }
    }

    /// Lines of the grid.
    #[must_use]
    pub fn grid(self) -> Srgb {
        match self {
            Self::Dark => Srgb([38, 42, 51]),
            Self::Light => Srgb([228, 231, 236]),
        }
    }

    /// Text.
    #[must_use]
    pub fn text(self) -> Srgb {
        match self {
            Self::Dark => Srgb([226, 229, 235]),
            Self::Light => Srgb([33, 37, 45]),
        }
    }

    /// Text that stands back: ticks, captions.
    #[must_use]
    pub fn faint_text(self) -> Srgb {
        match self {
            Self::Dark => Srgb([146, 153, 168]),
            Self::Light => Srgb([98, 106, 121]),
        }
    }

    /// What is active or pointed at.
    #[must_use]
    pub fn accent(self) -> Srgb {
        match self {
            Self::Dark => Srgb([112, 180, 255]),
            Self::Light => Srgb([21, 101, 192]),
        }
    }

    /// Whether it is the dark one.
    #[must_use]
    pub fn is_dark(self) -> bool {
        self == Self::Dark
    }
}

/// Sizes and opacities of the map's marks, in UI points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    /// Radius of a segment's disc.
    pub point_radius: f32,
    /// Opacity of a disc, 0..1.
    pub point_opacity: f32,
    /// Width of a trajectory.
    pub line_width: f32,
    /// Opacity of a trajectory, 0..1.
    pub line_opacity: f32,
}

impl Style {
    /// For `rows` points on a map of `area` square points; with lines, discs are only their beads.
    ///
    /// The discs together cover about a fifth of the map, within what still can be seen and pointed at.
    #[must_use]
    pub fn for_density(rows: usize, area: f32, lines: bool) -> Self {
        let rows = rows.max(1) as f32;
        let radius = (0.2 * area / (rows * std::f32::consts::PI)).sqrt().clamp(0.9, 5.0);
        let opacity = (1.15 - 0.13 * rows.log10()).clamp(0.35, 0.9);
        Self {
            point_radius: if lines { (radius * 0.55).max(0.9) } else { radius },
            point_opacity: if lines { opacity * 0.8 } else { opacity },
            line_width: (radius * 0.45).clamp(0.6, 1.6),
            line_opacity: (1.0 - 0.15 * rows.log10()).clamp(0.12, 0.6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_points_are_small_and_faint_and_few_are_large() {
        let few = Style::for_density(100, 1e6, false);
        let many = Style::for_density(1_000_000, 1e6, false);
        assert!(few.point_radius > many.point_radius && few.point_opacity > many.point_opacity);
        assert!(many.point_radius >= 0.9 && many.line_opacity > 0.0);
        assert!(Style::for_density(0, 0.0, true).point_radius > 0.0);
    }
}
