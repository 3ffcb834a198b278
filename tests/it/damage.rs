//! A damaged journal is recovered exactly, or refused. `examples/damage.rs` tries more of the same.

use crate::support::{Folder, say};

#[test]
fn damage_is_recovered_from_or_refused() {
    let folder = Folder::new();
    let damages = pointsman::demo::damage(&folder.join("d"), 200, 7, &mut |_| {}).unwrap();
    say(&format!("damages of a journal: {:?} recovered, held, refused", damages.totals()));
    let [recovered, held, refused] = damages.totals();
    assert!(recovered > 10 && held > 0 && refused > 30, "{damages:?}");
}
