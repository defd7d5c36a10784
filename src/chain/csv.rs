//! Pairs in CSV (RFC 4180): the first line names slots, each other line is a pair.

use serde_json::{Map, Value};

/// The lines as JSON lines, which is what chains are read from. What is wrong, with the number of the line; values are
/// never quoted, because they are secrets.
pub fn to_json_lines(text: &str) -> Result<String, String> {
    let mut records = records(text)?.into_iter();
    let (_, head) = records.next().ok_or("nothing is in it")?;
    let mut lines = String::new();
    for (number, values) in records {
        if values.len() != head.len() {
            return Err(format!("line {number}: {} values under {} names", values.len(), head.len()));
        }
        let named = head.iter().zip(values).filter(|(_, value)| !value.is_empty());
        let object: Map<String, Value> =
            named.map(|(name, value)| (name.trim().to_owned(), Value::from(value))).collect();
        lines.push_str(&Value::Object(object).to_string());
        lines.push('\n');
    }
    Ok(lines)
}

/// The records with the number of the line that each begins on; empty lines are passed over.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
    let mut records = Vec::new();
    let mut signs = text.trim_start_matches('\u{FEFF}').chars().peekable();
    let (mut line, mut began) = (1, 1);
    let (mut values, mut value) = (Vec::new(), String::new());
    let (mut quoted, mut any) = (false, false);
    loop {
        match signs.next() {
            Some('"') if quoted && signs.peek() == Some(&'"') => {
                value.push('"');
                signs.next();
            }
            Some('"') if quoted => quoted = false,
            Some('"') if value.is_empty() => (quoted, any) = (true, true),
            Some(',') if !quoted => {
                values.push(std::mem::take(&mut value));
                any = true;
            }
            Some('\r') if !quoted => {}
            end @ (Some('\n') | None) if !quoted => {
                if any || !value.is_empty() {
                    values.push(std::mem::take(&mut value));
                    records.push((began, std::mem::take(&mut values)));
                }
                if end.is_none() {
                    return Ok(records);
                }
                line += 1;
                (began, any) = (line, false);
            }
            None => return Err(format!("line {began}: a quote is not closed")),
            Some(sign) => {
                line += usize::from(sign == '\n');
                value.push(sign);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_pairs_becomes_lines() {
        let text = "refresh,access,identity\r\nr1,\"a,\"\"1\"\"\",own\n\nr2,,other\n";
        assert_eq!(
            to_json_lines(text).unwrap(),
            "{\"refresh\":\"r1\",\"access\":\"a,\\\"1\\\"\",\"identity\":\"own\"}\n{\"refresh\":\"r2\",\"identity\":\"other\"}\n"
        );
    }

    #[test]
    fn what_is_no_table_is_told_by_its_line() {
        assert_eq!(to_json_lines("").unwrap_err(), "nothing is in it");
        assert_eq!(to_json_lines("refresh\nr1,a1\n").unwrap_err(), "line 2: 2 values under 1 names");
        assert_eq!(to_json_lines("refresh\n\"r1").unwrap_err(), "line 2: a quote is not closed");
    }
}
