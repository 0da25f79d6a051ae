using System.Runtime.InteropServices;

namespace Cairn.Cli.Chaos;

/// <summary>Signals to processes of this machine.</summary>
internal static class ProcessSignal
{
    public const int Kill = 9;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <summary>Sends one.</summary>
    /// <param name="process">To whom.</param>
    /// <param name="signal">Which.</param>
    /// <returns>False if there is no such process of ours.</returns>
    public static bool Send(int process, int signal) => SendSignal(process, signal) == 0;

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
