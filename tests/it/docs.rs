//! Every example in the documents parses; generated documents are current.
