//! Edges that copies of phis have no place on.

use super::ir::{Func, Term};

/// Puts a block on every edge that leads from a block with other ways on to one with phis and other
/// ways in.
pub(super) fn split_edges(func: &mut Func) {
    for block in 0..func.blocks.len() {
        let term = func.blocks[block].term;
        if !matches!(term, Term::Branch(..) | Term::TailCall { .. }) {
            continue;
        }
        let mut new = term;
        new.retarget(|next| {
            if func.blocks[next as usize].phis.is_empty() {
                return next;
            }
            let between = func.add_block(Term::Jump(next));
            func.blocks[between as usize].preds.push(block as u32);
            for pred in &mut func.blocks[next as usize].preds {
                if *pred == block as u32 {
                    *pred = between;
                }
            }
            between
        });
        func.blocks[block].term = new;
    }
}
