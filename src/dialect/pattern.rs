//! The grammar of date patterns such as `dd-MM-yyyy HH:mm:ss`: letters in runs, everything else literal.

/// The letters that stand for parts of a date.
const LETTERS: &str = "dMyHhmsft";

/// A run of one letter, or literal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// `yyyy`: the letter and how often it stands.
    Run(char, usize),
    /// As it stands; in a pattern letters are made literal by `'…'`.
    Literal(&'a str),
}

/// The pieces of a pattern, in order.
pub fn pieces(pattern: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = pattern;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (piece, after) = match rest[first.len_utf8()..].split_once('\'') {
            Some((literal, after)) if first == '\'' => (Piece::Literal(literal), after),
            _ if LETTERS.contains(first) => {
                let count = rest.chars().take_while(|c| *c == first).count();
                (Piece::Run(first, count), &rest[count..])
            }
            _ => {
                let (literal, after) = rest.split_at(first.len_utf8());
                (Piece::Literal(literal), after)
            }
        };
        rest = after;
        Some(piece)
    })
}

/// What is wrong with a pattern, if anything.
pub fn mistake(pattern: &str) -> Option<&'static str> {
    let mut seen = String::new();
    for piece in pieces(pattern) {
        let Piece::Run(letter, count) = piece else { continue };
        let fits = match letter {
            'y' => matches!(count, 2 | 4),
            'M' => count <= 3,
            'f' => count <= 9,
            _ => count <= 2,
        };
        if !fits {
            return Some("a letter stands too often, or not often enough");
        }
        seen.push(letter);
    }
    let whole = ['d', 'M', 'y'].iter().all(|letter| seen.contains(*letter));
    if whole { None } else { Some("day, month and year are needed: `dd`, `MM`, `yyyy`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_runs_and_literals() {
        let found: Vec<_> = pieces("dd MMM'dé'yyyy").collect();
        let expected = [
            Piece::Run('d', 2),
            Piece::Literal(" "),
            Piece::Run('M', 3),
            Piece::Literal("dé"),
            Piece::Run('y', 4),
        ];
        assert_eq!(found, expected);
        assert_eq!(pieces("'é").collect::<Vec<_>>(), [Piece::Literal("'"), Piece::Literal("é")]);
    }

    #[test]
    fn a_pattern_names_a_day() {
        assert_eq!(mistake("dd-MM-yyyy HH:mm:ss.fffffff"), None);
        assert!(mistake("HH:mm").is_some());
        assert!(mistake("ddd-MM-yyyy").is_some());
        assert!(mistake("dd-MM-yyy").is_some());
    }
}
