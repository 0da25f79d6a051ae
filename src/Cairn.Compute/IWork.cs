namespace Cairn.Compute;

/// <summary>Independent pieces of one call, shared by the threads of a <see cref="WorkPool"/>.</summary>
/// <remarks>Implemented by structs, so that a call through the pool costs no allocation. What an item writes must not depend on which worker runs it,
/// nor on the order of the items: that is what makes results independent of the thread count.</remarks>
public interface IWork
{
    /// <summary>Does one piece.</summary>
    /// <param name="item">Which one, from 0.</param>
    /// <param name="worker">Who does it, below <see cref="WorkPool.Threads"/>: for scratch memory, never for results.</param>
    void Run(int item, int worker);
}
