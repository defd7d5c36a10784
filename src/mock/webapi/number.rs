//! Numbers that stand where text is expected, as Json.NET 6 reads them and .NET Framework prints them.

/// What a number token came to.
#[derive(Debug, PartialEq)]
pub(super) enum Number {
    /// An integer, in decimal.
    Integer(String),
    /// A floating-point number.
    Float(f64),
}

/// The longest integer that is read.
const LONGEST_INTEGER: usize = 380;

/// Reads a number token; the error is its message without the path.
pub(super) fn read(token: &str) -> Result<Number, String> {
    let bytes = token.as_bytes();
    if bytes.len() == 1 && bytes[0].is_ascii_digit() {
        return Ok(Number::Integer(token.to_owned()));
    }
    if bytes.len() > 1 && bytes[0] == b'0' && !matches!(bytes[1], b'.' | b'e' | b'E') {
        return other_base(token)
            .map(|value| Number::Integer(value.to_string()))
            .ok_or_else(|| invalid(token));
    }
    match integer(token) {
        Integer::Fits(value) => Ok(Number::Integer(value.to_string())),
        Integer::Overflows if token.len() > LONGEST_INTEGER => {
            Err(format!("JSON integer {token} is too large to parse."))
        }
        Integer::Overflows => Ok(Number::Integer(without_leading_zeros(token))),
        Integer::Invalid => float(token).map(Number::Float).ok_or_else(|| invalid(token)),
    }
}

fn invalid(token: &str) -> String {
    format!("Input string '{token}' is not a valid number.")
}

/// Hexadecimal after `0x`, otherwise octal; both wrap into the sign as `Convert.ToInt64` does.
fn other_base(token: &str) -> Option<i64> {
    let hexadecimal = token.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
    let (digits, radix) = if hexadecimal { (&token[2..], 16) } else { (token, 8) };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| char::from(byte).is_digit(radix));
    let value = if plain { u64::from_str_radix(digits, radix).ok()? } else { return None };
    Some(i64::from_ne_bytes(value.to_ne_bytes()))
}

enum Integer {
    Fits(i64),
    Overflows,
    Invalid,
}

/// Json.NET's own parser, with its way of noticing an overflow.
fn integer(token: &str) -> Integer {
    let negative = token.starts_with('-');
    let digits = token.strip_prefix('-').unwrap_or(token);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Integer::Invalid;
    }
    let mut value: i64 = 0;
    for byte in digits.bytes() {
        let next = value.wrapping_mul(10).wrapping_sub(i64::from(byte - b'0'));
        if next > value {
            return Integer::Overflows;
        }
        value = next;
    }
    if negative {
        return Integer::Fits(value);
    }
    value.checked_neg().map_or(Integer::Overflows, Integer::Fits)
}

fn without_leading_zeros(token: &str) -> String {
    let (sign, digits) = token.strip_prefix('-').map_or(("", token), |digits| ("-", digits));
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() { "0".to_owned() } else { format!("{sign}{digits}") }
}

/// `double.TryParse` of .NET Framework: what overflows is no number.
fn float(token: &str) -> Option<f64> {
    let unsigned = token.strip_prefix('-').unwrap_or(token);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.is_empty() || !all_digits(digits) {
            return None;
        }
    }
    token.parse().ok().filter(|value: &f64| value.is_finite())
}

/// `double.ToString()` of .NET Framework: 15 digits, scientific outside 1E-05 to 1E+15.
pub(super) fn print(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() };
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{:.14e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is an integer");
    let digits = mantissa.replace('.', "");
    let digits = digits.trim_end_matches('0');
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", place_point(digits, exponent))
}

fn place_point(digits: &str, exponent: i32) -> String {
    if exponent >= 15 || exponent <= -5 {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{first}{point}{rest}E{sign}{:02}", exponent.unsigned_abs());
    }
    let Ok(whole) = usize::try_from(exponent + 1) else {
        return format!("0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1));
    };
    if whole == 0 {
        return format!("0.{digits}");
    }
    if digits.len() <= whole {
        return format!("{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{}.{}", &digits[..whole], &digits[whole..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(token: &str) -> String {
        match read(token) {
            Ok(Number::Integer(text)) => text,
            Ok(Number::Float(value)) => print(value),
            Err(message) => message,
        }
    }

    #[test]
    fn numbers_are_normalized() {
        let cases = [
            ("1.50", "1.5"),
            ("010", "8"),
            ("0x10", "16"),
            ("1E3", "1000"),
            ("007", "7"),
            ("-0", "0"),
            ("0.10", "0.1"),
            ("-007", "-7"),
            ("1e14", "100000000000000"),
            ("1e15", "1E+15"),
            ("0.0001", "0.0001"),
            ("0.00001", "1E-05"),
            ("123456789.123456789", "123456789.123457"),
            ("0xFFFFFFFFFFFFFFFF", "-1"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-12.5e-7", "-1.25E-06"),
            ("9223372036854775808", "9223372036854775808"),
        ];
        for (token, expected) in cases {
            assert_eq!(text(token), expected, "{token}");
        }
    }

    #[test]
    fn some_numbers_are_none() {
        for token in ["09", "1e400", "0x", "1-2", "--1", "1.2.3", "-", "1e", "1f", "0-1"] {
            assert_eq!(text(token), format!("Input string '{token}' is not a valid number."));
        }
    }
}
