"""Open a sealed segment of a muniment ledger without muniment: python open_segment.py KEY_FILE SEGMENT > FILE.parquet

KEY_FILE holds the key of that segment in hex: `muniment ledger open --key-out KEY_FILE` writes it. Needs Python
3.11 and `cryptography`. The result is plain Parquet and names who received what: write it where nobody else can read
it. Ends with 1, and without the rest of the file, where a byte of the segment was altered or is missing.
"""

import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"muniment segment"
FRAME = 1024 * 1024 + 16  # 1 MiB and its tag


def derived(secret, label):
    """HKDF-SHA-256 without salt; the label stands behind its length."""
    info = len(label).to_bytes(4, "big") + label
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret))


def frames(key, file):
    """Yield the Parquet file, frame by frame, each one verified."""
    head = file.read(16 + 16 + 4 + 12 + 48)  # what it is, its id, and its key, wrapped for the key ring
    if head[:16] != MAGIC:
        raise ValueError("this is no segment of a muniment ledger")
    segment_id = head[16:32]
    cipher = derived(key, b"muniment segment frames 1")
    number, frame = 0, file.read(FRAME)
    while frame:
        following = file.read(FRAME)
        nonce = number.to_bytes(11, "big") + (b"\0" if following else b"\1")
        yield cipher.decrypt(nonce, frame, segment_id + nonce)
        number, frame = number + 1, following
    if number == 0:
        raise ValueError("the segment is cut short")


def main(key_file, segment):
    """Write the Parquet file to standard output."""
    with open(key_file, encoding="ascii") as file:
        key = bytes.fromhex(file.read())
    try:
        with open(segment, "rb") as file:
            for part in frames(key, file):
                sys.stdout.buffer.write(part)
    except (InvalidTag, ValueError) as error:
        sys.exit(f"{segment}: {str(error) or 'altered, cut short, or sealed under another key'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
