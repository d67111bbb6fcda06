//! Keys from bytes, screens from lines, and a terminal that is restored.

mod burst;
mod decoder;
mod guard;
mod hostile;
mod property;
mod screen;
