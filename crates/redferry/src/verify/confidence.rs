//! What a sample says about all keys: the exact interval of Clopper and Pearson for a share, whose ends are quantiles
//! of the beta distribution. With none of n differing its upper end is 1 - 0.05^(1/n), about 3/n.

/// Chance that an interval does not hold the share.
const MISSED: f64 = 0.05;

/// With 95 % confidence the share of differing keys is within: at most the upper end when none of the sample
/// differs. A sample of nothing says nothing.
pub(super) fn interval(differing: u64, looked_at: u64) -> (f64, f64) {
    let (k, n) = (differing.min(looked_at) as f64, looked_at as f64);
    // One side is certain already when none or all differ: the whole chance of a miss goes to the other.
    let each_side = if k == 0.0 || k == n { MISSED } else { MISSED / 2.0 };
    let lower = if k == 0.0 { 0.0 } else { beta_quantile(each_side, k, n - k + 1.0) };
    let upper = if k == n { 1.0 } else { beta_quantile(1.0 - each_side, k + 1.0, n - k) };
    (lower, upper)
}

/// By bisection: the distribution rises from 0 to 1.
fn beta_quantile(chance: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    // Down to a share of 1e-13, with more than enough digits of it.
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if beta_distribution(middle, a, b) < chance {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// The regularised incomplete beta function by its continued fraction (Abramowitz and Stegun 26.5.8), which
/// converges fast on the lower side of the mean; the other side by symmetry.
fn beta_distribution(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_distribution(1.0 - x, b, a);
    }
    let front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p();
    front.exp() / a / continued_fraction(x, a, b)
}

/// 1 + d1/(1 + d2/(1 + ...)), by the method of Lentz.
fn continued_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut fraction, mut c, mut d) = (1.0, 1.0, 0.0);
    for step in 1..200_000_u32 {
        let m = f64::from(step / 2);
        let term = if step % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        d = 1.0 / away_from_zero(1.0 + term * d);
        c = away_from_zero(1.0 + term / c);
        fraction *= c * d;
        if (c * d - 1.0).abs() < 1e-12 {
            break;
        }
    }
    fraction
}

/// The logarithm of the gamma function for 1 and more, by Stirling's series (Abramowitz and Stegun 6.1.41), of which
/// four terms are exact to 1e-12 from 10 on.
fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 10.0 {
        shift += x.ln();
        x += 1.0;
    }
    let square = x * x;
    let series =
        (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square) / x;
    (x - 0.5) * x.ln() - x + (2.0 * std::f64::consts::PI).ln() / 2.0 + series - shift
}

/// A share as a percentage of two digits, rounded away from the good news: up.
pub(super) fn at_most(share: f64) -> String {
    percentage(share, f64::ceil)
}

/// The same, rounded down.
pub(super) fn at_least(share: f64) -> String {
    percentage(share, f64::floor)
}

/// The same, rounded to the nearest.
pub(super) fn about(share: f64) -> String {
    percentage(share, f64::round)
}

fn percentage(share: f64, round: fn(f64) -> f64) -> String {
    let percent = share * 100.0;
    if percent <= 0.0 {
        return "0 %".into();
    }
    let decimals = (1.0 - percent.log10().floor()).clamp(0.0, 12.0) as usize;
    let scale = 10_f64.powi(decimals as i32);
    // What floating point adds to a round number is no reason to round it up.
    let rounded = round((percent * scale * 1e6).round() / 1e6) / scale;
    format!("{rounded:.decimals$} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() <= expected * 1e-6 + 1e-12, "{found} is not {expected}");
    }

    #[test]
    fn none_that_differs_is_the_rule_of_three() {
        for n in [1, 2, 10, 300, 5_000, 1_000_000] {
            let (lower, upper) = interval(0, n);
            near(upper, 1.0 - 0.05_f64.powf(1.0 / n as f64));
            assert_eq!(lower, 0.0);
        }
        near(interval(0, 100_000_000).1, 20_f64.ln() / 1e8);
        assert_eq!(interval(0, 0), (0.0, 1.0));
    }

    /// Worked out apart from this code, by bisection on sums of the binomial distribution.
    #[test]
    fn known_intervals() {
        for (k, n, lower, upper) in [
            (1, 10, 0.002_528_578_54, 0.445_016_117),
            (5, 10, 0.187_086_028, 0.812_913_972),
            (7, 300, 0.009_431_502_06, 0.047_482_565_0),
        ] {
            let found = interval(k, n);
            near(found.0, lower);
            near(found.1, upper);
        }
        near(interval(10, 10).0, 0.05_f64.powf(0.1));
        assert_eq!(interval(10, 10).1, 1.0);
    }

    /// The definition itself: at the ends, as few or as many as were found come in one of forty samples.
    #[test]
    fn the_ends_are_where_the_binomial_distribution_says() {
        for (k, n) in [(1_u64, 20_u64), (3, 50), (19, 20), (40, 300)] {
            let (lower, upper) = interval(k, n);
            let chance = |p: f64, range: std::ops::RangeInclusive<u64>| -> f64 {
                range
                    .map(|i| {
                        let ways = ln_gamma(n as f64 + 1.0)
                            - ln_gamma(i as f64 + 1.0)
                            - ln_gamma((n - i) as f64 + 1.0);
                        (ways + i as f64 * p.ln() + (n - i) as f64 * (1.0 - p).ln()).exp()
                    })
                    .sum()
            };
            near(chance(upper, 0..=k), 0.025);
            near(chance(lower, k..=n), 0.025);
        }
    }

    #[test]
    fn percentages_have_two_digits_and_do_not_flatter() {
        assert_eq!((at_most(0.009_936).as_str(), at_least(0.009_936).as_str()), ("1.00 %", "0.99 %"));
        assert_eq!((at_most(0.01).as_str(), about(0.01).as_str()), ("1.0 %", "1.0 %"));
        assert_eq!((at_most(0.000_029_9).as_str(), at_most(1.0).as_str()), ("0.0030 %", "100 %"));
        assert_eq!(
            (about(0.234_5).as_str(), at_most(0.0).as_str(), at_most(0.123).as_str()),
            ("23 %", "0 %", "13 %")
        );
    }
}
