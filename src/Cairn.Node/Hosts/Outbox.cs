using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>What a node has signed, made durable before it is sent (rule 4 of the round): a restarted node sends those bytes again and never signs twice.</summary>
internal sealed class Outbox
{
    private readonly string _folder;
    private readonly NodeKey _key;
    private readonly Digest _run;

    public Outbox(string folder, NodeKey key, Digest run)
    {
        (_folder, _key, _run) = (folder, key, run);
        Directory.CreateDirectory(folder);
    }

    /// <summary>The signed form of an operation: that of an earlier life if there is one, else a new one, already on the disk.</summary>
    public SignedOperation Sign(Operation operation)
    {
        if (Slot(operation) is not { } path)
        {
            return SignedOperation.Sign(_key, _run, operation);
        }

        // What is damaged there cannot have been sent as it is: it is signed anew.
        if (Find(path) is { } bytes && SignedOperation.TryRead(bytes, out var before, out _) && before!.Author == _key.Public && before.Verify(_run))
        {
            return before;
        }

        var signed = SignedOperation.Sign(_key, _run, operation);
        DurableFile.Write(path, signed.ToBytes());
        return signed;
    }

    /// <summary>Keeps what a commit of the round hides, before the commit is sent.</summary>
    public void KeepOpening(Round round, Opening opening)
    {
        var w = new WireWriter();
        w.Digest(opening.ObjectDigest);
        w.Int64(opening.SizeBytes);
        w.Digest(opening.Key);
        w.Digest(opening.BaseDigest);
        w.Digest(opening.Receipt);
        w.Digest(opening.Trace);
        var bytes = w.ToArray();
        DurableFile.Write(Name(round, "opening"), [.. bytes, .. Digest.Of("cairn/outbox", bytes).ToArray()]);
    }

    /// <summary>What an earlier life kept for the round, or null.</summary>
    public Opening? FindOpening(Round round)
    {
        if (Find(Name(round, "opening")) is not { } bytes)
        {
            return null;
        }

        var r = new WireReader(bytes);
        var opening = new Opening(r.Digest(), r.Int64(), r.Digest(), r.Digest(), r.Digest(), r.Digest());
        var length = r.Position;
        return r.Digest() == Digest.Of("cairn/outbox", bytes.AsSpan(0, length)) && r.Complete ? opening : null;
    }

    /// <summary>What earlier lives kept for a round and those after it: the state of the replica may be older than what was published.</summary>
    public IReadOnlyList<(Round Round, Opening Opening)> OpeningsFrom(Round first)
    {
        var found = new List<(Round Round, Opening Opening)>();
        foreach (var path in Directory.EnumerateFiles(_folder, "*-opening"))
        {
            if (int.TryParse(Path.GetFileName(path).Split('-')[0], out var number) && number >= first.Number && FindOpening(new Round(number)) is { } opening)
            {
                found.Add((new Round(number), opening));
            }
        }

        found.Sort((left, right) => left.Round.CompareTo(right.Round));
        return found;
    }

    /// <summary>True if a commit of the round was signed.</summary>
    public bool HoldsCommit(Round round) => File.Exists(Name(round, "commit"));

    /// <summary>Drops what belongs to rounds before that one.</summary>
    public void Forget(Round before)
    {
        try
        {
            foreach (var path in Directory.EnumerateFiles(_folder))
            {
                if (int.TryParse(Path.GetFileName(path).Split('-')[0], out var number) && number < before.Number)
                {
                    File.Delete(path);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot clear {_folder}: {e.Message} Make it writable, then go on with --resume.", e);
        }
    }

    private static byte[]? Find(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllBytes(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot read {path}: {e.Message} Make it readable, then go on with --resume.", e);
        }
    }

    // One slot for each statement of which there may be only one.
    private string? Slot(Operation operation) => operation switch
    {
        Commit o => Name(o.Round, "commit"),
        Reveal o => Name(o.Round, "reveal"),
        Beacon o => Name(o.Round, "beacon"),
        Verdict o => Name(o.Round, "verdict"),
        PostBase o => Name(o.Round, "base"),
        PostShares o => Name(o.Round, "shares"),
        VotePause o => Name(o.Round, "pause"),
        VoteRules o => Name(o.Round, "rules"),
        VoteSlash o => Name(o.Round, $"cut-{o.Uid}"),
        Exit o => Name(o.Round, "exit"),
        Ledger.Timeout o => Name(o.Round, $"timeout-{(int)o.Stage}"),
        _ => null,
    };

    private string Name(Round round, string kind) => Path.Combine(_folder, $"{round.Number:D6}-{kind}");
}
