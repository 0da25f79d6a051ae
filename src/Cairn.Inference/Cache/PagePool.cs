using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Inference;

/// <summary>Who holds which page, and which full page holds which tokens after which beginning, so that texts with the same beginning share it.</summary>
/// <remarks>A full page is known by the serial of the beginning before it and its own tokens, compared one by one: no digest decides what a reader sees. Pages that
/// nobody holds are kept for who begins alike, and go in the order in which they were left, the ends of texts first.</remarks>
internal sealed class PagePool
{
    private const int None = -1;

    private readonly int _pageTokens;
    private readonly Page[] _pages;
    private readonly Stack<int> _free = new();
    private readonly Dictionary<Key, int> _index = [];

    // The pages that nobody holds but that can be found, in the order in which they were left: a list through the pages.
    private int _oldest = None;
    private int _newest = None;
    private int _left;
    private long _serials;

    /// <param name="pages">How many there are.</param>
    /// <param name="pageTokens">Tokens of a page.</param>
    public PagePool(int pages, int pageTokens)
    {
        _pageTokens = pageTokens;
        _pages = new Page[pages];
        for (var page = pages - 1; page >= 0; page--)
        {
            _pages[page] = new Page(pageTokens);
            _free.Push(page);
        }
    }

    /// <summary>Pages that can be had.</summary>
    public int Available => _free.Count + _left;

    /// <summary>Takes a page for one holder.</summary>
    public int Take()
    {
        if (!_free.TryPop(out var page))
        {
            page = _oldest;
            Invariant.Check(page != None);
            Unlink(page);
            Forget(page);
        }

        _pages[page].Holders = 1;
        return page;
    }

    /// <summary>One holder less. A page that can be found is kept until its place is needed.</summary>
    public void Leave(int page)
    {
        Invariant.Check(_pages[page].Holders > 0);
        if (--_pages[page].Holders > 0)
        {
            return;
        }

        if (_pages[page].Serial == 0)
        {
            _free.Push(page);
            return;
        }

        Append(page);
    }

    /// <summary>The page with these tokens after that beginning, held once more.</summary>
    /// <param name="beginning">The serial of the beginning; 0 for none.</param>
    /// <param name="tokens">A page full.</param>
    /// <param name="page">The page.</param>
    /// <param name="serial">The serial of the beginning with it.</param>
    public bool TryHold(long beginning, ReadOnlySpan<int> tokens, out int page, out long serial)
    {
        serial = 0;
        if (!_index.TryGetValue(KeyOf(beginning, tokens), out page) || !tokens.SequenceEqual(_pages[page].Tokens))
        {
            return false;
        }

        if (_pages[page].Holders++ == 0)
        {
            Unlink(page);
        }

        serial = _pages[page].Serial;
        return true;
    }

    /// <summary>Makes a full page findable. If another has the same content, that stays the one that is found.</summary>
    /// <returns>The serial of the beginning with it.</returns>
    public long Publish(long beginning, ReadOnlySpan<int> tokens, int page)
    {
        Invariant.Check(tokens.Length == _pageTokens && _pages[page] is { Holders: > 0, Serial: 0 });
        var key = KeyOf(beginning, tokens);
        if (_index.TryGetValue(key, out var other))
        {
            // The same content, or, rarely, other tokens with the same key: then this beginning is simply not shared.
            return tokens.SequenceEqual(_pages[other].Tokens) ? _pages[other].Serial : ++_serials;
        }

        _index.Add(key, page);
        tokens.CopyTo(_pages[page].Tokens);
        _pages[page].Beginning = beginning;
        return _pages[page].Serial = ++_serials;
    }

    private static Key KeyOf(long beginning, ReadOnlySpan<int> tokens)
    {
        var hash = new HashCode();
        hash.AddBytes(MemoryMarshal.AsBytes(tokens));
        return new Key(beginning, hash.ToHashCode());
    }

    private void Forget(int page)
    {
        var removed = _index.Remove(KeyOf(_pages[page].Beginning, _pages[page].Tokens));
        Invariant.Check(removed);
        _pages[page].Serial = 0;
    }

    private void Append(int page)
    {
        _left++;
        (_pages[page].Before, _pages[page].After) = (_newest, None);
        if (_newest == None)
        {
            _oldest = page;
        }
        else
        {
            _pages[_newest].After = page;
        }

        _newest = page;
    }

    private void Unlink(int page)
    {
        _left--;
        var (before, after) = (_pages[page].Before, _pages[page].After);
        if (before == None)
        {
            _oldest = after;
        }
        else
        {
            _pages[before].After = after;
        }

        if (after == None)
        {
            _newest = before;
        }
        else
        {
            _pages[after].Before = before;
        }
    }

    private readonly record struct Key(long Beginning, int Hash);

    private sealed class Page(int tokens)
    {
        public int[] Tokens { get; } = new int[tokens];

        public int Holders { get; set; }

        public long Beginning { get; set; }

        // Of the beginning that ends with this page; 0 while it cannot be found.
        public long Serial { get; set; }

        public int Before { get; set; }

        public int After { get; set; }
    }
}
