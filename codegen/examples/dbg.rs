//! debug
fn main(){ let t=std::env::args().nth(1).unwrap(); let (i,f)=probity_codegen::syntax::parse(probity_codegen::FileId(0),&t); println!("{i:#?}\n{f:#?}"); }
