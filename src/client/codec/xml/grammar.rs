//! The small productions of XML 1.0 (fifth edition) and its namespaces: characters, names, attributes,
//! references. What is wrong comes back as a fragment without a place.

/// Production 2: the characters a document may hold at all.
pub(super) fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Production 3.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn starts_name(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

fn continues_name(c: char) -> bool {
    starts_name(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// A name without a colon.
pub(super) fn is_plain_name(name: &str) -> bool {
    name.chars().next().is_some_and(starts_name) && name.chars().all(continues_name)
}

/// Prefix (empty for none) and local name.
pub(super) fn split_name(name: &str) -> Result<(&str, &str), &'static str> {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    let prefix_fits = is_plain_name(prefix) || (prefix.is_empty() && !name.contains(':'));
    if prefix_fits && is_plain_name(local) { Ok((prefix, local)) } else { Err("an illegal name") }
}

/// The character that `&reference;` stands for: the five names and the numbers of legal characters.
pub(super) fn resolve(reference: &str) -> Result<char, &'static str> {
    let Some(number) = reference.strip_prefix('#') else {
        return match reference {
            "amp" => Ok('&'),
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "quot" => Ok('"'),
            "apos" => Ok('\''),
            _ => Err("an undefined entity"),
        };
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err("a malformed character reference");
    }
    // Leading zeros are legal; what overflows is beyond every character.
    let code = u32::from_str_radix(digits, radix).ok();
    code.and_then(char::from_u32).filter(|c| is_char(*c)).ok_or("a reference to an illegal character")
}

/// An attribute value as section 3.3.3 normalizes it.
fn value(raw: &str) -> Result<String, &'static str> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['&', '<', '\t', '\n', '\r']) {
        text.push_str(&rest[..at]);
        let found = rest[at..].chars().next();
        rest = &rest[at + 1..];
        match found {
            Some('<') => return Err("`<` in an attribute"),
            Some('&') => {
                let (reference, after) = rest.split_once(';').ok_or("a bare `&`")?;
                text.push(resolve(reference)?);
                rest = after;
            }
            // CR LF is one line end.
            Some('\r') if rest.starts_with('\n') => {}
            _ => text.push(' '),
        }
    }
    text.push_str(rest);
    Ok(text)
}

/// The attributes of a tag, in order; `raw` is what follows the tag's name. No name may occur twice.
pub(super) fn attributes(raw: &str) -> Result<Vec<(&str, String)>, &'static str> {
    let mut found: Vec<(&str, String)> = Vec::new();
    let mut rest = raw;
    loop {
        let spaced = rest.trim_start_matches(is_space);
        if spaced.is_empty() {
            return Ok(found);
        }
        if spaced.len() == rest.len() {
            return Err("no space before an attribute");
        }
        let (name, after) = spaced.split_once('=').ok_or("an attribute without value")?;
        let name = name.trim_end_matches(is_space);
        let after = after.trim_start_matches(is_space);
        let quote =
            after.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or("an attribute without quotes")?;
        let (inside, after) = after[1..].split_once(quote).ok_or("an attribute without end")?;
        if found.iter().any(|(other, _)| *other == name) {
            return Err("an attribute twice");
        }
        if found.len() == ATTRIBUTES_MAX {
            return Err("too many attributes");
        }
        found.push((name, value(inside)?));
        rest = after;
    }
}

/// Looking for duplicates is quadratic, so their number is bounded.
const ATTRIBUTES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_as_the_grammar_has_them() {
        let read = attributes(" a = '1&amp;\r\n2'\n b:c=\"&#x41;>\" ").unwrap();
        assert_eq!(read, [("a", "1& 2".to_owned()), ("b:c", "A>".to_owned())]);
        for wrong in
            ["a='1'", " a", " a=1", " a='1", " a='1'b='2'", " a='<'", " a='&x;'", " a='1' a='2'", " /"]
        {
            assert!(attributes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn references_name_legal_characters_only() {
        assert_eq!(resolve("#x1F600"), Ok('😀'));
        assert_eq!(resolve("#0000000000065"), Ok('A'));
        for wrong in
            ["nbsp", "#0", "#x1", "#xD800", "#xFFFE", "#x110000", "#", "#x", "#-1", "#X41", "#99999999999"]
        {
            assert!(resolve(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_have_at_most_one_colon() {
        assert_eq!(split_name("a:b"), Ok(("a", "b")));
        assert_eq!(split_name("é-1.2"), Ok(("", "é-1.2")));
        for wrong in ["", ":", "a:", ":b", "a:b:c", "1a", "a b", "a:1"] {
            assert!(split_name(wrong).is_err(), "{wrong}");
        }
    }
}
