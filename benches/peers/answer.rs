//! The fixed answers: whole, on the wire, with a number in a fixed place of both tokens.
//!
//! The number makes every answer a new pair, so that a chain really moves and a ledger finds no token twice, and
//! costs the server two copies of sixteen digits. Every client meets the same work.

/// What an answer's number has.
const DIGITS: usize = 16;

/// Where the number stands: from this many characters before the end of a token.
const BEFORE_END: usize = 20;

/// One answer, ready to be sent.
#[derive(Clone)]
pub struct Fixed {
    /// Head and body.
    bytes: Vec<u8>,
    /// Where the body begins.
    body_at: usize,
    media: &'static str,
    /// Where the number stands, in each token.
    places: [usize; 2],
}

/// What can be asked for.
#[derive(Clone)]
pub struct Answers {
    login: Fixed,
    json: Fixed,
    xml: Fixed,
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The login, in JSON.
    Login,
    /// A refresh in JSON.
    Json,
    /// A refresh in XML.
    Xml,
}

impl Asked {
    /// By path and Accept.
    pub fn by(path: &str, accept: Option<&[u8]>) -> Asked {
        if path.ends_with("access_token") {
            return Asked::Login;
        }
        let xml = accept.is_some_and(|media| media.starts_with(b"application/xml"));
        if xml { Asked::Xml } else { Asked::Json }
    }
}

impl Answers {
    /// All of them.
    pub fn new() -> Answers {
        let json = ["\"accessToken\":\"", "\"refreshToken\":\""];
        Answers {
            login: Fixed::new("application/json", include_str!("../answers/login.json"), json, '"'),
            json: Fixed::new("application/json", include_str!("../answers/refresh.json"), json, '"'),
            xml: Fixed::new(
                "application/xml",
                include_str!("../answers/refresh.xml"),
                ["<accessToken>", "<refreshToken>"],
                '<',
            ),
        }
    }

    /// The one that is asked for, with `number` in it.
    pub fn numbered(&mut self, asked: Asked, number: u64) -> &Fixed {
        let fixed = match asked {
            Asked::Login => &mut self.login,
            Asked::Json => &mut self.json,
            Asked::Xml => &mut self.xml,
        };
        fixed.write_number(number);
        fixed
    }
}

impl Fixed {
    fn new(media: &'static str, body: &str, tokens: [&str; 2], end: char) -> Fixed {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {media}; charset=utf-8\r\nCache-Control: no-store\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        let places = tokens.map(|opening| {
            let token = body.find(opening).expect("the answer has both tokens") + opening.len();
            let token_end = token + body[token..].find(end).expect("the token ends");
            head.len() + token_end - BEFORE_END
        });
        Fixed { body_at: head.len(), bytes: [head.as_bytes(), body.as_bytes()].concat(), media, places }
    }

    fn write_number(&mut self, number: u64) {
        let mut digits = [b'0'; DIGITS];
        let mut left = number;
        for digit in digits.iter_mut().rev() {
            *digit = b"0123456789abcdef"[usize::try_from(left & 0xf).expect("four bits")];
            left >>= 4;
        }
        for place in self.places {
            self.bytes[place..place + DIGITS].copy_from_slice(&digits);
        }
    }

    /// As it stands on the wire.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The body alone.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.body_at..]
    }

    /// Its media type.
    pub fn media(&self) -> &'static str {
        self.media
    }
}
