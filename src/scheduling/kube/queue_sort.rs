//! PrioritySort: who is scheduled first (`plugins/queuesort/priority_sort.go` of v1.35).

/// True if a pod of the first priority and time goes before one of the second: the higher
/// priority, and among equals the one that has waited for longer.
pub fn goes_before<T: Ord>(first: (i32, T), second: (i32, T)) -> bool {
    first.0 > second.0 || (first.0 == second.0 && first.1 < second.1)
}
