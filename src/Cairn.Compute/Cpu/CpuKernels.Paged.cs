using Cairn.Base;

namespace Cairn.Compute;

/// <content>Attention of many texts at once, whose keys and values lie in pages.</content>
public sealed unsafe partial class CpuKernels
{
    // Tokens of a text in one work item: its keys and values are read from memory once for these.
    private const int PagedBlock = 16;

    /// <summary>Rotates queries and keys of new tokens by their positions and puts keys and values into the pages.</summary>
    /// <param name="qkv">[R, QkvWidth]; queries are rotated in place.</param>
    /// <param name="table">Positions up to the longest text.</param>
    /// <param name="cache">Keys and values.</param>
    /// <param name="layer">Of the cache.</param>
    /// <param name="texts">Which rows are whose.</param>
    /// <param name="heads">Query heads.</param>
    public void Remember(Span<float> qkv, RopeTable table, KeyValuePages cache, int layer, ReadOnlySpan<PagedRows> texts, int heads)
    {
        var width = (heads + (2 * cache.KvHeads)) * cache.HeadDim;
        Invariant.Check(table.HeadDim == cache.HeadDim && qkv.Length % width == 0);
        fixed (float* rows = qkv, cos = table.Cos, sin = table.Sin)
        {
            foreach (ref readonly var text in texts)
            {
                Invariant.Check(Holds(text, cache) && text.Length <= table.Length && (text.Row + text.Count) * width <= qkv.Length);
                fixed (int* pages = text.Pages)
                {
                    var work = new RememberWork(rows + ((nint)text.Row * width), cos, sin, cache, layer, text.Start, pages, heads);
                    _pool.Run(ref work, text.Count);
                }
            }
        }
    }

    /// <summary>out = softmax(q kᵀ/√E) v for every new token over the tokens of its text up to itself. A row's result has the same bits whatever else is in
    /// the batch and however its text was cut into pieces.</summary>
    /// <param name="qkv">[R, QkvWidth], after <see cref="Remember"/>.</param>
    /// <param name="outRE">[R, H·E].</param>
    /// <param name="cache">Keys and values.</param>
    /// <param name="layer">Of the cache.</param>
    /// <param name="texts">Which rows are whose.</param>
    /// <param name="heads">Query heads.</param>
    public void AttendPaged(ReadOnlySpan<float> qkv, Span<float> outRE, KeyValuePages cache, int layer, ReadOnlySpan<PagedRows> texts, int heads)
    {
        var width = (heads + (2 * cache.KvHeads)) * cache.HeadDim;
        Invariant.Check(heads % cache.KvHeads == 0 && qkv.Length % width == 0 && outRE.Length == qkv.Length / width * heads * cache.HeadDim);
        var longest = 0;
        foreach (ref readonly var text in texts)
        {
            longest = Math.Max(longest, text.Length);
        }

        TakeAttentionMemory((PagedTiles.Rows * PagedScoreRow(longest)) + (PagedTiles.Rows * cache.ValueWidth));
        fixed (float* rows = qkv, output = outRE)
        {
            foreach (ref readonly var text in texts)
            {
                Invariant.Check(Holds(text, cache));
                fixed (int* pages = text.Pages)
                {
                    var work = new AttendPagedWork(
                        rows + ((nint)text.Row * width), output + ((nint)text.Row * heads * cache.HeadDim), cache, layer, text.Start, text.Count, pages, heads,
                        _attentionMemory);
                    _pool.Run(ref work, Blocks(text.Count, PagedBlock) * cache.KvHeads);
                }
            }
        }
    }

    private static bool Holds(in PagedRows text, KeyValuePages cache)
    {
        var pages = Blocks(text.Length, KeyValuePages.PageTokens);
        if (text.Count < 1 || text.Row < 0 || text.Start < 0 || text.Pages.Length < pages)
        {
            return false;
        }

        foreach (var page in text.Pages.AsSpan(0, pages))
        {
            if ((uint)page >= (uint)cache.Pages)
            {
                return false;
            }
        }

        return true;
    }

    // Whole pages, one more for an odd last one, and the two vectors that the powers write behind a row.
    private static int PagedScoreRow(int length) => Lanes.RoundUp(length) + (3 * Lanes.Count);

    private readonly struct RememberWork(float* qkv, float* cos, float* sin, KeyValuePages cache, int layer, int start, int* pages, int heads) : IWork
    {
        public void Run(int item, int worker)
        {
            var dim = cache.HeadDim;
            var (position, half) = (start + item, dim / 2);
            var row = qkv + ((nint)item * (heads + (2 * cache.KvHeads)) * dim);
            for (var head = 0; head < heads + cache.KvHeads; head++)
            {
                Rotate(row + (head * dim), cos + ((nint)position * half), sin + ((nint)position * half), half);
            }

            var page = pages[position / KeyValuePages.PageTokens] * cache.PageFloats;
            var slot = position % KeyValuePages.PageTokens;
            for (var head = 0; head < cache.KvHeads; head++)
            {
                var key = row + ((heads + head) * dim);
                var value = row + ((heads + cache.KvHeads + head) * dim);
                var keys = cache.Keys(layer, head) + page + slot;
                for (var e = 0; e < dim; e++)
                {
                    keys[e * KeyValuePages.PageTokens] = key[e];
                }

                new ReadOnlySpan<float>(value, dim).CopyTo(new Span<float>(cache.Values(layer, head) + page + ((nint)slot * cache.ValueWidth), dim));
            }
        }

        // Half-split pairs, as the training kernels turn them.
        private static void Rotate(float* head, float* cos, float* sin, int half)
        {
            for (var i = 0; i < half; i++)
            {
                var (first, second) = (head[i], head[i + half]);
                head[i] = (first * cos[i]) - (second * sin[i]);
                head[i + half] = (second * cos[i]) + (first * sin[i]);
            }
        }
    }

    private readonly struct AttendPagedWork(
        float* qkv, float* output, KeyValuePages cache, int layer, int start, int count, int* pages, int heads, nint[] memory) : IWork
    {
        private int Group => heads / cache.KvHeads;

        public void Run(int item, int worker)
        {
            var kvHead = item % cache.KvHeads;
            var first = item / cache.KvHeads * PagedBlock;
            var last = Math.Min(count, first + PagedBlock);
            // Queries of a block: token by token, and of a token the heads that share the keys.
            var (from, to) = (first * Group, last * Group);
            var scores = (float*)memory[worker];
            for (; from + PagedTiles.Rows <= to; from += PagedTiles.Rows)
            {
                Four(kvHead, from, scores);
            }

            for (; from < to; from++)
            {
                One(kvHead, from, scores);
            }
        }

        private void Four(int kvHead, int from, float* scores)
        {
            var (length, dim) = (Length(from + PagedTiles.Rows - 1), cache.HeadDim);
            nint stride = PagedScoreRow(length);
            var sums = scores + (PagedTiles.Rows * stride);
            var queries = stackalloc float*[PagedTiles.Rows];
            var totals = stackalloc float[PagedTiles.Rows];
            for (var i = 0; i < PagedTiles.Rows; i++)
            {
                queries[i] = Query(kvHead, from + i);
            }

            PagedTiles.ScoresOfFour(queries, cache.Keys(layer, kvHead), cache.PageFloats, pages, PageCount(length), dim, scores, stride);
            for (var i = 0; i < PagedTiles.Rows; i++)
            {
                // Rows of a tile end within four tokens of each other; behind a row's end the powers are zero.
                AttentionRows.Powers(scores + (i * stride), Length(from + i), 1 / MathF.Sqrt(dim), out totals[i]);
            }

            for (var at = 0; at < cache.ValueWidth; at += 2 * Lanes.Count)
            {
                PagedTiles.SumsOfFour(scores, stride, cache.Values(layer, kvHead) + at, cache.PageFloats, pages, length, cache.ValueWidth, sums + at);
            }

            for (var i = 0; i < PagedTiles.Rows; i++)
            {
                AttentionRows.Scale(sums + ((nint)i * cache.ValueWidth), 1 / totals[i], Output(kvHead, from + i), dim);
            }
        }

        private void One(int kvHead, int query, float* scores)
        {
            var (length, dim) = (Length(query), cache.HeadDim);
            var sums = scores + (PagedTiles.Rows * PagedScoreRow(length));
            PagedTiles.ScoresOfOne(Query(kvHead, query), cache.Keys(layer, kvHead), cache.PageFloats, pages, PageCount(length), dim, scores);
            AttentionRows.Powers(scores, length, 1 / MathF.Sqrt(dim), out var total);
            for (var at = 0; at < cache.ValueWidth; at += 2 * Lanes.Count)
            {
                PagedTiles.SumsOfOne(scores, cache.Values(layer, kvHead) + at, cache.PageFloats, pages, length, cache.ValueWidth, sums + at);
            }

            AttentionRows.Scale(sums, 1 / total, Output(kvHead, query), dim);
        }

        private int Length(int query) => start + (query / Group) + 1;

        private static int PageCount(int length) => (length + (KeyValuePages.PageTokens - 1)) / KeyValuePages.PageTokens;

        private float* Query(int kvHead, int query) =>
            qkv + ((nint)(query / Group) * (heads + (2 * cache.KvHeads)) * cache.HeadDim) + (((kvHead * Group) + (query % Group)) * cache.HeadDim);

        private float* Output(int kvHead, int query) =>
            output + ((nint)(query / Group) * heads * cache.HeadDim) + (((kvHead * Group) + (query % Group)) * cache.HeadDim);
    }
}
