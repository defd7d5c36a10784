//! The kill table.
