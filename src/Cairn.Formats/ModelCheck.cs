using Cairn.Base;
using Cairn.Model;

namespace Cairn.Formats;

/// <summary>What a model is, after every one of its numbers was looked at.</summary>
/// <param name="Parameters">How many; all finite.</param>
/// <param name="Base">The digest of the parameters in fp32.</param>
/// <param name="Checkpoint">The digest of shape and parameters: the name that a run's ledger gives a checkpoint.</param>
/// <param name="Pieces">True if the folder's list of pieces was there and agrees; null if there is none.</param>
public sealed record ModelCheck(long Parameters, Digest Base, Digest Checkpoint, bool? Pieces)
{
    /// <summary>The list of the digests of the parameters' pieces, which a run's checkpoint has.</summary>
    public const string PiecesFile = "pieces.bin";

    private const int PiecesBytesMax = 64 << 20;

    /// <summary>Reads a whole model.</summary>
    /// <param name="model">Any.</param>
    /// <exception cref="InputException">A number is not finite, or a piece is not what the folder's list says.</exception>
    public static ModelCheck Of(ModelFile model)
    {
        var (hasher, pieces) = (new BaseHasher(), ReadPieces(model));
        foreach (var tensor in model.Layout.Tensors)
        {
            var values = new float[checked((int)tensor.Length)];
            model.Read(tensor, values);
            hasher.Append(values);
        }

        var digest = hasher.Finish();
        if (pieces is not null && MerkleTree.Root(pieces) != digest)
        {
            throw new InputException($"{model.Path} is damaged: its parameters are not those of its {PiecesFile}");
        }

        return new ModelCheck(model.Shape.ParameterCount, digest, Model.Checkpoint.Digest(model.Shape, digest), pieces is null ? null : true);
    }

    private static Digest[]? ReadPieces(ModelFile model)
    {
        var path = Path.Combine(model.Path, PiecesFile);
        if (!File.Exists(path))
        {
            return null;
        }

        using var file = FileBytes.Open(path);
        if (file.Length is 0 or > PiecesBytesMax || file.Length % Digest.Size != 0)
        {
            throw new InputException($"{path} is damaged: it has {file.Length} bytes");
        }

        var pieces = new Digest[file.Length / Digest.Size];
        for (var i = 0; i < pieces.Length; i++)
        {
            pieces[i] = new Digest(file.Part((long)i * Digest.Size, Digest.Size));
        }

        return pieces;
    }
}
