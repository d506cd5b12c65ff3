// Functions of Rust in modules, inlined into each other, without the core library. Built by tools/build_line_fixtures.py.
#![feature(no_core, lang_items, rustc_attrs, decl_macro, intrinsics, auto_traits)]
#![no_core]
#![crate_type = "lib"]

#[lang = "pointee_sized"]
pub trait PointeeSized {}
#[lang = "meta_sized"]
pub trait MetaSized: PointeeSized {}
#[lang = "sized"]
pub trait Sized: MetaSized {}
#[lang = "copy"]
pub trait Copy {}
impl Copy for u32 {}
#[lang = "freeze"]
pub unsafe auto trait Freeze {}
#[lang = "legacy_receiver"]
pub trait LegacyReceiver {}
impl<T: PointeeSized> LegacyReceiver for &T {}
#[rustc_builtin_macro]
pub macro asm("assembly template", $(operands,)* $(options($(option),*))?) {}

pub mod sync {
    pub mod lock {
        use crate::*;

        pub struct Lock<T> {
            pub data: T,
        }

        impl<T: Copy> Lock<T> {
            #[inline(never)]
            pub fn get(&self) -> T {
                self.inner()
            }

            #[inline(always)]
            fn inner(&self) -> T {
                pause();
                self.data
            }
        }

        #[inline(always)]
        fn pause() {
            unsafe { asm!("nop") }
        }

        #[inline(never)]
        pub fn read(lock: &Lock<u32>) -> u32 {
            pause();
            lock.inner()
        }

        #[no_mangle]
        pub extern "C" fn entry(lock: &Lock<u32>) -> u32 {
            pause();
            lock.get()
        }
    }
}
