//! How long colours of many rows take, from values in memory to a column for the GPU: `cargo run --release --example coloring_speed [ROWS]`.

use std::time::Instant;

use tagscape::catalog::{TrackId, TrackRows};
use tagscape::scene::coloring::{Classes, Column, Measure, Numbers, Values};
use tagscape::scene::crowding::crowding;
use tagscape::scene::{Bounds, Coloring, Dimensions, RowColors, Theme};
use tagscape::seed::SplitMix64;

/// Rows of a track.
const TRACK_ROWS: usize = 81;

fn main() {
    let rows: usize = std::env::args().nth(1).and_then(|rows| rows.parse().ok()).unwrap_or(4_501_763);
    let mut seed = SplitMix64::new(1);
    let places: Vec<[f32; 3]> = (0..rows).map(|_| [seed.next_normal(), seed.next_normal(), seed.next_normal()]).collect();
    let tracks: Vec<TrackRows> = (1..)
        .zip((0..rows).step_by(TRACK_ROWS))
        .map(|(track, first_row)| TrackRows { track: TrackId(track), first_row, row_count: TRACK_ROWS.min(rows - first_row) })
        .collect();
    let time = |name: &str, make: &dyn Fn() -> Values| {
        let start = Instant::now();
        let coloring = Coloring { title: String::new(), values: make() };
        let made = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let colors = RowColors::new(&coloring, Theme::Dark, &tracks, rows);
        println!(
            "{name}: values {:.1} ms, colours {:.1} ms, {} rows",
            made * 1e3,
            start.elapsed().as_secs_f64() * 1e3,
            colors.of_rows.len()
        );
    };
    time("none", &|| Values::None);
    time(&format!("{} tracks", tracks.len()), &|| {
        Values::Classes(Classes::tracks(tracks.iter().map(|track| (track.track.0.to_string(), track.row_count))))
    });
    let numbers: Vec<i64> = (0..rows).map(|row| (row % 65_536) as i64).collect();
    time("65,536 classes a row", &|| Values::Classes(Classes::of_rows(&numbers)));
    time("numbers", &|| Values::Numbers(Numbers::robust(Column::Rows(places.iter().map(|place| place[0]).collect()), Measure::Plain)));
    time("places", &|| Coloring::places(String::new(), &places).values);
    for dimensions in [Dimensions::Two, Dimensions::Three] {
        time(&format!("density, {dimensions:?}"), &|| {
            Values::Numbers(Numbers::whole(Column::Rows(crowding(&places, Bounds::of(&places), dimensions)), Measure::LogCount))
        });
    }
}
