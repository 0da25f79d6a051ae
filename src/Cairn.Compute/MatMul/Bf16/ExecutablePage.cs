using System.Runtime.InteropServices;

namespace Cairn.Compute;

/// <summary>Code of our own in memory that may be executed. Written first, then made executable and read-only: never both writable and executable.</summary>
internal static unsafe partial class ExecutablePage
{
    private const int Read = 1, Write = 2, Execute = 4;
    private const int PrivateAnonymous = 0x22;

    /// <summary>Maps the code for the life of the process.</summary>
    /// <param name="code">At least one byte.</param>
    /// <returns>Its address, or null where the system refuses executable memory.</returns>
    internal static byte* TryMap(ReadOnlySpan<byte> code)
    {
        var length = (nuint)code.Length;
        var page = (byte*)MapMemory(null, length, Read | Write, PrivateAnonymous, -1, 0);
        if ((nint)page == -1)
        {
            return null;
        }

        code.CopyTo(new Span<byte>(page, code.Length));
        if (ProtectMemory(page, length, Read | Execute) == 0)
        {
            return page;
        }

        _ = UnmapMemory(page, length);
        return null;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void* MapMemory(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ProtectMemory(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int UnmapMemory(void* address, nuint length);
}
