//! Round numbers along an axis, linear or logarithmic, and how they are written.

use super::scaling::Scaling;

/// One place on an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Where, as a coordinate of the layout.
    pub at: f64,
    /// The number to write there; empty for a minor line.
    pub text: String,
    /// Whether the value is 0.
    pub is_zero: bool,
}

/// The ticks of a stretch of an axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ticks {
    /// In order along the axis.
    pub ticks: Vec<Tick>,
    /// What is to be added to each number, where the numbers alone would be too long.
    pub offset: Option<String>,
}

/// Share of a step, or of a stretch, that is taken for rounding.
const ROUNDING: f64 = 1e-6;
/// Significant digits of a number beyond which what all numbers share is told once.
const LONGEST: i32 = 8;
/// Ticks of one axis, at most.
const MOST: usize = 400;
/// A logarithmic stretch of fewer decades than this has linear steps.
const LINEAR_BELOW: f64 = 0.8;

impl Ticks {
    /// Ticks between two coordinates, about `wanted` of them with numbers.
    #[must_use]
    pub fn between(scaling: Scaling, low: f64, high: f64, wanted: f64) -> Self {
        let wanted = wanted.max(1.0);
        if !(low.is_finite() && high.is_finite() && low < high) {
            return Self::default();
        }
        if scaling.is_logarithmic() && high - low >= LINEAR_BELOW {
            return Self { ticks: decades(scaling, low, high, wanted), offset: None };
        }
        let mut found = linear(scaling.value(low), scaling.value(high), wanted);
        for tick in &mut found.ticks {
            tick.at = place(scaling, tick.at);
        }
        // What rounding put just outside is at the end.
        let slack = (high - low) * ROUNDING;
        found.ticks.retain(|tick| tick.at >= low - slack && tick.at <= high + slack);
        found.ticks.iter_mut().for_each(|tick| tick.at = tick.at.clamp(low, high));
        found
    }
}

/// Where a number stands; an axis goes on below its floor, though no row lies there.
fn place(scaling: Scaling, value: f64) -> f64 {
    if matches!(scaling, Scaling::Log { .. }) { value.log10() } else { scaling.coordinate(value) }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn linear(low: f64, high: f64, wanted: f64) -> Ticks {
    let largest = low.abs().max(high.abs());
    let rough = (high - low) / wanted;
    // Beyond what f64 holds apart there is nothing to count.
    if !rough.is_finite() || rough < largest * 1e-14 || rough < 1e-300 {
        return Ticks::default();
    }
    let mut power = rough.log10().floor() as i32;
    let mantissa = [1i64, 2, 5].into_iter().find(|&m| m as f64 * ten_to(power) >= rough * 0.999).unwrap_or_else(|| {
        power += 1;
        1
    });
    let unit = ten_to(power);
    let step = mantissa as f64 * unit;
    let (first, last) = ((low / step - ROUNDING).ceil() as i64, (high / step + ROUNDING).floor() as i64);
    // In units of the power of ten, which are whole numbers.
    let numbers: Vec<i64> = (first..=last).take(MOST).map(|i| i * mantissa).collect();
    let digits = largest.log10().floor() as i32 - power;
    let Some((&least, &most)) = numbers.first().zip(numbers.last()) else { return Ticks::default() };
    let digits_apart = ((most - least).unsigned_abs() + 1).ilog10() + 1;
    let shared = if digits >= LONGEST { least.div_euclid(10i64.pow(digits_apart)) * 10i64.pow(digits_apart) } else { 0 };
    let at = |number: i64| if power < 0 { number as f64 / ten_to(-power) } else { number as f64 * unit };
    let ticks = numbers.iter().map(|&number| {
        let text = if shared == 0 { written(number, power, largest) } else { signed(number - shared, power) };
        Tick { at: at(number), text, is_zero: number == 0 }
    });
    Ticks { ticks: ticks.collect(), offset: (shared != 0).then(|| trimmed(at(shared), (-power - digits_apart as i32).max(0))) }
}

/// Powers of ten, and what lies between them.
fn decades(scaling: Scaling, low: f64, high: f64, wanted: f64) -> Vec<Tick> {
    // How many numbers there is room for in a decade; below one, decades are left out.
    let room = wanted / (high - low);
    let every = if room >= 1.0 { 1 } else { [2, 3, 5, 10, 20, 50].into_iter().find(|&n| f64::from(n) * room >= 1.0).unwrap_or(100) };
    let (value_low, value_high) = (scaling.value(low), scaling.value(high));
    // Powers of the unit: 1, or the threshold, below which symmetric axes have no decades.
    let (unit, range) = match scaling {
        Scaling::SymLog { threshold } => {
            let unit = f64::from(threshold);
            let top = value_low.abs().max(value_high.abs());
            ((unit.log10().round() as i32), 0..=(top / unit).max(1.0).log10().floor() as i32)
        }
        _ => (0, low.floor() as i32..=high.floor() as i32),
    };
    let mut ticks = Vec::new();
    let mut push = |mantissa: i32, power: i32, is_told: bool| {
        let value = if power < 0 { f64::from(mantissa) / ten_to(-power) } else { f64::from(mantissa) * ten_to(power) };
        let at = place(scaling, value);
        if at >= low && at <= high && at.is_finite() && ticks.len() < MOST {
            let text = if is_told { short(value) } else { String::new() };
            ticks.push(Tick { at, text, is_zero: mantissa == 0 });
        }
    };
    let signs: &[i32] = if matches!(scaling, Scaling::SymLog { .. }) { &[1, -1] } else { &[1] };
    if signs.len() > 1 {
        push(0, 0, true);
    }
    for power in range {
        let is_told = power.rem_euclid(every) == 0;
        for &sign in signs {
            if is_told || every <= 10 {
                push(sign, power + unit, is_told);
            }
            if room >= 1.5 {
                (2..=9).for_each(|mantissa| push(sign * mantissa, power + unit, room >= 3.2 && matches!(mantissa, 2 | 5)));
            }
        }
    }
    ticks.sort_by(|a, b| a.at.total_cmp(&b.at));
    ticks
}

fn ten_to(power: i32) -> f64 {
    10f64.powi(power)
}

/// `number` times a power of ten, of an axis whose largest value is `largest`.
fn written(number: i64, power: i32, largest: f64) -> String {
    if number == 0 {
        return "0".into();
    }
    let size = largest.log10().floor() as i32;
    if power >= -7 && (-5..7).contains(&size) {
        let value = if power < 0 { number as f64 / ten_to(-power) } else { number as f64 * ten_to(power) };
        return minus(format!("{value:.*}", (-power).max(0) as usize));
    }
    let digits = number.unsigned_abs().ilog10() as i32;
    let mantissa = number as f64 / ten_to(digits);
    let text = format!("{mantissa:.*}", digits as usize);
    minus(format!("{}e{}", text.trim_end_matches('0').trim_end_matches('.'), digits + power)).replace(".e", "e")
}

/// What is added to a shared offset.
fn signed(number: i64, power: i32) -> String {
    match number {
        0 => "+0".into(),
        n if n > 0 => format!("+{}", written(n, power, 0.0)),
        n => written(n, power, 0.0),
    }
}

/// A value with so many decimals, but no zeros at their end.
fn trimmed(value: f64, decimals: i32) -> String {
    let text = format!("{value:.*}", decimals as usize);
    minus(if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text })
}

/// A single value in few characters: a number as people write it, and beyond that with an exponent.
#[must_use]
pub fn short(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".into()
    } else if (1e-6..1e6).contains(&(size * 1.000_000_1)) {
        // Two significant digits, and all that stand before the point.
        trimmed(value, (1 - size.log10().floor() as i32).max(0))
    } else {
        let text = format!("{value:.1e}");
        minus(text.replace(".0e", "e"))
    }
}

fn minus(text: String) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scaling: Scaling, low: f64, high: f64, wanted: f64) -> Vec<String> {
        Ticks::between(scaling, low, high, wanted).ticks.into_iter().map(|tick| tick.text).filter(|text| !text.is_empty()).collect()
    }

    const LOG: Scaling = Scaling::Log { floor: 1e-7, has_zeros: true };

    #[test]
    fn linear_ticks_are_round_inside_and_written_alike() {
        assert_eq!(texts(Scaling::Linear, 0.0, 1.0, 5.0), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(Scaling::Linear, -7.0, 12.0, 4.0), ["−5", "0", "5", "10"]);
        assert_eq!(texts(Scaling::Linear, 0.0, 4e7, 4.0), ["0", "1e7", "2e7", "3e7", "4e7"]);
        assert_eq!(texts(Scaling::Linear, 0.0, 3e-8, 3.0), ["0", "1e−8", "2e−8", "3e−8"]);
        for (low, high) in [(1.0, 1.0), (f64::NAN, 1.0), (1.0, 0.0), (0.0, f64::INFINITY)] {
            assert_eq!(Ticks::between(Scaling::Linear, low, high, 4.0), Ticks::default());
        }
    }

    #[test]
    fn however_near_the_eye_is_numbers_differ_and_are_short() {
        for center in [0.0, 12.345_678_9, -0.001_234_5, 123_456.0, 3.0e9, -7.7e-9] {
            for power in -16..10 {
                let half = 10f64.powi(power) * 3.3;
                let ticks = Ticks::between(Scaling::Linear, center - half, center + half, 6.0);
                if half < center.abs() * 1e-12 {
                    continue;
                }
                assert!((3..=14).contains(&ticks.ticks.len()), "{center} {half}: {ticks:?}");
                assert!(
                    ticks.ticks.windows(2).all(|pair| pair[0].text != pair[1].text && pair[0].at < pair[1].at),
                    "{center} {half}: {ticks:?}"
                );
                assert!(ticks.ticks.iter().all(|tick| tick.text.chars().count() <= 14), "{center} {half}: {ticks:?}");
            }
        }
        let near = Ticks::between(Scaling::Linear, 12.345_678_0, 12.345_678_4, 4.0);
        assert_eq!(near.offset.as_deref(), Some("12.345678"), "{near:?}");
        assert_eq!(near.ticks[1].text, "+1e−7", "{near:?}");
    }

    #[test]
    fn a_logarithmic_axis_has_decades_written_as_numbers() {
        assert_eq!(texts(LOG, -3.0, 0.0, 4.0), ["0.001", "0.01", "0.1", "1"]);
        assert_eq!(texts(LOG, -2.0, 0.0, 8.0), ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"]);
        assert_eq!(texts(LOG, -6.0, 0.0, 3.5), ["0.000001", "0.0001", "0.01", "1"]);
        let ticks = Ticks::between(LOG, -2.0, 0.0, 5.0).ticks;
        assert_eq!(ticks.iter().filter(|tick| tick.text.is_empty()).count(), 16, "minor lines at 2 to 9");
        // Within a decade numbers are even steps of the value.
        assert_eq!(texts(LOG, 0.2f64.log10(), 0.6f64.log10(), 4.0), ["0.2", "0.3", "0.4", "0.5", "0.6"]);
        assert_eq!(texts(LOG, -20.0, 0.0, 5.0), ["1e−20", "1e−15", "1e−10", "0.00001", "1"]);
        let symmetric = Scaling::SymLog { threshold: 0.1 };
        assert_eq!(texts(symmetric, symmetric.coordinate(-12.0), symmetric.coordinate(1.5), 5.0), ["−10", "−1", "−0.1", "0", "0.1", "1"]);
    }

    #[test]
    fn every_tick_lies_at_its_value() {
        let mut compared = 0;
        for scaling in [Scaling::Linear, LOG, Scaling::SymLog { threshold: 0.01 }] {
            for (low, high) in [(-5.0, 1.0), (-0.9, -0.2), (-0.05, 3.0)] {
                for tick in Ticks::between(scaling, low, high, 7.0).ticks {
                    assert!((low..=high).contains(&tick.at));
                    if let Ok(value) = tick.text.replace('−', "-").parse::<f64>() {
                        assert!((scaling.value(tick.at) - value).abs() <= 1e-6 * value.abs().max(1e-3), "{scaling:?} {tick:?}");
                        compared += 1;
                    }
                }
            }
        }
        assert!(compared > 40, "{compared} ticks with numbers");
    }

    #[test]
    fn single_values_are_short() {
        let cases = [
            (0.0, "0"),
            (1.0, "1"),
            (0.001, "0.001"),
            (1e-6, "0.000001"),
            (5.96e-8, "6e−8"),
            (5.46e-8, "5.5e−8"),
            (-0.25, "−0.25"),
            (1e7, "1e7"),
            (123.0, "123"),
        ];
        for (value, text) in cases {
            assert_eq!(short(value), text);
        }
    }
}
