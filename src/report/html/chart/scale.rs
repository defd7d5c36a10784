//! From figures to places: linear and logarithmic scales and their ticks.

/// A scale from a range of figures to a range of places.
#[derive(Clone, Copy, Debug)]
pub(in crate::report::html) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    logarithmic: bool,
}

impl Scale {
    /// Linear.
    pub(in crate::report::html) fn linear(figures: (f64, f64), places: (f64, f64)) -> Scale {
        let high = if figures.1 > figures.0 { figures.1 } else { figures.0 + 1.0 };
        Scale { low: figures.0, high, from: places.0, to: places.1, logarithmic: false }
    }

    /// Logarithmic, for figures above zero.
    pub(in crate::report::html) fn log(figures: (f64, f64), places: (f64, f64)) -> Scale {
        let low = figures.0.max(f64::MIN_POSITIVE);
        let high = if figures.1 > low { figures.1 } else { low * 10.0 };
        Scale { low, high, from: places.0, to: places.1, logarithmic: true }
    }

    /// For a time: logarithmic if the highest is more than eight times the lowest, else linear from zero.
    pub(in crate::report::html) fn for_times(figures: (f64, f64), places: (f64, f64)) -> Scale {
        if figures.1 > figures.0 * 8.0 && figures.0 > 0.0 {
            Scale::log((figures.0 * 0.88, figures.1 * 1.12), places)
        } else {
            Scale::linear((0.0, figures.1 * 1.12), places)
        }
    }

    /// The place of `figure`, kept within the scale.
    pub(in crate::report::html) fn at(&self, figure: f64) -> f64 {
        let figure = figure.clamp(self.low, self.high);
        let along = if self.logarithmic {
            (figure / self.low).ln() / (self.high / self.low).ln()
        } else {
            (figure - self.low) / (self.high - self.low)
        };
        self.from + (self.to - self.from) * along
    }

    /// Ticks that stand at least `apart`, at most `most` of them.
    pub(in crate::report::html) fn ticks(&self, apart: f64, most: usize) -> Vec<f64> {
        if self.logarithmic { self.log_ticks(apart, most) } else { self.linear_ticks(apart, most) }
    }

    /// Multiples of 1, 2, 2.5 or 5 times a power of ten.
    fn linear_ticks(&self, apart: f64, most: usize) -> Vec<f64> {
        let room = ((self.to - self.from).abs() / apart).floor().clamp(1.0, most as f64);
        let rough = (self.high - self.low) / room;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .iter()
            .map(|factor| factor * power)
            .find(|step| *step >= rough * 0.999)
            .unwrap_or(power * 10.0);
        let first = (self.low / step).ceil();
        (0..=most + 1)
            .map(|at| (first + at as f64) * step)
            .take_while(|tick| *tick <= self.high * 1.000_001)
            .collect()
    }

    /// The densest of {1, 2, 5}, {1, 3}, {1} that stands apart.
    fn log_ticks(&self, apart: f64, most: usize) -> Vec<f64> {
        for digits in [&[1.0, 2.0, 5.0][..], &[1.0, 3.0][..]] {
            let ticks = self.powers(digits);
            if ticks.len() <= most && self.stand_apart(&ticks, apart) {
                return ticks;
            }
        }
        let mut ticks = self.powers(&[1.0]);
        while ticks.len() > most || (ticks.len() > 2 && !self.stand_apart(&ticks, apart)) {
            let mut at = 0;
            ticks.retain(|_| {
                at += 1;
                at % 2 == 1
            });
        }
        ticks
    }

    fn powers(&self, digits: &[f64]) -> Vec<f64> {
        let (first, last) = (self.low.log10().floor(), self.high.log10().ceil());
        let mut ticks = Vec::new();
        let mut power = first;
        while power <= last {
            ticks.extend(digits.iter().map(|digit| digit * 10_f64.powf(power)));
            power += 1.0;
        }
        ticks.retain(|tick| *tick >= self.low * 0.999 && *tick <= self.high * 1.001);
        ticks
    }

    fn stand_apart(&self, ticks: &[f64], apart: f64) -> bool {
        ticks.windows(2).all(|pair| (self.at(pair[1]) - self.at(pair[0])).abs() >= apart)
    }
}

/// Ticks of a time axis in seconds: the step is one that clocks know.
pub(in crate::report::html) fn seconds(until: f64, most: usize) -> (Vec<f64>, fn(f64) -> String) {
    const STEPS: [f64; 20] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
        10_800.0, 21_600.0, 43_200.0, 86_400.0, 604_800.0,
    ];
    let step = STEPS.iter().copied().find(|step| until / step <= most as f64).unwrap_or(until / most as f64);
    let ticks = (0..=most).map(|at| at as f64 * step).take_while(|tick| *tick <= until * 1.000_001).collect();
    let label = match step {
        step if step >= 3600.0 => |at: f64| unit(at / 3600.0, "h"),
        step if step >= 60.0 => |at: f64| unit(at / 60.0, "min"),
        _ => |at: f64| unit(at, "s"),
    };
    (ticks, label)
}

fn unit(number: f64, unit: &str) -> String {
    if number == 0.0 { "0".to_owned() } else { format!("{number:.0}\u{a0}{unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_ticks_are_round_and_few() {
        assert_eq!(Scale::linear((0.0, 238.0), (80.0, 0.0)).ticks(19.0, 5), [0.0, 100.0, 200.0]);
        let shares = Scale::linear((0.0, 0.11), (100.0, 0.0)).ticks(19.0, 5);
        assert_eq!(
            shares.iter().map(|tick| format!("{tick:.3}")).collect::<Vec<_>>().join(" "),
            "0.000 0.025 0.050 0.075 0.100"
        );
    }

    #[test]
    fn logarithmic_ticks_are_the_densest_that_stand_apart() {
        assert_eq!(Scale::log((9.0, 260.0), (160.0, 0.0)).ticks(19.0, 5), [10.0, 20.0, 50.0, 100.0, 200.0]);
        assert_eq!(
            Scale::log((9.0, 2600.0), (100.0, 0.0)).ticks(19.0, 5),
            [10.0, 30.0, 100.0, 300.0, 1000.0]
        );
        assert_eq!(Scale::log((0.9, 2e6), (100.0, 0.0)).ticks(19.0, 5), [1.0, 100.0, 1e4, 1e6]);
    }

    #[test]
    fn figures_beyond_the_scale_stay_inside_it() {
        let scale = Scale::for_times((10.0, 1000.0), (0.0, 100.0));
        assert!(scale.at(1e9) <= 100.0 && scale.at(0.0) >= 0.0);
        let flat = Scale::for_times((5.0, 5.0), (0.0, 100.0));
        assert!(flat.at(5.0).is_finite());
        let nothing = Scale::linear((0.0, 0.0), (0.0, 100.0));
        assert!(nothing.at(0.0).is_finite() && !nothing.ticks(19.0, 5).is_empty());
    }

    #[test]
    fn time_has_the_steps_of_clocks() {
        let (ticks, label) = seconds(28_800.0, 8);
        assert_eq!(ticks.len(), 9);
        assert_eq!(label(ticks[8]), "8\u{a0}h");
        let (ticks, label) = seconds(35.0, 5);
        assert_eq!(
            ticks.iter().map(|t| label(*t)).collect::<Vec<_>>(),
            ["0", "10\u{a0}s", "20\u{a0}s", "30\u{a0}s"]
        );
    }
}
