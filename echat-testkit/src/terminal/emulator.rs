//! A terminal as a program's bytes make it look.

use std::num::NonZeroU16;

use vt100::{Parser, Screen};

use super::requested::Requested;

/// Rows that are remembered above the screen.
const SCROLLBACK: usize = 200;

/// A terminal.
pub struct Emulator(Parser<Requested>);

fn nonzero(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has a size")
}

impl Emulator {
    /// An empty one of so many columns and rows.
    pub fn new(cols: u16, rows: u16) -> Self {
        let asked = Requested::default();
        let (cols, rows) = (nonzero(cols), nonzero(rows));
        Self(Parser::new_with_callbacks(rows, cols, SCROLLBACK, asked))
    }

    /// Shows what a program has written.
    pub fn shows(&mut self, bytes: &[u8]) {
        self.0.process(bytes);
    }

    /// Gives it another size.
    pub fn resizes(&mut self, cols: u16, rows: u16) {
        self.0.set_size(nonzero(rows), nonzero(cols));
    }

    /// What it shows.
    pub fn screen(&self) -> &Screen {
        self.0.screen()
    }

    /// What programs have requested of it.
    pub fn requested(&self) -> &Requested {
        self.0.callbacks()
    }

    /// What it was asked for since the last look.
    pub fn take_requests(&mut self) -> Vec<String> {
        std::mem::take(&mut self.0.callbacks_mut().log)
    }

    /// What it has to say to the program.
    pub fn take_answers(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0.callbacks_mut().answers)
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        let (rows, cols) = self.screen().size();
        (cols.get(), rows.get())
    }

    /// The rows, without spaces at their ends.
    pub fn rows(&self) -> Vec<String> {
        let rows = self.screen().rows(0, self.size().0);
        rows.map(|row| row.trim_end().to_owned()).collect()
    }

    /// One of them.
    pub fn row(&self, row: usize) -> String {
        let mut rows = self.screen().rows(0, self.size().0);
        let shown = rows.nth(row).expect("it is on the screen");
        shown.trim_end().to_owned()
    }

    /// The row that the cursor stands in, and its column.
    pub fn place(&self) -> (usize, usize) {
        let (row, col) = self.screen().cursor_position();
        (row.into(), col.into())
    }

    /// What stands from the row that begins with this down to the end of what is shown, joined:
    /// a prompt with its line, however many rows they take.
    pub fn rest_from(&self, begin: &str) -> Option<String> {
        let rows: Vec<String> = self.screen().rows(0, self.size().0).collect();
        let at = rows.iter().rposition(|row| row.starts_with(begin))?;
        Some(rows[at..].concat().trim_end().to_owned())
    }

    /// All that outlasts what is shown: modes, the style of what would come next, the title.
    pub fn modes(&self) -> String {
        let screen = self.screen();
        format!(
            "{:?} {:?} alternate {} hidden {} cursor {:?} title {:?}",
            screen.input_mode_formatted(),
            screen.attributes_formatted(),
            screen.alternate_screen(),
            screen.hide_cursor(),
            screen.cursor_style(),
            self.requested().title,
        )
    }
}
