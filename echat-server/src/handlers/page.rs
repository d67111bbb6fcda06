//! Lists that may be longer than a reply: the bounds of a page, and the items that fit.
//!
//! Other lists end at one frame. LIST_MEMBERS of a name has no pages, and 10,000 members fit neither 256 KiB nor 16,384
//! values: online members come first. For the same reason a user has at most 1,000 friends, rooms and requests,
//! whatever config.json says.

use super::Reject;
use echat_proto::limits::{HISTORY_DEFAULT, HISTORY_MAX, LIST_PAGE, VALUES};
use echat_proto::names::NameQuery;

/// The most messages that a page has, by the parameter `limit`.
pub(super) fn of_messages(limit: Option<u64>) -> Result<usize, Reject> {
    bounded(limit.unwrap_or(HISTORY_DEFAULT), HISTORY_MAX)
}

/// The most members or rooms that a page has, by the parameter `limit`.
pub(super) fn of_names(limit: Option<u64>) -> Result<usize, Reject> {
    bounded(limit.unwrap_or(LIST_PAGE), LIST_PAGE)
}

fn bounded(limit: u64, most: u64) -> Result<usize, Reject> {
    if (1..=most).contains(&limit) {
        Ok(usize::try_from(limit).expect("a page is short"))
    } else {
        Err(Reject::bad_params("limit", &format!("must be 1 to {most}")))
    }
}

/// The name behind which a page begins, in its stored form if it is a name.
pub(super) fn begins_behind(after: Option<&str>) -> String {
    let after = after.unwrap_or_default();
    let name = NameQuery::new(after);
    name.key().unwrap_or(after).to_owned()
}

/// Items that one message has values for, each of `values`.
pub(super) fn most(values: usize) -> usize {
    (VALUES - 1) / values
}

/// As many items, from the first, as fit into `bytes` and into the values of one message. Each item counts as `values`.
pub(super) fn fitting<T>(
    items: Vec<T>,
    bytes: usize,
    values: usize,
    size: impl Fn(&T) -> usize,
) -> Vec<T> {
    let mut taken = 0;
    let fits = |item: &T| {
        taken += size(item);
        taken <= bytes
    };
    items
        .into_iter()
        .take(most(values))
        .take_while(fits)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_at_its_bytes_or_its_values() {
        let names = vec!["x"; 20_000];
        assert_eq!(fitting(names.clone(), 100, 1, |_| 30).len(), 3);
        assert_eq!(fitting(names, usize::MAX, 4, |_| 1).len(), (VALUES - 1) / 4);
    }
}
