//! Delta debugging: the smallest part of a row that still fails, found by asking.
//!
//! Pure: [`Minimizer::candidate`] says what to try, [`Minimizer::tell`] hears what came of it.

/// A row that is being made smaller.
#[derive(Clone, Debug)]
pub(super) struct Minimizer<T> {
    kept: Vec<T>,
    /// So many are left out at a time.
    size: usize,
    /// From here on.
    at: usize,
    /// Whether something was left out for good since the last turn.
    shrunk: bool,
}

impl<T: Clone> Minimizer<T> {
    /// Begins with the whole row, which fails.
    pub fn new(row: Vec<T>) -> Minimizer<T> {
        let size = row.len();
        Minimizer { kept: row, size, at: 0, shrunk: false }
    }

    /// What to try next; nothing once no single one can be left out.
    pub fn candidate(&self) -> Option<Vec<T>> {
        if self.kept.is_empty() || self.size == 0 {
            return None;
        }
        let end = (self.at + self.size).min(self.kept.len());
        Some([&self.kept[..self.at], &self.kept[end..]].concat())
    }

    /// Whether the candidate still fails.
    pub fn tell(&mut self, fails: bool) {
        let end = (self.at + self.size).min(self.kept.len());
        if fails {
            self.kept.drain(self.at..end);
            self.shrunk = true;
        } else {
            self.at = end;
        }
        if self.at < self.kept.len() {
            return;
        }
        self.at = 0;
        if self.size > 1 {
            self.size = self.size.min(self.kept.len()).div_ceil(2).min(self.size - 1);
            self.shrunk = false;
        } else if !std::mem::take(&mut self.shrunk) {
            self.size = 0;
        }
    }

    /// What is left so far.
    pub fn kept(&self) -> &[T] {
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(row: &str, fails: impl Fn(&[char]) -> bool, expected: &str) -> usize {
        let mut minimizer = Minimizer::new(row.chars().collect());
        let mut asked = 0;
        while let Some(candidate) = minimizer.candidate() {
            asked += 1;
            assert!(asked < 10_000, "it does not end");
            minimizer.tell(fails(&candidate));
        }
        assert_eq!(minimizer.kept().iter().collect::<String>(), expected);
        asked
    }

    fn holds(row: &[char], part: &str) -> bool {
        row.iter().collect::<String>().contains(part)
    }

    #[test]
    fn what_is_not_needed_is_left_out() {
        check("abcdefgh", |row| holds(row, "de"), "de");
        check("abcdefgh", |row| row.contains(&'a') && row.contains(&'h'), "ah");
        check("abcdefgh", |_| true, "");
        check("a", |row| holds(row, "a"), "a");
        check("", |_| true, "");
    }

    #[test]
    fn two_bytes_among_a_thousand_are_found_with_few_questions() {
        let row = format!("{}XY{}", "-".repeat(417), "-".repeat(583));
        let asked = check(&row, |row| holds(row, "XY"), "XY");
        assert!(asked < 100, "{asked}");
    }
}
