using Cairn.Base;

namespace Cairn.Compute;

/// <summary>General registers by their number in x64 code; only those a called function may overwrite under the System V convention.</summary>
internal enum GeneralRegister
{
    /// <summary>Scratch.</summary>
    Rax = 0,

    /// <summary>Fourth argument.</summary>
    Rcx = 1,

    /// <summary>Third argument.</summary>
    Rdx = 2,

    /// <summary>Second argument.</summary>
    Rsi = 6,

    /// <summary>First argument.</summary>
    Rdi = 7,

    /// <summary>Fifth argument.</summary>
    R8 = 8,

    /// <summary>Sixth argument.</summary>
    R9 = 9,
}

/// <summary>Writes the few x64 instructions that the bf16 kernel is made of. Vector instructions are EVEX-encoded over 512 bits.</summary>
/// <remarks>Encoding: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, section 2.7 (EVEX) and the pages of each instruction.</remarks>
internal ref struct EvexWriter(Span<byte> code)
{
    private const int PrefixNone = 0, Prefix66 = 1, PrefixF3 = 2;
    private const int Map0F = 1, Map0F38 = 2;

    private readonly Span<byte> _code = code;

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>target = 0 (vpxord target, target, target).</summary>
    public void Clear(int target) => Registers(Prefix66, Map0F, 0xEF, target, target, target);

    /// <summary>target += pairs of bf16 of left and right, multiplied (vdpbf16ps).</summary>
    public void DotPairs(int target, int left, int right) => Registers(PrefixF3, Map0F38, 0x52, target, left, right);

    /// <summary>target = 16 floats at [address + offset] (vmovups).</summary>
    public void Load(int target, GeneralRegister address, int offset) => Memory(PrefixNone, Map0F, 0x10, target, 0, address, offset, 64);

    /// <summary>16 floats at [address + offset] = source (vmovups).</summary>
    public void Store(int source, GeneralRegister address, int offset) => Memory(PrefixNone, Map0F, 0x11, source, 0, address, offset, 64);

    /// <summary>target = the 4 bytes at [address + offset], sixteen times (vbroadcastss).</summary>
    public void Broadcast(int target, GeneralRegister address, int offset) => Memory(Prefix66, Map0F38, 0x18, target, 0, address, offset, 4);

    /// <summary>target += 16 floats at [address + offset] (vaddps).</summary>
    public void Add(int target, GeneralRegister address, int offset) => Memory(PrefixNone, Map0F, 0x58, target, target, address, offset, 64);

    /// <summary>Asks for the line at [address + offset] (prefetcht0). One of the low eight registers.</summary>
    public void Prefetch(GeneralRegister address, int offset)
    {
        Invariant.Check(offset is >= 0 and < 128);
        Bytes(0x0F, 0x18, (byte)(0x48 | (int)address), (byte)offset);
    }

    /// <summary>target = source, both of the low eight registers.</summary>
    public void Move(GeneralRegister target, GeneralRegister source) => Bytes(0x48, 0x89, ModRm(3, (int)source, (int)target));

    /// <summary>target (one of the low eight) += r8.</summary>
    public void AddR8(GeneralRegister target) => Bytes(0x4C, 0x01, ModRm(3, 0, (int)target));

    /// <summary>target (one of the low eight) += value.</summary>
    public void Add(GeneralRegister target, int value)
    {
        Bytes(0x48, 0x81, ModRm(3, 0, (int)target));
        Int32(value);
    }

    /// <summary>target (one of the low eight) −= 1; the zero flag tells whether it became zero.</summary>
    public void Decrement(GeneralRegister target) => Bytes(0x48, 0xFF, ModRm(3, 1, (int)target));

    /// <summary>Sets the zero flag if r9d is zero.</summary>
    public void TestR9() => Bytes(0x45, 0x85, 0xC9);

    /// <summary>Jumps back to <paramref name="target"/> unless the zero flag is set.</summary>
    public void JumpBackIfNotZero(int target)
    {
        Bytes(0x0F, 0x85);
        Int32(target - (Length + 4));
    }

    /// <summary>Jumps ahead if the zero flag is set, to where <see cref="Land"/> is called with the result.</summary>
    public int JumpAheadIfZero()
    {
        Bytes(0x0F, 0x84);
        Int32(0);
        return Length;
    }

    /// <summary>Makes this place the target of a jump ahead.</summary>
    public readonly void Land(int jump) => BitConverter.TryWriteBytes(_code[(jump - 4)..], Length - jump);

    /// <summary>Leaves the upper halves of the vectors clean and returns.</summary>
    public void Return() => Bytes(0xC5, 0xF8, 0x77, 0xC3);

    private static byte ModRm(int mode, int register, int operand) => (byte)((mode << 6) | ((register & 7) << 3) | (operand & 7));

    private void Registers(int prefix, int map, byte opcode, int target, int left, int right)
    {
        Evex(prefix, map, target, left, (right >> 3) & 1, right >> 4);
        Bytes(opcode, ModRm(3, target, right));
    }

    private void Memory(int prefix, int map, byte opcode, int target, int left, GeneralRegister address, int offset, int unit)
    {
        // One signed byte counts units of the operand's size; rsp, rbp and the upper registers would need other forms.
        Invariant.Check(offset % unit == 0 && offset / unit is >= 0 and < 128 && (int)address < 8 && (int)address is not (4 or 5));
        Evex(prefix, map, target, left, 0, 0);
        Bytes(opcode, ModRm(1, target, (int)address), (byte)(offset / unit));
    }

    /// <summary>The four bytes of the prefix; register numbers are stored inverted.</summary>
    private void Evex(int prefix, int map, int target, int left, int operandBit3, int operandBit4)
    {
        var p0 = (((~target >> 3) & 1) << 7) | (((~operandBit4) & 1) << 6) | (((~operandBit3) & 1) << 5) | (((~target >> 4) & 1) << 4) | map;
        var p1 = ((~left & 15) << 3) | 4 | prefix;
        var p2 = (2 << 5) | (((~left >> 4) & 1) << 3);
        Bytes(0x62, (byte)p0, (byte)p1, (byte)p2);
    }

    private void Bytes(params ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_code[Length..]);
        Length += bytes.Length;
    }

    private void Int32(int value)
    {
        BitConverter.TryWriteBytes(_code[Length..], value);
        Length += 4;
    }
}
