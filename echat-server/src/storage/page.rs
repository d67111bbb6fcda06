//! Pages of rows: one row more than a page has is read, which shows whether there are more.

/// Rows, and whether there are more behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowPage<T> {
    /// At most as many as were asked for.
    pub rows: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}

impl<T> RowPage<T> {
    /// The page of so many rows, from a query with [`sql_limit_of_page`].
    pub(super) fn of(mut rows: Vec<T>, limit: usize) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        Self { rows, more }
    }
}

/// A number of rows as the LIMIT of a query.
pub(super) fn sql_limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// The LIMIT of a query for a [`RowPage`].
pub(super) fn sql_limit_of_page(rows: usize) -> i64 {
    sql_limit(rows).saturating_add(1)
}
