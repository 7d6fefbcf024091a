"""Pictures as encoders write them, each of 24 × 16 pixels, and PNGs of any size."""

from __future__ import annotations

import base64
import struct
import zlib

WIDTH, HEIGHT = 24, 16

JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQ"
    "c1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSk"
    "pKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAQABgDASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAA"
    "AAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAk"
    "M2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKT"
    "lJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QA"
    "HwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdh"
    "cRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hp"
    "anN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk"
    "5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDGS39qsJbe1Xo7f2q1Hbe1YwfMZ0sQZ6WvtRWwsAXjGTRTcqUX"
    "Zs9KGIdj/9k="
)
PROGRESSIVE_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQ"
    "c1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSk"
    "pKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wgARCAAQABgDASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAA"
    "AwQA/8QAFgEBAQEAAAAAAAAAAAAAAAAAAgAE/9oADAMBAAIQAxAAAAGJHUGfWa0//8QAGBABAAMBAAAAAAAAAAAA"
    "AAAAAAECEhH/2gAIAQEAAQUCyyyiqKuP/8QAFxEAAwEAAAAAAAAAAAAAAAAAAAEDAv/aAAgBAwEBPwHNBUP/xAAY"
    "EQACAwAAAAAAAAAAAAAAAAAAAQIRIf/aAAgBAgEBPwFaXFH/xAAUEAEAAAAAAAAAAAAAAAAAAAAg/9oACAEBAAY/"
    "Al//xAAXEAEBAQEAAAAAAAAAAAAAAAABABAR/9oACAEBAAE/ISENgc3/2gAMAwEAAgADAAAAEPPv/8QAFhEBAQEA"
    "AAAAAAAAAAAAAAAAAAER/9oACAEDAQE/EFbH/8QAFhEBAQEAAAAAAAAAAAAAAAAAAQAR/9oACAECAQE/EHFWLf/E"
    "ABgQAQEBAQEAAAAAAAAAAAAAAABhAREh/9oACAEBAAE/EJJpIIsfHO6//9k="
)
GIF = base64.b64decode(
    "R0lGODdhGAAQAIIAAKrDmjLDQaqAkTKAK6pETaoPETJEFzIPBSwAAAAAGAAQAEAIdwAPCBxIUGCBgwgTHhzAsKFD"
    "hgIiSpwY0YDFixgtEtjIsePGACBDigwAoKTJkwA2FlypsOXBjBkHeOw48aFDkBRzRhw5EqVPkysLumwpECZGhDM5"
    "GsWYdKZFmw1p6hQA1eFUijd5CviJkqdIriUJmPQakivJkwEBADs="
)
ANIMATED_GIF = base64.b64decode(
    "R0lGODdhGAAQAIEAAHPDcXOAYqotMzItDywAAAAAGAAQAAAIVgAHCBxIUKCAgwgTHizIcIDChwIaFoSoUOJAihUt"
    "OsSIUONGjhElBhhJkuTDhiVTqhzJcKVLkgVfyiQocySAmzhvDlSZs6dPgT6DBmUptKjRo0iTCg0IACH5BAEAAAQA"
    "LAAAAAAYABAAgXPDcXOAYqotMzItDwhgAAEIHEiwoMGDCBMqXFhwQIAADBEOGBBR4MOLASZSPIix40WNDj0+JECy"
    "ZMmMIEWaXEkS5ESPLFe6nCigps2YLWfStMmzp06QPYPW/KlRaFCiO40ORTpAqU2mTZ0KgBoQADs="
)
WEBP = base64.b64decode(
    "UklGRmgAAABXRUJQVlA4IFwAAADwAwCdASoYABAAPzmKulO0qaWisAgCkCcJbACdMoRwAIToyWAWXtYAAP75LtJS"
    "GsGrtS7JPUOFI7Ua67udjvbBavHOhjkGvG2VWrwsUllbvNH3cnNSbV9vrMAAAA=="
)
LOSSLESS_WEBP = base64.b64decode(
    "UklGRmIAAABXRUJQVlA4TFYAAAAvF8ADAB8gECBThlRIIBAgNKmz6EosmIYQJtHf/IdK+QVgFUlWo5WGiawGKXxS"
    "2RoCro4cJET0fwIAUEpvyAPrFIV2zjmYhV0452rV7q+1llprzV+9rg=="
)
EXTENDED_WEBP = base64.b64decode(
    "UklGRooAAABXRUJQVlA4WAoAAAAIAAAAFwAADwAAVlA4TFYAAAAvF8ADAB8gECBThlRIIBAgNKmz6EosmIYQJtHf"
    "/IdK+QVgFUlWo5WGiawGKXxS2RoCro4cJET0fwIAUEpvyAPrFIV2zjmYhV0452rV7q+1llprzV+9rkVYSUYOAAAA"
    "TU0AKgAAAAgAAAAAAAA="
)
ANIMATED_WEBP = base64.b64decode(
    "UklGRhQBAABXRUJQVlA4WAoAAAACAAAAFwAADwAAQU5JTQYAAAAAAAAAAABBTk1GcgAAAAAAAAAAABcAAA8AAAAA"
    "AAJWUDggWgAAAFADAJ0BKhgAEAA/cazLWzSuKSQwCAKQLglsAJ0vXjgAmUCAAP7jU+6//ovNfxsX/+KDupl3IcJp"
    "5LUisDbKyGGScvgXYfa/kvetC7Ym3g1sxkv0BGOwQiAAAEFOTUZuAAAAAAAAAAAAFwAADwAAAAAAAFZQOCBWAAAA"
    "VAMAnQEqGAAQAD9xpsdYgwCAAALglsXZSABAFAG8rAT9vwAA/aqvNKYF+A8fAk4njeEMFNEtw/gN9HoV204yG3g7"
    "F7h0IqvGRb2aWGbT7Uc/3aBzEAA="
)
ANIMATED_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAABgAAAAQAgMAAABxSlcGAAAADFBMVEVzw3FzgGKqLTMyLQ818x+xAAAACGFjVEwA"
    "AAACAAAAAPONk3AAAAAaZmNUTAAAAAAAAAAYAAAAEAAAAAAAAAAAAAAAAQAAW9IU8QAAAENJREFUeJxtyCEKgEAQ"
    "QNG3i15RvOMUj+ARbFa7xSgIOwaLgr98eCUJKryXfnCNSck2ojof3KDkQOiafcYBfV3g8ukGcOUQiyB9DLkAAAAa"
    "ZmNUTAAAAAEAAAAYAAAAEAAAAAAAAAAAAAAAAQAAwKH+JQAAAEZmZEFUAAAAAnicZcihDYBAEADBuQMSBBaPpgpK"
    "QPA9klf0h0G8AtZMsvzrcocpEMcaFGpfkBLGxiLqfeWpN5RZmy+273wAVPoGJgvUUP4AAAAASUVORK5CYII="
)


def png(width: int = WIDTH, height: int = HEIGHT, shade: int = 0) -> bytes:
    """Return a grey PNG."""
    rows = (b"\0" + bytes([shade]) * width) * height
    return png_of(width, height, zlib.compress(rows))


def png_of(width: int, height: int, pixels: bytes) -> bytes:
    """Return a PNG whose header names this size, with any pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG."""
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


PICTURES = {
    "PNG": (png(), "image/png"),
    "animated PNG": (ANIMATED_PNG, "image/png"),
    "JPEG": (JPEG, "image/jpeg"),
    "progressive JPEG": (PROGRESSIVE_JPEG, "image/jpeg"),
    "GIF": (GIF, "image/gif"),
    "animated GIF": (ANIMATED_GIF, "image/gif"),
    "WebP": (WEBP, "image/webp"),
    "lossless WebP": (LOSSLESS_WEBP, "image/webp"),
    "extended WebP": (EXTENDED_WEBP, "image/webp"),
    "animated WebP": (ANIMATED_WEBP, "image/webp"),
}
