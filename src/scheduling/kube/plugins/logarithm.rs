//! The natural logarithm, to the bit as upstream's.

/// The natural logarithm of a number from 2, term by term as Go's `math.Log` takes it (FreeBSD's
/// `e_log.c`), so that the last bit agrees.
pub(super) fn logarithm(x: f64) -> f64 {
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const L: [f64; 7] = [
        0.6666666666666735,
        0.3999999999940942,
        0.2857142874366239,
        0.22222198432149784,
        0.1818357216161805,
        0.15313837699209373,
        0.14798198605116586,
    ];
    let (mut mantissa, mut exponent) = libm::frexp(x);
    if mantissa < std::f64::consts::FRAC_1_SQRT_2 {
        mantissa *= 2.0;
        exponent -= 1;
    }
    let (f, k) = (mantissa - 1.0, f64::from(exponent));
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let odd = s2 * (L[0] + s4 * (L[2] + s4 * (L[4] + s4 * L[6])));
    let even = s4 * (L[1] + s4 * (L[3] + s4 * L[5]));
    let half = 0.5 * f * f;
    k * LN2_HIGH - ((half - (s * (half + (odd + even)) + k * LN2_LOW)) - f)
}

#[cfg(test)]
mod tests {
    use super::logarithm;

    #[test]
    fn the_logarithm_is_that_of_go() {
        // The weights that upstream takes for 1 and 3 domains.
        assert_eq!(logarithm(3.0).to_bits(), 1.098_612_288_668_109_6_f64.to_bits());
        assert_eq!(logarithm(5.0).to_bits(), 1.609_437_912_434_100_3_f64.to_bits());
        for number in 2..10_000 {
            let x = f64::from(number);
            assert!((logarithm(x) - libm::log(x)).abs() < 4e-15, "{number}");
        }
    }
}
