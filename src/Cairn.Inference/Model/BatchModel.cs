using System.Runtime.InteropServices;
using Cairn.Base;
using Cairn.Compute;
using Cairn.Formats;
using Cairn.Model;

namespace Cairn.Inference;

/// <summary>A model that continues many texts in one pass: every parameter is read once for all of them. Keys and values lie in pages that are taken as texts grow,
/// and texts that begin alike share the pages of their beginning (Kwon et al. 2023, paged attention).</summary>
/// <remarks>What a text gets does not depend, in a single bit, on the other texts of a pass, on the number of threads, on how it was cut into pieces or on what it
/// shares. One caller at a time.</remarks>
public sealed class BatchModel : IDisposable
{
    private readonly ModelMatrices _model;
    private readonly CpuKernels _kernels;
    private readonly KeyValuePages _cache;
    private readonly PagePool _pool;
    private readonly RopeTable _rope;
    private readonly BatchMemory _memory;
    private readonly List<PagedRows> _texts = [];
    private readonly List<int> _wanted = [];

    private BatchModel(ModelMatrices model, BatchModelOptions options)
    {
        _model = model;
        Shape = model.Shape;
        Context = options.Context ?? Shape.Context;
        Precision = options.Precision;
        var pages = PagesFor(options.CacheTokens ?? checked(4 * Context));
        _cache = new KeyValuePages(Shape.Layers, Shape.KvHeads, Shape.HeadDim, pages);
        _pool = new PagePool(pages, KeyValuePages.PageTokens);
        _rope = Shape.Rope(Context);
        _memory = new BatchMemory(Shape, RowsMax);
        // Last, as threads begin with it: where there is no memory for the rest, none is left over.
        _kernels = new CpuKernels(options.Threads);
    }

    /// <summary>The most tokens of a pass.</summary>
    public static int RowsMax => 512;

    /// <summary>Tokens of a page: what texts share, they share in whole pages.</summary>
    public static int PageTokens => KeyValuePages.PageTokens;

    /// <summary>The model's shape.</summary>
    public ModelShape Shape { get; }

    /// <summary>The longest text.</summary>
    public int Context { get; }

    /// <summary>How the matrices are held.</summary>
    public MatrixPrecision Precision { get; }

    /// <summary>Tokens of all texts together that can be kept.</summary>
    public int CacheTokens => _cache.Pages * PageTokens;

    /// <summary>Tokens that can be had now, those that are kept only for who begins alike among them.</summary>
    public int FreeTokens => _pool.Available * PageTokens;

    /// <summary>Memory of the parameters.</summary>
    public long ParameterBytes => _model.Bytes;

    /// <summary>Memory of keys and values.</summary>
    public long CacheBytes => _cache.Bytes;

    /// <summary>Loads a model.</summary>
    /// <param name="file">Read tensor by tensor; not needed afterwards.</param>
    /// <param name="options">How it is held.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="InputException">The options do not fit the model, or a number cannot be held so.</exception>
    public static BatchModel Load(ModelFile file, BatchModelOptions options)
    {
        options.Validate(file.Shape);
        var matrices = new ModelMatrices(file, options.Precision);
        try
        {
            return new BatchModel(matrices, options);
        }
        catch
        {
            matrices.Dispose();
            throw;
        }
    }

    /// <summary>An empty text.</summary>
    public CachedText Open() => new();

    /// <summary>Lets an empty text begin with what is kept of a text with the same beginning.</summary>
    /// <param name="text">Empty.</param>
    /// <param name="tokens">What it is to hold.</param>
    /// <returns>How many of the tokens it holds now: whole pages, and never all, so that the logits after the last can be computed.</returns>
    public int Share(CachedText text, ReadOnlySpan<int> tokens)
    {
        Invariant.Check(text is { Length: 0, IsClosed: false } && text.Pages.Count == 0);
        for (var at = 0; at + PageTokens < tokens.Length; at += PageTokens)
        {
            if (!_pool.TryHold(text.Beginning, tokens.Slice(at, PageTokens), out var page, out var serial))
            {
                break;
            }

            text.Pages.Add(page);
            text.Indexed++;
            text.Beginning = serial;
            text.Length += PageTokens;
        }

        return text.Length;
    }

    /// <summary>Takes memory for more tokens of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="count">How many tokens it will grow by; with those it has, at most <see cref="Context"/>.</param>
    /// <returns>False if there is not enough; then nothing was taken.</returns>
    public bool Reserve(CachedText text, int count)
    {
        Invariant.Check(!text.IsClosed && count >= 0 && text.Length + count <= Context);
        var more = PagesFor(text.Length + count) - text.Pages.Count;
        if (more > _pool.Available)
        {
            return false;
        }

        for (; more > 0; more--)
        {
            text.Pages.Add(_pool.Take());
        }

        return true;
    }

    /// <summary>Appends tokens to texts, all in one pass over the parameters.</summary>
    /// <param name="pieces">At least one, together at most <see cref="RowsMax"/> tokens.</param>
    public void Run(ReadOnlySpan<BatchPiece> pieces)
    {
        var rows = Arrange(pieces);
        var work = _memory.Of(rows);
        var texts = CollectionsMarshal.AsSpan(_texts);
        for (var layer = 0; layer < Shape.Layers; layer++)
        {
            Layer(_model.Layers[layer], layer, work, texts);
        }

        Head(work);
        foreach (ref readonly var piece in pieces)
        {
            Append(piece.Text, piece.Tokens.Span);
        }
    }

    /// <summary>The logits after the last token of a piece of the last pass.</summary>
    /// <param name="piece">Its index; it wanted logits.</param>
    /// <returns>[Vocabulary]; valid until the next pass.</returns>
    public ReadOnlySpan<float> Logits(int piece) => _memory.LogitsOf(_wanted.BinarySearch(piece));

    /// <summary>Gives back what a text holds. Its full pages can still be shared until their place is needed.</summary>
    /// <param name="text">Not used any more.</param>
    public void Close(CachedText text)
    {
        if (text.IsClosed)
        {
            return;
        }

        text.IsClosed = true;
        // The end first: of a text that begins like others, the beginning is kept longest.
        for (var page = text.Pages.Count - 1; page >= 0; page--)
        {
            _pool.Leave(text.Pages[page]);
        }

        text.Pages.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _model.Dispose();
        _kernels.Dispose();
        _cache.Dispose();
        _memory.Dispose();
    }

    private static int PagesFor(int tokens) => (tokens + PageTokens - 1) / PageTokens;

    // Puts the embeddings of all new tokens into the stream, and notes whose rows are whose.
    private int Arrange(ReadOnlySpan<BatchPiece> pieces)
    {
        Invariant.Check(pieces.Length > 0);
        _texts.Clear();
        _wanted.Clear();
        var row = 0;
        for (var i = 0; i < pieces.Length; i++)
        {
            var text = pieces[i].Text;
            var tokens = pieces[i].Tokens.Span;
            Invariant.Check(tokens.Length > 0 && row + tokens.Length <= RowsMax && !text.IsClosed && PagesFor(text.Length + tokens.Length) <= text.Pages.Count);
            _texts.Add(new PagedRows(row, tokens.Length, text.Length, [.. text.Pages]));
            if (pieces[i].WantsLogits)
            {
                _wanted.Add(i);
            }

            foreach (var token in tokens)
            {
                _model.Embedding.GetRow(token, _memory.Stream(row++));
            }
        }

        return row;
    }

    private void Layer(LayerMatrices matrices, int layer, in BatchRows work, ReadOnlySpan<PagedRows> texts)
    {
        var (rows, dim) = (work.Count, Shape.Dim);
        _kernels.RmsNorm(work.Stream, matrices.AttentionNorm, work.Normed, work.InverseRms, rows, dim, Shape.NormEpsilon);
        _kernels.Multiply(matrices.Qkv, work.Normed, work.Qkv, rows, accumulate: false);
        _kernels.Remember(work.Qkv, _rope, _cache, layer, texts, Shape.Heads);
        _kernels.AttendPaged(work.Qkv, work.Attended, _cache, layer, texts, Shape.Heads);
        _kernels.Multiply(matrices.Output, work.Attended, work.Stream, rows, accumulate: true);
        _kernels.RmsNorm(work.Stream, matrices.FeedForwardNorm, work.Normed, work.InverseRms, rows, dim, Shape.NormEpsilon);
        _kernels.Multiply(matrices.GateUp, work.Normed, work.GateUp, rows, accumulate: false);
        _kernels.SwiGlu(work.GateUp, work.Activated, rows, Shape.FeedForward);
        _kernels.Multiply(matrices.Down, work.Activated, work.Stream, rows, accumulate: true);
    }

    // Only the rows whose logits are wanted go through the head: with a large vocabulary it is a large part of a small model.
    private void Head(in BatchRows work)
    {
        if (_wanted.Count == 0)
        {
            return;
        }

        var head = _memory.Of(_wanted.Count);
        for (var i = 0; i < _wanted.Count; i++)
        {
            var text = _texts[_wanted[i]];
            work.Stream.Slice((text.Row + text.Count - 1) * Shape.Dim, Shape.Dim).CopyTo(head.Stream.Slice(i * Shape.Dim, Shape.Dim));
        }

        _kernels.RmsNorm(head.Stream, _model.FinalNorm, head.Normed, head.InverseRms, head.Count, Shape.Dim, Shape.NormEpsilon);
        _kernels.Multiply(_model.Head, head.Normed, _memory.Logits(head.Count), head.Count, accumulate: false);
    }

    // Full pages become findable.
    private void Append(CachedText text, ReadOnlySpan<int> tokens)
    {
        text.Length += tokens.Length;
        text.Rest.AddRange(tokens);
        while (text.Rest.Count >= PageTokens)
        {
            var full = CollectionsMarshal.AsSpan(text.Rest)[..PageTokens];
            text.Beginning = _pool.Publish(text.Beginning, full, text.Pages[text.Indexed++]);
            text.Rest.RemoveRange(0, PageTokens);
        }
    }
}
