//! Durations, counted in fixed buckets.

use std::time::Duration;

/// The upper ends of the buckets, in microseconds: from what a sync takes to what people notice.
const ENDS: [u64; 16] = [
    500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000,
    30_000_000, 60_000_000,
];

/// Counts of durations by bucket, with their sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// The counts of each bucket alone; the last one is for longer durations.
    counts: [u64; ENDS.len() + 1],
    /// The sum of all durations, in microseconds.
    sum: u64,
}

impl Histogram {
    /// Counts a duration in its bucket.
    pub fn observe(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = ENDS.partition_point(|end| *end < micros);
        self.counts[bucket] += 1;
        self.sum = self.sum.saturating_add(micros);
    }

    /// The number of durations.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of all durations in seconds.
    #[allow(clippy::cast_precision_loss, reason = "a sum for people may be off by a microsecond")]
    pub fn seconds(&self) -> f64 {
        self.sum as f64 / 1e6
    }

    /// The upper ends of the buckets in seconds, each with the number of durations up to it. The last bucket, without an end, is
    /// not among them.
    #[allow(clippy::cast_precision_loss, reason = "the ends are small numbers")]
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        let mut so_far = 0;
        ENDS.iter().zip(self.counts).map(move |(end, count)| {
            so_far += count;
            (*end as f64 / 1e6, so_far)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_its_bucket_and_all_longer_ones() {
        let mut histogram = Histogram::default();
        for micros in [500, 501, 70_000_000] {
            histogram.observe(Duration::from_micros(micros));
        }
        let buckets: Vec<(f64, u64)> = histogram.buckets().collect();
        assert_eq!((buckets[0], buckets[1], *buckets.last().unwrap()), ((0.0005, 1), (0.001, 2), (60.0, 2)));
        assert_eq!((histogram.count(), histogram.seconds()), (3, 70.001_001));
    }
}
