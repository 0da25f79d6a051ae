using Cairn.Base;
using Cairn.Exchange;
using Cairn.Formats;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>The parameters that a run begins with, where somebody brought them, on their way through the run's common store: in pieces, so that neither side holds
/// more than one.</summary>
internal static class InitialBaseTransfer
{
    private const int PieceBytes = 32 << 20;

    /// <summary>Puts them into the store. Does nothing for a run whose seed gives them.</summary>
    public static async Task PublishAsync(
        IObjectStore store, RunDirectory directory, RunRules rules, Action<string> tell, Func<IObjectStore, ObjectKey, byte[], CancellationToken, Task> create,
        CancellationToken cancellation)
    {
        if (!rules.Model.FromModel)
        {
            return;
        }

        await using var file = File.OpenRead(InitialParameters.PathOf(directory));
        for (var piece = 0; file.Position < file.Length; piece++)
        {
            tell($"storing the initial parameters ({piece + 1} of {PiecesOf(rules)})");
            var bytes = new byte[Math.Min(PieceBytes, file.Length - file.Position)];
            await file.ReadExactlyAsync(bytes, cancellation);
            await create(store, KeyOf(piece), bytes, cancellation);
        }
    }

    /// <summary>Fetches them into a new folder and compares them with the rules. Does nothing for a run whose seed gives them, or if they are there.</summary>
    /// <exception cref="InputException">They are not those of the rules, or cannot be had.</exception>
    public static async Task FetchAsync(
        IObjectStore store, RunDirectory directory, RunRules rules, Action<string> tell, Func<IObjectStore, ObjectKey, long, CancellationToken, Task<byte[]>> fetch,
        CancellationToken cancellation)
    {
        var path = InitialParameters.PathOf(directory);
        if (!rules.Model.FromModel || (File.Exists(path) && BaseFile.DigestOf(path) == rules.Model.InitialBase))
        {
            return;
        }

        var beside = path + ".fetched";
        await using (var file = File.Create(beside))
        {
            for (var piece = 0; piece < PiecesOf(rules); piece++)
            {
                tell($"fetching the initial parameters ({piece + 1} of {PiecesOf(rules)})");
                await file.WriteAsync(await fetch(store, KeyOf(piece), PieceBytes, cancellation), cancellation);
            }

            file.Flush(flushToDisk: true);
        }

        if (BaseFile.DigestOf(beside) != rules.Model.InitialBase)
        {
            File.Delete(beside);
            throw new InputException($"the initial parameters in the store are not those of the rules ({rules.Model.InitialBase.Short}): its owner must put them right.");
        }

        File.Move(beside, path, overwrite: true);
    }

    private static int PiecesOf(RunRules rules) => (int)(((rules.Model.ParameterCount * sizeof(float)) + PieceBytes - 1) / PieceBytes);

    private static ObjectKey KeyOf(int piece)
    {
        Invariant.Check(ObjectKey.TryParse($"run/initial/{piece:D5}", out var key));
        return key!;
    }
}
