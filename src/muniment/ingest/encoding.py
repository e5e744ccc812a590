"""Which encoding a text file has, and a text stream over it that fails with a place instead of a guess.

Rules
1. A byte order mark decides. Then strict UTF-8, then UTF-16 by its NUL bytes, then the legacy code pages.
2. A legacy code page must decode strictly; among those that do, the text with the most frequent characters wins: a
   wrong code page turns 市 and 路 into characters that nobody writes.
3. Detection sees a bounded head; reading is strict to the end. Bytes that do not fit raise `InputError` with the byte
   offset and the line, never a replacement character.
4. A file that begins with the gzip magic is unpacked while it is read, whatever its name says.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TextIO, cast

from muniment.errors import InputError, LimitError, UnreachableError
from muniment.limits import DETECT_BYTES, DETECT_SCAN_BYTES, LINE_CHARACTERS

GZIP_MAGIC: Final = b"\x1f\x8b"
_CHUNK: Final = 1 << 20
_HINT: Final = "name the encoding with --encoding NAME, such as utf-8, big5, gb18030, cp1252"

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; UTF-32 little endian begins like UTF-16, so it comes first."""

_LEGACY: Final = ("cp950", "big5hkscs", "gb18030", "shift_jis", "cp1252")
"""Code pages that are tried, the likelier first: the first of equals wins."""

# Words of registers, surnames, given names, place names and plain prose; Traditional and Simplified. Chosen by hand
# from the form words of household registers and the commonest surnames; only shares matter, not completeness.
_FREQUENT: Final = frozenset(
    "市縣縣區鄉鎮村里鄰路街段巷弄號樓室之縣城道省州島"
    "臺台北中南東西新桃園竹苗栗彰化雲林嘉義屏宜蘭花蓮澎湖金門連江高雄基隆大安信義正山海和平民生權國建成功復興光"
    "陳林黃張李王吳劉蔡楊許鄭謝洪郭邱曾廖賴徐周葉蘇莊呂江何蕭羅高潘簡朱鍾彭游詹胡施沈余盧梁趙顏柯翁魏孫戴范方宋鄧杜傅侯"
    "曹薛丁卓阮馬董唐藍石蔣古紀姚馮歐程湯田康姜白汪鄒尤巫鐘黎涂龔嚴韓袁金童陸夏柳邵"
    "志明家豪俊宏文雅婷淑芬美惠怡君雯麗娟秀英玉珍偉傑佳玲宗翰冠宇承恩詩涵欣柏宥品子軒心雨春月雪鳳蘭香素貞敏慧龍輝榮"
    "姓名地址電話手機出生年月日期戶籍身分證統一編號碼性別男女職業備註郵遞區婚姻狀況教育程度聯絡人服務單位機關學校公司"
    "一二三四五六七八九十零〇百千萬上下左右前後內外小天水火木土"
    "的是不在有人我這了他個們為以到說時要就出會可也你對自發能而子那得於著過法家後作用都行所然方成者經"
    "县区乡镇邻号楼东园兰莲门连兴国权义陈黄张吴刘杨许郑谢赖叶苏庄吕萧罗简钟卢赵颜孙邓冯欧汤邹龚严韩陆马"
    "电话手机户籍身证编号码性别职业备注邮递婚状况教联络务单关学这个们为说时会对发后过经华广丽伟杰龙辉荣凤贞"
)  # fmt: skip


_USUAL: Final = re.compile("[ -\u024f\r\n\t\u2010-\u20ac\u3000-\u9fff\uff00-\uffef]")
"""Latin, the main Chinese and Japanese blocks, full-width forms and line ends."""
_NONSENSE: Final = re.compile("[\x80-\x9f\ue000-\uf8ff\uff61-\uff9f\ufffd\U00010000-\U0010ffff]")
"""Control characters, private use, half-width katakana, rare planes."""
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_ACCENTED: Final = "[À-ÖØ-öø-ÿŒœŠšŽžŸ]"
_LATIN: Final = re.compile(
    rf"(?<![^\x00-\x7f])(?:(?<=[A-Za-z]){_ACCENTED}|{_ACCENTED}(?=[A-Za-z]))(?![^\x00-\x7f])|[€–—‘’“”…£§°«»ßºª]"
)
"""An accented letter that stands alone beside a plain one, as in most words, or a sign that texts use."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """A Python codec name; `bom`: a byte order mark said so; `certain`: no other reading comes near."""

    name: str
    bom: bool
    certain: bool


def detect(head: bytes) -> Encoding:
    """Say which encoding a file that begins with `head` has; a last character cut in two does no harm.

    Plain ASCII counts as certain UTF-8. Where nothing decodes, the least bad code page comes back with `certain`
    false, and reading strictly then names the first bad byte.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Encoding(name, bom=True, certain=True)
    if head.count(0) > 2 and (wide := _wide(head)):
        return wide
    if _decoded(head, "utf-8") is not None:
        return Encoding("utf-8", bom=False, certain=True)
    scores = [(_score(text, name), name) for name in _LEGACY if (text := _decoded(head, name)) is not None]
    if not scores:
        lenient = [(_score(head.decode(name, "replace"), name), name) for name in _LEGACY]
        return Encoding(max(lenient, key=lambda pair: pair[0])[1], bom=False, certain=False)
    best, name = max(scores, key=lambda pair: pair[0])
    family = {"cp950", "big5hkscs"} if name in {"cp950", "big5hkscs"} else {name}
    rival = max((score for score, other in scores if other not in family), default=0.0)
    return Encoding(name, bom=False, certain=best >= 0.2 and best >= rival + 0.15)


def _decoded(data: bytes, name: str) -> str | None:
    """The text of `data` up to a character that is cut at its end, or `None` where a byte does not fit."""
    try:
        return codecs.getincrementaldecoder(name)("strict").decode(data, False)
    except UnicodeError:
        return None


def _wide(head: bytes) -> Encoding | None:
    """UTF-16 without a mark: the byte order under which nearly all characters are letters, digits and line ends."""
    best = Encoding("", bom=False, certain=False)
    best_share = 0.9
    for name in ("utf-16-le", "utf-16-be"):
        text = _decoded(head, name)
        if not text:
            continue
        usual = len(_USUAL.findall(text))
        narrow = sum(c <= "\x7f" for c in text)  # separators and line ends: the other byte order has hardly any
        share = usual / len(text) if narrow else 0.0
        if share > best_share:
            best, best_share = Encoding(name, bom=False, certain=share > 0.98), share
    return best if best.name else None


def _score(text: str, name: str) -> float:
    """How much the characters beyond ASCII look like writing: 1 all frequent, below 0 mostly nonsense."""
    if name == "cp1252":
        return _latin_score(text)
    beyond = [c for c in text if c > "\x7f"]
    if not beyond:
        return 0.0
    kana = name == "shift_jis"
    good = sum(c in _FREQUENT or (kana and "\u3041" <= c <= "\u30fe") for c in beyond)
    # Private use, half-width katakana, replacement and control characters: signs of the wrong code page.
    bad = len(_NONSENSE.findall(text))
    return (good - 2 * bad) / len(beyond)


def _latin_score(text: str) -> float:
    """Share of characters beyond ASCII that are accented letters beside a plain letter, or usual signs."""
    beyond = len(_BEYOND_ASCII.findall(text))
    return len(_LATIN.findall(text)) / beyond if beyond else 0.0


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading, unpacked if it is gzip; `InputError` if it is absent or no file."""
    try:
        raw = path.open("rb")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise InputError(f"{path}: no such file") from error
    except OSError as error:
        raise UnreachableError(f"{path}: cannot be read: {error.strerror}") from error
    if raw.peek(2)[:2] != GZIP_MAGIC:
        return raw
    raw.close()
    return cast(BinaryIO, gzip.open(path, "rb"))  # closes its file, which one on top of `raw` would not


def detect_file(path: Path) -> Encoding:
    """Detect the encoding of a file, looking on (within a bound) until bytes beyond ASCII turn up."""
    with open_bytes(path) as file:
        try:
            head = file.read(DETECT_BYTES)
            seen = len(head)
            while head.isascii() and b"\0" not in head and seen < DETECT_SCAN_BYTES:
                more = file.read(DETECT_BYTES)
                if not more:
                    break
                seen += len(more)
                if not more.isascii():
                    # Cut at a line end, so that a two-byte character is not entered in its middle.
                    head = head[-4096:].rpartition(b"\n")[2] + more + file.read(DETECT_BYTES)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{path}: not a whole gzip file: {error}") from error
    return detect(head)


class _Text(io.TextIOWrapper):
    """A text stream whose decoding and unpacking errors name the file and the place."""

    def __init__(self, path: Path, encoding: str, errors: str) -> None:
        file = open_bytes(path)
        try:
            super().__init__(file, encoding=encoding, errors=errors, newline="")
        except LookupError:
            file.close()
            raise
        self._path = path

    def read(self, size: int | None = -1) -> str:
        try:
            return super().read(size)
        except (OSError, EOFError, zlib.error, UnicodeError) as error:
            raise _told(self._path, self.encoding, error) from error

    def readline(self, size: int = -1) -> str:  # type: ignore[override]
        try:
            return super().readline(size)
        except (OSError, EOFError, zlib.error, UnicodeError) as error:
            raise _told(self._path, self.encoding, error) from error

    def __next__(self) -> str:  # type: ignore[override]
        line = self.readline(LINE_CHARACTERS)
        if not line:
            raise StopIteration
        if len(line) >= LINE_CHARACTERS:
            raise LimitError(f"{self._path}: a line has more than {LINE_CHARACTERS:,} characters")
        return line


def open_text(path: Path, encoding: str | None = None, errors: str = "strict") -> TextIO:
    """Open a plain or gzip file as text with line ends untouched (`newline=""`), its encoding detected if not given.

    Raises `InputError` here for an unknown encoding or absent file, and while reading for bytes that do not fit
    (with the byte offset and line) and for a gzip file that is cut short.
    """
    if encoding is None:
        encoding = detect_file(path).name
    try:
        return _Text(path, encoding, errors)
    except LookupError as error:
        raise InputError(f"{path}: unknown encoding {encoding!r}", hint=_HINT) from error


def line_chunks(path: Path, encoding: str | None = None) -> Iterator[list[str]]:
    """The lines of a file, line ends kept, some 1 M characters at a time: quick to hand on, bounded in memory."""
    with open_text(path, encoding) as stream:
        tail = ""
        while chunk := stream.read(_CHUNK):
            if "\0" in chunk:
                raise InputError(f"{path}: holds NUL bytes: not a text file in {stream.encoding}", hint=_HINT)
            # StringIO splits at \n, \r and \r\n only; str.splitlines would also split at U+2028 inside a cell.
            lines = list(io.StringIO(tail + chunk, newline=""))
            # The last line may go on, and "\r" may be the first half of "\r\n".
            tail = "" if lines[-1].endswith("\n") else lines.pop()
            if len(tail) > LINE_CHARACTERS:
                raise LimitError(f"{path}: a line has more than {LINE_CHARACTERS:,} characters")
            if lines:
                yield lines
        if tail:
            yield [tail]


def _told(path: Path, encoding: str, error: Exception) -> InputError | UnreachableError:
    """Turn what a read raised into our own error, with the place of the first bad byte."""
    if isinstance(error, UnicodeError):
        offset, line = _first_bad(path, encoding)
        other = detect_file(path).name
        guess = f" (it looks like {other})" if codecs.lookup(other) != codecs.lookup(encoding) else ""
        message = f"{path}: byte {offset:,} in line {line:,} is not {encoding}{guess}"
        return InputError(message, hint=_HINT)
    if isinstance(error, (EOFError, zlib.error, gzip.BadGzipFile)):
        return InputError(f"{path}: not a whole gzip file: {error}", hint="copy the file again and compare its size")
    return UnreachableError(f"{path}: cannot be read: {error}")


def _first_bad(path: Path, encoding: str) -> tuple[int, int]:
    """Byte offset (from 0, after unpacking) and line (from 1) of the first byte that does not decode."""
    name = codecs.lookup(encoding).name
    # The decoder of utf-8-sig counts from behind the mark.
    decoder = codecs.getincrementaldecoder("utf-8" if name == "utf-8-sig" else name)("strict")
    done, line = 0, 1
    with open_bytes(path) as file:
        while True:
            chunk = file.read(_CHUNK)
            pending = decoder.getstate()[0]
            try:
                line += decoder.decode(chunk, not chunk).count("\n")
            except UnicodeDecodeError as error:
                good = error.object[: error.start]
                return done - len(pending) + error.start, line + good.decode(error.encoding, "replace").count("\n")
            except UnicodeError:  # UTF-16 without its mark, for one
                return done, line
            if not chunk:
                return done, line
            done += len(chunk)
