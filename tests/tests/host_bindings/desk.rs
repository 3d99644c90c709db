//! A platform with a callable for each sort of argument and result, and a host of it.

use probity::host::{Bytes, BytesMut, ContextOf, Errno, Guest, Handle, HostRun, Map, Shared, SharedBytes};

probity::spec! {
    platform desk;
    use core::{ scalars, memory, context, ints, objects, stack_objects, functions, maps::{ array, helpers, tail_calls } };
    policy { allow loops; }

    argclass ARG_BYTES_WANTED: alloc_size;

    struct pair { one, two: u32; sum: u64; }

    view call size 32 {
        input: u64;
        result: u64 read write;
        /// The host has it in 8 bytes.
        wide: u32 host u64 read write;
        /// The host has none.
        absent: u32 host none read write;
        last: u64 read write;
    }

    object row { id: u64; amount: u64 read write; flags: u32 read write; }
    object cursor { rows: u64; }
    stack_object walk size 16 { prints "walk"; state active owned; state drained owned; }

    callback visit { sync; r1 = row; r2 = caller.ctx; returns 0..=1; }
    callback count { sync; r1 = SCALAR_VALUE; r2 = caller.ctx; returns 0..=10; }

    helper add_to = 100 { proto (ctx: ARG_PTR_TO_CTX, by: ARG_ANYTHING) -> RET_INTEGER; }
    helper sum_small = 101 { proto (of: ARG_PTR_TO_MEM(8) | MEM_RDONLY) -> RET_INTEGER; }
    helper add_pair = 102 { proto (of: ARG_PTR_TO_MEM(pair) | MEM_WRITE) -> RET_VOID; }
    helper make_pair = 103 {
        proto (to: ARG_PTR_TO_MEM(pair) | MEM_UNINIT | MEM_WRITE, fill: ARG_ANYTHING) -> RET_VOID;
    }
    helper sum_large = 104 { proto (of: ARG_PTR_TO_MEM(100) | MEM_RDONLY) -> RET_INTEGER; }
    helper fill_large = 105 {
        proto (to: ARG_PTR_TO_MEM(100) | MEM_UNINIT | MEM_WRITE, with: ARG_ANYTHING) -> RET_VOID;
    }
    helper sum_slice = 106 { proto (of: ARG_PTR_TO_MEM | MEM_RDONLY, size: ARG_CONST_SIZE_OR_ZERO) -> RET_INTEGER; }
    helper flip_slice = 107 { proto (of: ARG_PTR_TO_MEM | MEM_WRITE, size: ARG_CONST_SIZE) -> RET_VOID; }
    helper write_slice = 108 {
        proto (to: ARG_PTR_TO_MEM | MEM_UNINIT | MEM_WRITE, size: ARG_CONST_SIZE, most: ARG_ANYTHING) -> RET_VOID;
    }
    helper maybe_slice = 109 {
        proto (of: ARG_PTR_TO_MEM | MEM_RDONLY | PTR_MAYBE_NULL, size: ARG_CONST_SIZE_OR_ZERO) -> RET_INTEGER;
    }
    helper maybe_pair = 110 { proto (of: ARG_PTR_TO_MEM(pair) | MEM_WRITE | PTR_MAYBE_NULL) -> RET_INTEGER; }
    helper map_bump = 111 { proto (map: ARG_CONST_MAP_PTR, by: ARG_ANYTHING) -> RET_INTEGER; }
    helper bytes_always = 112 { proto (seed: ARG_ANYTHING) -> RET_PTR_TO_MEM; returns bytes 16; lifetime run; }
    helper bytes_maybe = 113 {
        proto (size: ARG_BYTES_WANTED) -> RET_PTR_TO_MEM | PTR_MAYBE_NULL;
        returns bytes size.const;
        lifetime until rows_move;
    }
    helper pair_get = 114 { proto () -> RET_PTR_TO_MEM(pair); lifetime run; }
    helper status = 115 { proto (what: ARG_ANYTHING) -> RET_INTEGER; returns -4095..=100; }
    helper roll = 116 { proto (sides: ARG_SCALAR) -> RET_INTEGER; returns 1..=sides.umax; }

    kfunc take_narrow { proto (a: u8, b: s8, c: u16, d: s16, e: bool) -> s64; }
    kfunc take_wide { proto (a: u32, b: s32, c: u64, d: s64) -> u64; }
    kfunc as_u8 { proto (v: u64) -> u8; }
    kfunc as_s8 { proto (v: u64) -> s8; }
    kfunc as_u16 { proto (v: u64) -> u16; }
    kfunc as_s16 { proto (v: u64) -> s16; }
    kfunc as_u32 { proto (v: u64) -> u32; }
    kfunc as_s32 { proto (v: u64) -> s32; }

    kfunc row_get { proto (id: u64) -> row | PTR_MAYBE_NULL; lifetime until rows_move; }
    kfunc row_must { proto (id: u64) -> row; lifetime run; }
    kfunc row_id { proto (row: row | PTR_MAYBE_NULL) -> u64; }
    kfunc rows_move { proto () -> void; }
    kfunc cursor_open { flags KF_ACQUIRE | KF_RET_NULL; proto (rows: u64) -> cursor; }
    kfunc cursor_rows { proto (cursor: cursor) -> u64; }
    kfunc cursor_close { flags KF_RELEASE; proto (cursor: cursor) -> void; }
    kfunc walk_new { flags KF_ITER_NEW; proto (it: walk | MEM_UNINIT, from: u32) -> s32; }
    kfunc walk_next { flags KF_ITER_NEXT | KF_RET_NULL; proto (it: walk) -> row; lifetime until walk_next; }
    /// Uses a walk while it calls back.
    kfunc walk_with {
        proto (it: walk, visit: ARG_PTR_TO_FUNC, ctx: ARG_PTR_TO_STACK | PTR_MAYBE_NULL) -> u64;
        calls visit as visit;
    }
    kfunc walk_destroy { flags KF_ITER_DESTROY; proto (it: walk) -> void; }
    kfunc each {
        proto (most: u32, visit: ARG_PTR_TO_FUNC, ctx: ARG_PTR_TO_STACK | PTR_MAYBE_NULL) -> s64;
        calls visit as visit up_to most.umax;
    }
    /// Has a row while it calls back.
    kfunc each_with {
        proto (row: row, visit: ARG_PTR_TO_FUNC, ctx: ARG_PTR_TO_STACK | PTR_MAYBE_NULL) -> u64;
        calls visit as visit;
    }
    /// The same of a cursor.
    kfunc cursor_with {
        proto (cursor: cursor, visit: ARG_PTR_TO_FUNC, ctx: ARG_PTR_TO_STACK | PTR_MAYBE_NULL) -> u64;
        calls visit as visit;
    }
    kfunc tally {
        proto (count: ARG_PTR_TO_FUNC, ctx: ARG_PTR_TO_STACK | PTR_MAYBE_NULL) -> u64;
        calls count as count;
    }
    kfunc boom { proto () -> void; }
    kfunc stop { proto () -> void; }

    prog_type function = 1 { ctx call; helpers all; kfuncs all; section "function"; }
}

/// A host that notes what is asked of it.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) rows: Vec<Shared<Row>>,
    /// Cursors that are open; walks too.
    pub(crate) open: Vec<u64>,
    pub(crate) log: Vec<String>,
    /// The method that panics.
    pub(crate) panics: &'static str,
    /// What `roll` and `status` give.
    pub(crate) number: i64,
    /// How many bytes too few memory has.
    pub(crate) short: usize,
    /// How often `each` calls back, whatever it may.
    pub(crate) times: Option<u32>,
    /// Rows are made anew when they are asked for, and nobody else keeps them.
    pub(crate) fresh: bool,
    pub(crate) next: u64,
    /// Functions of the program get another host, which is there as long as the call.
    pub(crate) lends_other: bool,
}

impl Desk {
    /// With rows.
    pub(crate) fn with_rows(count: u64) -> Desk {
        let rows = (0..count).map(|id| Row { id, amount: 10 * id, flags: 0 });
        Desk { rows: Shared::array(rows), number: 1, ..Desk::default() }
    }

    fn enter(&mut self, method: &'static str, what: impl std::fmt::Display) {
        self.log.push(format!("{method}({what})"));
        assert!(self.panics != method, "as asked");
    }

    fn row(&self, id: u64) -> Option<Shared<Row>> {
        match self.fresh {
            true => Some(Shared::new(Row { id, amount: 10 * id, flags: 0 })),
            false => self.rows.get(id as usize).cloned(),
        }
    }
}

/// The sum of bytes.
fn sum(bytes: Bytes<'_>) -> i64 {
    bytes.to_vec().iter().map(|&byte| i64::from(byte)).sum()
}

type R<'a, 'b> = &'a mut HostRun<'b>;

impl Host for Desk {
    type Walk = (u64, usize);

    fn add_to(&mut self, _run: R<'_, '_>, ctx: ContextOf<'_, Call>, by: u64) -> Result<i64, Errno> {
        let mut call = ctx.get();
        let old = call.result;
        call.result += by;
        call.wide += u64::from(u32::MAX);
        ctx.set(&call);
        ctx.store(Call::LAST, &(call.last + 1));
        Ok(old as i64)
    }

    fn sum_small(&mut self, _run: R<'_, '_>, of: [u8; 8]) -> Result<i64, Errno> {
        Ok(of.iter().map(|&byte| i64::from(byte)).sum())
    }

    fn add_pair(&mut self, _run: R<'_, '_>, of: &mut Pair) {
        of.sum = u64::from(of.one) + u64::from(of.two);
    }

    fn make_pair(&mut self, _run: R<'_, '_>, to: &mut Pair, fill: u64) {
        self.log.push(format!("{to:?}"));
        if fill != 0 {
            *to = Pair { one: 1, two: 2, sum: fill };
        }
    }

    fn sum_large(&mut self, _run: R<'_, '_>, of: Bytes<'_>) -> Result<i64, Errno> {
        assert_eq!(of.len(), 100);
        Ok(sum(of))
    }

    fn fill_large(&mut self, _run: R<'_, '_>, to: BytesMut<'_>, with: u64) {
        self.log.push(format!("{}", sum(to.bytes())));
        to.write(&[with as u8; 50]);
    }

    fn sum_slice(&mut self, _run: R<'_, '_>, of: Bytes<'_>) -> Result<i64, Errno> {
        Ok(sum(of) + 1000 * of.len() as i64)
    }

    fn flip_slice(&mut self, _run: R<'_, '_>, of: BytesMut<'_>) {
        let flipped: Vec<u8> = of.bytes().to_vec().iter().map(|byte| !byte).collect();
        // More than fits is left out.
        assert_eq!(of.write(&[&flipped[..], &[7; 64]].concat()), of.len());
    }

    fn write_slice(&mut self, _run: R<'_, '_>, to: BytesMut<'_>, most: u64) {
        let count = to.len().min(most as usize);
        to.write(&vec![9; count]);
    }

    fn maybe_slice(&mut self, _run: R<'_, '_>, of: Option<Bytes<'_>>) -> Result<i64, Errno> {
        Ok(of.map_or(-1, |of| of.len() as i64))
    }

    fn maybe_pair(&mut self, _run: R<'_, '_>, of: Option<&mut Pair>) -> Result<i64, Errno> {
        let pair = of.ok_or(Errno::EFAULT)?;
        pair.one += 1;
        Ok(pair.one.into())
    }

    fn map_bump(&mut self, _run: R<'_, '_>, map: &Map, by: u64) -> Result<i64, Errno> {
        let key = 0_u32.to_le_bytes();
        let old = u64::from_le_bytes(map.get(&key)?[..8].try_into().expect("8 bytes"));
        map.update(&key, &[(old + by).to_le_bytes(), [0; 8]].concat(), 0)?;
        Ok(old as i64)
    }

    fn bytes_always(&mut self, _run: R<'_, '_>, seed: u64) -> SharedBytes {
        SharedBytes::new(&vec![seed as u8; 16 - self.short])
    }

    fn bytes_maybe(&mut self, _run: R<'_, '_>, size: u64) -> Option<SharedBytes> {
        (size != 13).then(|| SharedBytes::new(&vec![3; size as usize - self.short]))
    }

    fn pair_get(&mut self, _run: R<'_, '_>) -> Shared<Pair> {
        Shared::new(Pair { one: 5, two: 6, sum: 7 })
    }

    fn status(&mut self, _run: R<'_, '_>, what: u64) -> Result<i64, Errno> {
        match what {
            0 => Err(Errno::EBUSY),
            1 => Ok(100),
            _ => Ok(self.number),
        }
    }

    fn roll(&mut self, _run: R<'_, '_>, sides: u64) -> i64 {
        if self.number == 0 { sides as i64 + 1 } else { self.number }
    }

    fn take_narrow(&mut self, _run: R<'_, '_>, a: u8, b: i8, c: u16, d: i16, e: u8) -> Result<i64, Errno> {
        self.log.push(format!("{a} {b} {c} {d} {e}"));
        Ok(i64::from(b) + i64::from(d))
    }

    fn take_wide(&mut self, _run: R<'_, '_>, a: u32, b: i32, c: u64, d: i64) -> u64 {
        self.log.push(format!("{a} {b} {c} {d}"));
        u64::MAX
    }

    fn as_u8(&mut self, _run: R<'_, '_>, v: u64) -> u8 {
        v as u8
    }

    fn as_s8(&mut self, _run: R<'_, '_>, v: u64) -> Result<i8, Errno> {
        Ok(v as i8)
    }

    fn as_u16(&mut self, _run: R<'_, '_>, v: u64) -> u16 {
        v as u16
    }

    fn as_s16(&mut self, _run: R<'_, '_>, v: u64) -> Result<i16, Errno> {
        Ok(v as i16)
    }

    fn as_u32(&mut self, _run: R<'_, '_>, v: u64) -> u32 {
        v as u32
    }

    fn as_s32(&mut self, _run: R<'_, '_>, v: u64) -> Result<i32, Errno> {
        Ok(v as i32)
    }

    fn row_get(&mut self, _run: R<'_, '_>, id: u64) -> Option<Shared<Row>> {
        self.enter("row_get", id);
        self.row(id)
    }

    fn row_must(&mut self, _run: R<'_, '_>, id: u64) -> Shared<Row> {
        self.row(id).expect("a row")
    }

    fn row_id(&mut self, _run: R<'_, '_>, row: Option<Guest<'_, Row>>) -> u64 {
        row.map_or(u64::MAX, |row| row.load(Row::ID))
    }

    fn rows_move(&mut self, _run: R<'_, '_>) {
        self.enter("rows_move", "");
    }

    fn cursor_open(&mut self, _run: R<'_, '_>, rows: u64) -> Option<Handle<Cursor>> {
        self.enter("cursor_open", rows);
        if rows == 99 {
            return None;
        }
        self.next += 1;
        self.open.push(self.next);
        Some(Handle::with_token(Cursor { rows }, self.next))
    }

    fn cursor_rows(&mut self, _run: R<'_, '_>, cursor: Guest<'_, Cursor>) -> u64 {
        cursor.get().rows
    }

    fn cursor_close(&mut self, _run: R<'_, '_>, cursor: Handle<Cursor>) {
        let token = cursor.token();
        self.enter("cursor_close", token);
        let at = self.open.iter().position(|open| *open == token).expect("it is open");
        self.open.remove(at);
    }

    fn walk_new(&mut self, _run: R<'_, '_>, from: u32) -> Result<(u64, usize), Errno> {
        self.enter("walk_new", from);
        if from == 99 {
            return Err(Errno::ENOENT);
        }
        self.next += 1;
        self.open.push(self.next);
        Ok((self.next, from as usize))
    }

    fn walk_next(&mut self, _run: R<'_, '_>, it: &mut (u64, usize)) -> Option<Shared<Row>> {
        self.enter("walk_next", it.1);
        it.1 += 1;
        self.rows.get(it.1 - 1).cloned()
    }

    fn walk_with(&mut self, run: R<'_, '_>, it: &mut (u64, usize), mut visit: Visit<'_>) -> u64 {
        let row = Shared::new(Row { id: 70, amount: 0, flags: 0 });
        let _ = visit.call(self, run, &row);
        it.0
    }

    fn walk_destroy(&mut self, _run: R<'_, '_>, it: (u64, usize)) {
        self.enter("walk_destroy", it.0);
        let at = self.open.iter().position(|open| *open == it.0).expect("it is open");
        self.open.remove(at);
    }

    fn each(&mut self, run: R<'_, '_>, most: u32, mut visit: Visit<'_>) -> Result<i64, Errno> {
        self.enter("each", most);
        let rows = self.rows.clone();
        let times = self.times.unwrap_or(most) as usize;
        for at in 0..times {
            let row = &rows[at % rows.len()];
            if self.lends_other {
                let mut other = Box::new(Desk { next: 100, ..Desk::default() });
                let result = visit.call(other.as_mut(), run, row);
                self.log.push(format!("{:?} {}", other.log, result.is_ok()));
                result?;
                continue;
            }
            match visit.call(self, run, row) {
                Ok(0) => {}
                Ok(_) => return Ok(at as i64 + 1),
                Err(stop) => {
                    assert!(run.has_ended());
                    // Nothing is called any more.
                    assert!(visit.call(self, run, row).is_err());
                    self.log.push("each ends".into());
                    return Err(stop.into());
                }
            }
        }
        Ok(times as i64)
    }

    fn each_with(&mut self, run: R<'_, '_>, row: Guest<'_, Row>, mut visit: Visit<'_>) -> u64 {
        let other = Shared::new(Row { id: 70, amount: 0, flags: 0 });
        let _ = visit.call(self, run, &other);
        // What the program ended meanwhile is there as long as the call.
        row.store(Row::FLAGS, &7);
        self.log.push(format!("{:?}", row.get()));
        row.load(Row::ID)
    }

    fn cursor_with(&mut self, run: R<'_, '_>, cursor: Guest<'_, Cursor>, mut visit: Visit<'_>) -> u64 {
        let other = Shared::new(Row { id: 70, amount: 0, flags: 0 });
        let _ = visit.call(self, run, &other);
        cursor.get().rows + 1000 * cursor.token()
    }

    fn tally(&mut self, run: R<'_, '_>, mut count: Count<'_>) -> u64 {
        (1..=3).filter_map(|number| count.call(self, run, number).ok()).sum()
    }

    fn boom(&mut self, _run: R<'_, '_>) {
        panic!("boom");
    }

    fn stop(&mut self, run: R<'_, '_>) {
        run.end("enough");
        assert!(run.has_ended());
    }
}
