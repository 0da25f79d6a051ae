using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Cairn.Ledger;
using Cairn.Node;

namespace Cairn.Cli.Chaos;

/// <summary>One node of the run as a process, with a line of its own to its store; killed, stopped and started again.</summary>
internal sealed class ChaosNode(
    string name, Role role, string store, ChaosProxy line, string runFolder, IReadOnlyDictionary<string, string> environment, params string[] more) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly StringBuilder _errors = new();
    private Process? _process;
    private string _last = "";
    private bool _killed;

    public string Name => name;

    public Role Role => role;

    public ChaosProxy Line => line;

    /// <summary>A command before the program's own, such as one that enters a network of its own.</summary>
    public IReadOnlyList<string> Prefix { get; init; } = [];

    /// <summary>What the program is told; by default to be a node of that role.</summary>
    public IReadOnlyList<string> Arguments { get; init; } =
        [role == Role.Peer ? "peer" : "validator", "--dir", runFolder, "--name", name, "--threads", "1", "--store", store, "--json", .. more];

    /// <summary>How it ended, once it is over for it.</summary>
    public NodeOutcome? Outcome { get; private set; }

    /// <summary>Times that it was started.</summary>
    public int Lives { get; private set; }

    /// <summary>The last line that it wrote to its output.</summary>
    public string Last
    {
        get
        {
            lock (_gate)
            {
                return _last;
            }
        }
    }

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Starts it, or starts it again where it stopped.</summary>
    public void Start()
    {
        var program = Environment.ProcessPath!;
        string[] assembly = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [typeof(ChaosNode).Assembly.Location] : [];
        string[] command = [.. Prefix, program, .. assembly, .. Arguments];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (variable, value) in environment)
        {
            start.Environment[variable] = value;
        }

        lock (_gate)
        {
            (_last, _killed) = ("", false);
            _errors.Clear();
        }

        _process?.Dispose();
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Note(line.Data, isError: false);
        _process.ErrorDataReceived += (_, line) => Note(line.Data, isError: true);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Lives++;
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        _killed = true;
        if (IsRunning)
        {
            _process!.Kill();
            _process.WaitForExit();
        }
    }

    /// <summary>SIGSTOP: it is there and does nothing.</summary>
    public void Freeze() => Send(ProcessSignal.Stop);

    /// <summary>SIGCONT.</summary>
    public void Thaw() => Send(ProcessSignal.Continue);

    /// <summary>Ends it for good, if it has not come to its end.</summary>
    public void Stop()
    {
        Thaw();
        Kill();
    }

    /// <summary>Looks whether it has ended by itself.</summary>
    /// <returns>Null while it runs, was killed, or is done; else why it ended, and whether that is what the world may do to a node.</returns>
    public (string Why, bool IsFault)? Collect()
    {
        if (_process is not { HasExited: true } process || Outcome is not null || _killed)
        {
            return null;
        }

        process.WaitForExit(); // until its last line has been read
        lock (_gate)
        {
            if (process.ExitCode == ExitCode.Success && _last.StartsWith('{'))
            {
                Outcome = JsonSerializer.Deserialize(_last, CliJson.Default.NodeOutcome);
                return null;
            }

            return (
                _errors.Length > 0 ? _errors.ToString().Trim() : $"ended with code {process.ExitCode}",
                process.ExitCode is not (ExitCode.BadInput or ExitCode.Interrupted));
        }
    }

    public void Dispose()
    {
        Stop();
        _process?.Dispose();
    }

    private void Send(int signal)
    {
        if (IsRunning)
        {
            ProcessSignal.Send(_process!.Id, signal);
        }
    }

    private void Note(string? text, bool isError)
    {
        lock (_gate)
        {
            if (text is not null && isError)
            {
                _errors.AppendLine(text);
            }
            else if (text is not null)
            {
                _last = text;
            }
        }
    }
}
