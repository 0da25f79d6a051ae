using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>How much the contract has said of a run up to a place of the chain. The contract keeps the same beside the run: who was not told of an event, or was told of
/// another, comes to another record.</summary>
/// <param name="Said">Events so far.</param>
/// <param name="Chained">A digest over all of them, each with the record before it: 22 bytes, the rest zero.</param>
public readonly record struct EventRecord(ulong Said, Digest Chained)
{
    private const int ChainedSize = 22;

    /// <summary>The record after one more event.</summary>
    /// <param name="log">The event.</param>
    /// <param name="next">The record with it; unchanged if it is not the next.</param>
    /// <returns>False if it is not the next by its own number: what lies between is hidden.</returns>
    public bool TryTake(ChainLog log, out EventRecord next)
    {
        next = this;
        var reader = new AbiReader(log.Data);
        if (log.Topics.Count is not (2 or 3) || reader.UInt64() != Said || !reader.Ok)
        {
            return false;
        }

        var about = log.Topics.Count == 3 ? log.Topics[2] : Digest.Zero;
        byte[] all = [.. Chained.ToArray()[..ChainedSize], .. log.Topics[0].ToArray(), .. about.ToArray(), .. Keccak.Hash(log.Data).ToArray()];
        next = new EventRecord(Said + 1, new Digest([.. Keccak.Hash(all).ToArray()[..ChainedSize], .. new byte[Digest.Size - ChainedSize]]));
        return true;
    }

    /// <summary>The record after some events.</summary>
    /// <param name="logs">In the chain's order.</param>
    /// <exception cref="ChainFaultException">One is missing among them.</exception>
    public EventRecord After(IEnumerable<ChainLog> logs)
    {
        var record = this;
        foreach (var log in logs)
        {
            if (!record.TryTake(log, out record))
            {
                throw new ChainFaultException(ChainFaultKind.BadAnswer, $"a node of the chain hides event {record.Said} of the run, or tells another");
            }
        }

        return record;
    }
}
