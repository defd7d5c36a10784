//! Many runs on the terminal: the headline, a row of marks per check, a row of bars per figure.

use std::fmt::Write as _;

use super::Screen;
use super::paint::{Tint, cut, fit, paint, wrap};
use crate::compare::history::{History, Mark, Trend, Way};
use crate::report::clean::line;
use crate::results::wording::{figure, sentence};

/// Rows of checks; the page has all of them.
const ROWS: usize = 20;
/// Rows of figures.
const FIGURES: usize = 12;
/// The column of names.
const NAME: usize = 14;
/// What words beside the marks need at least.
const WORDS: usize = 26;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

pub(super) fn text(history: &History, page: Option<&str>, screen: Screen) -> String {
    let mut text = String::new();
    let newest = history.nights.last().map_or(Mark::Skipped, |night| night.mark);
    let headline = wrap(&line(&history.headline), "  ", "  ", screen.columns());
    for part in headline.lines() {
        let _ = writeln!(text, "{}", paint(screen, tint_of_run(newest), part));
    }
    text.push_str(&wrap(&line(&history.reason), "  ", "  ", screen.columns()));
    if let Some(page) = page {
        let _ =
            writeln!(text, "  {}  {}", paint(screen, Tint::Bold, "page"), paint(screen, Tint::Name, page));
    }
    text.push('\n');
    marks(&mut text, history, screen);
    figures(&mut text, history, screen);
    for (what, runs) in &history.left_out {
        let said = format!("left out: {} ({runs}); --env chooses", line(what));
        let _ = writeln!(text, "  {}", paint(screen, Tint::Dim, &cut(&said, screen.columns() - 2)));
    }
    fit(screen, &text)
}

fn tint_of_run(mark: Mark) -> Tint {
    match mark {
        Mark::Good | Mark::Known | Mark::Skipped => Tint::Good,
        Mark::Weak | Mark::Fail => Tint::Fail,
        Mark::Odd => Tint::Odd,
    }
}

/// A letter for each state: told apart without color.
fn letter(mark: Option<Mark>) -> (char, Tint) {
    match mark {
        None => (' ', Tint::Dim),
        Some(Mark::Skipped) => ('-', Tint::Dim),
        Some(Mark::Good) => ('.', Tint::Dim),
        Some(Mark::Known) => ('k', Tint::Warn),
        Some(Mark::Odd) => ('?', Tint::Odd),
        Some(Mark::Weak) => ('x', Tint::Weak),
        Some(Mark::Fail) => ('X', Tint::Fail),
    }
}

/// The first of the columns that there is room for: the newest are shown.
fn first_column(history: &History, screen: Screen) -> usize {
    let room = screen.columns().saturating_sub(NAME + WORDS + 6);
    history.columns.len().saturating_sub(room)
}

fn row(text: &mut String, name: &str, cells: &[Option<Mark>], words: &str, screen: Screen, tint: Tint) {
    let marks: String = cells
        .iter()
        .map(|mark| {
            let (letter, tint) = letter(*mark);
            if letter == ' ' { " ".to_owned() } else { paint(screen, tint, &letter.to_string()) }
        })
        .collect();
    let room = screen.columns().saturating_sub(NAME + cells.len() + 6);
    let _ = writeln!(
        text,
        "  {:<NAME$}  {marks}  {}",
        cut(&line(name), NAME),
        paint(screen, tint, &cut(words, room))
    );
}

fn marks(text: &mut String, history: &History, screen: Screen) {
    let first = first_column(history, screen);
    let columns = &history.columns[first..];
    let worst = |of: &dyn Fn(usize) -> Option<Mark>| -> Vec<Option<Mark>> {
        columns.iter().map(|column| column.nights.iter().filter_map(|at| of(*at)).max()).collect()
    };
    let good = history.nights.iter().filter(|night| night.mark == Mark::Good).count();
    let head = match (columns.first(), columns.last()) {
        (Some(from), Some(to)) if columns.len() > 1 => format!("{} to {}", from.label, to.label),
        (Some(only), _) => only.label.clone(),
        _ => String::new(),
    };
    let _ = writeln!(
        text,
        "  {}  {}",
        paint(screen, Tint::Bold, &format!("{:<NAME$}", history.by.more())),
        paint(screen, Tint::Dim, &head)
    );
    let runs = worst(&|at| Some(history.nights[at].mark));
    let words = format!("{good} of {} good", history.nights.len());
    row(text, "the run", &runs, &words, screen, Tint::Dim);
    for one in history.rows.iter().take(ROWS) {
        let tint = match one.way {
            Way::New | Way::ComesAndGoes => Tint::Weak,
            Way::Known => Tint::Warn,
            Way::Since | Way::Gone | Way::Open => Tint::Dim,
        };
        let cells = worst(&|at| one.marks.get(at).copied().flatten());
        row(text, &one.id, &cells, &one.words, screen, tint);
    }
    if history.rows.len() > ROWS {
        let _ = writeln!(text, "  and {} more", history.rows.len() - ROWS);
    }
    let passed = format!("{} passed every time, {} never asked", history.always_passed, history.never_asked);
    let key = ". passed  X failed must  x should or missed  k known  ? inconclusive";
    let _ = writeln!(text, "  {}", paint(screen, Tint::Dim, &format!("{:<NAME$}  {passed}", "others")));
    let _ = writeln!(text, "  {}\n", paint(screen, Tint::Dim, &format!("{:<NAME$}  {key}", "")));
}

fn figures(text: &mut String, history: &History, screen: Screen) {
    let first = first_column(history, screen);
    for trend in history.trends.iter().take(FIGURES) {
        let newest = trend.values.iter().rev().flatten().next();
        let newest = newest.map_or("–".to_owned(), |value| figure(trend.unit, *value));
        let bars = if screen.unicode { bars(history, trend, first) } else { String::new() };
        let worse = trend.steps.last().is_some_and(|step| step.worse);
        let words = trend.steps.last().map_or(String::new(), |step| {
            let verb = if step.after > step.before { "rose" } else { "fell" };
            let (before, after) = (figure(trend.unit, step.before), figure(trend.unit, step.after));
            format!("{verb} from {before} to {after} on {}", history.label(step.at))
        });
        let used = NAME + bars.chars().count() + 17;
        let _ = writeln!(
            text,
            "  {:<NAME$}  {bars}  {newest:>9}  {}",
            cut(&line(&trend.name), NAME),
            paint(
                screen,
                if worse { Tint::Weak } else { Tint::Dim },
                &cut(&words, screen.columns().saturating_sub(used))
            )
        );
    }
    if let Some(why) = &history.no_steps {
        let _ =
            writeln!(text, "  {}", paint(screen, Tint::Odd, &sentence(&format!("no step is named: {why}"))));
    }
    if !history.trends.is_empty() {
        text.push('\n');
    }
}

/// A bar for the highest of each column, from zero.
fn bars(history: &History, trend: &Trend, first: usize) -> String {
    let high = trend.values.iter().flatten().fold(0.0, |high: f64, value| high.max(*value));
    let bar = |value: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of eight")]
        let at = (value / high.max(f64::MIN_POSITIVE) * 7.0).round().clamp(0.0, 7.0) as usize;
        BARS[at]
    };
    history.columns[first..]
        .iter()
        .map(|column| {
            let values = column.nights.iter().filter_map(|at| trend.values[*at]);
            values.reduce(f64::max).map_or(' ', bar)
        })
        .collect()
}
