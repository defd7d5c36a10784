//! The objectives: how far each is from its edge, not only on which side.

use super::chart::objective::bar;
use super::markup::Html;
use crate::report::clean::{line, shorten, slug};
use crate::report::state::{State, strength};
use crate::results::wording::{self, Margin};
use crate::results::{ObjectiveResult, Run, Strength};

pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) condition: String,
    pub(super) measured: String,
    pub(super) limit: String,
    pub(super) bar: Option<Html>,
    pub(super) margin: String,
    pub(super) symbol: &'static str,
    pub(super) word: &'static str,
    pub(super) missed: bool,
    pub(super) note: Option<Html>,
}

pub(super) fn rows(run: &Run) -> Vec<Row> {
    run.objectives.iter().map(row).collect()
}

fn row(objective: &ObjectiveResult) -> Row {
    let state = State::of_objective(objective);
    let margin = Margin::of(objective);
    let missed = state == State::Missed;
    let limit = objective.limit.map(wording::limit);
    let sign = objective.comparison.as_deref().map(wording::sign).unwrap_or_default();
    let weaker = (objective.strength != Strength::Must)
        .then(|| format!("{}: it does not decide", strength(objective.strength)));
    let reason = objective.reason.as_ref().map(|reason| line(reason)).or(weaker);
    Row {
        id: format!("objective-{}", slug(&objective.name)),
        name: shorten(&line(&objective.name), 60),
        condition: shorten(&line(&objective.condition), 120),
        measured: objective.measured.map_or("–".to_owned(), wording::measured),
        limit: limit.map_or("–".to_owned(), |limit| format!("{sign} {limit}")),
        bar: margin.map(|margin| bar(margin, missed)),
        margin: margin.map_or("–".to_owned(), Margin::words),
        symbol: super::table_mark(state),
        word: state.word(),
        missed,
        note: reason.map(|reason| Html::prose(&reason)),
    }
}
