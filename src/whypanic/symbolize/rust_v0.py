"""Names of Rust functions in mangling v0 (`_RNv...`), read by one grammar and written in the source's words.

Source: RFC 2603 of Rust, from memory; held against llvm-cxxfilt 19 over the 2,500 names in the libraries of Rust 1.95:
the same, but that this writes letters in constants where that writes their numbers.
"""

from collections.abc import Callable

_MAX_OUTPUT = 16384
_MAX_STEPS = 20000
_MAX_DEPTH = 120
"""References back make short names stand for long ones: all of it is bounded."""
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASIC = {
    "a": "i8",
    "b": "bool",
    "c": "char",
    "d": "f64",
    "e": "str",
    "f": "f32",
    "h": "u8",
    "i": "isize",
    "j": "usize",
    "l": "i32",
    "m": "u32",
    "n": "i128",
    "o": "u128",
    "p": "_",
    "s": "i16",
    "t": "u16",
    "u": "()",
    "v": "...",
    "x": "i64",
    "y": "u64",
    "z": "!",
}
_INTEGERS = frozenset("ahijlmnostxy")
_SPECIAL = {"C": "closure", "S": "shim"}


class _NotMangledError(Exception):
    """What was read cannot be such a name."""


def read_v0(name: str) -> str | None:
    """Return the name in the source's words, hashes of crates left out; None where it cannot be one.

    :param name: mangled, without `_R` and without what the compiler has put behind it.
    """
    if not name or not name[0].isupper():
        return None
    reader = _V0(name)
    try:
        reader.path(in_value=True)
        if reader.at < len(name):
            reader.unprinted(reader.skip_path)
        if reader.at < len(name):
            return None
    except (_NotMangledError, RecursionError):
        return None
    return "".join(reader.out)


class _V0:
    """A reader of one name, which writes as it reads."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0
        self.out: list[str] = []
        self._n_written = 0
        self._silent = False
        self._steps = 0
        self._depth = 0
        self._bound = 0
        """Lifetimes that `for<...>` around this place names."""

    # Characters

    def _peek(self) -> str:
        return self._text[self.at : self.at + 1]

    def _take(self) -> str:
        if self.at >= len(self._text):
            raise _NotMangledError
        self.at += 1
        return self._text[self.at - 1]

    def _eat(self, character: str) -> bool:
        if self._peek() != character:
            return False
        self.at += 1
        return True

    def _write(self, text: str) -> None:
        if self._silent:
            return
        self._n_written += len(text)
        if self._n_written > _MAX_OUTPUT:
            raise _NotMangledError
        self.out.append(text)

    def unprinted(self, read: Callable[[], None]) -> None:
        """Read something without writing it."""
        silent, self._silent = self._silent, True
        read()
        self._silent = silent

    def _enter(self) -> None:
        self._steps += 1
        self._depth += 1
        if self._steps > _MAX_STEPS or self._depth > _MAX_DEPTH:
            raise _NotMangledError

    # Numbers and identifiers

    def _base62(self) -> int:
        if self._eat("_"):
            return 0
        value = 0
        while not self._eat("_"):
            digit = _ALPHABET.find(self._take())
            if digit < 0 or value >> 64:
                raise _NotMangledError
            value = value * 62 + digit
        return value + 1

    def _optional62(self, tag: str) -> int:
        return self._base62() + 1 if self._eat(tag) else 0

    def _decimal(self) -> int:
        if self._eat("0"):
            return 0
        start = self.at
        while self._peek().isdigit() and self.at - start < 6:
            self.at += 1
        if start == self.at:
            raise _NotMangledError
        return int(self._text[start : self.at])

    def _identifier(self) -> str:
        is_unicode = self._eat("u")
        length = self._decimal()
        self._eat("_")
        word = self._text[self.at : self.at + length]
        if len(word) != length:
            raise _NotMangledError
        self.at += length
        return _unicode(word) if is_unicode else word

    def _back(self, read: Callable[[], None]) -> None:
        """Read what an earlier place of the name holds."""
        here = self.at - 1
        target = self._base62()
        if target >= here:
            raise _NotMangledError
        if self._silent:
            return
        after, self.at = self.at, target
        read()
        self.at = after

    # Paths

    def path(self, *, in_value: bool, is_open: bool = False) -> bool:
        """Read a path and write it.

        :param is_open: leave the last `<...>` open for what follows.
        :return: whether it is open.
        """
        self._enter()
        opened = False
        match self._take():
            case "C":
                self._optional62("s")
                self._write(self._identifier())
            case "M":
                self._impl_path()
                self._write("<")
                self.type()
                self._write(">")
            case "X":
                self._impl_path()
                self._as_trait()
            case "Y":
                self._as_trait()
            case "N":
                self._nested(in_value)
            case "I":
                self.path(in_value=in_value)
                self._write("::<" if in_value else "<")
                self._list(self._generic)
                if is_open:
                    opened = True
                else:
                    self._write(">")
            case "B":
                answers: list[bool] = []
                self._back(lambda: answers.append(self.path(in_value=in_value, is_open=is_open)))
                opened = any(answers)
            case _:
                raise _NotMangledError
        self._depth -= 1
        return opened

    def _impl_path(self) -> None:
        self._optional62("s")
        self.unprinted(self.skip_path)

    def skip_path(self) -> None:
        """Read a path that says where something was compiled, not what it is called."""
        self.path(in_value=False)

    def _as_trait(self) -> None:
        self._write("<")
        self.type()
        self._write(" as ")
        self.path(in_value=False)
        self._write(">")

    def _nested(self, in_value: bool) -> None:
        space = self._take()
        if not space.isalpha():
            raise _NotMangledError
        self.path(in_value=in_value)
        number = self._optional62("s")
        name = self._identifier()
        if space.isupper():
            kind = _SPECIAL.get(space, space)
            self._write(f"::{{{kind}{f':{name}' if name else ''}#{number}}}")
        elif name:
            self._write(f"::{name}")

    def _list(self, read: Callable[[], None], separator: str = ", ") -> int:
        count = 0
        while not self._eat("E"):
            if count:
                self._write(separator)
            read()
            count += 1
        return count

    def _generic(self) -> None:
        if self._eat("L"):
            self._lifetime(self._base62())
        elif self._eat("K"):
            self._constant()
        else:
            self.type()

    def _lifetime(self, number: int) -> None:
        if number > self._bound:
            raise _NotMangledError
        self._write(_lifetime_name(self._bound - number) if number else "'_")

    def _binder(self) -> int:
        """Return how many lifetimes are named here."""
        count = self._optional62("G")
        if count > 64:
            raise _NotMangledError
        if count:
            names = ", ".join(_lifetime_name(self._bound + i) for i in range(count))
            self._write(f"for<{names}> ")
            self._bound += count
        return count

    # Types

    def type(self) -> None:
        """Read a type and write it."""
        self._enter()
        tag = self._take()
        if tag in _BASIC:
            self._write(_BASIC[tag])
        elif tag in "AS":
            self._write("[")
            self.type()
            if tag == "A":
                self._write("; ")
                self._constant()
            self._write("]")
        elif tag == "T":
            self._write("(")
            self._write(",)" if self._list(self.type) == 1 else ")")
        elif tag in "RQ":
            self._write("&")
            if self._eat("L") and (number := self._base62()):
                self._lifetime(number)
                self._write(" ")
            self._write("mut " if tag == "Q" else "")
            self.type()
        elif tag in "PO":
            self._write("*const " if tag == "P" else "*mut ")
            self.type()
        elif tag == "F":
            self._function()
        elif tag == "D":
            self._dynamic()
        elif tag == "B":
            self._back(self.type)
        else:
            self.at -= 1
            self.path(in_value=False)
        self._depth -= 1

    def _function(self) -> None:
        count = self._binder()
        self._write("unsafe " if self._eat("U") else "")
        if self._eat("K"):
            abi = "C" if self._eat("C") else self._identifier().replace("_", "-")
            self._write(f'extern "{abi}" ')
        self._write("fn(")
        self._list(self.type)
        self._write(")")
        if not self._eat("u"):
            self._write(" -> ")
            self.type()
        self._bound -= count

    def _dynamic(self) -> None:
        self._write("dyn ")
        count = self._binder()
        self._list(self._trait, " + ")
        self._bound -= count
        if not self._eat("L"):
            raise _NotMangledError
        if number := self._base62():
            self._write(" + ")
            self._lifetime(number)

    def _trait(self) -> None:
        opened = self.path(in_value=False, is_open=True)
        while self._eat("p"):
            self._write(", " if opened else "<")
            opened = True
            self._write(f"{self._identifier()} = ")
            self.type()
        self._write(">" if opened else "")

    # Constants

    def _constant(self) -> None:
        self._enter()
        tag = self._take()
        if tag == "p":
            self._write("_")
        elif tag == "B":
            self._back(self._constant)
        elif tag in _INTEGERS:
            self._write("-" if self._eat("n") else "")
            digits = self._hex()
            number = int(digits or "0", 16)
            self._write(str(number) if len(digits) <= 16 else f"0x{digits}")
        elif tag == "b":
            if (digits := self._hex()) not in ("0", "1"):
                raise _NotMangledError
            self._write("true" if digits == "1" else "false")
        elif tag == "c":
            self._write(_character(self._hex()))
        else:
            raise _NotMangledError
        self._depth -= 1

    def _hex(self) -> str:
        end = self._text.find("_", self.at)
        digits = self._text[self.at : end]
        if end < 0 or not digits or not set(digits) <= set(_ALPHABET[:16]):
            raise _NotMangledError
        self.at = end + 1
        return digits if digits == "0" else digits.lstrip("0") or "0"


def _unicode(word: str) -> str:
    plain, mark, rest = word.rpartition("_")
    try:
        return (plain + "-" * bool(mark) + rest).encode().decode("punycode")
    except (UnicodeError, ValueError, IndexError) as error:
        raise _NotMangledError from error


def _lifetime_name(depth: int) -> str:
    return f"'{chr(ord('a') + depth)}" if depth < 26 else f"'z{depth - 25}"


def _character(digits: str) -> str:
    number = int(digits, 16)
    if number > 0x10FFFF or 0xD800 <= number < 0xE000:
        raise _NotMangledError
    letter = chr(number)
    named = {"\t": r"\t", "\r": r"\r", "\n": r"\n", "'": r"\'", "\\": r"\\"}
    if letter in named:
        return f"'{named[letter]}'"
    return f"'{letter}'" if letter.isprintable() else f"'\\u{{{number:x}}}'"
