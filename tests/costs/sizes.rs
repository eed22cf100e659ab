//! How large the handles are.

use parklet::task::{AbortHandle, JoinHandle};

#[test]
fn a_handle_to_a_task_is_one_pointer_whatever_the_task_gives() {
    assert_eq!(size_of::<JoinHandle<()>>(), size_of::<usize>());
    assert_eq!(size_of::<JoinHandle<[u64; 100]>>(), size_of::<usize>());
    assert_eq!(size_of::<Option<JoinHandle<u8>>>(), size_of::<usize>());
    assert_eq!(size_of::<AbortHandle>(), size_of::<usize>());
}
