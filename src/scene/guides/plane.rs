//! The guides of a plane: lines through the whole map, numbers at its lower and left border.

use glam::Vec2;

use super::{GuideLine, Guides, LineKind, MARGIN, TICK_SIZE, TITLE_SIZE, title};
use crate::scene::map::{MapSize, Scene};
use crate::scene::ticks::{Tick, Ticks};
use crate::scene::words::{Area, Measure};

/// Room for a number across and down, at least.
const SPACING: Vec2 = Vec2::new(90.0, 64.0);

pub(super) fn rule(guides: &mut Guides, scene: &Scene, map: MapSize, measure: Measure<'_>) {
    let low = scene.layout_from_screen(Vec2::new(0.0, map.height), map);
    let high = scene.layout_from_screen(Vec2::new(map.width, 0.0), map);
    let x_ticks = Ticks::between(scene.scalings[0], low.x, high.x, f64::from(map.width / SPACING.x));
    let y_ticks = Ticks::between(scene.scalings[1], low.y, high.y, f64::from(map.height / SPACING.y));
    let x_of = |tick: &Tick| ((tick.at - low.x) / (high.x - low.x)) as f32 * map.width;
    let y_of = |tick: &Tick| ((high.y - tick.at) / (high.y - low.y)) as f32 * map.height;
    for tick in &x_ticks.ticks {
        let x = x_of(tick);
        guides.lines.push(GuideLine { from: Vec2::new(x, 0.0), to: Vec2::new(x, map.height), kind: kind(tick) });
    }
    for tick in &y_ticks.ticks {
        let y = y_of(tick);
        guides.lines.push(GuideLine { from: Vec2::new(0.0, y), to: Vec2::new(map.width, y), kind: kind(tick) });
    }
    // What is strong is drawn over what is weak.
    guides.lines.sort_by_key(|line| line.kind);

    let tick_height = measure("0", TICK_SIZE).y;
    let row = map.height - MARGIN - tick_height;
    for axis in 0..2 {
        let text = title(scene, axis, [&x_ticks, &y_ticks][axis], map.width - 20.0, measure);
        let size = measure(&text, TITLE_SIZE);
        let at = if axis == 0 { Vec2::new(map.width - 10.0 - size.x, row - 4.0 - size.y) } else { Vec2::new(10.0, 8.0) };
        guides.write(text, Area::at(at, size).moved_onto(map, MARGIN), true, map);
    }
    // The rounder a number is, the sooner it has its place.
    for tick in by_roundness(&x_ticks.ticks) {
        let size = measure(&tick.text, TICK_SIZE);
        guides.write(tick.text.clone(), Area::at(Vec2::new(x_of(tick) - size.x * 0.5, row), size), false, map);
    }
    let sizes: Vec<Vec2> = y_ticks.ticks.iter().map(|tick| measure(&tick.text, TICK_SIZE)).collect();
    let edge = sizes.iter().fold(26.0, |widest: f32, size| widest.max(size.x)) + 8.0;
    for tick in by_roundness(&y_ticks.ticks) {
        let size = measure(&tick.text, TICK_SIZE);
        let area = Area::at(Vec2::new(edge - size.x, y_of(tick) - size.y * 0.5), size);
        // The row of the other axis' numbers stays theirs, so that nobody takes one for the other.
        if area.max.y < row - 2.0 {
            guides.write(tick.text.clone(), area, false, map);
        }
    }
}

fn kind(tick: &Tick) -> LineKind {
    match (tick.is_zero, tick.text.is_empty()) {
        (true, _) => LineKind::Axis,
        (false, true) => LineKind::Minor,
        (false, false) => LineKind::Grid,
    }
}

/// Ticks with numbers, zero and powers of ten first.
pub(super) fn by_roundness(ticks: &[Tick]) -> Vec<&Tick> {
    let rank = |tick: &&Tick| {
        let digits: Vec<char> =
            tick.text.chars().take_while(|&letter| letter != 'e').filter(|letter| ('1'..='9').contains(letter)).collect();
        (!tick.is_zero, digits != ['1'])
    };
    let mut told: Vec<&Tick> = ticks.iter().filter(|tick| !tick.text.is_empty()).collect();
    told.sort_by_key(rank);
    told
}
