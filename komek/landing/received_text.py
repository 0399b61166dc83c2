"""The text of a received CSV as a stream: unpacked, decoded, seen to be whole."""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable

from komek.landing.received import Refused

_RAW_CHUNK = 1 << 20


class ReceivedText(io.RawIOBase):
    """The text of a CSV as UTF-8 without mark, checked while it streams by.

    No chunk but the last ends in a carriage return: Arrow would drop the line feed
    after it even inside quotes. After the last line comes a closing row: Arrow takes a
    quote left open for closed at the end of the file, but the closing row is swallowed.
    """

    def __init__(
        self,
        raw: io.BufferedIOBase,
        encoding: str,
        advanced: Callable[[], None],
        most: int,
    ) -> None:
        """Begin to read.

        Args:
            raw: the received bytes, or what unpacks them.
            encoding: what the source writes.
            advanced: called whenever more of them have been read.
            most: how many bytes they may unpack to.
        """
        super().__init__()
        self._raw = raw
        self._encoding = encoding
        self._decoder: codecs.IncrementalDecoder | None = None
        self._advanced = advanced
        self._most = most
        self._offset = 0
        self._ready = bytearray()
        self._closing: bytes | None = None
        self._last = b""
        self.ended = False

    @property
    def ends_in_line_end(self) -> bool:
        """Whether the last line has a line end; known once `ended`."""
        return self._last in (b"\n", b"\r")

    def readable(self) -> bool:
        """Say that it can be read, as a reader asks."""
        return True

    def close_with(self, closing: bytes) -> None:
        """Set the row that follows the last line."""
        self._closing = closing

    def begin_with(self, start: bytes, instead_of: int) -> None:
        """Put other bytes in place of the first ones, which have been peeked at."""
        self._ready[:instead_of] = start

    def peek(self, size: int) -> bytes:
        """Return the first `size` bytes, fewer at the end, and leave them unread."""
        self._fill(size)
        return bytes(self._ready[:size])

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, `size` at most; none at the end.

        Raises:
            Refused: they are damaged, cut off, too many, or not in their encoding.
        """
        self._fill(size)
        if self.ended and self._closing is not None:
            self._ready += (b"" if self.ends_in_line_end else b"\n") + self._closing
            self._closing = None
        chunk = bytes(self._ready[:size])
        if len(chunk) > 1 and chunk.endswith(b"\r"):
            chunk = chunk[:-1]
        del self._ready[: len(chunk)]
        return chunk

    def _fill(self, size: int) -> None:
        while len(self._ready) < size and not self.ended:
            received = self._received()
            text = self._utf8(received)
            if b"\0" in text:
                raise Refused("has NUL bytes: not a text file, or UTF-16")
            self._ready += text
            self._last = text[-1:] or self._last
            self._offset += len(received)
            if self._offset > self._most:
                raise Refused(f"unpacks to more than {self._most:,} bytes")
            self.ended = not received

    def _received(self) -> bytes:
        try:
            received = self._raw.read(_RAW_CHUNK)
        except EOFError:
            raise Refused("is cut off: its gzip ends early") from None
        except (gzip.BadGzipFile, zlib.error):
            raise Refused("is damaged: its gzip does not check") from None
        self._advanced()
        return received

    def _utf8(self, received: bytes) -> bytes:
        """Return received bytes as UTF-8, of which none are wrongly encoded."""
        if self._decoder is None:
            if received.startswith(codecs.BOM_UTF8):
                self._encoding = "utf-8"
            decoder = "utf-8-sig" if _is_utf8(self._encoding) else self._encoding
            self._decoder = codecs.getincrementaldecoder(decoder)()
        try:
            text = self._decoder.decode(received, final=not received)
        except UnicodeDecodeError as error:
            # What the decoder held back from before belongs to its object.
            held_back = len(error.object) - len(received)
            place = self._offset - held_back + error.start
            raise Refused(
                f"is not {self._encoding} text: byte {place} on{_utf16(error.object)}"
            ) from None
        return text.encode()


def _is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name == "utf-8"


def _utf16(start: bytes) -> str:
    marked = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return " (it begins like UTF-16)" if marked else ""
