//! What the tones of a heat map stand for: how many segments there are in a square of the map.

/// A heat map's tones and the numbers at some of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DensityScale {
    /// Edge of the square that segments are counted in, in UI points.
    pub edge: u32,
    /// Places along the tones, 0 to 1, and how many segments are in a square there.
    pub ticks: Vec<(f32, f32)>,
}

/// Edges to choose from, so that the numbers are neither fractions nor endless.
const EDGES: [u32; 4] = [1, 10, 30, 100];
/// What the densest square is to have at least, but for the largest edge.
const WANTED: f32 = 10.0;

impl DensityScale {
    /// The scale of tones from the least to the largest density, in segments a square point; `tone`: what a density's is.
    #[must_use]
    pub fn new(least: f32, most: f32, tone: impl Fn(f32) -> f32) -> Self {
        let area = |edge: u32| (edge * edge) as f32;
        let edge = EDGES.into_iter().find(|&edge| most * area(edge) >= WANTED).unwrap_or(EDGES[EDGES.len() - 1]);
        let [low, high] = [least, most].map(|density| density * area(edge));
        let mut steps: Vec<f32> = Vec::new();
        if low.is_finite() && high.is_finite() && low > 0.0 {
            let decades = (low.log10().floor() as i32)..=(high.log10().ceil() as i32);
            let round = |parts: &[f32]| -> Vec<f32> {
                let values = decades.clone().flat_map(|decade| parts.iter().map(move |part| part * 10f32.powi(decade)));
                values.filter(|&value| value >= low * 0.999 && value <= high * 1.001 && value >= 0.1).collect()
            };
            let parts: [&[f32]; 3] = [&[1.0], &[1.0, 2.0, 5.0], &[1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]];
            steps = parts.into_iter().map(round).find(|steps| steps.len() >= 3).unwrap_or_else(|| round(parts[2]));
        }
        let ticks = steps.into_iter().map(|value| (tone(value / area(edge)).clamp(0.0, 1.0), value)).collect();
        Self { edge, ticks }
    }

    /// What the numbers count.
    #[must_use]
    pub fn title(&self) -> String {
        match self.edge {
            1 => "Segments in a square point".to_owned(),
            edge => format!("Segments in {edge} × {edge} points"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DensityScale;

    #[test]
    fn ticks_are_round_numbers_between_the_ends_and_rise_along_the_tones() {
        for (least, most) in [(1e-4, 0.02), (0.001, 0.5), (1.0, 3000.0), (0.3, 0.4)] {
            let tone = |density: f32| (density / least).log2() / (most / least).log2();
            let scale = DensityScale::new(least, most, tone);
            let area = (scale.edge * scale.edge) as f32;
            assert!(
                scale.ticks.len() >= 2 && scale.ticks.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1),
                "{scale:?}"
            );
            for &(place, value) in &scale.ticks {
                assert!(value >= 0.99 * least * area && value <= 1.01 * most * area, "{scale:?}");
                assert!((place - tone(value / area)).abs() < 1e-4, "{scale:?}");
            }
        }
        assert_eq!(DensityScale::new(1.0, 3000.0, |_| 0.5).title(), "Segments in a square point");
        assert!(DensityScale::new(0.0, 0.0, |_| 0.0).ticks.is_empty() && DensityScale::new(f32::NAN, 1.0, |_| 0.0).ticks.is_empty());
    }
}
