//! The echat server: one reactor over every channel, its state, and its database.

pub mod store;
