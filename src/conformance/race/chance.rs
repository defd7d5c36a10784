//! How sure a count of rounds makes: the exact bound of Clopper and Pearson.

/// The chance of error that is borne.
const ERROR: f64 = 0.05;

/// The largest share of violations that `seen` of `rounds` leaves possible, at 95 %.
pub(in super::super) fn upper(seen: u64, rounds: u64) -> f64 {
    if rounds == 0 || seen >= rounds {
        return 1.0;
    }
    let (mut low, mut high) = (seen as f64 / rounds as f64, 1.0);
    for _ in 0..60 {
        let share = f64::midpoint(low, high);
        if at_most(seen, rounds, share) > ERROR {
            low = share;
        } else {
            high = share;
        }
    }
    high
}

/// The chance of at most `seen` violations in `rounds`, each with this chance.
fn at_most(seen: u64, rounds: u64, share: f64) -> f64 {
    let mut term = (rounds as f64 * (1.0 - share).ln()).exp();
    let mut sum = term;
    for violation in 0..seen {
        term *= (rounds - violation) as f64 / (violation + 1) as f64 * share / (1.0 - share);
        sum += term;
    }
    sum
}

/// `0 of 300: below 1 % at 95 %`
pub(in super::super) fn statement(seen: u64, rounds: u64) -> String {
    if rounds == 0 {
        return "no round counts".to_owned();
    }
    let percent = upper(seen, rounds) * 100.0;
    let shown = if percent >= 10.0 { format!("{:.0}", percent.ceil()) } else { tenths(percent) };
    format!("{seen} of {rounds}: below {shown} % at 95 %")
}

/// Rounded up, so that nothing too good is said: `0.994` is `1`, `1.21` is `1.3`.
fn tenths(percent: f64) -> String {
    let up = (percent * 10.0).ceil() / 10.0;
    if up.fract() == 0.0 { format!("{up:.0}") } else { format!("{up:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_three_hundred_rounds_is_below_one_percent() {
        assert_eq!(statement(0, 300), "0 of 300: below 1 % at 95 %");
        assert_eq!(statement(0, 30), "0 of 30: below 9.6 % at 95 %");
        assert_eq!(statement(0, 0), "no round counts");
    }

    #[test]
    fn the_bound_is_that_of_the_tables() {
        assert!((upper(1, 20) - 0.2161).abs() < 0.0005, "{}", upper(1, 20));
        assert!((upper(5, 50) - 0.1994).abs() < 0.0015, "{}", upper(5, 50));
        assert!((upper(7, 7) - 1.0).abs() < f64::EPSILON);
    }
}
