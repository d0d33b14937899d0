//! Loops compiled twice: for any processor, and for AVX2 where the one at hand has it.
//!
//! The body is the same, without fused multiply-add, so both forms give the same bits.

/// Defines `$name`, which runs `$body` (an `#[inline(always)]` function of the same signature) in
/// its AVX2 form when the processor has AVX2.
macro_rules! dispatch {
    ($(#[$doc:meta])* $vis:vis fn $name:ident$(<$(const $c:ident: $ct:ty),+>)?($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:ident) => {
        $(#[$doc])*
        $vis fn $name$(<$(const $c: $ct),+>)?($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                unsafe fn avx2$(<$(const $c: $ct),+>)?($($arg: $ty),*) $(-> $ret)? {
                    $body$(::<$($c),+>)?($($arg),*)
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has AVX2.
                    return unsafe { avx2$(::<$($c),+>)?($($arg),*) };
                }
            }
            $body$(::<$($c),+>)?($($arg),*)
        }
    };
}
pub(crate) use dispatch;

/// e^x to about two units in the last place, for x below 88; vectorises, unlike `f32::exp`.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2, then a polynomial of degree 6 in r (coefficients of
/// Cephes' expf).
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // 1.5 * 2^23: adding it rounds to a whole number and leaves that number in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN2_HIGH - n * LN2_LOW;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_2e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 5e-1;
    let fraction = p * r * r + r + 1.0;
    // A conversion to a whole number would check its range, and not vectorise.
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    fraction * power
}

/// Inner product in eight lanes.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; 8];
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    for (x, y) in a8.iter().zip(b8) {
        for l in 0..8 {
            lanes[l] += x[l] * y[l];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    let half = [0, 1, 2, 3].map(|l| lanes[l] + lanes[l + 4]);
    (half[0] + half[2]) + (half[1] + half[3]) + rest
}

/// `y += a x`
#[inline(always)]
pub fn axpy(a: f32, x: &[f32], y: &mut [f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_the_library() {
        for i in -87_000..88_000 {
            let x = i as f32 / 1000.0;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 4e-7, "exp({x}) is off by {error}");
        }
    }
}
