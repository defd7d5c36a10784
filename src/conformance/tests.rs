//! Judges, references and evidence on literal answers.
