//! A small table engine whose users bring functions of their own: they get rows with types, open cursors
//! that they must close, and are called back for each row.
//! `cargo run -p probity --features jit --example table`
#![forbid(unsafe_code)]

use std::{error::Error, io::Write};

use probity::host::{Errno, Guest, Handle, HostRun, Shared};

/// The platform, from its spec.
pub(crate) mod table {
    probity::platform!("../../spec/examples/table.bpfspec");
}

use table::{Call, Cursor, Row, Visit};

/// The engine: tables of rows, and how many cursors are open.
#[derive(Default)]
pub(crate) struct Engine {
    tables: Vec<Vec<Shared<Row>>>,
    open: usize,
    locked: bool,
}

impl Engine {
    /// One table of five rows.
    pub(crate) fn sample() -> Engine {
        let amounts = [30, 10, 40, 5, 20];
        let rows = (1..).zip(amounts).map(|(id, amount)| Row { id, amount, flags: 0 });
        Engine { tables: vec![Shared::array(rows)], ..Engine::default() }
    }

    /// Copies of all rows.
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.tables.iter().flatten().map(Shared::get).collect()
    }

    fn table(&self, table: u32) -> &[Shared<Row>] {
        self.tables.get(table as usize).map_or(&[], Vec::as_slice)
    }
}

impl table::Host for Engine {
    /// What is behind an iterator on the program's stack: the table, and the next row.
    type RowIter = (u32, usize);

    fn row_get(&mut self, _run: &mut HostRun<'_>, id: u64) -> Option<Shared<Row>> {
        self.tables.iter().flatten().find(|row| row.load(Row::ID) == id).cloned()
    }

    fn cursor_open(&mut self, _run: &mut HostRun<'_>, table: u32) -> Option<Handle<Cursor>> {
        let rows = self.tables.get(table as usize)?.len() as u64;
        self.open += 1;
        // The token is how the cursor is known again.
        Some(Handle::with_token(Cursor { rows }, u64::from(table)))
    }

    fn cursor_close(&mut self, _run: &mut HostRun<'_>, _cursor: Handle<Cursor>) {
        self.open -= 1;
    }

    fn row_iter_new(
        &mut self,
        _run: &mut HostRun<'_>,
        cursor: Guest<'_, Cursor>,
    ) -> Result<(u32, usize), Errno> {
        Ok((cursor.token() as u32, 0))
    }

    fn row_iter_next(&mut self, _run: &mut HostRun<'_>, it: &mut (u32, usize)) -> Option<Shared<Row>> {
        let row = self.table(it.0).get(it.1).cloned();
        it.1 += 1;
        row
    }

    fn row_iter_destroy(&mut self, _run: &mut HostRun<'_>, _it: (u32, usize)) {}

    fn for_each_row(
        &mut self,
        run: &mut HostRun<'_>,
        table: u32,
        most: u32,
        mut visit: Visit<'_>,
    ) -> Result<i64, Errno> {
        let rows: Vec<_> = self.table(table).iter().take(most as usize).cloned().collect();
        let mut seen = 0;
        for row in &rows {
            seen += 1;
            if visit.call(self, run, row)? != 0 {
                break;
            }
        }
        Ok(seen)
    }

    fn table_lock(&mut self, _run: &mut HostRun<'_>, _table: u32) {
        self.locked = true;
    }

    fn table_unlock(&mut self, _run: &mut HostRun<'_>, _table: u32) {
        self.locked = false;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

pub(crate) fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut engine = Engine::sample();
    let functions = table::load(include_bytes!("functions.o"))?;
    let mut call = |name: &str, argument: u32| -> Result<u64, Box<dyn Error>> {
        let function = functions.program(name)?.verify()?.jit()?;
        let mut call = Call { table: 0, argument, ..Call::default() };
        let status = function.run(&mut call, &mut engine)?;
        writeln!(out, "{name}({argument}) = {} (status {status})", call.result)?;
        Ok(call.result)
    };
    assert_eq!(call("total", 0)?, 105);
    assert_eq!(call("raise", 15)?, 2);
    assert_eq!(call("total", 0)?, 120);
    assert_eq!(call("lookup", 4)?, 15);
    assert_eq!(engine.open, 0);
    assert_eq!(engine.rows().iter().map(|row| row.amount).max(), Some(40));

    let leaky = table::load::<Engine>(include_bytes!("leaky.o"))?;
    let refusal = leaky.program("rows")?.refusal().expect("the cursor stays open");
    writeln!(out, "\nleaky.o is refused:\n{refusal}")?;
    Ok(())
}
