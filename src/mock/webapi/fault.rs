//! An exception of a reader: its type, its message, and whether the input simply ended.

/// Why reading stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The name of the exception's type.
    pub(super) exception: &'static str,
    /// Its message.
    pub(super) message: String,
    /// The input ended before the document did.
    pub(super) ended: bool,
}

impl Fault {
    pub(super) fn new(exception: &'static str, message: impl Into<String>) -> Fault {
        Fault { exception, message: message.into(), ended: false }
    }

    pub(super) fn decoder(message: impl Into<String>) -> Fault {
        Fault::new("DecoderFallbackException", message)
    }
}
