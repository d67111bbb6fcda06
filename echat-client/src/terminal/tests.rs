//! Keys from bytes, screens from lines, and a terminal that is given back.

mod burst;
mod decoder;
mod guard;
mod hostile;
mod property;
mod screen;
