//! The systems that find domains. Each is a folder with what makes it what it is: parameters, model, schedule, losses. No
//! system knows another.

pub mod spacross;
pub mod spalora;
