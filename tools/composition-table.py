"""Writes src/Cairn.Data/Tokens/CompositionTable.cs: what Unicode's composed form (NFC) needs, from Python's unicodedata.

Run:  python3 tools/composition-table.py > src/Cairn.Data/Tokens/CompositionTable.cs
"""
import sys
import unicodedata

HANGUL = range(0xAC00, 0xAC00 + 11172)  # composed by arithmetic
points = [c for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000 and c not in HANGUL]


def rows(numbers, width):
    line = "       "
    for at in range(0, len(numbers), width):
        text = " " + ", ".join(f"0x{n:X}" if n > 255 else str(n) for n in numbers[at:at + width]) + ","
        if len(line) + len(text) > 165:
            yield line
            line = "       "
        line += text
    yield line


decompositions = []
for c in points:
    parts = unicodedata.decomposition(chr(c)).split()
    if parts and not parts[0].startswith("<"):
        first, second = int(parts[0], 16), int(parts[1], 16) if len(parts) > 1 else 0
        composes = second and unicodedata.normalize("NFC", chr(first) + chr(second)) == chr(c)
        # 1 << 31 marks what is taken apart and never put together again.
        decompositions += [c, first, second if composes else second | 1 << 31]

classes = []
for c in points:
    value = unicodedata.combining(chr(c))
    if value:
        if classes and classes[-2] == c - 1 and classes[-1] == value:
            classes[-2] = c
        else:
            classes += [c, c, value]

print("namespace Cairn.Data;\n")
print(f"/// <summary>Unicode {unicodedata.unidata_version}: canonical decompositions and combining classes. Made by tools/composition-table.py.</summary>")
print("internal static class CompositionTable\n{")
print("    /// <summary>Character, its first part, its second part or 0; the highest bit of the second is set where the parts are never put together again.</summary>")
print("    public static ReadOnlySpan<uint> Decompositions =>\n    [")
print("\n".join(rows(decompositions, 3)))
print("    ];\n")
print("    /// <summary>First and last character of a range, and their combining class.</summary>")
print("    public static ReadOnlySpan<uint> Classes =>\n    [")
print("\n".join(rows(classes, 3)))
print("    ];\n}")
