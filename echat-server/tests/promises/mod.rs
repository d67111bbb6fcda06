//! Promises that are better said by a table or a property than by a transcript.
