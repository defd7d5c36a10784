//! `computed`: values that are made for each call, and the mistakes that can be made with them.

use indexmap::IndexMap;

use crate::source::Span;
use crate::suite::call::Slot;
use crate::suite::yaml::Spanned;

use super::Lowering;
use crate::dialect::{Computed, Function, NowAs, Text, written};

/// Ways to make the value of a slot.
const OF_SLOTS: [(&str, Computed); 1] = [("dpop", Computed::Dpop)];

/// The functions that need nothing.
const PLAIN: [(&str, Plain); 4] = [
    ("uuid", Plain::Uuid),
    ("now", Plain::Now(NowAs::Seconds)),
    ("now-ms", Plain::Now(NowAs::Milliseconds)),
    ("now-iso", Plain::Now(NowAs::Iso)),
];

/// The functions of text.
const OF_TEXT: [&str; 3] = ["base64", "basic", "hmac-sha256"];

#[derive(Clone, Copy)]
enum Plain {
    Uuid,
    Now(NowAs),
}

impl Lowering<'_> {
    /// Slots that are computed; functions are kept under their names, for the texts of the operations.
    pub(super) fn computed(
        &mut self,
        written: &written::Keyed<written::Computed>,
    ) -> IndexMap<Slot, Computed> {
        let mut computed = IndexMap::new();
        for (name, how) in written {
            match &how.value {
                written::Computed::Word(word) if Slot::from_word(name).is_some() => {
                    computed.extend(self.computed_slot(name, how.key, word));
                }
                _ if Slot::from_word(name).is_some() => {
                    let message =
                        format!("`{name}` is a slot, and what is made by a function has a name of its own");
                    self.wrong("dialect::computed", how.key, message, "call it something else");
                }
                written::Computed::Word(word) => self.plain_function(name, how.key, word),
                written::Computed::Map(words) => self.function_of_text(name, how.key, words),
            }
        }
        computed
    }

    fn computed_slot(&mut self, name: &str, key: Span, how: &Spanned<String>) -> Option<(Slot, Computed)> {
        let Some(slot) = Slot::from_word(name).filter(|slot| self.slots.contains(slot)) else {
            let message = format!("the slot `{name}` is not declared");
            self.wrong("dialect::slot", key, message, "not in `slots`");
            return None;
        };
        if !slot.is_secret() {
            let message = format!("`{name}` cannot be computed: its key could be shown");
            self.wrong("dialect::slot", key, message, "`proof` can");
            return None;
        }
        self.word(how, "way to compute a value", &OF_SLOTS).map(|how| (slot, how))
    }

    fn plain_function(&mut self, name: &str, key: Span, word: &Spanned<String>) {
        if OF_TEXT.contains(&word.value.as_str()) {
            let message = format!("`{}` is made of a text", word.value);
            return self.wrong(
                "dialect::computed",
                word.span,
                message,
                format!("write `{{ {}: $refresh }}`", word.value),
            );
        }
        if let Some(how) = self.word(word, "function", &PLAIN) {
            let function = match how {
                Plain::Uuid => Function::Uuid,
                Plain::Now(how) => Function::Now(how),
            };
            self.keep(name, key, function);
        }
    }

    fn function_of_text(&mut self, name: &str, key: Span, words: &written::Keyed<String>) {
        for (word, value) in words {
            let is_known = OF_TEXT.contains(&word.as_str()) || matches!(word.as_str(), "key" | "as");
            if !is_known {
                self.unknown(value.key, word, "function", OF_TEXT);
            }
        }
        let found: Vec<(&String, &Spanned<String>)> =
            words.iter().filter(|(word, _)| OF_TEXT.contains(&word.as_str())).collect();
        let [(word, of)] = found.as_slice() else {
            let message = "this makes no value, or two";
            return self.wrong(
                "dialect::computed",
                key,
                message,
                "name one function, such as `base64: $refresh`",
            );
        };
        let Some(of) = self.text(of) else { return };
        let function = match word.as_str() {
            "base64" => Some(Function::Base64(of)),
            "basic" => Some(Function::Basic(of)),
            _ => self.mac(key, of, words),
        };
        if let Some(function) = function {
            self.keep(name, key, function);
        }
    }

    fn mac(&mut self, at: Span, of: Text, words: &written::Keyed<String>) -> Option<Function> {
        let Some(key) = words.get("key") else {
            self.wrong("dialect::computed", at, "a MAC needs a key", "write `key: $client-secret` beside it");
            return None;
        };
        let key = self.text(key)?;
        let hex = match words.get("as") {
            Some(spelling) => {
                self.word(spelling, "way to write a MAC", &[("hex", true), ("base64", false)])?
            }
            None => false,
        };
        Some(Function::HmacSha256 { of, key, hex })
    }

    fn keep(&mut self, name: &str, key: Span, function: Function) {
        let fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if !fits {
            let message = format!("`{name}` cannot be referred to");
            return self.wrong("dialect::computed", key, message, "use small letters and `-`");
        }
        self.functions.insert(name.to_owned(), function);
    }
}
