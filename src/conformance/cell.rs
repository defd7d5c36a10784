//! The cells of `over`: the product of its dimensions, each a word or a named change.

use indexmap::IndexMap;

use crate::suite::call::Changes;
use crate::suite::check::Dimension;

/// More cells than this are not run: a table that large is a mistake.
const CELLS_MAX: usize = 10_000;

/// One combination of the values of `over`. A check without `over` has one cell without values.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    /// Dimension → its word or the name of its change, in order.
    pub values: Vec<(String, String)>,
    /// Dimension → its change.
    pub changes: IndexMap<String, Changes>,
}

impl Cell {
    /// The cell's word of a dimension.
    pub fn word(&self, dimension: &str) -> Option<&str> {
        self.values.iter().find(|(name, _)| name == dimension).map(|(_, word)| word.as_str())
    }

    /// `type=form, accept=text/xml`; nothing for the only cell.
    pub fn label(&self) -> Option<String> {
        let parts: Vec<String> = self.values.iter().map(|(name, word)| format!("{name}={word}")).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// Every cell, the last dimension turning fastest.
pub(super) fn product(over: &IndexMap<String, Dimension>) -> Vec<Cell> {
    let mut cells = vec![Cell::default()];
    for (name, dimension) in over {
        let mut next = Vec::new();
        for cell in &cells {
            extend(cell, name, dimension, &mut next);
            if next.len() >= CELLS_MAX {
                break;
            }
        }
        next.truncate(CELLS_MAX);
        cells = next;
    }
    cells
}

fn extend(cell: &Cell, name: &str, dimension: &Dimension, next: &mut Vec<Cell>) {
    match dimension {
        Dimension::Words(words) => {
            for word in words {
                let mut more = cell.clone();
                more.values.push((name.to_owned(), word.clone()));
                next.push(more);
            }
        }
        Dimension::Changes(changes) => {
            for (word, change) in changes {
                let mut more = cell.clone();
                more.values.push((name.to_owned(), word.clone()));
                more.changes.insert(name.to_owned(), change.clone());
                next.push(more);
            }
        }
    }
}

/// `base` with `own` on top: what is written in `own` wins.
pub(super) fn merge(base: &Changes, own: &Changes) -> Changes {
    let mut merged = base.clone();
    for (slot, made) in &own.set {
        merged.set.retain(|(other, _)| other != slot);
        merged.set.push((slot.clone(), made.clone()));
    }
    merged.without.extend(own.without.iter().cloned());
    for (name, values) in &own.headers {
        merged.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        merged.headers.push((name.clone(), values.clone()));
    }
    macro_rules! wins {
        ($($field:ident).+) => {
            if own.$($field).+.is_some() {
                merged.$($field).+ = own.$($field).+.clone();
            }
        };
    }
    wins!(auth);
    wins!(format);
    wins!(body);
    wins!(cut);
    wins!(encode);
    wins!(label);
    wins!(accept);
    wins!(method);
    wins!(path);
    wins!(query);
    wins!(document.order);
    wins!(document.pad);
    wins!(document.root);
    wins!(document.namespace);
    wins!(document.prefix);
    wins!(wire.chunks);
    wins!(wire.pace);
    wins!(wire.length);
    wins!(wire.abort);
    wins!(wire.pipelined);
    merged.document.repeat.extend(own.document.repeat.iter().cloned());
    merged.document.add.extend(own.document.add.iter().cloned());
    merged.document.put.extend(own.document.put.iter().cloned());
    merged.document.rename.extend(own.document.rename.iter().cloned());
    merged.wire.await_continue |= own.wire.await_continue;
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::call::Template;

    fn words(words: &[&str]) -> Dimension {
        Dimension::Words(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn the_last_dimension_turns_fastest() {
        let over = IndexMap::from([
            ("type".to_owned(), words(&["json", "xml"])),
            ("accept".to_owned(), words(&["a", "b"])),
        ]);
        let labels: Vec<_> = product(&over).iter().filter_map(Cell::label).collect();
        assert_eq!(
            labels,
            ["type=json, accept=a", "type=json, accept=b", "type=xml, accept=a", "type=xml, accept=b"]
        );
    }

    #[test]
    fn a_check_without_dimensions_has_one_cell_without_a_label() {
        let cells = product(&IndexMap::new());
        assert_eq!(cells.len(), 1);
        assert_eq!(cells[0].label(), None);
    }

    #[test]
    fn a_table_that_is_too_large_is_cut() {
        let many: Vec<String> = (0..200).map(|n| n.to_string()).collect();
        let over = IndexMap::from([
            ("a".to_owned(), Dimension::Words(many.clone())),
            ("b".to_owned(), Dimension::Words(many)),
        ]);
        assert_eq!(product(&over).len(), CELLS_MAX);
    }

    #[test]
    fn what_the_call_writes_wins_over_the_named_change() {
        let base =
            Changes { label: Some(Some(Template::plain("text/plain"))), cut: Some(1), ..Changes::default() };
        let own = Changes { label: Some(None), ..Changes::default() };
        let merged = merge(&base, &own);
        assert_eq!(merged.label, Some(None));
        assert_eq!(merged.cut, Some(1));
    }
}
