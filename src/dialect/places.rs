//! Reading field places: `access`, `/a/b`, `header:Name`, `cookie:Name`, `access#exp`, `access@alg`.

use crate::source::nearest;
use crate::suite::claim::{Field, FieldPlace};

/// The place that `text` names; else what is wrong, and the word that was perhaps meant.
pub fn parse(text: &str) -> Result<FieldPlace, (String, Option<String>)> {
    if text.starts_with('/') {
        return Ok(FieldPlace::Path(text.to_owned()));
    }
    for (prefix, make) in
        [("header:", FieldPlace::Header as fn(String) -> FieldPlace), ("cookie:", FieldPlace::Cookie)]
    {
        if let Some(name) = text.strip_prefix(prefix) {
            return if name.is_empty() {
                Err((format!("`{text}` names nothing"), None))
            } else {
                Ok(make(name.to_owned()))
            };
        }
    }
    for (sign, make) in [('#', FieldPlace::Claim as fn(Field, String) -> FieldPlace), ('@', FieldPlace::Jose)]
    {
        if let Some((word, name)) = text.split_once(sign) {
            let field = field(word)?;
            return if name.is_empty() {
                Err((format!("`{text}` names nothing"), None))
            } else {
                Ok(make(field, name.to_owned()))
            };
        }
    }
    field(text).map(FieldPlace::Field)
}

fn field(word: &str) -> Result<Field, (String, Option<String>)> {
    Field::from_word(word).ok_or_else(|| {
        let near = nearest(word, Field::ALL.iter().map(|(_, word)| *word)).map(str::to_owned);
        (format!("`{word}` is no field"), near)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_place_is_read() {
        assert_eq!(parse("/a/b"), Ok(FieldPlace::Path("/a/b".to_owned())));
        assert_eq!(parse("access"), Ok(FieldPlace::Field(Field::Access)));
        assert_eq!(parse("header:Allow"), Ok(FieldPlace::Header("Allow".to_owned())));
        assert_eq!(parse("cookie:sid"), Ok(FieldPlace::Cookie("sid".to_owned())));
        assert_eq!(parse("access#exp"), Ok(FieldPlace::Claim(Field::Access, "exp".to_owned())));
        assert_eq!(parse("id@alg"), Ok(FieldPlace::Jose(Field::Id, "alg".to_owned())));
        assert_eq!(parse("acces#exp").unwrap_err().1.as_deref(), Some("access"));
        for wrong in ["", "header:", "cookie:", "access#", "nothing", "#exp"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
