//! What is put into calls: odd texts, odd values, odd bytes. Nothing that could do harm beyond the call itself: no
//! statement, no command, no address.

use crate::dialect::Codec;

/// Values of slots.
pub(super) const TEXTS: &[&str] = &[
    "", " ", "0", "-1", "7", "00000000", "null", "true", "undefined", "NaN", "Infinity", "1e400",
    "18446744073709551616", "\u{0}", "\u{1}", "a\u{0}b", "\u{8}", "\u{1b}[31m", "\u{7f}", "\u{85}", "\u{a0}",
    "\u{200b}", "\u{202e}abc", "\u{2028}", "\u{feff}", "\u{fffd}", "\u{fffe}", "\u{ffff}", "e\u{301}\u{301}",
    "\u{1f511}", "\u{10ffff}", "é", "İ", "ß", "ﬀ", "..", "../..", "'", "\"", "\\", "\\\\", "%", "%00", "%zz",
    "%s%n", "{}", "[]", "{{7*7}}", "<a>", "</a>", "&amp;", "&x;", "]]>", "<!--", "--", "*", "a=b&c=d", "a;b",
    "\t", "\r\n", "a\r\nb", "System.Object", "[object Object]",
];

/// Bare values in the place of a text.
pub(super) fn bare(codec: Codec) -> &'static [&'static str] {
    match codec {
        Codec::Json => &[
            "0", "-1", "-0", "09", "1.50", "1e400", "-1e400", "0x10", "NaN", "-Infinity", "true", "false",
            "null", "[]", "{}", "[[]]", "[null]", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"",
            "{\"$type\":\"x\"}", "{\"$ref\":\"1\"}", "[\"a\",\"b\"]", "undefined", "'a'", "",
        ],
        Codec::Xml => &[
            "<a/>", "<a><b/></a>", "<![CDATA[]]>", "<![CDATA[a]]>", "<!---->", "&amp;", "&lt;", "&x;", "&#0;",
            "&#x1;", "&#xD800;", "&#xFFFE;", "&#x110000;", "&", "<", "]]>", "<?pi?>", "",
        ],
        Codec::Form => &["", "%", "%zz", "%00", "%C0%AF", "%ED%A0%80", "%u0041", "+", "=", "[]", "%5B%5D"],
    }
}

/// Bytes that mean something to the reader of a format.
pub(super) fn pieces(codec: Codec) -> &'static [&'static [u8]] {
    match codec {
        Codec::Json => &[
            b"{", b"}", b"[", b"]", b"\"", b":", b",", b"\\", b"\\\"", b"\\u0000", b"\\u12", b"\\ud800", b"/**/",
            b"//", b"/*", b"'", b"1e400", b"NaN", b"null", b"\"a\":1,", b"\"\":", b"-", b".", b"{\"a\":{}},",
        ],
        Codec::Xml => &[
            b"<", b">", b"</", b"/>", b"<!--", b"-->", b"<!--x-->", b"<![CDATA[", b"]]>", b"<?pi?>",
            b"<?xml version=\"1.0\"?>", b"<?xml version=\"1.1\"?>", b"&", b"&amp;", b"&#0;", b"&#xD800;", b"&x;",
            b" xmlns=\"\"", b" xmlns:p=\"urn:p\"", b" i:nil=\"true\"", b" a=\"b\"", b"<!DOCTYPE a>", b"<a/>", b"p:",
        ],
        Codec::Form => &[
            b"&", b"=", b"%", b"%zz", b"%00", b"%u0041", b"+", b"[]", b"[a]", b"[", b"]", b";", b"%C0%AF", b"#",
            b"&&", b"&=", b"a=b&",
        ],
    }
}

/// Bytes that mean something to readers of any text.
pub(super) const BYTES: &[&[u8]] = &[
    &[0x00], &[0x01], &[0x1a], &[0x1b], &[0x7f], &[0x80], &[0xff], &[0xc0, 0xaf], &[0xed, 0xa0, 0x80],
    &[0xf0, 0x9f, 0x94, 0x91], &[0xf4, 0x90, 0x80, 0x80], &[0xef, 0xbb, 0xbf], &[0xff, 0xfe], &[0xfe, 0xff],
    b"\r\n", b"\n", b"\t", b" ", &[0xc2], &[0xe2, 0x80],
];

/// Control characters that readers know, or think they know.
pub(super) const CONTROLS: &[u8] = &[0, 1, 4, 8, 9, 10, 13, 0x1a, 0x1b, 0x1f, 0x7f];

/// What begins an escape.
pub(super) fn escape(codec: Codec) -> u8 {
    match codec {
        Codec::Json => b'\\',
        Codec::Xml => b'&',
        Codec::Form => b'%',
    }
}
