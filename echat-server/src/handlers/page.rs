//! Lists that may be longer than a reply: the reply contains the items that fit.

use echat_proto::limits::VALUES;

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
