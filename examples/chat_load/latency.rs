//! How long deliveries took: a histogram with buckets of an eighth of an octave, which all clients fill at once.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::numbers::readable;

/// Buckets from one power of two to the next: a bucket's ends differ by an eighth at most.
const PER_OCTAVE: u64 = 8;

/// Up to `u64::MAX` nanoseconds.
const BUCKETS: usize = 64 * PER_OCTAVE as usize;

/// Numbers of deliveries by the time they took.
pub(crate) struct Latency {
    buckets: Vec<AtomicU64>,
    max: AtomicU64,
}

impl Latency {
    pub(crate) fn new() -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            max: AtomicU64::new(0),
        }
    }

    /// Enters a delivery.
    pub(crate) fn add(&self, nanoseconds: u64) {
        self.buckets[bucket(nanoseconds)].fetch_add(1, Ordering::Relaxed);
        if nanoseconds > self.max.load(Ordering::Relaxed) {
            self.max.fetch_max(nanoseconds, Ordering::Relaxed);
        }
    }

    /// Within which time so large a part of the deliveries came.
    pub(crate) fn percentile(&self, part: f64) -> Duration {
        let counts = self.counts();
        let wanted = (counts.iter().sum::<u64>() as f64 * part).ceil() as u64;
        let mut sum = 0;
        let found = counts.iter().position(|count| {
            sum += count;
            sum >= wanted.max(1)
        });
        let max = self.max.load(Ordering::Relaxed);
        Duration::from_nanos(found.map_or(0, |bucket| begin(bucket + 1).min(max)))
    }

    fn counts(&self) -> Vec<u64> {
        let counts = self.buckets.iter();
        counts.map(|count| count.load(Ordering::Relaxed)).collect()
    }

    /// The histogram as a picture.
    pub(crate) fn svg(&self, title: &str) -> String {
        const WIDTH: f64 = 720.0;
        const HEIGHT: f64 = 300.0;
        let counts = self.counts();
        let first = counts.iter().position(|&count| count > 0).unwrap_or(0);
        let last = counts.iter().rposition(|&count| count > 0).unwrap_or(0);
        let most = counts.iter().max().copied().unwrap_or(0).max(1);
        let step = WIDTH / (last + 1 - first) as f64;
        let place =
            |nanoseconds: u64| step * (bucket(nanoseconds).clamp(first, last) - first) as f64;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-20 -50 {} {}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect x=\"-20\" y=\"-50\" width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
             <text y=\"-32\" font-size=\"14\">{title}</text>\n",
            WIDTH + 40.0,
            HEIGHT + 90.0,
        );
        let infallible = "a String takes all";
        for (index, &count) in counts[first..=last].iter().enumerate() {
            let height = HEIGHT * count as f64 / most as f64;
            writeln!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"#2f6fdf\"><title>{} to {}: {count}</title></rect>",
                step * index as f64,
                HEIGHT - height,
                (step - 1.0).max(0.5),
                readable(Duration::from_nanos(begin(first + index))),
                readable(Duration::from_nanos(begin(first + index + 1))),
            )
            .expect(infallible);
        }
        for (row, (name, part)) in [("half", 0.5), ("99 %", 0.99), ("99.9 %", 0.999)]
            .into_iter()
            .enumerate()
        {
            let time = self.percentile(part);
            let x = place(time.as_nanos() as u64) + step / 2.0;
            let y = row as f64 * 14.0 - 12.0;
            let (anchor, shift) = if x > WIDTH / 2.0 {
                ("end", -4.0)
            } else {
                ("start", 4.0)
            };
            writeln!(
                svg,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{y}\" y2=\"{HEIGHT}\" stroke=\"#b93222\" stroke-dasharray=\"3\"/>\
                 <text x=\"{:.1}\" y=\"{}\" text-anchor=\"{anchor}\" fill=\"#b93222\">{name}: {}</text>",
                x + shift,
                y + 8.0,
                readable(time),
            )
            .expect(infallible);
        }
        // A mark for each power of ten that is in the picture.
        for exponent in 3..=11 {
            let time = 10_u64.pow(exponent);
            if (begin(first)..=begin(last + 1)).contains(&time) {
                let x = place(time);
                writeln!(
                    svg,
                    "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{HEIGHT}\" y2=\"{}\" stroke=\"#1d2129\"/>\
                     <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                    HEIGHT + 6.0,
                    HEIGHT + 20.0,
                    readable(Duration::from_nanos(time)),
                )
                .expect(infallible);
            }
        }
        svg + "</svg>\n"
    }
}

/// The bucket of a time.
fn bucket(nanoseconds: u64) -> usize {
    if nanoseconds < PER_OCTAVE {
        return nanoseconds as usize;
    }
    let octave = u64::from(nanoseconds.ilog2() - PER_OCTAVE.ilog2());
    (octave * PER_OCTAVE + (nanoseconds >> octave)) as usize
}

/// The shortest time in a bucket.
fn begin(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * PER_OCTAVE {
        return bucket;
    }
    let octave = bucket / PER_OCTAVE - 1;
    let within = PER_OCTAVE + bucket % PER_OCTAVE;
    within.checked_shl(octave as u32).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_in_its_bucket_and_each_bucket_is_narrow() {
        for exponent in 0..63 {
            for time in [
                1 << exponent,
                (1 << exponent) + 1,
                (1_u64 << exponent) * 3 / 2,
            ] {
                let bucket = bucket(time);
                assert!(begin(bucket) <= time && time < begin(bucket + 1), "{time}");
                assert!(begin(bucket + 1) - begin(bucket) <= time.div_ceil(PER_OCTAVE));
            }
        }
        assert!(bucket(u64::MAX) < BUCKETS);
    }

    #[test]
    fn percentiles_count_from_below() {
        let latency = Latency::new();
        (1..=1000).for_each(|microseconds| latency.add(microseconds * 1000));
        for (part, expected) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = latency.percentile(part).as_nanos() as f64 / 1000.0;
            assert!(
                (expected..expected * 1.13).contains(&found),
                "{part}: {found}"
            );
        }
        assert!(latency.svg("t").ends_with("</svg>\n"));
    }
}
