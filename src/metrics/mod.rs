mod meter;
mod results;
pub use meter::*;
pub use results::*;
