//! What only some systems have, laid out as in `std::os`.

pub mod unix;
