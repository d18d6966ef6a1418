//! Median and range of a few measurements.

/// Sorted measurements.
#[derive(Debug, Clone)]
pub struct Spread {
    sorted: Vec<f64>,
}

impl Spread {
    /// Of any numbers, in any order.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Spread {
        let mut sorted: Vec<f64> = numbers.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Spread { sorted }
    }

    /// The middle one, or the mean of the two in the middle. NaN without measurements.
    pub fn median(&self) -> f64 {
        let half = self.sorted.len() / 2;
        match self.sorted.len() {
            0 => f64::NAN,
            odd if odd % 2 == 1 => self.sorted[half],
            _ => (self.sorted[half - 1] + self.sorted[half]) / 2.0,
        }
    }

    /// `median (least-greatest)`; the median alone when there is only one.
    pub fn shown(&self) -> String {
        match &self.sorted[..] {
            [] => "-".to_owned(),
            [one] => format!("{one:.2}"),
            [least, .., greatest] => format!("{:.2} ({least:.2}-{greatest:.2})", self.median()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]).median(), 2.0);
        assert_eq!(Spread::of([4.0, 1.0]).median(), 2.5);
        assert!(Spread::of([]).median().is_nan());
        assert_eq!(Spread::of([3.0, 1.0, 2.0]).shown(), "2.00 (1.00-3.00)");
        assert_eq!(Spread::of([1.0]).shown(), "1.00");
    }
}
