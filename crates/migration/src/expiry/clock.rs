//! A server's clock, seen through TIME.

/// One TIME command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSample {
    /// Just before the command was sent, in microseconds of the local monotonic clock.
    pub sent_us: u64,
    /// Just after the reply was read, on the same clock.
    pub received_us: u64,
    /// The reply, in microseconds since the epoch of 1970.
    pub server_us: u64,
}

/// How far a server's clock is ahead of the local monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Server's microseconds since 1970 less local microseconds.
    pub offset_us: i64,
    /// The true offset is within this of `offset_us`: half the best round trip, or less.
    pub error_us: u64,
}

impl Clock {
    /// The best estimate from some samples taken within a few seconds; about five are enough.
    ///
    /// The server looked at its clock somewhere between sending and receiving, so each sample bounds
    /// the offset. The quickest is trusted first, and each other that does not contradict it narrows the bound.
    /// `None` without a usable sample.
    pub fn estimate(samples: &[ClockSample]) -> Option<Clock> {
        let mut bounds: Vec<Bounds> = samples.iter().filter_map(Bounds::of).collect();
        bounds.sort_by_key(Bounds::width);
        let (best, others) = bounds.split_first()?;
        others.iter().fold(*best, |narrowed, other| narrowed.intersect(*other).unwrap_or(narrowed)).clock()
    }

    /// The server's clock, in microseconds since 1970, somewhere in an interval of local time:
    /// the earliest and the latest it can have shown.
    pub fn server_interval_us(&self, local_us: (u64, u64)) -> (u64, u64) {
        let (offset, error) = (i128::from(self.offset_us), i128::from(self.error_us));
        (
            saturating_u64(i128::from(local_us.0) + offset - error),
            saturating_u64(i128::from(local_us.1) + offset + error),
        )
    }
}

/// Whether two estimates of one server's clock, made at different times, exclude each other: the
/// clock was set, or runs at another speed, and deadlines need a new estimate.
pub fn drifted(earlier: &Clock, later: &Clock) -> bool {
    earlier.offset_us.abs_diff(later.offset_us) > earlier.error_us.saturating_add(later.error_us)
}

/// The offset is in `low..=high`.
#[derive(Clone, Copy)]
struct Bounds {
    low: i128,
    high: i128,
}

impl Bounds {
    fn of(sample: &ClockSample) -> Option<Bounds> {
        if sample.received_us < sample.sent_us {
            return None;
        }
        // Both clocks drop what is below a microsecond, hence one more on either side.
        let server = i128::from(sample.server_us);
        Some(Bounds {
            low: server - i128::from(sample.received_us) - 1,
            high: server - i128::from(sample.sent_us) + 1,
        })
    }

    fn width(&self) -> i128 {
        self.high - self.low
    }

    fn intersect(self, other: Bounds) -> Option<Bounds> {
        let both = Bounds { low: self.low.max(other.low), high: self.high.min(other.high) };
        (both.low <= both.high).then_some(both)
    }

    /// `None` when a sample is so absurd that the offset does not fit.
    fn clock(self) -> Option<Clock> {
        let middle = self.low + self.width() / 2;
        Some(Clock {
            offset_us: i64::try_from(middle).ok()?,
            error_us: u64::try_from((self.high - middle).max(middle - self.low)).ok()?,
        })
    }
}

fn saturating_u64(value: i128) -> u64 {
    u64::try_from(value.max(0)).unwrap_or(u64::MAX)
}
