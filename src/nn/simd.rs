//! The vector instructions of this computer's CPU, chosen at run time, so that the default build needs no `target-cpu`.
//!
//! [`pulp`] has the vectors; hot code is written once for any `S: Simd`, as an operation ([`WithSimd`]) whose functions are all
//! `#[inline(always)]`: only then is it compiled for the instructions that [`Cpu::run`] has found.

use std::any::TypeId;

use pulp::{Scalar128b, Simd, WithSimd};

/// A set of vector instructions that this computer has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cpu {
    /// 16 floats a vector.
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    /// 8 floats a vector.
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    /// 4 floats a vector.
    #[cfg(target_arch = "aarch64")]
    Neon(pulp::aarch64::Neon),
    /// 4 floats a vector, in whatever instructions the build may use; products are rounded before they are added.
    Plain,
}

impl Cpu {
    /// The widest set.
    pub(super) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(found) = pulp::x86::V4::try_new() {
                return Self::Avx512(found);
            }
            if let Some(found) = pulp::x86::V3::try_new() {
                return Self::Avx2(found);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if let Some(found) = pulp::aarch64::Neon::try_new() {
            return Self::Neon(found);
        }
        Self::Plain
    }

    /// Every set that this computer has.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        let mut all = vec![Self::Plain];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(pulp::x86::V3::try_new().map(Self::Avx2));
            all.extend(pulp::x86::V4::try_new().map(Self::Avx512));
        }
        #[cfg(target_arch = "aarch64")]
        all.extend(pulp::aarch64::Neon::try_new().map(Self::Neon));
        all
    }

    /// Floats in a vector.
    pub(super) fn lanes(self) -> usize {
        struct Lanes;
        impl WithSimd for Lanes {
            type Output = usize;
            #[inline(always)]
            fn with_simd<S: Simd>(self, _: S) -> usize {
                S::F32_LANES
            }
        }
        self.run(Lanes)
    }

    /// Carries an operation out with these instructions.
    #[inline]
    pub(super) fn run<Op: WithSimd>(self, op: Op) -> Op::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => Simd::vectorize(simd, op),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => Simd::vectorize(simd, op),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(simd) => Simd::vectorize(simd, op),
            Self::Plain => Simd::vectorize(Scalar128b, op),
        }
    }
}

/// `a * b + c`, rounded once where the CPU has an instruction for it.
#[inline(always)]
pub(super) fn fma<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
    // The compiler knows the answer. Without an instruction, a single rounding would be a call of the C library a number.
    if TypeId::of::<S>() == TypeId::of::<Scalar128b>() { simd.add_f32s(simd.mul_f32s(a, b), c) } else { simd.mul_add_f32s(a, b, c) }
}

/// The first vector of `values`, filled up with zeros if they are fewer.
#[inline(always)]
pub(super) fn load<S: Simd>(simd: S, values: &[f32]) -> S::f32s {
    match S::as_simd_f32s(values).0.first() {
        Some(&vector) => vector,
        None => simd.partial_load_f32s(values),
    }
}

/// Writes a vector, or as much of it as there is room for.
#[inline(always)]
pub(super) fn store<S: Simd>(simd: S, vector: S::f32s, into: &mut [f32]) {
    match S::as_mut_simd_f32s(into).0.first_mut() {
        Some(place) => *place = vector,
        None => simd.partial_store_f32s(into, vector),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a b + 1` on vectors, whole and in part.
    struct Fma<'a> {
        a: &'a [f32],
        b: &'a [f32],
        into: &'a mut [f32],
    }

    impl WithSimd for Fma<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            for first in (0..self.a.len()).step_by(S::F32_LANES) {
                let (a, b) = (load(simd, &self.a[first..]), load(simd, &self.b[first..]));
                store(simd, fma(simd, a, b, simd.splat_f32s(1.0)), &mut self.into[first..]);
            }
        }
    }

    #[test]
    fn every_instruction_set_loads_computes_and_stores_any_number_of_values() {
        assert!(Cpu::all().iter().any(|cpu| cpu.lanes() == Cpu::best().lanes()));
        for (cpu, count) in Cpu::all().into_iter().flat_map(|cpu| (0..40).map(move |count| (cpu, count))) {
            let a: Vec<f32> = (0..count).map(|i| i as f32 - 7.0).collect();
            let b: Vec<f32> = (0..count).map(|i| 0.5 * i as f32).collect();
            let mut found = vec![f32::NAN; count];
            cpu.run(Fma { a: &a, b: &b, into: &mut found });
            // Halves of small whole numbers: exact, however they are rounded.
            let expected: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a * b + 1.0).collect();
            assert_eq!(found, expected, "{cpu:?}");
        }
    }
}
