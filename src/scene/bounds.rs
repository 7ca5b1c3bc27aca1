//! The box around a layout.

use glam::Vec3;

/// An axis-aligned box in layout space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Smallest coordinates.
    pub min: Vec3,
    /// Largest coordinates.
    pub max: Vec3,
}

impl Bounds {
    /// The box from -1 to 1.
    pub const UNIT: Self = Self { min: Vec3::NEG_ONE, max: Vec3::ONE };

    /// The smallest box around all finite positions; [`Self::UNIT`] where there are none.
    #[must_use]
    pub fn of(positions: &[[f32; 3]]) -> Self {
        let mut found: Option<Self> = None;
        for position in positions.iter().map(|&p| Vec3::from(p)).filter(|p| p.is_finite()) {
            found =
                Some(found.map_or(Self { min: position, max: position }, |b| Self { min: b.min.min(position), max: b.max.max(position) }));
        }
        found.unwrap_or(Self::UNIT)
    }

    /// Middle of the box.
    #[must_use]
    pub fn center(&self) -> Vec3 {
        self.min + (self.max - self.min) * 0.5
    }

    /// Edge lengths; an axis without extent counts as the longest, or as 1 where there is none, so that one point, or many equal ones, can be
    /// shown.
    #[must_use]
    pub fn extent(&self) -> Vec3 {
        let extent = self.max - self.min;
        let longest = extent.max_element();
        Vec3::select(extent.cmpgt(Vec3::ZERO), extent, Vec3::splat(if longest > 0.0 { longest } else { 1.0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_that_are_not_finite_do_not_count() {
        let bounds = Bounds::of(&[[1.0, 2.0, 0.0], [f32::NAN, 9.0, 9.0], [-3.0, 5.0, 0.0]]);
        assert_eq!((bounds.min, bounds.max), (Vec3::new(-3.0, 2.0, 0.0), Vec3::new(1.0, 5.0, 0.0)));
        assert_eq!(bounds.extent(), Vec3::new(4.0, 3.0, 4.0));
        assert_eq!(Bounds::of(&[[2.0; 3]]).extent(), Vec3::ONE);
        assert_eq!(Bounds::of(&[[f32::INFINITY; 3]]), Bounds::UNIT);
    }
}
