//! The length of a difference.

/// Sums side by side: in `f64`, in an order that does not depend on the machine.
const LANES: usize = 8;

/// |a - b|, summed in `f64`.
#[must_use]
pub fn distance(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0_f64; LANES];
    let ((a, a_left), (b, b_left)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            let difference = f64::from(a[lane]) - f64::from(b[lane]);
            sums[lane] += difference * difference;
        }
    }
    let left: f64 = a_left.iter().zip(b_left).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    (sums.iter().sum::<f64>() + left).sqrt()
}
